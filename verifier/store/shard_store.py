"""The cut of a sweep into shards, and who could not read one of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from chains.types import Address
from verifier.rules.shards import Shard
from verifier.store.engine import Database
from verifier.store.records import ShardFailure, SweepStart
from verifier.store.sweep_store import has_ended
from verifier.store.tables import ShardFailureRow, ShardPlanRow, SweepShardRow, table

PLAN, FAILURE, STORED = table(ShardPlanRow), table(ShardFailureRow), table(SweepShardRow)


class ShardStore(Database):
    """The shard plan's side of the store."""

    def plan_shards(self, start: SweepStart, shards: Sequence[Shard], actor: str, now: datetime) -> list[Shard]:
        """Record how a sweep is cut, once; returns the cut that stands, which is the first one."""
        payload = {
            "sweep_id": start.sweep_id,
            "chain_id": start.chain_id,
            "block_hash": start.block.block_hash,
            "shards": len(shards),
        }
        with self.record("sweep.planned", actor, payload, now) as unit:
            stands = _plan(unit.connection, start)
            if stands or has_ended(unit.connection, start):
                return stands
            unit.add_rows(
                ShardPlanRow,
                (
                    (
                        start.sweep_key,
                        shard.number,
                        shard.first_address,
                        shard.last_address,
                        shard.wallet_count,
                        shard.holding_count,
                        shard.holdings_digest,
                    )
                    for shard in shards
                ),
            )
        return list(shards)

    def shard_plan(self, start: SweepStart) -> list[Shard]:
        """How a sweep was cut, in order; empty when it was not cut yet."""
        with self.read() as connection:
            return _plan(connection, start)

    def has_ended(self, start: SweepStart) -> bool:
        """Whether a sweep was completed or given up: it takes nothing more."""
        with self.read() as connection:
            return has_ended(connection, start)

    def stored_shards(self, start: SweepStart) -> dict[int, int]:
        """Number of each shard that is stored, and how many observations it has."""
        query = sa.select(STORED.c.shard, STORED.c.observation_count).where(STORED.c.sweep_key == start.sweep_key)
        with self.read() as connection:
            return {row.shard: row.observation_count for row in connection.execute(query)}

    def add_shard_failure(
        self, start: SweepStart, number: int, failure: ShardFailure, actor: str, now: datetime
    ) -> None:
        """Record that a shard could not be read; nothing when it is stored meanwhile or the sweep has ended."""
        payload = {"sweep_id": start.sweep_id, "shard": number, "code": failure.code}
        planned = sa.select(PLAN.c.record_id).where(PLAN.c.sweep_key == start.sweep_key, PLAN.c.shard == number)
        stored = sa.select(STORED.c.record_id).where(STORED.c.sweep_key == start.sweep_key, STORED.c.shard == number)
        with self.record("sweep.shard_failed", actor, payload, now) as unit:
            if unit.connection.execute(stored).first() or has_ended(unit.connection, start):
                return
            unit.add(
                ShardFailureRow,
                plan_key=unit.connection.execute(planned).scalar_one(),
                node_id=failure.node_id,
                code=failure.code,
                reason=failure.reason,
            )

    def shard_failures(self, start: SweepStart) -> dict[int, list[ShardFailure]]:
        """Who could not read which shard of a sweep, by its number, in the order of the tries."""
        query = (
            sa.select(PLAN.c.shard, FAILURE.c.node_id, FAILURE.c.code, FAILURE.c.reason)
            .join_from(FAILURE, PLAN, FAILURE.c.plan_key == PLAN.c.record_id)
            .where(PLAN.c.sweep_key == start.sweep_key)
            .order_by(FAILURE.c.record_id)
        )
        found: dict[int, list[ShardFailure]] = defaultdict(list)
        with self.read() as connection:
            for row in connection.execute(query):
                found[row.shard].append(ShardFailure(row.node_id, row.code, row.reason))
        return dict(found)


def _plan(connection: sa.Connection, start: SweepStart) -> list[Shard]:
    query = sa.select(PLAN).where(PLAN.c.sweep_key == start.sweep_key).order_by(PLAN.c.shard)
    return [
        Shard(
            number=row.shard,
            first_address=Address(row.first_address),
            last_address=Address(row.last_address),
            wallet_count=row.wallet_count,
            holding_count=row.holding_count,
            holdings_digest=row.holdings_digest,
        )
        for row in connection.execute(query)
    ]
