"""One line of a stored computation, opened down to the rows it came from: accounts, stock lines, margin, files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from exports.reserve.items import ReserveClass, item
from exports.reserve.lines import LineRow
from verifier.reserve.allocation_order import Place
from verifier.reserve.stated import DIGEST_SHOWN
from verifier.reserve_inputs import derived_again

if TYPE_CHECKING:
    from datetime import date, datetime

    from verifier.config import Settings
    from verifier.reserve.allocation import Allocation
    from verifier.reserve.allocation_rows import Excluded
    from verifier.store import Store

_FILES: Final = {"account": "accounts", "stock": "stock_record"}
"""The file of the books that a row's id names."""


@dataclass(frozen=True, slots=True)
class OpenedLine:
    """A line with its largest rows, and what was allocated to them or not counted."""

    computation_id: str
    kind: ReserveClass
    item: int
    cents: int
    rows: tuple[LineRow, ...]
    """The largest first; as many as were asked for."""
    row_count: int
    allocations: tuple[Allocation, ...]
    """For lines of the stock record: every owner of the places that were shown, also those that count in no line."""
    excluded: tuple[Excluded, ...]


def opened_line(store: Store, settings: Settings, computation_id: str, kind: str, number: int, most: int) -> OpenedLine:
    """The rows of a line; those of the books are derived again, and are the ones whose digest the computation has.

    Raises `ItemsRefused` when the books on record give other lines.
    """
    stored = store.reserve_computation(computation_id)
    inputs, whose = stored.computation().inputs, ReserveClass(kind)
    line = (inputs.customer if whose is ReserveClass.CUSTOMER else inputs.pab).lines[item(number).number - 1]
    if inputs.derived_from is None:
        rows = sorted(line.rows, key=lambda row: (-row.cents, row.row_id))
        return OpenedLine(computation_id, whose, number, line.cents, tuple(rows[:most]), len(rows), (), ())
    found = derived_again(store, settings, stored)
    own = [row for row in found.rows if row.computation is whose and row.item == number]
    own.sort(key=lambda row: (-row.cents, row.row_id))
    shown = _with_origins(store, [row.line_row for row in own[:most]], stored.as_of, stored.known_at)
    lines = {_key(row)[1] for row in shown if _key(row)[0] == "stock"}
    ids = {row.row_id for row in shown}
    liens = {row_id for row_id in ids if row_id.startswith("lien:")}
    if liens:
        named = {row_id.removeprefix("lien:").removesuffix(f"/{whose}") for row_id in liens}
        books = store.books(stored.as_of, stored.known_at)
        lines |= {each.line_id for each in books.stock if each.reference in named}
    return OpenedLine(
        computation_id,
        whose,
        number,
        line.cents,
        tuple(shown),
        len(own),
        tuple(
            each
            for each in found.allocations
            if lines & {each.place_line, each.owner_line}
            or (each.place is Place.MISSING and f"unbalanced:{each.security_id}" in ids)
        ),
        tuple(each for each in found.excluded if each.computation is whose and each.item == number),
    )


def _key(row: LineRow) -> tuple[str, str]:
    """What a row's id names: `stock` and the line of `stock:LINE-7/customer`."""
    kind, _, rest = row.row_id.partition(":")
    return kind, rest.rpartition("/")[0] if kind == "stock" else rest


def _with_origins(store: Store, rows: list[LineRow], as_of: date, known_at: datetime) -> list[LineRow]:
    """The rows with file, line and digest of what they came from, where it is a row of a large file."""
    origins = {
        (kind, key): origin
        for kind, table in _FILES.items()
        if (keys := {key for named, key in map(_key, rows) if named == kind})
        for key, origin in store.books_origins(table, as_of, known_at, keys).items()
    }
    return [
        replace(row, source=f"{found.source} line {found.line} ({found.digest[:DIGEST_SHOWN]}): {row.source}")
        if (found := origins.get(_key(row))) is not None
        else row
        for row in rows
    ]


def line_json(line: OpenedLine) -> dict[str, object]:
    """An opened line; amounts are strings of US cents, quantities of base units."""
    return {
        "computation_id": line.computation_id,
        "kind": line.kind.value,
        "item": line.item,
        "wording": item(line.item).wording,
        "citation": item(line.item).citation,
        "cents": str(line.cents),
        "row_count": line.row_count,
        "rows": [{"row_id": row.row_id, "cents": str(row.cents), "source": row.source} for row in line.rows],
        "allocations": [
            {
                "security_id": each.security_id,
                "owner": each.owner.value,
                "owner_line": each.owner_line or None,
                "place": each.place.value,
                "place_line": each.place_line or None,
                "base_units": str(each.base_units),
                "market_value": str(each.market_value),
            }
            for each in line.allocations
        ],
        "not_counted": [
            {"subject": each.subject, "note": each.note, "cents": str(each.cents)} for each in line.excluded
        ],
    }
