"""What the books may not say about a wallet: two clients on a segregated one, an asset in a pool and beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time
from typing import Any

from chains.types import AssetId, LocationId, account_location, utc_text
from mapping.book import AllocationKey, Place, entry_key, import_entries
from mapping.checks.scope import Scope, is_member_on, split_account
from mapping.checks.snapshots import figures_before
from mapping.types import Allocation, LedgerEntry, PoolMember, Sourced, Structure

_END = datetime.max.replace(tzinfo=UTC)


def _touched(scope: Scope) -> dict[LocationId, list[Sourced[Any]]]:
    """The rows of the import by the location they speak of."""
    rows: dict[LocationId, list[Sourced[Any]]] = defaultdict(list)
    for table in ("allocations", "ledger_entries"):
        for row in scope.of(table):
            rows[row.record.location_id].append(row)
    return rows


def _entries_after(scope: Scope, locations: Iterable[LocationId]) -> dict[LocationId, list[LedgerEntry]]:
    """Every entry at some locations as it is after the import."""
    wanted = set(locations)
    rows = [
        row
        for table in ("allocations", "ledger_entries")
        for row in scope.of(table)
        if row.record.location_id in wanted
    ]
    moments = {
        (row.record.location_id, row.record.asset_id): row.record.as_of
        for row in scope.allocations()
        if row.record.location_id in wanted
    }
    # The movements of the import are counted by import_entries itself, so they are left out here.
    bare = Scope(scope.known, {}, scope.problems)
    figures = figures_before(bare, moments)
    found: dict[LocationId, list[LedgerEntry]] = defaultdict(list)
    for entry in scope.known.entries_at(wanted):
        found[entry.location_id].append(entry)
    for made in import_entries(rows, lambda _: figures):
        found[made.record.location_id].append(made.record)
    return found


def check_segregation(scope: Scope) -> None:
    """A fully segregated wallet has one client at any moment; the firm's gas float aside, the firm is another.

    Assets may pass from one client to another at one moment; both at once is refused, whatever the sums.
    """
    touched = _touched(scope)
    for row in scope.of("wallets"):
        touched.setdefault(row.record.location_id, [row])
    accounts = {account: location for location in touched if (account := split_account(location))}
    segregated = {
        wallet.location_id
        for wallet in scope.wallets(accounts).values()
        if wallet.structure is Structure.FULLY_SEGREGATED
    }
    if not segregated:
        return
    for location, entries in _entries_after(scope, segregated).items():
        breach = _first_breach(entries, min(_moment(row) for row in touched[location]))
        if breach is not None:
            moment, clients = breach
            rows = touched[location]
            row = next((r for r in reversed(rows) if getattr(r.record, "client_id", "") in clients), rows[-1])
            reason = (
                f"this wallet is fully segregated, but clients {' and '.join(sorted(clients))} would both own assets "
                f"in it as of {utc_text(moment)}"
            )
            column = "client_id" if hasattr(row.record, "client_id") else "structure"
            scope.problem(row, column, getattr(row.record, column), reason)


def _moment(row: Sourced[Any]) -> datetime:
    """The moment from which a row can bring a second client in; a wallet's row speaks of how things are in the end."""
    if isinstance(row.record, LedgerEntry):
        return row.record.effective_at
    return row.record.as_of if isinstance(row.record, Allocation) else _END


def _first_breach(entries: list[LedgerEntry], since: datetime) -> tuple[datetime, set[str]] | None:
    """The first moment, from one on, at which two clients own assets; earlier, the wallet may have been omnibus."""
    figures: dict[Any, int] = defaultdict(int)
    by_moment: dict[datetime, list[LedgerEntry]] = defaultdict(list)
    for entry in entries:
        by_moment[entry.effective_at].append(entry)
    moments = sorted(by_moment)
    for moment in moments:
        for entry in by_moment[moment]:
            figures[entry_key(entry)] += entry.base_units
        if moment < since and moment != moments[-1]:
            continue
        clients = {key.client_id for key, units in figures.items() if units and not key.is_gas_float}
        if len(clients) > 1:
            return moment, clients
    return None


