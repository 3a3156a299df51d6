"""Which holdings a sweep of one chain must account for: every mapped wallet times every asset, each exactly once.

A wallet in a pool is compared as part of the pool, except for an asset that the books allocate to the wallet
itself; nothing is compared twice and no claim is left out. A claim at a place with no wallet behind it becomes a
holding without addresses, which can only be unverified.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date
from typing import NamedTuple

from chains.types import Address, Asset, AssetId, ChainId, LocationId, account_location
from mapping.types import PoolMember


class MappedHolding(NamedTuple):
    """One thing to compare: an asset at a location, and the addresses whose balances add up to it."""

    location_id: LocationId
    asset: Asset
    addresses: tuple[Address, ...]
    """Sorted; one for a wallet, several for a pool, none when the books claim a place that has no wallet."""
    is_pool: bool
    all_closed: bool
    """Whether every wallet behind it is closed at the block's date; such a place should be empty."""


def plan_holdings(
    chain_id: ChainId,
    closing_days: Mapping[Address, date | None],
    pool_members: Iterable[PoolMember],
    assets: Iterable[Asset],
    claimed: Mapping[AssetId, AbstractSet[LocationId]],
    on: date,
) -> list[MappedHolding]:
    """Every holding of a chain on a date, sorted by location and asset.

    `closing_days` has every wallet with the day it was closed, if it was; closed wallets stay in the plan: what is left
    in them must be seen. `pool_members` and `assets` are those of the chain; `claimed` names for each of
    its assets the locations with a claim.
    """
    pool_of: dict[Address, LocationId] = {}
    for member in pool_members:
        is_member = member.from_date <= on and (member.to_date is None or on <= member.to_date)
        if is_member and member.address in closing_days:
            pool_of[member.address] = member.location_id

    pools = set(pool_of.values())
    by_id = {asset.asset_id: asset for asset in assets}
    in_order = [by_id[asset_id] for asset_id in sorted(by_id)]
    behind: dict[tuple[LocationId, AssetId], list[Address]] = defaultdict(list)
    alone: set[LocationId] = set()
    plan: list[MappedHolding] = []
    prefix = account_location(chain_id, Address(""))
    make = tuple.__new__  # a call of the class itself takes twice as long, and there are very many
    for address, closed_on in sorted(closing_days.items()):
        own = LocationId(prefix + address)
        if address in pool_of or own in pools:
            for asset in in_order:
                pool = pool_of.get(address)
                location = own if pool is None or own in claimed.get(asset.asset_id, ()) else pool
                behind[location, asset.asset_id].append(address)
            continue
        alone.add(own)
        addresses, closed = (address,), _is_closed(closed_on, on)
        plan += [make(MappedHolding, (own, asset, addresses, False, closed)) for asset in in_order]
    for asset_id, locations in claimed.items():
        if asset_id in by_id:
            for location in locations - alone:
                behind.setdefault((location, asset_id), [])
    if behind:
        plan += [
            MappedHolding(
                location_id=location,
                asset=by_id[asset_id],
                addresses=tuple(sorted(addresses)),
                is_pool=location in pools or location.startswith("pool:"),
                all_closed=bool(addresses) and all(_is_closed(closing_days[each], on) for each in addresses),
            )
            for (location, asset_id), addresses in behind.items()
        ]
        plan.sort(key=lambda holding: (holding.location_id, holding.asset.asset_id))
    return plan


def _is_closed(closed_on: date | None, on: date) -> bool:
    return closed_on is not None and closed_on < on
