"""Spends of a Bitcoin pool in real sweeps: each kind as it should be, and as it should not."""

from __future__ import annotations

from pathlib import Path

import pytest

from chains.bitcoin.script import address_of_script
from chains.devnet.bitcoin.keys import Kind
from chains.devnet.bitcoin.wire import TxOutput
from tests.verifier.issuer import Issuer, refused
from tests.verifier.sweep.bitcoin_world import BITCOIN, Pool, assert_in_order
from tests.verifier.sweep.desk import kinds
from verifier.records import FindingKind, MatchOutcome, TransferMatch
from verifier.sweep import SweepOutcome

pytestmark = pytest.mark.devnet

M, F = MatchOutcome, FindingKind
BURN = b"\x6a\x04burn"


def texts(outcome: SweepOutcome) -> list[str]:
    return [seen.finding.text for seen in outcome.cases]


def bundle_verifies(pool: Pool, folder: Path) -> bool:
    """The newest sweep as a bundle, checked by an auditor with the chain's own node."""
    issuer = Issuer.of(folder, pool.desk)
    report = issuer.verify(issuer.issue().path, nodes=True)
    assert report.exit_code == 0, refused(report)
    return True


@pytest.mark.parametrize(("fee", "outcome"), [(1_000, M.MATCHED), (1_001, M.FEE_OVER_LIMIT)])
def test_the_fee_is_held_against_the_limit_once(bitcoin_pool: Pool, fee: int, outcome: MatchOutcome) -> None:
    """Two addresses fund the payment; each bears its part of the fee, and the approval limits the sum."""
    pool, to = bitcoin_pool, bitcoin_pool.world.stranger()
    coins = pool.coins_of(*pool.addresses)
    pool.world.custody.pay(to, 250_000_000, coins=coins, change_to=pool.addresses[2], fee=fee)
    pool.desk.approve("A-1", pool.addresses[0], to, 250_000_000, fee_max="0.00001")
    pool.world.mine()
    pool.book(250_000_000 + fee)
    swept = pool.desk.sweep()
    found = pool.outcomes()
    assert sum(units for which, _, units in found if which is outcome) == 250_000_000
    assert sum(units for which, _, units in found if which is M.CHANGE) == 50_000_000 - fee
    assert {which for which, _, _ in found} == {outcome, M.CHANGE}
    assert kinds(swept) == ({} if outcome is M.MATCHED else {F.UNAUTHORIZED_TRANSFER: 1})
    assert pool.desk.store.authorizations_used(pool.desk.chain_id) == {"A-1": 250_000_000}


@pytest.mark.fault("A46")
def test_one_transaction_makes_many_withdrawals(bitcoin_pool: Pool, tmp_path: Path) -> None:
    pool, world, desk = bitcoin_pool, bitcoin_pool.world, bitcoin_pool.desk
    first, second, third = (world.stranger(number) for number in range(3))
    amounts = {first: 10_000_000, second: 20_000_000, third: 30_000_000}
    for number, (to, units) in enumerate(amounts.items()):
        desk.approve(f"A-{number}", pool.addresses[0], to, units, fee_max="0.00001")
    batch = world.custody.pay_many(amounts, fee=3_000)  # the limit of three approvals together
    world.mine()
    pool.book(60_003_000)
    swept = desk.sweep()
    assert_in_order(swept)
    assert swept.summary is not None
    assert (swept.summary.transfers_outgoing, swept.summary.transfers_not_matched) == (3, 0)
    assert {match.transfer.tx_id for match in desk.store.matches(desk.chain_id)} == {batch.txid}

    desk.approve("B-0", pool.addresses[0], first, 10_000_000)
    desk.approve("B-2", pool.addresses[0], third, 30_000_000)
    world.custody.pay_many(amounts, fee=3_000)
    world.mine()
    pool.book(60_003_000)
    swept = desk.sweep()
    assert kinds(swept) == {F.UNAUTHORIZED_TRANSFER: 1}
    (case,) = swept.cases
    assert (case.finding.base_units, second in case.finding.text) == (-20_000_000, True)
    assert (M.DUPLICATE, "A-1", 20_000_000) in pool.outcomes()
    assert bundle_verifies(pool, tmp_path)


