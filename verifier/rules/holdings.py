"""Which holdings a sweep of one chain must account for: every mapped wallet times every asset, each exactly once.

A wallet in a pool is compared as part of the pool, except for an asset that the books allocate to the wallet
itself; nothing is compared twice and no claim is left out. A claim at a place with no wallet behind it becomes a
holding without addresses, which can only be unverified.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date

from chains.types import Address, Asset, AssetId, LocationId
from mapping.types import PoolMember, Wallet


@dataclass(frozen=True, slots=True)
class MappedHolding:
    """One thing to compare: an asset at a location, and the addresses whose balances add up to it."""

    location_id: LocationId
    asset: Asset
    addresses: tuple[Address, ...]
    """Sorted; one for a wallet, several for a pool, none when the books claim a place that has no wallet."""
    is_pool: bool
    all_closed: bool
    """Whether every wallet behind it is closed at the block's date; such a place should be empty."""


def plan_holdings(
    wallets: Sequence[Wallet],
    pool_members: Iterable[PoolMember],
    assets: Sequence[Asset],
    claimed: AbstractSet[tuple[LocationId, AssetId]],
    on: date,
) -> list[MappedHolding]:
    """Every holding of a chain on a date, sorted by location and asset.

    `wallets` and `assets` are those of one chain; `claimed` names the (location, asset) pairs with a claim on
    this chain's assets. Closed wallets stay in the plan: what is left in them must be seen.
    """
    pool_of: dict[Address, LocationId] = {}
    known = {wallet.address: wallet for wallet in wallets}
    for member in pool_members:
        if member.address in known and member.from_date <= on and (member.to_date is None or on <= member.to_date):
            pool_of[member.address] = member.location_id

    behind: dict[tuple[LocationId, AssetId], list[Address]] = defaultdict(list)
    for wallet in wallets:
        pool = pool_of.get(wallet.address)
        for asset in assets:
            own = wallet.location_id
            location = own if pool is None or (own, asset.asset_id) in claimed else pool
            behind[location, asset.asset_id].append(wallet.address)

    by_id = {asset.asset_id: asset for asset in assets}
    for location, asset_id in claimed:
        if asset_id in by_id:
            behind.setdefault((location, asset_id), [])

    pools = set(pool_of.values())
    return [
        MappedHolding(
            location_id=location,
            asset=by_id[asset_id],
            addresses=tuple(sorted(addresses)),
            is_pool=location in pools or location.startswith("pool:"),
            all_closed=bool(addresses) and all(_is_closed(known[address], on) for address in addresses),
        )
        for (location, asset_id), addresses in sorted(behind.items())
    ]


def _is_closed(wallet: Wallet, on: date) -> bool:
    return wallet.closed_on is not None and wallet.closed_on < on


def wallet_addresses(holdings: Iterable[MappedHolding]) -> dict[AssetId, list[Address]]:
    """The addresses to read for each asset, sorted: every address of every holding once."""
    found: Mapping[AssetId, set[Address]] = defaultdict(set)
    for holding in holdings:
        found[holding.asset.asset_id].update(holding.addresses)
    return {asset_id: sorted(addresses) for asset_id, addresses in found.items()}
