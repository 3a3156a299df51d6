"""What happens on the chains and in the books, made once for a seed: both tellings are given the very same blocks.

The Ethereum chain is made on a node of its own that nobody disturbs. After each chapter its whole state is kept; the
nodes that are read are given these states, so that blocks have the same hashes however often one was killed in between.
The Bitcoin chain is `tests.chaos.bitcoin_script`.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from chains.bitcoin.networks import REGTEST
from chains.devnet.anvil import AnvilProcess
from chains.devnet.bitcoin.kernel_node import KernelNode
from chains.devnet.bitcoin.wire import block_of, display
from chains.devnet.node import AnvilNode
from chains.types import ChainId, utc_text
from tests.chaos.bitcoin_script import BitcoinAuthor, BitcoinPart, Rows, same_each_time
from verifier.demo import books
from verifier.demo.books import custodian_row, location, movement_row, native_id, token_id, wallet_row, write_csv
from verifier.demo.world import CONFIRMATIONS, World, build_world, usdx

ANVIL_ARGUMENTS: Final = ("--chain-id", "31337", "--timestamp", "1767225600", "--slots-in-an-epoch", "1")
"""The fixed timestamp fixes the genesis hash: a node that starts anew is one of the same chain."""
BLOCK_SECONDS: Final = 12
MORE_WALLETS: Final = 6
"""Segregated wallets beside those of the demonstration, so that a sweep has several shards."""


@dataclass(frozen=True)
class Chapter:
    """What happens between two sweeps."""

    acts: tuple[str, ...]
    state: Path
    """The node's state one block after its end, as `anvil_dumpState` gives it."""
    final_height: int
    """Of the block that the sweep after it must be of."""
    final_hash: str
    books: Path | None
    """A folder to import before; None where nothing is posted."""
    bitcoin: BitcoinPart | None = None
    """What happens on the Bitcoin chain meanwhile."""
    posted: Mapping[str, object] | None = None
    """An entry of the books that a program sends by the API, under a key of its own."""
    closes_case: bool = False
    """Whether two people close a case before."""
    remark: str = ""
    """What a program says of an open case by the API, before; empty where it says nothing."""


@dataclass(frozen=True)
class Script:
    """A seed's chapters, the opening first."""

    seed: int
    chain_id: ChainId
    chapters: tuple[Chapter, ...]
    hashes: tuple[str, ...]
    """Of every block of the chain in the end, from the genesis block on."""
    lied_about: tuple[str, str] = ("", "")
    """A wallet and a token of which a node of the quorum may tell lies."""

    @property
    def has_quorum(self) -> bool:
        """Whether several nodes are asked about the Ethereum chain."""
        return bool(self.chapters[0].bitcoin)

    @property
    def chain_ids(self) -> tuple[ChainId, ...]:
        """Of the chains that something happens on."""
        return (self.chain_id, ChainId(REGTEST.chain_id)) if self.chapters[0].bitcoin else (self.chain_id,)

    def blocks(self, chain_id: ChainId) -> dict[int, str]:
        """Hash of each block of a chain by height, from 1 to the newest that is final in the end."""
        last = self.chapters[-1]
        if chain_id == self.chain_id:
            return dict(enumerate(self.hashes[1 : last.final_height + 1], 1))
        parts = [chapter.bitcoin for chapter in self.chapters if chapter.bitcoin is not None]
        made = [block_of(bytes.fromhex(each)) for part in parts for each in part.blocks]
        parents = {display(block.header.hash): display(block.header.previous) for block in made}
        found, block_hash = {}, parts[-1].final_hash
        for height in range(parts[-1].final_height, 0, -1):
            found[height], block_hash = block_hash, parents[block_hash]
        return found


