"""The demonstration's Bitcoin chain: a pool of two wallets, what happens to it, and what the books say of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chains.bitcoin.networks import COIN, DECIMALS, REGTEST
from chains.types import utc_text
from verifier.demo.books import asset_row, custodian_row, movement_row, wallet_row, write_csv

if TYPE_CHECKING:
    from chains.devnet.bitcoin.node import RegtestNode
    from chains.devnet.bitcoin.wallet import TestWallet

CONFIRMATIONS: Final = 2
"""Of the swept block, which is the first of them."""
STARTS_SECONDS_AGO: Final = 10
"""So long ago the books of the first day are made: what happens then comes later, by the blocks' own times."""
POOL: Final = "BTC-1"
FEE: Final = 1_000
"""Satoshis that each payment of the story costs."""
HELD: Final = {"C-1001": "0.80", "C-1003": "0.45"}
"""Bitcoins of each client on the first day."""

CHAIN_SECTION: Final = f"""
# The demonstration's Bitcoin chain; on a real one, six confirmations and a limit of two hours are the defaults.
[[chains]]
chain_id = "{REGTEST.chain_id}"
name = "Local Bitcoin regtest"
genesis_hash = "{REGTEST.genesis_hash}"
finality = "confirmed({CONFIRMATIONS})"
history_from_height = 1
head_age_seconds_max = 86400
native_asset = {{ asset_id = "{REGTEST.asset_id}", symbol = "BTC", decimals = {DECIMALS} }}

  [[chains.nodes]]
  node_id = "regtest"
  operator = "local"
  url = "%s"
"""


def satoshis(bitcoins: str) -> int:
    """Base units of a quantity of bitcoins."""
    whole, _, fraction = bitcoins.partition(".")
    return int(whole + fraction.ljust(DECIMALS, "0"))


def bitcoins(base_units: int) -> str:
    """The quantity that so many satoshis are, signed."""
    whole, fraction = divmod(abs(base_units), COIN)
    return f"{'-' if base_units < 0 else ''}{whole}.{fraction:0{DECIMALS}d}"


@dataclass(frozen=True, slots=True)
class BitcoinWorld:
    """Who is who on the demonstration's Bitcoin chain."""

    node: RegtestNode
    custody: TestWallet
    wallets: tuple[str, str]
    """The addresses of the pool."""
    client_1003_own: str
    """An address of client 1003 outside the firm."""
    stranger: str

    @property
    def chain_id(self) -> str:
        """CAIP-2 id of the chain."""
        return REGTEST.chain_id

    def now(self) -> datetime:
        """The time of the newest block."""
        return datetime.fromtimestamp(self.node.block(self.node.tip).header.time, UTC)

    def pay(self, to: str, base_units: int) -> str:
        """Pay out of the pool in a block, change back to its second address; returns the transaction's id."""
        txid = self.custody.pay(to, base_units, fee=FEE, change_to=self.wallets[1]).txid
        self.node.mine()
        return txid

    def confirm(self) -> None:
        """Mine the blocks that make everything so far final by the configuration."""
        self.node.mine(CONFIRMATIONS - 1)


@contextmanager
def bitcoin_world() -> Iterator[BitcoinWorld]:
    """A chain of its own in this process, the pool funded. Raises `KernelMissing` without the extra `bitcoin`."""
    from chains.devnet.bitcoin.kernel_chain import kernel
    from chains.devnet.bitcoin.kernel_node import KernelNode
    from chains.devnet.bitcoin.keys import Kind, Lock
    from chains.devnet.bitcoin.mining import COINBASE_MATURITY
    from chains.devnet.bitcoin.wallet import TestWallet

    kernel()
    with KernelNode() as running:
        node = running.node
        node.set_time(int(time.time()) - STARTS_SECONDS_AGO)
        outside, custody = TestWallet(node, "outside"), TestWallet(node, "custody")
        node.mine_history(COINBASE_MATURITY + 1, to=outside.new_address())
        first, second = custody.new_address(Kind.P2WPKH), custody.new_address(Kind.P2TR)
        outside.pay_many({first: satoshis("0.75"), second: satoshis("0.50")})
        node.mine()
        node.set_time(None)
        yield BitcoinWorld(node, custody, (first, second), Lock.of("client 1003").address, Lock.of("stranger").address)


def add_chain(config: Path, world: BitcoinWorld) -> None:
    """Configure the chain beside the one that `custody init` wrote."""
    text = config.read_text(encoding="utf-8")
    config.write_text(text.rstrip("\n") + "\n" + CHAIN_SECTION % world.node.url, encoding="utf-8")


def write_bitcoin_books(world: BitcoinWorld, folder: Path) -> None:
    """What the sub-ledger says of Bitcoin on the first day."""
    as_of = world.now()
    day = as_of.date().isoformat()
    write_csv(
        folder / "assets.csv", [asset_row(REGTEST.asset_id, "BTC", DECIMALS, "non_security_crypto", day, "0.00001")]
    )
    write_csv(
        folder / "wallets.csv",
        [wallet_row(world, address, "omnibus", "vault-btc", day, "") for address in world.wallets],
    )
    write_csv(
        folder / "pools.csv",
        [
            {"pool_id": POOL, "chain_id": world.chain_id, "address": address, "from_date": day, "to_date": ""}
            for address in world.wallets
        ],
    )
    write_csv(
        folder / "custodian_addresses.csv",
        [custodian_row(world, address, "vault-btc", as_of) for address in world.wallets],
    )
    write_csv(
        folder / "allocations.csv",
        [
            {
                "client_id": client,
                "account_class": "customer",
                "location": f"pool:{POOL}",
                "asset_id": REGTEST.asset_id,
                "quantity": quantity,
                "as_of": utc_text(as_of),
                "kind": "",
            }
            for client, quantity in HELD.items()
        ],
    )


def write_bitcoin_approval(world: BitcoinWorld, folder: Path, base_units: int) -> None:
    """The approval of client 1003's withdrawal from the pool."""
    at = world.now()
    write_csv(
        folder / "authorizations.csv",
        [
            {
                "authorization_id": "AUTH-0002",
                "chain_id": world.chain_id,
                "wallet": world.wallets[0],
                "asset_id": REGTEST.asset_id,
                "quantity_max": bitcoins(base_units),
                "destination": world.client_1003_own,
                "fee_max": bitcoins(FEE),
                "valid_from": utc_text(at),
                "valid_until": utc_text(at + timedelta(days=1)),
                "purpose": "client_withdrawal",
                "client_id": "C-1003",
                "requested_by": "ops.maker",
                "approved_by": "ops.checker",
                "approved_at": utc_text(at),
                "reference": "WD-2026-0002",
            }
        ],
    )


def write_bitcoin_movement(world: BitcoinWorld, folder: Path, base_units: int) -> None:
    """The ledger entry of the withdrawal, as of its block; the client bears the fee."""
    at = world.now()
    write_csv(
        folder / "ledger_entries.csv",
        [
            movement_row(
                "WD-2026-0002", "C-1003", f"pool:{POOL}", REGTEST.asset_id, bitcoins(-base_units - FEE), utc_text(at)
            )
        ],
    )
