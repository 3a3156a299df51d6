"""The book: who owns what as of one moment, as it was known at another. Pure; the clock is never read.

An allocation is the sum of ledger entries. An entry counts as of T, known at R, when it takes effect at or before
T and was recorded at or before R; so every past answer can be given again, and a back-dated entry changes only
what was known since it was recorded. One client's negative figure is never set off against another's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from chains.types import AssetId, LocationId, require_utc
from mapping.errors import BookError
from mapping.fields import SNAPSHOT_ENTRY_PREFIX
from mapping.types import AccountClass, Allocation, EntryKind, LedgerEntry, Record, Sourced


class AllocationKey(NamedTuple):
    """What one figure of the book belongs to. The firm's gas float is a figure of its own, never a client's."""

    client_id: str
    account_class: AccountClass
    location_id: LocationId
    asset_id: AssetId
    is_gas_float: bool = False


Place = tuple[LocationId, AssetId]
"""Where a claim is compared with the outside: one asset at one location."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What the book claims for one asset at one location, in base units; each part may be negative."""

    clients: int = 0
    """Customers and PAB accounts together."""
    proprietary: int = 0
    """The firm's own, other than gas float."""
    gas_float: int = 0
    """The firm's native coin kept for fees; it never fills a client's gap."""

    @property
    def total(self) -> int:
        """Everything that should be there besides the gas float: the sum of the allocations."""
        return self.clients + self.proprietary


def entry_key(entry: LedgerEntry) -> AllocationKey:
    """The figure an entry changes."""
    return AllocationKey(
        entry.client_id, entry.account_class, entry.location_id, entry.asset_id, entry.kind is EntryKind.GAS_FLOAT
    )


def allocation_key(row: Allocation) -> AllocationKey:
    """The figure a snapshot row states."""
    return AllocationKey(row.client_id, row.account_class, row.location_id, row.asset_id, row.is_gas_float)


def sum_entries(entries: Iterable[LedgerEntry]) -> dict[AllocationKey, int]:
    """The sum of entries per figure, figures of zero left out; the order of the entries does not matter."""
    sums: dict[AllocationKey, int] = defaultdict(int)
    for entry in entries:
        sums[entry_key(entry)] += entry.base_units
    return {key: units for key, units in sums.items() if units}


def claimed_totals(allocations: Mapping[AllocationKey, int]) -> dict[Place, Claimed]:
    """What is claimed per location and asset: the exact sum of the allocations there, by whose they are."""
    sums: dict[Place, list[int]] = {}
    for (_, account_class, location_id, asset_id, is_gas_float), units in allocations.items():
        part = 2 if is_gas_float else 1 if account_class is AccountClass.PROPRIETARY else 0
        sums.setdefault((location_id, asset_id), [0, 0, 0])[part] += units
    return {place: Claimed(*parts) for place, parts in sums.items()}


def negative_allocations(allocations: Mapping[AllocationKey, int]) -> list[tuple[AllocationKey, int]]:
    """The figures below zero, sorted: each is a finding of its own, whatever the other clients own."""
    return sorted((key, units) for key, units in allocations.items() if units < 0)


