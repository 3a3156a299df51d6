"""The clocks of cases on the business calendar, and what of the rule each kind touches."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from exports.reserve.errors import CalendarUnknown
from verifier.possession.clocks import settlement_calendar
from verifier.records import FindingKind, Rail
from verifier.reserve.calendar import BankHours, bank_calendar
from verifier.rules.case_clocks import Business, clock_of
from verifier.rules.case_requirements import DEPOSIT, EVIDENCE, POSSESSION, expected_source, requirements_of

BUSINESS = Business(bank_calendar(), settlement_calendar(), BankHours(time(9), "America/New_York"), time(18))
MONDAY_NOON = datetime(2026, 3, 2, 17, tzinfo=UTC)
"""Noon in New York, in winter."""


def utc(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("opened", "ends"),
    [
        (MONDAY_NOON, utc(3, 2, 23)),
        (utc(3, 2, 22, 59), utc(3, 2, 23)),
        (utc(3, 2, 23), utc(3, 3, 23)),  # at the close: the next session's
        (utc(3, 6, 23, 30), utc(3, 9, 22)),  # Friday evening; daylight saving begins on Sunday
        (utc(3, 7, 15), utc(3, 9, 22)),  # Saturday
        (utc(12, 25, 15), utc(12, 28, 23)),  # Christmas, a Friday
        (utc(11, 11, 15), utc(11, 11, 23)),  # Veterans Day: banks are shut, the exchanges settle
    ],
)
def test_a_session_ends_at_the_close_of_its_business_day(opened: datetime, ends: datetime) -> None:
    clock = clock_of(FindingKind.SHORTFALL, opened, BUSINESS)
    assert (clock.session_ends, clock.cure_by, clock.look_by) == (ends, ends, ends)
    assert not clock.session_over(opened)
    assert clock.session_over(ends)


@pytest.mark.parametrize(
    ("opened", "by"),
    [
        (MONDAY_NOON, utc(3, 3, 15)),
        (utc(3, 6, 17), utc(3, 9, 14)),  # over the weekend, and into summer time
        (utc(11, 10, 17), utc(11, 12, 15)),  # no banking day between
    ],
)
def test_a_deposit_is_due_an_hour_after_the_bank_opens(opened: datetime, by: datetime) -> None:
    clock = clock_of(FindingKind.RESERVE_DEFICIT, opened, BUSINESS)
    assert clock.cure_by == by
    assert clock.citation.startswith("15c3-3(e)(3)")
    assert clock.look_by <= clock.cure_by


def test_a_control_deficit_has_until_the_next_business_day() -> None:
    clock = clock_of(FindingKind.CONTROL_DEFICIT, MONDAY_NOON, BUSINESS)
    assert (clock.session_ends, clock.cure_by) == (utc(3, 2, 23), utc(3, 3, 23))
    assert clock.is_overdue(utc(3, 3, 23))
    assert not clock.is_overdue(utc(3, 3, 22, 59))


def test_a_missed_deposit_is_overdue_when_it_is_found() -> None:
    clock = clock_of(FindingKind.MISSED_RESERVE_DEPOSIT, MONDAY_NOON, BUSINESS)
    assert clock.is_overdue(MONDAY_NOON)
    assert "immediately" in clock.citation


def test_no_deadline_is_guessed_in_a_year_without_known_holidays() -> None:
    with pytest.raises(CalendarUnknown):
        clock_of(FindingKind.SHORTFALL, datetime(2041, 3, 2, tzinfo=UTC), BUSINESS)


@pytest.mark.parametrize("kind", FindingKind)
@pytest.mark.parametrize("rail", Rail)
def test_every_kind_touches_something_and_has_a_source(kind: FindingKind, rail: Rail) -> None:
    touched = requirements_of(kind, rail)
    assert touched
    assert all(each.code and each.text for each in touched)
    assert expected_source(kind)
    assert rail is not Rail.CASH or POSSESSION not in touched
    clock = clock_of(kind, MONDAY_NOON, BUSINESS)
    assert clock.look_by <= clock.session_ends


def test_what_a_kind_touches_is_not_all_one() -> None:
    assert requirements_of(FindingKind.SHORTFALL, Rail.DIGITAL)[0] is POSSESSION
    assert requirements_of(FindingKind.RESERVE_DEFICIT, Rail.CASH) == (DEPOSIT,)
    assert requirements_of(FindingKind.COVERAGE_GAP, Rail.DIGITAL) == (EVIDENCE,)
