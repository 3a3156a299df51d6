"""The reserve formula as a waterfall whose bars open to their rows, and where both purposes stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from chains.types import utc_text
from exports.reserve.computation import Occasion, ReserveComputation
from exports.reserve.items import ReserveClass, Side, item
from exports.reserve.lines import CustomerItems, LineRow, PabItems
from verifier.reserve_show import purpose_lines, remaining_text
from verifier.web.views.drawing import WIDTH
from verifier.web.views.home import Deadline, Funding, dollars, funding_of, next_deadline, purpose_name
from verifier.web.views.listing import Listing, listing
from verifier.web.views.tones import Tone

if TYPE_CHECKING:
    from verifier.reserve_lines import OpenedLine
    from verifier.reserve_rail import ReserveView
    from verifier.store import Store
    from verifier.store.reserve_store import StoredComputation

ROWS_SHOWN: Final = 12
"""Rows of a line on its computation's page; its own page has more."""
ROWS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of the waterfall: from where the last one ended, or from zero for a sum. 1/1000 of the longest."""

    name: str
    amount: str
    start: int
    length: int
    tone: Tone
    is_total: bool
    item: int | None = None
    """The line of Exhibit A; None for what follows from the lines."""
    citation: str = ""
    rows: tuple[tuple[str, str, str], ...] = ()
    """Amount, id and source of its largest rows."""
    row_count: int = 0


@dataclass(frozen=True, slots=True)
class Waterfall:
    """One purpose's formula."""

    kind: str
    title: str
    steps: tuple[Step, ...]
    zero: int
    """Where zero lies."""


@dataclass(frozen=True, slots=True)
class ComputationRow:
    """One computation on record."""

    computation_id: str
    as_of: date
    scope: str
    occasion: str
    customer: str
    pab: str
    deposit_by: datetime
    recorded_at: datetime
    is_standing: bool


@dataclass(frozen=True, slots=True)
class ReservePage:
    """Where the reserve stands."""

    fundings: tuple[Funding, ...]
    facts: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    deadline: Deadline | None
    waterfalls: tuple[Waterfall, ...]
    newest: str
    computations: Listing[ComputationRow]


@dataclass(frozen=True, slots=True)
class ComputationPage:
    """One computation."""

    computation_id: str
    details: tuple[tuple[str, str], ...]
    waterfalls: tuple[Waterfall, ...]


@dataclass(frozen=True, slots=True)
class LinePage:
    """One line with its rows."""

    title: str
    citation: str
    amount: str
    rows: tuple[tuple[str, str, str], ...]
    row_count: int
    not_counted: tuple[tuple[str, str, str], ...]


def reserve_page(store: Store, view: ReserveView | None, now: datetime, number: int) -> ReservePage:
    """Both purposes now, the formula that is in force and every computation on record."""
    stored = sorted(store.reserve_computations(), key=lambda each: (each.as_of, each.computation_id), reverse=True)
    standing = {each.computation_id for each in store.standing_computations()}
    page = listing(stored, number, 20)
    rows = [_row(each, each.computation_id in standing) for each in page.items]
    purposes = view.purposes if view is not None else ()
    newest = next((each.computation for each in purposes if each.computation is not None), None)
    facts = [(purpose_name(each), tuple(purpose_lines(each, now))) for each in purposes]
    return ReservePage(
        tuple(funding_of(each) for each in purposes),
        tuple(facts),
        next_deadline(view, now) if view is not None else None,
        waterfalls(newest.computation()) if newest is not None else (),
        newest.computation_id if newest is not None else "",
        Listing(rows, page.number, page.total, page.size),
    )


def _row(stored: StoredComputation, is_standing: bool) -> ComputationRow:
    made = stored.computation()
    return ComputationRow(
        stored.computation_id,
        stored.as_of,
        stored.scope.value.replace("_", " "),
        stored.occasion.value,
        dollars(made.customer.required),
        dollars(made.pab.required),
        stored.times.deposit_by,
        stored.recorded_at,
        is_standing,
    )


def computation_page(stored: StoredComputation, now: datetime) -> ComputationPage:
    """One computation as it was made."""
    made = stored.computation()
    details = [
        ("as of", stored.as_of.isoformat()),
        ("scope", stored.scope.value.replace("_", " ")),
        ("occasion", stored.occasion.value + (" (binds nothing)" if stored.occasion is Occasion.TEST else "")),
        ("method", made.inputs.method.value),
        ("rule set", stored.rule_set),
        ("lines from", "stated lines" if made.inputs.derived_from is None else "the firm's books"),
        ("deposit by", f"{utc_text(stored.times.deposit_by)}, {remaining_text(stored.times.deposit_by, now)}"),
        ("recorded", utc_text(stored.recorded_at)),
        ("books as known at", utc_text(stored.known_at)),
        ("replaces", f"{stored.replaces}: {stored.reason}" if stored.replaces else ""),
        ("SHA-256", stored.digest),
    ]
    return ComputationPage(
        stored.computation_id, tuple((name, value) for name, value in details if value), waterfalls(made)
    )


