"""What happens on a Bitcoin chain: a pool of two addresses, payments that wait or are replaced, blocks that are.

The blocks and waiting transactions of each chapter are kept as bytes, so that every node that is given them has the
same chain, however often it was killed in between.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from chains.bitcoin.networks import REGTEST
from chains.devnet.bitcoin.kernel_node import KIND, KernelNode
from chains.devnet.bitcoin.keys import Kind, Lock
from chains.devnet.bitcoin.mining import COINBASE_MATURITY
from chains.devnet.bitcoin.node import BLOCK_SECONDS, RegtestNode
from chains.devnet.bitcoin.wallet import NotEnoughCoins, Payment, TestWallet
from chains.devnet.bitcoin.wire import display
from chains.types import utc_text
from verifier.demo.bitcoin import FEE, POOL, bitcoins
from verifier.demo.books import asset_row, custodian_row, movement_row, wallet_row

CONFIRMATIONS: Final = 3
"""Of the swept block, which is the first of them."""
BEGINS: Final = 1_767_225_600
"""Unix seconds of the last block of the past; the Ethereum chain of the script begins then."""
COINS: Final = 4
"""Of each address of the pool in the beginning, so that several payments can be made at once."""
COIN: Final = 10_000_000
"""Satoshis of each."""
CLIENT: Final = "C-1002"
Rows = dict[str, list[dict[str, object]]]
"""By the name of their file."""


@dataclass(frozen=True)
class BitcoinPart:
    """What a chapter adds to the chain."""

    acts: tuple[str, ...]
    blocks: tuple[str, ...]
    """In hex, the oldest first; where blocks were replaced, the whole new branch."""
    waiting: tuple[str, ...]
    """Transactions that are in no block after it, in hex, parents first."""
    time: int
    """Unix seconds that a node must take for now."""
    final_height: int
    final_hash: str
    """Of the block that the sweep after it must be of."""


class BitcoinAuthor:
    """Writes the Bitcoin side of one script."""

    def __init__(self, seed: int, node: RegtestNode) -> None:
        self.random = random.Random(f"chaos bitcoin {seed}")
        self.node = node
        self.rows: Rows = {}
        """What is to be imported with the chapter that is being written."""
        self.numbers = iter(range(1, 10_000))
        self.late: Payment | None = None
        """Waits in the pool of the chapter before."""
        self._given = {node.tip}
        self.time = BEGINS
        node.set_time(BEGINS)
        self.outside, self.custody = TestWallet(node, "outside"), TestWallet(node, "custody")
        node.mine_history(COINBASE_MATURITY + 1, to=self.outside.new_address())
        self.wallets = self.custody.new_address(Kind.P2WPKH), self.custody.new_address(Kind.P2TR)
        self.client_own, self.stranger = Lock.of("client 1002").address, Lock.of("stranger").address

    @property
    def chain_id(self) -> str:
        """CAIP-2 id of the chain."""
        return REGTEST.chain_id

    def opening(self) -> BitcoinPart:
        """The pool is funded, and its books say so."""
        for wallet in self.wallets:
            for _ in range(COINS):
                self.outside.pay(wallet, COIN, min_confirmations=0)
        self.mine()
        at = self.now()
        day = at.date().isoformat()
        self.rows = {
            "assets": [asset_row(REGTEST.asset_id, "BTC", 8, "non_security_crypto", day, "0")],
            "wallets": [wallet_row(self, each, "omnibus", "vault-btc", day, "") for each in self.wallets],
            "pools": [
                {"pool_id": POOL, "chain_id": self.chain_id, "address": each, "from_date": day, "to_date": ""}
                for each in self.wallets
            ],
            "custodian_addresses": [custodian_row(self, each, "vault-btc", at) for each in self.wallets],
            "allocations": [
                {
                    "client_id": CLIENT,
                    "account_class": "customer",
                    "location": f"pool:{POOL}",
                    "asset_id": REGTEST.asset_id,
                    "quantity": bitcoins(COINS * COIN * len(self.wallets)),
                    "as_of": utc_text(at),
                    "kind": "",
                }
            ],
        }
        return self.end_chapter(("opening",))

    def write_chapter(self) -> BitcoinPart:
        """Blocks are replaced and what waits is settled first, then something happens."""
        acts: list[Callable[[], None]] = []
        if self.random.random() < 0.4:
            acts.append(self.replace_blocks)
        elif self.late is not None:
            acts.append(self.random.choice((self.confirm_late, self.replace_late)))
        known = (self.deposit, self.withdraw, self.steal, self.leave_waiting)
        acts += [self.random.choice(known) for _ in range(self.random.randint(1, 2))]
        for act in acts:
            act()
        return self.end_chapter(tuple(act.__name__ for act in acts))

    def end_chapter(self, acts: tuple[str, ...]) -> BitcoinPart:
        """Everything but what waits becomes final."""
        self.mine(transactions=False)
        final = self.node.tip
        self.mine(CONFIRMATIONS - 1, transactions=False)
        blocks, block_hash = [], self.node.tip
        while block_hash not in self._given:
            self._given.add(block_hash)
            block = self.node.block(block_hash)
            blocks.append(block.raw.hex())
            block_hash = display(block.header.previous)
        waiting = tuple(self.node.transaction(each).raw.hex() for each in self.node.waiting())
        height = self.node.height - CONFIRMATIONS + 1
        return BitcoinPart(acts, tuple(reversed(blocks)), waiting, self.time, height, final)

    # What can happen

    def deposit(self) -> None:
        """Posted, or not."""
        units = self.random.randint(1, COIN)
        self.outside.pay(self.random.choice(self.wallets), units)
        self.mine()
        if self.random.random() < 0.7:
            self.post(units)

    def withdraw(self) -> None:
        """Approved, sometimes for less than what leaves; posted with its fee."""
        units = self.random.randint(10_000, COIN // 2)
        self.approve(units - self.random.choice((0, 0, 1)))
        if self.pay(self.client_own, units) is not None:
            self.mine()
            self.post(-units - FEE)

    def steal(self) -> None:
        """Nobody approved it."""
        if self.pay(self.stranger, self.random.randint(10_000, COIN // 2)) is not None:
            self.mine()

    def replace_blocks(self) -> None:
        """The empty blocks that were not final leave; the branch in their place holds what waited, and a deposit."""
        self.outside.pay(self.wallets[0], self.random.randint(1, COIN))
        depth = self.random.randint(1, CONFIRMATIONS - 1)
        self.pass_time((depth + 1) * BLOCK_SECONDS)
        held = [self.node.transaction(each) for each in self.node.waiting()]
        self.node.reorg(depth, transactions=held)
        self.late = None

    def leave_waiting(self) -> None:
        """Approved, sent, and in no block when the chapter ends."""
        if self.late is None:
            units = self.random.randint(10_000, COIN // 2)
            self.approve(units)
            self.late = self.pay(self.client_own, units)

    def confirm_late(self) -> None:
        """What waited is in a block at last."""
        self.mine()
        self.late = None

    def replace_late(self) -> None:
        """What waited is replaced by a payment to somebody else, which nobody approved."""
        assert self.late is not None
        self.custody.replace(self.late, fee=5 * FEE, amounts={self.stranger: 10_000})
        self.mine()
        self.late = None

    # With what

    def pay(self, to: str, units: int) -> Payment | None:
        """Out of the pool, where it has coins that do not wait already."""
        try:
            return self.custody.pay(to, units, fee=FEE, change_to=self.wallets[1])
        except NotEnoughCoins:
            return None

    def mine(self, blocks: int = 1, *, transactions: bool = True) -> None:
        """Blocks ten minutes apart, the first with all that waits, or empty ones."""
        for _ in range(blocks):
            self.pass_time(BLOCK_SECONDS)
            self.node.mine(1, transactions=None if transactions else [])
        if transactions:
            self.late = None

    def pass_time(self, seconds: int) -> None:
        """The node's clock goes on."""
        self.time += seconds
        self.node.set_time(self.time)

    def now(self) -> datetime:
        """The time of the newest block."""
        return datetime.fromtimestamp(self.node.block(self.node.tip).header.time, UTC)

    def approve(self, units: int) -> None:
        """Two people let so much go to the client's own address."""
        at = self.now()
        self.rows.setdefault("authorizations", []).append(
            {
                "authorization_id": f"BTC-AUTH-{next(self.numbers)}",
                "chain_id": self.chain_id,
                "wallet": self.wallets[0],
                "asset_id": REGTEST.asset_id,
                "quantity_max": bitcoins(units),
                "destination": self.client_own,
                "fee_max": bitcoins(FEE),
                "valid_from": utc_text(at),
                "valid_until": utc_text(at + timedelta(days=1)),
                "purpose": "client_withdrawal",
                "client_id": CLIENT,
                "requested_by": "ops.maker",
                "approved_by": "ops.checker",
                "approved_at": utc_text(at),
                "reference": "WD",
            }
        )

    def post(self, units: int) -> None:
        """An entry in the books."""
        entry_id = f"BTC-E-{next(self.numbers)}"
        at = utc_text(self.now())
        row = movement_row(entry_id, CLIENT, f"pool:{POOL}", REGTEST.asset_id, bitcoins(units), at)
        self.rows.setdefault("ledger_entries", []).append(row)


def same_each_time(seed: int, kernel: KernelNode) -> RegtestNode:
    """The node of a kernel, whose blocks are the same whenever the same is asked of it."""
    extra = hashlib.sha256(f"chaos {seed}".encode()).digest()[:6]
    return RegtestNode(kernel.node.url, kind=KIND, extra=extra)
