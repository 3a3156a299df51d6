"""Sweeps of a Bitcoin chain: a pool of wallets, approvals, change, reorganisations, a quorum of two nodes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chains.bitcoin import chain_plugin
from chains.bitcoin.networks import REGTEST
from chains.devnet.bitcoin.keys import Kind
from chains.devnet.bitcoin.mining import COINBASE_MATURITY
from chains.devnet.bitcoin.node import RegtestNode
from chains.devnet.bitcoin.wallet import TestWallet
from chains.types import Asset, Finality
from tests.verifier.sweep.desk import Desk, kinds
from verifier.records import FindingKind, Status
from verifier.store import Store

pytestmark = pytest.mark.devnet

COIN = Asset(REGTEST.asset_id, "BTC", 8)
BITCOIN = 100_000_000


class BitcoinWorld:
    """What a desk must know of a regtest chain, and who moves coins on it."""

    chain_id: str = REGTEST.chain_id

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

    def stranger(self) -> str:
        """An address that is nobody's."""
        return TestWallet(self.node, "stranger").new_address()


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
            self.config, native_asset=COIN, header_format="bitcoin", state_directory=folder / "ledgers"
        )


@pytest.fixture
def world(bitcoin_nodes: Callable[..., RegtestNode]) -> BitcoinWorld:
    return BitcoinWorld(bitcoin_nodes(history=0))


@pytest.fixture
def desk(world: BitcoinWorld, sqlite_store: Store, tmp_path: Path) -> BitcoinDesk:
    return BitcoinDesk(sqlite_store, world, tmp_path, [world.node.url])


@pytest.fixture
def pool(desk: BitcoinDesk, world: BitcoinWorld) -> list[str]:
    """Three addresses of unlike kinds in one pool, with 3 bitcoins, all allocated, and a first sweep behind."""
    addresses = [world.custody.new_address(kind) for kind in (Kind.P2WPKH, Kind.P2TR, Kind.P2PKH)]
    desk.take(
        clients=[{"client_id": "C-1", "name": "Client one"}],
        assets=[{"asset_id": COIN.asset_id, "symbol": "BTC", "decimals": "8"}],
        wallets=[{"address": address} for address in addresses],
        pools=[{"pool_id": "P-1", "address": address} for address in addresses],
    )
    for address, coins in zip(addresses, (1, 2, 0), strict=True):
        if coins:
            world.fund(address, coins * BITCOIN)
    desk.allocate("pool:P-1", C_1=3 * BITCOIN)
    outcome = desk.sweep()
    assert outcome.exit_code == 0, (outcome.failure, [seen.finding.text for seen in outcome.cases])
    return addresses


def test_a_pool_is_matched(desk: BitcoinDesk, pool: list[str]) -> None:
    outcome = desk.sweep()
    assert outcome.summary is not None
    assert (outcome.summary.matched, outcome.summary.expected) == (1, 1)
    result = desk.result(outcome, "pool:P-1")
    assert (result.claimed, result.observed, result.status) == (3 * BITCOIN, 3 * BITCOIN, Status.MATCHED)


def test_an_approved_payment_from_two_addresses_with_change_is_matched(
    desk: BitcoinDesk, world: BitcoinWorld, pool: list[str]
) -> None:
    to = world.stranger()
    payment = world.custody.pay(to, 250_000_000, coins=world.custody.coins(), change_to=pool[2], fee=1_000)
    assert len(payment.coins) == 2
    desk.approve("A-1", pool[0], to, 250_000_000, fee_max="0.00001")
    world.mine()
    desk.allocate("pool:P-1", C_1=3 * BITCOIN - 250_000_000 - 1_000)
    outcome = desk.sweep()
    assert outcome.exit_code == 0, [seen.finding.text for seen in outcome.cases]
    assert desk.result(outcome, "pool:P-1").observed == 3 * BITCOIN - 250_000_000 - 1_000


def test_a_payment_nobody_approved_opens_a_case(desk: BitcoinDesk, world: BitcoinWorld, pool: list[str]) -> None:
    world.custody.pay(world.stranger(), 50_000_000, fee=500)
    world.mine()
    outcome = desk.sweep()
    assert outcome.exit_code == 1
    found = kinds(outcome)
    assert found[FindingKind.UNAUTHORIZED_TRANSFER] >= 1
    assert found[FindingKind.SHORTFALL] == 1
    assert desk.result(outcome, "pool:P-1").difference == -50_000_500


@pytest.mark.fault("A41")
def test_what_waits_in_the_mempool_does_not_count(desk: BitcoinDesk, world: BitcoinWorld, pool: list[str]) -> None:
    first = world.custody.pay(world.stranger(), 50_000_000, fee=500)
    assert desk.sweep().exit_code == 0
    world.custody.replace(first, fee=5_000)
    assert desk.sweep().exit_code == 0
    world.rich.pay(pool[0], BITCOIN)
    assert desk.sweep().exit_code == 0
    desk.use_finality("confirmed(2)")
    world.mine()
    assert desk.sweep().exit_code == 0
    world.mine()
    outcome = desk.sweep()
    assert desk.result(outcome, "pool:P-1").difference == BITCOIN - 50_000_000 - 5_000


@pytest.mark.fault("A31")
def test_what_a_reorganisation_removed_is_superseded(desk: BitcoinDesk, world: BitcoinWorld, pool: list[str]) -> None:
    world.custody.pay(world.stranger(), 50_000_000, fee=500)
    world.mine()
    assert desk.sweep().exit_code == 1
    world.node.reorg(1, 2)
    outcome = desk.sweep()
    assert outcome.failure == ""
    assert desk.result(outcome, "pool:P-1").difference == 0
    world.mine()
    again = desk.sweep()
    assert desk.result(again, "pool:P-1").difference == -50_000_500


def test_two_nodes_agree_and_a_node_behind_is_left_out(
    desk: BitcoinDesk, world: BitcoinWorld, pool: list[str], bitcoin_nodes: Callable[..., RegtestNode]
) -> None:
    second = bitcoin_nodes(history=0)
    world.node.copy_blocks_to(second)
    desk.use_nodes(world.node.url, second.url)
    desk.config = replace(desk.config, quorum=2)
    outcome = desk.sweep()
    assert outcome.exit_code == 0, (outcome.failure, [seen.finding.text for seen in outcome.cases])
    assert len(list((desk.folder / "ledgers").iterdir())) >= 2
    world.fund(pool[0], BITCOIN)
    third = desk.sweep()
    assert desk.result(third, "pool:P-1").difference == 0  # the quorum stands at the block that both have
    world.node.copy_blocks_to(second)
    fourth = desk.sweep()
    assert desk.result(fourth, "pool:P-1").difference == BITCOIN


def test_nodes_on_two_branches_have_no_quorum(
    desk: BitcoinDesk, world: BitcoinWorld, pool: list[str], bitcoin_nodes: Callable[..., RegtestNode]
) -> None:
    second = bitcoin_nodes(history=0)
    world.node.copy_blocks_to(second)
    desk.use_nodes(world.node.url, second.url)
    desk.config = replace(desk.config, quorum=2, finality=Finality.parse("latest"))
    assert desk.sweep().exit_code == 0
    world.mine()
    second.mine()
    outcome = desk.sweep()
    assert outcome.summary is None
    assert outcome.failure_code == "no-quorum"
