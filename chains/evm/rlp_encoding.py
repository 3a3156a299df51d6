"""RLP encoding (Yellow Paper, appendix B) of the few things that are hashed here: lists of byte strings and of lists.

The `rlp` package does the same, several times slower and with a fifth of a second of imports; a scan re-hashes every
header it passes, so this short form pays. The tests compare both on random input.
"""

from __future__ import annotations

from collections.abc import Iterable


def _length_prefix(length: int, offset: int) -> bytes:
    if length <= 55:
        return bytes((offset + length,))
    size = (length.bit_length() + 7) // 8
    return bytes((offset + 55 + size,)) + length.to_bytes(size, "big")


def encode_bytes(item: bytes) -> bytes:
    """RLP of one byte string."""
    if len(item) == 1 and item[0] < 0x80:
        return item
    return _length_prefix(len(item), 0x80) + item


def encode_list(items: Iterable[bytes]) -> bytes:
    """RLP of a list of byte strings."""
    return wrap_list(b"".join(map(encode_bytes, items)))


def wrap_list(body: bytes) -> bytes:
    """RLP of a list whose items are encoded already, one after the other: lists in lists are made with it."""
    return _length_prefix(len(body), 0xC0) + body


def integer_bytes(value: int) -> bytes:
    """The big-endian bytes of a non-negative integer without leading zeros, as RLP wants scalars: zero is empty."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
