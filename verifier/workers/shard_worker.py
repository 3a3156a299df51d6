"""What a worker does with one shard: take its lease, read it, store it once, or say why not."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

import structlog

from chains.errors import ReadError
from chains.quorum import open_quorum
from chains.reader import ChainConfig, ChainReader, NodeConfig, Pin
from chains.registry import plugin_for
from verifier.config import Settings
from verifier.errors import LeaseHeld, LeaseLost, PlanDiffers
from verifier.planning import holdings_to_read, plan_of
from verifier.rules.shards import Shard, holdings_of
from verifier.shard_reading import ShardReading, assets_of
from verifier.store import Store, SweepStart
from verifier.store.records import ShardFailure
from verifier.workers.crew import shard_lease

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]


class ShardOutcome(StrEnum):
    """What became of one shard that a worker was told of."""

    STORED = "stored"
    DONE_BEFORE = "done_before"
    """Stored already, or its sweep has ended."""
    HELD = "held"
    """Another process reads it."""
    LOST = "lost"
    """Another process took it over; what was read here was not written."""
    FAILED = "failed"
    """No node gave it; recorded."""
    REFUSED = "refused"
    """The books give other holdings here than were planned, or this worker lacks the chain; nothing was read."""
    STOPPED = "stopped"
    """The worker was told to stop; nothing of it was written."""


class Stopping(Exception):
    """The worker was told to stop in the middle of a shard."""


class ShardWorker:
    """Reads shards one after the other; it keeps the plan and the reader of the sweep it worked for last."""

    def __init__(
        self, store: Store, settings: Settings, *, clock: Clock, actor: str, is_stopping: Callable[[], bool]
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._actor = actor
        self._is_stopping = is_stopping
        self._desk: _Desk | None = None

    def close(self) -> None:
        """Close the reader."""
        if self._desk is not None:
            self._desk.close()
            self._desk = None

    def work(self, sweep_id: str, number: int) -> ShardOutcome:
        """Read one shard and store it. Raises `StoreError` when the database cannot be used."""
        start = self._store.sweep(sweep_id)
        if start is None or self._store.has_ended(start) or number in self._store.stored_shards(start):
            return ShardOutcome.DONE_BEFORE
        words = {"sweep": sweep_id, "chain": start.chain_id, "block": start.block.height, "shard": number}
        began = time.monotonic()
        try:
            seconds = self._settings.workers.lease_seconds
            # Taken before the plan is made, which takes long of many wallets: the sweep sees that somebody is at it.
            with self._store.leased(shard_lease(start.chain_id, number), seconds=seconds):
                if number in self._store.stored_shards(start):
                    return ShardOutcome.DONE_BEFORE
                desk = self._desk_of(start)
                outcome, count = self._read(desk, desk.shard(number))
        except LeaseHeld:
            log.info("shard held by another process", **words)
            return ShardOutcome.HELD
        except LeaseLost:
            log.warning("shard taken over by another process; nothing was written", **words)
            return ShardOutcome.LOST
        except PlanDiffers as error:
            log.error("shard refused", code=error.code, reason=str(error), **words)
            return ShardOutcome.REFUSED
        except Stopping:
            log.info("shard handed back", **words)
            return ShardOutcome.STOPPED
        log.info(
            "shard ended",
            outcome=outcome.value,
            holdings=count,
            seconds=round(time.monotonic() - began, 3),
            **words,
        )
        return outcome

    def _read(self, desk: _Desk, shard: Shard) -> tuple[ShardOutcome, int]:
        """By the first node that can, or by all of a quorum; what none gives is recorded as a failure."""
        failure: ReadError | None = None
        for nodes in desk.ways():
            try:
                return ShardOutcome.STORED, len(desk.reading(nodes).read(shard, self._advance))
            except ReadError as error:
                desk.drop_reader()
                failure = error
                log.warning("node failed", chain=desk.start.chain_id, node=error.node_id, code=error.code)
        assert failure is not None  # a chain has at least one node
        found = ShardFailure(failure.node_id, failure.code, str(failure))
        self._store.add_shard_failure(desk.start, shard.number, found, self._actor, self._clock())
        return ShardOutcome.FAILED, 0

    def _advance(self, count: int) -> None:
        if self._is_stopping():
            raise Stopping

    def _desk_of(self, start: SweepStart) -> _Desk:
        if self._desk is None or self._desk.start.sweep_id != start.sweep_id:
            self.close()
            chain = self._settings.chain(start.chain_id).resolve()
            self._desk = _Desk(self._store, chain, start, self._actor, self._clock)
        return self._desk


class _Desk:
    """One sweep's plan and a reader at its block."""

    def __init__(self, store: Store, chain: ChainConfig, start: SweepStart, actor: str, clock: Clock) -> None:
        self.start = start
        self._store = store
        self._chain = chain
        self._actor = actor
        self._clock = clock
        self._shards = {shard.number: shard for shard in store.shard_plan(start)}
        self._holdings = holdings_to_read(store, start, plan_of(store, start))
        self._reader: ChainReader | None = None
        self._reading: ShardReading | None = None
        self._nodes: tuple[NodeConfig, ...] = ()

    def shard(self, number: int) -> Shard:
        """A planned shard; raises `PlanDiffers` when this process would read something else under its number."""
        shard = self._shards.get(number)
        if shard is None or holdings_of(shard, self._holdings) is None:
            raise PlanDiffers(f"shard {number} of sweep {self.start.sweep_id} was planned with other holdings")
        return shard

    def ways(self) -> list[tuple[NodeConfig, ...]]:
        """The nodes to ask, one way after the other: all together for a quorum; else the sweep's own node first."""
        if self._chain.quorum > 1:
            return [self._chain.nodes]
        ordered = sorted(self._chain.nodes, key=lambda node: node.node_id != self.start.node_id)
        return [(node,) for node in ordered]

    def reading(self, nodes: tuple[NodeConfig, ...]) -> ShardReading:
        """Reads with these nodes, which proved who they are. Raises the reader's errors."""
        if self._reading is None or nodes != self._nodes:
            self.drop_reader()
            self._reader = reader = self._open(nodes)
            reader.identify()
            pin = Pin(self.start.block, self.start.finality, self.start.header_checked)
            problems = reader.asset_problems(pin, assets_of(self._holdings))
            self._reading = ShardReading(
                self._store, reader, self._chain, self.start, self._holdings, problems, self._actor, self._clock
            )
            self._nodes = nodes
        return self._reading

    def _open(self, nodes: tuple[NodeConfig, ...]) -> ChainReader:
        chain_id, plugin = self._chain.chain_id, plugin_for(self._chain.chain_id)
        kept = {node.node_id: self._store.node_capabilities(chain_id, node.node_id) for node in nodes}
        if len(nodes) > 1 or self._chain.quorum > 1:
            return open_quorum(self._chain, plugin, kept)
        return plugin.open(self._chain, nodes[0], capabilities=kept[nodes[0].node_id] or None)

    def drop_reader(self) -> None:
        """Close the reader; the next one begins anew."""
        reader, self._reader, self._reading = self._reader, None, None
        if reader is not None:
            reader.close()

    def close(self) -> None:
        """Nothing is read any more."""
        self.drop_reader()
