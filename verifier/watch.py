"""Following one chain: a new block leads to a look at the head at once, and to a sweep when it is final.

What comes into the books between blocks leads to a sweep too, of the final block that is there.

One thread per chain. It is woken by the node's announcements where it has a WebSocket, and by polling otherwise, whose
pauses grow with the time since the last block. What a look finds is provisional (`verifier.head_look`); the sweep
judges it again. Nothing of the loop is kept in memory only: a process that is killed goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Event
from typing import Final, Protocol

import structlog

from chains.errors import ReadError
from chains.quorum import QUORUM_MIN, open_quorum
from chains.reader import ChainConfig, ChainPlugin, ChainReader
from chains.types import BlockRef, Finality, FinalityKind, utc_text
from verifier.case_view import case_json
from verifier.config import WatchSettings
from verifier.errors import LeaseHeld, StoreBusy, StoreUnavailable
from verifier.head_look import HeadLook
from verifier.rules.heartbeat import Heartbeat, heartbeat_findings
from verifier.store import CaseSeen, Store
from verifier.sweep import ChainSweep, Clock, SweepOutcome

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS: Final = 15.0
"""How often the age of the newest observation is looked at."""

STORE_SECONDS: Final = 2.0
"""Pause after a round that the database ended."""

RETRY_SECONDS_MAX: Final = 900.0
"""Longest pause between two sweeps that failed."""


class Observer(Protocol):
    """Is told of every answer and every failure of a chain's nodes, also of those that are no event."""

    def answered(self, chain_id: str, head: BlockRef) -> None:
        """A node said what the newest block is."""

    def failed(self, chain_id: str, code: str) -> None:
        """A node gave no usable answer, for the reason of this code."""


