"""The files of a firm's day, from import to both reserve computations and the control review.

Every side must find the figures that the generator of the files knows: lines and requirement of both computations, and
every deficit of possession or control. Ours is what a firm runs: each row checked against the others and the mapping,
stored under the journal, the lines derived with the rows behind each figure, computation and review kept with digests.
"""

from __future__ import annotations

import gc
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from benchmarks.measure import Result, ResultsDiffer, Side, check_then_time, forget_peak, peak_rss_bytes
from benchmarks.reserve_made import AS_OF, DAY, FACTS, Figures, Made, make
from benchmarks.reserve_peer import floor, peer
from chains.registry import plugin_for
from exports.reserve.computation import Occasion, Scope
from exports.reserve.items import ReserveClass
from mapping.importer import ImportOptions, post_row, read_files
from verifier.config import FirmSettings, Settings
from verifier.control_rail import possession_view, review_and_record
from verifier.reserve_rail import compute_and_record, reserve_view
from verifier.store import Store, open_store

T = TypeVar("T")
UNIT: Final = "accounts/s"
SIZES: Final = (100_000, 1_000_000)
QUICK_SIZES: Final = (2_000,)
OURS, PEER, FLOOR = "ours", "SQLite and a loop, nothing checked", "plain read of the same files"
SETTINGS: Final = Settings(firm=FirmSettings(name="Example Brokerage LLC"))
NOW: Final = datetime(2026, 10, 5, 16, 0, tzinfo=UTC)
"""The business day after, noon in New York."""


