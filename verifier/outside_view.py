"""Evidence that others made, shown to programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chains.types import utc_text
from exports.codec import to_object
from exports.outside_evidence import OutsideDocument, document_of
from exports.outside_judging import Control, Holding

if TYPE_CHECKING:
    from verifier.store.outside_store import ImportedEvidence


def evidence_json(found: ImportedEvidence, *, whole: bool) -> dict[str, object]:
    """One file that was imported, with how many lines are worth what; `whole` with every line."""
    head: dict[str, object] = {
        "evidence_id": found.evidence_id,
        "recorded_at": utc_text(found.recorded_at),
        "recorded_by": found.recorded_by,
        "digest": found.digest,
    }
    document = document_of(found.document)
    return head | (document_json(document) if whole else dict(counts(document)))


def document_json(document: OutsideDocument) -> dict[str, object]:
    """Every line, and how many are worth what."""
    return {"document": to_object(document), "counts": counts(document)}


def counts(document: OutsideDocument) -> dict[str, int]:
    """How many lines there are, and how many of them by what their signature and their amount are worth."""
    lines = document.lines
    controls = {f"control_{each}": sum(line.control is each for line in lines) for each in Control}
    return {"lines": len(lines)} | controls | {f"amount_{e}": sum(line.holding is e for line in lines) for e in Holding}
