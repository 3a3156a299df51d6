"""One transfer that executes several approvals, several transfers that execute one, and what is taken from each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import InvalidValue
from chains.types import Transfer
from mapping.types import Purpose, TransferAuthorization
from tests.verifier.rules.make import FIRM, NOON, OUTSIDE, A, B, C, approval, fee, firm_address, moved
from verifier.records import ApprovalUse, MatchOutcome, TransferMatch
from verifier.rules.authorize import APPROVALS_MAX, amounts_used, match_transfers, review_late_approvals

M = MatchOutcome
HOUR = timedelta(hours=1)
SOON, LATER = NOON + HOUR / 2, NOON + 2 * HOUR


def match(transfers: Sequence[Transfer], authorizations: Sequence[TransferAuthorization]) -> list[TransferMatch]:
    """In both orders of the approvals: the order of the input must not matter."""
    found = match_transfers(transfers, authorizations, frozenset({A, B}), [firm_address()], {})
    assert match_transfers(transfers, authorizations[::-1], frozenset({A, B}), [firm_address()], {}) == found
    return found


def taken(found: TransferMatch) -> dict[str, int]:
    return {use.authorization_id: use.base_units for use in found.uses}


@pytest.mark.fault("A46")
@pytest.mark.parametrize(
    ("amount", "authorizations", "uses"),
    [
        (100, [approval(60, name="a"), approval(40, name="b")], {"a": 60, "b": 40}),
        (90, [approval(60, name="a"), approval(40, name="b")], {"a": 60, "b": 30}),  # the last one in part
        (101, [approval(60, name="a"), approval(40, name="b")], {}),
        (100, [approval(60, name="a", valid_until=LATER), approval(50, name="b")], {"b": 50, "a": 50}),  # ends first
        (100, [approval(99, name="a"), approval(1, name="b"), approval(100, name="c")], {"c": 100}),  # exact alone
        (100, [approval(60, name="a"), approval(60, name="b"), approval(500, name="c")], {"c": 100}),  # alone has room
        (100, [approval(30, name=name) for name in "abcd"], {"a": 30, "b": 30, "c": 30, "d": 10}),
        (60, [approval(30, name=name) for name in "abcd"], {"a": 30, "b": 30}),  # no more than needed
        (100, [approval(60, name="a"), approval(40, name="b", to=C)], {}),
        (100, [approval(60, name="a"), approval(40, name="b", from_wallet=B)], {}),
        (100, [approval(60, name="a"), approval(40, name="b", valid_until=NOON - HOUR / 2)], {}),
        (100, [approval(60, name="a"), approval(40, name="b", valid_from=NOON + HOUR / 2)], {}),
        (100, [approval(60, name="a"), approval(40, name="b", purpose=Purpose.INTERNAL_REBALANCING)], {}),
    ],
)
def test_approvals_that_suffice_only_together(
    amount: int, authorizations: list[TransferAuthorization], uses: dict[str, int]
) -> None:
    (only,) = match([moved(amount)], authorizations)
    assert taken(only) == uses
    assert list(taken(only)) == list(uses), "in the order in which they are taken"
    assert only.outcome is (M.MATCHED if uses else M.OVER_AMOUNT)
    assert amounts_used([only]) == uses
    if uses:
        assert only.authorization_id == next(iter(uses))
        assert all(name in only.reason for name in uses)


def test_what_several_leave_over_says_how_much_they_have_together() -> None:
    (only,) = match([moved(101)], [approval(60, name="a"), approval(40, name="b")])
    assert only.reason == "authorization a has 0.00006 USDC left, the first 2 in force 0.0001 USDC together"


def test_what_one_transfer_took_is_gone_for_the_next() -> None:
    authorizations = [approval(60, name="a"), approval(50, name="b")]
    first, second, third = match([moved(100), moved(10, height=101), moved(1, height=102)], authorizations)
    assert [taken(first), taken(second)] == [{"a": 60, "b": 40}, {"b": 10}]
    assert (third.outcome, third.uses) == (M.DUPLICATE, ())


def test_one_approval_in_parts_beside_one_transfer_of_several() -> None:
    authorizations = [approval(100, name="a"), approval(70, name="b", valid_until=LATER)]
    parts = [moved(30, height=100), moved(50, height=101), moved(90, height=102)]
    assert [taken(each) for each in match(parts, authorizations)] == [{"b": 30}, {"a": 50}, {"a": 50, "b": 40}]


def test_no_more_than_a_bound_are_taken_together() -> None:
    authorizations = [approval(1, name=f"{n:03}") for n in range(APPROVALS_MAX + 1)]
    assert len(taken(match([moved(APPROVALS_MAX)], authorizations)[0])) == APPROVALS_MAX
    assert match([moved(APPROVALS_MAX + 1)], authorizations)[0].outcome is M.OVER_AMOUNT


def test_the_text_of_many_names_some_and_counts_the_rest() -> None:
    (only,) = match([moved(7)], [approval(1, name=f"auth-{n}") for n in range(7)])
    assert "auth-4" in only.reason
    assert "auth-5" not in only.reason
    assert only.reason.endswith(" and 2 more")


@pytest.mark.parametrize(("paid", "outcome"), [(15, M.MATCHED), (16, M.FEE_OVER_LIMIT)])
def test_the_fee_is_held_against_the_limits_of_all_it_executes(paid: int, outcome: MatchOutcome) -> None:
    transfer = moved(100)
    authorizations = [approval(60, name="a", fee_max=10), approval(40, name="b", fee_max=5)]
    (only,) = match([transfer, fee(paid, transfer)], authorizations)
    assert (only.outcome, taken(only)) == (outcome, {"a": 60, "b": 40})


def test_to_the_firm_only_when_all_of_them_allow_it() -> None:
    earned = approval(60, name="a", to=FIRM, purpose=Purpose.EARNED_FEE)
    other = approval(40, name="b", to=FIRM)
    returned = approval(40, name="b", to=FIRM, purpose=Purpose.GAS_FLOAT_RETURN)
    (mixed,) = match([moved(100, receiver=FIRM)], [earned, other])
    assert (mixed.outcome, mixed.commingling, mixed.for_review) == (M.MATCHED, True, False)
    assert "do not allow a transfer to one of the firm's own addresses" in mixed.reason
    (allowed,) = match([moved(100, receiver=FIRM)], [earned, returned])
    assert (allowed.outcome, allowed.commingling, allowed.for_review) == (M.MATCHED, False, True)


def test_one_of_several_recorded_late_is_listed_for_review() -> None:
    found = match([moved(100)], [approval(60, name="a"), approval(40, name="b")])
    early, late = NOON - HOUR, NOON + HOUR
    assert review_late_approvals(found, {"a": early, "b": early}) == found
    (listed,) = review_late_approvals(found, {"a": early, "b": late})
    assert listed.for_review


def test_a_match_that_does_not_add_up_cannot_be_made() -> None:
    def made(outcome: MatchOutcome, *uses: ApprovalUse, name: str = "a") -> TransferMatch:
        return TransferMatch(moved(100), outcome, name, False, False, "", uses)

    whole = ApprovalUse("a", 100)
    assert made(M.MATCHED, whole).uses == made(M.FEE_OVER_LIMIT, whole).uses == (whole,)
    with pytest.raises(InvalidValue, match="not its amount"):
        made(M.MATCHED, ApprovalUse("a", 99))
    with pytest.raises(InvalidValue, match="executes no authorization"):
        made(M.OVER_AMOUNT, whole)
    with pytest.raises(InvalidValue, match="once"):
        made(M.MATCHED, ApprovalUse("a", 60), ApprovalUse("a", 40))
    with pytest.raises(InvalidValue, match="once"):
        made(M.MATCHED, whole, ApprovalUse("b", 0))
    with pytest.raises(InvalidValue, match="names the first"):
        made(M.MATCHED, whole, name="b")


@given(
    amounts=st.lists(st.integers(1, 40), max_size=12),
    limits=st.lists(st.tuples(st.integers(1, 20), st.integers(0, 3)), max_size=8),
)
def test_nothing_is_used_above_its_limit_and_what_could_be_covered_is(
    amounts: list[int], limits: list[tuple[int, int]]
) -> None:
    """All approvals are for one place and in force: a transfer is refused only when all that is left is too little."""
    authorizations = [
        approval(limit, name=f"auth-{n}", valid_until=LATER + end * HOUR) for n, (limit, end) in enumerate(limits)
    ]
    transfers = [moved(amount, receiver=OUTSIDE, height=100 + n) for n, amount in enumerate(amounts)]
    left = {each.authorization_id: each.base_units_max for each in authorizations}
    for each in match(transfers, authorizations):
        covered = sum(left.values()) >= each.transfer.base_units
        assert (each.outcome is M.MATCHED) == covered
        assert sum(taken(each).values()) == (each.transfer.base_units if covered else 0)
        for name, base_units in taken(each).items():
            left[name] -= base_units
            assert left[name] >= 0
        assert len([name for name in taken(each) if left[name]]) <= 1, "all but the last are used up"
