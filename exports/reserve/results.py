"""The results of a computation in the order in which each follows from those before, for every way of showing them."""

from __future__ import annotations

from collections.abc import Iterator

from exports.reserve.computation import ReserveComputation

ResultRow = tuple[str, int | None, int | None]
"""What it is, and cents for customers and for PAB; None where there is no such figure."""


def result_rows(computation: ReserveComputation) -> Iterator[ResultRow]:
    """From total credits to what must be on deposit."""
    customer, pab = computation.customer, computation.pab
    yield "total credits", customer.total_credits, pab.total_credits
    yield "aggregate debit items", customer.aggregate_debits, pab.total_debits
    yield "reduction of debits", customer.reduction, None
    yield "total debits", customer.total_debits, pab.total_debits
    yield "excess credits", customer.excess_credits, pab.excess_credits
    yield "excess debits", customer.excess_debits, pab.excess_debits
    for percent in sorted({customer.deposit_percent, pab.deposit_percent} - {100}):
        of_customers = customer.required if customer.deposit_percent == percent else None
        of_pab = pab.required_before_offset if pab.deposit_percent == percent else None
        yield f"{percent} percent of excess credits, monthly", of_customers, of_pab
    yield "customer excess debits used, (e)(4)", None, pab.customer_excess_debits_used
    if pab.swept:
        yield "credits swept in time, PAB Note 8", None, pab.swept
    yield "required on deposit", customer.required, pab.required
