"""A whole sweep of many wallets x 3 assets on PostgreSQL, by one process alone and with 1 and 2 `custody worker`.

`python -m benchmarks.sweep_workers --wallets 100000` starts a PostgreSQL and an Anvil of its own. Ours is
`ChainSweep.run`, as in the benchmark of a sweep on SQLite; with workers they read the shards and store them, and the
sweep does the rest. Every case has a database of its own, a copy of one with the books, and all of them sweep the same
two blocks: the first sweep of the firm, and the next one. The peer is one COPY per table of the very rows that the
sweep wrote, in one transaction; the floor is what the sweep without workers sends to the node, posted again.

Judged by the wall, since several processes share the work; the processor time of all of them stands beside it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.__main__ import quiet_log
from benchmarks.evm_holders import Crowd, empty_crowd
from benchmarks.http_recording import post_all
from benchmarks.measure import CpuClock, Result, ResultsDiffer, forget_peak, peak_rss_bytes, process_cpu_clock
from benchmarks.postgres_rows import Copied, connected, copy_the_same, newest_entry
from benchmarks.sweep_firm import RecordingPlugin, write_books
from benchmarks.sweep_workers_firm import Case, make_case, wait_for_own_clock
from benchmarks.worker_processes import Workers, running_workers, server_cpu_clock, watchful_sleep
from chains.devnet.anvil import AnvilProcess
from chains.evm import chain_plugin
from tests.postgres import PostgresServer, running_server
from verifier.store import Store, SweepStart, open_store
from verifier.store.work_queue import ShardPost, prepare_queue
from verifier.sweep import ChainSweep, SweepOutcome
from verifier.sweep_encumbrances import EncumbranceOptions
from verifier.workers.crew import WaitingCrew

UNIT: Final = "holdings/s"
QUICK_WALLETS: Final = (200,)
FULL_WALLETS: Final = (2_000, 100_000)
WORKERS: Final = (0, 1, 2)
PEER: Final = "one COPY per table of the same rows"
FLOOR: Final = "the sweep's requests, replies dropped"

Say = Callable[[str], None]


def silent(text: str) -> None:
    """No progress shown."""


def run(*, quick: bool = False) -> Iterator[Result]:
    """Each size on an Anvil of its own. Raises `ResultsDiffer` when a sweep does not match everything."""
    yield from of_sizes(QUICK_WALLETS if quick else FULL_WALLETS)


def of_sizes(sizes: Sequence[int], say: Say = silent) -> Iterator[Result]:
    """As `run`, for these numbers of wallets."""
    with _server() as server:
        for wallets in sizes:
            with AnvilProcess() as process, tempfile.TemporaryDirectory(prefix="custody-sweep-workers-") as folder:
                crowd = empty_crowd(process.node)
                say(f"{wallets:,} wallets: writing them to the chain")
                crowd.grow(wallets)
                yield from measure(crowd, Path(folder), server, process_cpu_clock(process.process_id), say)


@contextmanager
def _server() -> Iterator[PostgresServer]:
    """A PostgreSQL of the benchmark's own. Not below a private folder: as root it runs as another user."""
    with running_server(Path(tempfile.gettempdir()) / f"custody-sweep-postgres-{os.getpid()}") as url:
        server = PostgresServer(url)
        try:
            yield server
        finally:
            server.close(keeps_running=False)


@dataclass(slots=True)
class _Swept:
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

    @property
    def cpu(self) -> float | None:
        """Of the sweep, the workers and the server together; the node's is not in it."""
        if self.workers_cpu is None or self.server_cpu is None:
            return None
        return self.sweep_cpu + self.workers_cpu + self.server_cpu


@dataclass(slots=True)
class _Bench:
    """What all cases of one crowd share. The clocks are None where the system does not tell."""

    crowd: Crowd
    server: PostgresServer
    server_cpu: CpuClock | None
    node_cpu: CpuClock | None
    say: Say
    bodies: list[bytes] = field(default_factory=list)
    """What the sweep without workers sent to the node at the present block."""


def measure(
    crowd: Crowd,
    folder: Path,
    server: PostgresServer,
    node_cpu: CpuClock | None = None,
    say: Say = silent,
    workers: Sequence[int] = WORKERS,
) -> Iterator[Result]:
    """The first sweep and the next of this crowd's firm, by so many workers each, in databases of their own.

    Without workers comes first: what that sweep sends is the floor of all.
    """
    with ExitStack() as made:

        def own(url: str) -> str:
            made.callback(server.drop, url)
            return url

        books = own(server.empty_database())
        say("writing the books")
        allocations = write_books(crowd, books)
        prepare_queue(books)
        with connected(books) as connection:
            connection.execute("ANALYZE")
        bench = _Bench(crowd, server, server_cpu_clock(books), node_cpu, say)
        cases = [make_case(crowd, folder, own(server.copy_of(books)), count) for count in workers]
        for name in ("first sweep", "next sweep"):
            crowd.node.mine()
            wait_for_own_clock(crowd)
            for case in cases:
                say(f"{name}, {case.name}; {allocations:,} allocations")
                yield _measure(bench, case, name)


