"""Coins that a coinbase made: in the balance from their block on, and unspendable for a hundred blocks.

Nobody can have spent an immature coin. So what the newest coinbases paid a wallet is what of its balance is immature,
and no more is needed than the movements of those blocks. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from chains.bitcoin.ledger import COINBASE_MATURITY
from chains.types import Address


class CoinbasePayment(NamedTuple):
    """What the coinbase of a block paid an address."""

    height: int
    receiver: Address
    base_units: int


def youngest_immature(height: int) -> int:
    """The lowest block whose coinbase cannot be spent in the block that follows `height`."""
    return max(0, height - COINBASE_MATURITY + 2)


def immature_by_address(payments: Iterable[CoinbasePayment], height: int) -> dict[Address, int]:
    """Satoshis of each receiver's balance as of a height that are immature; those with none are left out."""
    found: dict[Address, int] = defaultdict(int)
    for payment in payments:
        if payment.base_units and youngest_immature(height) <= payment.height <= height:
            found[payment.receiver] += payment.base_units
    return dict(found)
