"""State proofs of sweeps: stored with the shard they belong to, each distinct trie node once for all sweeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from chains.evm.inclusion import TransactionProof
from chains.evm.keccak import keccak256
from chains.state_proofs import BalanceProofs
from chains.types import Asset, AssetId, BlockRef, ChainId, StateEvidence
from verifier.store.engine import Database
from verifier.store.records import SweepStart
from verifier.store.tables import (
    AssetValueRow,
    BalanceObservationRow,
    ProofGapRow,
    ProofNodeRow,
    ReadingRow,
    SweepHeaderRow,
    SweepProofNodeRow,
    SweepShardRow,
    TransactionProofRow,
    table,
)
from verifier.store.unit import LOOKUP_KEYS, Unit

HEADER, NODE, LINK = table(SweepHeaderRow), table(ProofNodeRow), table(SweepProofNodeRow)
INCLUDED = table(TransactionProofRow)
OBSERVATION, READING = table(BalanceObservationRow), table(ReadingRow)
GAP, SHARD, ASSET = table(ProofGapRow), table(SweepShardRow), table(AssetValueRow)


@dataclass(frozen=True, slots=True)
class StoredProofs:
    """What a sweep's proofs rest on."""

    header: bytes
    """RLP; empty when nothing was proven."""
    nodes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ProofGap:
    """Balances of one asset that were read and not proven, for one reason."""

    asset_id: AssetId
    reason: str
    holdings: int


class ProofStore(Database):
    """The side of the store that keeps state proofs; `SweepStore.add_observations` adds them."""

    def state_proofs(self, start: SweepStart) -> StoredProofs:
        """The header and the distinct nodes of a sweep's proofs."""
        with self.read() as connection:
            header = connection.execute(sa.select(HEADER.c.header).where(HEADER.c.sweep_key == start.sweep_key))
            encoded = header.scalar_one_or_none() or ""
            query = sa.select(NODE.c.node).join_from(LINK, NODE, LINK.c.node_key == NODE.c.record_id)
            nodes = connection.execute(query.where(LINK.c.sweep_key == start.sweep_key).order_by(LINK.c.record_id))
            return StoredProofs(bytes.fromhex(encoded), tuple(bytes.fromhex(node) for node in nodes.scalars()))

    def add_transaction_proofs(
        self, start: SweepStart, proofs: Mapping[BlockRef, Sequence[TransactionProof]], actor: str, now: datetime
    ) -> None:
        """Store proofs that transactions stand in blocks; those that are stored stay as they are."""
        with self.record("sweep.transaction_proofs", actor, {"sweep_id": start.sweep_id}, now) as unit:
            known = set(self._proven_transactions(unit.connection, start.chain_id))
            unit.add_rows(
                TransactionProofRow,
                (
                    (
                        block.chain_id,
                        block.block_hash,
                        proof.tx_id,
                        proof.index,
                        proof.header.hex(),
                        _joined(proof.transaction_nodes),
                        _joined(proof.receipt_nodes),
                    )
                    for block, found in proofs.items()
                    for proof in found
                    if (block.block_hash, proof.tx_id) not in known
                ),
            )

    def proven_transactions(self, chain_id: ChainId) -> set[tuple[str, str]]:
        """Block hash and id of every transaction of a chain that was proven to stand in its block."""
        with self.read() as connection:
            return set(self._proven_transactions(connection, chain_id))

    def _proven_transactions(self, connection: sa.Connection, chain_id: ChainId) -> Iterator[tuple[str, str]]:
        query = sa.select(INCLUDED.c.block_hash, INCLUDED.c.tx_id).where(INCLUDED.c.chain_id == chain_id)
        return ((row.block_hash, row.tx_id) for row in connection.execute(query))

    def transaction_proofs(self, chain_id: ChainId) -> dict[tuple[str, str], TransactionProof]:
        """The stored proofs of a chain, by block hash and transaction."""
        query = sa.select(INCLUDED).where(INCLUDED.c.chain_id == chain_id).order_by(INCLUDED.c.record_id)
        with self.read() as connection:
            return {
                (row.block_hash, row.tx_id): TransactionProof(
                    bytes.fromhex(row.header),
                    row.tx_id,
                    row.place,
                    _split(row.transaction_nodes),
                    _split(row.receipt_nodes),
                )
                for row in connection.execute(query)
            }

    def proven_count(self, start: SweepStart) -> tuple[int, int]:
        """How many balances of a sweep are proven, and how many were learnt."""
        query = (
            sa.select(READING.c.state, sa.func.count())
            .join_from(OBSERVATION, READING, OBSERVATION.c.reading_key == READING.c.record_id)
            .where(OBSERVATION.c.sweep_key == start.sweep_key, OBSERVATION.c.base_units.is_not(None))
            .group_by(READING.c.state)
        )
        with self.read() as connection:
            counts = {StateEvidence(row[0]): int(row[1]) for row in connection.execute(query)}
        return counts.get(StateEvidence.PROVEN, 0), sum(counts.values())

    def proof_gaps(self, start: SweepStart) -> list[ProofGap]:
        """What a sweep read and could not prove, summed over its shards, by asset and reason."""
        query = (
            sa.select(ASSET.c.asset_id, GAP.c.reason, GAP.c.holdings)
            .join_from(GAP, SHARD, GAP.c.shard_key == SHARD.c.record_id)
            .join(ASSET, GAP.c.asset_key == ASSET.c.record_id)
            .where(SHARD.c.sweep_key == start.sweep_key)
        )
        counts: Counter[tuple[str, str]] = Counter()
        with self.read() as connection:
            for asset_id, reason, holdings in connection.execute(query):
                counts[asset_id, reason] += holdings
        return [ProofGap(AssetId(asset), reason, number) for (asset, reason), number in sorted(counts.items())]


