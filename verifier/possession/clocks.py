"""The clocks of 15c3-3(d): determination, instruction, possession. They are three moments, each with its own limit.

Instructions are due by the business day after the determination, and possession of a bank loan within two, of a stock
loan within five business days after the *instruction*. "Business day" is not defined for (d): the shorter reading is
used, in which a day counts when banks or the exchanges are open.
"""

from __future__ import annotations

from datetime import date
from functools import cache

from exports.possession.sources import TERMS, SourceKind
from verifier.errors import MissingExtra
from verifier.reserve.calendar import PUBLISHED_YEARS, BankCalendar, bank_calendar


@cache
def settlement_calendar() -> BankCalendar:
    """Days on which banks or the New York Stock Exchange are open; needs the `holidays` library (extra `server`)."""
    try:
        import holidays
    except ImportError as error:  # pragma: no cover - the test environment has it
        raise MissingExtra("server", "the exchanges' calendar") from error
    exchange = holidays.financial_holidays("XNYS", years=PUBLISHED_YEARS)
    return BankCalendar(frozenset(PUBLISHED_YEARS), bank_calendar().holidays & frozenset(exchange))


def determine_by(as_of: date, calendar: BankCalendar) -> date:
    """Last day on which possession or control as of a close is determined: the next business day, (d)."""
    return calendar.add_business_days(as_of, 1)


def act_by(determined_on: date, calendar: BankCalendar) -> date:
    """Last day for instructions or steps: the business day after the determination, (d)(1) to (4)."""
    return calendar.add_business_days(determined_on, 1)


def possession_by(kind: SourceKind, instructed_on: date, calendar: BankCalendar) -> date | None:
    """Last day on which possession must be obtained after an instruction; None where the rule says promptly."""
    days = TERMS[kind].possession_business_days
    return calendar.add_business_days(instructed_on, days) if days is not None else None
