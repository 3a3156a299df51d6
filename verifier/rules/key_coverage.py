"""How much of what a sweep saw stands at addresses whose control was proven, and how old the proofs are. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from chains.types import Address, Asset, BalanceObservation

AGE_DAYS: Final = (30, 90, 365)
"""Limits of the ages by which proven amounts are shown."""
BASIS_POINTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class AssetCoverage:
    """One asset over all wallets of a sweep. Amounts in base units."""

    asset: Asset
    total: int
    """Sum of the balances that were read."""
    proven: int
    """The part of it at addresses with an accepted proof."""
    proven_within_days: tuple[int, ...]
    """The part with a proof at most so old, for each limit of `AGE_DAYS`."""
    holders: int
    """Addresses that hold some of it."""
    holders_proven: int
    unread: int
    """Holdings whose balance could not be read: with any, the total is not known."""
    oldest_days: int | None
    """Age of the oldest proof that counts, in whole days; None without any."""

    @property
    def share_basis_points(self) -> int | None:
        """Proven part of the total in 1/10,000, rounded down; None when it is not known."""
        return self.basis_points(self.proven)

    def basis_points(self, part: int) -> int | None:
        """A part of the total in 1/10,000, rounded down; None when a balance is not known or nothing is held."""
        if self.unread or not self.total:
            return None
        return part * BASIS_POINTS // self.total


def age_days(proven_at: datetime, moment: datetime) -> int:
    """Whole days since a proof; 0 for one from the future, when the clock went back."""
    return max(timedelta(0), moment - proven_at).days


def coverage(
    observations: Iterable[BalanceObservation], proven_at: Mapping[Address, datetime], moment: datetime
) -> list[AssetCoverage]:
    """Coverage of each asset, by asset id.

    `proven_at` is for each proven address the earliest time at which its newest proof can have been signed. An
    address counts once for an asset, however many proofs it has.
    """
    by_asset: dict[str, dict[Address, BalanceObservation]] = {}
    for seen in observations:
        by_asset.setdefault(seen.holding.asset.asset_id, {})[seen.holding.address] = seen
    return [_of_asset(by_asset[asset_id], proven_at, moment) for asset_id in sorted(by_asset)]


def _of_asset(
    seen: Mapping[Address, BalanceObservation], proven_at: Mapping[Address, datetime], moment: datetime
) -> AssetCoverage:
    held = {address: each.base_units for address, each in seen.items() if each.base_units}
    ages = {address: age_days(proven_at[address], moment) for address in held if address in proven_at}
    return AssetCoverage(
        asset=next(iter(seen.values())).holding.asset,
        total=sum(held.values()),
        proven=sum(held[address] for address in ages),
        proven_within_days=tuple(
            sum(held[address] for address, age in ages.items() if age <= limit) for limit in AGE_DAYS
        ),
        holders=len(held),
        holders_proven=len(ages),
        unread=sum(each.base_units is None for each in seen.values()),
        oldest_days=max(ages.values(), default=None),
    )