def _measure(bench: _Bench, case: Case, name: str) -> Result:
    before = bench.server.copy_of(case.url)
    try:
        entry = newest_entry(before)
        swept = _swept(bench, case, name)
        bare = copy_the_same(case.url, before, entry, bench.server_cpu)
    finally:
        bench.server.drop(before)
    node_before = bench.node_cpu() if bench.node_cpu else 0.0
    cpu, began = time.process_time(), time.perf_counter()
    post_all(bench.crowd.node.url, bench.bodies)
    floor_wall, floor_cpu = time.perf_counter() - began, time.process_time() - cpu
    floor_node = bench.node_cpu() - node_before if bench.node_cpu else None
    holdings = len(bench.crowd.holdings)
    assets = len(bench.crowd.assets)
    wallets = len(bench.crowd.addresses)
    return Result(
        case=f"sweep {wallets:,} wallets x {assets} assets on PostgreSQL, {name}, {case.name}",
        value=holdings / swept.wall,
        unit=UNIT,
        peer=PEER,
        peer_value=holdings / bare.seconds,
        floor=FLOOR,
        floor_value=holdings / floor_wall,
        peak_rss_bytes=swept.peak,
        notes={
            "seconds": {
                "wall": round(swept.wall, 2),
                "cpu": _rounded(swept.cpu),
                "sweep_cpu": round(swept.sweep_cpu, 2),
                "workers_cpu": _rounded(swept.workers_cpu),
                "postgres_cpu": _rounded(swept.server_cpu),
                "node_cpu": _rounded(swept.node_cpu),
            },
            "ratios": {
                "to_copy": _ratio(bare.seconds, swept.wall),
                "to_copy_cpu": _ratio(_sum(bare.client_cpu_seconds, bare.server_cpu_seconds), swept.cpu),
                "to_floor": _ratio(floor_wall, swept.wall),
                "to_floor_cpu": _ratio(_sum(floor_cpu, floor_node), swept.cpu),
            },
            "shards": swept.shards,
            "worker_peak_mib": [round(peak / 2**20) for peak in swept.worker_peaks],
            "copy": _copy_note(bare),
            "node_floor": {
                "wall": round(floor_wall, 2),
                "cpu": round(floor_cpu, 2),
                "node_cpu": _rounded(floor_node),
                "requests": len(bench.bodies),
            },
            "rows": {table: count for table, count in bare.rows.items() if count > 1},
        },
    )


def _swept(bench: _Bench, case: Case, name: str) -> _Swept:
    """Sweep once, with workers that listen already, and require what must have come of it."""
    word = name.split(maxsplit=1)[0]
    if len(bench.crowd.addresses) > max(QUICK_WALLETS):
        with connected(case.url) as connection:
            connection.execute("CHECKPOINT")  # what copying the database left behind is not the sweep's cost
    with running_workers(case.config, case.url, case.workers, word) as workers, closing(open_store(case.url)) as store:
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
        clocks = (time.process_time, workers.cpu_seconds, bench.server_cpu, bench.node_cpu)
        before, began = [clock() if clock else None for clock in clocks], time.perf_counter()
        outcome = sweep.run()
        wall = time.perf_counter() - began
        after = [clock() if clock else None for clock in clocks]
        peak, worker_peaks = peak_rss_bytes(), workers.peaks()
        workers.end()
        start = _require_matched(store, outcome, bench.crowd)
        planned = _require_stored(store, start)
    if isinstance(plugin, RecordingPlugin):
        bench.bodies = [body for recording in plugin.recordings for body in recording.requests]
    stored = workers.stored(start.sweep_id)
    own, theirs, server, node = (None if a is None or b is None else a - b for a, b in zip(after, before, strict=True))
    assert own is not None  # every system tells a process its own time
    return _Swept(wall, own, theirs, server, node, peak, worker_peaks, shared(planned, stored))


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


def _copy_note(bare: Copied) -> dict[str, object]:
    return {
        "wall": round(bare.seconds, 2),
        "cpu": round(bare.client_cpu_seconds, 2),
        "postgres_cpu": _rounded(bare.server_cpu_seconds),
        "rows": sum(bare.rows.values()),
        "bytes": bare.bytes,
    }


def _sum(own: float, other: float | None) -> float | None:
    return None if other is None else own + other


def _ratio(theirs: float | None, ours: float | None) -> float | None:
    return None if theirs is None or not ours else round(theirs / ours, 3)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)


def main() -> int:
    """Measure one size and print a line for each case; progress goes to standard error."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep_workers", description=__doc__)
    parser.add_argument("--wallets", type=int, default=2_000)
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    arguments = parser.parse_args()
    quiet_log()
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:7.0f} s  {text}", file=sys.stderr, flush=True)

    try:
        for result in of_sizes((arguments.wallets,), say):
            print(result.to_json() if arguments.json else result.to_text(), flush=True)
    except ResultsDiffer as error:
        print(f"sweep_workers: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
