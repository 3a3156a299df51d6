"""How a sweep was cut into shards, and which of them a worker tried and could not read."""

from __future__ import annotations

import sqlalchemy as sa

from verifier.store.tables.base import DataRow, HotRow, column, rules
from verifier.store.types import Whole, Words


class ShardPlanRow(HotRow, table=True):
    """One shard of a sweep, planned before anything is read; `sweep_shard` says that it was read and stored."""

    __tablename__ = "shard_plan"
    __table_args__ = rules(sa.UniqueConstraint("sweep_key", "shard"))

    sweep_key: int = column(Whole(), to="sweep.record_id")
    shard: int = column(Whole())
    first_address: str = column(Words())
    last_address: str = column(Words())
    """Both belong to the shard."""
    wallet_count: int = column(Whole())
    holding_count: int = column(Whole())
    holdings_digest: str = column(Words())
    """SHA-256 of the holdings in their order: whoever reads the shard reads these and no others."""


class ShardFailureRow(DataRow, table=True):
    """That a worker tried to read a shard and could not: another one tries."""

    __tablename__ = "shard_failure"
    __table_args__ = rules(sa.Index(None, "plan_key"))

    plan_key: int = column(Whole(), to="shard_plan.record_id")
    node_id: str = column(Words())
    code: str = column(Words())
    reason: str = column(Words())