def waterfalls(made: ReserveComputation) -> tuple[Waterfall, ...]:
    """The formula of each purpose that was computed."""
    found = []
    for purpose in made.inputs.scope.classes:
        if purpose is ReserveClass.CUSTOMER:
            found.append(_waterfall("customer", "Customers", list(_customer_steps(made))))
        else:
            found.append(_waterfall("pab", "PAB", list(_pab_steps(made))))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A step before it has a scale: what it adds, or the sum it shows. Cents."""

    name: str
    cents: int
    """Signed: what it adds; of a sum, how much it is."""
    is_total: bool = False
    line: int | None = None
    rows: Sequence[LineRow] = ()


def _lines(items: CustomerItems | PabItems, side: Side) -> Iterator[_Drawn]:
    for line in items.lines:
        if item(line.number).side is side and line.cents:
            sign = 1 if side is Side.CREDIT else -1
            rows = sorted(line.rows, key=lambda row: (-row.cents, row.row_id))
            yield _Drawn(item(line.number).wording, sign * line.cents, line=line.number, rows=rows)


def _customer_steps(made: ReserveComputation) -> Iterator[_Drawn]:
    result, items = made.customer, made.inputs.customer
    yield from _lines(items, Side.CREDIT)
    yield _Drawn("Total credits", result.total_credits, is_total=True)
    yield from _lines(items, Side.DEBIT)
    if result.reduction:
        yield _Drawn("Reduction of debits", result.reduction)
    yield _Drawn("Credits less debits", result.total_credits - result.total_debits, is_total=True)
    if result.deposit_percent != 100 and result.excess_credits:
        yield _Drawn(f"{result.deposit_percent} percent of it, monthly", result.required - result.excess_credits)
    yield _Drawn("Required on deposit", result.required, is_total=True)


def _pab_steps(made: ReserveComputation) -> Iterator[_Drawn]:
    result, items = made.pab, made.inputs.pab
    yield from _lines(items, Side.CREDIT)
    yield _Drawn("Total credits", result.total_credits, is_total=True)
    yield from _lines(items, Side.DEBIT)
    yield _Drawn("Credits less debits", result.total_credits - result.total_debits, is_total=True)
    if result.customer_excess_debits_used:
        yield _Drawn("Customers' excess debits used, (e)(4)", -result.customer_excess_debits_used)
    if result.swept:
        yield _Drawn("Credits swept in time, PAB Note 8", -result.swept)
    yield _Drawn("Required on deposit", result.required, is_total=True)


def _waterfall(kind: str, title: str, drawn: Sequence[_Drawn]) -> Waterfall:
    edges, level = [], 0
    for each in drawn:
        start, end = (0, each.cents) if each.is_total else (level, level + each.cents)
        edges.append((min(start, end), max(start, end)))
        level = end
    lowest, highest = min(0, *(low for low, _ in edges)), max(1, *(high for _, high in edges))
    span = highest - lowest
    steps = []
    for each, (low, high) in zip(drawn, edges, strict=True):
        begin = (low - lowest) * WIDTH // span
        tone = Tone.IDLE if each.is_total else (Tone.BAD if each.cents > 0 else Tone.GOOD)
        steps.append(
            Step(
                each.name,
                dollars(each.cents),
                begin,
                max(4, (high - lowest) * WIDTH // span - begin) if each.cents else 0,
                tone,
                each.is_total,
                each.line,
                item(each.line).citation if each.line is not None else "",
                tuple((dollars(row.cents), row.row_id, row.source) for row in each.rows[:ROWS_SHOWN]),
                len(each.rows),
            )
        )
    return Waterfall(kind, title, tuple(steps), -lowest * WIDTH // span)


def line_page(opened: OpenedLine) -> LinePage:
    """One line opened to its rows."""
    about = item(opened.item)
    return LinePage(
        f"{about.number}. {about.wording}",
        about.citation,
        dollars(opened.cents),
        tuple((dollars(row.cents), row.row_id, row.source) for row in opened.rows),
        opened.row_count,
        tuple((dollars(each.cents), each.subject, each.note) for each in opened.excluded[:ROWS_MAX]),
    )
