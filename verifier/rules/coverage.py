"""Blocks that were read by nobody, less well than wanted, or not for everything: gaps that somebody explains."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from verifier.records import Finding, FindingKind, WeakerScan
from verifier.rules.surroundings import Surroundings
from verifier.rules.wording import some_of

"""Most wallets or assets that one text spells out; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """Blocks to be read again for wallets or assets that were not known when they were covered."""

    backfill_key: int
    """The store's own short key."""
    items: frozenset[str]
    """CAIP-10 ids of wallets, or CAIP-19 ids of assets."""
    of_assets: bool
    first_height: int
    last_height: int
    next_height: int
    """The first block that was not read again yet; above `last_height` when all were."""
    failure: str
    """Why the newest try failed: code and sentence; empty when it did not, or when all was read since."""

    @property
    def is_complete(self) -> bool:
        """Whether every block was read again."""
        return self.next_height > self.last_height


def hole_findings(holes: Iterable[tuple[int, int]], surroundings: Surroundings) -> list[Finding]:
    """One finding for each (first, last) of blocks that lie between covered ones and were read by nobody."""
    return [
        _gap(f"hole:{first}-{last}", f"What moved in blocks {first} to {last} was read by nobody.", surroundings)
        for first, last in holes
    ]


def weaker_findings(scans: Iterable[WeakerScan], surroundings: Surroundings) -> list[Finding]:
    """One finding for all blocks that were read in a weaker mode than was asked for; none when there are none."""
    found = list(scans)
    if not found:
        return []
    first, last = found[0].first_height, found[-1].last_height
    blocks = sum(scan.last_height - scan.first_height + 1 for scan in found)
    reasons = list(dict.fromkeys(scan.reason for scan in found))
    more = f" (and {len(reasons) - 1} more reasons)" if len(reasons) > 1 else ""
    text = (
        f"{blocks} of the blocks {first} to {last} were read in mode {found[0].mode}, which is weaker than the mode "
        f"that is configured: {reasons[0]}{more}. What a node left out there would not be noticed."
    )
    return [_gap(f"weaker-mode:{first}-{last}", text, surroundings)]


def late_findings(readings: Iterable[Backfill], surroundings: Surroundings) -> list[Finding]:
    """One finding for each backfill that has blocks left: what was not read may have moved."""
    findings = []
    for reading in readings:
        if reading.is_complete:
            continue
        what = "asset" if reading.of_assets else "mapped"
        text = (
            f"Known only after block {reading.last_height} was covered: {some_of(sorted(reading.items))}. "
            f"What moved there in blocks {reading.next_height} to {reading.last_height} was not read yet"
            + (f" ({reading.failure})" if reading.failure else "; the next sweep goes on")
            + "."
        )
        subject = f"{what}-late:{reading.first_height}-{reading.last_height}"
        findings.append(_gap(subject, text, surroundings))
    return findings


def _gap(subject: str, text: str, surroundings: Surroundings) -> Finding:
    place = surroundings.chain_location
    return surroundings.finding(FindingKind.COVERAGE_GAP, place, None, None, subject, text)
