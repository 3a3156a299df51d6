"""The rows to look at first in a line of very many rows, of which a computation carries sums and digests alone. Pure.

What was posted since the close comes first: it is what moved the line since somebody looked. Then the largest rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from heapq import nsmallest
from typing import TYPE_CHECKING

from exports.reserve.derived import GROUP_PREFIX
from exports.reserve.items import ReserveClass
from exports.reserve.money import dollars

if TYPE_CHECKING:
    from mapping.books import Books
    from verifier.reserve.allocation import DerivedItems

Line = tuple[ReserveClass, int]


@dataclass(frozen=True, slots=True)
class DrivingRow:
    """One row of a line as it stands now."""

    row_id: str
    cents: int
    posted: bool
    """Since the close of the day whose books these are."""

    @property
    def words(self) -> str:
        """Whether it is new, or one of the largest."""
        return "posted since the close" if self.posted else "the largest"


def driving_rows(found: DerivedItems, books: Books, most: int = 2) -> dict[Line, tuple[DrivingRow, ...]]:
    """The rows that drive each line which carries no rows of its own; `books` are those that it was derived from.

    An account posted with another balance than before can have left its line: that is the line's loss, and not named.
    """
    large = {
        (whose, line.number)
        for whose, items in ((ReserveClass.CUSTOMER, found.customer), (ReserveClass.PAB, found.pab))
        for line in items.lines
        if any(row.row_id.startswith(GROUP_PREFIX) for row in line.rows)
    }
    if not large:
        return {}
    posted = {f"account:{each.account_id}" for each in books.accounts if each.as_of > books.as_of}
    for line in books.stock:
        if line.as_of > books.as_of:
            posted.update(f"stock:{line.line_id}/{whose}" for whose in ReserveClass)
    rows: dict[Line, list[DrivingRow]] = {line: [] for line in large}
    for row in found.rows:
        of_line = rows.get((row.computation, row.item))
        if of_line is not None:
            of_line.append(DrivingRow(row.row_id, row.cents, row.row_id in posted))
    return {
        line: tuple(nsmallest(most, own, key=lambda row: (not row.posted, -row.cents, row.row_id)))
        for line, own in rows.items()
    }


def driving_text(rows: Mapping[Line, tuple[DrivingRow, ...]], whose: ReserveClass) -> dict[int, tuple[str, ...]]:
    """For people, by item: `account:A-1 1.00 (posted since the close)`."""
    return {
        item: tuple(f"{row.row_id} {dollars(row.cents)} ({row.words})" for row in own)
        for (of, item), own in rows.items()
        if of is whose
    }
