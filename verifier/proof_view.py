"""How many balances of a sweep have a state proof, and why others have none: for the command and for programs."""

from __future__ import annotations

from dataclasses import dataclass

from verifier.store import Store, SweepStart
from verifier.store.proof_store import ProofGap

GAPS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class ProofView:
    """State proofs of one sweep."""

    proven: int
    balances: int
    """Balances that were learnt, proven ones among them."""
    gaps: tuple[ProofGap, ...]

    def lines(self) -> list[str]:
        """For a person: the count, then the reasons."""
        shown = [f"{gap.holdings} of {gap.asset_id}: {gap.reason}" for gap in self.gaps[:GAPS_SHOWN]]
        more = [f"and {len(self.gaps) - GAPS_SHOWN} more reasons"] if len(self.gaps) > GAPS_SHOWN else []
        return [f"{self.proven} of {self.balances} balances proven against the header", *shown, *more]

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "proven": self.proven,
            "balances": self.balances,
            "gaps": [{"asset_id": gap.asset_id, "reason": gap.reason, "holdings": gap.holdings} for gap in self.gaps],
        }


def proof_view(store: Store, start: SweepStart) -> ProofView | None:
    """What became of a sweep's state proofs; None when none were asked for."""
    proven, balances = store.proven_count(start)
    gaps = tuple(store.proof_gaps(start))
    return ProofView(proven, balances, gaps) if proven or gaps else None
