"""What each owner would lack if a shortfall were shared in proportion: illustrative, not a determination under SIPA.

A shortfall of one asset at one location is shared among those who own the asset there by the sub-ledger, in proportion
to what each owns. The shares are whole base units and add up to the shortfall exactly: every share is rounded down, and
the units left over go one by one to the largest remainders; among equal remainders the order is that of SHA-256 of the
position, so that nobody is favoured by the spelling of an id. No share is more than what is owned. Pure.

Under the Securities Investor Protection Act customers share in customer property as a whole by their net equity, not
asset by asset and not location by location; what would be done is for a trustee and a court to say.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from chains.types import AssetId, LocationId
from exports.merkle_sum import text_bytes
from exports.records import AccountClass, AllocationRecord, ReconciliationRecord

LABEL: Final = "Illustrative, not a SIPA determination."
ORDER: Final = b"custody-pro-rata-1"
"""The first bytes of what orders equal remainders."""


@dataclass(frozen=True, slots=True)
class OwnerShare:
    """One owner's part of a shortfall. Base units."""

    client_id: str
    account_class: AccountClass
    owned: int
    share: int


@dataclass(frozen=True, slots=True)
class SharedShortfall:
    """A shortfall of one asset at one location, and its parts in the order of owners' ids."""

    location: LocationId
    asset_id: AssetId
    shortfall: int
    """Base units that are missing, above zero."""
    owned: int
    """What the owners together own there."""
    owners: tuple[OwnerShare, ...]
    unshared: int
    """What is missing beyond all that anybody owns: nobody's share; zero unless more is missing than was owned."""


def shared_shortfalls(
    reconciliations: Iterable[ReconciliationRecord], allocations: Iterable[AllocationRecord]
) -> Iterator[SharedShortfall]:
    """Every shortfall of the reconciliations, shared, in the order of location and asset.

    Only what was observed to be missing: where nothing could be observed there is nothing to share. Whoever owns
    nothing or less than nothing has no part; the firm's gas float is not owned by clients.
    """
    owned: dict[tuple[LocationId, AssetId], dict[tuple[str, AccountClass], int]] = defaultdict(dict)
    for each in allocations:
        if not each.is_gas_float:
            positions = owned[each.location, each.asset_id]
            key = each.client_id, each.account_class
            positions[key] = positions.get(key, 0) + each.base_units
    missing = [record for record in reconciliations if record.difference is not None and record.difference < 0]
    for record in sorted(missing, key=lambda found: (found.location, found.asset_id)):
        assert record.difference is not None
        owners = owned[record.location, record.asset_id]
        yield share(record.location, record.asset_id, -record.difference, owners)


def share(
    location: LocationId, asset_id: AssetId, shortfall: int, owned: dict[tuple[str, AccountClass], int]
) -> SharedShortfall:
    """One shortfall shared among its owners; `owned` in base units by client and class."""
    positions = sorted((key, units) for key, units in owned.items() if units > 0)
    total = sum(units for _, units in positions)
    shared = min(shortfall, total)
    ranks = [_rank(location, asset_id, key) for key, _ in positions]
    parts = _largest_remainders(shared, [units for _, units in positions], ranks)
    owners = tuple(
        OwnerShare(client_id, account_class, units, part)
        for ((client_id, account_class), units), part in zip(positions, parts, strict=True)
    )
    return SharedShortfall(location, asset_id, shortfall, total, owners, shortfall - shared)


def _largest_remainders(amount: int, weights: Sequence[int], ranks: Sequence[bytes]) -> list[int]:
    """The amount in proportion to the weights, rounded down, and what is left over to the largest remainders."""
    total = sum(weights)
    if not total:
        return [0] * len(weights)
    parts = [amount * weight // total for weight in weights]
    remainders = [amount * weight % total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-remainders[place], ranks[place]))
    for place in by_remainder[: amount - sum(parts)]:
        parts[place] += 1
    return parts


def _rank(location: LocationId, asset_id: AssetId, key: tuple[str, AccountClass]) -> bytes:
    client_id, account_class = key
    texts = (location, asset_id, client_id, str(account_class))
    return hashlib.sha256(ORDER + b"".join(map(text_bytes, texts))).digest()
