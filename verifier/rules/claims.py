"""What the books claim, owner by owner, gathered by the place it is compared at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chains.types import Asset, AssetId, LocationId, require_utc
from mapping.book import AllocationKey
from mapping.types import AccountClass


@dataclass(frozen=True, slots=True)
class Holder:
    """What one client, or the firm itself, owns at a location according to the books."""

    client_id: str
    account_class: AccountClass
    base_units: int
    """May be negative when the book is wrong; that is a finding of its own."""
    is_gas_float: bool = False

    def is_float_of(self, asset: Asset) -> bool:
        """Whether this is gas float; only a chain's own coin can be, because no fee is paid in a token."""
        return self.is_gas_float and asset.is_native


@dataclass(frozen=True, slots=True)
class Claim:
    """What the books say about one asset at one location, owner by owner."""

    holders: tuple[Holder, ...]
    as_of: datetime
    """The moment the books speak of."""

    def __post_init__(self) -> None:
        require_utc(self.as_of, "claim as_of")

    def claimed(self, asset: Asset) -> int:
        """Base units of everything allocated here except the gas float; the plain signed sum."""
        return sum(holder.base_units for holder in self.holders if not holder.is_float_of(asset))

    def gas_float(self, asset: Asset) -> int:
        """Base units of the firm's gas float recorded here; never of a token, because no fee is paid in one."""
        return sum(holder.base_units for holder in self.holders if holder.is_float_of(asset))

    def negative_holders(self) -> list[Holder]:
        """Owners whose allocation is below zero."""
        return [holder for holder in self.holders if holder.base_units < 0]

    def owners(self, asset: Asset) -> tuple[set[str], set[str]]:
        """Ids with an allocation other than zero or gas float: the clients, and the firm's own (proprietary)."""
        clients: set[str] = set()
        firm: set[str] = set()
        for holder in self.holders:
            if holder.base_units != 0 and not holder.is_float_of(asset):
                (firm if holder.account_class is AccountClass.PROPRIETARY else clients).add(holder.client_id)
        return clients, firm


Claims = Mapping[tuple[LocationId, AssetId], Claim]
"""The claims of the books, by location and asset."""


def claims_by_place(
    allocations: Mapping[AllocationKey, int], as_of: datetime
) -> dict[tuple[LocationId, AssetId], Claim]:
    """The figures of the book as of a moment, gathered by location and asset; owners sorted."""
    holders: dict[tuple[LocationId, AssetId], list[Holder]] = defaultdict(list)
    for key, base_units in sorted(allocations.items()):
        holder = Holder(key.client_id, key.account_class, base_units, key.is_gas_float)
        holders[key.location_id, key.asset_id].append(holder)
    return {place: Claim(tuple(owners), as_of) for place, owners in holders.items()}
