"""Customers' credits that were swept in time: they may reduce a required deposit, and never permit a withdrawal.

Staff FAQ of 2025-12-08, Q5: credits swept under 15c3-3(j)(2)(ii) on the business day after the as-of date. It is a view
of the staff and not the rule's text, so nothing is reduced unless the firm says from when: `sweep_credits_from`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from exports.reserve.funding import Requirement
from exports.reserve.items import ReserveClass
from verifier.reserve_inputs import firm_calendar

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store


def swept_in_time(store: Store, settings: Settings, as_of: date, known_at: datetime) -> int:
    """Cents of customers' credits of an as-of date swept on the business day after it; 0 where that is not followed."""
    first = settings.reserve.sweep_credits_from
    if first is None or as_of < first:
        return 0
    calendar, _ = firm_calendar(settings)
    day = calendar.add_business_days(as_of, 1)
    return sum(each.cents for each in store.reserve_sweeps(known_at) if (each.as_of, each.swept_on) == (as_of, day))


def after_sweeps(requirement: Requirement, swept: int) -> Requirement:
    """What must be on deposit after them; what a withdrawal must leave is as before. PAB has its own Note 8."""
    if requirement.purpose is not ReserveClass.CUSTOMER:
        return requirement
    return replace(requirement, cents=max(0, requirement.cents - swept))
