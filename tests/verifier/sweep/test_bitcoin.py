"""Sweeps of a Bitcoin chain: a pool of wallets, approvals, change, reorganisations, a quorum of two nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from chains.devnet.bitcoin.node import RegtestNode
from chains.types import Finality
from exports.report import report_text
from tests.verifier.issuer import Issuer
from tests.verifier.sweep.bitcoin_world import BITCOIN, COIN, POOL, BitcoinDesk, BitcoinWorld, Pool, assert_in_order
from tests.verifier.sweep.desk import kinds
from verifier.records import FindingKind, Status

pytestmark = pytest.mark.devnet


@pytest.fixture
def desk(bitcoin_pool: Pool) -> BitcoinDesk:
    return bitcoin_pool.desk


@pytest.fixture
def world(bitcoin_pool: Pool) -> BitcoinWorld:
    return bitcoin_pool.world


@pytest.fixture
def pool(bitcoin_pool: Pool) -> list[str]:
    """The addresses of the pool, and a first sweep behind."""
    return bitcoin_pool.addresses


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


@pytest.mark.fault("A41")
def test_immature_coins_are_counted_and_told_apart(bitcoin_pool: Pool, tmp_path: Path) -> None:
    desk, node = bitcoin_pool.desk, bitcoin_pool.world.node
    told = desk.status().chains[0].immature
    assert told is not None
    assert told.unread_below is not None, "the blocks before the first sweep were not read"
    assert told.text() == f"blocks below {told.unread_below} were not read: whether coins are immature is not known"
    node.mine(98)
    node.mine(1, to=bitcoin_pool.addresses[2])
    reward = node.balance(bitcoin_pool.addresses[2])
    bitcoin_pool.book(-reward)
    outcome = desk.sweep()
    assert_in_order(outcome)
    assert outcome.to_dict()["immature"] == {
        "base_units": str(reward),
        "addresses": {bitcoin_pool.addresses[2]: str(reward)},
        "unread_below": None,
    }
    issuer = Issuer.of(tmp_path, desk)
    lines = report_text(issuer.verify(issuer.issue().path))
    assert f"Immature: {COIN.format_quantity(reward)} BTC of the balances there" in lines
    assert "PROVISIONAL" in lines
    node.mine(98)
    assert_in_order(desk.sweep())
    assert f"{COIN.format_quantity(reward)} BTC at 1 wallet is immature" in desk.status().chains[0].information()[-1]
    node.mine(1)
    desk.use_finality("confirmed(1)")
    outcome = desk.sweep()
    assert_in_order(outcome)
    assert outcome.immature is not None
    assert outcome.immature.of == {}
    assert desk.result(outcome, POOL).observed == bitcoin_pool.held
    lines = report_text(issuer.verify(issuer.issue("later.zip").path))
    assert "PROVISIONAL" not in lines
    assert "Immature" not in lines
