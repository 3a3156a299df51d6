"""Timing in turn: every side once per round, the best round of each counts, equality checked first."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

Run = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Side:
    """One way of doing the work: ours, a peer, or the floor."""

    name: str
    run: Run
    work: int
    """Units of work one run does, for example balances read; sides may differ when a slow peer does a sample."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The best of several runs of one side."""

    name: str
    seconds: float
    cpu_seconds: float
    work: int

    @property
    def per_second(self) -> float:
        """Units of work per wall second."""
        return self.work / self.seconds


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
        data = asdict(self) | {"ratio_to_peer": self.ratio_to_peer, "ratio_to_floor": self.ratio_to_floor}
        return json.dumps({name: round(value, 4) if isinstance(value, float) else value for name, value in data.items()})

    def to_text(self) -> str:
        """The line for people."""
        notes = "".join(f"\n      {name}: {value}" for name, value in self.notes.items())
        return (
            f"{self.case:<44} {self.value:>12,.0f} {self.unit}"
            f"  = {self.ratio_to_peer:,.1f} x {self.peer} ({self.peer_value:,.0f})"
            f"  = {self.ratio_to_floor:.0%} of {self.floor} ({self.floor_value:,.0f}){notes}"
        )


def time_in_turn(sides: Sequence[Side], rounds: int) -> dict[str, Timing]:
    """Run every side once per round and keep each one's best round."""
    best: dict[str, Timing] = {}
    for _ in range(rounds):
        for side in sides:
            cpu, start = time.process_time(), time.perf_counter()
            side.run()
            taken = Timing(side.name, time.perf_counter() - start, time.process_time() - cpu, side.work)
            if side.name not in best or taken.seconds < best[side.name].seconds:
                best[side.name] = taken
    return best


def peak_rss_bytes() -> int:
    """Largest resident size of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def require_equal(expected: object, found: object, what: str) -> None:
    """Two sides that differ are not compared for speed."""
    if expected != found:
        raise SystemExit(f"{what}: the results differ, so nothing was timed")
