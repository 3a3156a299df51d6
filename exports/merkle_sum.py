"""A Merkle-sum tree: one digest that fixes a set of leaves, their order and the sum of their amounts.

Every hash is a whole SHA-256 over a fixed prefix, one byte of domain, and fields of fixed or stated length. A node
covers both digests and both sums below it and its own level, so a leaf never passes as a node and a path of another
length never passes at all. The leaves stand in ascending order of their salted digests, so that neighbours mean
nothing, and are filled up to a power of two with padding that owns nothing: no level is odd, nothing is doubled.

Sums are unsigned integers of 256 bits. There is no form for a negative one, and an overflow is refused.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Final

from exports.errors import LiabilityInvalid

PREFIX: Final = b"custody-merkle-1"
"""The first 16 bytes of everything that is hashed here; another construction takes another one."""
LEAF, NODE, PADDING, LINE, TOP, SALT, CUT, POSITION_KEY, PADDING_KEY = (PREFIX + bytes([n]) for n in range(9))

DIGEST_SIZE: Final = 32
AMOUNT_SIZE: Final = 32
AMOUNT_MAX: Final = 2**256 - 1
ENTRY_SIZE: Final = DIGEST_SIZE + AMOUNT_SIZE
HEIGHT_MAX: Final = 48
"""Most levels of a path; a million owners need 22."""

_BUCKETS: Final = 64
_BUCKET_BYTES_IN_MEMORY: Final = 1024 * 1024
_LEAF_BYTES_IN_MEMORY: Final = 64 * 1024 * 1024
_BLOCK_LEVEL: Final = 8
"""Nodes are kept from this level up: one for each block of 256 leaves, and those above."""


def amount_bytes(base_units: int) -> bytes:
    """32 bytes, big-endian. Raises `LiabilityInvalid` for a negative amount and one of more than 256 bits."""
    if not 0 <= base_units <= AMOUNT_MAX:
        raise LiabilityInvalid("an amount is negative or does not fit 256 bits")
    return base_units.to_bytes(AMOUNT_SIZE, "big")


def text_bytes(text: str) -> bytes:
    """UTF-8 after its length in four bytes, so that two texts never run into each other."""
    data = text.encode("utf-8")
    return len(data).to_bytes(4, "big") + data


@dataclass(frozen=True, slots=True)
class Entry:
    """A leaf or a node as its parent sees it."""

    digest: bytes
    base_units: int

    def to_bytes(self) -> bytes:
        """The 64 bytes that go into the parent's hash. Raises `LiabilityInvalid`."""
        if len(self.digest) != DIGEST_SIZE:
            raise LiabilityInvalid(f"a digest has {len(self.digest)} bytes, not {DIGEST_SIZE}")
        return self.digest + amount_bytes(self.base_units)

    @staticmethod
    def of_bytes(data: bytes) -> Entry:
        """The entry of 64 bytes."""
        return Entry(data[:DIGEST_SIZE], int.from_bytes(data[DIGEST_SIZE:], "big"))


def parent(left: Entry, right: Entry, level: int) -> Entry:
    """The node above two entries; `level` is its own, 1 for the parent of leaves. Raises `LiabilityInvalid`."""
    block = left.to_bytes() + right.to_bytes()
    total = left.base_units + right.base_units
    amount_bytes(total)
    return Entry(hashlib.sha256(NODE + bytes([level]) + block).digest(), total)


def root_of_path(leaf: Entry, index: int, siblings: Sequence[Entry]) -> Entry:
    """The root that a leaf at a position leads to. Raises `LiabilityInvalid` for an impossible path."""
    if len(siblings) > HEIGHT_MAX or not 0 <= index < 1 << len(siblings):
        raise LiabilityInvalid("a path is too long, or too short for its position")
    entry = leaf
    for level, sibling in enumerate(siblings, start=1):
        entry = parent(sibling, entry, level) if index & 1 else parent(entry, sibling, level)
        index >>= 1
    return entry


def padding_leaf(key: bytes, number: int) -> bytes:
    """The 64 bytes of the n-th padding leaf: it owns nothing, and without the key looks like any other."""
    return hashlib.sha256(PADDING + key + number.to_bytes(8, "big")).digest() + bytes(AMOUNT_SIZE)


