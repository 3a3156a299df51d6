"""Timing in turn: every side checked once, then run in turn; the best run of each counts.

A side whose results are not what they must be stops everything before a single run is timed.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

FIELDS: Final = (
    "case", "value", "unit", "peer", "peer_value", "floor", "floor_value", "ratio_to_peer", "ratio_to_floor",
    "peak_rss_bytes", "notes",
)  # fmt: skip
"""What a line for programs has, in this order."""

CpuClock = Callable[[], float]
"""CPU seconds used so far by some process."""


class ResultsDiffer(Exception):
    """A side does not find what it must find: its speed means nothing, and nothing was timed."""


@dataclass(frozen=True, slots=True)
class Side:
    """One way of doing the work: ours, a peer, or the floor."""

    name: str
    run: Callable[[], Any]
    work: int
    """Units of work one run does, for example balances read; a slow peer does a sample."""
    values: Callable[[Any], object]
    """What is compared of that which `run` returns; not timed."""
    expected: object
    """What `values` must give."""
    runs_per_round: int = 1
    """Short runs are repeated more often, as a single disturbance weighs more on them."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The best of several runs of one side."""

    seconds: float
    client_cpu_seconds: float
    """CPU time of this process, all its threads."""
    node_cpu_seconds: float | None
    """CPU time of the node's process; None where the system does not tell."""
    work: int
    peak_rss_bytes: int
    """Largest resident size of this process during the run that was checked."""

    @property
    def per_second(self) -> float:
        """Units of work per wall second."""
        return self.work / self.seconds

    @property
    def where_time_goes(self) -> dict[str, float | None]:
        """Microseconds per unit of work: on the wall, and the CPU time of both ends, which may overlap."""
        node = self.node_cpu_seconds
        return {
            "wall_us": round(1e6 * self.seconds / self.work, 2),
            "client_cpu_us": round(1e6 * self.client_cpu_seconds / self.work, 2),
            "node_cpu_us": None if node is None else round(1e6 * node / self.work, 2),
        }


@dataclass(frozen=True, slots=True)
class Result:
    """One line of output: our figure beside a peer's and the floor's, and the ratios."""

    case: str
    value: float
    unit: str
    peer: str
    peer_value: float
    floor: str
    floor_value: float
    peak_rss_bytes: int
    notes: Mapping[str, object] = field(default_factory=dict)

    @property
    def ratio_to_peer(self) -> float:
        """How many times the peer's speed."""
        return self.value / self.peer_value

    @property
    def ratio_to_floor(self) -> float:
        """What part of the floor's speed; 1 would be no cost of our own at all."""
        return self.value / self.floor_value

    def to_json(self) -> str:
        """The line for programs."""
        numbers = {"ratio_to_peer": self.ratio_to_peer, "ratio_to_floor": self.ratio_to_floor}
        data = asdict(self) | numbers | {"peak_rss_bytes": self.peak_rss_bytes, "notes": dict(self.notes)}
        in_order = {name: data[name] for name in FIELDS}
        return json.dumps(
            {name: round(each, 4) if isinstance(each, float) else each for name, each in in_order.items()}
        )

    def to_text(self) -> str:
        """The line for people."""
        notes = "".join(f"\n      {name}: {_note_text(value)}" for name, value in self.notes.items())
        return (
            f"{self.case}\n    {self.value:,.0f} {self.unit}"
            f"  = {self.ratio_to_peer:,.1f} x {self.peer} ({self.peer_value:,.0f})"
            f"  = {self.ratio_to_floor:.0%} of {self.floor} ({self.floor_value:,.0f}){notes}"
        )


def check_then_time(sides: Sequence[Side], rounds: int, node_cpu: CpuClock | None = None) -> dict[str, Timing]:
    """Check every side, then time them in turn: the best run of each by its name.

    Raises `ResultsDiffer` before anything is timed.
    """
    peaks = {side.name: check(side) for side in sides}
    best: dict[str, Timing] = {}
    for _ in range(rounds):
        for side in sides:
            for _ in range(side.runs_per_round):
                taken = _time(side, peaks[side.name], node_cpu)
                if side.name not in best or taken.seconds < best[side.name].seconds:
                    best[side.name] = taken
    return best


def check(side: Side) -> int:
    """Run a side once and compare its results; the peak resident size of that run in bytes."""
    gc.collect()
    forget_peak()
    outcome = side.run()
    peak = peak_rss_bytes()
    found = side.values(outcome)
    if found != side.expected:
        raise ResultsDiffer(f"{side.name}: {_difference(found, side.expected)}; nothing was timed")
    return peak


def _time(side: Side, peak: int, node_cpu: CpuClock | None) -> Timing:
    gc.collect()  # what another side left behind is not this one's cost
    node_before = node_cpu() if node_cpu else 0.0
    cpu, start = time.process_time(), time.perf_counter()
    outcome = side.run()
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    node_seconds = node_cpu() - node_before if node_cpu else None
    del outcome
    return Timing(seconds, cpu_seconds, node_seconds, side.work, peak)


def _difference(found: object, expected: object) -> str:
    if isinstance(found, Sequence) and isinstance(expected, Sequence):
        if len(found) != len(expected):
            return f"{len(found)} results instead of {len(expected)}"
        places = [place for place, pair in enumerate(zip(found, expected, strict=True)) if pair[0] != pair[1]]
        if places:
            return f"{len(places)} of {len(expected)} results differ, the first at place {places[0]}"
    return "the results differ"


def _note_text(value: object) -> str:
    return ", ".join(f"{name} {each}" for name, each in value.items()) if isinstance(value, Mapping) else str(value)


def process_cpu_clock(process_id: int) -> CpuClock | None:
    """The CPU time of another process to the nanosecond, on Linux; None elsewhere."""
    if sys.platform != "linux":
        return None
    # The kernel's own numbering (clock_getcpuclockid(3)): the inverted id, and the scheduler's clock of a process.
    clock = (~process_id << 3) | 2
    return lambda: time.clock_gettime(clock)


def peak_rss_bytes() -> int:
    """Largest resident size of this process, since `forget_peak` where the system allows that, else so far."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def forget_peak() -> None:
    """Let the peak start anew from the present size (Linux); elsewhere it stays the peak of the whole process."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return
