"""What the books claim, owner by owner, gathered by the place it is compared at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from chains.types import Asset, AssetId, LocationId, require_utc
from mapping.book import AllocationKey
from mapping.types import AccountClass
from verifier.rules.by_asset import ByAsset


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

Place = tuple[LocationId, AssetId]
"""Where the books are compared: one asset at one location."""

Owners = ByAsset[LocationId, tuple[Holder, ...]]
"""Who owns something at each place, sorted; nobody with nothing."""


class Claims(Mapping[Place, Claim]):
    """What the books claim at every place, all as of one moment; a claim is put together where it is asked for."""

    def __init__(self, owners: Mapping[Place, tuple[Holder, ...]], as_of: datetime) -> None:
        self.owners: Owners = ByAsset.gathered(owners)
        self.as_of = require_utc(as_of, "claim as_of")

    def __getitem__(self, place: Place) -> Claim:
        return Claim(self.owners[place], self.as_of)

    def __iter__(self) -> Iterator[Place]:
        return iter(self.owners)

    def __len__(self) -> int:
        return len(self.owners)


def plain_total(holders: tuple[Holder, ...]) -> int | None:
    """Base units of everything that these own; None where something is a gas float or below zero."""
    total = 0
    for _, _, base_units, is_gas_float in holders:
        if is_gas_float or base_units < 0:
            return None
        total += base_units
    return total


def claims_by_place(allocations: Mapping[AllocationKey, int], as_of: datetime) -> Claims:
    """The figures of the book as of a moment, gathered by location and asset; owners sorted."""
    figures: dict[Place, dict[OwnerKey, int]] = defaultdict(dict)
    for key, base_units in allocations.items():
        figures[key.location_id, key.asset_id][key.client_id, key.account_class, key.is_gas_float] = base_units
    return Claims({place: holders_of(each) for place, each in figures.items()}, as_of)


def holders_of(figures: Mapping[OwnerKey, int]) -> tuple[Holder, ...]:
    """The owners of one place, sorted, from the figure of each."""
    return tuple(
        [
            Holder(client_id, account_class, base_units, is_gas_float)
            for (client_id, account_class, is_gas_float), base_units in sorted(figures.items())
        ]
    )
