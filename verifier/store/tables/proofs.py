"""State proofs: the header of a sweep's block, the trie nodes under it, and what stayed without a proof."""

from __future__ import annotations

import sqlalchemy as sa

from verifier.store.tables.base import HotRow, column, rules
from verifier.store.types import Whole, Words


class SweepHeaderRow(HotRow, table=True):
    """The header of a sweep's block, of which balances were proven."""

    __tablename__ = "sweep_header"
    __table_args__ = rules(sa.UniqueConstraint("sweep_key"))

    sweep_key: int = column(Whole(), to="sweep.record_id")
    header: str = column(Words())
    """RLP in hexadecimal digits; its keccak256 is the block hash."""


class ProofNodeRow(HotRow, table=True):
    """A node of a state or storage trie, kept once however many proofs and sweeps it belongs to."""

    __tablename__ = "proof_node"
    __table_args__ = rules(sa.UniqueConstraint("digest"))

    digest: str = column(Words())
    """Its keccak256 in hexadecimal digits."""
    node: str = column(Words())
    """RLP in hexadecimal digits."""


class SweepProofNodeRow(HotRow, table=True):
    """That a node belongs to the proofs of a sweep."""

    __tablename__ = "sweep_proof_node"
    __table_args__ = rules(sa.UniqueConstraint("sweep_key", "node_key"))

    sweep_key: int = column(Whole(), to="sweep.record_id")
    node_key: int = column(Whole(), to="proof_node.record_id")


class TransactionProofRow(HotRow, table=True):
    """That a transaction stands in a block, for one of whose transfers there is an exception."""

    __tablename__ = "transaction_proof"
    __table_args__ = rules(sa.UniqueConstraint("block_hash", "tx_id"))

    chain_id: str = column(Words())
    block_hash: str = column(Words())
    tx_id: str = column(Words())
    place: int = column(Whole())
    header: str = column(Words())
    """RLP in hexadecimal digits."""
    transaction_nodes: str = column(Words())
    """Trie nodes in hexadecimal digits, separated by blanks, from the root."""
    receipt_nodes: str = column(Words())


class ProofGapRow(HotRow, table=True):
    """That balances of an asset were read in a shard and have no proof, and why."""

    __tablename__ = "proof_gap"
    __table_args__ = rules(sa.UniqueConstraint("shard_key", "asset_key", "reason"))

    shard_key: int = column(Whole(), to="sweep_shard.record_id")
    asset_key: int = column(Whole(), to="asset_value.record_id")
    reason: str = column(Words())
    """A stable code, then one sentence."""
    holdings: int = column(Whole())
