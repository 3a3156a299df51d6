"""The root of an ordered Merkle-Patricia trie: how a block header commits to its transactions, receipts, withdrawals.

The trie maps RLP(index) to a value for indexes 0 to n-1 (Yellow Paper, section 4.3.2 and appendix D). Only the root
is wanted, so no node is kept: the sorted keys are cut by common prefix, and each node is hashed once, from the leaves
up. A node shorter than a hash stands in its parent as it is. The tests compare with the `trie` package.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chains.evm.keccak import keccak256
from chains.evm.rlp_encoding import encode_bytes, integer_bytes, wrap_list

EMPTY_ROOT: Final = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")
"""Root of a trie without entries: keccak256 of the RLP of the empty string."""

_EMPTY: Final = b"\x80"
_LEAF: Final = 2

_Entry = tuple[bytes, bytes]
"""The key as one nibble a byte, and the value."""


def ordered_root(values: Sequence[bytes]) -> bytes:
    """The 32-byte root over RLP(index) -> value. An empty value cannot be in a trie: ValueError."""
    if not values:
        return EMPTY_ROOT
    if not all(values):
        raise ValueError("a trie has no empty values")
    entries = sorted((_nibbles(encode_bytes(integer_bytes(index))), value) for index, value in enumerate(values))
    return keccak256(_node(entries, 0, len(entries), 0))


def _nibbles(key: bytes) -> bytes:
    return bytes([half for byte in key for half in (byte >> 4, byte & 15)])


def _node(entries: list[_Entry], first: int, end: int, depth: int) -> bytes:
    """RLP of the node over entries first to end - 1, which agree in their first `depth` nibbles."""
    key, value = entries[first]
    if end - first == 1:
        return _short_node(key[depth:], encode_bytes(value), leaf=True)
    # Sorted, so what the outermost two share is shared by all.
    last_key = entries[end - 1][0]
    shared = depth
    while key[shared] == last_key[shared]:
        shared += 1
    branch = _branch(entries, first, end, shared)
    return branch if shared == depth else _short_node(key[depth:shared], _reference(branch), leaf=False)


def _branch(entries: list[_Entry], first: int, end: int, depth: int) -> bytes:
    children = [_EMPTY] * 17  # the last is the value of a key that ends here; no RLP(index) begins another
    while first < end:
        nibble = entries[first][0][depth]
        after = first + 1
        while after < end and entries[after][0][depth] == nibble:
            after += 1
        children[nibble] = _reference(_node(entries, first, after, depth + 1))
        first = after
    return wrap_list(b"".join(children))


def _reference(node: bytes) -> bytes:
    """What stands in the parent: the node itself when it is shorter than a hash, else the RLP of its hash."""
    return node if len(node) < 32 else b"\xa0" + keccak256(node)


def _short_node(path: bytes, encoded_target: bytes, *, leaf: bool) -> bytes:
    """A leaf or extension: path in hex-prefix encoding (Yellow Paper, appendix C), then value or child."""
    odd = len(path) & 1
    flag = (_LEAF if leaf else 0) + odd
    nibbles = bytes((flag, *path)) if odd else bytes((flag, 0, *path))
    packed = bytes([high << 4 | low for high, low in zip(nibbles[::2], nibbles[1::2], strict=True)])
    return wrap_list(encode_bytes(packed) + encoded_target)


def ordered_proof(values: Sequence[bytes], index: int) -> list[bytes]:
    """The nodes on the way to RLP(index), in order; those that stand in their parent are not listed."""
    target = _nibbles(encode_bytes(integer_bytes(index)))
    entries = sorted((_nibbles(encode_bytes(integer_bytes(place))), value) for place, value in enumerate(values))
    first, end, depth = 0, len(entries), 0
    proof: list[bytes] = []
    while True:
        node = _node(entries, first, end, depth)
        if not proof or len(node) >= 32:
            proof.append(node)
        if end - first == 1:
            return proof
        key, last_key = entries[first][0], entries[end - 1][0]
        shared = depth
        while key[shared] == last_key[shared]:
            shared += 1
        if shared > depth and len(branch := _branch(entries, first, end, shared)) >= 32:
            proof.append(branch)
        nibble = target[shared]
        first, end = (
            next(place for place in range(first, end) if entries[place][0][shared] == nibble),
            1 + max(place for place in range(first, end) if entries[place][0][shared] == nibble),
        )
        depth = shared + 1
