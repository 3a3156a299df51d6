"""What a sweep accounts for and reads, worked out from the books as they were known to it.

Every process that takes part in a sweep works it out for itself and comes to the same: nothing of it is sent around.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from chains.types import Address, AssetId, ChainId, Holding
from verifier.rules.holdings import MappedHolding, plan_holdings
from verifier.store import Store, SweepStart


def planned_holdings(store: Store, chain_id: ChainId, as_of: datetime, known_at: datetime) -> list[MappedHolding]:
    """Every mapped holding of a chain, by the books of a moment as known at another."""
    assets = [record.asset for record in store.assets(chain_id, known_at)]
    wallets = store.wallets(chain_id, known_at)
    members = store.pool_members(chain_id, known_at)
    allocations = store.allocations(chain_id, as_of, known_at)
    claimed = {(key.location_id, key.asset_id) for key in allocations}
    return plan_holdings(wallets, members, assets, claimed, as_of.date())


def plan_of(store: Store, start: SweepStart) -> list[MappedHolding]:
    """The mapped holdings that a sweep accounts for."""
    return planned_holdings(store, start.chain_id, start.block.timestamp, start.known_at)


def holdings_to_read(store: Store, start: SweepStart, plan: Iterable[MappedHolding]) -> list[Holding]:
    """Every (address, asset) of the plan, and of addresses only the custodian lists, sorted by address."""
    holdings = list(plan)
    assets = {holding.asset.asset_id: holding.asset for holding in holdings}
    pairs: set[tuple[Address, AssetId]] = {
        (address, holding.asset.asset_id) for holding in holdings for address in holding.addresses
    }
    for line in store.custodian_addresses(start.chain_id, start.known_at):
        pairs.update((line.address, asset_id) for asset_id in assets)
    return [Holding(address, assets[asset_id]) for address, asset_id in sorted(pairs)]
