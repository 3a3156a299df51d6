"""Others' evidence that was taken, kept in the journal itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from verifier.errors import InputError
from verifier.store.engine import Database
from verifier.store.tables import JournalEntryRow, table

ENTRY = table(JournalEntryRow)
KIND: Final = "evidence.imported"


@dataclass(frozen=True, slots=True)
class ImportedEvidence:
    """One file of somebody else's evidence, as it was taken."""

    evidence_id: str
    kind: str
    document: str
    """Canonical text (`exports.outside_evidence`)."""
    digest: str
    """SHA-256 of the document."""
    recorded_at: datetime
    recorded_by: str


class OutsideStore(Database):
    """The side of the store that keeps others' evidence."""

    def add_evidence(self, kind: str, document: str, digest: str, actor: str, now: datetime) -> ImportedEvidence:
        """Record a document; the very same one again is refused (`InputError`)."""
        before = self.imported_evidence()
        for each in before:
            if each.digest == digest:
                raise InputError(f"this was imported already, as {each.evidence_id}")
        payload = {"evidence_id": f"OE-{len(before) + 1:06d}", "kind": kind, "document": document, "digest": digest}
        with self.record(KIND, actor, payload, now, payload_is_the_record=True):
            pass
        return self.imported_evidence()[-1]

    def imported_evidence(self) -> list[ImportedEvidence]:
        """All of it, oldest first."""
        query = (
            sa.select(ENTRY.c.payload, ENTRY.c.recorded_at, ENTRY.c.actor)
            .where(ENTRY.c.kind == KIND)
            .order_by(ENTRY.c.sequence)
        )
        with self.read() as connection:
            found = [(json.loads(payload), at, actor) for payload, at, actor in connection.execute(query)]
        return [
            ImportedEvidence(each["evidence_id"], each["kind"], each["document"], each["digest"], at, actor)
            for each, at, actor in found
        ]
