"""Making very many transfers of decoded logs, without the cost that a frozen dataclass has for each of its fields.

As in `chains.evm.observations`: an ordinary object of the same layout is filled and becomes what it is, equal to and as
frozen as any other. What `Transfer` checks of each holds by construction: an amount of 32 bytes, and both addresses.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from chains.types import Address, Asset, BlockRef, Transfer, TransferKind


@dataclass(slots=True)
class _Layout:
    """The fields of `Transfer` in its order: classes with the same slots can be exchanged."""

    block: BlockRef
    tx_id: str
    index: int
    asset: Asset
    sender: Address | None
    receiver: Address | None
    base_units: int
    kind: TransferKind


assert [field.name for field in fields(_Layout)] == [field.name for field in fields(Transfer)]


def made_transfer(
    block: BlockRef, tx_id: str, index: int, asset: Asset, sender: Address, receiver: Address, base_units: int
) -> Transfer:
    """A token transfer of an amount that came as 32 bytes."""
    made: Any = _Layout(block, tx_id, index, asset, sender, receiver, base_units, TransferKind.TOKEN)
    made.__class__ = Transfer
    transfer: Transfer = made
    return transfer