class Book:
    """All ledger entries with the time each was recorded.

    Built in one pass and asked in one pass, for a million entries and more. Raises `BookError` when an entry id
    comes twice.
    """

    def __init__(self, rows: Iterable[tuple[LedgerEntry, datetime]]) -> None:
        self._by_key: dict[AllocationKey, list[tuple[datetime, datetime, int]]] = {}
        ids: set[str] = set()
        size = 0
        for entry, recorded_at in rows:
            size += 1
            ids.add(entry.entry_id)
            if len(ids) != size:
                raise BookError(f"ledger entry {entry.entry_id} is in the book twice")
            require_utc(recorded_at, "recorded_at")
            line = (entry.effective_at, recorded_at, entry.base_units)
            self._by_key.setdefault(entry_key(entry), []).append(line)
        self._size = size

    def __len__(self) -> int:
        """Number of entries."""
        return self._size

    def allocations(self, as_of: datetime, known_at: datetime) -> dict[AllocationKey, int]:
        """Every figure other than zero as of a moment, as known at another, in base units."""
        as_of, known_at = require_utc(as_of, "as_of"), require_utc(known_at, "known_at")
        found: dict[AllocationKey, int] = {}
        for key, lines in self._by_key.items():
            units = 0
            for effective_at, recorded_at, change in lines:
                if effective_at <= as_of and recorded_at <= known_at:
                    units += change
            if units:
                found[key] = units
        return found

    def claimed_totals(self, as_of: datetime, known_at: datetime) -> dict[Place, Claimed]:
        """What is claimed per location and asset as of a moment, as known at another."""
        return claimed_totals(self.allocations(as_of, known_at))

    def negative_allocations(self, as_of: datetime, known_at: datetime) -> list[tuple[AllocationKey, int]]:
        """The figures below zero as of a moment, as known at another."""
        return negative_allocations(self.allocations(as_of, known_at))

    def timeline(self, known_at: datetime) -> Iterable[tuple[AllocationKey, list[tuple[datetime, int]]]]:
        """Per figure, the moments it changed and what it was from then on, as known at a time."""
        known_at = require_utc(known_at, "known_at")
        for key, lines in self._by_key.items():
            changes: dict[datetime, int] = defaultdict(int)
            for effective_at, recorded_at, change in lines:
                if recorded_at <= known_at:
                    changes[effective_at] += change
            units, steps = 0, []
            for moment in sorted(changes):
                units += changes[moment]
                if changes[moment]:
                    steps.append((moment, units))
            if steps:
                yield key, steps


AllocationsAt = Callable[[datetime], Mapping[AllocationKey, int]]
"""The figures of the book as of a moment, as known now; figures of zero may be left out."""


def snapshot_entries(
    stated: Iterable[Sourced[Allocation]], allocations_at: AllocationsAt
) -> list[Sourced[LedgerEntry]]:
    """The entries that bring the book to the stated figures, in the order of the rows; nothing for equal figures.

    An entry takes effect at the snapshot's own moment. Its id is made of the file's digest and the row's line, so
    the same file always makes the same entries.
    """
    before: dict[datetime, Mapping[AllocationKey, int]] = {}
    made = []
    for sourced in stated:
        row, origin = sourced.record, sourced.origin
        if row.as_of not in before:
            before[row.as_of] = allocations_at(row.as_of)
        change = row.base_units - before[row.as_of].get(allocation_key(row), 0)
        if change:
            entry = LedgerEntry(
                entry_id=f"{SNAPSHOT_ENTRY_PREFIX}{origin.digest}:{origin.line}",
                client_id=row.client_id,
                account_class=row.account_class,
                location_id=row.location_id,
                asset_id=row.asset_id,
                base_units=change,
                effective_at=row.as_of,
                kind=EntryKind.GAS_FLOAT if row.is_gas_float else EntryKind.SNAPSHOT,
            )
            made.append(Sourced(entry, origin))
    return made


def import_entries(records: Iterable[Sourced[Record]], allocations_at: AllocationsAt) -> list[Sourced[LedgerEntry]]:
    """All ledger entries of one import: its movements as they are, then what its snapshots still need.

    A snapshot states the figure after every movement up to its moment, those of the same import included.
    `allocations_at` gives the book before the import.
    """
    movements: list[Sourced[LedgerEntry]] = []
    stated: list[Sourced[Allocation]] = []
    for sourced in records:
        if isinstance(sourced.record, LedgerEntry):
            movements.append(Sourced(sourced.record, sourced.origin))
        elif isinstance(sourced.record, Allocation):
            stated.append(Sourced(sourced.record, sourced.origin))

    def with_movements(as_of: datetime) -> Mapping[AllocationKey, int]:
        figures = dict(allocations_at(as_of))
        for sourced in movements:
            if sourced.record.effective_at <= as_of:
                key = entry_key(sourced.record)
                figures[key] = figures.get(key, 0) + sourced.record.base_units
        return figures

    return movements + snapshot_entries(stated, with_movements)
