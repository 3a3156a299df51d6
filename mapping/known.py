"""What is known before an import: the protocol the store fulfils, and the same thing in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chains.types import Asset, AssetId, LocationId
from mapping.book import AllocationKey, Place, allocation_key
from mapping.columns import Key
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

    def latest_snapshots(self, places: Collection[Place]) -> Mapping[Place, SnapshotState]:
        """The newest snapshot of each place, where there is one."""

    def entries_at(self, locations: Collection[LocationId]) -> Iterable[LedgerEntry]:
        """Every ledger entry at these locations, in any order."""

    def statements(self, ids: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Sequence[Position]]:
        """All rows of each outside statement, by (stated_by, statement_id), where there is one."""


class MemoryBook:
    """A `KnownBook` in memory: for tests, for checking a folder before there is a store, and as the reference."""

    def __init__(self) -> None:
        self._digests: set[str] = set()
        self._records: dict[str, dict[Key, Record]] = defaultdict(dict)
        self._snapshots: dict[Place, tuple[datetime, dict[AllocationKey, int]]] = {}
        self._entries: dict[LocationId, list[LedgerEntry]] = defaultdict(list)

    def apply(self, records: Iterable[Sourced[Record]], digests: Iterable[str]) -> list[Sourced[LedgerEntry]]:
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
