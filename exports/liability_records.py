"""The records of the liabilities tree: what each owner is owed, each asset's tree, and the one root over all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chains.errors import InvalidValue
from chains.types import DECIMALS_MAX, AssetId
from exports.codec import BaseUnits, Code, Digest, Identifier
from exports.merkle_sum import AMOUNT_MAX, HEIGHT_MAX

PARTS: Final = 4
"""Leaves of one position."""


@dataclass(frozen=True, slots=True)
class LeafRecord:
    """One leaf of a position, where the key that makes it is not shown."""

    digest: Digest
    base_units: BaseUnits

    def __post_init__(self) -> None:
        if not 0 <= self.base_units <= AMOUNT_MAX:
            raise InvalidValue("a leaf is negative or does not fit 256 bits")


@dataclass(frozen=True, slots=True)
class LiabilityRecord:
    """What the firm owes one beneficial owner of one asset: the sum of the allocations, zero when that is negative."""

    client_id: Identifier
    account_class: Code
    asset_id: AssetId
    base_units: BaseUnits
    position_key: Digest | None
    """What salts this position's leaves, as 32 bytes. Whoever has it can recognise them; only the owner is told."""
    leaves: tuple[LeafRecord, ...] = ()
    """The leaves themselves, in order, where who the owner is must not be told; else none."""

    def __post_init__(self) -> None:
        if self.base_units < 0:
            raise InvalidValue("a liability is negative")
        if (self.position_key is None) != bool(self.leaves):
            raise InvalidValue("a liability has its key, or its leaves")
        if self.leaves and len(self.leaves) != PARTS:
            raise InvalidValue(f"a liability has {PARTS} leaves")
        if self.leaves and sum(leaf.base_units for leaf in self.leaves) != self.base_units:
            raise InvalidValue("the leaves of a liability do not add up to it")


@dataclass(frozen=True, slots=True)
class LiabilityTotalRecord:
    """One asset's tree, and what is there to meet it."""

    asset_id: AssetId
    decimals: int
    """Those of the asset, bound into the root so that every owner reads the same quantity."""
    positions: int | None
    """null, like `below_zero` and `padding_key`, in a client's own bundle: they tell of others."""
    owed: BaseUnits
    """Sum of the tree: nobody's debt to the firm is netted against what another is owed."""
    below_zero: BaseUnits | None
    """Sum of the owners' positions that are negative; zero or less. With `owed` it is the sum of the allocations."""
    height: int
    root: Digest
    padding_key: Digest | None
    observed: BaseUnits | None
    """What the chain shows at all places of this asset, without the gas float; null when a place is unread."""
    difference: BaseUnits | None
    """observed - owed."""
    skew_seconds: int
    """Whole seconds, rounded up, between the bundle's as-of moment and the farthest figure in this row."""
    status: Code
    """matched, diverged or unverified: the worst of this row's own comparison and of the asset's places."""

    def __post_init__(self) -> None:
        if self.decimals > DECIMALS_MAX:
            raise InvalidValue(f"decimals must be 0 to {DECIMALS_MAX}")
        if not 0 <= self.owed <= AMOUNT_MAX or (self.below_zero or 0) > 0:
            raise InvalidValue("owed is 0 to 2**256 - 1, and below_zero is zero or less")
        if self.height > HEIGHT_MAX:
            raise InvalidValue(f"a tree has at most {HEIGHT_MAX} levels")
        if not (self.positions is None) == (self.below_zero is None) == (self.padding_key is None):
            raise InvalidValue("what tells of other owners is there as a whole, or not at all")
        if (self.observed is None) != (self.difference is None):
            raise InvalidValue("a difference exists exactly when everything was observed")


@dataclass(frozen=True, slots=True)
class LiabilityRootRecord:
    """The one digest over the trees of all assets: what is published, and what statements lead to."""

    root: Digest
    assets: int
    positions: int | None
    """null in a client's own bundle."""
