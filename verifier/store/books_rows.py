"""Rows of the books in bulk: packed rows into their tables, and a day's newest rows out of them, as plain values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, cast

import sqlalchemy as sa

from mapping.books_rows import LOCATION, SECURITY
from mapping.bulk import Plain, RowPack
from verifier.store.tables import AccountBalanceRow, InternedTextRow, StockLineRow, table
from verifier.store.tables.base import StoredRow
from verifier.store.types import Canonical, CanonicalType, driver_canonical
from verifier.store.unit import Unit

ROW_CLASSES: Final[Mapping[str, type[StoredRow]]] = {"accounts": AccountBalanceRow, "stock_record": StockLineRow}
_IDS: Final = {"accounts": "account_id", "stock_record": "line_id"}
_OWN: Final = 4
"""Columns of a table before the plain values: record_id, journal_sequence, file_key, line."""
_IDS_PER_QUERY: Final = 500
_PAGE_ROWS: Final = 10_000
TEXT: Final = table(InternedTextRow)


def add_pack(unit: Unit, pack: RowPack, file_key: int) -> None:
    """Store the rows of a pack."""
    if pack.table == "accounts":
        unit.add_rows(AccountBalanceRow, ((file_key, line, *row) for line, row in pack.rows()))
        return
    texts = unit.text_keys(
        {cast("str", text) for _, row in pack.rows() for text in (row[SECURITY], row[LOCATION]) if text}
    )

    def keyed(row: Plain) -> Plain:
        location = row[LOCATION]
        return (
            *row[:SECURITY],
            texts[cast("str", row[SECURITY])],
            *row[SECURITY + 1 : LOCATION],
            None if location is None else texts[cast("str", location)],
            *row[LOCATION + 1 :],
        )

    unit.add_rows(StockLineRow, ((file_key, line, *keyed(row)) for line, row in pack.rows()))


class DayRows:
    """The newest row of each id of a day, as known up to a journal entry. One pass, in the order the ids first came."""

    def __init__(self, connection: sa.Connection, name: str, day: date, until: int | None = None) -> None:
        self._connection = connection
        self._of = table(ROW_CLASSES[name])
        self._name = name
        self._conditions = [self._of.c.as_of == day]
        if until is not None:
            self._conditions.append(self._of.c.journal_sequence <= until)

    def plain(self, ids: Collection[str] | None = None, securities: Collection[str] | None = None) -> Iterator[Plain]:
        """The rows as plain values; of these ids alone where they are given, and of lines of these securities."""
        for row in self._rows(ids, securities):
            yield row[_OWN:]

    def sourced(
        self, ids: Collection[str] | None = None, securities: Collection[str] | None = None
    ) -> Iterator[tuple[tuple[int, int], Plain]]:
        """The rows, each with the key of its file and its line."""
        for row in self._rows(ids, securities):
            yield (cast("int", row[2]), cast("int", row[3])), row[_OWN:]

    def _rows(self, ids: Collection[str] | None, securities: Collection[str] | None) -> Iterator[tuple[Canonical, ...]]:
        superseded = self._superseded()
        for condition in self._chosen(ids, securities):
            rows = self._select(*condition)
            yield from (row for row in rows if row[0] not in superseded) if superseded else rows

    def _superseded(self) -> set[int]:
        """Keys of the rows of which the day has a newer one: none where one import gave all of the day."""
        of = self._of
        files = self._connection.execute(sa.select(of.c.file_key).where(*self._conditions).distinct().limit(2)).all()
        if len(files) < 2:
            return set()
        row_id = of.c[_IDS[self._name]]
        newest = (
            sa.select(sa.func.max(of.c.record_id).label("newest"), row_id.label("row_id"))
            .where(*self._conditions)
            .group_by(row_id)
            .having(sa.func.count() > 1)
            .subquery()
        )
        query = (
            sa.select(of.c.record_id)
            .join(newest, row_id == newest.c.row_id)
            .where(*self._conditions, of.c.record_id < newest.c.newest)
        )
        return set(self._connection.execute(query).scalars())

    def _chosen(
        self, ids: Collection[str] | None, securities: Collection[str] | None
    ) -> Iterator[list[sa.ColumnElement[bool]]]:
        more: list[sa.ColumnElement[bool]] = []
        if securities is not None:
            texts = sorted(securities)
            if len(texts) <= _IDS_PER_QUERY:  # else every row is read, and the caller sees more than it asked for
                keys = sa.select(TEXT.c.record_id).where(TEXT.c.text.in_(texts))
                more.append(self._of.c.security_key.in_(keys))
        if ids is None:
            yield more
            return
        ordered = sorted(ids)
        for start in range(0, len(ordered), _IDS_PER_QUERY):
            chunk = ordered[start : start + _IDS_PER_QUERY]
            yield [*more, self._of.c[_IDS[self._name]].in_(chunk)]

    def _select(self, *conditions: sa.ColumnElement[bool]) -> Iterator[tuple[Canonical, ...]]:
        """The table's own columns as canonical values, texts in the place of their keys."""
        columns: list[Any] = []
        converts: list[tuple[int, Callable[[Any], Canonical]]] = []
        source: Any = self._of
        for position, each in enumerate(self._of.columns):
            if each.name in ("security_key", "location_key"):
                text = TEXT.alias(each.name)
                source = source.join(text, each == text.c.record_id, isouter=each.nullable)
                columns.append(sa.type_coerce(text.c.text, sa.types.NullType()).label(each.name))
                continue
            columns.append(sa.type_coerce(each, sa.types.NullType()).label(each.name))  # canonical, or made so below
            convert = driver_canonical(cast("CanonicalType", each.type), self._connection.dialect.name)
            if convert is not None:
                converts.append((position, convert))
        query = sa.select(*columns).select_from(source).where(*self._conditions, *conditions)
        found = self._connection.execution_options(yield_per=_PAGE_ROWS).execute(query.order_by(self._of.c.record_id))
        for page in found.partitions():
            for row in page:
                yield _converted(row, converts) if converts else tuple(row)


def _converted(row: Sequence[Any], converts: list[tuple[int, Callable[[Any], Canonical]]]) -> tuple[Canonical, ...]:
    values = list(row)
    for position, convert in converts:
        values[position] = convert(values[position])
    return tuple(values)


def known_accounts(connection: sa.Connection, day: date, ids: Collection[str], *, or_before: bool) -> set[str]:
    """Those of these ids that are accounts with a balance of a day, or of an earlier one where that counts too."""
    of = table(AccountBalanceRow)
    when = of.c.as_of <= day if or_before else of.c.as_of == day
    if len(ids) > 20 * _IDS_PER_QUERY:
        return set(connection.execute(sa.select(of.c.account_id).where(when).distinct()).scalars()) & set(ids)
    found: set[str] = set()
    ordered = sorted(ids)
    for start in range(0, len(ordered), _IDS_PER_QUERY):
        chunk = ordered[start : start + _IDS_PER_QUERY]
        query = sa.select(of.c.account_id).where(when, of.c.account_id.in_(chunk)).distinct()
        found.update(connection.execute(query).scalars())
    return found
