"""Lines and inputs in few words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from exports.reserve.computation import Occasion, ReserveInputs
from exports.reserve.frequency import Frequency, Method
from exports.reserve.lines import CustomerItems, LineRow, PabItems
from exports.reserve.policies import PolicySet, policies_at
from verifier.reserve.calendar import BankCalendar, BankHours, bank_calendar

AS_OF = date(2026, 10, 2)
"""A Friday."""
CALENDAR: BankCalendar = bank_calendar()
POLICIES: PolicySet = policies_at(AS_OF)


def rows(amounts: Mapping[int, int]) -> list[tuple[int, LineRow]]:
    """One row for each of the fifteen lines, zero where no amount is given."""
    return [(number, LineRow(f"row-{number}", amounts.get(number, 0), "test")) for number in range(1, 16)]


def customer(amounts: Mapping[int, int]) -> CustomerItems:
    return CustomerItems.of(rows(amounts))


def pab(amounts: Mapping[int, int]) -> PabItems:
    return PabItems.of((number, LineRow(f"pab-{row.row_id}", row.cents, row.source)) for number, row in rows(amounts))


def inputs(
    customer_amounts: Mapping[int, int],
    pab_amounts: Mapping[int, int],
    *,
    as_of: date = AS_OF,
    occasion: Occasion = Occasion.REGULAR,
    method: Method = Method.BASIC,
    frequency: Frequency = Frequency.WEEKLY,
    pab_frequency: Frequency = Frequency.WEEKLY,
    pab_swept: int = 0,
) -> ReserveInputs:
    return ReserveInputs(
        as_of,
        occasion,
        method,
        frequency,
        pab_frequency,
        customer(customer_amounts),
        pab(pab_amounts),
        pab_swept,
        policies_at(as_of),
    )


def new_york(hour: int, minute: int = 0) -> BankHours:
    from datetime import time

    return BankHours(time(hour, minute), "America/New_York")
