"""The sweep's side: shards are handed to workers, and the sweep goes on when every one of them is stored."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog

from chains.errors import ChainMoved, ReadError
from chains.types import ChainId
from verifier.errors import LeaseHeld, LeaseLost
from verifier.rules.shards import Shard
from verifier.shard_reading import Advance, ShardReading
from verifier.store import Store, SweepStart

log = structlog.get_logger(__name__)

POLL_SECONDS: Final = 0.25
CHAIN_MOVED: Final = "chain-moved"


def shard_lease(chain_id: ChainId, number: int) -> str:
    """Name of the lease on a shard. Sweeps of a chain follow one another, so its number names it."""
    return f"shard:{chain_id}:{number}"


class Post(Protocol):
    """How shards reach the workers."""

    def hand_out(self, sweep_id: str, numbers: Sequence[int]) -> None:
        """Tell the workers of these shards; raises `StoreError` when the queue cannot be reached."""


class WaitingCrew:
    """Hands shards out, hands them out again when whoever took one died or failed, and reads what nobody takes."""

    def __init__(
        self,
        store: Store,
        post: Post,
        *,
        lease_seconds: float,
        attempts_max: int,
        patience_seconds: float,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._post = post
        self._lease_seconds = lease_seconds
        self._attempts_max = attempts_max
        self._patience = patience_seconds
        self._sleep = sleep
        self._monotonic = monotonic

    def read(
        self,
        start: SweepStart,
        shards: Sequence[Shard],
        reading: ShardReading,
        still_stands: Callable[[], None],
        advance: Advance,
    ) -> None:
        """Return when every one of these shards is stored: read by a worker or here, or given up as unverified.

        Raises what the sweep's own reader does for shards that no worker took, and what the two callables do.
        """
        left = {shard.number: shard for shard in shards}
        if not left:
            return
        tried = {number: len(failures) for number, failures in self._store.shard_failures(start).items()}
        seen_dead: set[tuple[int, int]] = set()
        own: set[int] = set()
        log.info("shards handed out", sweep=start.sweep_id, chain=start.chain_id, shards=len(left))
        self._post.hand_out(start.sweep_id, sorted(left))
        quiet_since = self._monotonic()
        while left:
            stored = self._store.stored_shards(start)
            done = sorted(left.keys() & stored.keys())
            advance(sum(stored[number] for number in done))
            for number in done:
                del left[number]
            again = self._failed(start, left, tried, reading, still_stands)
            alive, dead = self._leases(start, left)
            again |= {number for number, token in dead if (number, token) not in seen_dead}
            seen_dead |= dead
            if again:
                self._post.hand_out(start.sweep_id, sorted(again))
            if alive or not own.issuperset(done):
                quiet_since = self._monotonic()
            if left and self._monotonic() - quiet_since >= self._patience:
                own.add(min(left))  # as long as no worker stirs, the next one is not waited for again
                self._read_here(start, left[min(left)], reading)
            elif left:
                self._sleep(POLL_SECONDS)

    def _failed(
        self,
        start: SweepStart,
        left: dict[int, Shard],
        tried: dict[int, int],
        reading: ShardReading,
        still_stands: Callable[[], None],
    ) -> set[int]:
        """Shards to be tried again; those that were tried often enough are given up."""
        again: set[int] = set()
        for number, failures in self._store.shard_failures(start).items():
            if number not in left or len(failures) <= tried.get(number, 0):
                continue
            tried[number] = len(failures)
            newest = failures[-1]
            if newest.code == CHAIN_MOVED:
                still_stands()
            if len(failures) < self._attempts_max:
                again.add(number)
            else:
                self._try_last(start, left[number], reading)
        return again

    def _try_last(self, start: SweepStart, shard: Shard, reading: ShardReading) -> None:
        """The workers could not read it: it is read here, or nobody can, and all of it is unverified."""
        try:
            self._read_here(start, shard, reading)
        except ChainMoved:
            raise
        except ReadError as error:
            with self._store.leased(shard_lease(start.chain_id, shard.number), seconds=self._lease_seconds):
                reading.give_up(shard, error.code, error.node_id)

    def _leases(self, start: SweepStart, left: dict[int, Shard]) -> tuple[set[int], set[tuple[int, int]]]:
        """Shards that somebody reads now, and (shard, token) of those whose reader is gone."""
        names = {shard_lease(start.chain_id, number): number for number in left}
        alive: set[int] = set()
        dead: set[tuple[int, int]] = set()
        for name, (lease, is_held) in self._store.held_leases(names).items():
            if is_held:
                alive.add(names[name])
            else:
                dead.add((names[name], lease.token))
        return alive, dead

    def _read_here(self, start: SweepStart, shard: Shard, reading: ShardReading) -> None:
        """Read a shard in the sweep's own process, unless somebody else does so now."""
        try:
            with self._store.leased(shard_lease(start.chain_id, shard.number), seconds=self._lease_seconds):
                log.info("shard read by the sweep itself", sweep=start.sweep_id, shard=shard.number)
                reading.prepare([shard])
                reading.read(shard)
        except (LeaseHeld, LeaseLost):
            self._sleep(POLL_SECONDS)  # were it the sweep's own lease that is lost, its next write would say so
