"""A computation as a page that prints: results, every line with its rows, the schedule of the form, the policies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from exports.pages import page
from exports.reserve.computation import ReserveComputation
from exports.reserve.derived import DerivedFrom
from exports.reserve.focus import FocusLine
from exports.reserve.items import ReserveClass, item
from exports.reserve.lines import CustomerItems, PabItems
from exports.reserve.money import dollars_grouped
from exports.reserve.results import result_rows

TEMPLATE: Final = "reserve_computation.html.j2"
ROWS_SHOWN: Final = 500
"""Rows of a line on the page; the CSV and the document have them all."""

Row = tuple[str, ...]


def computation_page(
    title: str,
    about: Sequence[tuple[str, str]],
    computation: ReserveComputation,
    schedules: Sequence[tuple[ReserveClass, Sequence[FocusLine]]],
) -> bytes:
    """The page; `about` are names and values shown first: id, firm, deadline, what it replaces.

    Raises `ReportLibraryMissing` without Jinja2.
    """
    inputs, derived = computation.inputs, computation.inputs.derived_from
    head = (
        *about,
        ("as of the close of", inputs.as_of.isoformat()),
        ("method, frequency", f"{inputs.method}, {inputs.frequency.replace('_', ' ')}"),
        ("rules", computation.rule_set_id),
        ("SHA-256 of the computation", computation.digest),
    )
    return page(
        TEMPLATE,
        title=title,
        about=head,
        results=[(name, _amount(customer), _amount(pab)) for name, customer, pab in result_rows(computation)],
        line_tables=[("Customer lines", list(_lines(inputs.customer))), ("PAB lines", list(_lines(inputs.pab)))],
        origin=_origin(derived) if derived is not None else (),
        excluded=[(what, dollars_grouped(cents)) for what, cents in derived.excluded] if derived is not None else [],
        schedules=[(purpose, [_form_row(each) for each in lines]) for purpose, lines in schedules],
        policies=[
            (each.name, each.value, each.effective_from.isoformat(), each.source) for each in inputs.policies.policies
        ],
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of Exhibit A, the rows that make it, and how many of them are not shown."""

    number: int
    side: str
    wording: str
    dollars: str
    rows: list[tuple[str, str]]
    left_out: int


def _lines(items: CustomerItems | PabItems) -> Iterator[_Line]:
    for line in items.lines:
        of = item(line.number)
        shown = [(f"{row.row_id}: {row.source}", dollars_grouped(row.cents)) for row in line.rows[:ROWS_SHOWN]]
        left_out = len(line.rows) - len(shown)
        yield _Line(line.number, of.side.value, of.wording, dollars_grouped(line.cents), shown, left_out)


def _amount(cents: int | None) -> str:
    return "" if cents is None else dollars_grouped(cents)


def _origin(derived: DerivedFrom) -> tuple[tuple[str, str], ...]:
    """What lines of the books were derived from."""
    return (
        ("rows", f"{derived.rows:,}, SHA-256 {derived.books}"),
        ("allocations", f"{derived.allocation_count:,}, SHA-256 {derived.allocations}"),
        ("tentative net capital", dollars_grouped(derived.tentative_net_capital)),
        *(("look at", finding) for finding in derived.findings),
    )


def _form_row(line: FocusLine) -> Row:
    """A line of the form, with the amount or the words that stand in its place."""
    value = dollars_grouped(line.cents) if line.cents is not None else line.words
    return line.line, line.wording, line.box, line.box_status, value
