"""The books of the firm as they stood: a closed day's, and those with what was posted since."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from chains.types import AssetId
from mapping.books import Books
from mapping.books_rows import BULK_FORMS, CLOSED, ROW_ID
from mapping.books_types import BooksClose, BooksFile
from mapping.types import AssetRecord, Origin
from verifier.errors import InputError
from verifier.reserve.books import books_closing_problems, overlaid
from verifier.store.books_rows import ROW_CLASSES, DayRows
from verifier.store.mapping_store import FILE, MappingStore
from verifier.store.tables import BooksCloseRow, JournalEntryRow, table

CLOSE = table(BooksCloseRow)
ENTRY = table(JournalEntryRow)


class BooksStore(MappingStore):
    """The books' side of the store."""

    def books_closes(self, known_at: datetime) -> list[BooksClose]:
        """The newest close of each day and file."""
        return self._newest(BooksClose, known_at)

    def closed_days(self, known_at: datetime) -> list[date]:
        """The days of which every file is closed, oldest first. Whether the closes agree is told by `books`."""
        files: dict[date, set[BooksFile]] = {}
        for each in self.books_closes(known_at):
            files.setdefault(each.as_of, set()).add(each.file)
        return sorted(day for day, closed in files.items() if closed == set(BooksFile))

    def books(self, as_of: date, known_at: datetime) -> Books:
        """The books of a closed day, as known at a time.

        Raises `InputError` with all reasons when a file is not closed, or its close does not agree with its rows.
        """
        found = self.stated_books(as_of, known_at)
        problems = books_closing_problems(found, self.books_closes(known_at))
        if problems:
            raise InputError(
                f"the books of {as_of.isoformat()} are not complete: {'; '.join(problems)}",
                advice="Import the missing rows, or books_close.csv with the right count and total.",
            )
        return found

    def books_now(self, known_at: datetime) -> Books | None:
        """The newest closed day's books with the rows of later days laid over them; None where no day is closed.

        Raises `InputError` as `books` does.
        """
        days = self.closed_days(known_at)
        if not days:
            return None
        closed = self.books(days[-1], known_at)
        for day in self._later_days(days[-1], known_at):
            closed = overlaid(closed, self.stated_books(day, known_at, with_closed_lines=True))
        return closed

    def stated_books(self, as_of: date, known_at: datetime, *, with_closed_lines: bool = False) -> Books:
        """The rows of a day as known at a time, complete or not."""
        with self.read() as connection:
            until = _until(connection, known_at)

            def bulk(name: str) -> tuple[Any, ...]:
                record = BULK_FORMS[name].record
                rows = DayRows(connection, name, as_of, until).plain()
                if name == "stock_record" and not with_closed_lines:
                    rows = (row for row in rows if not row[CLOSED])
                return tuple(map(record, rows))

            stock = bulk("stock_record")
            accounts = bulk("accounts")
        named = {line.security_id for line in stock}
        return Books(
            as_of,
            accounts,
            (),
            stock,
            (),
            tuple(_assets_on(self.asset_history(known_at), as_of, named)),
            (),
            (),
            (),
            (),
            (),
            (),
        )

    def books_origins(
        self, table_name: str, as_of: date, known_at: datetime, ids: Collection[str]
    ) -> dict[str, Origin]:
        """File, digest and line of the newest row of these ids of a day, of `accounts` or `stock_record`."""
        with self.read() as connection:
            files = {
                row.record_id: row
                for row in connection.execute(sa.select(FILE.c.record_id, FILE.c.name, FILE.c.digest))
            }
            rows = DayRows(connection, table_name, as_of, _until(connection, known_at)).sourced(ids)
            return {
                str(row[ROW_ID]): Origin(files[file_key].name, files[file_key].digest, line)
                for (file_key, line), row in rows
            }

    def _later_days(self, closed: date, known_at: datetime) -> list[date]:
        days: set[date] = set()
        with self.read() as connection:
            until = _until(connection, known_at)
            for row_class in ROW_CLASSES.values():
                of = table(row_class)
                query = sa.select(of.c.as_of).where(of.c.as_of > closed, of.c.journal_sequence <= until).distinct()
                days.update(connection.execute(query).scalars())
        return sorted(days)


def _until(connection: sa.Connection, known_at: datetime) -> int:
    """The newest journal entry at a time: rows in bulk were recorded with theirs."""
    query = sa.select(sa.func.max(ENTRY.c.sequence)).where(ENTRY.c.recorded_at <= known_at)
    return connection.execute(query).scalar() or 0


def _assets_on(history: list[AssetRecord], day: date, named: Collection[AssetId]) -> list[AssetRecord]:
    """One record per named asset: the legal class in force on a day, or the first one decided after it."""
    found: dict[AssetId, AssetRecord] = {}
    for each in sorted(history, key=lambda record: record.legal_class_from):
        asset_id = each.asset.asset_id
        if asset_id in named and (asset_id not in found or each.legal_class_from <= day):
            found[asset_id] = each
    return [found[asset_id] for asset_id in sorted(found)]
