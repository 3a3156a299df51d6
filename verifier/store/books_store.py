"""The books of the firm as they stood: a closed day's, and those with what was posted since."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any, cast

import sqlalchemy as sa

from chains.garbage import rare_collections
from chains.types import AssetId
from mapping.books import Books
from mapping.books_rows import BULK_FORMS, CLOSED, ROW_ID
from mapping.books_types import (
    AccountRelation,
    BooksClose,
    BooksFile,
    ClearingAgency,
    ClearingMargin,
    ControlLocation,
    Lien,
    OtherAmount,
    PabRelief,
    SecurityFact,
)
from mapping.types import AssetRecord, Origin
from verifier.errors import InputError
from verifier.reserve.books import books_closing_problems, overlaid
from verifier.reserve.reclassified import AccountVersion
from verifier.store.books_rows import ROW_CLASSES, DayRows
from verifier.store.mapping_store import FILE, MappingStore
from verifier.store.tables import AccountBalanceRow, BooksCloseRow, JournalEntryRow, table

BALANCE, CLOSE = table(AccountBalanceRow), table(BooksCloseRow)
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
        return self._complete(self.stated_books(as_of, known_at), known_at)

    def _complete(self, found: Books, known_at: datetime) -> Books:
        problems = books_closing_problems(found, self.books_closes(known_at))
        if problems:
            raise InputError(
                f"the books of {found.as_of.isoformat()} are not complete: {'; '.join(problems)}",
                advice="Import the missing rows, or books_close.csv with the right count and total.",
            )
        return found

    def books_now(self, on: date, known_at: datetime, also: Collection[AssetId] = ()) -> Books | None:
        """The newest closed day's books with the rows of later days, up to `on`, laid over them.

        Facts are those in effect on `on`, the firm's civil date. None where no day is closed; raises `InputError` as
        `books` does. Trades are not laid over them here: `projected_books` does. `also` are further assets to tell of.
        """
        days = [day for day in self.closed_days(known_at) if day <= on]
        if not days:
            return None
        closed = self._complete(self.stated_books(days[-1], known_at, on=on, also=also), known_at)
        for day in self._later_days(days[-1], on, known_at):
            closed = overlaid(closed, self.stated_books(day, known_at, on=on, with_closed_lines=True))
        return closed

    def stated_books(
        self,
        as_of: date,
        known_at: datetime,
        *,
        on: date | None = None,
        with_closed_lines: bool = False,
        also: Collection[AssetId] = (),
    ) -> Books:
        """The rows of a day as known at a time, complete or not, with the facts in effect on that day or on `on`."""
        with rare_collections(), self.read() as connection:  # millions of rows, none of which is garbage
            until = _until(connection, known_at)

            def bulk(name: str) -> tuple[Any, ...]:
                record = BULK_FORMS[name].record
                rows = DayRows(connection, name, as_of, until).plain()
                if name == "stock_record" and not with_closed_lines:
                    rows = (row for row in rows if not row[CLOSED])
                return tuple(map(record, rows))

            stock = bulk("stock_record")
            accounts = bulk("accounts")
        named = {line.security_id for line in stock} | set(also)
        facts_on = max(as_of, on) if on is not None else as_of

        def of_day(record_type: type[Any]) -> tuple[Any, ...]:
            return tuple(each for each in self._newest(record_type, known_at) if each.as_of == as_of)

        def in_effect(record_type: type[Any], key: str) -> tuple[Any, ...]:
            rows = [each for each in self._newest(record_type, known_at) if each.effective_from <= facts_on]
            return tuple(
                {getattr(each, key): each for each in sorted(rows, key=lambda row: row.effective_from)}.values()
            )

        return Books(
            as_of,
            accounts,
            in_effect(AccountRelation, "account_id"),
            stock,
            in_effect(SecurityFact, "security_id"),
            tuple(_assets_on(self.asset_history(known_at), facts_on, named)),
            tuple(each for each in self._newest(ControlLocation, known_at) if each.effective_from <= facts_on),
            of_day(ClearingMargin),
            in_effect(ClearingAgency, "agency"),
            of_day(Lien),
            of_day(OtherAmount),
            tuple(each for each in self._newest(PabRelief, known_at) if each.on <= facts_on),
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

    def account_versions(self, first: date, last: date, known_at: datetime) -> list[AccountVersion]:
        """Every row of the days from `first` to `last` of the accounts whose class or type is not the same in all.

        By account, the oldest day first, within a day as they came.
        """
        with self.read() as connection:
            until = _until(connection, known_at)
            of = BALANCE
            within = (of.c.as_of >= first, of.c.as_of <= last, of.c.journal_sequence <= until)
            of_class, of_type = of.c.holder_class, of.c.account_type
            changed = (
                sa.select(of.c.account_id)
                .where(*within)
                .group_by(of.c.account_id)
                .having(
                    sa.or_(sa.func.min(of_class) != sa.func.max(of_class), sa.func.min(of_type) != sa.func.max(of_type))
                )
            )
            query = (
                sa.select(of, ENTRY.c.actor)
                .join_from(of, ENTRY, of.c.journal_sequence == ENTRY.c.sequence)
                .where(*within, of.c.account_id.in_(changed))
                .order_by(of.c.account_id, of.c.as_of, of.c.record_id)
            )
            return [
                AccountVersion(
                    row.account_id,
                    row.as_of,
                    row.holder_class,
                    row.account_type,
                    row.credit_balance or row.debit_balance,
                    row.actor,
                )
                for row in connection.execute(query)
            ]

    def _later_days(self, closed: date, last: date, known_at: datetime) -> list[date]:
        dated = (self._newest(each, known_at) for each in (ClearingMargin, Lien, OtherAmount))
        days: set[date] = {row.as_of for rows in cast("Iterable[list[Any]]", dated) for row in rows}
        with self.read() as connection:
            until = _until(connection, known_at)
            for row_class in ROW_CLASSES.values():
                of = table(row_class)
                query = sa.select(of.c.as_of).where(of.c.as_of > closed, of.c.journal_sequence <= until).distinct()
                days.update(connection.execute(query).scalars())
        return sorted(day for day in days if closed < day <= last)


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
