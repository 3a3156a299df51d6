"""The newest entries of the journal, for people to read. Checking them is `verifier.journal`'s work."""

from __future__ import annotations

import json
from collections.abc import Iterator
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
PAGE = 1000


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


def sealed_entries(store: Database) -> Iterator[dict[str, object]]:
    """Every entry with its seal, oldest first, as canonical values; the journal as it stands at one moment."""
    query = (
        sa.select(ENTRY, SEAL.c.rows, SEAL.c.rows_digest, SEAL.c.entry_digest)
        .join_from(ENTRY, SEAL, ENTRY.c.sequence == SEAL.c.sequence, isouter=True)
        .order_by(ENTRY.c.sequence)
        .limit(PAGE)
    )
    after = 0
    with store.read() as connection:
        while page := connection.execute(query.where(ENTRY.c.sequence > after)).all():
            for row in page:
                yield {
                    "sequence": row.sequence,
                    "kind": row.kind,
                    "actor": row.actor,
                    "origin": row.origin,
                    "recorded_at": utc_text(row.recorded_at),
                    "clock_at": utc_text(row.clock_at) if row.clock_at is not None else None,
                    "payload": row.payload,
                    "previous_digest": row.previous_digest,
                    "rows": row.rows,
                    "rows_digest": row.rows_digest,
                    "entry_digest": row.entry_digest,
                }
            after = page[-1].sequence
