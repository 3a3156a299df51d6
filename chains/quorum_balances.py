"""One observation of a balance from what several operators said about it. No node is asked here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chains.agreement import (
    DisagreementSubject,
    NodeDisagreement,
    Witness,
    joined_node_ids,
    operator_count,
    tally,
)
from chains.disputes import node_answers
from chains.errors import QuorumNotReached
from chains.reader import Pin
from chains.types import AnchorEvidence, BalanceObservation, Holding, ReadStatus, StateEvidence

DISAGREEMENT_CODE = "node-disagreement"
"""Begins the reason of a balance that operators gave differently, none of them in sufficient number."""

_STATES = list(StateEvidence)


@dataclass(slots=True)
class MergedBalances:
    """What came of one read of balances through several nodes."""

    observations: list[BalanceObservation] = field(default_factory=list)
    disagreements: list[NodeDisagreement] = field(default_factory=list)
    failures: dict[Witness, tuple[str, int]] = field(default_factory=dict)
    """Nodes that failed on holdings on which others did not: the first reason, and on how many."""


def merge_balances(
    pin: Pin, holdings: Sequence[Holding], answers: Mapping[Witness, Sequence[BalanceObservation]], quorum: int
) -> MergedBalances:
    """The observations of a quorum, in the order of the holdings. `answers` come from at least that many operators."""
    asked = list(holdings)
    for node, observations in answers.items():
        if [observation.holding for observation in observations] != asked:
            raise AssertionError(f"node {node.node_id} was read in another order, or not whole")
        if any(observation.block is not pin.block and observation.block != pin.block for observation in observations):
            raise AssertionError(f"node {node.node_id} was read at another block than the pinned one")
    merged = MergedBalances()
    nodes = tuple(answers)
    names, is_quorum = joined_node_ids(nodes), operator_count(nodes) >= quorum
    for row in zip(*answers.values(), strict=True):
        first = row[0]
        if (
            is_quorum
            and first.base_units is not None
            and all(other.base_units == first.base_units and other.state is first.state for other in row)
        ):
            merged.observations.append(_agreed(pin, first, first.state, names))
        else:
            merged.observations.append(_disputed(pin, dict(zip(nodes, row, strict=True)), quorum, merged))
    return merged


def _agreed(pin: Pin, seen: BalanceObservation, state: StateEvidence, node_id: str) -> BalanceObservation:
    return BalanceObservation(
        holding=seen.holding,
        block=pin.block,
        finality=pin.finality,
        status=ReadStatus.OK,
        base_units=seen.base_units,
        method=seen.method,
        node_id=node_id,
        state=state,
        anchor=AnchorEvidence.AGREED,
    )


def _disputed(
    pin: Pin, row: Mapping[Witness, BalanceObservation], quorum: int, merged: MergedBalances
) -> BalanceObservation:
    """The slow way, for a holding that not all nodes gave one balance of."""
    values = {node: seen.base_units for node, seen in row.items() if seen.base_units is not None}
    failed = {node: seen.reason for node, seen in row.items() if seen.base_units is None}
    verdict = tally(values, quorum)
    dispute = None
    if verdict.is_disputed:
        first = next(iter(row.values()))
        dispute = NodeDisagreement(
            subject=DisagreementSubject.BALANCE,
            chain_id=pin.block.chain_id,
            height=pin.block.height,
            answers=node_answers(values, str),
            agreed=None if verdict.answer is None else str(verdict.answer),
            block=pin.block,
            holding=first.holding,
        )
        merged.disagreements.append(dispute)
    if verdict.is_agreed:
        for node, reason in failed.items():
            known, count = merged.failures.get(node, (reason, 0))
            merged.failures[node] = (known, count + 1)
        support = [row[node] for node in verdict.supporters]
        weakest = max((seen.state for seen in support), key=_STATES.index)
        return _agreed(pin, support[0], weakest, joined_node_ids(verdict.supporters))
    return _failed(pin, row, _reason(values, failed, dispute, quorum))


def _reason(
    values: Mapping[Witness, int], failed: Mapping[Witness, str], dispute: NodeDisagreement | None, quorum: int
) -> str:
    why = "; ".join(f"node {node.node_id}: {reason}" for node, reason in failed.items())
    if dispute is not None:
        return f"{DISAGREEMENT_CODE}: {dispute}" + (f"; {why}" if why else "")
    if not values and len(set(failed.values())) == 1:
        return next(iter(failed.values()))  # all of them say the same
    return f"{QuorumNotReached.code}: {operator_count(values)} of {quorum} operators gave a balance; {why}"


def _failed(pin: Pin, row: Mapping[Witness, BalanceObservation], reason: str) -> BalanceObservation:
    first = next(iter(row.values()))
    return BalanceObservation(
        holding=first.holding,
        block=pin.block,
        finality=pin.finality,
        status=ReadStatus.FAILED,
        base_units=None,
        method=first.method,
        node_id=joined_node_ids(row),
        reason=reason,
    )
