"""Who else could move what stands in the wallets, as sweeps were told; resumable like the balances.

Grants and what tokens said are stored for every sweep; who controls an account where that changed, in
`control_state_store`; where approvals were looked for in `approval_store`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from chains.evm.encumbrance_types import (
    AccountRole,
    Answer,
    ControlState,
    EncumbranceReading,
    Grant,
    Restriction,
)
from chains.types import Address, Asset, AssetId
from exports.canonical import canonical_json
from verifier.store.approval_store import newest_scan, scan_coverage
from verifier.store.control_state_store import StoredStates, control_rows, control_states, stored_states
from verifier.store.engine import Database
from verifier.store.records import SweepStart
from verifier.store.sweep_store import SWEEP, earlier_sweeps_query, has_ended, start_of
from verifier.store.tables import (
    AssetValueRow,
    ControlStateRow,
    EncumbranceGrantRow,
    EncumbranceReviewRow,
    RestrictionRow,
    table,
)
from verifier.store.types import Canonical

REVIEW, GRANT = table(EncumbranceReviewRow), table(EncumbranceGrantRow)
RESTRICTION, ASSET = table(RestrictionRow), table(AssetValueRow)


@dataclass(frozen=True, slots=True)
class SweepEncumbrances:
    """What one sweep was told."""

    reading: EncumbranceReading | None
    """None when nothing could be learnt. Candidates and answers that hold nobody are left out."""
    failure: str
    """Why not: a stable code, then one sentence; empty when it was."""
    compared: SweepStart | None
    """The earlier sweep to compare with."""
    controls_before: tuple[ControlState, ...]
    """What that sweep knew; with facts from before it where it could not read."""
    restrictions_asked: int


class EncumbranceStore(Database):
    """The side of the store that keeps who else could move what is there."""

    def add_encumbrances(self, start: SweepStart, reading: EncumbranceReading, actor: str, now: datetime) -> None:
        """Store everything a sweep was told at its block. A sweep that has it stays as it is.

        Raises `InvalidValue` when the reading's coverage was not added before.
        """
        with self.record("sweep.encumbrances", actor, {"sweep_id": start.sweep_id}, now) as unit:
            if _reviewed(unit.connection, start) or has_ended(unit.connection, start):
                return
            compared = _compared_sweep(unit.connection, start)
            controls = control_rows(unit, start, reading, compared)
            assets = unit.asset_keys({*reading.assets, *(grant.asset for grant in reading.grants)})
            unit.add(
                EncumbranceReviewRow,
                sweep_key=start.sweep_key,
                node_id=reading.node_id,
                failure="",
                scan_key=newest_scan(unit.connection, reading.coverage),
                compared_sweep_key=compared,
                controls_sweep_key=controls.whole_sweep_key,
                assets=canonical_json([assets[asset] for asset in reading.assets]).decode(),
                wallets_asked=len(reading.wallets),
                pairs_asked=reading.pairs_asked,
                restrictions_asked=len(reading.restrictions),
            )
            unit.add_rows(EncumbranceGrantRow, (_grant_row(start, grant, assets) for grant in reading.grants))
            unit.add_rows(ControlStateRow, controls.rows)
            unit.add_rows(RestrictionRow, _restriction_rows(start, reading, assets))

    def add_encumbrance_failure(self, start: SweepStart, node_id: str, reason: str, actor: str, now: datetime) -> None:
        """Record that a sweep could not learn who else could move what is there: that is not "nobody"."""
        with self.record("sweep.encumbrances", actor, {"sweep_id": start.sweep_id, "failure": reason}, now) as unit:
            if _reviewed(unit.connection, start) or has_ended(unit.connection, start):
                return
            unit.add(
                EncumbranceReviewRow,
                sweep_key=start.sweep_key,
                node_id=node_id,
                failure=reason,
                scan_key=None,
                compared_sweep_key=None,
                controls_sweep_key=None,
                assets="[]",
                wallets_asked=0,
                pairs_asked=0,
                restrictions_asked=0,
            )

    def encumbrances(self, start: SweepStart) -> SweepEncumbrances | None:
        """What a sweep was told; None when it did not ask, or not yet."""
        with self.read() as connection:
            row = connection.execute(sa.select(REVIEW).where(REVIEW.c.sweep_key == start.sweep_key)).first()
            if row is None:
                return None
            if row.scan_key is None:
                return SweepEncumbrances(None, row.failure, None, (), 0)
            compared = None
            before: list[ControlState] = []
            wholes: dict[int, StoredStates] = {}
            if row.compared_sweep_key is not None:
                earlier = sa.select(SWEEP).where(SWEEP.c.record_id == row.compared_sweep_key)
                compared = start_of(connection.execute(earlier).one())
                before = control_states(
                    connection, stored_states(connection, row.compared_sweep_key, wholes), known=True
                )
            reading = _reading(connection, start, row, wholes)
        return SweepEncumbrances(reading, "", compared, tuple(before), row.restrictions_asked)


def _reviewed(connection: sa.Connection, start: SweepStart) -> bool:
    found = sa.select(REVIEW.c.record_id).where(REVIEW.c.sweep_key == start.sweep_key)
    return connection.execute(found).first() is not None


def _compared_sweep(connection: sa.Connection, start: SweepStart) -> int | None:
    """The key of the completed sweep at the highest lower block that stands and has answers; the newest of those."""
    answered = sa.select(REVIEW.c.sweep_key).where(REVIEW.c.failure == "")
    query = earlier_sweeps_query(start).where(SWEEP.c.record_id.in_(answered))
    row = connection.execute(query.order_by(SWEEP.c.height.desc(), SWEEP.c.record_id.desc()).limit(1)).first()
    return None if row is None else int(row.record_id)


def _grant_row(start: SweepStart, grant: Grant, assets: Mapping[Asset, int]) -> tuple[Canonical, ...]:
    return (
        start.sweep_key,
        grant.kind.value,
        grant.owner,
        assets[grant.asset],
        grant.spender,
        None if grant.base_units is None else str(grant.base_units),
        grant.expires_at_seconds,
        grant.reason or None,
    )


def _restriction_rows(
    start: SweepStart, reading: EncumbranceReading, assets: Mapping[Asset, int]
) -> Iterator[tuple[Canonical, ...]]:
    first = reading.wallets[0] if reading.wallets else None
    for each in reading.restrictions:
        says_something = each.answer in (Answer.RESTRICTED, Answer.UNREAD) or each.holder is None
        if says_something or (each.answer is Answer.NOT_OFFERED and each.holder == first):
            yield (start.sweep_key, assets[each.asset], each.question, each.holder, each.answer.value, each.reason)


def _reading(
    connection: sa.Connection, start: SweepStart, review: Any, wholes: dict[int, StoredStates]
) -> EncumbranceReading:
    assets = {
        row.record_id: Asset(AssetId(row.asset_id), row.symbol, row.decimals)
        for row in connection.execute(sa.select(ASSET))
    }
    grants = connection.execute(
        sa.select(GRANT).where(GRANT.c.sweep_key == start.sweep_key).order_by(GRANT.c.record_id)
    )
    said = connection.execute(
        sa.select(RESTRICTION).where(RESTRICTION.c.sweep_key == start.sweep_key).order_by(RESTRICTION.c.record_id)
    )
    controls = control_states(connection, stored_states(connection, start.sweep_key, wholes), known=False)
    return EncumbranceReading(
        block=start.block,
        finality=start.finality,
        node_id=review.node_id,
        wallets=tuple(state.address for state in controls if state.role is AccountRole.WALLET),
        assets=tuple(assets[key] for key in orjson.loads(review.assets)),
        coverage=scan_coverage(connection, review.scan_key),
        grants=tuple(
            Grant(
                row.kind,
                Address(row.owner),
                assets[row.asset_key],
                Address(row.spender),
                row.base_units,
                row.expires_at_seconds,
                row.reason or "",
            )
            for row in grants
        ),
        pairs_asked=review.pairs_asked,
        controls=tuple(controls),
        restrictions=tuple(
            Restriction(
                assets[row.asset_key],
                row.question,
                None if row.holder is None else Address(row.holder),
                row.answer,
                row.reason,
            )
            for row in said
        ),
    )
