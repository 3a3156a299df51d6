"""Snapshots: one moment per location and asset, later than the last, and nobody left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from enum import Enum

from chains.types import utc_text
from mapping.book import AllocationKey, Place, allocation_key, entry_key
from mapping.checks.scope import Scope
from mapping.known import SnapshotState
from mapping.types import Allocation, Sourced

_SAME_MOMENT = "another snapshot of the same moment is recorded for this location and asset; state a later moment"

_Groups = dict[Place, list[Sourced[Allocation]]]


def check_snapshots(scope: Scope) -> None:
    """Refuse snapshots that are torn, older than the newest, contradict it, or leave a client out.

    Rows that state again what the newest snapshot stated are dropped.
    """
    groups: _Groups = defaultdict(list)
    for row in scope.allocations():
        groups[row.record.location_id, row.record.asset_id].append(row)
    if not groups:
        return
    newest = scope.known.latest_snapshots(groups.keys())
    repeated: set[Place] = set()
    fresh: _Groups = {}
    for place, rows in groups.items():
        if _is_one_moment(scope, rows):
            relation = _relation(scope, rows, newest.get(place))
            if relation is _Relation.REPEATED:
                repeated.add(place)
            elif relation is _Relation.FRESH:
                fresh[place] = rows
    if not scope.posted and "allocations" not in scope.unreliable:
        _check_nobody_left_out(scope, fresh)
    if repeated:
        kept = [row for row in scope.allocations() if (row.record.location_id, row.record.asset_id) not in repeated]
        scope.unchanged += len(scope.allocations()) - len(kept)
        scope.rows["allocations"] = kept


def _is_one_moment(scope: Scope, rows: list[Sourced[Allocation]]) -> bool:
    first = rows[0]
    good = True
    for row in rows[1:]:
        if row.record.as_of != first.record.as_of:
            good = False
            reason = (
                f"line {first.origin.line} states this location and asset as of {utc_text(first.record.as_of)}; "
                "a snapshot has one moment"
            )
            scope.problem(row, "as_of", utc_text(row.record.as_of), reason)
    return good


class _Relation(Enum):
    """How the rows of one place stand to its newest snapshot."""

    FRESH = "fresh"
    REPEATED = "repeated"
    REFUSED = "refused"


def _relation(scope: Scope, rows: list[Sourced[Allocation]], newest: SnapshotState | None) -> _Relation:
    """Whether the rows are news or repeat the newest snapshot; older or contradicting ones are a problem."""
    first, as_of = rows[0], rows[0].record.as_of
    if newest is None or as_of > newest.as_of:
        return _Relation.FRESH
    if as_of < newest.as_of:
        reason = f"a snapshot as of {utc_text(newest.as_of)} is recorded for this location and asset; this one is older"
    elif scope.posted:
        stated = newest.figures.get(allocation_key(first.record))
        if stated is None:
            return _Relation.FRESH
        if stated == first.record.base_units:
            return _Relation.REPEATED
        reason = _SAME_MOMENT
    elif {allocation_key(row.record): row.record.base_units for row in rows} == dict(newest.figures):
        return _Relation.REPEATED
    else:
        reason = _SAME_MOMENT
    scope.problem(first, "as_of", utc_text(as_of), reason)
    return _Relation.REFUSED


def figures_before(scope: Scope, moments: Mapping[Place, datetime]) -> dict[AllocationKey, int]:
    """The figures of some places, each as of its own moment: what is recorded, and the import's own movements."""
    figures: dict[AllocationKey, int] = defaultdict(int)
    recorded = scope.known.entries_at({location for location, _ in moments})
    for entries in (recorded, (row.record for row in scope.entries())):
        for entry in entries:
            moment = moments.get((entry.location_id, entry.asset_id))
            if moment is not None and entry.effective_at <= moment:
                figures[entry_key(entry)] += entry.base_units
    return figures


def _check_nobody_left_out(scope: Scope, groups: _Groups) -> None:
    figures = figures_before(scope, {place: rows[0].record.as_of for place, rows in groups.items()})
    stated = {allocation_key(row.record) for rows in groups.values() for row in rows}
    for key in sorted(key for key, units in figures.items() if units and key not in stated):
        first = groups[key.location_id, key.asset_id][0]
        what = "gas float" if key.is_gas_float else str(key.account_class)
        reason = (
            f"client {key.client_id} ({what}) has a recorded allocation at this location and asset that the "
            "snapshot does not state; state it, 0 to close"
        )
        scope.problem(first, "client_id", key.client_id, reason)
