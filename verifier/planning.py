"""What a sweep accounts for and reads, worked out from the books as they were known to it.

Every process that takes part in a sweep works it out for itself and comes to the same: nothing of it is sent around.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from weakref import WeakKeyDictionary

from chains.types import Address, Asset, AssetId, ChainId, Holding
from mapping.types import PoolMember
from verifier.rules.claims import Owners
from verifier.rules.holdings import MappedHolding, plan_holdings
from verifier.store import Store, SweepStart


@dataclass(frozen=True)
class SweepPlan:
    """What a sweep of one chain accounts for, and whose it is by the books."""

    holdings: Sequence[MappedHolding]
    owners: Owners
    wallets: Mapping[Address, date | None]
    """Every mapped wallet, closed ones too, with the day it was closed."""

    @cached_property
    def assets(self) -> dict[AssetId, Asset]:
        """What is held, by id, sorted."""
        distinct = {id(holding.asset): holding.asset for holding in self.holdings}  # the same few objects
        return {asset.asset_id: asset for asset in sorted(distinct.values(), key=lambda each: each.asset_id)}

    @cached_property
    def reads(self) -> list[Holding]:
        """Every (address, asset) behind its holdings, sorted."""
        make = tuple.__new__  # a call of the class itself takes twice as long, and there are very many
        reads = [
            make(Holding, (address, asset)) for _, asset, addresses, _, _ in self.holdings for address in addresses
        ]
        if any(holding.is_pool for holding in self.holdings):  # else they are in order as the locations are
            reads.sort(key=lambda each: (each.address, each.asset.asset_id))
        return reads


@dataclass(frozen=True, slots=True)
class PlannedSweep:
    """A sweep that was started, with its plan."""

    start: SweepStart
    plan: SweepPlan


@dataclass(frozen=True, slots=True)
class _Books:
    """Everything that a plan follows from."""

    wallets: Mapping[Address, date | None]
    members: Sequence[PoolMember]
    assets: Sequence[Asset]
    owners: Owners
    on: date

    def are(self, others: _Books) -> bool:
        """Whether the plan is the same; wallets and owners are the same objects as long as nothing came."""
        is_same = self.wallets is others.wallets and self.owners is others.owners and self.on == others.on
        return is_same and self.assets == others.assets and self.members == others.members


_newest: WeakKeyDictionary[Store, dict[ChainId, tuple[_Books, SweepPlan]]] = WeakKeyDictionary()
"""The last plan of each chain: a watch needs the same one at every new block."""


def plan_at(store: Store, chain_id: ChainId, as_of: datetime, known_at: datetime) -> SweepPlan:
    """Every mapped holding of a chain, by the books of a moment as known at another."""
    books = _Books(
        store.closing_days(chain_id, known_at),
        store.pool_members(chain_id, known_at),
        [record.asset for record in store.assets(chain_id, known_at)],
        store.owners(chain_id, as_of, known_at),
        as_of.date(),
    )
    known = _newest.setdefault(store, {})
    kept = known.get(chain_id)
    if kept is not None and kept[0].are(books):
        return kept[1]
    claimed = {asset_id: at.keys() for asset_id, at in books.owners.of.items()}
    holdings = plan_holdings(chain_id, books.wallets, books.members, books.assets, claimed, books.on)
    plan = SweepPlan(holdings, books.owners, books.wallets)
    known[chain_id] = books, plan
    return plan


def plan_of(store: Store, start: SweepStart) -> SweepPlan:
    """What a sweep accounts for."""
    return plan_at(store, start.chain_id, start.block.timestamp, start.known_at)


def holdings_to_read(store: Store, start: SweepStart, plan: SweepPlan) -> list[Holding]:
    """Every (address, asset) of the plan, and of addresses only the custodian lists, sorted by address and asset."""
    listed = {line.address for line in store.custodian_addresses(start.chain_id, start.known_at)}
    unmapped = listed - {holding.address for holding in plan.reads} if listed else ()
    if not unmapped:
        return plan.reads
    more = [Holding(address, asset) for address in unmapped for asset in plan.assets.values()]
    return sorted([*plan.reads, *more], key=lambda each: (each.address, each.asset.asset_id))
