"""Reading a whole table in the order of its keys, in pages and in canonical form, with bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, cast

import sqlalchemy as sa

from verifier.store.types import Canonical, CanonicalType, driver_canonical

PAGE_ROWS: Final = 5_000
"""Rows read at a time."""

Row = tuple[Canonical, ...]
"""All columns of a row, record_id first."""


class TableReader:
    """The rows of one table, once, in the order of their keys, from after `after` on."""

    def __init__(self, connection: sa.Connection, of: sa.Table, *, after: int | None = None) -> None:
        self._connection = connection
        self._table = of
        self._names = ", ".join(f'"{column.name}"' for column in of.columns)
        self._convert: list[tuple[int, Callable[[Any], Canonical]]] = []
        for position, column in enumerate(of.columns):
            convert = driver_canonical(cast("CanonicalType", column.type), connection.dialect.name)
            if convert is not None:
                self._convert.append((position, convert))
        self._rows: deque[Row] = deque()
        self._after = after
        self._ended = False

    def take_below(self, end: int) -> Iterator[Row]:
        """The next rows whose key is below `end`."""
        while self._rows or self._fill():
            if cast("int", self._rows[0][0]) >= end:
                return
            yield self._rows.popleft()

    def rest(self) -> Iterator[Row]:
        """All rows that are left."""
        while self._rows or self._fill():
            yield self._rows.popleft()

    def _fill(self) -> bool:
        if self._ended:
            return False
        after = "" if self._after is None else f"WHERE record_id > {self._after} "
        sql = f"SELECT {self._names} FROM {self._table.name} {after}ORDER BY record_id LIMIT {PAGE_ROWS}"  # noqa: S608
        page = self._connection.exec_driver_sql(sql).all()
        self._ended = len(page) < PAGE_ROWS
        if page:
            self._after = page[-1][0]
        self._rows.extend(self._canonical(row) for row in page)
        return bool(page)

    def _canonical(self, row: Sequence[Any]) -> Row:
        if not self._convert:
            return tuple(row)
        values = list(row)
        for position, convert in self._convert:
            values[position] = convert(values[position])
        return tuple(values)
