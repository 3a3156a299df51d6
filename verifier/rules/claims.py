"""What the books claim, owner by owner, gathered by the place it is compared at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from chains.types import Asset, AssetId, LocationId, require_utc
from mapping.book import AllocationKey
from mapping.types import AccountClass


class Holder(NamedTuple):
    """What one client, or the firm itself, owns at a location according to the books."""

    client_id: str
    account_class: AccountClass
    base_units: int
    """May be negative when the book is wrong; that is a finding of its own."""
    is_gas_float: bool = False

    def is_float_of(self, asset: Asset) -> bool:
        """Whether this is gas float; only a chain's own coin can be, because no fee is paid in a token."""
        return self.is_gas_float and asset.is_native


class Claim(NamedTuple):
    """What the books say about one asset at one location, owner by owner."""

    holders: tuple[Holder, ...]
    as_of: datetime
    """The moment the books speak of."""

    def claimed(self, asset: Asset) -> int:
        """Base units of everything allocated here except the gas float; the plain signed sum."""
        return sum(holder.base_units for holder in self.holders if not holder.is_float_of(asset))

    def gas_float(self, asset: Asset) -> int:
        """Base units of the firm's gas float recorded here; never of a token, because no fee is paid in one."""
        return sum(holder.base_units for holder in self.holders if holder.is_float_of(asset))

    def plain_total(self) -> int | None:
        """Base units of everything allocated here; None where something is a gas float or below zero."""
        total = 0
        for holder in self.holders:
            if holder.is_gas_float or holder.base_units < 0:
                return None
            total += holder.base_units
        return total

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


OwnerKey = tuple[str, AccountClass, bool]
"""A client, the class of its account, and whether it is gas float."""

Claims = Mapping[tuple[LocationId, AssetId], Claim]
"""The claims of the books, by location and asset."""


Owners = Mapping[tuple[LocationId, AssetId], tuple[Holder, ...]]
"""Who owns something at each place, sorted; nobody with nothing."""


def claims_of(owners: Owners, as_of: datetime) -> dict[tuple[LocationId, AssetId], Claim]:
    """The claims of these owners, by the book as of a moment."""
    require_utc(as_of, "claim as_of")
    return {place: Claim(holders, as_of) for place, holders in owners.items()}


def claims_by_place(
    allocations: Mapping[AllocationKey, int], as_of: datetime
) -> dict[tuple[LocationId, AssetId], Claim]:
    """The figures of the book as of a moment, gathered by location and asset; owners sorted."""
    figures: dict[tuple[LocationId, AssetId], dict[OwnerKey, int]] = defaultdict(dict)
    for key, base_units in allocations.items():
        figures[key.location_id, key.asset_id][key.client_id, key.account_class, key.is_gas_float] = base_units
    return claims_of({place: holders_of(each) for place, each in figures.items()}, as_of)


def holders_of(figures: Mapping[OwnerKey, int]) -> tuple[Holder, ...]:
    """The owners of one place, sorted, from the figure of each."""
    if len(figures) == 1:  # as at most wallets
        (((client_id, account_class, is_gas_float), base_units),) = figures.items()
        return (Holder(client_id, account_class, base_units, is_gas_float),)
    return tuple(
        [
            Holder(client_id, account_class, base_units, is_gas_float)
            for (client_id, account_class, is_gas_float), base_units in sorted(figures.items())
        ]
    )
