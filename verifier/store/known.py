"""What the importer asks about everything recorded so far (`mapping.known.KnownBook`), answered by the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from chains.types import Asset, AssetId, LocationId
from mapping.book import AllocationKey, Place
from mapping.books_rows import BULK_FORMS, ROW_ID
from mapping.bulk import Plain
from mapping.columns import Key
from mapping.custodian_types import CustodianAccount
from mapping.known import KnownBook, SnapshotState
from mapping.reserve_types import ReserveBankAccount
from mapping.tables import table_named
from mapping.types import AssetRecord, FirmAddress, LedgerEntry, PoolMember, Position, Record
from verifier.store.books_rows import DayRows, known_accounts
from verifier.store.codec import CODECS
from verifier.store.codec_types import date_or_none
from verifier.store.engine import Database
from verifier.store.mapping_store import (
    ASSET_TEXT,
    CLIENT_TEXT,
    ENTRY,
    FILE,
    LOCATION_TEXT,
    POSITION,
    newest_records,
    stored_entries,
    stored_positions,
)
from verifier.store.tables import ClearingAgencyRow, ClientRow, LienRow, StatedAllocationRow, table
from verifier.store.tables.base import StoredRow

STATED = table(StatedAllocationRow)
KEYS_PER_QUERY = 500
_ID_ROWS: Final[Mapping[str, tuple[type[StoredRow], str]]] = {
    "clients": (ClientRow, "client_id"),
    "clearing_agencies": (ClearingAgencyRow, "agency"),
    "liens": (LienRow, "lien_id"),
}


class KnownStore(Database):
    """The store as the importer sees it."""

    @contextmanager
    def known(self) -> Iterator[KnownBook]:
        """What is known at this moment; all answers are of the same moment."""
        with self.read() as connection:
            yield StoredBook(connection)


class StoredBook:
    """A `KnownBook` over one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def file_imported(self, digest: str) -> bool:
        """Whether a file (or posted row) of this SHA-256 was imported before."""
        return self._connection.execute(sa.select(FILE.c.record_id).where(FILE.c.digest == digest)).first() is not None

    def records(self, table: str, keys: Collection[Key]) -> Mapping[Key, Record]:
        """The newest record of each natural key of a table, where there is one."""
        declared = table_named(table)
        found: dict[Key, Record] = {}
        if not keys:
            return found
        if (form := BULK_FORMS.get(table)) is not None:
            for text in {key[0] for key in keys}:
                if (day := date_or_none(text)) is not None:
                    rows = self.bulk_rows(table, day, ids={key[1] for key in keys if key[0] == text})
                    found.update({(text, str(row[ROW_ID])): form.record(row) for row in rows})
            return found
        wanted = set(keys)
        for record in self._candidates(declared.record_type, wanted):
            key = declared.key(record)
            if key in wanted:
                found[key] = record
        return found

    def _candidates(self, record_type: type[Any], keys: Collection[Key]) -> Iterable[Record]:
        """Records that may have one of the keys, older before newer."""
        if record_type is LedgerEntry:
            for chunk in _chunks({key[0] for key in keys}):
                for entry, _ in stored_entries(self._connection, ENTRY.c.entry_id.in_(chunk)):
                    yield entry
        elif record_type is Position:
            for chunk in _chunks({key[1] for key in keys}):
                yield from stored_positions(self._connection, POSITION.c.statement_id.in_(chunk))
        else:
            codec = CODECS[record_type]
            column = _table(codec.row_class).c[codec.lookup_column]
            for chunk in _chunks({key[codec.lookup_part] for key in keys}):
                values = [value for text in chunk if (value := codec.lookup_value(text)) is not None]
                yield from newest_records(self._connection, record_type, column.in_(values))

    def assets(self) -> Mapping[AssetId, Asset]:
        """Every asset of the reviewed table."""
        return {each.asset.asset_id: each.asset for each in newest_records(self._connection, AssetRecord)}

    def pool_members(self) -> Sequence[PoolMember]:
        """Every pool membership, past ones too."""
        return newest_records(self._connection, PoolMember)

    def firm_addresses(self) -> Sequence[FirmAddress]:
        """Every address of the firm itself, past ones too."""
        return newest_records(self._connection, FirmAddress)

    def reserve_accounts(self) -> Sequence[ReserveBankAccount]:
        """Every row about a reserve bank account, past ones too."""
        return newest_records(self._connection, ReserveBankAccount)

    def custodian_accounts(self) -> Sequence[CustodianAccount]:
        """Every row about an account at an outside party, past ones too."""
        return newest_records(self._connection, CustodianAccount)

    def latest_snapshots(self, places: Collection[Place]) -> Mapping[Place, SnapshotState]:
        """The newest snapshot of each place, where there is one."""
        wanted = set(places)
        newest: dict[Place, datetime] = {}
        figures: dict[Place, dict[AllocationKey, int]] = {}
        for chunk in _chunks({location for location, _ in wanted}):
            query = (
                sa.select(
                    STATED,
                    CLIENT_TEXT.c.text.label("client_id"),
                    LOCATION_TEXT.c.text.label("location_id"),
                    ASSET_TEXT.c.text.label("asset_id"),
                )
                .join_from(STATED, CLIENT_TEXT, STATED.c.client_key == CLIENT_TEXT.c.record_id)
                .join(LOCATION_TEXT, STATED.c.location_key == LOCATION_TEXT.c.record_id)
                .join(ASSET_TEXT, STATED.c.asset_key == ASSET_TEXT.c.record_id)
                .where(LOCATION_TEXT.c.text.in_(chunk))
                .order_by(STATED.c.record_id)
            )
            for row in self._connection.execute(query):
                place = (LocationId(row.location_id), AssetId(row.asset_id))
                if place not in wanted or newest.get(place, row.as_of) > row.as_of:
                    continue
                if newest.get(place) != row.as_of:
                    newest[place], figures[place] = row.as_of, {}
                figures[place][AllocationKey(row.client_id, row.account_class, *place, row.is_gas_float)] = (
                    row.base_units
                )
        return {place: SnapshotState(as_of, figures[place]) for place, as_of in newest.items()}

    def entries_at(self, locations: Collection[LocationId]) -> Iterable[LedgerEntry]:
        """Every ledger entry at these locations."""
        for chunk in _chunks(set(locations)):
            for entry, _ in stored_entries(self._connection, LOCATION_TEXT.c.text.in_(chunk)):
                yield entry

    def statements(self, ids: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Sequence[Position]]:
        """All rows of each outside statement, by (stated_by, statement_id), where there is one."""
        found: dict[tuple[str, str], list[Position]] = defaultdict(list)
        for chunk in _chunks({statement_id for _, statement_id in ids}):
            for row in stored_positions(self._connection, POSITION.c.statement_id.in_(chunk)):
                if (row.stated_by, row.statement_id) in ids:
                    found[row.stated_by, row.statement_id].append(row)
        return found

    def known_ids(self, table: str, ids: Collection[str]) -> set[str]:
        """Those of these ids of which a table has a row."""
        column = _table(_ID_ROWS[table][0]).c[_ID_ROWS[table][1]]
        if len(ids) > 20 * KEYS_PER_QUERY:
            return set(self._connection.execute(sa.select(column).distinct()).scalars()) & set(ids)
        found: set[str] = set()
        for chunk in _chunks(set(ids)):
            found.update(self._connection.execute(sa.select(column).where(column.in_(chunk))).scalars())
        return found

    def bulk_rows(
        self,
        table: str,
        day: date,
        *,
        ids: Collection[str] | None = None,
        securities: Collection[str] | None = None,
    ) -> Iterator[Plain]:
        """The newest row of each id of a day, as plain values."""
        return DayRows(self._connection, table, day).plain(ids, securities)

    def account_ids(self, day: date, ids: Collection[str], *, or_before: bool) -> set[str]:
        """Those of these ids that are accounts with a balance of a day, or of an earlier one."""
        return known_accounts(self._connection, day, ids, or_before=or_before)


_table = table


def _chunks(texts: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(texts)
    for start in range(0, len(ordered), KEYS_PER_QUERY):
        yield ordered[start : start + KEYS_PER_QUERY]
