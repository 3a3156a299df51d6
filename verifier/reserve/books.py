"""The books of a day: whether they are complete, and later rows laid over them. Pure.

The books of a day are its rows exactly, and count only when each file's close agrees with them: a row that is missing
is not a zero. What is projected now are the newest closed day's rows, with rows of a later day in the place of those
of the same id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, TypeVar

from chains.types import EXACT
from mapping.books import Books
from mapping.books_types import (
    AccountBalance,
    BooksClose,
    BooksFile,
    ClearingMargin,
    Lien,
    OtherAmount,
    StockLine,
)

_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class DayTotals:
    """What the rows of one file of a day come to."""

    rows: int
    total: Decimal
    """In the unit of the file's close: whole units for the stock record, US dollars for the others."""


def totals_of(books: Books) -> dict[BooksFile, DayTotals]:
    """Count and control total of each file's rows."""
    decimals = {each.asset.asset_id: each.asset.decimals for each in books.assets}
    units: dict[int, int] = {}
    for line in books.stock:
        places = decimals[line.security_id]
        units[places] = units.get(places, 0) + line.base_units
    quantity = Decimal(0)
    for places, sum_of_units in units.items():
        quantity = EXACT.add(quantity, EXACT.scaleb(Decimal(sum_of_units), -places))
    return {
        BooksFile.ACCOUNTS: _dollars(len(books.accounts), (a.credit_balance + a.debit_balance for a in books.accounts)),
        BooksFile.STOCK_RECORD: DayTotals(len(books.stock), quantity),
        BooksFile.CLEARING_MARGIN: _dollars(len(books.clearing_margin), (m.on_deposit for m in books.clearing_margin)),
        BooksFile.LIENS: _dollars(len(books.liens), (lien.amount for lien in books.liens)),
        BooksFile.OTHER_AMOUNTS: _dollars(len(books.other_amounts), (each.cents for each in books.other_amounts)),
    }


def _dollars(rows: int, cents: Iterable[int]) -> DayTotals:
    return DayTotals(rows, EXACT.multiply(Decimal(sum(cents)), _CENT))


def books_closing_problems(books: Books, closes: Iterable[BooksClose]) -> list[str]:
    """Why the books of a day are not complete, one sentence each; empty when every file's close agrees with its rows.

    `closes` are the newest of each file; those of other days say nothing.
    """
    stated = {each.file: each for each in closes if each.as_of == books.as_of}
    day = books.as_of.isoformat()
    problems = []
    for file, found in totals_of(books).items():
        close = stated.get(file)
        if close is None:
            problems.append(f"{file}.csv of {day} is not closed: books_close.csv has no row for it")
        elif close.rows != found.rows:
            problems.append(f"{file}.csv of {day} was closed with {close.rows} rows, {found.rows} are on record")
        elif close.total != found.total:
            problems.append(
                f"{file}.csv of {day} was closed with a total of {close.total:f}, the rows come to {found.total:f}"
            )
    return problems


R = TypeVar("R", AccountBalance, StockLine, ClearingMargin, Lien, OtherAmount)


def overlaid(books: Books, later: Books) -> Books:
    """Books with the rows of later days in the place of those of the same id; `later` has the newest row of each.

    A closed line takes its earlier row away. The date stays that of the closed day.
    """
    assets = {each.asset.asset_id: each for each in (*later.assets, *books.assets)}
    return replace(
        books,
        assets=tuple(assets[asset_id] for asset_id in sorted(assets)),
        accounts=_laid(books.accounts, later.accounts, lambda row: row.account_id),
        stock=tuple(each for each in _laid(books.stock, later.stock, lambda row: row.line_id) if not each.closed),
        clearing_margin=_laid(books.clearing_margin, later.clearing_margin, lambda row: row.margin_id),
        liens=_laid(books.liens, later.liens, lambda row: row.lien_id),
        other_amounts=_laid(books.other_amounts, later.other_amounts, lambda row: row.amount_id),
    )


def _laid(rows: Sequence[R], later: Sequence[R], key: Callable[[R], str]) -> tuple[R, ...]:
    if not later:
        return tuple(rows)
    newest: dict[str, R] = {}
    for row in later:
        newest[key(row)] = row
    kept: list[R] = [newest.pop(key(row), row) for row in rows]
    kept.extend(newest.values())
    return tuple(kept)
