"""Which amounts are old enough to count, and what they count. Every age test is strict: "over 30" is 31 and more.

Calendar ages are as-of date less start date; business ages are business days after the start up to the as-of date.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from chains.errors import InvalidValue
from exports.reserve.frequency import Method
from exports.reserve.money import require_cents
from exports.reserve.rulesets import ALTERNATIVE_AGED_BUSINESS_DAYS, FAIL_AGED_DAYS, TRANSFER_AGED_DAYS
from verifier.reserve.calendar import BankCalendar


def calendar_age(since: date, as_of: date) -> int:
    """Calendar days since; raises `InvalidValue` for a start after the as-of date."""
    if since > as_of:
        raise InvalidValue(f"{since.isoformat()} is after the as-of date {as_of.isoformat()}")
    return (as_of - since).days


def item_3_loan(payable: int, market_value: int, collateral: int) -> int:
    """One loan of customers' securities: what is payable, and the market value above the collateral (Note C).

    The excess counts only where it is positive, and loan by loan: a well-covered loan does not offset another.
    """
    for name, cents in (("payable", payable), ("market value", market_value), ("collateral", collateral)):
        require_cents(cents, name)
    return payable + max(0, market_value - collateral)


def item_4_fail(contract_value: int, market_value: int, since: date, as_of: date) -> int:
    """One fail to receive: its contract value and, over 30 calendar days, the market value above it (Note D)."""
    require_cents(contract_value, "contract value")
    require_cents(market_value, "market value")
    aged = calendar_age(since, as_of) > FAIL_AGED_DAYS
    return contract_value + (max(0, market_value - contract_value) if aged else 0)


def item_6_receivable(market_value: int, since: date, as_of: date) -> int:
    """One dividend or split receivable: its market value when outstanding over 30 calendar days."""
    return require_cents(market_value, "market value") if calendar_age(since, as_of) > FAIL_AGED_DAYS else 0


def item_7_count_difference(market_value: int, since: date, as_of: date, method: Method, calendar: BankCalendar) -> int:
    """One short count difference: its market value when over 30 calendar days old.

    Over 7 business days under the alternative method, 15c3-1(a)(1)(ii)(B).
    """
    return require_cents(market_value, "market value") if _aged(since, as_of, method, calendar) else 0


@dataclass(frozen=True, slots=True)
class SuspenseEntry:
    """One entry of a suspense account: a short position at market or a credit. Longs and debits are not given."""

    entry_id: str
    cents: int
    since: date


def item_8_suspense(
    entries: tuple[SuspenseEntry, ...], as_of: date, method: Method, calendar: BankCalendar
) -> dict[str, int]:
    """Shorts and credits of suspense accounts old enough to count, by entry; nothing is offset against them.

    Ages as in item 7. Raises `InvalidValue` for a negative amount: that would be a long or a debit.
    """
    return {
        each.entry_id: require_cents(each.cents, f"suspense entry {each.entry_id}")
        if _aged(each.since, as_of, method, calendar)
        else 0
        for each in entries
    }


def item_9_transfer(market_value: int, since: date, as_of: date, confirmed_on: date | None) -> int:
    """One transfer: its market value when over 40 calendar days and not confirmed by the agent within the 40 days."""
    require_cents(market_value, "market value")
    confirmed = (
        confirmed_on is not None and since <= confirmed_on and calendar_age(since, confirmed_on) <= (TRANSFER_AGED_DAYS)
    )
    return market_value if calendar_age(since, as_of) > TRANSFER_AGED_DAYS and not confirmed else 0


def item_12_fail(contract_value: int, since: date, as_of: date) -> int:
    """One fail to deliver: a debit while not older than 30 calendar days."""
    require_cents(contract_value, "contract value")
    return contract_value if calendar_age(since, as_of) <= FAIL_AGED_DAYS else 0


def _aged(since: date, as_of: date, method: Method, calendar: BankCalendar) -> bool:
    if method is Method.BASIC:
        return calendar_age(since, as_of) > FAIL_AGED_DAYS
    calendar_age(since, as_of)  # refuses a start after the as-of date
    return calendar.business_days_between(since, as_of) > ALTERNATIVE_AGED_BUSINESS_DAYS
