"""From findings to cases: each finding opens one case, however often it is seen, and is never closed by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from chains.types import AssetId, LocationId
from verifier.records import Finding, FindingKind

GROUPED_FROM = 20
"""From so many unverified holdings of one asset on, they share one case, so that a token or node that fails cannot
flood the queue; every holding stays counted and is listed as covered."""

Place = tuple[LocationId, AssetId]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A finding of this sweep, and the holdings it covers when it speaks of holdings."""

    finding: Finding
    covers: tuple[Place, ...]


def group_findings(findings: Iterable[tuple[Finding, tuple[Place, ...]]]) -> list[Sighting]:
    """One sighting per case: findings with one key are one, whatever number of holdings they speak of.

    The amounts of findings that share a case (dust of one asset and day) are added; the text says how many.
    """
    by_key: dict[str, list[tuple[Finding, tuple[Place, ...]]]] = {}
    for finding, covers in _gather_unverified(list(findings)):
        by_key.setdefault(finding.finding_key, []).append((finding, covers))
    return [_sighting(group) for group in by_key.values()]


def _gather_unverified(
    findings: Sequence[tuple[Finding, tuple[Place, ...]]],
) -> Iterable[tuple[Finding, tuple[Place, ...]]]:
    """Give the unverified findings of an asset one common place, the chain, when there are very many of them."""
    counts: dict[tuple[str, str], int] = {}
    for finding, _ in findings:
        if finding.kind is FindingKind.UNVERIFIED and finding.asset and finding.block:
            key = (finding.asset.asset_id, finding.subject)
            counts[key] = counts.get(key, 0) + 1
    for finding, covers in findings:
        if (
            finding.kind is FindingKind.UNVERIFIED
            and finding.asset
            and finding.block
            and counts[finding.asset.asset_id, finding.subject] >= GROUPED_FROM
        ):
            chain = LocationId(finding.block.chain_id)
            yield replace(finding, location_id=chain, subject=f"many:{finding.subject}"), covers
        else:
            yield finding, covers


def _sighting(group: Sequence[tuple[Finding, tuple[Place, ...]]]) -> Sighting:
    first = group[0][0]
    covers = tuple(sorted({place for _, places in group for place in places}))
    if len(group) == 1:
        return Sighting(first, covers)
    amounts = [finding.base_units for finding, _ in group if finding.base_units is not None]
    total = sum(amounts) if amounts else None
    text = f"{len(group)} findings share this case. The first: {first.text}"
    return Sighting(replace(first, base_units=total, text=text), covers)