def check_pool_allocations(scope: Scope) -> None:
    """An asset is allocated to a pool or to the wallets in it, never to both: it would be counted twice."""
    touched = _touched(scope)
    for row in scope.of("pools"):
        touched[row.record.location_id].append(row)
    members_of: dict[LocationId, list[PoolMember]] = defaultdict(list)
    pools_of: dict[LocationId, set[LocationId]] = defaultdict(set)
    for member in scope.members() if touched else ():
        members_of[member.location_id].append(member)
        pools_of[_wallet_of(member)].add(member.location_id)
    affected = {pool for place in touched for pool in ({place} & members_of.keys()) | pools_of.get(place, set())}
    if not affected:
        return
    wallets = {_wallet_of(member) for pool in affected for member in members_of[pool]}
    entries = _entries_after(scope, affected | wallets)
    for pool in sorted(affected):
        conflict = _first_conflict(pool, members_of[pool], entries)
        if conflict is not None:
            wallet, asset_id, moment = conflict
            rows = touched.get(wallet) or touched.get(pool) or next(iter(touched.values()))
            column = "pool_id" if isinstance(rows[-1].record, PoolMember) else "location"
            reason = (
                f"{asset_id} would be allocated to {pool} and to its wallet {wallet} at the same time, as of "
                f"{utc_text(moment)}"
            )
            scope.problem(rows[-1], column, str(getattr(rows[-1].record, "location_id", pool)), reason)


def _wallet_of(member: PoolMember) -> LocationId:
    return account_location(member.chain_id, member.address)


def _first_conflict(
    pool: LocationId, members: list[PoolMember], entries: Mapping[LocationId, list[LedgerEntry]]
) -> tuple[LocationId, AssetId, datetime] | None:
    """The first moment an asset is allocated to a pool and to a wallet in it: wallet, asset, moment.

    Walks through time once; at each moment only what became different from zero, or joined, is looked at.
    """
    memberships: dict[LocationId, list[PoolMember]] = defaultdict(list)
    joining: dict[datetime, list[LocationId]] = defaultdict(list)
    for member in members:
        memberships[_wallet_of(member)].append(member)
        joining[datetime.combine(member.from_date, time.min, UTC)].append(_wallet_of(member))
    changes: dict[datetime, list[LedgerEntry]] = defaultdict(list)
    for location in (pool, *memberships):
        for entry in entries.get(location, ()):
            changes[entry.effective_at].append(entry)

    figures: dict[AllocationKey, int] = defaultdict(int)
    nonzero: dict[Place, set[AllocationKey]] = defaultdict(set)
    holders: dict[AssetId, set[LocationId]] = defaultdict(set)
    for moment in sorted(joining.keys() | changes.keys()):
        places = {(entry.location_id, entry.asset_id) for entry in changes[moment]}
        before = {place for place in places if nonzero[place]}
        for entry in changes[moment]:
            key = entry_key(entry)
            figures[key] += entry.base_units
            at_place = nonzero[key.location_id, key.asset_id]
            (at_place.add if figures[key] else at_place.discard)(key)
        suspects: set[tuple[LocationId, AssetId]] = set()
        for location, asset_id in places:
            held = bool(nonzero[location, asset_id])
            if location != pool:
                (holders[asset_id].add if held else holders[asset_id].discard)(location)
            if held and (location, asset_id) not in before:
                suspects |= {(wallet, asset_id) for wallet in (holders[asset_id] if location == pool else {location})}
        for wallet in joining[moment]:
            suspects |= {(wallet, asset_id) for asset_id, having in holders.items() if wallet in having}
        for wallet, asset_id in sorted(suspects):
            active = any(is_member_on(member, moment.date()) for member in memberships[wallet])
            if active and nonzero[pool, asset_id] and nonzero[wallet, asset_id]:
                return wallet, asset_id, moment
    return None