class Author:
    """Writes one script."""

    def __init__(self, seed: int, node: AnvilNode, bitcoin: BitcoinAuthor, folder: Path) -> None:
        self.random = random.Random(f"chaos {seed}")
        self.bitcoin = bitcoin
        self.seed, self.node, self.folder = seed, node, folder
        node.rpc("anvil_setBlockTimestampInterval", BLOCK_SECONDS)
        self.world: World = build_world(node)
        self.more = [new_address(self.random) for _ in range(MORE_WALLETS)]
        self.numbers = iter(range(1, 10_000))
        self.entries: list[dict[str, object]] = []
        self.approvals: list[dict[str, object]] = []

    def write(self, chapters: int) -> Script:
        """All of it."""
        told = [self.opening()]
        for number in range(1, chapters + 1):
            acts = [self.random.choice(self.acts()) for _ in range(self.random.randint(1, 3))]
            for act in acts:
                act()
            told.append(self.end_chapter(number, tuple(act.__name__ for act in acts)))
        hashes = tuple(self.node.block_hash(height) for height in range(self.node.block_number() + 1))
        lied_about = (self.world.omnibus, self.world.usdx)
        return Script(self.seed, ChainId(self.world.chain_id), tuple(told), hashes, lied_about)

    def acts(self) -> list[Callable[[], None]]:
        """What can happen."""
        return [
            self.deposit,
            self.withdraw,
            self.steal,
            self.surprise,
            self.commingle,
            self.move_silently,
            self.change_the_head,
            self.wait,
        ]

    def opening(self) -> Chapter:
        """The firm, its wallets and its books."""
        for number, wallet in enumerate(self.more, 1):
            self.pay(self.world.outside, wallet, usdx(f"{number}000"))
            self.node.set_balance(wallet, 10**17)
            self.node.impersonate(wallet)
        folder = self.folder / "books-0"
        books.write_books(self.world, folder)
        day, at = self.world.now().date().isoformat(), utc_text(self.world.now())
        usdx_id, native = token_id(self.world, self.world.usdx), native_id(self.world)
        add_rows(
            folder / "wallets.csv",
            [wallet_row(self.world, each, "omnibus", f"vault-{each[2:8]}", day, "0.2") for each in self.more],
        )
        add_rows(
            folder / "custodian_addresses.csv",
            [custodian_row(self.world, each, f"vault-{each[2:8]}", self.world.now()) for each in self.more],
        )
        add_rows(
            folder / "allocations.csv",
            [
                {
                    "client_id": client,
                    "account_class": account_class,
                    "location": location(self.world, wallet),
                    "asset_id": asset_id,
                    "quantity": text,
                    "as_of": at,
                    "kind": kind,
                }
                for number, wallet in enumerate(self.more, 1)
                for client, account_class, asset_id, text, kind in (
                    ("C-1002", "customer", usdx_id, f"{number}000", ""),
                    (books.FIRM_CLIENT, "proprietary", native, "0.1", "gas_float"),
                )
            ],
        )
        part = self.bitcoin.opening()
        for name, rows in self.take_bitcoin_rows().items():
            if (folder / f"{name}.csv").exists():
                add_rows(folder / f"{name}.csv", rows)
            else:
                write_csv(folder / f"{name}.csv", rows)
        return self.keep(0, ("opening",), folder, part, None)

    def end_chapter(self, number: int, acts: tuple[str, ...]) -> Chapter:
        """What was posted becomes files; what happened becomes final."""
        folder = self.folder / f"books-{number}"
        part = self.bitcoin.write_chapter()
        rows = self.take_bitcoin_rows()
        self.entries += rows.get("ledger_entries", [])
        self.approvals += rows.get("authorizations", [])
        posted = None
        if self.entries and self.random.random() < 0.7:
            posted = self.entries.pop(self.random.randrange(len(self.entries)))
        if self.entries:
            write_csv(folder / "ledger_entries.csv", self.entries)
        if self.approvals:
            write_csv(folder / "authorizations.csv", self.approvals)
        given = folder if self.entries or self.approvals else None
        self.entries, self.approvals = [], []
        return self.keep(number, acts, given, part, posted)

    def take_bitcoin_rows(self) -> Rows:
        """What the books must say of the chapter's part on Bitcoin."""
        rows, self.bitcoin.rows = self.bitcoin.rows, {}
        return rows

    def keep(
        self,
        number: int,
        acts: tuple[str, ...],
        given: Path | None,
        part: BitcoinPart,
        posted: Mapping[str, object] | None,
    ) -> Chapter:
        """The chain as it is now, two blocks later."""
        self.world.confirm()
        final = self.node.block_number() - CONFIRMATIONS + 1  # a block is its own first confirmation
        # One block too many, to be taken back by who loads it: of the newest of a loaded state Anvil's BLOCKHASH is
        # wrong, and the product notices.
        before = self.node.snapshot()
        self.node.mine()
        path = self.folder / f"state-{number}.hex"
        path.write_text(self.node.rpc("anvil_dumpState", True), encoding="ascii")
        assert self.node.revert(before)
        closes = number > 0 and self.random.random() < 0.4
        remark = f"Looked into in chapter {number}." if number > 0 and self.random.random() < 0.7 else ""
        return Chapter(acts, path, final, self.node.block_hash(final), given, part, posted, closes, remark)

    # What can happen

    def deposit(self) -> None:
        """Posted as it should be."""
        wallet, units = self.wallet(), self.random.randint(1, 10_000_000)
        self.pay(self.world.outside, wallet, units)
        self.post(wallet, units)

    def withdraw(self) -> None:
        """Approved, sometimes for less than what leaves; posted."""
        wallet, units = self.wallet(), self.random.randint(2, 90_000_000)
        less = self.random.choice((0, 0, 1))
        at = self.world.now()
        self.approvals.append(
            {
                "authorization_id": f"AUTH-{next(self.numbers)}",
                "chain_id": self.world.chain_id,
                "wallet": wallet,
                "asset_id": token_id(self.world, self.world.usdx),
                "quantity_max": quantity(units - less),
                "destination": self.world.client_1001_own,
                "fee_max": "0.01",
                "valid_from": utc_text(at),
                "valid_until": utc_text(at + timedelta(days=1)),
                "purpose": "client_withdrawal",
                "client_id": "C-1002",
                "requested_by": "ops.maker",
                "approved_by": "ops.checker",
                "approved_at": utc_text(at),
                "reference": "WD",
            }
        )
        self.pay(wallet, self.world.client_1001_own, units)
        self.post(wallet, -units)

    def steal(self) -> None:
        """Nobody approved it."""
        self.pay(self.wallet(), self.world.stranger, self.random.randint(1, 90_000_000))

    def surprise(self) -> None:
        """A deposit that nobody posted."""
        self.pay(self.world.outside, self.wallet(), self.random.randint(1, 90_000_000))

    def commingle(self) -> None:
        """To the firm's own address."""
        self.pay(self.wallet(), self.world.treasury, self.random.randint(1, 90_000_000))

    def move_silently(self) -> None:
        """The chain's own coin appears without a transaction."""
        wallet = self.wallet()
        self.node.set_balance(wallet, self.node.balance(wallet) + self.random.randint(1, 10**15))
        self.node.mine()

    def change_the_head(self) -> None:
        """Blocks that may have been looked at and were never swept are replaced: what a look saw there is gone."""
        self.node.reorg(CONFIRMATIONS - 1)

    def wait(self) -> None:
        """Empty blocks."""
        self.node.mine(self.random.randint(1, 5))

    def wallet(self) -> str:
        """One in which the client of all entries may own something."""
        return self.random.choice((self.world.omnibus, *self.more))

    def pay(self, sender: str, receiver: str, units: int) -> None:
        """Send USDX."""
        self.world.pay(self.world.usdx, sender, receiver, units)

    def post(self, wallet: str, units: int) -> None:
        """An entry in the books."""
        place, asset_id = location(self.world, wallet), token_id(self.world, self.world.usdx)
        at = utc_text(self.world.now())
        entry_id = f"E-{next(self.numbers)}"
        self.entries.append(movement_row(entry_id, "C-1002", place, asset_id, quantity(units), at))


def add_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows below those that a file has."""
    with path.open("a", encoding="utf-8", newline="") as file:
        csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n").writerows(rows)


def new_address(chosen: random.Random) -> str:
    """One that nobody has a key of."""
    from eth_utils.address import to_checksum_address

    return to_checksum_address(f"0x{chosen.randrange(16**40):040x}")


def quantity(units: int) -> str:
    """USDX as people write it."""
    sign, units = ("-", -units) if units < 0 else ("", units)
    return f"{sign}{units // 10**6}.{units % 10**6:06d}"


def write_script(seed: int, chapters: int, folder: Path) -> Script:
    """Make a seed's script; its files stay in the folder."""
    with AnvilProcess(arguments=ANVIL_ARGUMENTS) as process, KernelNode() as kernel:
        bitcoin = BitcoinAuthor(seed, same_each_time(seed, kernel))
        return Author(seed, process.node, bitcoin, folder).write(chapters)


def loadable(state: Path) -> bytes:
    """A kept state in the form of Anvil's `--load-state`."""
    return gzip.decompress(bytes.fromhex(state.read_text(encoding="ascii").removeprefix("0x")))
