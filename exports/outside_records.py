"""The record of others' evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from exports.codec import Digest, Identifier, Text
from exports.outside_kinds import EvidenceKind

OutsideText = Annotated[str, Text(characters_max=8_000_000)]


@dataclass(frozen=True, slots=True)
class ImportedEvidenceRecord:
    """Somebody else's evidence about their own or the firm's addresses, as the firm took it."""

    evidence_id: Identifier
    kind: EvidenceKind
    document: OutsideText
    """Canonical text of the document: every line of the file, with what it is worth."""
    digest: Digest
    """SHA-256 of the document."""
    recorded_at: datetime
