"""State proofs in a sweep: asked for beside the balances of a shard, and put to what was read.

What a proof contradicts is unverified and told as a disagreement between the nodes and the state of the block itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chains.agreement import DisagreementSubject, NodeAnswer, NodeDisagreement, split_node_ids
from chains.errors import ChainMoved, ReadError
from chains.evm.token_layout import TokenLayout
from chains.quorum_proofs import ProofsOfMany
from chains.reader import ChainConfig, ChainReader, Pin, as_balance_prover
from chains.state_proofs import BalanceProofs, Contradiction, StateProofMode, apply_proofs
from chains.types import AssetId, BalanceObservation, Holding, ReadStatus

STATE_PROOF = "state-proof"
"""Stands beside the nodes' names in a disagreement for what the pinned block's own state proves."""


@dataclass(frozen=True, slots=True)
class ProvenShard:
    """One shard's observations as its state proofs leave them."""

    observations: list[BalanceObservation]
    proofs: BalanceProofs | None
    """None where the chain is not asked for proofs."""
    disagreements: list[NodeDisagreement]


def prove_shard(
    reader: ChainReader,
    pin: Pin,
    observations: list[BalanceObservation],
    layouts: Mapping[AssetId, TokenLayout],
    chain: ChainConfig,
) -> ProvenShard:
    """Ask for the state proofs of what was read, where the chain is configured so and its adapter can.

    Raises `ChainMoved` alone: whatever else goes wrong leaves balances without a proof.
    """
    prover = as_balance_prover(reader)
    if chain.state_proofs is StateProofMode.OFF:
        return ProvenShard(observations, None, [])
    wanted = [seen.holding for seen in observations if seen.status is ReadStatus.OK]
    proofs = BalanceProofs(missing=dict.fromkeys(wanted, "unsupported: the chain's adapter reads no state proofs"))
    if prover is not None and wanted:
        try:
            proofs = prover.prove_balances(pin, wanted, layouts)
        except ChainMoved:
            raise
        except ReadError as error:
            proofs = _nothing_proven(wanted, error)
    found, contradictions = apply_proofs(observations, proofs, chain.state_proofs)
    return ProvenShard(found, proofs, [_disagreement(each, chain) for each in contradictions])


def _nothing_proven(holdings: Sequence[Holding], error: ReadError) -> BalanceProofs:
    nothing = ProofsOfMany(holdings)
    nothing.fail(error)
    return nothing.result()


def _disagreement(contradiction: Contradiction, chain: ChainConfig) -> NodeDisagreement:
    seen = contradiction.seen
    operators = {node.node_id: node.operator for node in chain.nodes}
    said = tuple(
        NodeAnswer(node_id, operators.get(node_id, node_id), str(seen.base_units))
        for node_id in split_node_ids(seen.node_id)
    )
    return NodeDisagreement(
        subject=DisagreementSubject.BALANCE,
        chain_id=chain.chain_id,
        height=seen.block.height,
        answers=(*said, NodeAnswer(STATE_PROOF, "the block itself", str(contradiction.proven))),
        agreed=None,
        block=seen.block,
        holding=seen.holding,
    )
