"""Whether a resolution needs one approval or two: two above the amount that the firm sets for an asset. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chains.errors import InvalidValue
from chains.types import Asset

ONE: Final = 1
TWO: Final = 2


def approvals_needed(asset: Asset | None, base_units: int | None, second_above: Mapping[str, str]) -> int:
    """How many people approve it. `second_above` gives quantities in whole units by asset id or symbol.

    An amount that is not known is above every limit: a failed read is never zero. A limit that cannot be read in the
    asset's decimals counts as zero.
    """
    if asset is None:
        return ONE
    limits = [second_above[name] for name in (asset.asset_id, asset.symbol) if name in second_above]
    if not limits:
        return ONE
    return TWO if base_units is None or any(abs(base_units) > _units(asset, each) for each in limits) else ONE


def _units(asset: Asset, quantity: str) -> int:
    try:
        return asset.parse_quantity(quantity)
    except InvalidValue:
        return 0
