"""What a sweep observed: each balance at its block, shard by shard, and the reads that later sweeps open with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import repeat
from operator import attrgetter

import sqlalchemy as sa

from chains.errors import InvalidValue
from chains.kept_answers import KeptRead
from chains.state_proofs import BalanceProofs
from chains.types import (
    Address,
    Asset,
    AssetId,
    BalanceObservation,
    ChainId,
    Holding,
    ReadStatus,
    account_location,
)
from verifier.rules.by_asset import ByAsset, Observed
from verifier.rules.rollforward import Opening, Read
from verifier.store.answer_store import add_answers
from verifier.store.engine import Database
from verifier.store.proof_store import add_proofs
from verifier.store.records import SweepStart
from verifier.store.sweep_store import SWEEP, earlier_sweeps_query, has_ended, start_of
from verifier.store.tables import (
    AssetValueRow,
    BalanceObservationRow,
    InternedTextRow,
    ReadingRow,
    SweepShardRow,
    table,
)
from verifier.store.types import as_driven
from verifier.store.unit import Unit

SHARD, OBSERVATION, READING = table(SweepShardRow), table(BalanceObservationRow), table(ReadingRow)
ASSET, LOCATION = table(AssetValueRow), table(InternedTextRow)

OBSERVATIONS_KEPT_MAX = 1_000_000
"""Most balances of one sweep that a process remembers for the next sweep of the chain; more are read back."""
OPENING_SWEEPS_MAX = 16
"""How many earlier sweeps are searched for the last good read of a balance that the sweep before did not give."""


class ObservationStore(Database):
    """The observed balances' side of the store."""

    def _forget(self) -> None:
        super()._forget()
        self._kept_observations: dict[ChainId, tuple[int, Observed]] = {}

    def add_observations(
        self,
        start: SweepStart,
        shard: int,
        observations: Sequence[BalanceObservation],
        actor: str,
        now: datetime,
        proofs: BalanceProofs | None = None,
        answers: Sequence[KeptRead] = (),
    ) -> bool:
        """Store one shard whole, with state proofs and kept answers; one that is stored already stays as it is.

        Returns whether it was stored now.
        """
        payload = {"sweep_id": start.sweep_id, "shard": shard}
        with self.record("sweep.shard", actor, payload, now) as unit:
            stored = sa.select(SHARD.c.record_id).where(SHARD.c.sweep_key == start.sweep_key, SHARD.c.shard == shard)
            if unit.connection.execute(stored).first() or has_ended(unit.connection, start):
                return False
            failed = list(map(attrgetter("status"), observations)).count(ReadStatus.FAILED)
            shard_key = unit.add(
                SweepShardRow,
                sweep_key=start.sweep_key,
                shard=shard,
                observation_count=len(observations),
                failed_count=failed,
            )
            _add_observations(unit, start, observations)
            if proofs is not None:
                add_proofs(unit, start, shard_key, proofs)
            if answers:
                add_answers(unit, start, answers)
        return True

    def observations(self, start: SweepStart) -> list[BalanceObservation]:
        """Everything the sweep read so far, in the order it was stored."""
        with self.read() as connection:
            return list(_observations(connection, start, OBSERVATION.c.sweep_key == start.sweep_key))

    def keep_observations(self, start: SweepStart, observations: Observed) -> None:
        """Remember all that a sweep read: the next one of the chain opens with it, unless another process made one."""
        if len(observations) > OBSERVATIONS_KEPT_MAX:
            return
        good = observations
        if any(seen.base_units is None for seen in observations.in_order):
            good = Observed([seen for seen in observations.in_order if seen.base_units is not None])
        self._kept_observations[start.chain_id] = start.sweep_key, good

    def openings(self, start: SweepStart, wanted: ByAsset[Address, BalanceObservation]) -> ByAsset[Address, Read]:
        """The last good read of balances before this sweep, at lower blocks that are still canonical.

        Every wanted one that was read in the newest sweeps is there, and perhaps others.
        """
        found: ByAsset[Address, Read] = ByAsset({})
        with self.read() as connection:
            self._notice(connection)
            texts = self._texts.read(connection, self._interned)
            for earlier in _earlier_sweeps(connection, start):
                kept_key, kept = self._kept_observations.get(start.chain_id, (0, None))
                of_sweep: ByAsset[Address, Read]
                of_sweep = kept if kept_key == earlier.sweep_key and kept else _openings(connection, earlier, texts)
                found = ByAsset.gathered({**of_sweep, **found}) if found else of_sweep
                if next(wanted.beyond(found), None) is None:
                    break
        return found

    def older_openings(
        self, start: SweepStart, wanted: Iterable[tuple[Address, AssetId]]
    ) -> dict[tuple[Address, AssetId], Opening]:
        """What `openings` did not find in the newest sweeps, searched in all of them: nothing is forgotten by failing.

        This looks at every observation there is, so it is asked only for balances that are read again after long.
        """
        found: dict[tuple[Address, AssetId], Opening] = {}
        with self.read() as connection:
            if len(_earlier_sweeps(connection, start)) < OPENING_SWEEPS_MAX:
                return found
            missing = set(wanted)
            if not missing:
                return found
            read_now = sa.select(OBSERVATION.c.location_key).where(OBSERVATION.c.sweep_key == start.sweep_key)
            newest = (
                sa.select(sa.func.max(OBSERVATION.c.sweep_key).label("sweep_key"))
                .where(
                    OBSERVATION.c.sweep_key.in_(earlier_sweeps_query(start).with_only_columns(SWEEP.c.record_id)),
                    OBSERVATION.c.base_units.is_not(None),
                    OBSERVATION.c.location_key.in_(read_now),
                )
                .group_by(OBSERVATION.c.location_key, OBSERVATION.c.asset_key)
                .subquery()
            )
            sweeps = sa.select(SWEEP).where(SWEEP.c.record_id.in_(sa.select(newest.c.sweep_key)))
            self._notice(connection)
            texts = self._texts.read(connection, self._interned)
            for row in connection.execute(sweeps.order_by(SWEEP.c.height.desc(), SWEEP.c.record_id.desc())).all():
                of_sweep = _openings(connection, start_of(row), texts)
                found |= {key: of_sweep[key] for key in missing & of_sweep.keys()}
                missing -= found.keys()
        return found


