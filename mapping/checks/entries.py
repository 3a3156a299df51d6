"""Ledger entries: what a correction names, and entries that take effect before a snapshot."""

from __future__ import annotations

from mapping.checks.scope import Scope
from mapping.types import EntryKind, LedgerEntry


def check_entries(scope: Scope) -> None:
    """A correction names an entry that exists; a back-dated entry is accepted, and noted."""
    rows = scope.entries()
    wanted = {(row.record.corrects,) for row in rows if row.record.corrects}
    found = {key[0]: entry for key, entry in scope.known.records("ledger_entries", wanted).items()}
    for row in rows:
        found.setdefault(row.record.entry_id, row.record)
    for row in rows:
        entry = row.record
        if not entry.corrects:
            continue
        corrected = found.get(entry.corrects)
        if not isinstance(corrected, LedgerEntry):
            if "ledger_entries" not in scope.unreliable:
                scope.problem(row, "corrects", entry.corrects, "there is no ledger entry of this id")
        elif (corrected.kind is EntryKind.GAS_FLOAT) != (entry.kind is EntryKind.GAS_FLOAT):
            kind = "gas_float" if corrected.kind is EntryKind.GAS_FLOAT else "correction"
            scope.problem(row, "kind", entry.kind, f"an entry that corrects this one is of kind {kind}")
    _note_back_dated(scope)


def _note_back_dated(scope: Scope) -> None:
    rows = scope.entries()
    places = {(row.record.location_id, row.record.asset_id) for row in rows}
    snapshots = scope.known.latest_snapshots(places) if places else {}
    for row in rows:
        entry = row.record
        newest = snapshots.get((entry.location_id, entry.asset_id))
        if newest is not None and entry.effective_at <= newest.as_of:
            text = f"entry {entry.entry_id} takes effect before the newest snapshot there; it changes stated figures"
            scope.notice(row.origin.source, row.origin.line, text)
