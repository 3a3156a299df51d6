"""Making very many transfers of decoded logs, without the cost that a frozen dataclass has for each of its fields.

As in `chains.evm.observations`: an ordinary object of the same layout is filled and becomes what it is, equal to and as
frozen as any other. What `Transfer` checks of each holds by construction: an amount of 32 bytes, and both addresses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import repeat
from typing import Any

from chains.evm.native import Placed
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


@dataclass(slots=True)
class _PlacedLayout:
    """The fields of `Placed` in its order."""

    tx_index: int
    transfer: Transfer


assert [field.name for field in fields(_Layout)] == [field.name for field in fields(Transfer)]
assert [field.name for field in fields(_PlacedLayout)] == [field.name for field in fields(Placed)]


def made_transfer(
    block: BlockRef, tx_id: str, index: int, asset: Asset, sender: Address, receiver: Address, base_units: int
) -> Transfer:
    """A token transfer of an amount that came as 32 bytes."""
    made: Any = _Layout(block, tx_id, index, asset, sender, receiver, base_units, TransferKind.TOKEN)
    made.__class__ = Transfer
    transfer: Transfer = made
    return transfer


def made_transfers(
    blocks: Sequence[BlockRef],
    tx_ids: Sequence[str],
    indexes: Sequence[int],
    assets: Sequence[Asset],
    senders: Sequence[Address],
    receivers: Sequence[Address],
    base_units: Sequence[int],
) -> list[Transfer]:
    """Token transfers of amounts that came as 32 bytes, from columns of one length."""
    kinds = repeat(TransferKind.TOKEN, len(blocks))
    # `map` calls the class without the interpreter's loop.
    columns = (blocks, tx_ids, indexes, assets, senders, receivers, base_units)
    assert set(map(len, columns)) == {len(blocks)}
    made: list[Any] = list(map(_Layout, *columns, kinds))
    for transfer in made:
        transfer.__class__ = Transfer
    return made


def placed_transfers(tx_indexes: Sequence[int], transfers: Sequence[Transfer]) -> list[Placed]:
    """Each transfer with the place of its transaction in the block."""
    assert len(tx_indexes) == len(transfers)
    made: list[Any] = list(map(_PlacedLayout, tx_indexes, transfers))
    for placed in made:
        placed.__class__ = Placed
    return made
