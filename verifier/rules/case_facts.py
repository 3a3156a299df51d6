"""The digests that bind a decision on a case to what was seen of it. Pure.

`facts_digest` covers what the resolution is about: the finding's figures, the holdings it covers, what was said of it
and the documents with it. A proposal and its approval name the same one, or nothing is approved. `seen_digest` covers
everything that a checker has before them, the proposal included; a page that is stale has another one. Remarks and who
is assigned are in neither. That a finding is no longer seen is in the second alone: it contradicts no resolution.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from chains.types import AssetId, LocationId
from exports.canonical import canonical_json
from verifier.records import CaseState, Finding


@dataclass(frozen=True, slots=True)
class Facts:
    """What a resolution is about."""

    case_id: str
    finding: Finding
    covers: Sequence[tuple[LocationId, AssetId]]
    explanation: str
    """What stands as the case's explanation apart from its proposal; empty when there is none."""
    root_cause: tuple[str, str]
    """Its name and text; both empty when none is named."""
    attachments: Sequence[tuple[str, str]]
    """Name and SHA-256 of each, in the order they came."""

    @property
    def digest(self) -> str:
        """SHA-256 of all of it."""
        finding = self.finding
        return _sha256(
            {
                "case_id": self.case_id,
                "kind": finding.kind.value,
                "rail": finding.rail.value,
                "location": finding.location_id,
                "asset": finding.asset.asset_id if finding.asset is not None else None,
                "subject": finding.subject,
                "base_units": str(finding.base_units) if finding.base_units is not None else None,
                "provisional": finding.provisional,
                "tx_id": finding.tx_id,
                "covers": sorted([place, asset] for place, asset in self.covers),
                "explanation": self.explanation,
                "root_cause": list(self.root_cause),
                "attachments": [list(each) for each in self.attachments],
            }
        )


def seen_digest(
    facts_digest: str,
    state: CaseState,
    *,
    is_seen: bool,
    superseded: bool,
    block_hash: str,
    proposal: tuple[str, str],
    approved_by: Sequence[str],
) -> str:
    """SHA-256 of everything a checker has before them: the facts, and where the case stands.

    `proposal` is the text and the maker of the one that waits; both empty when none does.
    """
    return _sha256(
        {
            "facts": facts_digest,
            "state": state.value,
            "is_seen": is_seen,
            "superseded": superseded,
            "block_hash": block_hash,
            "proposal": list(proposal),
            "approved_by": list(approved_by),
        }
    )


def _sha256(value: object) -> str:
    return hashlib.sha256(canonical_json(value)).hexdigest()
