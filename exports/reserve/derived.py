"""What lines that follow from the firm's books say of their origin, and what of it can be checked without the books.

A line of few rows carries them; a longer one carries for each group of rows their count, sum and digest. Where every
line carries its rows, the digest of all rows is computed again; where not, their number is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from exports.reserve.items import ReserveClass
from exports.reserve.lines import CustomerItems, LineRow, PabItems
from exports.reserve.money import require_cents

NONE_PREFIX: Final = "none:"
"""Ids of the explicit zero of a line of which the books have nothing: no row of the books."""
GROUP_PREFIX: Final = "rows:"
"""Ids of rows that stand for many."""
_GROUP: Final = re.compile(r"([1-9][0-9]*) rows of the books, SHA-256 ([0-9a-f]{64})", re.ASCII)

OwnRow = tuple[ReserveClass, int, LineRow]
"""A row with its computation and item."""


@dataclass(frozen=True, slots=True)
class DerivedFrom:
    """What lines that follow from the firm's books were derived from, by count and digest, decision 0023."""

    books: str
    """SHA-256 (hex) of all rows of all lines in full."""
    rows: int
    allocations: str
    """SHA-256 (hex) of the allocations of the stock record."""
    allocation_count: int
    tentative_net_capital: int
    """US cents, what Note E(5) was measured on."""
    excluded: tuple[tuple[str, int], ...]
    """Cents in the books that no line has: `customer item 10: Note E(1)` and the sum, sorted."""
    findings: tuple[str, ...] = ()
    """What should be looked at and did not stop the computation, such as a stock record that does not balance."""

    def __post_init__(self) -> None:
        for cents in (self.tentative_net_capital, *(cents for _, cents in self.excluded)):
            require_cents(cents, "an amount of the books")


def rows_digest(rows: Iterable[OwnRow]) -> str:
    """SHA-256 (hex) of the rows by computation, item and id, one on each line, the fields between tabs."""
    digest = hashlib.sha256()
    for computation, item, row in sorted(rows, key=lambda own: (own[0], own[1], own[2].row_id)):
        digest.update(f"{computation}\t{item}\t{row.row_id}\t{row.cents}\t{row.source}\n".encode())
    return digest.hexdigest()


def group_row(computation: ReserveClass, item: int, group: str, rows: Iterable[LineRow]) -> LineRow:
    """The one row that stands for the rows of a group."""
    own = list(rows)
    digest = rows_digest((computation, item, row) for row in own)
    return LineRow(
        f"{GROUP_PREFIX}{computation}:{item}:{group}",
        sum(row.cents for row in own),
        f"{len(own)} rows of the books, SHA-256 {digest}",
    )


def origin_problems(customer: CustomerItems, pab: PabItems, derived: DerivedFrom | None) -> Iterator[str]:
    """What contradicts the origin that the lines claim; nothing for lines that the firm stated."""
    if derived is None:
        return
    carried: list[OwnRow] = [
        (items.account_class, line.number, row)
        for items in (customer, pab)
        for line in items.lines
        for row in line.rows
        if not row.row_id.startswith(NONE_PREFIX)
    ]
    if any(row.cents for items in (customer, pab) for line in items.lines for row in line.rows if _is_none(row)):
        yield "a line of which the books have nothing has an amount"
    groups = [row for _, _, row in carried if row.row_id.startswith(GROUP_PREFIX)]
    counts = [int(match[1]) for row in groups if (match := _GROUP.fullmatch(row.source))]
    if len(counts) != len(groups):
        yield "a row that stands for many does not say for how many"
    elif len(carried) - len(groups) + sum(counts) != derived.rows:
        yield f"the lines are of {len(carried) - len(groups) + sum(counts)} rows of the books, not of {derived.rows}"
    elif not groups and rows_digest(carried) != derived.books:
        yield "the rows are not those that the digest of the books is of"


def _is_none(row: LineRow) -> bool:
    return row.row_id.startswith(NONE_PREFIX)
