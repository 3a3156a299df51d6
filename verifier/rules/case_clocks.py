"""The clocks of a case: by when it is looked at, by when it is cured, and which rule says so. Pure.

They run from the moment it was opened, on the business calendar of its rail: banking days for the reserve, settlement
days (banks or exchanges open) for everything else. A case that was opened after the close of business, or on a day that
is none, belongs to the session of the next business day. What is unresolved at the end of its session, or at the next
formula run, goes to the trade-break queue; the rule's own limit runs beside that and is never later for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from chains.types import require_utc
from verifier.records import FindingKind
from verifier.reserve.calendar import BankCalendar, BankHours

_IMMEDIATELY: Final = frozenset(
    {
        FindingKind.MISSED_RESERVE_DEPOSIT,
        FindingKind.UNAUTHORIZED_TRANSFER,
        FindingKind.FINALITY_REVERSED,
        FindingKind.CONTROL_CHANGE,
    }
)
"""Kinds that somebody looks at when they are found, at whatever hour."""

_DEPOSITS: Final = frozenset({FindingKind.RESERVE_DEFICIT, FindingKind.PROJECTED_RESERVE_DEFICIT})
_STEPS: Final = frozenset({FindingKind.CONTROL_DEFICIT})


@dataclass(frozen=True, slots=True)
class Business:
    """The calendars and hours that the clocks follow."""

    banking: BankCalendar
    settlement: BankCalendar
    hours: BankHours
    """When the reserve banks open; its zone is the civil time of all clocks."""
    closes: time
    """Local time at which a settlement session ends."""

    def day_of(self, moment: datetime) -> date:
        """The civil day of a moment."""
        return moment.astimezone(ZoneInfo(self.hours.zone)).date()

    def close_of(self, day: date) -> datetime:
        """The end of a day's session, in UTC."""
        return datetime.combine(day, self.closes, ZoneInfo(self.hours.zone)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class CaseClock:
    """The moments of one case, in UTC."""

    look_by: datetime
    """Somebody has looked at it by then."""
    session_ends: datetime
    """The end of its settlement session: unresolved then, it is a trade break."""
    cure_by: datetime
    """The limit that its rule sets, or the firm's own where no rule does."""
    citation: str
    """What sets `cure_by`."""

    def is_overdue(self, now: datetime) -> bool:
        """Whether the limit has passed."""
        return require_utc(now, "now") >= self.cure_by

    def session_over(self, now: datetime) -> bool:
        """Whether its settlement session has ended."""
        return require_utc(now, "now") >= self.session_ends


def clock_of(kind: FindingKind, opened_at: datetime, business: Business) -> CaseClock:
    """The clock of a case of a kind, opened at a moment. Raises `CalendarUnknown` for years that are not known."""
    opened_at = require_utc(opened_at, "opened_at")
    ends = _session_end(opened_at, business)
    look_by = opened_at if kind in _IMMEDIATELY else ends
    if kind is FindingKind.MISSED_RESERVE_DEPOSIT:
        return CaseClock(look_by, ends, opened_at, "15c3-3(i): immediately")
    if kind in _DEPOSITS:
        deposit_on = business.banking.add_business_days(business.day_of(opened_at), 1)
        by = business.hours.opening(deposit_on) + timedelta(hours=1)
        cited = "15c3-3(e)(3): one hour after the bank opens on the business day after the computation"
        return CaseClock(min(look_by, by), ends, by, cited)
    if kind in _STEPS:
        act_on = business.settlement.add_business_days(business.day_of(opened_at), 1)
        return CaseClock(look_by, ends, business.close_of(act_on), "15c3-3(d): the business day after determination")
    return CaseClock(look_by, ends, ends, "firm procedure: the end of its settlement session")


def _session_end(opened_at: datetime, business: Business) -> datetime:
    """The close of the business day on which it was opened, or of the next one when that has passed."""
    day = business.day_of(opened_at)
    if business.settlement.is_business_day(day) and opened_at < business.close_of(day):
        return business.close_of(day)
    return business.close_of(business.settlement.add_business_days(day, 1))
