"""State proofs beside balances that were read: what they confirm, what they contradict, and what they leave as it is.

A proof shows that a block hash commits to a figure. It says nothing about the block being the chain's, so it raises the
state of an observation and never its anchor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from chains.types import BalanceObservation, Holding, ReadStatus, StateEvidence

CONTRADICTED = "proof-contradicts"
"""Begins the reason of a balance that a node gave and the state proves to be another."""
FAILED = "proof-failed"
"""Begins the reason of a balance for which a proof came that proves nothing."""
MISSING = "proof-missing"
"""Begins the reason of a balance that had to be proven and has no proof."""


class StateProofMode(StrEnum):
    """Whether balances are proven."""

    OFF = "off"
    WHEN_OFFERED = "when_offered"
    """Proven where a node and a reviewed layout allow; otherwise the balance stays one that was read."""
    REQUIRED = "required"
    """A balance without a proof is unverified, unless the firm reviewed that its asset cannot be proven."""


@dataclass(frozen=True, slots=True)
class BalanceProofs:
    """What came of asking for the proofs of some balances at one block."""

    header: bytes = b""
    """RLP of the header that hashes to the block's hash; empty when nothing was proven."""
    nodes: tuple[bytes, ...] = ()
    """The distinct trie nodes that the proven figures need."""
    proven: Mapping[Holding, int] = field(default_factory=dict)
    """Balances in base units to which the block hash commits."""
    failed: Mapping[Holding, str] = field(default_factory=dict)
    """For which a proof came that does not check: code and sentence."""
    missing: Mapping[Holding, str] = field(default_factory=dict)
    """For which there is no proof: code and sentence."""
    unprovable: Mapping[Holding, str] = field(default_factory=dict)
    """Of assets that cannot be proven, or were reviewed as such: code and sentence."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A balance that was read, and the other one that the block's own state proves."""

    seen: BalanceObservation
    proven: int


def apply_proofs(
    observations: Sequence[BalanceObservation], proofs: BalanceProofs, mode: StateProofMode
) -> tuple[list[BalanceObservation], list[Contradiction]]:
    """The observations as the proofs leave them, in the same order, and what the proofs contradict.

    Equal: `proven`. Another figure is proven, or the proof does not check: the read failed, whatever the mode. No
    proof: as it was read, or failed where proofs are required. Failed reads stay failed.
    """
    found: list[BalanceObservation] = []
    contradictions: list[Contradiction] = []
    for seen in observations:
        proven = proofs.proven.get(seen.holding)
        if seen.status is ReadStatus.FAILED:
            found.append(seen)
        elif proven is not None and proven == seen.base_units:
            found.append(replace(seen, state=StateEvidence.PROVEN))
        elif proven is not None:
            contradictions.append(Contradiction(seen, proven))
            reason = f"{CONTRADICTED}: {seen.node_id} said {seen.base_units}, the block's state proves {proven}"
            found.append(_failed(seen, reason))
        elif reason := proofs.failed.get(seen.holding, ""):
            found.append(_failed(seen, f"{FAILED}: {reason}"))
        elif mode is StateProofMode.REQUIRED and seen.holding not in proofs.unprovable:
            reason = proofs.missing.get(seen.holding, "nothing was asked for")
            found.append(_failed(seen, f"{MISSING}: {reason}"))
        else:
            found.append(seen)
    return found, contradictions


def _failed(seen: BalanceObservation, reason: str) -> BalanceObservation:
    return replace(seen, status=ReadStatus.FAILED, base_units=None, reason=reason)
