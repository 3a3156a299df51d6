"""One sweep of the benchmark's firm, alone or with real workers: what it took, and that it came to what it must."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.evm_holders import Crowd
from benchmarks.measure import CpuClock, ResultsDiffer, forget_peak, peak_rss_bytes
from benchmarks.sweep_firm import RecordingPlugin
from benchmarks.sweep_workers_firm import Case
from benchmarks.worker_processes import Workers, running_workers, watchful_sleep
from chains.evm import chain_plugin
from verifier.store import Store, SweepStart, open_store
from verifier.store.work_queue import ShardPost
from verifier.sweep import ChainSweep, SweepOutcome
from verifier.sweep_encumbrances import EncumbranceOptions
from verifier.workers.crew import WaitingCrew


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep took. Processor seconds are None where the system does not tell."""

    wall: float
    sweep_cpu: float
    workers_cpu: float | None
    server_cpu: float | None
    node_cpu: float | None
    peak: int
    worker_peaks: list[int]
    shards: dict[str, int]
    """By who stored them."""
    requests: list[bytes]
    """What was sent to the node; recorded without workers only."""

    @property
    def cpu(self) -> float | None:
        """Of the sweep, the workers and the server together; the node's is not in it."""
        if self.workers_cpu is None or self.server_cpu is None:
            return None
        return self.sweep_cpu + self.workers_cpu + self.server_cpu


def swept(case: Case, crowd: Crowd, name: str, server_cpu: CpuClock | None, node_cpu: CpuClock | None) -> Swept:
    """Sweep once, with workers that listen already. `name` is that of the files with what they say.

    Raises `ResultsDiffer` when not everything matched, or when a shard was not stored by the workers that there are.
    """
    with running_workers(case.config, case.url, case.workers, name) as workers, closing(open_store(case.url)) as store:
        plugin = RecordingPlugin() if not case.workers else chain_plugin
        sweep = ChainSweep(
            store,
            case.settings.chains[0].resolve(),
            plugin,
            case.settings.sweep,
            history_from_height=None,
            clock=lambda: datetime.now(UTC),
            encumbrances=EncumbranceOptions(is_asked=False),
            crew=_crew(store, case, workers) if case.workers else None,
        )
        forget_peak()
        clocks = (time.process_time, workers.cpu_seconds, server_cpu, node_cpu)
        before, began = [clock() if clock else None for clock in clocks], time.perf_counter()
        outcome = sweep.run()
        wall = time.perf_counter() - began
        after = [clock() if clock else None for clock in clocks]
        peak, worker_peaks = peak_rss_bytes(), workers.peaks()
        workers.end()
        start = _require_matched(store, outcome, crowd)
        planned = _require_stored(store, start)
    recordings = plugin.recordings if isinstance(plugin, RecordingPlugin) else []
    bodies = [body for recording in recordings for body in recording.requests]
    stored = workers.stored(start.sweep_id)
    own, theirs, server, node = (None if a is None or b is None else a - b for a, b in zip(after, before, strict=True))
    assert own is not None  # every system tells a process its own time
    return Swept(wall, own, theirs, server, node, peak, worker_peaks, shared(planned, stored), bodies)


def _crew(store: Store, case: Case, workers: Workers) -> WaitingCrew:
    """As `custody sweep --workers` makes it; but that a worker has ended is noticed at once."""
    settings = case.settings.workers
    return WaitingCrew(
        store,
        ShardPost(case.url),
        lease_seconds=settings.lease_seconds,
        attempts_max=settings.attempts_max,
        patience_seconds=settings.patience_seconds,
        sleep=watchful_sleep(workers),
    )


def _require_matched(store: Store, outcome: SweepOutcome, crowd: Crowd) -> SweepStart:
    """The sweep. Raises `ResultsDiffer` unless everything was expected and matched."""
    holdings = len(crowd.holdings)
    if outcome.summary is None:
        raise ResultsDiffer(f"the sweep failed: {outcome.failure_code} {outcome.failure}")
    if outcome.expected != holdings or outcome.summary.matched != holdings:
        raise ResultsDiffer(f"{outcome.summary.matched} of {holdings} holdings matched, {outcome.expected} expected")
    start = store.sweep(outcome.summary.sweep_id)
    if start is None:
        raise ResultsDiffer("the sweep is not in the database")
    return start


def _require_stored(store: Store, start: SweepStart) -> set[int]:
    """Numbers of the planned shards. Raises `ResultsDiffer` unless there are some and every one of them is stored."""
    planned, stored = {shard.number for shard in store.shard_plan(start)}, set(store.stored_shards(start))
    if not planned or planned != stored:
        raise ResultsDiffer(f"{len(planned)} shards were planned, {len(stored)} are stored")
    return planned


def shared(planned: set[int], stored: list[list[int]]) -> dict[str, int]:
    """How many shards each worker stored; without workers the sweep stored them all.

    Raises `ResultsDiffer` when there were workers and a shard was stored by none of them, or by two.
    """
    if not stored:
        return {"sweep": len(planned)}
    by_workers = sorted(number for numbers in stored for number in numbers)
    if by_workers != sorted(planned):
        raise ResultsDiffer(f"workers stored {len(by_workers)} shards, {len(planned)} were planned: {by_workers[:20]}")
    return {f"worker {number}": len(numbers) for number, numbers in enumerate(stored, 1)}
