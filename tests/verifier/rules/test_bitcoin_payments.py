"""Payments out of real transactions, as the Bitcoin reader tells them, held against approvals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from chains.bitcoin.transaction import Output
from chains.types import Transfer
from mapping.types import Purpose, TransferAuthorization
from tests.chains.bitcoin.model import mine, pay
from tests.chains.bitcoin.test_movements import COIN, A, B, X, Y, address, funded, told
from tests.verifier.rules.make import approval
from verifier.records import MatchOutcome, TransferMatch
from verifier.rules.payments import match_payments, match_pieces

M = MatchOutcome
SETS = {address(A): "pool:main", address(B): "pool:main"}
APART = {address(A): "pool:main", address(B): "pool:side"}


def transaction(coins: Sequence[Output], outputs: Sequence[Output]) -> list[Transfer]:
    """One block with one transaction of custody."""
    block, names = funded(*coins)
    return told(mine(block, [pay(names, outputs)]), [A, B])


def allow(
    transfers: Sequence[Transfer],
    base_units: int,
    *,
    name: str = "auth-1",
    wallet: bytes = A,
    to: bytes = X,
    fee_max: int | None = None,
    purpose: Purpose = Purpose.CLIENT_WITHDRAWAL,
) -> TransferAuthorization:
    """Valid around the block of the transfers."""
    at = transfers[0].block.timestamp
    return approval(
        base_units,
        name=name,
        chain_id=transfers[0].block.chain_id,
        from_wallet=address(wallet),
        asset=COIN,
        to=address(to),
        fee_max=fee_max,
        valid_from=at - timedelta(hours=1),
        valid_until=at + timedelta(hours=1),
        approved_at=at - timedelta(hours=2),
        purpose=purpose,
    )


def outcomes(matches: Sequence[TransferMatch]) -> list[tuple[MatchOutcome, int]]:
    return [(each.outcome, each.transfer.base_units) for each in matches]


@pytest.mark.fault("A46")
@pytest.mark.parametrize(("limit", "outcome"), [(1_500, M.MATCHED), (1_499, M.OVER_AMOUNT)])
@pytest.mark.parametrize("wallet", [A, B])
def test_two_inputs_pay_one_with_change_to_the_other_address(wallet: bytes, limit: int, outcome: MatchOutcome) -> None:
    transfers = transaction([Output(1_000, A), Output(1_000, B)], [Output(1_500, X), Output(400, B)])
    found = match_payments(transfers, [allow(transfers, limit, wallet=wallet)], SETS, [], {})
    assert outcomes(found) == [(outcome, 1_500)]
    pieces = match_pieces(found, transfers, SETS)
    assert sum(use.base_units for each in pieces for use in each.uses) == (1_500 if outcome is M.MATCHED else 0)


@pytest.mark.parametrize(("fee_max", "outcome"), [(100, M.MATCHED), (99, M.FEE_OVER_LIMIT)])
def test_a_batch_and_its_one_fee(fee_max: int, outcome: MatchOutcome) -> None:
    outputs = [Output(700, X), Output(900, Y), Output(300, A)]
    transfers = transaction([Output(1_000, A), Output(1_000, B)], outputs)
    approvals = [
        allow(transfers, 700, name="a", fee_max=fee_max),
        allow(transfers, 900, name="b", to=Y, wallet=B, fee_max=0),
    ]
    assert sorted(outcomes(match_payments(transfers, approvals, SETS, [], {}))) == [(outcome, 700), (outcome, 900)]
    (paid, alone) = match_payments(transfers, approvals[:1], SETS, [], {})
    assert {paid.outcome, alone.outcome} == {outcome, M.UNAUTHORIZED}


@pytest.mark.parametrize(
    ("purpose", "outcome"), [(Purpose.INTERNAL_REBALANCING, M.MATCHED), (Purpose.CLIENT_WITHDRAWAL, M.UNAUTHORIZED)]
)
def test_what_is_change_within_a_pool_is_a_rebalancing_between_two(purpose: Purpose, outcome: MatchOutcome) -> None:
    transfers = transaction([Output(1_000, A)], [Output(600, X), Output(390, B)])
    approvals = [allow(transfers, 600), allow(transfers, 390, name="auth-2", to=B, purpose=purpose)]
    assert outcomes(match_payments(transfers, approvals, SETS, [], {})) == [(M.MATCHED, 600)]
    assert outcomes(match_payments(transfers, approvals, APART, [], {})) == [(M.MATCHED, 600), (outcome, 390)]
