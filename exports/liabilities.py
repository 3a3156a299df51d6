"""What the firm owes whom, committed to by one digest (decision 0017). Pure functions.

Each owner's position in each asset is one amount, over all places; a negative one is nobody's asset and counts as
zero. It is split into four leaves by its own secret key, so that the leaf beside a client's own is a part of somebody's
amount and never known to be the whole of it. The keys come from one secret of the firm, the bundle's id and its as-of
moment: the same state gives the same tree, and two bundles share no salt.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from chains.types import AssetId
from exports.codec import time_text
from exports.errors import LiabilityInvalid
from exports.liability_records import PARTS, LiabilityRecord
from exports.merkle_sum import (
    AMOUNT_MAX,
    CUT,
    ENTRY_SIZE,
    LEAF,
    LINE,
    PADDING_KEY,
    POSITION_KEY,
    SALT,
    TOP,
    Entry,
    MerkleSumTree,
    text_bytes,
)

if TYPE_CHECKING:
    from exports.records import AllocationRecord

SECRET_BYTES_MIN: Final = 32
_NUMBERS: Final = tuple(bytes([number]) for number in range(PARTS))


@dataclass(frozen=True, slots=True)
class LiabilityContext:
    """What the trees of one bundle speak of; part of the root."""

    firm: str
    bundle_id: str
    as_of: datetime

    def to_bytes(self) -> bytes:
        """The three, each after its length."""
        return text_bytes(self.firm) + text_bytes(self.bundle_id) + text_bytes(time_text(self.as_of))


@dataclass(frozen=True, slots=True)
class Position:
    """What one owner has of one asset, over all places, in base units; negative when they owe it."""

    client_id: str
    account_class: str
    asset_id: AssetId
    base_units: int


@dataclass(frozen=True, slots=True)
class AssetTree:
    """The tree of one asset, without its leaves."""

    asset_id: AssetId
    decimals: int
    positions: int
    owed: int
    height: int
    root: bytes

    def line(self) -> bytes:
        """The digest that stands for this tree in the root over all assets."""
        return line_digest(self.asset_id, self.decimals, self.height, Entry(self.root, self.owed))


def positions_of(allocations: Iterable[AllocationRecord]) -> list[Position]:
    """Each owner's position in each asset, ascending. The firm's gas float is nobody's claim.

    Places of one owner add up, for the owner is owed the asset and not a place; classes stay apart.
    """
    sums: dict[tuple[str, str, AssetId], int] = defaultdict(int)
    for allocation in allocations:
        if not allocation.is_gas_float:
            sums[allocation.client_id, allocation.account_class.value, allocation.asset_id] += allocation.base_units
    return [Position(*key, base_units) for key, base_units in sorted(sums.items())]


def liability_records(
    positions: Iterable[Position], context: LiabilityContext, secret: bytes
) -> Iterator[LiabilityRecord]:
    """The positions with their keys. Raises `LiabilityInvalid` for a secret of fewer than 32 bytes."""
    _require_secret(secret)
    begin = POSITION_KEY + context.to_bytes()
    for position in positions:
        name = text_bytes(position.client_id) + text_bytes(position.account_class) + text_bytes(position.asset_id)
        key = hmac.digest(secret, begin + name, "sha256").hex()
        owed = max(position.base_units, 0)
        yield LiabilityRecord(position.client_id, position.account_class, position.asset_id, owed, key)


def padding_key(asset_id: AssetId, context: LiabilityContext, secret: bytes) -> bytes:
    """What the padding leaves of an asset's tree are made from."""
    _require_secret(secret)
    return hmac.digest(secret, PADDING_KEY + context.to_bytes() + text_bytes(asset_id), "sha256")


def leaves_of(record: LiabilityRecord) -> list[bytes]:
    """The leaves of one position, 64 bytes each: salted digest, amount. Raises `LiabilityInvalid`.

    The amounts are the pieces between 0, three points that the key draws, and the amount itself: they add up exactly.
    """
    amount = record.base_units
    if not 0 <= amount <= AMOUNT_MAX:
        raise LiabilityInvalid("an amount is negative or does not fit 256 bits")
    if record.position_key is None:
        return [bytes.fromhex(leaf.digest) + leaf.base_units.to_bytes(32, "big") for leaf in record.leaves]
    sha256, key = hashlib.sha256, bytes.fromhex(record.position_key)
    draws = [int.from_bytes(sha256(CUT + key + number).digest(), "big") for number in _NUMBERS[1:]]
    cuts = [0, *sorted(amount * draw >> 256 for draw in draws), amount]
    named = sha256(LEAF + text_bytes(record.client_id) + text_bytes(record.account_class) + text_bytes(record.asset_id))
    leaves = []
    for number, low, high in zip(_NUMBERS, cuts[:-1], cuts[1:], strict=True):
        part = (high - low).to_bytes(32, "big")
        leaf = named.copy()
        leaf.update(number + part + sha256(SALT + key + number).digest())
        leaves.append(leaf.digest() + part)
    return leaves


def open_tree(records: Iterable[LiabilityRecord], padding: bytes) -> MerkleSumTree:
    """The tree of one asset's positions, to be closed by the caller. Raises `LiabilityInvalid`.

    Memory is bounded: records may come from a generator, and large trees live in temporary files.
    """
    return MerkleSumTree((leaf for record in records for leaf in leaves_of(record)), padding)


def summary(asset_id: AssetId, decimals: int, tree: MerkleSumTree) -> AssetTree:
    """What is kept of a tree."""
    positions = tree.leaf_count // PARTS
    return AssetTree(asset_id, decimals, positions, tree.root.base_units, tree.height, tree.root.digest)


def line_digest(asset_id: str, decimals: int, height: int, root: Entry) -> bytes:
    """One asset in the root over all: its id and decimals, how many levels its paths have, its root and its sum."""
    return hashlib.sha256(LINE + text_bytes(asset_id) + bytes([decimals, height]) + root.to_bytes()).digest()


def top_digest(context: LiabilityContext, lines: Sequence[bytes]) -> bytes:
    """The root over all assets, whose lines stand in ascending order of asset id."""
    count = len(lines).to_bytes(4, "big")
    return hashlib.sha256(TOP + context.to_bytes() + count + b"".join(lines)).digest()


def entry_of(leaf: bytes) -> Entry:
    """A leaf of 64 bytes as an entry of the tree."""
    assert len(leaf) == ENTRY_SIZE
    return Entry.of_bytes(leaf)


def _require_secret(secret: bytes) -> None:
    if len(secret) < SECRET_BYTES_MIN:
        raise LiabilityInvalid(f"the firm's secret has fewer than {SECRET_BYTES_MIN} bytes")