def _joined(nodes: Sequence[bytes]) -> str:
    return " ".join(node.hex() for node in nodes)


def _split(text: str) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(node) for node in text.split(" "))


def add_proofs(unit: Unit, start: SweepStart, shard_key: int, proofs: BalanceProofs) -> None:
    """Store what was proven of one shard, and what was not, in the transaction of its observations."""
    counts: Counter[tuple[Asset, str]] = Counter()
    for reasons in (proofs.missing, proofs.unprovable):
        counts.update((holding.asset, reason) for holding, reason in reasons.items())
    assets = unit.asset_keys(asset for asset, _ in counts)
    unit.add_rows(
        ProofGapRow, ((shard_key, assets[asset], reason, number) for (asset, reason), number in counts.items())
    )
    if not proofs.proven:
        return
    stored = sa.select(HEADER.c.record_id).where(HEADER.c.sweep_key == start.sweep_key)
    if unit.connection.execute(stored).first() is None:
        unit.add(SweepHeaderRow, sweep_key=start.sweep_key, header=proofs.header.hex())
    keys = _node_keys(unit, proofs.nodes)
    linked = set(
        unit.connection.execute(sa.select(LINK.c.node_key).where(LINK.c.sweep_key == start.sweep_key)).scalars()
    )
    unit.add_rows(SweepProofNodeRow, ((start.sweep_key, key) for key in keys if key not in linked))


def _node_keys(unit: Unit, nodes: Iterable[bytes]) -> list[int]:
    """The keys of nodes, added where they are new."""
    by_digest = {keccak256(node).hex(): node for node in nodes}
    keys: dict[str, int] = {}
    digests: Sequence[str] = list(by_digest)
    for first in range(0, len(digests), LOOKUP_KEYS):
        part = digests[first : first + LOOKUP_KEYS]
        found = unit.connection.execute(sa.select(NODE.c.record_id, NODE.c.digest).where(NODE.c.digest.in_(part)))
        keys.update({row.digest: row.record_id for row in found})
    new = [digest for digest in digests if digest not in keys]
    first_key = unit.add_rows(ProofNodeRow, ((digest, by_digest[digest].hex()) for digest in new))
    keys.update((digest, first_key + offset) for offset, digest in enumerate(new))
    return list(keys.values())