class MerkleSumTree:
    """The tree over a set of leaves. Many leaves live in unnamed temporary files, which hold no name of anybody.

    Memory stays bounded however many leaves there are: of the levels below the blocks nothing is kept, for a block of
    leaves is hashed again in no time. Use it as a context manager.
    """

    def __init__(self, leaves: Iterable[bytes], padding_key: bytes) -> None:
        """Build from leaves of 64 bytes (salted digest, amount) in any order.

        Raises `LiabilityInvalid` for a leaf of another size, one given twice, and a sum of more than 256 bits.
        """
        self._leaves: IO[bytes] = tempfile.SpooledTemporaryFile(_LEAF_BYTES_IN_MEMORY)  # noqa: SIM115 - closed below
        try:
            self.leaf_count, self.height, blocks = self._write_leaves(leaves, padding_key)
            self._block_level = min(self.height, _BLOCK_LEVEL)
            self._upper = _levels_above(blocks, self._block_level)
            self.root = Entry.of_bytes(self._upper[-1])
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> MerkleSumTree:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give the temporary files back."""
        self.close()

    def close(self) -> None:
        """Give the temporary files back."""
        self._leaves.close()

    def index_of(self, digest: bytes) -> int:
        """The position of a leaf by its digest. Raises `LiabilityInvalid` when there is none."""
        low, high = 0, 1 << self.height
        while low < high:
            middle = (low + high) // 2
            found = self.leaf(middle).digest
            if found == digest:
                return middle
            low, high = (middle + 1, high) if found < digest else (low, middle)
        raise LiabilityInvalid("there is no such leaf in the tree")

    def leaf(self, index: int) -> Entry:
        """The leaf at a position."""
        return Entry.of_bytes(self._read(index, 1))

    def path(self, index: int) -> tuple[Entry, ...]:
        """The siblings of a leaf, from its own level up to below the root."""
        width = 1 << self._block_level
        block, within = divmod(index, width)
        lower = _levels_above(self._read(block * width, width), 0)[: self._block_level]
        beside = [_entry(level, (within >> number) ^ 1) for number, level in enumerate(lower)]
        return (*beside, *(_entry(level, (block >> number) ^ 1) for number, level in enumerate(self._upper[:-1])))

    def _write_leaves(self, leaves: Iterable[bytes], padding_key: bytes) -> tuple[int, int, bytes]:
        """Put the leaves in order; their number, the height, and the nodes at the level of blocks."""
        with _Sorter() as sorter:
            for leaf in leaves:
                sorter.add(leaf)
            count = sorter.count
            height = max(count - 1, 0).bit_length()
            if height > HEIGHT_MAX:
                raise LiabilityInvalid("there are too many leaves")
            for number in range((1 << height) - count):
                sorter.add(padding_leaf(padding_key, number))
            size = ENTRY_SIZE << min(height, _BLOCK_LEVEL)
            blocks, rest = bytearray(), b""
            for ordered in sorter.ordered():
                self._leaves.write(ordered)
                rest += ordered
                whole = len(rest) - len(rest) % size
                for at in range(0, whole, size):
                    blocks += _levels_above(rest[at : at + size], 0)[-1]
                rest = rest[whole:]
        return count, height, bytes(blocks)

    def _read(self, index: int, count: int) -> bytes:
        self._leaves.seek(ENTRY_SIZE * index)
        return self._leaves.read(ENTRY_SIZE * count)


def _levels_above(lowest: bytes, level: int) -> list[bytes]:
    """A complete tree's levels over entries of the stated level, these first, the root last."""
    levels = [lowest]
    sha256, whole = hashlib.sha256, int.from_bytes
    try:
        while len(lowest) > ENTRY_SIZE:
            level += 1
            tag, nodes = NODE + bytes([level]), []
            for at in range(0, len(lowest), 2 * ENTRY_SIZE):
                pair = lowest[at : at + 2 * ENTRY_SIZE]
                total = whole(pair[32:64], "big") + whole(pair[96:128], "big")
                nodes.append(sha256(tag + pair).digest() + total.to_bytes(AMOUNT_SIZE, "big"))
            lowest = b"".join(nodes)
            levels.append(lowest)
    except OverflowError:
        raise LiabilityInvalid("the sum of the amounts does not fit 256 bits") from None
    return levels


def _entry(level: bytes, index: int) -> Entry:
    return Entry.of_bytes(level[ENTRY_SIZE * index : ENTRY_SIZE * (index + 1)])


class _Sorter:
    """Leaves in ascending order of their digests, a bucket at a time; digests spread evenly over the buckets."""

    def __init__(self) -> None:
        self.count = 0
        self._buckets: list[IO[bytes]] = [
            tempfile.SpooledTemporaryFile(_BUCKET_BYTES_IN_MEMORY)  # noqa: SIM115 - closed on leaving
            for _ in range(_BUCKETS)
        ]

    def __enter__(self) -> _Sorter:
        return self

    def __exit__(self, *_: object) -> None:
        for bucket in self._buckets:
            bucket.close()

    def add(self, leaf: bytes) -> None:
        if len(leaf) != ENTRY_SIZE:
            raise LiabilityInvalid(f"a leaf has {len(leaf)} bytes, not {ENTRY_SIZE}")
        self._buckets[leaf[0] >> 2].write(leaf)
        self.count += 1

    def ordered(self) -> Iterator[bytes]:
        """The leaves of each bucket in order, joined."""
        for bucket in self._buckets:
            bucket.seek(0)
            data = bucket.read()
            leaves = sorted(data[at : at + ENTRY_SIZE] for at in range(0, len(data), ENTRY_SIZE))
            if len({leaf[:DIGEST_SIZE] for leaf in leaves}) != len(leaves):
                raise LiabilityInvalid("a leaf stands twice")
            yield b"".join(leaves)
