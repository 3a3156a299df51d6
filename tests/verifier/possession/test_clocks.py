"""Three moments and their limits, and how far an act got: only a later review sees possession."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from exports.possession.sources import SourceKind
from exports.reserve.errors import CalendarUnknown
from tests.verifier.possession.make import A
from verifier.possession.clocks import act_by, determine_by, possession_by, settlement_calendar
from verifier.possession.cures import (
    CureAct,
    CureKind,
    CureState,
    DatedAct,
    Determined,
    Due,
    Progress,
    ProofKind,
    Receipt,
    Seen,
    Uninstructed,
    all_progress,
    uninstructed,
)

DAYS = settlement_calendar()
FRIDAY, MONDAY = date(2026, 10, 2), date(2026, 10, 5)
NOON = datetime(2026, 10, 5, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        (date(2026, 10, 12), True),  # Columbus Day: banks are shut, the exchange is open
        (date(2026, 4, 3), True),  # Good Friday: the other way round
        (date(2026, 11, 26), False),  # Thanksgiving
        (date(2026, 10, 3), False),
    ],
)
def test_a_day_counts_when_banks_or_the_exchange_are_open(day: date, is_open: bool) -> None:
    assert DAYS.is_business_day(day) is is_open


def test_a_year_that_is_not_known_is_an_error() -> None:
    with pytest.raises(CalendarUnknown):
        act_by(date(2030, 12, 31), DAYS)


def test_determination_and_instruction_are_due_on_the_next_business_day() -> None:
    assert determine_by(FRIDAY, DAYS) == MONDAY
    assert act_by(MONDAY, DAYS) == date(2026, 10, 6)
    assert act_by(FRIDAY, DAYS) == MONDAY


@pytest.mark.parametrize(
    ("kind", "by"),
    [
        (SourceKind.BANK_LOAN, date(2026, 10, 7)),
        (SourceKind.STOCK_LOAN, date(2026, 10, 12)),
        (SourceKind.FAIL_TO_RECEIVE, None),
        (SourceKind.DIVIDEND_RECEIVABLE, None),
        (SourceKind.SHORT_POSITION, None),
    ],
)
def test_possession_runs_from_the_instruction(kind: SourceKind, by: date | None) -> None:
    assert possession_by(kind, MONDAY, DAYS) == by
    if by is not None:  # a day later instructed is a day later due, whenever it was determined
        later = possession_by(kind, MONDAY + timedelta(days=1), DAYS)
        assert later == DAYS.add_business_days(by, 1)


ACT = CureAct(
    "CA-1", "PR-1", A, CureKind.RECALL, 100, "L-1", NOON, "", "maker", NOON, "checker", True, ()
)  # fmt: skip
RECEIPT = Receipt(ProofKind.STATEMENT, "ST-1", "ab" * 32, MONDAY, "maker", NOON)


def seen(number: int, *, days: int, control: int, gap: int, hours: int | None = None) -> Seen:
    at = NOON + timedelta(hours=days * 24 if hours is None else hours)
    return Seen(f"PR-{number}", FRIDAY + timedelta(days=days), at, control, gap)


BEFORE = seen(1, days=0, control=300, gap=200)


def progress(act: CureAct, *reviews: Seen) -> Progress:
    """One act alone, by the reviews that stand."""
    (found,) = all_progress([DatedAct(act, FRIDAY, MONDAY)], reviews, DAYS)
    return found


@pytest.mark.parametrize(
    ("later", "state", "in_review"),
    [
        ([], CureState.INSTRUCTED, ""),
        ([seen(2, days=3, control=399, gap=101)], CureState.INSTRUCTED, ""),
        ([seen(2, days=3, control=400, gap=100)], CureState.SEEN, "PR-2"),
        ([seen(2, days=3, control=200, gap=0)], CureState.SEEN, "PR-2"),  # less is required now
        ([seen(3, days=4, control=400, gap=100), seen(2, days=3, control=400, gap=100)], CureState.SEEN, "PR-2"),
        ([seen(2, days=3, control=500, gap=0, hours=0)], CureState.INSTRUCTED, ""),  # made before the act
    ],
)
def test_only_a_review_of_a_later_day_sees_possession(later: list[Seen], state: CureState, in_review: str) -> None:
    found = progress(ACT, BEFORE, *later)
    assert (found.state, found.seen_in, found.possession_by) == (state, in_review, date(2026, 10, 12))
    proven = progress(replace(ACT, receipts=(RECEIPT,)), BEFORE, *later)
    assert proven.state is (CureState.POSSESSED if in_review else CureState.RECEIVED)


def test_the_same_day_corrected_is_what_a_later_day_is_held_against() -> None:
    corrected = seen(2, days=0, control=450, gap=50, hours=1)
    assert progress(ACT, corrected).state is CureState.INSTRUCTED
    assert progress(ACT, corrected, seen(3, days=3, control=450, gap=50)).state is CureState.INSTRUCTED
    assert progress(ACT, corrected, seen(3, days=3, control=550, gap=1)).state is CureState.SEEN


def test_what_arrived_for_one_act_is_not_counted_for_another() -> None:
    second = replace(ACT, act_id="CA-2", line_id="L-2", instructed_at=NOON + timedelta(hours=1))
    both = [DatedAct(second, FRIDAY, MONDAY), DatedAct(ACT, FRIDAY, MONDAY)]

    def states(*reviews: Seen) -> list[CureState]:
        return [each.state for each in all_progress(both, reviews, DAYS)]

    one = seen(2, days=3, control=400, gap=100)
    assert states(BEFORE, one) == [CureState.INSTRUCTED, CureState.SEEN]  # the one instructed first has it
    assert states(BEFORE, one, seen(3, days=4, control=499, gap=1)) == [CureState.INSTRUCTED, CureState.SEEN]
    assert states(BEFORE, one, seen(3, days=4, control=500, gap=1)) == [CureState.SEEN, CureState.SEEN]
    # an act on what was still short after the first arrived starts from there
    later = [DatedAct(ACT, FRIDAY, MONDAY), DatedAct(second, one.as_of, MONDAY + timedelta(days=1))]
    found = all_progress(later, [BEFORE, one, seen(3, days=4, control=500, gap=1)], DAYS)
    assert [each.seen_in for each in found] == ["PR-2", "PR-3"]


def test_an_act_that_nobody_approved_has_no_clock() -> None:
    for act, state in (
        (replace(ACT, checker="", approved=False), CureState.PROPOSED),
        (replace(ACT, approved=False), CureState.REFUSED),
    ):
        found = progress(act, BEFORE, seen(2, days=3, control=500, gap=0))
        assert (found.state, found.possession_by, found.overdue(date(2027, 1, 1))) == (state, None, False)


def test_possession_is_overdue_after_its_last_day() -> None:
    found = progress(ACT, BEFORE)
    assert [found.overdue(date(2026, 10, day)) for day in (12, 13)] == [False, True]
    seen_then = progress(ACT, BEFORE, seen(2, days=3, control=400, gap=100))
    assert not seen_then.overdue(date(2026, 10, 13))
    promptly = progress(replace(ACT, kind=CureKind.BUY_IN), BEFORE)
    assert (promptly.possession_by, promptly.overdue(date(2027, 1, 1))) == (None, False)


def day(number: int, due: int) -> Determined:
    """What was determined as of a day of October 2026, to be got from loans; instructions are due two days later."""
    return Determined(date(2026, 10, number), date(2026, 10, number + 2), Due(due, due, 0))


@pytest.mark.parametrize(
    ("days", "on", "units", "by"),
    [
        ([day(5, 200)], 7, 200, 7),
        ([day(6, 200), day(5, 200)], 8, 200, 7),  # a review each day does not move the clock
        ([day(7, 200), day(6, 150), day(5, 150)], 8, 150, 7),  # what was due by then comes first
        ([day(7, 200), day(6, 200), day(5, 40)], 7, 40, 7),
        ([day(6, 200), day(5, 0)], 8, 200, 8),  # what became due later has its own clock
    ],
)
def test_the_clock_of_an_instruction_runs_from_the_first_determination(
    days: list[Determined], on: int, units: int, by: int
) -> None:
    assert uninstructed(days, [], date(2026, 10, on)) == Uninstructed(units, date(2026, 10, by))


def test_only_approved_acts_on_what_is_still_due_count_as_instructions() -> None:
    on = date(2026, 10, 8)
    days = [day(6, 200), day(5, 200)]

    def left(act: CureAct, as_of: int, seen_in: str) -> int:
        dated = DatedAct(act, date(2026, 10, as_of), MONDAY)
        found = uninstructed(days, [(dated, Progress(act, CureState.INSTRUCTED, None, seen_in))], on)
        return found.base_units if found is not None else 0

    assert left(replace(ACT, checker="", approved=False), 5, "") == 200
    assert left(ACT, 5, "") == 100
    assert left(ACT, 2, "") == 100  # under way since before
    assert left(ACT, 2, "PR-2") == 200  # it arrived before, so it is no step on what is short now
    assert left(replace(ACT, base_units=200), 5, "") == 0
    assert uninstructed([], [], on) is None


@pytest.mark.parametrize(
    ("kinds", "left"),
    [
        ([], 80),
        ([CureKind.RECALL], 30),
        ([CureKind.BUY_IN], 50),
        ([CureKind.RECALL, CureKind.NSCC_RECEIPT], 0),
        ([CureKind.RECALL, CureKind.RECALL], 30),  # more recalls are no step on a fail
        ([CureKind.CUSTODIAN_TRANSFER], 80),  # 150 would still be short
        ([CureKind.CUSTODIAN_TRANSFER] * 3, 50),
        ([CureKind.MARKET_PURCHASE] * 4, 0),  # nothing would be short
    ],
)
def test_an_act_counts_for_what_its_kind_can_do(kinds: list[CureKind], left: int) -> None:
    assert Due(200, 50, 30).without([replace(ACT, kind=kind, base_units=50) for kind in kinds]) == left
