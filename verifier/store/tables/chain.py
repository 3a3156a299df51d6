"""What the chain said: sweeps, the balances they read, the blocks they covered and the movements in them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from chains.types import AnchorEvidence, StateEvidence, TransferKind
from verifier.store.tables.base import DataRow, HotRow, column, rules
from verifier.store.types import BaseUnits, EnumText, Flag, UtcTime, Whole, Words


class NodeCapabilityRow(DataRow, table=True):
    """What a probe found a node able to do; the newest of a node and capability holds."""

    __tablename__ = "node_capability"
    __table_args__ = rules(sa.Index(None, "chain_id", "node_id", "capability"))

    chain_id: str = column(Words())
    node_id: str = column(Words())
    capability: str = column(Words())
    value: str = column(Words())


class SweepRow(DataRow, table=True):
    """A sweep of one chain that was started: where it reads, and how many holdings it must account for."""

    __tablename__ = "sweep"
    __table_args__ = rules(sa.UniqueConstraint("sweep_id"), sa.Index(None, "chain_id"))

    sweep_id: str = column(Words())
    chain_id: str = column(Words())
    height: int = column(Whole())
    block_hash: str = column(Words())
    parent_hash: str = column(Words())
    block_time: datetime = column(UtcTime())
    finality: str = column(Words())
    node_id: str = column(Words())
    header_checked: bool = column(Flag())
    known_at: datetime = column(UtcTime())
    expected: int = column(Whole())


class ReadingRow(HotRow, table=True):
    """How a balance was read and how well that is evidenced; observations refer to it."""

    __tablename__ = "reading"
    __table_args__ = rules(sa.UniqueConstraint("method", "node_id", "state", "anchor"))

    method: str = column(Words())
    node_id: str = column(Words())
    state: StateEvidence = column(EnumText(StateEvidence))
    anchor: AnchorEvidence = column(EnumText(AnchorEvidence))


class SweepShardRow(HotRow, table=True):
    """That one shard of a sweep was read and stored; its observations came in the same transaction."""

    __tablename__ = "sweep_shard"
    __table_args__ = rules(sa.UniqueConstraint("sweep_key", "shard"))

    sweep_key: int = column(Whole(), to="sweep.record_id")
    shard: int = column(Whole())
    observation_count: int = column(Whole())
    failed_count: int = column(Whole())


class BalanceObservationRow(HotRow, table=True):
    """What the chain said about one balance at the sweep's block; NULL base units when the read failed."""

    __tablename__ = "balance_observation"
    __table_args__ = rules(
        sa.UniqueConstraint("sweep_key", "location_key", "asset_key"),
        sa.CheckConstraint("(base_units IS NULL) = (reason IS NOT NULL)", name="amount_or_reason"),
    )

    sweep_key: int = column(Whole(), to="sweep.record_id")
    location_key: int = column(Whole(), to="interned_text.record_id")
    asset_key: int = column(Whole(), to="asset_value.record_id")
    reading_key: int = column(Whole(), to="reading.record_id")
    base_units: int | None = column(BaseUnits())
    reason: str | None = column(Words())


class CoveredBlockRow(HotRow, table=True):
    """A block whose movements were read whole."""

    __tablename__ = "covered_block"
    __table_args__ = rules(sa.Index(None, "chain_id", "height"), sa.UniqueConstraint("sweep_key", "block_hash"))

    sweep_key: int = column(Whole(), to="sweep.record_id")
    chain_id: str = column(Words())
    height: int = column(Whole())
    block_hash: str = column(Words())
    parent_hash: str = column(Words())
    block_time: datetime = column(UtcTime())
    node_id: str = column(Words())
    mode: str = column(Words())


class OrphanedBlockRow(DataRow, table=True):
    """That a covered block left the canonical chain: what rests on it is superseded, and kept."""

    __tablename__ = "orphaned_block"
    __table_args__ = rules(sa.UniqueConstraint("covered_key"))

    covered_key: int = column(Whole(), to="covered_block.record_id")
    reason: str = column(Words())


class TransferRow(HotRow, table=True):
    """One movement of one asset that touched a watched address."""

    __tablename__ = "transfer"
    __table_args__ = rules(
        sa.UniqueConstraint("covered_key", "tx_id", "kind", "log_index"),
        sa.Index(None, "sender"),
        sa.Index(None, "receiver"),
    )

    covered_key: int = column(Whole(), to="covered_block.record_id")
    tx_id: str = column(Words())
    log_index: int = column(Whole())
    kind: TransferKind = column(EnumText(TransferKind))
    asset_key: int = column(Whole(), to="asset_value.record_id")
    sender: str | None = column(Words())
    receiver: str | None = column(Words())
    base_units: int = column(BaseUnits())


class UnparsedEventsRow(HotRow, table=True):
    """That a run of covered blocks held events of an asset that could not be read as transfers."""

    __tablename__ = "unparsed_events"
    __table_args__ = rules(sa.UniqueConstraint("last_covered_key", "asset_id"))

    first_covered_key: int = column(Whole(), to="covered_block.record_id")
    last_covered_key: int = column(Whole(), to="covered_block.record_id")
    asset_id: str = column(Words())
    event_count: int = column(Whole())


class SweepEndRow(DataRow, table=True):
    """How a sweep ended: completed with its counts, or abandoned with the reason."""

    __tablename__ = "sweep_end"
    __table_args__ = rules(
        sa.UniqueConstraint("sweep_key"),
        sa.CheckConstraint(
            "abandoned <> '' OR matched + diverged + unverified = expected", name="every_holding_accounted_for"
        ),
    )

    sweep_key: int = column(Whole(), to="sweep.record_id")
    abandoned: str = column(Words())
    """Why it was given up; empty when it was completed."""
    expected: int = column(Whole())
    matched: int = column(Whole())
    diverged: int = column(Whole())
    unverified: int = column(Whole())
    transfers_scanned: int = column(Whole())
    transfers_outgoing: int = column(Whole())
    transfers_not_matched: int = column(Whole())
    transfers_change: int = column(Whole())
    first_height: int | None = column(Whole())
    last_height: int | None = column(Whole())
    judged_covered_key: int | None = column(Whole(), to="covered_block.record_id")
    """The newest covered block whose movements this sweep or an earlier one judged; NULL when there was none."""
    judged_run_key: int | None = column(Whole(), to="backfill_run.record_id")
    """The newest run of a backfill whose movements this sweep or an earlier one judged; NULL when there was none."""
    judged_transfer_key: int | None = column(Whole(), to="transfer.record_id")
    """The newest movement that this sweep or an earlier one judged; NULL when there was none. Movements may be found
    later in blocks that were judged before: by traces, or for wallets that were mapped late."""


class ChainHaltRow(DataRow, table=True):
    """That sweeping a chain was halted for a person, or resumed by one; the newest holds."""

    __tablename__ = "chain_halt"
    __table_args__ = rules(sa.Index(None, "chain_id"))

    chain_id: str = column(Words())
    halted: bool = column(Flag())
    actor: str = column(Words())
    from_height: int | None = column(Whole())
    """The lowest final block that was reversed."""
    reason: str = column(Words())


class SweepFailureRow(DataRow, table=True):
    """That a sweep of a chain could read nothing: every mapped holding of it was unverified then."""

    __tablename__ = "sweep_failure"
    __table_args__ = rules(sa.Index(None, "chain_id"))

    chain_id: str = column(Words())
    code: str = column(Words())
    reason: str = column(Words())
    expected: int = column(Whole())
