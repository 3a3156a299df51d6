"""Figures of what this process did, counted as it happens. Labels are chains, jobs and codes, never a client."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from verifier.logs import log_file_fails

if TYPE_CHECKING:
    from chains.types import BlockRef
    from verifier.schedule.records import ScheduledRun
    from verifier.watch import WatchEvent

SWEEP_SECONDS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0)
"""Upper bounds of the histogram of sweeps."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The last answer of a chain's nodes."""

    height: int
    at_monotonic: float


class ProcessMetrics:
    """Counts what the watches and the clock of this process do. Used by all its threads."""

    def __init__(self, registry: CollectorRegistry, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = Lock()
        self._answered: dict[str, Answered] = {}
        self._began = monotonic()
        self._head = Gauge("custody_chain_head_height", "Newest block seen.", ["chain"], registry=registry)
        self._sweeps = Histogram(
            "custody_sweep_seconds", "Duration of whole sweeps.", ["chain"], registry=registry, buckets=SWEEP_SECONDS
        )
        self._failed = Counter("custody_sweeps_failed", "Sweeps that did not end.", ["chain"], registry=registry)
        self._errors = Counter(
            "custody_node_errors", "Reads that gave no usable answer.", ["chain", "code"], registry=registry
        )
        self._events = Counter("custody_watch_events", "What watches reported.", ["chain", "event"], registry=registry)
        self._runs = Counter(
            "custody_scheduled_runs", "Runs by the clock of this process.", ["run", "outcome"], registry=registry
        )
        log_written = Gauge("custody_log_written", "0 while the log file cannot be written.", registry=registry)
        log_written.set_function(lambda: 0 if log_file_fails() else 1)

    def answered(self, chain_id: str, head: BlockRef) -> None:
        """A node said what the newest block is."""
        with self._lock:
            self._answered[chain_id] = Answered(head.height, self._monotonic())
        self._head.labels(chain_id).set(head.height)

    def failed(self, chain_id: str, code: str) -> None:
        """A node gave no usable answer."""
        self._errors.labels(chain_id, code).inc()

    def saw(self, event: WatchEvent) -> None:
        """A watch reported something."""
        if event.job:
            return  # a run by the clock, which `ran` counts
        self._events.labels(event.chain_id, event.kind).inc()
        if event.kind == "swept":
            self._sweeps.labels(event.chain_id).observe(event.seconds)
        elif event.kind == "failed" and event.seconds:
            self._failed.labels(event.chain_id).inc()
            self.failed(event.chain_id, event.code)

    def ran(self, run: ScheduledRun) -> None:
        """A run by the clock ended, or was found missed."""
        self._runs.labels(run.slot.job, run.outcome.value if run.outcome is not None else "").inc()

    def head_height(self, chain_id: str) -> int | None:
        """The newest block seen; None when no node answered yet."""
        with self._lock:
            found = self._answered.get(chain_id)
        return found.height if found is not None else None

    def seconds_silent(self, chain_id: str) -> float:
        """Seconds since a node of a chain answered, or since the process began."""
        with self._lock:
            found = self._answered.get(chain_id)
        return self._monotonic() - (found.at_monotonic if found is not None else self._began)
