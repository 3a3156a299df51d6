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
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.__main__ import quiet_log
from benchmarks.evm_holders import Crowd, empty_crowd
from benchmarks.http_recording import post_all
from benchmarks.measure import CpuClock, Result, ResultsDiffer, process_cpu_clock
from benchmarks.postgres_rows import Copied, connected, copy_the_same, newest_entry
from benchmarks.sweep_firm import write_books
from benchmarks.sweep_workers_firm import Case, make_case, wait_for_own_clock
from benchmarks.sweep_workers_once import swept
from benchmarks.worker_processes import server_cpu_clock
from chains.devnet.anvil import AnvilProcess
from tests.postgres import PostgresServer, running_server
from verifier.store.work_queue import prepare_queue

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
) -> Generator[Result, None, None]:
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
        if len(bench.crowd.addresses) > max(QUICK_WALLETS):
            with connected(case.url) as connection:
                connection.execute("CHECKPOINT")  # what copying the database left behind is not the sweep's cost
        taken = swept(case, bench.crowd, name.split(maxsplit=1)[0], bench.server_cpu, bench.node_cpu)
        bench.bodies = bench.bodies if case.workers else taken.requests
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
        value=holdings / taken.wall,
        unit=UNIT,
        peer=PEER,
        peer_value=holdings / bare.seconds,
        floor=FLOOR,
        floor_value=holdings / floor_wall,
        peak_rss_bytes=taken.peak,
        notes={
            "seconds": {
                "wall": round(taken.wall, 2),
                "cpu": _rounded(taken.cpu),
                "sweep_cpu": round(taken.sweep_cpu, 2),
                "workers_cpu": _rounded(taken.workers_cpu),
                "postgres_cpu": _rounded(taken.server_cpu),
                "node_cpu": _rounded(taken.node_cpu),
            },
            "ratios": {
                "to_copy": _ratio(bare.seconds, taken.wall),
                "to_copy_cpu": _ratio(_sum(bare.client_cpu_seconds, bare.server_cpu_seconds), taken.cpu),
                "to_floor": _ratio(floor_wall, taken.wall),
                "to_floor_cpu": _ratio(_sum(floor_cpu, floor_node), taken.cpu),
            },
            "shards": taken.shards,
            "worker_peak_mib": [round(peak / 2**20) for peak in taken.worker_peaks],
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
