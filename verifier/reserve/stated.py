"""The stated items: `reserve_items.csv`, one row for each line of each computation, nil lines as explicit zeros.

Columns: `computation` (customer or pab), `item` (1 to 15), `side` (credit or debit, as fixed by the rule: a second
look at the number), `amount` (US dollars, plain decimal, at most two decimals, never negative), `reference`. Item 10 is
stated after the exclusions and reductions of Note E(1), (2), (4), (5) and (6), and before the 1 percent of Note E(3) or
any percentage of aggregate debit items: those the formula takes.

All problems of a file are collected; with any of them nothing is computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from chains.errors import InvalidValue
from exports.reserve.items import ITEMS, item
from exports.reserve.lines import CustomerItems, LineRow, PabItems
from exports.reserve.money import DOLLAR
from mapping.types import AccountClass, Problem

FILE: Final = "reserve_items.csv"
COLUMNS: Final = ("computation", "item", "side", "amount", "reference")
_COMPUTATIONS: Final = (AccountClass.CUSTOMER, AccountClass.PAB)


@dataclass(frozen=True, slots=True)
class StatedItems:
    """Both computations' lines, or the problems for which there are none."""

    customer: CustomerItems | None
    pab: PabItems | None
    problems: tuple[Problem, ...]


def read_stated_items(rows: Iterable[tuple[int, Mapping[str, str]]], file: str = FILE) -> StatedItems:
    """Lines from the rows of the file, each with its line number and its texts by column.

    A file has both computations, thirty rows: a firm without PAB accounts states fifteen zeros.
    """
    found: dict[tuple[AccountClass, int], LineRow] = {}
    lines: dict[tuple[AccountClass, int], int] = {}
    problems: list[Problem] = []
    for line, texts in rows:
        row_problems, key, row = _read(line, texts, file)
        if key is not None and key in lines:
            reason = f"{key[0]} item {key[1]} is also in line {lines[key]}; each line is stated once"
            row_problems.append(Problem(file, line, "item", texts.get("item", "")[:80], reason))
        elif key is not None:
            lines[key] = line
        if key is not None and row is not None and not row_problems:
            found[key] = row
        problems += row_problems
    for each in _COMPUTATIONS:
        for number in (one.number for one in ITEMS):
            if (each, number) not in lines:
                reason = f"{each} item {number} is missing; a line of nothing is an explicit 0.00"
                problems.append(Problem(file, 0, "item", "", reason))
    if problems:
        return StatedItems(None, None, tuple(problems))
    customer, pab = (
        [(number, row) for (kind, number), row in found.items() if kind is wanted] for wanted in _COMPUTATIONS
    )
    return StatedItems(CustomerItems.of(customer), PabItems.of(pab), ())


def _read(
    line: int, texts: Mapping[str, str], file: str
) -> tuple[list[Problem], tuple[AccountClass, int] | None, LineRow | None]:
    """One row: its problems, which line it states if that can be told, and the amount if that is good."""
    problems: list[Problem] = []

    def wrong(column: str, reason: str) -> None:
        value = texts.get(column, "").encode("unicode_escape").decode("ascii")[:80]
        problems.append(Problem(file, line, column, value, reason))

    for column in sorted(set(texts) - set(COLUMNS)):
        wrong(column, f"is no column of this file: {', '.join(COLUMNS)}")
    computation = next((each for each in _COMPUTATIONS if each == texts.get("computation", "")), None)
    if computation is None:
        wrong("computation", "must be customer or pab")
    number = next((each.number for each in ITEMS if str(each.number) == texts.get("item", "")), None)
    if number is None:
        wrong("item", "must be an item of Exhibit A, 1 to 15; the result of line 16 is computed, not stated")
    elif texts.get("side", "") != item(number).side:
        wrong("side", f"item {number} is a {item(number).side} line")
    if not texts.get("reference", "").strip():
        wrong("reference", "a value is required: where the figure can be looked up")
    cents = None
    try:
        cents = DOLLAR.parse_quantity(texts.get("amount", ""))
    except InvalidValue as error:
        wrong("amount", str(error) if texts.get("amount") else "a value is required; nothing is an explicit 0.00")
    if cents is not None and cents < 0:
        wrong("amount", "is negative; the side is fixed, so the amount is zero or more")
    if computation is None or number is None:
        return problems, None, None
    if cents is None or cents < 0:
        return problems, (computation, number), None
    row = LineRow(f"stated:{computation}:{number}", cents, f"{file} line {line}: {texts.get('reference', '').strip()}")
    return problems, (computation, number), row
