"""State proofs from the store into the bundle: the header, the layouts, and the nodes that its balances need."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from chains.types import ChainId
from exports.proof_checks import needed_nodes
from exports.proof_records import (
    ProofGapRecord,
    ProofHeaderRecord,
    ProofNodeRecord,
    TokenLayoutRecord,
    TransactionProofRecord,
)
from exports.records import BalanceRecord, SweepRecord
from mapping.token_layouts import ReviewedLayout
from verifier.store import Store, SweepStart


@dataclass(frozen=True, slots=True)
class ChainProofs:
    """What one chain's sweep has of proofs."""

    chain_id: ChainId
    header: ProofHeaderRecord | None
    """None when nothing was proven."""
    nodes: tuple[bytes, ...]
    layouts: list[TokenLayoutRecord]
    gaps: list[ProofGapRecord]


def chain_proofs(store: Store, start: SweepStart) -> ChainProofs:
    """The proofs of a sweep, with the layouts as known to it."""
    stored = store.state_proofs(start)
    header = ProofHeaderRecord(start.chain_id, start.block.block_hash, f"0x{stored.header.hex()}")
    return ChainProofs(
        chain_id=start.chain_id,
        header=header if stored.header else None,
        nodes=stored.nodes,
        layouts=[_layout(each) for each in store.reviewed_layouts(start.chain_id, start.known_at)],
        gaps=[
            ProofGapRecord(start.sweep_id, gap.asset_id, gap.reason, gap.holdings) for gap in store.proof_gaps(start)
        ],
    )


def proof_nodes(
    chains: Sequence[ChainProofs],
    headers: Sequence[ProofHeaderRecord],
    balances: Sequence[BalanceRecord],
    sweeps: Sequence[SweepRecord],
) -> list[ProofNodeRecord]:
    """Each distinct node once, of the balances in the bundle: what a custodian lists is read, and is not in it."""
    nodes = dict.fromkeys(node for each in chains for node in each.nodes)
    layouts = {record.asset_id: record.layout() for each in chains for record in each.layouts}
    return [ProofNodeRecord(f"0x{node.hex()}") for node in needed_nodes(sweeps, headers, layouts, nodes, balances)]


def transaction_proof_records(
    store: Store, chain_id: ChainId, wanted: Set[tuple[str, str]]
) -> list[TransactionProofRecord]:
    """The stored proofs of these transactions, named by block hash and id."""
    return [
        TransactionProofRecord(
            chain_id=chain_id,
            block_hash=block_hash,
            tx_id=tx_id,
            place=proof.index,
            header=f"0x{proof.header.hex()}",
            transaction_nodes=tuple(f"0x{node.hex()}" for node in proof.transaction_nodes),
            receipt_nodes=tuple(f"0x{node.hex()}" for node in proof.receipt_nodes),
        )
        for (block_hash, tx_id), proof in store.transaction_proofs(chain_id).items()
        if (block_hash, tx_id) in wanted
    ]


def _layout(reviewed: ReviewedLayout) -> TokenLayoutRecord:
    layout = reviewed.layout
    return TokenLayoutRecord(
        asset_id=layout.asset_id,
        order=layout.order,
        mapping_slot=layout.mapping_slot,
        first_bit=layout.first_bit,
        bits=layout.bits,
        code_hash=layout.code_hash,
        implementation=layout.implementation,
        implementation_slot=layout.implementation_slot,
        implementation_code_hash=layout.implementation_code_hash,
        reason=layout.reason,
        requested_by=reviewed.requested_by,
        approved_by=reviewed.approved_by,
        approved_at=reviewed.approved_at,
    )
