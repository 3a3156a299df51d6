"""The rows of derived lines: each with the item it drives, and, where a line has very many, their digest instead.

A line of more than `ROWS_IN_FULL` rows is carried as one row for each of its groups: how many rows there are, their
sum, and the SHA-256 of their canonical text. The rows themselves follow from the books that are on record, as they were
known when the computation was made: decision 0023.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from exports.reserve.derived import NONE_PREFIX, OwnRow, group_row
from exports.reserve.items import ITEMS, ReserveClass
from exports.reserve.lines import LineRow

ROWS_IN_FULL: Final = 500
"""A line of more rows than this is carried as their digest."""


@dataclass(frozen=True, slots=True)
class DerivedRow:
    """One amount of one line of one computation."""

    computation: ReserveClass
    item: int
    group: str
    """What kind of row it is, such as `margin accounts` or `bank_loan`: rows are added up by it."""
    row_id: str
    cents: int
    source: str
    """The rows of the books it comes from, and the paragraph that makes it count."""

    @property
    def line_row(self) -> LineRow:
        """The row as a line carries it."""
        return LineRow(self.row_id, self.cents, self.source)

    @property
    def own(self) -> OwnRow:
        """The row as a digest is made of it."""
        return self.computation, self.item, self.line_row


@dataclass(frozen=True, slots=True)
class Excluded:
    """Cents that are in the books and not in a line, and by which note or paragraph."""

    computation: ReserveClass
    item: int
    subject: str
    """Account, customer, security, line or agency."""
    note: str
    cents: int


def carried(
    rows: Iterable[DerivedRow], computation: ReserveClass, in_full: int = ROWS_IN_FULL
) -> list[tuple[int, LineRow]]:
    """The rows of one computation as its lines carry them; a line of nothing is an explicit zero."""
    lines: dict[int, list[DerivedRow]] = {each.number: [] for each in ITEMS}
    for row in rows:
        if row.computation is computation:
            lines[row.item].append(row)
    found: list[tuple[int, LineRow]] = []
    for number, own in lines.items():
        if not own:
            found.append((number, LineRow(f"{NONE_PREFIX}{computation}:{number}", 0, "the books have nothing of it")))
        elif len(own) <= in_full:
            found += [(number, row.line_row) for row in own]
        else:
            found += [(number, row) for row in _digests(computation, number, own)]
    return found


def _digests(computation: ReserveClass, item: int, rows: Iterable[DerivedRow]) -> Iterable[LineRow]:
    groups: dict[str, list[LineRow]] = defaultdict(list)
    for row in rows:
        groups[row.group].append(row.line_row)
    for group in sorted(groups):
        yield group_row(computation, item, group, groups[group])
