"""The newest entries of the journal, for people to read. Checking them is `verifier.journal`'s work."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from chains.types import utc_text
from verifier.store.engine import Database
from verifier.store.seal import parse_rows_json
from verifier.store.tables import JournalEntryRow, JournalSealRow, table

ENTRY, SEAL = table(JournalEntryRow), table(JournalSealRow)
PAYLOAD_SHOWN = 160


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """One entry as it stands in the database."""

    sequence: int
    kind: str
    actor: str
    recorded_at: datetime
    payload: str
    """Canonical JSON."""
    rows: str
    """Canonical JSON: what was written, by table."""
    entry_digest: str
    origin: str = ""
    """From where; empty for the process itself."""

    def counts(self) -> dict[str, int]:
        """How many rows of each table the entry speaks of; empty when the list is damaged, which `verify` reports."""
        try:
            return {name: sealed.count for name, sealed in parse_rows_json(self.rows).items()}
        except ValueError:
            return {}

    def cells(self) -> tuple[str, ...]:
        """For a table."""
        counts = ", ".join(f"{name}: {count}" for name, count in sorted(self.counts().items())) or "none"
        payload = self.payload if len(self.payload) <= PAYLOAD_SHOWN else self.payload[:PAYLOAD_SHOWN] + "…"
        when = f"{self.recorded_at:%Y-%m-%d %H:%M:%S}"
        return (str(self.sequence), when, self.actor, self.origin or "process", self.kind, counts, payload)

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "sequence": self.sequence,
            "kind": self.kind,
            "actor": self.actor,
            "recorded_at": utc_text(self.recorded_at),
            "origin": self.origin,
            "payload": json.loads(self.payload),
            "rows": self.counts(),
            "entry_digest": self.entry_digest,
        }


def newest_entries(store: Database, limit: int) -> list[ShownEntry]:
    """The newest entries, oldest of them first."""
    return _entries(store, ENTRY.c.sequence.desc(), sa.true(), limit)[::-1]


def entries_after(store: Database, sequence: int, limit: int) -> list[ShownEntry]:
    """The entries that follow one, in order."""
    return _entries(store, ENTRY.c.sequence, ENTRY.c.sequence > sequence, limit)


def entries_before(store: Database, sequence: int, limit: int) -> list[ShownEntry]:
    """The entries that came before one, the newest first."""
    return _entries(store, ENTRY.c.sequence.desc(), ENTRY.c.sequence < sequence, limit)


def _entries(store: Database, order: Any, wanted: sa.ColumnElement[bool], limit: int) -> list[ShownEntry]:
    query = (
        sa.select(ENTRY, SEAL.c.rows, SEAL.c.entry_digest)
        .join_from(ENTRY, SEAL, ENTRY.c.sequence == SEAL.c.sequence)
        .where(wanted)
        .order_by(order)
        .limit(limit)
    )
    with store.read() as connection:
        return [
            ShownEntry(
                row.sequence, row.kind, row.actor, row.recorded_at, row.payload, row.rows, row.entry_digest, row.origin
            )
            for row in connection.execute(query)
        ]
