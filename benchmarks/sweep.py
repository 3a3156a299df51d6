"""A whole sweep of many wallets x 3 assets on SQLite, from the pin to the stored summary, on a real Anvil.

Ours is `ChainSweep.run`: plan from the books, balances and blocks read, compared, stored and sealed in the journal;
the first sweep of a firm, the next one by another process, which rolls every balance forward too, and one of a watch,
which swept before and remembers the books and what it read. Who else could move what is there is not asked.

The peer is a bare bulk insert of the very rows that the sweep wrote; the floor is what the sweep sends to the node,
posted again, the replies dropped. All are judged by processor time, since they meet a machine that is shared.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from benchmarks.evm_holders import Crowd, empty_crowd
from benchmarks.http_recording import post_all
from benchmarks.measure import CpuClock, Result, ResultsDiffer, forget_peak, peak_rss_bytes, process_cpu_clock
from benchmarks.sweep_firm import RecordingPlugin, write_books
from benchmarks.sweep_peer import copied, insert_the_same, rows_of
from chains.devnet.anvil import AnvilProcess
from verifier.config import SweepSettings
from verifier.store import Store, open_store
from verifier.sweep import ChainSweep, Phase, SweepOutcome
from verifier.sweep_encumbrances import EncumbranceOptions

UNIT: Final = "holdings/s of CPU"
QUICK_WALLETS: Final = (200,)
FULL_WALLETS: Final = (10_000, 100_000)
PEER: Final = "bare bulk insert of the same rows"
FLOOR: Final = "the sweep's requests, replies dropped"
WATCHED: Final = "sweep of a watch"
TARGET_WALLETS: Final = 100_000
TARGET_RATIO_TO_PEER: Final = 0.5


def run(*, quick: bool = False) -> Iterator[Result]:
    """Each size on an Anvil of its own. Raises `ResultsDiffer` when a sweep does not match everything."""
    for wallets in QUICK_WALLETS if quick else FULL_WALLETS:
        with AnvilProcess() as process, tempfile.TemporaryDirectory(prefix="custody-sweep-") as folder:
            crowd = empty_crowd(process.node)
            crowd.grow(wallets)
            yield from measure(crowd, Path(folder), process_cpu_clock(process.process_id))


@dataclass(slots=True)
class _Split:
    """Where the processor time of a sweep goes, by the phases that a progress bar sees."""

    begun: float
    phase: str = "plan and pin"
    seconds: dict[str, float] = field(default_factory=dict)

    def on_phase(self, phase: Phase) -> Callable[[int], None]:
        """Close the phase before."""
        self.close(phase.name)
        return lambda count: None

    def close(self, following: str = "") -> None:
        """Book the time since the last change."""
        now = time.process_time()
        self.seconds[self.phase] = round(self.seconds.get(self.phase, 0.0) + now - self.begun, 2)
        self.begun, self.phase = now, following


def measure(crowd: Crowd, folder: Path, node_cpu: CpuClock | None = None) -> Iterator[Result]:
    """The first sweep, the next one and one of a watch of this crowd's firm, in a new database in the folder."""
    database = folder / "custody.db"
    cpu = time.process_time()
    allocations = write_books(crowd, f"sqlite:///{database}")
    books_cpu = time.process_time() - cpu
    for name in ("first sweep", "next sweep", WATCHED):
        with closing(open_store(f"sqlite:///{database}")) as store:
            if name == WATCHED:
                crowd.node.mine()
                _sweep(store, crowd, RecordingPlugin(), _Split(0.0))
            crowd.node.mine()
            before = copied(database, folder / f"{name.split()[0]}.db")
            first_after = rows_of(before)
            plugin = RecordingPlugin()
            forget_peak()
            node_before = node_cpu() if node_cpu else 0.0
            cpu, began = time.process_time(), time.perf_counter()
            split = _Split(cpu)
            outcome = _sweep(store, crowd, plugin, split)
            split.close()
            seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
            node_seconds = node_cpu() - node_before if node_cpu else 0.0
        peak = peak_rss_bytes()
        _require_matched(outcome, crowd)
        bare = insert_the_same(copied(database, folder / "swept.db"), before, first_after)
        bodies = [body for recording in plugin.recordings for body in recording.requests]
        node_before = node_cpu() if node_cpu else 0.0
        cpu, began = time.process_time(), time.perf_counter()
        post_all(crowd.node.url, bodies)
        floor_seconds, floor_cpu = time.perf_counter() - began, time.process_time() - cpu
        floor_node = node_cpu() - node_before if node_cpu else 0.0
        holdings = len(crowd.holdings)
        ratio = bare.cpu_seconds / cpu_seconds
        result = Result(
            case=f"sweep {len(crowd.addresses):,} wallets x {len(crowd.assets)} assets on SQLite, {name}",
            value=holdings / cpu_seconds,
            unit=UNIT,
            peer=PEER,
            peer_value=holdings / bare.cpu_seconds,
            floor=FLOOR,
            floor_value=holdings / (floor_cpu + floor_node),
            peak_rss_bytes=peak,
            notes={
                "seconds": {
                    "wall": round(seconds, 2),
                    "cpu": round(cpu_seconds, 2),
                    "node_cpu": round(node_seconds, 2),
                },
                "cpu_by_phase": split.seconds,
                "bare_insert": {
                    "wall": round(bare.seconds, 2),
                    "cpu": round(bare.cpu_seconds, 2),
                    "rows": sum(bare.rows.values()),
                },
                "node_floor": {
                    "wall": round(floor_seconds, 2),
                    "cpu": round(floor_cpu, 2),
                    "node_cpu": round(floor_node, 2),
                    "requests": len(bodies),
                },
                "rows": {name: count for name, count in bare.rows.items() if count > 1},
                "books": {"allocations": allocations, "cpu": round(books_cpu, 2)},
                "targets": {
                    f"{TARGET_RATIO_TO_PEER:.0%} of the bare insert at {TARGET_WALLETS:,} wallets": (
                        "not asked"
                        if len(crowd.addresses) != TARGET_WALLETS
                        else ("met" if ratio >= TARGET_RATIO_TO_PEER else "NOT met")
                    )
                },
            },
        )
        yield result


def _sweep(store: Store, crowd: Crowd, plugin: RecordingPlugin, split: _Split) -> SweepOutcome:
    # A moment just after the newest block: Anvil's clock may run ahead of ours.
    newest = datetime.fromtimestamp(int(crowd.node.block()["timestamp"], 16), UTC) + timedelta(seconds=1)
    return ChainSweep(
        store,
        crowd.config,
        plugin,
        SweepSettings(as_of_skew_seconds_max=86_400),
        history_from_height=None,
        clock=lambda: max(newest, datetime.now(UTC)),
        on_phase=split.on_phase,
        encumbrances=EncumbranceOptions(is_asked=False),
    ).run()


def _require_matched(outcome: SweepOutcome, crowd: Crowd) -> None:
    holdings = len(crowd.holdings)
    if outcome.summary is None:
        raise ResultsDiffer(f"the sweep failed: {outcome.failure_code} {outcome.failure}")
    if outcome.expected != holdings or outcome.summary.matched != holdings:
        raise ResultsDiffer(f"{outcome.summary.matched} of {holdings} holdings matched, {outcome.expected} expected")