@pytest.mark.fault("A41")
def test_of_a_replaced_payment_only_the_confirmed_one_counts(bitcoin_pool: Pool) -> None:
    pool, world, desk = bitcoin_pool, bitcoin_pool.world, bitcoin_pool.desk
    to = world.stranger()
    desk.approve("A-1", pool.addresses[0], to, 50_000_000)
    replaced = world.custody.pay(to, 50_000_000, fee=500)
    assert_in_order(desk.sweep())
    confirmed = world.custody.replace(replaced, fee=5_000)
    world.mine()
    pool.book(50_005_000)
    assert_in_order(desk.sweep())
    (match,) = desk.store.matches(desk.chain_id)
    assert (match.transfer.tx_id, match.outcome) == (confirmed.txid, M.MATCHED)
    assert desk.store.authorizations_used(desk.chain_id) == {"A-1": 50_000_000}


@pytest.mark.fault("A41")
def test_a_replacement_that_pays_somebody_else_is_found(bitcoin_pool: Pool) -> None:
    pool, world, desk = bitcoin_pool, bitcoin_pool.world, bitcoin_pool.desk
    to, thief = world.stranger(0), world.stranger(1)
    desk.approve("A-1", pool.addresses[0], to, 50_000_000)
    good = world.custody.pay(to, 50_000_000, fee=500)
    assert_in_order(desk.sweep())
    world.custody.replace(good, fee=5_000, amounts={thief: 50_000_000})
    world.mine()
    pool.book(50_005_000)
    swept = desk.sweep()
    assert kinds(swept) == {F.UNAUTHORIZED_TRANSFER: 1}
    assert thief in texts(swept)[0]
    assert pool.outcomes()[0] == (M.WRONG_DESTINATION, "A-1", 50_000_000)
    assert desk.store.authorizations_used(desk.chain_id) == {}, "what was replaced uses nothing"


def test_an_approval_is_executed_once(bitcoin_pool: Pool) -> None:
    pool, world, desk = bitcoin_pool, bitcoin_pool.world, bitcoin_pool.desk
    to = world.stranger()
    desk.approve("A-1", pool.addresses[0], to, 50_000_000)
    for expected in ({}, {F.UNAUTHORIZED_TRANSFER: 1}):
        world.custody.pay(to, 50_000_000, fee=500)
        world.mine()
        pool.book(50_000_500)
        assert kinds(desk.sweep()) == expected
    assert pool.outcomes() == [(M.MATCHED, "A-1", 50_000_000), (M.DUPLICATE, "A-1", 50_000_000)]


def test_coins_are_put_together_within_a_set_and_not_between_two(bitcoin_pool: Pool, tmp_path: Path) -> None:
    pool, world, desk = bitcoin_pool, bitcoin_pool.world, bitcoin_pool.desk
    coins = pool.coins_of(*pool.addresses)
    world.custody.pay(pool.addresses[2], 3 * BITCOIN - 1_000, coins=coins, fee=1_000)
    world.mine()
    pool.book(1_000)
    swept = desk.sweep()
    assert_in_order(swept)
    assert swept.summary is not None
    assert (swept.summary.transfers_change, swept.summary.transfers_outgoing) == (2, 0)
    assert {which for which, _, _ in pool.outcomes()} == {M.CHANGE}

    apart = world.custody.new_address(Kind.P2WPKH)  # another client's own wallet
    desk.take(wallets=[{"address": apart, "structure": "fully_segregated"}])
    for approval, expected in (("", {F.UNAUTHORIZED_TRANSFER: 1}), ("A-1", {})):
        if approval:
            desk.approve(approval, pool.addresses[2], apart, BITCOIN, purpose="internal_rebalancing", client_id="")
        world.custody.pay(apart, BITCOIN, coins=pool.coins_of(pool.addresses[2]), fee=1_000)
        world.mine()
        pool.book(BITCOIN + 1_000)
        desk.allocate(apart, C_2=world.node.balance(apart))
        swept = desk.sweep()
        assert kinds(swept) == expected, texts(swept)
        for seen in swept.cases:
            desk.close(desk.store.case(seen.case_id))
    assert bundle_verifies(pool, tmp_path)