class Stopped(Exception):
    """The watch was told to stop in the middle of a sweep; the next one takes it up."""


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One thing that happened, to be shown."""

    chain_id: str
    kind: str
    """`provisional` (a look at the head), `swept`, `failed`, `stale`, `standby` (another watches) or `stopped`."""
    at: datetime
    exit_code: int
    """As of a command: 0, 1 the evidence contradicts, 2 something is not known."""
    block: BlockRef | None = None
    seconds: float = 0.0
    """How long it took."""
    cases: tuple[CaseSeen, ...] = ()
    code: str = ""
    """Stable code of a failure."""
    text: str = ""
    job: str = ""
    """Name of the job, for a run by the clock: `kind` is its outcome then, and there is no chain."""

    def to_dict(self) -> dict[str, object]:
        """One line of `--json`."""
        block = self.block
        return {
            "at": utc_text(self.at),
            "chain_id": self.chain_id,
            "job": self.job,
            "event": self.kind,
            "exit_code": self.exit_code,
            "height": block.height if block is not None else None,
            "block_hash": block.block_hash if block is not None else None,
            "block_time": utc_text(block.timestamp) if block is not None else None,
            "seconds": round(self.seconds, 3),
            "cases": [
                case_json(seen.case_id, seen.finding) | {"is_new": seen.is_new, "provisional": seen.finding.provisional}
                for seen in self.cases
            ],
            "code": self.code,
            "text": self.text,
        }


def poll_pause(idle_seconds: float, least: float, most: float) -> float:
    """How long to wait before asking again, after so long without a new block: an eighth of it, within the limits.

    So a block is noticed within about an eighth of the chain's own pace, and a chain that stands is asked rarely.
    """
    return min(most, max(least, idle_seconds / 8))


class ChainWatch:
    """Follows one chain until it is told to stop. Used by one thread, with a store of its own."""

    def __init__(
        self,
        store: Store,
        chain: ChainConfig,
        plugin: ChainPlugin,
        sweep: ChainSweep,
        look: HeadLook,
        settings: WatchSettings,
        *,
        heartbeat_limit_seconds: int,
        clock: Clock,
        stop: Event,
        bell: Event,
        emit: Callable[[WatchEvent], None],
        actor: str,
        observer: Observer | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`sweep` and `look` read this chain, the look at the finality `latest`; `bell` is set by announcements."""
        self._store, self._chain, self._plugin = store, chain, plugin
        self._sweep, self._look, self._settings = sweep, look, settings
        self._head_config = replace(chain, finality=Finality(FinalityKind.LATEST))
        self._heartbeat_limit = heartbeat_limit_seconds
        self._clock, self._monotonic, self._actor = clock, monotonic, actor
        self._stop, self._bell, self._emit, self._observer = stop, bell, emit, observer
        self._head: BlockRef | None = None
        self._head_at = monotonic()
        self._next_sweep_at = monotonic()
        self._failures = 0
        self._stale_said = False
        self._stale_asked_at = monotonic() - HEARTBEAT_SECONDS
        self._head_failure = ""
        self._books_read = 0
        """Journal entry up to which nothing came into the books that was not swept."""
        self._node = 0

    def run(self, *, once: bool = False) -> None:
        """Follow the chain until stopped; `once`: one look and the sweep that is due.

        A database that is away or that another writer holds for long, or a chain that another process sweeps, makes
        failed rounds, which are said once. Raises what a sweep raises besides.
        """
        said = ""
        try:
            while not self._stop.is_set():
                try:
                    self.turn()
                    said = ""
                except (StoreBusy, StoreUnavailable, LeaseHeld) as error:  # the next round does it again
                    if error.code != said:
                        self._say(self._failed(error))
                    said = error.code
                if once:
                    return
                if said:
                    self._stop.wait(STORE_SECONDS)
                idle = self._monotonic() - self._head_at
                self._bell.wait(poll_pause(idle, self._settings.poll_seconds_min, self._settings.poll_seconds_max))
                self._bell.clear()
        except Stopped:
            log.info("stopped in a sweep", chain=self._chain.chain_id)
        finally:
            self._say(WatchEvent(self._chain.chain_id, "stopped", self._clock(), 0))

    def turn(self) -> None:
        """One round: look when the head is new, sweep when there is something to sweep, say when all is too old."""
        try:
            is_due = self._look_at_head()
        except ReadError as error:
            self._node += 1
            is_due = self._waits_elsewhere()
            if self._observer is not None:
                self._observer.failed(self._chain.chain_id, error.code)
            if error.code != self._head_failure:
                self._say(self._failed(error))
            self._head_failure = error.code
        else:
            self._head_failure = ""
        if is_due and self._monotonic() >= self._next_sweep_at:
            self._run_sweep()
        self._check_heartbeat()

    def _waits_elsewhere(self) -> bool:
        """Whether a sweep is due after a look that failed: by the next node, or because that one fails too.

        So a node that is down for a moment leads to no second sweep of a block, and one that stays down to a recorded
        failure.
        """
        try:
            return self._waits()
        except ReadError:
            return True

    def _look_at_head(self) -> bool:
        """Look when there is a new head; whether a block is final that no sweep covered."""
        started = self._monotonic()
        reader = self._open(self._head_config)
        try:
            head = reader.pin(now=self._clock()).block
            if self._observer is not None:
                self._observer.answered(self._chain.chain_id, head)
            if self._head is not None and head.block_hash == self._head.block_hash:
                return self._waits()
            looked = None if self._chain.finality.kind is FinalityKind.LATEST else self._look.look(reader)
        finally:
            reader.close()
        self._head, self._head_at = head, self._monotonic()
        if looked is not None:
            contradicts = any(seen.contradicts for seen in looked.cases)
            code = 1 if contradicts else 2 if looked.failed else 0
            seconds = self._monotonic() - started
            at = self._clock()
            self._say(WatchEvent(self._chain.chain_id, "provisional", at, code, looked.block, seconds, looked.cases))
        return self._waits()

    def _waits(self) -> bool:
        """Whether a sweep would find a newer final block or something new in the books, or has to be taken up."""
        tip = self._store.covered_tip(self._chain.chain_id)
        if tip is None or self._store.unfinished_sweep(self._chain.chain_id) is not None:
            return True
        if self._monotonic() < self._next_sweep_at:
            return False
        reader = self._open(self._chain)
        try:
            final = reader.pin(now=self._clock()).block
        finally:
            reader.close()
        if final.height != tip.height:  # a node that is behind the tip has nothing to sweep
            return final.height > tip.height
        is_news, self._books_read = self._store.books_news(tip, self._books_read)
        return is_news

    def _run_sweep(self) -> None:
        started = self._monotonic()
        outcome = self._sweep.run()
        ended = self._monotonic()
        self._failures = self._failures + 1 if outcome.summary is None else 0
        pause = self._settings.sweep_seconds_min
        if self._failures:
            pause = min(RETRY_SECONDS_MAX, max(1.0, pause) * 2.0**self._failures)
        self._next_sweep_at = ended + pause
        self._say(_swept(outcome, self._clock(), ended - started))

    def _check_heartbeat(self) -> None:
        if self._monotonic() - self._stale_asked_at < HEARTBEAT_SECONDS:
            return
        self._stale_asked_at = self._monotonic()
        newest = self._store.standing_summary(self._chain.chain_id)
        if newest is None:
            return
        beat = Heartbeat(self._chain.chain_id, newest.block, newest.finished_at, self._clock(), self._heartbeat_limit)
        findings = heartbeat_findings(beat)
        if findings and not self._stale_said:
            cases = self._store.see_stale(self._chain.chain_id, findings, self._actor, self._clock())
            at = self._clock()
            self._say(
                WatchEvent(self._chain.chain_id, "stale", at, 2, newest.block, cases=tuple(cases), text=beat.text)
            )
        self._stale_said = bool(findings)

    def _open(self, config: ChainConfig) -> ChainReader:
        if config.quorum >= QUORUM_MIN:
            return open_quorum(config, self._plugin)
        node = config.nodes[self._node % len(config.nodes)]
        kept = self._store.node_capabilities(config.chain_id, node.node_id)
        return self._plugin.open(config, node, capabilities=kept or None)

    def _failed(self, error: ReadError | StoreBusy | StoreUnavailable | LeaseHeld) -> WatchEvent:
        return WatchEvent(self._chain.chain_id, "failed", self._clock(), 2, code=error.code, text=str(error))

    def _say(self, event: WatchEvent) -> None:
        height = event.block.height if event.block is not None else None
        log.info("watch", chain=event.chain_id, happened=event.kind, height=height, exit_code=event.exit_code)
        self._emit(event)


def _swept(outcome: SweepOutcome, at: datetime, seconds: float) -> WatchEvent:
    if outcome.summary is None:
        return WatchEvent(
            outcome.chain_id, "failed", at, 2, None, seconds, outcome.cases, outcome.failure_code, outcome.failure
        )
    block = outcome.summary.block
    return WatchEvent(outcome.chain_id, "swept", at, outcome.exit_code, block, seconds, outcome.cases)
