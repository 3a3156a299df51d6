"""Accounts at custodians, their statements with the messages they came in, and the comparisons made with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from chains.types import ChainId
from mapping.books_types import StockPlace
from mapping.custodian_types import CustodianAccount
from mapping.importer import ImportResult
from mapping.types import EntryKind, Position
from verifier.custodians.document import Statement, read_statement
from verifier.errors import InputError
from verifier.records import Rail
from verifier.store.case_seeing import see_cases
from verifier.store.case_store import CaseStore
from verifier.store.codec import CODECS
from verifier.store.engine import ENTRY
from verifier.store.mapping_store import FILE, POSITION, add_records, known_digests, newest_records, stored_positions
from verifier.store.records import CaseSeen, Sighted
from verifier.store.tables import (
    CustodianMessageRow,
    CustodianStatementRow,
    ImportedFileRow,
    InternedTextRow,
    LedgerEntryRow,
    SecuritiesRunRow,
    StockLineRow,
    table,
)

STATEMENT, MESSAGE, RUN = table(CustodianStatementRow), table(CustodianMessageRow), table(SecuritiesRunRow)
STOCK, TEXT = table(StockLineRow), table(InternedTextRow)


@dataclass(frozen=True, slots=True)
class StoredStatement:
    """A whole statement as it was recorded."""

    statement: Statement
    digest: str
    """SHA-256 of its document."""
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A comparison with custodians' statements as it was recorded."""

    run_id: str
    as_of: date
    known_at: datetime
    expected: int
    matched: int
    diverged: int
    unverified: int
    document: bytes
    digest: str
    recorded_at: datetime


