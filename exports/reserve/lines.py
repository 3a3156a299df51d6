"""The lines of one computation with the rows that drive them. Customer and PAB lines are two types.

Every line of Exhibit A is there exactly once, and each has at least one row: a line without anything is an explicit
row of zero, because a missing input is not a zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Self

from exports.reserve.errors import ItemsRefused
from exports.reserve.items import ITEMS, ReserveClass, Side, item
from exports.reserve.money import require_cents


@dataclass(frozen=True, slots=True)
class LineRow:
    """One amount that a line is made of, and what it comes from."""

    row_id: str
    """Name of the position, balance or stated figure: stable, and unique within its line."""
    cents: int
    """US cents, zero or more."""
    source: str
    """Where it can be looked up: a file and line, a statement, an account."""

    def __post_init__(self) -> None:
        require_cents(self.cents, f"row {self.row_id}")
        if not self.row_id:
            raise ItemsRefused("a row has no id")


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One line of Exhibit A with its rows, in the order of their ids."""

    number: int
    rows: tuple[LineRow, ...]

    @property
    def cents(self) -> int:
        """Sum of the rows."""
        return sum(row.cents for row in self.rows)


@dataclass(frozen=True, slots=True)
class _Lines:
    """Items 1 to 15 in their order."""

    account_class: ClassVar[ReserveClass]
    lines: tuple[ItemLine, ...]

    def __post_init__(self) -> None:
        if [line.number for line in self.lines] != [each.number for each in ITEMS]:
            raise ItemsRefused("the lines must be items 1 to 15, each exactly once and in order")
        for line in self.lines:
            if not line.rows:
                raise ItemsRefused(f"item {line.number} has no row; a line of nothing is an explicit zero")
            ids = [row.row_id for row in line.rows]
            if ids != sorted(set(ids)):
                raise ItemsRefused(f"the rows of item {line.number} are not in order, or one is there twice")

    @classmethod
    def of(cls, rows: Iterable[tuple[int, LineRow]]) -> Self:
        """The lines from rows in any order, each with the number of its item.

        Raises `ItemsRefused` for a line that is missing, a row that is there twice, or a number that is no item.
        """
        found: dict[int, list[LineRow]] = {each.number: [] for each in ITEMS}
        for number, row in rows:
            if number not in found:
                raise ItemsRefused(f"{number} is no item of Exhibit A; line 16 is computed, not given")
            found[number].append(row)
        return cls(tuple(ItemLine(n, tuple(sorted(each, key=lambda row: row.row_id))) for n, each in found.items()))

    def cents(self, number: int) -> int:
        """Amount of one line."""
        return self.lines[item(number).number - 1].cents

    def total(self, side: Side) -> int:
        """Sum of all lines of a side, before any percentage."""
        return sum(line.cents for line in self.lines if item(line.number).side is side)


class CustomerItems(_Lines):
    """The lines of the customer computation."""

    __slots__ = ()
    account_class = ReserveClass.CUSTOMER


class PabItems(_Lines):
    """The lines of the PAB computation: Exhibit A with "customer" read as PAB, PAB Note 1."""

    __slots__ = ()
    account_class = ReserveClass.PAB


def credits_used_twice(customer: CustomerItems, pab: PabItems) -> list[str]:
    """Ids of rows that are a credit in both computations, which PAB Note 2 forbids; zero rows are no credit."""
    used = [
        {row.row_id for line in lines if item(line.number).side is Side.CREDIT for row in line.rows if row.cents}
        for lines in (customer.lines, pab.lines)
    ]
    return sorted(used[0] & used[1])
