"""Bundles shown to programs: one that was just written, and those on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chains.types import utc_text

if TYPE_CHECKING:
    from exports.bundle import WrittenBundle
    from verifier.store import IssuedBundle


def written_json(written: WrittenBundle) -> dict[str, object]:
    """A bundle that was written."""
    manifest = written.manifest
    return {
        "bundle_id": manifest.bundle_id,
        "sequence": manifest.sequence,
        "profile": str(manifest.profile),
        "full_digest": manifest.full_digest,
        "sha256_of_manifest": written.digest,
        "liabilities_root": written.liabilities_root,
        "size_bytes": written.size_bytes,
        "signed_by": list(written.signed_by),
        "records": {member.kind: member.records for member in manifest.members},
    }


def issued_json(issued: IssuedBundle) -> dict[str, object]:
    """A bundle on record, with the blocks it speaks of and the journal entry of its moment."""
    return {
        "bundle_id": issued.bundle_id,
        "sequence": issued.sequence,
        "sha256_of_manifest": issued.digest,
        "as_of": utc_text(issued.as_of),
        "journal": {"sequence": issued.head.sequence, "entry_digest": issued.head.entry_digest},
        "blocks": [
            {"chain_id": chain_id, "height": height, "block_hash": block_hash}
            for chain_id, height, block_hash in issued.blocks
        ],
    }
