"""From findings to cases: each finding opens one case, however often it is seen, and is never closed by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from chains.types import AssetId, LocationId
from verifier.records import Finding, FindingKind

ONE_TIME_KINDS = frozenset(
    {FindingKind.UNAUTHORIZED_TRANSFER, FindingKind.COMMINGLING, FindingKind.UNEXPLAINED_CHANGE}
)
"""Kinds about an event in the past: a later sweep does not see them again, and that does not mean they healed."""

GROUP_FROM = 20
"""From so many unverified holdings of one asset and reason on, they share one case, so that a node that is down
cannot flood the queue; every holding stays counted and listed in it."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A finding of this sweep with the holdings it covers."""

    finding: Finding
    covers: tuple[tuple[LocationId, AssetId], ...]


def group_findings(findings: Iterable[Finding]) -> list[Sighting]:
    """One sighting per case: findings with one key are one, whatever number of holdings they speak of.

    The amounts of findings that share a case (dust of one asset and day) are added; the text says how many.
    """
    by_key: dict[str, list[Finding]] = {}
    for finding in findings:
        by_key.setdefault(finding.finding_key, []).append(finding)
    return [_sighting(group) for group in by_key.values()]


def _sighting(group: Sequence[Finding]) -> Sighting:
    first = group[0]
    covers = tuple(
        sorted({(finding.location_id, finding.asset.asset_id) for finding in group if finding.asset is not None})
    )
    if len(group) == 1:
        return Sighting(first, covers)
    amounts = [finding.base_units for finding in group if finding.base_units is not None]
    total = sum(amounts) if amounts else None
    text = f"{len(group)} findings share this case. {first.text}"
    return Sighting(replace(first, base_units=total, text=text), covers)
