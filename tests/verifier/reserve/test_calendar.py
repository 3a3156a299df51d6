"""Banking days and deposit deadlines, against the Federal Reserve's published schedule."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from exports.reserve.errors import CalendarUnknown
from tests.verifier.reserve.make import CALENDAR, new_york
from verifier.reserve.calendar import (
    PUBLISHED_YEARS,
    monthly_as_of,
    reserve_times,
    weekly_as_of,
    with_closings,
)

PUBLISHED = {
    2024: "Jan 1, Jan 15, Feb 19, May 27, Jun 19, Jul 4, Sep 2, Oct 14, Nov 11, Nov 28, Dec 25",
    2025: "Jan 1, Jan 20, Feb 17, May 26, Jun 19, Jul 4, Sep 1, Oct 13, Nov 11, Nov 27, Dec 25",
    2026: "Jan 1, Jan 19, Feb 16, May 25, Jun 19, Jul 4*, Sep 7, Oct 12, Nov 11, Nov 26, Dec 25",
    2027: "Jan 1, Jan 18, Feb 15, May 31, Jun 19*, Jul 4**, Sep 6, Oct 11, Nov 11, Nov 25, Dec 25*",
    2028: "Jan 1*, Jan 17, Feb 21, May 29, Jun 19, Jul 4, Sep 4, Oct 9, Nov 11*, Nov 23, Dec 25",
    2029: "Jan 1, Jan 15, Feb 19, May 28, Jun 19, Jul 4, Sep 3, Oct 8, Nov 11**, Nov 22, Dec 25",
    2030: "Jan 1, Jan 21, Feb 18, May 27, Jun 19, Jul 4, Sep 2, Oct 14, Nov 11, Nov 28, Dec 25",
}
"""The schedule as it is published. `*`: a Saturday, the Reserve Banks are open on Friday. `**`: a Sunday, they are
closed on Monday. 2026 to 2030: federalreserve.gov/aboutthefed/k8.htm, last updated 2025-12-31. 2025: the holiday
schedule of the Federal Reserve Bank of Richmond. 2024: the same page K.8 as of 2020, and Juneteenth, which became a
holiday in 2021."""


def shut(year: int) -> list[date]:
    """The weekdays on which the Reserve Banks are shut, from the published words."""
    days = []
    for text in PUBLISHED[year].split(", "):
        day = datetime.strptime(f"{year} {text.rstrip('*')}", "%Y %b %d").replace(tzinfo=UTC).date()
        mark = len(text) - len(text.rstrip("*"))
        assert day.weekday() == {0: min(day.weekday(), 4), 1: 5, 2: 6}[mark], text
        if mark != 1:
            days.append(day + timedelta(days=1) if mark == 2 else day)
    return days


def test_the_golden_table_has_every_known_year() -> None:
    assert sorted(PUBLISHED) == list(PUBLISHED_YEARS)


@pytest.mark.fault("C17")
@pytest.mark.parametrize("year", PUBLISHED)
def test_the_library_has_the_published_holidays(year: int) -> None:
    assert [day for day in sorted(CALENDAR.holidays) if day.year == year] == shut(year)


@pytest.mark.fault("C17")
@pytest.mark.parametrize(
    ("day", "open_"),
    [
        (date(2026, 10, 12), False),  # Columbus Day: the exchange trades
        (date(2026, 11, 11), False),  # Veterans Day: the exchange trades
        (date(2026, 4, 3), True),  # Good Friday: the exchange is shut
        (date(2026, 7, 3), True),  # Independence Day falls on Saturday: banks open on Friday
        (date(2027, 7, 5), False),  # and on Sunday: shut on Monday
        (date(2026, 11, 27), True),  # the day after Thanksgiving: an early close of the exchange
        (date(2028, 2, 29), True),
        (date(2026, 10, 10), False),
    ],
)
def test_bank_days_are_not_exchange_days(day: date, open_: bool) -> None:
    assert CALENDAR.is_business_day(day) is open_


@pytest.mark.fault("C17")
@pytest.mark.parametrize(
    ("as_of", "compute_on", "deposit_on"),
    [
        (date(2026, 10, 2), date(2026, 10, 5), date(2026, 10, 6)),  # Friday, Monday, Tuesday
        (date(2026, 10, 9), date(2026, 10, 13), date(2026, 10, 14)),  # a Monday holiday: Wednesday
        (date(2026, 11, 10), date(2026, 11, 12), date(2026, 11, 13)),  # a holiday in mid week
        (date(2026, 12, 30), date(2026, 12, 31), date(2027, 1, 4)),  # over the year end
        (date(2026, 4, 2), date(2026, 4, 3), date(2026, 4, 6)),  # Good Friday is a bank day
        (date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1)),  # leap day
        (date(2026, 11, 24), date(2026, 11, 25), date(2026, 11, 27)),  # Thanksgiving between
    ],
)
def test_the_deposit_is_due_on_the_second_business_day(as_of: date, compute_on: date, deposit_on: date) -> None:
    times = reserve_times(as_of, CALENDAR, new_york(9))
    assert (times.compute_on, times.deposit_on) == (compute_on, deposit_on)


@pytest.mark.fault("C16")
@pytest.mark.parametrize(
    ("as_of", "due"),
    [
        (date(2026, 3, 4), datetime(2026, 3, 6, 15, tzinfo=UTC)),  # winter time
        (date(2026, 3, 6), datetime(2026, 3, 10, 14, tzinfo=UTC)),  # the clocks went forward on the Sunday between
        (date(2026, 10, 28), datetime(2026, 10, 30, 14, tzinfo=UTC)),
        (date(2026, 10, 30), datetime(2026, 11, 3, 15, tzinfo=UTC)),  # and back
    ],
)
def test_one_hour_after_the_bank_opens_in_its_civil_time(as_of: date, due: datetime) -> None:
    times = reserve_times(as_of, CALENDAR, new_york(9))
    assert times.deposit_by == due
    assert times.remaining(due - timedelta(seconds=1)) == timedelta(seconds=1)
    assert times.remaining(due + timedelta(seconds=1)) == timedelta(seconds=-1)


@pytest.mark.fault("C16")
def test_two_business_days_are_not_48_hours() -> None:
    """From Friday's deadline to Monday's, over the change of clocks, an hour is missing."""
    friday, monday = (reserve_times(date(2026, 3, day), CALENDAR, new_york(9)).deposit_by for day in (4, 5))
    assert monday - friday == timedelta(hours=71)


@pytest.mark.fault("C17")
@pytest.mark.parametrize("as_of", [date(2023, 12, 29), date(2031, 1, 2), date(2030, 12, 31)])
def test_a_year_that_is_not_known_is_an_error(as_of: date) -> None:
    """Also where only the deposit date lies in it."""
    with pytest.raises(CalendarUnknown):
        reserve_times(as_of, CALENDAR, new_york(9))


@pytest.mark.parametrize("as_of", [date(2026, 10, 3), date(2026, 10, 12)])
def test_nothing_is_computed_as_of_a_day_without_banking(as_of: date) -> None:
    with pytest.raises(CalendarUnknown, match="no banking day"):
        reserve_times(as_of, CALENDAR, new_york(9))


@pytest.mark.parametrize(
    ("day", "week_end"),
    [
        (date(2026, 9, 29), date(2026, 10, 2)),
        (date(2026, 10, 4), date(2026, 10, 2)),  # a Sunday ends its week
        (date(2026, 12, 23), date(2026, 12, 24)),  # Friday is Christmas: Thursday
        (date(2026, 7, 1), date(2026, 7, 3)),
    ],
)
def test_a_week_ends_on_its_last_business_day(day: date, week_end: date) -> None:
    assert weekly_as_of(day, CALENDAR) == week_end


def test_a_month_ends_on_its_last_business_day() -> None:
    assert monthly_as_of(date(2026, 10, 5), CALENDAR) == date(2026, 10, 30)
    assert monthly_as_of(date(2028, 2, 29), CALENDAR) == date(2028, 2, 29)
    assert monthly_as_of(date(2027, 12, 1), CALENDAR) == date(2027, 12, 31)


def test_a_further_closing_moves_the_deadline() -> None:
    shut = with_closings(CALENDAR, [date(2026, 10, 6)])
    assert reserve_times(date(2026, 10, 2), shut, new_york(9)).deposit_on == date(2026, 10, 7)


def test_business_age_counts_the_days_after_the_start() -> None:
    assert CALENDAR.business_days_between(date(2026, 10, 2), date(2026, 10, 2)) == 0
    assert CALENDAR.business_days_between(date(2026, 10, 2), date(2026, 10, 5)) == 1
    assert CALENDAR.business_days_between(date(2026, 10, 9), date(2026, 10, 13)) == 1
