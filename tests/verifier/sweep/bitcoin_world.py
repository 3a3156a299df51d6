"""A desk before a Bitcoin regtest chain: who moves coins there, and one pool of three wallets with three bitcoins."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from chains.bitcoin import chain_plugin
from chains.bitcoin.networks import REGTEST
from chains.devnet.bitcoin.keys import Kind, Lock
from chains.devnet.bitcoin.mining import COINBASE_MATURITY
from chains.devnet.bitcoin.node import RegtestNode
from chains.devnet.bitcoin.wallet import OwnCoin, TestWallet
from chains.types import Asset
from tests.verifier.sweep.desk import Desk
from verifier.records import MatchOutcome
from verifier.store import Store
from verifier.sweep import SweepOutcome

COIN: Final = Asset(REGTEST.asset_id, "BTC", 8)
BITCOIN: Final = 100_000_000


class BitcoinWorld:
    """What a desk must know of a regtest chain, and who moves coins on it."""

    chain_id: str = REGTEST.chain_id
    network: Final = REGTEST

    def __init__(self, node: RegtestNode) -> None:
        self.node = node
        self.rich = TestWallet(node, "rich")
        self.custody = TestWallet(node, "custody")
        begin = int(time.time()) - 6 * 60 * 60  # so that every block can have a later time of its own
        node.set_time(begin - (COINBASE_MATURITY + 1) * 600)
        node.mine_history(2, to=self.rich.new_address())
        node.set_time(begin)
        node.mine_history(COINBASE_MATURITY)

    def head_time(self) -> datetime:
        """Time of the newest block."""
        return datetime.fromtimestamp(self.node.block(self.node.tip).header.time, UTC)

    def mine(self) -> None:
        """One block, ten minutes later, with all that waits."""
        self.node.set_time(self.node.now() + 600)
        self.node.mine()

    def fund(self, address: str, base_units: int) -> None:
        """Pay an address in a block of its own."""
        self.rich.pay(address, base_units)
        self.mine()

    def stranger(self, number: int = 0) -> str:
        """An address that is nobody's."""
        return Lock.of(f"stranger/{number}").address


class BitcoinDesk(Desk):
    """The desk before a Bitcoin chain: its one asset is the coin."""

    def __init__(self, store: Store, world: BitcoinWorld, folder: Path, urls: list[str]) -> None:
        super().__init__(
            store,
            world,
            folder,
            genesis_hash=REGTEST.genesis_hash,
            urls=urls,
            token="none",
            plugin=chain_plugin,
        )
        self.native = self.usdx = COIN
        self.config = replace(
            self.config,
            native_asset=COIN,
            header_format="bitcoin",
            state_directory=folder / "ledgers",
            history_from_height=world.node.height + 1,  # nobody was paid before
        )


POOL: Final = "pool:P-1"


@dataclass
class Pool:
    """Three addresses of unlike kinds in one pool, with one, two and no bitcoins, all of client C-1."""

    desk: BitcoinDesk
    world: BitcoinWorld
    addresses: list[str]
    held: int = 3 * BITCOIN

    @classmethod
    def open(cls, desk: BitcoinDesk, world: BitcoinWorld) -> Pool:
        """Map, fund and allocate it, and sweep once: all in order."""
        addresses = [world.custody.new_address(kind) for kind in (Kind.P2WPKH, Kind.P2TR, Kind.P2PKH)]
        desk.take(
            clients=[{"client_id": "C-1", "name": "Client one"}, {"client_id": "C-2", "name": "Client two"}],
            assets=[{"asset_id": COIN.asset_id, "symbol": "BTC", "decimals": "8"}],
            wallets=[{"address": address} for address in addresses],
            pools=[{"pool_id": "P-1", "address": address} for address in addresses],
        )
        world.rich.pay_many({addresses[0]: BITCOIN, addresses[1]: 2 * BITCOIN})
        world.mine()
        pool = cls(desk, world, addresses)
        desk.allocate(POOL, C_1=pool.held)
        assert_in_order(desk.sweep())
        return pool

    def coins_of(self, *addresses: str) -> list[OwnCoin]:
        """What may be spent of some of its addresses, in their order."""
        coins = self.world.custody.coins()
        return [coin for address in addresses for coin in coins if coin.lock.address == address]

    def book(self, left: int) -> None:
        """The sub-ledger says so much belongs to the client, from the newest block on."""
        self.held -= left
        self.desk.allocate(POOL, C_1=self.held)

    def outcomes(self) -> list[tuple[MatchOutcome, str, int]]:
        """What became of every piece that left: outcome, approval, satoshis; change too."""
        found = self.desk.store.matches(self.desk.chain_id)
        return [(match.outcome, match.authorization_id, match.transfer.base_units) for match in found]


def assert_in_order(outcome: SweepOutcome) -> None:
    """Everything matched, and nothing was found."""
    assert outcome.exit_code == 0, (outcome.failure, [seen.finding.text for seen in outcome.cases])
