"""A computation as a page that prints: results, every line with its rows, the schedule of the form, the policies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from exports.html import Element, element, facts, page, paragraph, table
from exports.reserve.computation import ReserveComputation
from exports.reserve.derived import DerivedFrom
from exports.reserve.focus import FocusLine
from exports.reserve.items import ReserveClass, item
from exports.reserve.money import dollars

ROWS_SHOWN = 500
"""Rows of a line on the page; the CSV and the document have them all."""


def computation_page(
    title: str,
    about: Sequence[tuple[str, str]],
    computation: ReserveComputation,
    schedules: Sequence[tuple[ReserveClass, Sequence[FocusLine]]],
) -> bytes:
    """The page; `about` are names and values shown first: id, firm, deadline, what it replaces."""
    return page(title, *_parts(about, computation, schedules))


def _parts(
    about: Sequence[tuple[str, str]],
    computation: ReserveComputation,
    schedules: Sequence[tuple[ReserveClass, Sequence[FocusLine]]],
) -> Iterator[Element]:
    inputs, customer, pab = computation.inputs, computation.customer, computation.pab
    yield facts(
        [
            *about,
            ("as of the close of", inputs.as_of.isoformat()),
            ("method, frequency", f"{inputs.method}, {inputs.frequency.replace('_', ' ')}"),
            ("rules", computation.rule_set_id),
            ("SHA-256 of the computation", computation.digest),
        ]
    )
    yield element("h2", "Results, US dollars")
    yield table(
        ("", "customer", "PAB"),
        (
            ("total credits", dollars(customer.total_credits), dollars(pab.total_credits)),
            ("reduction of debits", dollars(customer.reduction), ""),
            ("total debits", dollars(customer.total_debits), dollars(pab.total_debits)),
            ("excess credits", dollars(customer.excess_credits), dollars(pab.excess_credits)),
            ("excess debits", dollars(customer.excess_debits), dollars(pab.excess_debits)),
            ("customer excess debits used, (e)(4)", "", dollars(pab.customer_excess_debits_used)),
            ("required on deposit", dollars(customer.required), dollars(pab.required)),
        ),
        numbers=("customer", "PAB"),
    )
    for name, items in (("Customer lines", inputs.customer), ("PAB lines", inputs.pab)):
        yield element("h2", f"{name}, Exhibit A of 15c3-3")
        rows: list[tuple[str, str, str, str]] = []
        for line in items.lines:
            of = item(line.number)
            rows.append((str(line.number), of.side.value, of.wording, dollars(line.cents)))
            rows += [("", "", f"{row.row_id}: {row.source}", dollars(row.cents)) for row in line.rows[:ROWS_SHOWN]]
            if len(line.rows) > ROWS_SHOWN:
                rows.append(("", "", f"and {len(line.rows) - ROWS_SHOWN} more rows in the CSV", ""))
        yield table(("item", "side", "wording, rows", "US dollars"), rows, numbers=("US dollars",))
    yield from _origin(inputs.derived_from)
    for purpose, lines in schedules:
        yield element("h2", f"FOCUS Part II layout, {purpose}")
        yield paragraph("An aid for filling in the form. Only boxes marked verified were seen in it.")
        shown = [(each.line, each.wording, each.box, each.box_status, focus_value(each)) for each in lines]
        yield table(("line", "wording", "box", "box is", "US dollars"), shown, numbers=("US dollars",))
    yield element("h2", "Policies")
    yield table(
        ("policy", "value", "from", "source"),
        [(each.name, each.value, each.effective_from.isoformat(), each.source) for each in inputs.policies.policies],
    )


def _origin(derived: DerivedFrom | None) -> Iterator[Element]:
    """What lines of the books were derived from, and what of the books is in no line."""
    if derived is None:
        return
    yield element("h2", "From the books")
    yield facts(
        [
            ("rows", f"{derived.rows}, SHA-256 {derived.books}"),
            ("allocations", f"{derived.allocation_count}, SHA-256 {derived.allocations}"),
            ("tentative net capital", dollars(derived.tentative_net_capital)),
            *(("look at", finding) for finding in derived.findings),
        ]
    )
    if derived.excluded:
        out = [(what, dollars(cents)) for what, cents in derived.excluded]
        yield table(("in the books and in no line", "US dollars"), out, numbers=("US dollars",))


def focus_value(line: FocusLine) -> str:
    """The amount, or the words that stand in its place."""
    return dollars(line.cents) if line.cents is not None else line.words
