"""Whether a stock record balances, security by security."""

from __future__ import annotations

from chains.types import AssetId
from mapping.books import Books
from mapping.books_types import StockSide


def unbalanced(books: Books) -> dict[AssetId, int]:
    """Securities of which the long side differs from the short side: long less short, in base units."""
    sums: dict[AssetId, int] = {}
    for line in books.stock:
        units = line.base_units if line.side is StockSide.LONG else -line.base_units
        sums[line.security_id] = sums.get(line.security_id, 0) + units
    return {security_id: units for security_id, units in sums.items() if units}
