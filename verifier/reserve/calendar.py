"""Banking days and the deadlines that follow from them. The clock of a deposit starts at the as-of date.

15c3-3(e)(3): a deposit must be made no later than one hour after the opening of banking business on the second
business day after the as-of date, in all of weekly, daily and monthly computation: as-of T, computation on T+1,
deposit on T+2. Days are bank days (Federal Reserve holidays), which are not the exchanges' days: banks are shut on
Columbus Day and Veterans Day, and open on Good Friday. The opening hour is civil time where the bank is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from chains.types import require_utc
from exports.reserve.errors import CalendarUnknown
from verifier.errors import MissingExtra

PUBLISHED_YEARS: Final = range(2024, 2031)
"""Years whose holidays the tests hold against the Federal Reserve's published schedule, K.8. Others are not guessed."""

_ONE_DAY: Final = timedelta(days=1)
_AFTER_OPENING: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class BankCalendar:
    """Which days are banking days, for whole years."""

    years: frozenset[int]
    holidays: frozenset[date]
    """Days in those years on which banks are shut, other than Saturdays and Sundays."""

    def is_business_day(self, day: date) -> bool:
        """Whether banks are open that day; raises `CalendarUnknown` for a year that is not known."""
        if day.year not in self.years:
            raise CalendarUnknown(f"the bank holidays of {day.year} are not known")
        return day.weekday() < 5 and day not in self.holidays

    def add_business_days(self, day: date, count: int) -> date:
        """The count-th business day after a day, which need not be one itself."""
        for _ in range(count):
            day += _ONE_DAY
            while not self.is_business_day(day):
                day += _ONE_DAY
        return day

    def business_days_between(self, first: date, last: date) -> int:
        """Business days after the first day up to and including the last; 0 when the last is not later."""
        count = 0
        while first < last:
            first += _ONE_DAY
            count += self.is_business_day(first)
        return count

    def on_or_before(self, day: date) -> date:
        """The day itself or the latest business day before it."""
        while not self.is_business_day(day):
            day -= _ONE_DAY
        return day


@cache
def bank_calendar() -> BankCalendar:
    """The Federal Reserve's calendar for `PUBLISHED_YEARS`; needs the `holidays` library (extra `server`).

    A holiday on a Saturday shuts no bank on Friday; one on a Sunday shuts them on Monday.
    """
    try:
        import holidays
    except ImportError as error:  # pragma: no cover - the test environment has it
        raise MissingExtra("server", "the banking calendar") from error
    known = holidays.financial_holidays("XFED", years=PUBLISHED_YEARS)
    days = frozenset(day for day in known if day.weekday() < 5 and day.year in PUBLISHED_YEARS)
    return BankCalendar(frozenset(PUBLISHED_YEARS), days)


def with_closings(calendar: BankCalendar, closings: Iterable[date]) -> BankCalendar:
    """The calendar with further days on which the firm's banks are shut, such as a day of mourning."""
    return BankCalendar(calendar.years, calendar.holidays | frozenset(closings))


@dataclass(frozen=True, slots=True)
class BankHours:
    """When a bank opens for business, in civil time where it is."""

    opens: time
    """Local time without a zone."""
    zone: str
    """IANA name, for example `America/New_York`."""

    def opening(self, day: date) -> datetime:
        """The moment it opens on a day, in UTC: daylight saving moves it against UTC."""
        return datetime.combine(day, self.opens, ZoneInfo(self.zone)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class ReserveTimes:
    """The three dates of one computation, and the moment the deposit is due."""

    as_of: date
    """A business day; the figures are of its close."""
    compute_on: date
    """The business day after."""
    deposit_on: date
    """The second business day after the as-of date."""
    deposit_by: datetime
    """One hour after the bank opens that day, in UTC. There is no cure period after it: 15c3-3(i)."""

    def remaining(self, now: datetime) -> timedelta:
        """Time left for the deposit; negative when it has passed."""
        return self.deposit_by - require_utc(now, "now")


def reserve_times(as_of: date, calendar: BankCalendar, hours: BankHours) -> ReserveTimes:
    """When a computation as of a business day is made and its deposit is due, 15c3-3(e)(3)(i).

    Raises `CalendarUnknown` when the as-of date is no business day or a date lies in a year that is not known.
    """
    if not calendar.is_business_day(as_of):
        raise CalendarUnknown(f"{as_of.isoformat()} is no banking day, so nothing is computed as of its close")
    deposit_on = calendar.add_business_days(as_of, 2)
    by = hours.opening(deposit_on) + _AFTER_OPENING
    return ReserveTimes(as_of, calendar.add_business_days(as_of, 1), deposit_on, by)


def weekly_as_of(week_of: date, calendar: BankCalendar) -> date:
    """As-of date of the week a day lies in: its last business day, (e)(3)(i)(A); Thursday when Friday is a holiday."""
    return calendar.on_or_before(week_of + timedelta(days=4 - week_of.weekday()))


def monthly_as_of(month_of: date, calendar: BankCalendar) -> date:
    """As-of date of the month a day lies in: its last business day, (e)(3)(i)(C)."""
    first_of_next = (month_of.replace(day=1) + timedelta(days=32)).replace(day=1)
    return calendar.on_or_before(first_of_next - _ONE_DAY)
