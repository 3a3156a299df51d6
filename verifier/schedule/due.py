"""When a job is due: at a civil time after each business date, or every so many minutes. Pure calendar arithmetic.

A daily job is due once for each business date, at a civil time of the next business day. That is one moment also on
days on which clocks are changed: of a time that comes twice the first counts, one that does not come is moved on by
the hour that was left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from chains.types import utc_text
from verifier.reserve.calendar import BankCalendar
from verifier.schedule.records import Slot

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DailyTime:
    """A job with one run for each business date, begun on the business day after it."""

    job: str
    at: time
    """Civil time without a zone."""
    zone: str
    """IANA name."""
    calendar: BankCalendar

    def slot(self, business_date: date) -> Slot:
        """When the run of a business date is due. Raises `CalendarUnknown` for a year that is not known."""
        following = self.calendar.add_business_days(business_date, 1)
        due_at = datetime.combine(following, self.at, ZoneInfo(self.zone)).astimezone(UTC)
        return Slot(self.job, business_date.isoformat(), business_date, due_at)

    def newest(self, now: datetime) -> Slot:
        """The run that was due last."""
        day = self.calendar.on_or_before(now.astimezone(ZoneInfo(self.zone)).date())
        while (slot := self.slot(day)).due_at > now:
            day = self.calendar.on_or_before(day - _DAY)
        return slot

    def after(self, now: datetime) -> Slot:
        """The run that is due next."""
        return self.slot(self.calendar.add_business_days(self.newest(now).business_date, 1))

    def since(self, business_date: date, now: datetime) -> Iterator[Slot]:
        """The runs of all later business dates that are due by now, in order."""
        slot = self.slot(self.calendar.add_business_days(business_date, 1))
        while slot.due_at <= now:
            yield slot
            slot = self.slot(self.calendar.add_business_days(slot.business_date, 1))


@dataclass(frozen=True, slots=True)
class EveryMinutes:
    """A job that is due again and again, at whole multiples of its interval."""

    job: str
    every: timedelta
    zone: str
    """Of the civil day that is written beside a run."""

    def slot(self, due_at: datetime) -> Slot:
        """The run due at a moment."""
        return Slot(self.job, utc_text(due_at), due_at.astimezone(ZoneInfo(self.zone)).date(), due_at)

    def newest(self, now: datetime) -> Slot:
        """The run that was due last."""
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        return self.slot(epoch + (now - epoch) // self.every * self.every)

    def after(self, now: datetime) -> Slot:
        """The run that is due next."""
        return self.slot(self.newest(now).due_at + self.every)

    def passed(self, last: datetime, now: datetime) -> int:
        """How many runs were due after one moment and before the one that is due last by another."""
        return max(0, (self.newest(now).due_at - last) // self.every - 1)
