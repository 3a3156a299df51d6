"""The price of blob gas (EIP-4844), which follows from a header field and a parameter of the fork.

Later forks changed the parameter alone (EIP-7691, EIP-7892), by a schedule that each chain sets for itself. So what a
node says is held against the parameters known here; a price that fits none is not proven.
"""

from __future__ import annotations

from typing import Final

MIN_BLOB_PRICE: Final = 1
UPDATE_FRACTIONS: Final = (3_338_477, 5_007_716, 8_346_193, 11_684_671)
"""Cancun, Prague, and the two blob parameter forks of Ethereum after Osaka."""


def blob_price(excess_blob_gas: int, update_fraction: int) -> int:
    """Base units per blob gas: the integer approximation of e ** (excess / fraction) that EIP-4844 defines."""
    term, total, step = MIN_BLOB_PRICE * update_fraction, 0, 1
    while term > 0:
        total += term
        term = term * excess_blob_gas // (update_fraction * step)
        step += 1
    return total // update_fraction


def known_blob_prices(excess_blob_gas: int) -> frozenset[int]:
    """The price under each parameter known here. An excess that no chain reaches has none, as it would take forever."""
    if excess_blob_gas.bit_length() > 32:
        return frozenset()
    return frozenset(blob_price(excess_blob_gas, fraction) for fraction in UPDATE_FRACTIONS)