@pytest.mark.parametrize(
    ("purpose", "expected", "for_review"),
    [
        ("", {F.UNAUTHORIZED_TRANSFER: 1, F.COMMINGLING: 1}, 0),
        ("client_withdrawal", {F.COMMINGLING: 1}, 0),
        ("earned_fee", {}, 1),
    ],
)
def test_a_spend_to_the_firms_own_address(
    bitcoin_pool: Pool, purpose: str, expected: dict[FindingKind, int], for_review: int
) -> None:
    pool, world, desk = bitcoin_pool, bitcoin_pool.world, bitcoin_pool.desk
    treasury = world.stranger(7)
    desk.take(firm_addresses=[{"address": treasury, "label": "treasury"}])
    if purpose:
        desk.approve("A-1", pool.addresses[0], treasury, 50_000_000, purpose=purpose)
    world.custody.pay(treasury, 50_000_000, fee=500)
    world.mine()
    pool.book(50_000_500)
    swept = desk.sweep()
    assert kinds(swept) == expected
    assert len(swept.for_review) == for_review


def test_change_to_an_address_nobody_mapped_is_a_payment_to_a_stranger(bitcoin_pool: Pool) -> None:
    pool, world, desk = bitcoin_pool, bitcoin_pool.world, bitcoin_pool.desk
    to, sibling = world.stranger(), world.custody.new_address()
    desk.approve("A-1", pool.addresses[1], to, 50_000_000)
    world.custody.pay(to, 50_000_000, coins=pool.coins_of(pool.addresses[1]), change_to=sibling, fee=1_000)
    world.mine()
    pool.book(2 * BITCOIN)
    swept = desk.sweep()
    assert kinds(swept) == {F.UNAUTHORIZED_TRANSFER: 1}
    (case,) = swept.cases
    assert case.finding.base_units == -(2 * BITCOIN - 50_001_000)
    assert sibling in case.finding.text
    assert [which for which, _, _ in pool.outcomes()] == [M.MATCHED, M.UNAUTHORIZED]


def test_what_is_burnt_is_a_payment_and_stands_in_the_bundle(bitcoin_pool: Pool, tmp_path: Path) -> None:
    """Its receiver has no address; a note that carries nothing is no payment."""
    pool, world, desk = bitcoin_pool, bitcoin_pool.world, bitcoin_pool.desk
    assert address_of_script(world.network, BURN) is None
    to = world.stranger()
    desk.approve("A-1", pool.addresses[0], to, 10_000_000)
    note = TxOutput(0, b"\x6a\x04note")
    world.custody.pay(to, 10_000_000, coins=pool.coins_of(pool.addresses[0]), extra_outputs=[note], fee=1_000)
    world.mine()
    pool.book(10_001_000)
    assert_in_order(desk.sweep())
    assert bundle_verifies(pool, tmp_path)

    burnt = TxOutput(7_000, BURN)
    world.custody.send(
        world.custody.build({}, coins=pool.coins_of(pool.addresses[1]), extra_outputs=[burnt], fee=1_000)
    )
    world.mine()
    pool.book(8_000)
    swept = desk.sweep()
    assert kinds(swept) == {F.UNAUTHORIZED_TRANSFER: 1}
    match = _newest(desk.store.matches(desk.chain_id))
    assert str(match.transfer.receiver).startswith("script-")
    assert match.transfer.base_units == 7_000
    later = tmp_path / "later"
    later.mkdir()
    assert bundle_verifies(pool, later)


def _newest(matches: list[TransferMatch]) -> TransferMatch:
    return max(matches, key=lambda match: match.transfer.block.height)