@dataclass(slots=True)
class Phases:
    """Wall seconds, CPU seconds and peak memory of each step of one run."""

    seconds: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    peaks: dict[str, int] = field(default_factory=dict)

    def take(self, name: str, step: Callable[[], T]) -> T:
        """Do a step and measure it; garbage of the step before is no cost of this one."""
        gc.collect()
        forget_peak()
        start, cpu = time.perf_counter(), time.process_time()
        made = step()
        self.seconds[name] = round(time.perf_counter() - start, 2)
        self.cpu[name] = round(time.process_time() - cpu, 2)
        self.peaks[name] = peak_rss_bytes()
        return made

    def notes(self) -> dict[str, object]:
        """For the line of output."""
        peaks = {name: peak // 2**20 for name, peak in self.peaks.items()}
        return {"seconds": dict(self.seconds), "cpu_seconds": dict(self.cpu), "peak_mib": peaks}


def run(*, quick: bool = False) -> Iterator[Result]:
    """Measure each size. Raises `ResultsDiffer` before anything is timed."""
    for size in QUICK_SIZES if quick else SIZES:
        with tempfile.TemporaryDirectory() as folder:
            yield measure(make(Path(folder), size))


def prepare(made: Made) -> Path:
    """A database that knows the firm's clients, securities and other facts, and no day yet."""
    path = made.folder / "prepared.sqlite"
    with closing(open_store(f"sqlite:///{path}")) as store:
        store.migrate("benchmark", NOW - timedelta(hours=2))
        take_in(store, made.paths(FACTS), NOW - timedelta(hours=1))
    return path


def take_in(store: Store, paths: list[Path], now: datetime) -> None:
    """Import files; every problem stops the benchmark."""
    with store.known() as known:
        result = read_files(paths, known, ImportOptions(now=now), plugin_for)
    if not result.ok:
        raise ResultsDiffer(f"{OURS}: {result.problems[0]}; nothing was timed")
    store.apply_import(result, "ops.maker", now)


def ours(made: Made, prepared: Path, phases: Phases) -> Figures:
    """The day's files into a copy of the database, both computations, the control review."""
    path = made.folder / "ours.sqlite"
    shutil.copyfile(prepared, path)
    with closing(open_store(f"sqlite:///{path}")) as store:
        phases.take("import", lambda: take_in(store, made.paths(DAY), NOW - timedelta(minutes=30)))
        stored = phases.take(
            "computations",
            lambda: compute_and_record(store, SETTINGS, AS_OF, Scope.BOTH, Occasion.REGULAR, "ops.maker", NOW),
        )
        review = phases.take("control", lambda: review_and_record(store, SETTINGS, AS_OF, "ops.maker", NOW).review())
        computation = stored.computation()
    customer, pab = computation.inputs.customer, computation.inputs.pab
    figures = Figures()
    for lines, found in ((customer.lines, figures.customer), (pab.lines, figures.pab)):
        found.update({line.number: line.cents for line in lines if line.cents or line.number in found})
    figures.deficits = {each.issue.security_id: each.deficit for each in review.deficits}
    required = (computation.customer.required, computation.pab.required)
    if required != (figures.customer_required, figures.pab_required):
        raise ResultsDiffer(f"{OURS}: required is {required}, and not what its lines come to")
    return figures


def look(made: Made, phases: Phases) -> None:
    """One row posted to what `ours` left, and both rails looked at, as `custody post` does."""
    values = {
        "as_of": NOW.date().isoformat(),
        "account_id": "A-0000000",
        "client_id": "C-0000000",
        "holder_class": "customer",
        "account_type": "cash",
        "credit_balance": f"{10**9}.00",
        "debit_balance": "0.00",
    }
    before = made.figures.customer_required
    with closing(open_store(f"sqlite:///{made.folder / 'ours.sqlite'}")) as store:

        def posted() -> int:
            with store.known() as known:
                result = post_row("accounts", values, known, ImportOptions(now=NOW), plugin_for)
            store.apply_import(result, "ops.maker", NOW)
            found = reserve_view(store, SETTINGS, NOW).of(ReserveClass.CUSTOMER).projected
            return found.cents if found is not None else 0

        required = phases.take("post a row, project the reserve", posted)
        view = phases.take("project possession", lambda: possession_view(store, SETTINGS, NOW))
    if required <= before:
        raise ResultsDiffer(f"{OURS}: a posted credit did not raise what is projected")
    if view.projected is None or len(view.projected.deficits) != len(made.figures.deficits):
        raise ResultsDiffer(f"{OURS}: the projected deficits are not those of the day")


def measure(made: Made) -> Result:
    """All sides on the same files."""
    before = Phases()
    prepared = before.take("clients and other facts", lambda: prepare(made))
    runs: list[Phases] = []

    def once() -> Figures:
        runs.append(Phases())
        return ours(made, prepared, runs[-1])

    sides = [
        Side(OURS, once, made.accounts, _same, made.figures),
        Side(PEER, lambda: peer(made, made.folder / "peer.sqlite"), made.accounts, _same, made.figures),
        Side(FLOOR, lambda: floor(made, DAY)[0], made.accounts, _same, _rows(made)),
    ]
    timings = check_then_time(sides, rounds=1)
    mine, other, bare = timings[OURS], timings[PEER], timings[FLOOR]
    after = Phases()
    look(made, after)
    phases = runs[-1]
    return Result(
        case=f"{made.accounts:,} accounts, {made.lines:,} lines of the stock record",
        value=mine.per_second,
        unit=UNIT,
        peer=PEER,
        peer_value=other.per_second,
        floor=FLOOR,
        floor_value=bare.per_second,
        peak_rss_bytes=max(peak for each in runs for peak in each.peaks.values()),
        notes={
            "total_seconds": round(mine.seconds, 2),
            "total_cpu_seconds": round(mine.client_cpu_seconds, 2),
            **phases.notes(),
            "peer_seconds": round(other.seconds, 2),
            "plain_read_seconds": round(bare.seconds, 2),
            "times_a_plain_read": round(mine.seconds / bare.seconds, 1),
            "times_a_plain_read_by_cpu": round(mine.client_cpu_seconds / bare.client_cpu_seconds, 1),
            "before": before.seconds,
            "after": after.seconds,
            "deficits": len(made.figures.deficits),
            "files_mib": sum(path.stat().st_size for path in made.paths(DAY)) >> 20,
            "database_mib": (made.folder / "ours.sqlite").stat().st_size >> 20,
        },
    )


def _rows(made: Made) -> int:
    """By line ends, headers among them: no field of these files has one."""
    return sum(path.read_bytes().count(b"\n") for path in made.paths(DAY))


def _same(found: object) -> object:
    return found
