"""Three moments and their limits, and how far an act got: only a later review sees possession."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from exports.possession.sources import SourceKind
from exports.reserve.errors import CalendarUnknown
from tests.verifier.possession.make import A
from verifier.possession.clocks import act_by, determine_by, possession_by, settlement_calendar
from verifier.possession.cures import CureAct, CureKind, CureState, ProofKind, Receipt, Seen, progress

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


def seen(number: int, *, days: int, control: int, deficit: int, hours: int | None = None) -> Seen:
    at = NOON + timedelta(hours=days * 24 if hours is None else hours)
    return Seen(f"PR-{number}", FRIDAY + timedelta(days=days), at, control, deficit)


BEFORE = seen(1, days=0, control=300, deficit=200)


@pytest.mark.parametrize(
    ("later", "state", "in_review"),
    [
        ([], CureState.INSTRUCTED, ""),
        ([seen(2, days=3, control=399, deficit=101)], CureState.INSTRUCTED, ""),
        ([seen(2, days=3, control=400, deficit=100)], CureState.SEEN, "PR-2"),
        ([seen(2, days=3, control=200, deficit=0)], CureState.SEEN, "PR-2"),  # less is required now
        (
            [seen(3, days=4, control=400, deficit=100), seen(2, days=3, control=400, deficit=100)],
            CureState.SEEN,
            "PR-2",
        ),
        ([seen(2, days=0, control=500, deficit=0, hours=1)], CureState.INSTRUCTED, ""),  # the same day, corrected
        ([seen(2, days=3, control=500, deficit=0, hours=0)], CureState.INSTRUCTED, ""),  # made before the act
    ],
)
def test_only_a_review_of_a_later_day_sees_possession(later: list[Seen], state: CureState, in_review: str) -> None:
    found = progress(ACT, MONDAY, [BEFORE, *later], DAYS)
    assert (found.state, found.seen_in, found.possession_by) == (state, in_review, date(2026, 10, 12))
    proven = progress(replace(ACT, receipts=(RECEIPT,)), MONDAY, [BEFORE, *later], DAYS)
    assert proven.state is (CureState.POSSESSED if in_review else CureState.RECEIVED)


def test_an_act_that_nobody_approved_has_no_clock() -> None:
    for act, state in (
        (replace(ACT, checker="", approved=False), CureState.PROPOSED),
        (replace(ACT, approved=False), CureState.REFUSED),
    ):
        found = progress(act, MONDAY, [BEFORE, seen(2, days=3, control=500, deficit=0)], DAYS)
        assert (found.state, found.possession_by, found.overdue(date(2027, 1, 1))) == (state, None, False)


def test_possession_is_overdue_after_its_last_day() -> None:
    found = progress(ACT, MONDAY, [BEFORE], DAYS)
    assert [found.overdue(date(2026, 10, day)) for day in (12, 13)] == [False, True]
    seen_then = progress(ACT, MONDAY, [BEFORE, seen(2, days=3, control=400, deficit=100)], DAYS)
    assert not seen_then.overdue(date(2026, 10, 13))
    promptly = progress(replace(ACT, kind=CureKind.BUY_IN), MONDAY, [BEFORE], DAYS)
    assert (promptly.possession_by, promptly.overdue(date(2027, 1, 1))) == (None, False)
