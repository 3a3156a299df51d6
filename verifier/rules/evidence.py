"""How strongly a figure made of several reads is evidenced: as its weakest part."""

from __future__ import annotations

from collections.abc import Sequence

from chains.types import AnchorEvidence, BalanceObservation, StateEvidence

_STATES = list(StateEvidence)
_ANCHORS = list(AnchorEvidence)


def weakest_evidence(observations: Sequence[BalanceObservation]) -> tuple[StateEvidence, AnchorEvidence]:
    """The weakest state and anchor evidence among the reads; of no reads, the weakest there is."""
    if not observations:
        return _STATES[-1], _ANCHORS[-1]
    if len(observations) == 1:
        return observations[0].state, observations[0].anchor
    state = max((observation.state for observation in observations), key=_STATES.index)
    anchor = max((observation.anchor for observation in observations), key=_ANCHORS.index)
    return state, anchor
