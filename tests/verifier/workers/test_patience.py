"""How long a sweep waits for workers that do not come."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.verifier.workers.test_crew import Team, team
from verifier.rules.shards import Shard
from verifier.shard_reading import ShardReading
from verifier.store import SweepStart
from verifier.workers.crew import shard_lease

__all__ = ["team"]


def test_without_any_worker_the_sweep_is_late_by_its_patience_once(team: Team) -> None:
    team.desk.crew = team.crew(patience=20)
    assert team.desk.sweep().exit_code == 0
    assert 20 <= team.seconds < 25, "and not once for each shard"


def test_a_worker_that_comes_while_the_sweep_reads_is_waited_for(team: Team) -> None:
    """The sweep reads the first shard itself; then one stirs, dies, and patience begins anew."""
    store, name = team.desk.store, shard_lease(team.desk.chain_id, 1)
    real = team.crew(patience=20)._read_here

    def stirs(start: SweepStart, shard: Shard, reading: ShardReading) -> None:
        real(start, shard, reading)
        if shard.number == 0:
            store.take_lease(name, datetime.now(UTC), seconds=3_600, holder="elsewhere/1@1")

    def gives_up() -> None:
        if team.seconds > 60:
            for lease, _, _ in store.leases():
                if lease.name == name:
                    store.give_lease_back(lease, datetime.now(UTC))

    crew = team.crew(patience=20)
    crew._read_here = stirs  # type: ignore[method-assign]
    team.on_sleep, team.desk.crew = gives_up, crew
    assert team.desk.sweep().exit_code == 0
    assert 80 <= team.seconds < 90
