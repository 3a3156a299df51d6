"""One position, three figures: the sub-ledger's, the chain's, the custodian's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import InvalidValue
from chains.types import AnchorEvidence, LocationId, StateEvidence
from mapping.book import AllocationKey
from mapping.types import AccountClass
from tests.verifier.rules.make import (
    DAI,
    ETH,
    MOMENT,
    NOON,
    SKEW,
    USDC,
    A,
    B,
    C,
    block,
    claim,
    claims,
    compare,
    holding,
    observed,
    place,
    read,
    statement,
)
from verifier.records import Status, worst
from verifier.rules.claims import Claim, Holder, claims_by_place
from verifier.rules.evidence import weakest_evidence
from verifier.rules.reconcile import gas_float_observed, reconcile, reconcile_all, tally, why_unverified
from verifier.rules.statements import seconds_apart, unplaced_statements

UNITS = st.integers(min_value=0, max_value=2**255)
SIGNED = st.integers(min_value=-(2**200), max_value=2**200)


@pytest.mark.parametrize(
    ("balance", "claimed", "difference", "status"),
    [
        (100, claim(60, 40), 0, Status.MATCHED),
        (99, claim(60, 40), -1, Status.DIVERGED),
        (101, claim(60, 40), 1, Status.DIVERGED),
        (0, None, 0, Status.MATCHED),
        (1, None, 1, Status.DIVERGED),
        (0, claim(1), -1, Status.DIVERGED),
        (2**256 - 1, claim(2**256 - 1), 0, Status.MATCHED),
        (2**256 - 1, claim(2**256 - 2), 1, Status.DIVERGED),
        (105, claim(100, firm=5), 0, Status.MATCHED),  # the firm's own is in the sum; that it is there is a finding
        (0, claim(-5), 5, Status.DIVERGED),  # a claim below zero keeps the sign rule
    ],
)
def test_difference_is_observed_minus_claimed(balance: int, claimed: Claim, difference: int, status: Status) -> None:
    result = compare(balance, claimed)
    assert (result.difference, result.status) == (difference, status)
    assert result.reason == ""


@pytest.mark.fault("D1")
@given(balance=UNITS, figures=st.lists(SIGNED, min_size=1, max_size=5))
def test_the_sign_never_flips(balance: int, figures: list[int]) -> None:
    result = compare(balance, claim(*figures))
    assert result.difference == balance - sum(figures)
    assert (result.status is Status.MATCHED) == (balance == sum(figures) and min(figures) >= 0)


@pytest.mark.fault("D2")
@given(claimed=UNITS, error=st.integers(min_value=1, max_value=2**200))
def test_two_errors_that_net_to_zero_both_appear(claimed: int, error: int) -> None:
    figures = claimed + error
    plan = [holding(A), holding(B)]
    reads = observed(read(A, USDC, figures - error), read(B, USDC, figures + error))
    books = {(place(at), USDC.asset_id): claim(figures) for at in (A, B)}
    short, over = reconcile_all(plan, reads, claims(books), [], MOMENT)
    assert (short.difference, over.difference) == (-error, error)
    assert worst([short.status, over.status]) is Status.DIVERGED
    assert tally([short, over]) == {Status.MATCHED: 0, Status.DIVERGED: 2, Status.UNVERIFIED: 0}


def test_two_right_wallets_both_match() -> None:
    reads = observed(read(A, USDC, 5), read(B, USDC, 7))
    books = {(place(A), USDC.asset_id): claim(5), (place(B), USDC.asset_id): claim(7)}
    assert tally(reconcile_all([holding(A), holding(B)], reads, claims(books), [], MOMENT))[Status.MATCHED] == 2


@pytest.mark.fault("D3")
@given(owed=st.integers(min_value=1, max_value=2**200), held=UNITS)
def test_a_client_below_zero_never_hides_behind_another(owed: int, held: int) -> None:
    hiding = compare(held, claim(held + owed, -owed))
    assert (hiding.difference, hiding.status) == (0, Status.DIVERGED)
    assert compare(held, claim(held, 0)).status is Status.MATCHED


@pytest.mark.parametrize(
    ("balance", "figures", "recorded", "explained", "difference", "status"),
    [
        (110, 100, 10, 10, 0, Status.MATCHED),
        (103, 100, 10, 3, 0, Status.MATCHED),  # fees used most of the float up
        (100, 100, 10, 0, 0, Status.MATCHED),  # all of it
        (111, 100, 10, 10, 1, Status.DIVERGED),  # never more than recorded
        (99, 100, 10, 0, -1, Status.DIVERGED),  # never a client's gap
        (0, 0, 10, 0, 0, Status.MATCHED),
        (10, 0, 10, 10, 0, Status.MATCHED),
        (0, 100, 1_000, 0, -100, Status.DIVERGED),
    ],
)
def test_a_gas_float_is_used_up_and_never_fills_a_gap(
    balance: int, figures: int, recorded: int, explained: int, difference: int, status: Status
) -> None:
    result = compare(balance, claim(figures, gas_float=recorded), asset=ETH)
    assert result.gas_float_recorded == recorded
    assert (result.gas_float_observed, result.difference, result.status) == (explained, difference, status)


@given(balance=UNITS, figures=SIGNED, recorded=SIGNED)
def test_the_float_explains_between_nothing_and_what_is_recorded(balance: int, figures: int, recorded: int) -> None:
    used = gas_float_observed(balance, figures, recorded)
    assert 0 <= used <= max(recorded, 0)
    assert used == 0 or balance - figures - used >= 0
    assert balance >= figures or used == 0


def test_a_float_of_a_token_is_no_float() -> None:
    result = compare(100, claim(100, gas_float=10), asset=USDC)
    assert (result.claimed, result.gas_float_recorded, result.difference) == (110, 0, -10)


def test_a_failed_read_is_unverified_and_never_zero() -> None:
    result = compare(None, claim(0))
    assert (result.observed, result.difference, result.status) == (None, None, Status.UNVERIFIED)
    assert result.reason.startswith(f"read-failed: wallet {A}: state-unavailable")
    assert compare(0, claim(0)).status is Status.MATCHED


@pytest.mark.parametrize(
    ("balances", "reason"),
    [
        ({A: 40, B: None, C: 20}, f"read-failed: wallet {B}: "),
        ({A: 40, B: 40}, f"not-read: wallet {C} was not read"),
    ],
)
def test_a_pool_is_unverified_when_one_wallet_is(balances: dict[object, int | None], reason: str) -> None:
    reads = observed(*(read(at, USDC, units) for at, units in balances.items()))  # type: ignore[arg-type]
    result = reconcile(holding(A, B, C, pool="P"), reads, claim(100), [], MOMENT)
    assert (result.observed, result.status) == (None, Status.UNVERIFIED)
    assert result.reason.startswith(reason)
    assert "1 of 3 wallets failed" in result.reason


def test_a_pool_is_the_sum_of_its_wallets_each_once() -> None:
    reads = observed(read(A, USDC, 40), read(B, USDC, 40), read(C, USDC, 20))
    result = reconcile(holding(A, B, C, A, pool="P"), reads, claim(70, 30), [], MOMENT)
    assert (result.location_id, result.observed, result.status) == (LocationId("pool:P"), 100, Status.MATCHED)


def test_a_read_at_another_block_is_not_used() -> None:
    other = read(A, USDC, 100, pin=block(100, fork=1))
    result = reconcile(holding(A), observed(other), claim(100), [], MOMENT)
    assert (result.status, result.reason.partition(":")[0]) == (Status.UNVERIFIED, "other-block")


@pytest.mark.fault("B12")
def test_a_claim_without_a_wallet_is_unverified() -> None:
    nowhere = holding(A)._replace(addresses=())
    result = reconcile(nowhere, {}, claim(100), [], MOMENT)
    assert (result.status, result.reason.partition(":")[0]) == (Status.UNVERIFIED, "no-wallet")
    assert (result.state, result.anchor) == (StateEvidence.STATED, AnchorEvidence.SINGLE)


@pytest.mark.fault("B19")
@pytest.mark.parametrize(
    ("seconds", "status"),
    [
        (0, Status.MATCHED),
        (SKEW, Status.MATCHED),
        (-SKEW, Status.MATCHED),
        (SKEW + 1, Status.UNVERIFIED),
        (-SKEW - 1, Status.UNVERIFIED),
    ],
)
def test_books_of_another_moment_are_not_compared(seconds: int, status: Status) -> None:
    result = compare(100, claim(100, as_of=NOON + timedelta(seconds=seconds)))
    assert result.status is status
    assert result.reason.startswith("as-of-skew") == (status is Status.UNVERIFIED)


@pytest.mark.fault("B19")
@given(seconds=st.integers(min_value=-10 * SKEW, max_value=10 * SKEW), balance=st.sampled_from([99, 100]))
def test_matched_means_equal_and_of_one_moment(seconds: int, balance: int) -> None:
    """I2: matched needs a difference of zero and two moments within the limit."""
    result = compare(balance, claim(100, as_of=NOON + timedelta(seconds=seconds)))
    assert (result.status is Status.MATCHED) == (balance == 100 and abs(seconds) <= SKEW)
    if abs(seconds) > SKEW:
        assert result.status is Status.UNVERIFIED


def test_a_fraction_of_a_second_beyond_the_limit_is_beyond_it() -> None:
    assert seconds_apart(NOON, NOON + timedelta(seconds=SKEW, microseconds=1)) == SKEW + 1
    assert seconds_apart(NOON + timedelta(days=2), NOON) == 2 * 86_400


LATE = NOON + timedelta(seconds=SKEW + 1)


@pytest.mark.parametrize(
    ("balance", "stated", "check", "status", "code"),
    [
        (100, [statement(100)], Status.MATCHED, Status.MATCHED, ""),
        (100, [statement(99)], Status.DIVERGED, Status.DIVERGED, "statement-differs"),
        (100, [statement(101)], Status.DIVERGED, Status.DIVERGED, "statement-differs"),
        (99, [statement(99)], Status.MATCHED, Status.DIVERGED, ""),
        (99, [statement(100)], Status.DIVERGED, Status.DIVERGED, "statement-differs"),
        (100, [statement(100, as_of=NOON + timedelta(seconds=SKEW))], Status.MATCHED, Status.MATCHED, ""),
        (100, [statement(100, as_of=LATE)], Status.UNVERIFIED, Status.UNVERIFIED, "statement-as-of-skew"),
        (100, [statement(99, as_of=LATE)], Status.UNVERIFIED, Status.UNVERIFIED, "statement-as-of-skew"),
        (99, [statement(99, as_of=LATE)], Status.UNVERIFIED, Status.DIVERGED, "statement-as-of-skew"),
        (None, [statement(100)], Status.UNVERIFIED, Status.UNVERIFIED, "statement-not-compared"),
        # the nearest statement counts; of two equally near that contradict each other, the one that differs
        (100, [statement(99, as_of=NOON - timedelta(hours=9)), statement(100)], Status.MATCHED, Status.MATCHED, ""),
        (100, [statement(100), statement(99, number="S2")], Status.DIVERGED, Status.DIVERGED, "statement-differs"),
        # two parties state it: both are compared
        (100, [statement(100), statement(98, by="Beta")], Status.DIVERGED, Status.DIVERGED, "statement-differs"),
    ],
)
@pytest.mark.fault("B19")
def test_the_custodians_statement_is_the_third_figure(
    balance: int | None, stated: list[object], check: Status, status: Status, code: str
) -> None:
    result = compare(balance, claim(100), statements=stated)  # type: ignore[arg-type]
    assert result.statement is not None
    assert (result.statement.status, result.status) == (check, status)
    assert result.statement.reason.partition(":")[0] == code


def test_no_statement_is_no_statement() -> None:
    elsewhere = statement(5, at=place(B))
    assert compare(100, claim(100)).statement is None
    assert compare(100, claim(100), statements=[elsewhere]).statement is None


def _pool(*stated: object) -> tuple[Status, Status, int, str]:
    reads = observed(read(A, USDC, 60), read(B, USDC, 40))
    plan = [holding(A, B, pool="P")]
    books = {(LocationId("pool:P"), USDC.asset_id): claim(100)}
    (result,) = reconcile_all(plan, reads, claims(books), stated, MOMENT)  # type: ignore[arg-type]
    assert result.statement is not None
    return result.status, result.statement.status, result.statement.base_units, result.statement.reason


def test_a_pool_is_compared_with_the_statements_of_its_wallets() -> None:
    right = _pool(statement(60), statement(40, at=place(B)))
    assert right == (Status.MATCHED, Status.MATCHED, 100, "")
    status, check, total, reason = _pool(statement(61), statement(39, at=place(B)))
    assert (status, check, total) == (Status.DIVERGED, Status.DIVERGED, 100)
    assert place(A) in reason
    assert place(B) in reason


def test_a_pool_stated_in_part_is_unverified() -> None:
    status, check, _, reason = _pool(statement(60))
    assert (status, check) == (Status.UNVERIFIED, Status.UNVERIFIED)
    assert reason == f"statement-incomplete: nothing is stated for 1 of 2 wallets, first {place(B)}"
    assert _pool(statement(100, at=LocationId("pool:P")))[:3] == (Status.MATCHED, Status.MATCHED, 100)


def test_a_statement_about_an_unknown_place_does_not_fall_through() -> None:
    compared = {(place(A), USDC.asset_id)}
    assets = {USDC.asset_id: USDC}
    stray, known, empty = statement(5, at=place(B)), statement(5), statement(0, at=place(C))
    other_chain = statement(5, at=place(B), asset=DAI)
    assert unplaced_statements([stray, known, empty, other_chain], compared, assets) == [stray]


@given(
    st.lists(
        st.tuples(st.one_of(st.none(), st.integers(0, 3)), st.one_of(st.none(), st.integers(-3, 3)), st.booleans()),
        max_size=30,
    )
)
def test_every_holding_has_exactly_one_status(rows: list[tuple[int | None, int | None, bool]]) -> None:
    """I1: matched + diverged + unverified = expected, in the order of the plan."""
    plan = [holding(A, asset=replace(USDC, asset_id=f"{USDC.asset_id}{n:02}")) for n in range(len(rows))]  # type: ignore[arg-type]
    reads = observed(
        *(read(A, h.asset, balance) for h, (balance, _, was_read) in zip(plan, rows, strict=True) if was_read)
    )
    books = {
        (h.location_id, h.asset.asset_id): claim(figure)
        for h, (_, figure, _) in zip(plan, rows, strict=True)
        if figure is not None
    }
    results = reconcile_all(plan, reads, claims(books), [], MOMENT)
    assert [(r.location_id, r.asset) for r in results] == [(h.location_id, h.asset) for h in plan]
    assert sum(tally(results).values()) == len(plan)
    for result, (balance, figure, was_read) in zip(results, rows, strict=True):
        read_well = was_read and balance is not None
        assert (result.status is Status.UNVERIFIED) == (not read_well)
        assert (result.status is Status.MATCHED) == (read_well and balance == (figure or 0) and (figure or 0) >= 0)
        assert bool(why_unverified(result)) == (result.status is Status.UNVERIFIED)


def test_one_place_and_asset_twice_in_the_plan_is_refused() -> None:
    with pytest.raises(InvalidValue, match="twice"):
        reconcile_all([holding(A), holding(A)], {}, claims({}), [], MOMENT)


def test_claims_are_gathered_by_place() -> None:
    def key(client: str, at: object, asset: object = USDC.asset_id, gas: bool = False) -> AllocationKey:
        account_class = AccountClass.PROPRIETARY if gas else AccountClass.CUSTOMER
        return AllocationKey(client, account_class, at, asset, gas)  # type: ignore[arg-type]

    eth = ETH.asset_id
    figures = {key("c2", place(A)): 2, key("c1", place(A)): 1, key("c1", place(B)): 4, key("f", place(A), eth, True): 7}
    claims = claims_by_place(figures, NOON)
    assert claims[place(A), USDC.asset_id].holders == (
        Holder("c1", AccountClass.CUSTOMER, 1),
        Holder("c2", AccountClass.CUSTOMER, 2),
    )
    assert claims[place(B), USDC.asset_id].claimed(USDC) == 4
    assert (claims[place(A), eth].claimed(ETH), claims[place(A), eth].gas_float(ETH)) == (0, 7)
    assert len(claims) == 3


def test_evidence_is_as_strong_as_its_weakest_part() -> None:
    strong = replace(read(A, USDC, 1), state=StateEvidence.PROVEN, anchor=AnchorEvidence.AGREED)
    assert weakest_evidence([strong, strong]) == (StateEvidence.PROVEN, AnchorEvidence.AGREED)
    assert weakest_evidence([strong, read(B, USDC, 1)]) == (StateEvidence.READ, AnchorEvidence.SINGLE)