def _add_observations(unit: Unit, start: SweepStart, observations: Sequence[BalanceObservation]) -> None:
    for seen in observations:
        if seen.block is not start.block and seen.block.block_hash != start.block.block_hash:
            raise InvalidValue(f"an observation at {seen.block} in a sweep at {start.block}")
    unit.add_columns(
        BalanceObservationRow,
        len(observations),
        repeat(start.sweep_key),
        unit.account_column(start.chain_id, list(map(attrgetter("holding.address"), observations))),
        unit.asset_column(map(attrgetter("holding.asset"), observations)),
        _reading_keys(unit, observations),
        [None if seen.base_units is None else str(seen.base_units) for seen in observations],
        [seen.reason or None for seen in observations],
    )


def _reading_keys(unit: Unit, observations: Sequence[BalanceObservation]) -> list[int]:
    """The key of the way each was read; hundreds of thousands after each other are read in the same way."""
    way, key = None, 0
    keys = []
    for seen, this in zip(
        observations, map(attrgetter("method", "node_id", "state", "anchor"), observations), strict=True
    ):
        if this != way:
            way, key = this, unit.reading_key(seen)
        keys.append(key)
    return keys


def _observations(
    connection: sa.Connection, start: SweepStart, *conditions: sa.ColumnElement[bool]
) -> Iterator[BalanceObservation]:
    assets = {
        key: Asset(asset_id, symbol, decimals)
        for key, asset_id, symbol, decimals in connection.execute(
            sa.select(ASSET.c.record_id, ASSET.c.asset_id, ASSET.c.symbol, ASSET.c.decimals)
        )
    }
    readings = {row.record_id: row for row in connection.execute(sa.select(READING))}
    query = (
        sa.select(
            LOCATION.c.text,
            OBSERVATION.c.asset_key,
            OBSERVATION.c.reading_key,
            OBSERVATION.c.base_units,
            OBSERVATION.c.reason,
        )
        .join_from(OBSERVATION, LOCATION, OBSERVATION.c.location_key == LOCATION.c.record_id)
        .where(*conditions)
        .order_by(OBSERVATION.c.record_id)
    )
    prefix = len(account_location(start.chain_id, Address("")))
    for location, asset_key, reading_key, base_units, reason in connection.execute(query):
        how = readings[reading_key]
        yield BalanceObservation(
            holding=Holding(Address(location[prefix:]), assets[asset_key]),
            block=start.block,
            finality=start.finality,
            status=ReadStatus.FAILED if base_units is None else ReadStatus.OK,
            base_units=base_units,
            method=how.method,
            node_id=how.node_id,
            state=how.state,
            anchor=how.anchor,
            reason=reason or "",
        )


def _openings(connection: sa.Connection, sweep: SweepStart, texts: Mapping[int, str]) -> ByAsset[Address, Opening]:
    """Every balance that a sweep could read."""
    assets: dict[int, AssetId] = dict(connection.execute(sa.select(ASSET.c.record_id, ASSET.c.asset_id)).all())
    # A sum and no column: else PostgreSQL looks for the least key from the first row of all on, not by the sweep.
    key = OBSERVATION.c.record_id + 0
    ends = sa.select(sa.func.min(key), sa.func.max(key))
    first, last = connection.execute(ends.where(OBSERVATION.c.sweep_key == sweep.sweep_key)).one()
    if first is None:
        return ByAsset({})
    # They lie together, so they are read from end to end: by way of an index each row would be looked for by itself.
    query = sa.select(*as_driven(OBSERVATION.c.location_key, OBSERVATION.c.asset_key, OBSERVATION.c.base_units)).where(
        OBSERVATION.c.record_id.between(first, last),
        OBSERVATION.c.sweep_key + 0 == sweep.sweep_key,
        OBSERVATION.c.base_units.is_not(None),
    )
    prefix, block = len(account_location(sweep.chain_id, Address(""))), sweep.block
    make = tuple.__new__  # a call of the class itself takes twice as long, and there are very many
    found: dict[AssetId, dict[Address, Opening]] = {}
    of_asset = {key: found.setdefault(asset_id, {}) for key, asset_id in assets.items()}
    of_address, address = 0, Address("")
    for location_key, asset_key, base_units in connection.execute(query).all():
        if location_key != of_address:
            of_address, address = location_key, Address(texts[location_key][prefix:])
        of_asset[asset_key][address] = make(Opening, (block, int(base_units)))
    return ByAsset({asset_id: at for asset_id, at in found.items() if at})


def _earlier_sweeps(connection: sa.Connection, start: SweepStart) -> list[SweepStart]:
    """The newest sweeps of the chain that can give openings, newest block first."""
    query = earlier_sweeps_query(start).order_by(SWEEP.c.height.desc(), SWEEP.c.record_id.desc())
    return [start_of(row) for row in connection.execute(query.limit(OPENING_SWEEPS_MAX))]
