"""A computation in the layout of Form X-17A-5 (FOCUS) Part II: the reserve schedules for customers and for PAB.

The form numbers its boxes. A box number is given as verified only where it was seen in a filed form or in the form
itself; every other one is what is believed, and says so. The form has lines "Other (list)" that Exhibit A has not, and
counts item 10 of Exhibit A as its line 12. Where item 15 of Exhibit A stands on the form could not be established: it
is shown under "Other (list)" and marked. This is an aid for whoever fills in the form, not a filing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from exports.reserve.computation import ReserveComputation
from exports.reserve.formula import ReductionBase, debit_reduction
from exports.reserve.frequency import Frequency
from exports.reserve.items import ITEMS, ReserveClass, item
from exports.reserve.rulesets import rule_set_at

VERIFIED_BOXES: Final = frozenset(
    {"4340", "4350", "4360", "4370", "4380", "4390", "4400", "4410", "4420", "4450", "4465"}
)
"""Boxes of the customer schedule that were seen."""
NOT_STATED: Final = "not stated"
_CREDIT_BOXES: Final = ("4340", "4350", "4360", "4370", "4380", "4390", "4400", "4410", "4420")


@dataclass(frozen=True, slots=True)
class OnDeposit:
    """What lay in the accounts of one purpose at the as-of date, and what moved until the deadline. US cents."""

    held: int | None
    """None when it is not known: never zero then."""
    moved: int | None
    """Deposits less withdrawals that the bank shows; None when its entries are not stated."""
    moved_on: date | None
    """Value date of the last of them."""


@dataclass(frozen=True, slots=True)
class FocusLine:
    """One line of the schedule."""

    line: str
    wording: str
    box: str
    """Number of the box; empty where none is known."""
    cents: int | None
    """None where the value is no amount or is not known."""
    words: str = ""
    """What stands there when it is no amount."""

    @property
    def box_status(self) -> str:
        """`verified`, or that it is not."""
        if not self.box:
            return "box not known"
        return "verified" if self.box in VERIFIED_BOXES else "box not verified"


def focus_lines(computation: ReserveComputation, purpose: ReserveClass, on_deposit: OnDeposit) -> tuple[FocusLine, ...]:
    """The schedule of one purpose."""
    if purpose is ReserveClass.CUSTOMER:
        return _customer(computation, on_deposit)
    return _pab(computation, on_deposit)


def _customer(computation: ReserveComputation, on_deposit: OnDeposit) -> tuple[FocusLine, ...]:
    inputs, result = computation.inputs, computation.customer
    lines = inputs.customer
    rule = debit_reduction(rule_set_at(inputs.as_of), inputs.method, inputs.frequency)
    of_item_10 = result.reduction if rule.base is ReductionBase.ITEM_10 else 0
    of_all = result.reduction - of_item_10
    stated = [FocusLine(str(n), item(n).wording, box, lines.cents(n)) for n, box in enumerate(_CREDIT_BOXES, start=1)]
    percent = f"{rule.percent} percent" if rule.base is ReductionBase.AGGREGATE_DEBITS else "3 percent, or 2 percent"
    monthly = result.required if result.deposit_percent != 100 else None
    return (
        *stated,
        FocusLine("10", "Other (list): Exhibit A has no such line", "4425", 0),
        FocusLine("11", "TOTAL CREDITS", "4430", result.total_credits),
        FocusLine("12", f"{item(10).wording} Net of deductions under Note E", "4440", lines.cents(10) - of_item_10),
        FocusLine("13", item(11).wording, "4450", lines.cents(11)),
        FocusLine("14", item(12).wording, "4460", lines.cents(12)),
        FocusLine("15", item(13).wording, "4465", lines.cents(13)),
        FocusLine("16", item(14).wording, "4467", lines.cents(14)),
        FocusLine("17", f"Other (list): item 15 of Exhibit A, {item(15).wording}", "4469", lines.cents(15)),
        FocusLine("18", "Aggregate debit items", "4470", result.aggregate_debits),
        FocusLine("19", f"Less {percent} (alternative method only)", "4471", of_all),
        FocusLine("20", "TOTAL 15c3-3 DEBITS", "4472", result.total_debits),
        FocusLine("21", "Excess of total debits over total credits", "4480", result.excess_debits),
        FocusLine("22", "Excess of total credits over total debits", "4490", result.excess_credits),
        FocusLine(
            "23",
            "If computed monthly, 105 percent of line 22",
            "4500",
            monthly,
            "" if monthly is not None else "not monthly",
        ),
        *_deposits(on_deposit, ("24", "25", "26", "27"), ("4510", "4520", "4530", "4540")),
        _frequency(inputs.frequency),
    )


def _pab(computation: ReserveComputation, on_deposit: OnDeposit) -> tuple[FocusLine, ...]:
    lines, result = computation.inputs.pab, computation.pab
    stated = [FocusLine(str(each.number), each.wording, "", lines.cents(each.number)) for each in ITEMS]
    return (
        *stated[:9],
        FocusLine("", "TOTAL PAB CREDITS", "2170", result.total_credits),
        *stated[9:],
        FocusLine("", "TOTAL PAB DEBITS", "2230", result.total_debits),
        FocusLine("", "Excess of total PAB debits over total PAB credits", "2240", result.excess_debits),
        FocusLine("", "Excess of total PAB credits over total PAB debits", "2250", result.excess_credits),
        FocusLine(
            "", "Excess debits of the customer schedule used, (e)(4)", "2260", result.customer_excess_debits_used
        ),
        *([FocusLine("", "Credits swept in time, PAB Note 8", "", result.swept)] if result.swept else []),
        FocusLine("", "PAB reserve requirement", "2270", result.required),
        *_deposits(on_deposit, ("", "", "", ""), ("2280", "2290", "2300", "2310")),
        _frequency(computation.inputs.pab_frequency),
    )


def _deposits(
    on_deposit: OnDeposit, lines: tuple[str, str, str, str], boxes: tuple[str, str, str, str]
) -> tuple[FocusLine, ...]:
    held, moved, on = on_deposit.held, on_deposit.moved, on_deposit.moved_on
    new = held + moved if held is not None and moved is not None else None

    def amount(at: int, wording: str, cents: int | None) -> FocusLine:
        return FocusLine(lines[at], wording, boxes[at], cents, "" if cents is not None else NOT_STATED)

    return (
        amount(0, "Amount held on deposit, qualified securities included, at the as-of date", held),
        amount(1, "Amount of deposit (or withdrawal) until the deadline", moved),
        amount(2, "New amount after it", new),
        FocusLine(lines[3], "Date of deposit", boxes[3], None, on.isoformat() if on is not None else NOT_STATED),
    )


def _frequency(frequency: Frequency) -> FocusLine:
    boxes = {Frequency.MONTHLY: "4334", Frequency.WEEKLY: "4333"}
    return FocusLine("", "Frequency of computation", boxes.get(frequency, "4332"), None, frequency.replace("_", " "))
