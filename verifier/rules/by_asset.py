"""Values by place and asset, kept asset by asset: a firm has a few assets, and each of them at very many places.

A dictionary for each asset is asked by the place alone. One dictionary of pairs takes three times as long for the
hundreds of thousands of holdings of a sweep, because a pair is made and hashed for every question.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from chains.types import Address, AssetId, BalanceObservation, LocationId

PlaceT = TypeVar("PlaceT", Address, LocationId)
V_co = TypeVar("V_co", covariant=True)


class ByAsset(Mapping[tuple[PlaceT, AssetId], V_co]):
    """A mapping by (place, asset) like any other, which may also be asked asset by asset."""

    __slots__ = ("of",)

    def __init__(self, of: Mapping[AssetId, Mapping[PlaceT, V_co]]) -> None:
        self.of: Mapping[AssetId, Mapping[PlaceT, V_co]] = of
        """The values of each asset, by place."""

    @classmethod
    def gathered(cls, values: Mapping[tuple[PlaceT, AssetId], V_co]) -> ByAsset[PlaceT, V_co]:
        """Any mapping by place and asset in this form; one that has it already is returned as it is."""
        if isinstance(values, ByAsset):
            return values
        of: defaultdict[AssetId, dict[PlaceT, V_co]] = defaultdict(dict)
        for (place, asset_id), value in values.items():
            of[asset_id][place] = value
        return ByAsset(dict(of))

    def __getitem__(self, key: tuple[PlaceT, AssetId]) -> V_co:
        place, asset_id = key
        return self.of[asset_id][place]

    def __iter__(self) -> Iterator[tuple[PlaceT, AssetId]]:
        return ((place, asset_id) for asset_id, at in self.of.items() for place in at)

    def __len__(self) -> int:
        return sum(map(len, self.of.values()))

    def beyond(self, other: ByAsset[PlaceT, object]) -> Iterator[tuple[PlaceT, AssetId]]:
        """Every place and asset with a value here and none there."""
        nowhere: Mapping[PlaceT, object] = {}
        for asset_id, at in self.of.items():
            there = other.of.get(asset_id, nowhere)
            if not at.keys() <= there.keys():
                yield from ((place, asset_id) for place in at if place not in there)


class Observed(ByAsset[Address, BalanceObservation]):
    """What a chain said of many balances, all at one block."""

    __slots__ = ("in_order",)

    def __init__(self, observations: Sequence[BalanceObservation]) -> None:
        of: defaultdict[AssetId, dict[Address, BalanceObservation]] = defaultdict(dict)
        before, asset_before, is_sorted = Address(""), AssetId(""), True
        for seen in observations:
            address, asset = seen.holding
            asset_id = asset.asset_id
            if address <= before and (address < before or asset_id <= asset_before):
                is_sorted = False
            before, asset_before = address, asset_id
            of[asset_id][address] = seen
        super().__init__(dict(of))
        self.in_order = observations if is_sorted else [self[key] for key in sorted(self)]
        """Sorted by address and asset, each balance once."""

    @classmethod
    def of_all(cls, observations: Mapping[tuple[Address, AssetId], BalanceObservation]) -> Observed:
        """Observations by address and asset in any mapping; one that has this form already is returned as it is."""
        return observations if isinstance(observations, Observed) else cls(list(observations.values()))
