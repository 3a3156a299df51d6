"""What is known before an import: the protocol the store fulfils, and the same thing in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Protocol

from chains.types import Asset, AssetId, LocationId
from mapping.book import AllocationKey, Place, allocation_key
from mapping.books_rows import BULK_FORMS, DAY, ROW_ID, SECURITY
from mapping.bulk import Plain, RowPack
from mapping.columns import Key
from mapping.custodian_types import CustodianAccount
from mapping.reserve_types import ReserveBankAccount
from mapping.types import (
    Allocation,
    AssetRecord,
    FirmAddress,
    LedgerEntry,
    PoolMember,
    Position,
    Record,
    Sourced,
)

ID_PARTS: Final[Mapping[str, int]] = {"clients": 0, "clearing_agencies": 0, "liens": 1}
"""Which part of the natural key is the id that rows of other tables name."""


@dataclass(frozen=True, slots=True)
class SnapshotState:
    """The newest snapshot of one asset at one location."""

    as_of: datetime
    figures: Mapping[AllocationKey, int]
    """Every figure stated at that moment, zeros included, in base units."""


class KnownBook(Protocol):
    """What the importer asks about everything recorded so far. Every answer is as known now.

    The questions take many keys at once, so that a store answers a million rows with a few queries.
    """

    def file_imported(self, digest: str) -> bool:
        """Whether a file (or posted row) of this SHA-256 was imported before."""

    def records(self, table: str, keys: Collection[Key]) -> Mapping[Key, Record]:
        """The newest record of each natural key of a table (`clients`, `wallets`, …), where there is one.

        Not asked for `allocations`.
        """

    def assets(self) -> Mapping[AssetId, Asset]:
        """Every asset of the reviewed table."""

    def pool_members(self) -> Sequence[PoolMember]:
        """Every pool membership, past ones too: the newest record of each natural key."""

    def firm_addresses(self) -> Sequence[FirmAddress]:
        """Every address of the firm itself, past ones too: the newest record of each natural key."""

    def reserve_accounts(self) -> Sequence[ReserveBankAccount]:
        """Every row about a reserve bank account, past ones too: the newest record of each natural key."""

    def custodian_accounts(self) -> Sequence[CustodianAccount]:
        """Every row about an account at an outside party, past ones too: the newest record of each natural key."""

    def latest_snapshots(self, places: Collection[Place]) -> Mapping[Place, SnapshotState]:
        """The newest snapshot of each place, where there is one."""

    def entries_at(self, locations: Collection[LocationId]) -> Iterable[LedgerEntry]:
        """Every ledger entry at these locations, in any order."""

    def statements(self, ids: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Sequence[Position]]:
        """All rows of each outside statement, by (stated_by, statement_id), where there is one."""

    def known_ids(self, table: str, ids: Collection[str]) -> set[str]:
        """Those of these ids of which a table of `ID_PARTS` has a row, of whatever day."""

    def bulk_rows(
        self,
        table: str,
        day: date,
        *,
        ids: Collection[str] | None = None,
        securities: Collection[str] | None = None,
    ) -> Iterator[Plain]:
        """The newest row of each id of a day, of `accounts` or `stock_record`, closed lines too, as plain values.

        Of these ids alone where they are given, and of lines of these securities.
        """

    def account_ids(self, day: date, ids: Collection[str], *, or_before: bool) -> set[str]:
        """Those of these ids that are accounts with a balance of a day, or of an earlier one where that counts too."""


class MemoryBook:
    """A `KnownBook` in memory: for tests, for checking a folder before there is a store, and as the reference."""

    def __init__(self) -> None:
        self._digests: set[str] = set()
        self._records: dict[str, dict[Key, Record]] = defaultdict(dict)
        self._snapshots: dict[Place, tuple[datetime, dict[AllocationKey, int]]] = {}
        self._entries: dict[LocationId, list[LedgerEntry]] = defaultdict(list)
        self._bulk: dict[str, dict[tuple[str, str], Plain]] = defaultdict(dict)

    def apply(
        self, records: Iterable[Sourced[Record]], digests: Iterable[str], packs: Iterable[RowPack] = ()
    ) -> list[Sourced[LedgerEntry]]:
        """Record what an import gave; returns the ledger entries it came to."""
        from mapping.book import import_entries, sum_entries
        from mapping.tables import table_of

        records = list(records)

        def allocations_at(as_of: datetime) -> Mapping[AllocationKey, int]:
            everything = (entry for entries in self._entries.values() for entry in entries)
            return sum_entries(entry for entry in everything if entry.effective_at <= as_of)

        made = import_entries(records, allocations_at)
        for entry in made:
            self._entries[entry.record.location_id].append(entry.record)
            self._records["ledger_entries"][entry.record.entry_id,] = entry.record
        for sourced in records:
            record = sourced.record
            if isinstance(record, Allocation):
                self._state(record)
            else:
                table = table_of(record)
                self._records[table.name][table.key(record)] = record
        for pack in packs:
            self._bulk[pack.table].update({(str(row[DAY]), str(row[ROW_ID])): row for _, row in pack.rows()})
        self._digests.update(digests)
        return made

    def _state(self, row: Allocation) -> None:
        place = (row.location_id, row.asset_id)
        as_of, figures = self._snapshots.get(place, (row.as_of, {}))
        if as_of != row.as_of:
            figures = {}
        figures[allocation_key(row)] = row.base_units
        self._snapshots[place] = (row.as_of, figures)

    def file_imported(self, digest: str) -> bool:
        """Whether a file (or posted row) of this SHA-256 was imported before."""
        return digest in self._digests

    def records(self, table: str, keys: Collection[Key]) -> Mapping[Key, Record]:
        """The newest record of each natural key of a table, where there is one."""
        if (form := BULK_FORMS.get(table)) is not None:
            bulk = self._bulk[table]
            return {key: form.record(bulk[key[0], key[1]]) for key in keys if (key[0], key[1]) in bulk}
        known = self._records[table]
        return {key: known[key] for key in keys if key in known}

    def all_records(self, table: str) -> list[Record]:
        """The newest record of every natural key of a table, in the order they first came."""
        return list(self._records[table].values())

    def assets(self) -> Mapping[AssetId, Asset]:
        """Every asset of the reviewed table."""
        rows = self._records["assets"].values()
        return {row.asset.asset_id: row.asset for row in rows if isinstance(row, AssetRecord)}

    def pool_members(self) -> Sequence[PoolMember]:
        """Every pool membership, past ones too."""
        return [row for row in self._records["pools"].values() if isinstance(row, PoolMember)]

    def firm_addresses(self) -> Sequence[FirmAddress]:
        """Every address of the firm itself, past ones too."""
        return [row for row in self._records["firm_addresses"].values() if isinstance(row, FirmAddress)]

    def reserve_accounts(self) -> Sequence[ReserveBankAccount]:
        """Every row about a reserve bank account, past ones too."""
        return [row for row in self._records["reserve_accounts"].values() if isinstance(row, ReserveBankAccount)]

    def custodian_accounts(self) -> Sequence[CustodianAccount]:
        """Every row about an account at an outside party, past ones too."""
        return [row for row in self._records["custodian_accounts"].values() if isinstance(row, CustodianAccount)]

    def latest_snapshots(self, places: Collection[Place]) -> Mapping[Place, SnapshotState]:
        """The newest snapshot of each place, where there is one."""
        return {place: SnapshotState(*self._snapshots[place]) for place in places if place in self._snapshots}

    def entries_at(self, locations: Collection[LocationId]) -> Iterable[LedgerEntry]:
        """Every ledger entry at these locations."""
        return [entry for location in locations for entry in self._entries.get(location, ())]

    def statements(self, ids: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Sequence[Position]]:
        """All rows of each outside statement, where there is one."""
        found: dict[tuple[str, str], list[Position]] = defaultdict(list)
        for row in self._records["positions"].values():
            if isinstance(row, Position) and (row.stated_by, row.statement_id) in ids:
                found[row.stated_by, row.statement_id].append(row)
        return found

    def known_ids(self, table: str, ids: Collection[str]) -> set[str]:
        """Those of these ids of which a table has a row."""
        return {key[ID_PARTS[table]] for key in self._records[table]} & set(ids)

    def bulk_rows(
        self,
        table: str,
        day: date,
        *,
        ids: Collection[str] | None = None,
        securities: Collection[str] | None = None,
    ) -> Iterator[Plain]:
        """The newest row of each id of a day."""
        for (of, row_id), row in self._bulk[table].items():
            chosen = (ids is None or row_id in ids) and (securities is None or row[SECURITY] in securities)
            if of == day.isoformat() and chosen:
                yield row

    def account_ids(self, day: date, ids: Collection[str], *, or_before: bool) -> set[str]:
        """Those of these ids that are accounts with a balance of a day, or of an earlier one."""
        text = day.isoformat()
        found = {row_id for of, row_id in self._bulk["accounts"] if of == text or (or_before and of < text)}
        return found & set(ids)
