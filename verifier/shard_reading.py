"""The balances of a sweep, read shard by shard: in the sweep's own process, or by workers that it hands shards to.

Both ways end in `ShardReading`, so a shard has the same rows whoever read it. What counts is the plan: a shard is
stored once, by its number under its sweep, and a sweep that has ended takes nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Protocol

import structlog

from chains.agreement import NodeDisagreement
from chains.kept_answers import take_answers
from chains.quorum import QuorumReader
from chains.reader import ChainConfig, ChainReader, Pin, prepare_balances
from chains.types import Asset, AssetId, BalanceObservation, Holding, ReadStatus
from verifier.errors import PlanDiffers
from verifier.rules.shards import Shard, holdings_of
from verifier.state_proving import prove_shard
from verifier.store import Store, SweepStart

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]
Advance = Callable[[int], None]


def silent(count: int) -> None:
    """No progress shown."""


class ShardReading:
    """Reads shards of one sweep with one reader, and stores each in one transaction."""

    def __init__(
        self,
        store: Store,
        reader: ChainReader,
        chain: ChainConfig,
        start: SweepStart,
        holdings: Sequence[Holding],
        asset_problems: Mapping[AssetId, str],
        actor: str,
        clock: Clock,
    ) -> None:
        """`holdings` are all of the sweep's, sorted; `asset_problems` says which assets are not what they should be."""
        self._store = store
        self._reader = reader
        self._chain = chain
        self._start = start
        self._holdings = holdings
        self._asset_problems = asset_problems
        self._actor = actor
        self._clock = clock
        self._pin = Pin(start.block, start.finality, start.header_checked)
        self._layouts = store.token_layouts(start.chain_id, start.known_at)

    def prepare(self, shards: Sequence[Shard]) -> None:
        """Let a reader that sums blocks read once what all these shards need."""
        parts = (self._holdings_of(shard) for shard in shards)
        prepare_balances(self._reader, self._pin, (holding.address for part in parts for holding in part))

    def read(self, shard: Shard, advance: Advance = silent) -> Sequence[BalanceObservation]:
        """Read one shard at the sweep's block and store it; returns what was stored, nothing where another process did.

        Raises the reader's errors, `PlanDiffers` when the books give other holdings than were planned, and `LeaseLost`
        when another process has taken the shard over.
        """
        holdings = self._holdings_of(shard)
        observations = read_holdings(self._reader, self._pin, holdings, self._asset_problems, advance)
        self._keep(take_disagreements(self._reader))
        answers = take_answers(self._reader)
        proven = prove_shard(self._reader, self._pin, observations, self._layouts, self._chain)
        self._keep(proven.disagreements)
        is_stored = self._store.add_observations(
            self._start, shard.number, proven.observations, self._actor, self._clock(), proven.proofs, answers
        )
        return proven.observations if is_stored else ()

    def give_up(self, shard: Shard, code: str, node_id: str) -> int:
        """Account for a shard that nobody could read: every balance of it is unverified. Returns how many."""
        seen = [
            unread(self._pin, holding, node_id, method="shard", reason=f"shard-not-read: {code}")
            for holding in self._holdings_of(shard)
        ]
        self._store.add_observations(self._start, shard.number, seen, self._actor, self._clock())
        log.warning(
            "shard given up",
            sweep=self._start.sweep_id,
            chain=self._start.chain_id,
            block=self._start.block.height,
            shard=shard.number,
            code=code,
        )
        return len(seen)

    def _holdings_of(self, shard: Shard) -> Sequence[Holding]:
        found = holdings_of(shard, self._holdings)
        if found is None:
            raise PlanDiffers(f"shard {shard.number} of sweep {self._start.sweep_id} was planned with other holdings")
        return found

    def _keep(self, disagreements: Sequence[NodeDisagreement]) -> None:
        if disagreements:
            self._store.add_disagreements(self._start.chain_id, disagreements, self._actor, self._clock())


class Crew(Protocol):
    """Other processes that read shards of a sweep."""

    def read(
        self,
        start: SweepStart,
        shards: Sequence[Shard],
        reading: ShardReading,
        still_stands: Callable[[], None],
        advance: Advance,
    ) -> None:
        """Return when every one of these shards is stored. `still_stands` raises when the sweep's block does not."""


def take_disagreements(reader: ChainReader) -> Sequence[NodeDisagreement]:
    """What operators disagreed about since this was asked last; nothing without a quorum."""
    return reader.take_disagreements() if isinstance(reader, QuorumReader) else ()


def read_holdings(
    reader: ChainReader,
    pin: Pin,
    holdings: Sequence[Holding],
    asset_problems: Mapping[AssetId, str],
    advance: Advance,
) -> list[BalanceObservation]:
    """One observation for each holding. What an asset is not known to be, its balances do not say: not read."""
    readable = list(holdings)
    if asset_problems:
        readable = [holding for holding in holdings if holding.asset.asset_id not in asset_problems]
    answers = reader.read_balances(pin, readable, advance) if readable else []
    if list(map(attrgetter("holding"), answers)) != readable:
        raise AssertionError(f"{len(answers)} observations for {len(readable)} holdings, or in another order")
    if not asset_problems:
        return answers
    read = iter(answers)
    observations = [
        next(read)
        if (problem := asset_problems.get(holding.asset.asset_id)) is None
        else unread(pin, holding, reader.node_id, method="asset-check", reason=f"asset-changed: {problem}")
        for holding in holdings
    ]
    advance(len(holdings) - len(readable))
    return observations


def unread(pin: Pin, holding: Holding, node_id: str, *, method: str, reason: str) -> BalanceObservation:
    """An observation that says why there is no figure."""
    return BalanceObservation(
        holding=holding,
        block=pin.block,
        finality=pin.finality,
        status=ReadStatus.FAILED,
        base_units=None,
        method=method,
        node_id=node_id,
        reason=reason,
    )


def assets_of(holdings: Sequence[Holding]) -> list[Asset]:
    """The assets of holdings, each once, by their ids."""
    return sorted({holding.asset for holding in holdings}, key=lambda asset: asset.asset_id)