class CustodianStore(CaseStore):
    """The custodians' side of the store."""

    def custodian_accounts(self, known_at: datetime) -> list[CustodianAccount]:
        """The newest record of every row about an account at a custodian, past ones too."""
        of = table(CODECS[CustodianAccount].row_class)
        with self.read() as connection:
            return newest_records(connection, CustodianAccount, of.c.recorded_at <= known_at)

    def custodian_statements(
        self, known_at: datetime, since: datetime | None = None, until: datetime | None = None
    ) -> list[StoredStatement]:
        """Every whole statement, of moments from `since` on and before `until`, in the order they came."""
        query = sa.select(STATEMENT).where(STATEMENT.c.recorded_at <= known_at).order_by(STATEMENT.c.record_id)
        if since is not None:
            query = query.where(STATEMENT.c.as_of >= since)
        if until is not None:
            query = query.where(STATEMENT.c.as_of < until)
        with self.read() as connection:
            return [_statement(row) for row in connection.execute(query)]

    def custodian_statement(self, stated_by: str, statement_id: str) -> StoredStatement | None:
        """One whole statement; None when there is none of this party and id."""
        query = sa.select(STATEMENT).where(STATEMENT.c.stated_by == stated_by, STATEMENT.c.statement_id == statement_id)
        with self.read() as connection:
            row = connection.execute(query).first()
        return _statement(row) if row is not None else None

    def outside_positions(self, since: datetime, until: datetime, known_at: datetime) -> list[Position]:
        """Positions that were stated of moments from `since` on and before `until`, in the order they came."""
        conditions = (POSITION.c.recorded_at <= known_at, POSITION.c.as_of >= since, POSITION.c.as_of < until)
        with self.read() as connection:
            return list(stored_positions(connection, *conditions))

    def owns_anything_at(self, prefixes: Iterable[str], moment: datetime, known_at: datetime) -> bool:
        """Whether the books say at a moment that anybody owns anything at a location with one of these prefixes.

        A prefix is what stands before the colon of a location's id. Entries of other places are not looked at.
        """
        of = table(LedgerEntryRow)
        places = sa.or_(*(TEXT.c.text.startswith(f"{prefix}:", autoescape=True) for prefix in prefixes))
        is_gas_float = (of.c.kind == EntryKind.GAS_FLOAT).label("is_gas_float")
        owner = (of.c.client_key, of.c.account_class, of.c.location_key, of.c.asset_key, is_gas_float)
        query = (
            sa.select(*owner, of.c.base_units)
            .join_from(TEXT, of, of.c.location_key == TEXT.c.record_id)
            .where(places, of.c.effective_at <= moment, of.c.recorded_at <= known_at)
        )
        sums: Counter[tuple[object, ...]] = Counter()
        with self.read() as connection:
            if connection.execute(sa.select(TEXT.c.record_id).where(places).limit(1)).first() is None:
                return False  # few firms have such a place, and then nobody joins all entries
            for *key, base_units in connection.execute(query):
                sums[tuple(key)] += base_units
        return any(sums.values())

    def has_stock_at(self, places: Iterable[StockPlace], known_at: datetime) -> bool:
        """Whether any line of the stock record, of any day, stands at one of these places."""
        query = sa.select(STOCK.c.record_id).where(STOCK.c.place.in_(list(places)))
        sequence = sa.select(sa.func.max(ENTRY.c.sequence)).where(ENTRY.c.recorded_at <= known_at).scalar_subquery()
        with self.read() as connection:
            return connection.execute(query.where(STOCK.c.journal_sequence <= sequence).limit(1)).first() is not None

    def custodian_messages(self, digests: Iterable[str]) -> dict[str, str]:
        """The text of messages by the SHA-256 of their files, exactly as they came."""
        query = (
            sa.select(FILE.c.digest, MESSAGE.c.text)
            .join_from(MESSAGE, FILE, MESSAGE.c.file_key == FILE.c.record_id)
            .where(FILE.c.digest.in_(list(digests)))
        )
        with self.read() as connection:
            return {row.digest: row.text for row in connection.execute(query)}

    def known_files(self, digests: Sequence[str]) -> set[str]:
        """Those of these digests whose files were imported."""
        with self.read() as connection:
            return known_digests(connection, digests)

    def add_statements(
        self,
        statements: Sequence[Statement],
        result: ImportResult,
        messages: Mapping[str, str],
        actor: str,
        now: datetime,
    ) -> None:
        """Store whole statements, their positions, and the messages by their files' SHA-256, in one transaction.

        Raises `InputError` when one of them is recorded already: a statement is never changed.
        """
        if result.problems:
            raise InputError(f"the statements have {len(result.problems)} problems; nothing was stored")
        payload = {
            "statements": [
                {"stated_by": each.stated_by, "statement_id": each.statement_id, "sha256": each.digest}
                for each in statements
            ]
        }
        with self.record("statement.imported", actor, payload, now) as unit:
            for each in statements:
                known = sa.select(STATEMENT.c.digest).where(
                    STATEMENT.c.stated_by == each.stated_by, STATEMENT.c.statement_id == each.statement_id
                )
                if unit.connection.execute(known).first() is not None:
                    raise InputError(f"statement {each.statement_id} of {each.stated_by} is recorded already")
            keys = {
                each.digest: unit.add(ImportedFileRow, digest=each.digest, name=each.name, row_count=each.rows)
                for each in result.files
                if not each.already_imported
            }
            add_records(unit, result.records, keys)
            for digest, text in messages.items():
                if digest in keys:
                    unit.add(CustodianMessageRow, file_key=keys[digest], text=text)
            for each in statements:
                unit.add(
                    CustodianStatementRow,
                    stated_by=each.stated_by,
                    statement_id=each.statement_id,
                    format=each.format,
                    as_of=each.as_of,
                    document=each.canonical().decode(),
                    digest=each.digest,
                )

    def add_securities_run(
        self,
        as_of: date,
        known_at: datetime,
        counts: tuple[int, int, int, int],
        document: bytes,
        digest: str,
        sightings: Iterable[Sighted],
        actor: str,
        now: datetime,
    ) -> tuple[StoredRun, list[CaseSeen]]:
        """Record a comparison and its cases; `counts` are expected, matched, diverged and unverified.

        The sightings must be everything there is to see on the securities rail: cases of it that are not among them
        are noted as no longer seen. Of a day before one that was compared, only new cases are opened.
        """
        expected, matched, diverged, unverified = counts
        payload = {"as_of": as_of.isoformat(), "sha256": digest}
        with self.record("securities.reconciled", actor, payload, now) as unit:
            number = unit.connection.execute(sa.select(sa.func.count()).select_from(RUN)).scalar_one() + 1
            newest = unit.connection.execute(sa.select(sa.func.max(RUN.c.as_of))).scalar()
            looks_back = newest is not None and as_of < newest
            run_id = f"SR-{number:06d}"
            unit.add(
                SecuritiesRunRow,
                run_id=run_id,
                as_of=as_of,
                known_at=known_at,
                expected=expected,
                matched=matched,
                diverged=diverged,
                unverified=unverified,
                document=document.decode(),
                digest=digest,
            )
            seen = see_cases(
                unit,
                ChainId(""),
                None,
                sightings,
                actor,
                all_seen=not looks_back,
                looks_back=looks_back,
                rail=Rail.SECURITIES,
            )
        return self.securities_run(run_id), seen

    def securities_runs(self, known_at: datetime | None = None) -> list[StoredRun]:
        """Every comparison, in the order they were made."""
        query = sa.select(RUN).order_by(RUN.c.record_id)
        if known_at is not None:
            query = query.where(RUN.c.recorded_at <= known_at)
        with self.read() as connection:
            return [_run(row) for row in connection.execute(query)]

    def securities_run(self, run_id: str) -> StoredRun:
        """One comparison. Raises `InputError` when there is none of this id."""
        with self.read() as connection:
            row = connection.execute(sa.select(RUN).where(RUN.c.run_id == run_id)).first()
        if row is None:
            raise InputError(f"there is no comparison {run_id}")
        return _run(row)

    def newest_securities_run(
        self, known_at: datetime | None = None, on_or_before: date | None = None
    ) -> StoredRun | None:
        """Of the latest day compared (on or before a day), the comparison made last; None when none was made."""
        query = sa.select(RUN).order_by(RUN.c.as_of.desc(), RUN.c.record_id.desc()).limit(1)
        if known_at is not None:
            query = query.where(RUN.c.recorded_at <= known_at)
        if on_or_before is not None:
            query = query.where(RUN.c.as_of <= on_or_before)
        with self.read() as connection:
            row = connection.execute(query).first()
        return _run(row) if row is not None else None


def _statement(row: Any) -> StoredStatement:
    return StoredStatement(read_statement(row.document.encode()), row.digest, row.recorded_at)


def _run(row: Any) -> StoredRun:
    return StoredRun(
        row.run_id,
        row.as_of,
        row.known_at,
        row.expected,
        row.matched,
        row.diverged,
        row.unverified,
        row.document.encode(),
        row.digest,
        row.recorded_at,
    )
