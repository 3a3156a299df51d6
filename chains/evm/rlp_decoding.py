"""Strict RLP decoding (Yellow Paper, appendix B) of what nodes send as evidence: only the one canonical form is read.

A list is split into its items as they are encoded, so that a reader decodes only what it looks at. Every other form of
the same content (a longer length than needed, a prefixed single byte, bytes left over) is `MalformedAnswer`.
"""

from __future__ import annotations

from typing import Final

from chains.errors import MalformedAnswer

_ONE_LENGTH_BYTE: Final = frozenset({0xB8, 0xF8})
"""First bytes of strings and lists whose length, more than 55, is in the one byte that follows."""


def split_list(encoded: bytes) -> list[bytes]:
    """The items of an RLP list, each still encoded. Raises `MalformedAnswer` when it is no list or not canonical."""
    if not encoded or encoded[0] < 0xC0:
        raise MalformedAnswer("the RLP is not a list")
    position, end = _content(encoded, 0)
    if end != len(encoded):
        raise MalformedAnswer(f"{len(encoded)} bytes of RLP hold a list of {end}")
    items = []
    while position < end:
        first = encoded[position]
        if first <= 0x80:  # a byte that is its own encoding, or the empty string
            after = position + 1
        elif 0x81 < first <= 0xB7:  # a short string, as most items are
            after = position + first - 0x7F
        else:
            after = _content(encoded, position)[1]
        if after > end:
            raise MalformedAnswer(f"the RLP item at byte {position} does not end within its list")
        items.append(encoded[position:after])
        position = after
    return items


def string_of(item: bytes) -> bytes:
    """The bytes of one encoded byte string. Raises `MalformedAnswer` for a list or another form."""
    first = item[0] if item else 0xC0
    if 0x81 < first <= 0xB7 and len(item) == first - 0x7F:  # short, as most are
        return item[1:]
    if first >= 0xC0:
        raise MalformedAnswer("the RLP is not a byte string")
    start, end = _content(item, 0)
    if end != len(item):
        raise MalformedAnswer(f"{len(item)} bytes of RLP hold a string of {end}")
    return item[start:]


def scalar_of(item: bytes, bits: int = 256) -> int:
    """The non-negative integer of one encoded scalar, of at most so many bits; without leading zeros, zero is empty."""
    digits = string_of(item)
    if digits and not digits[0]:
        raise MalformedAnswer("the RLP integer has a leading zero")
    number = int.from_bytes(digits, "big")
    if number >> bits:
        raise MalformedAnswer(f"the RLP integer has more than {bits} bits")
    return number


def _content(encoded: bytes, position: int) -> tuple[int, int]:
    """Where the content of the item at this position begins and ends; the end is not held against anything yet."""
    first = encoded[position]
    if first in _ONE_LENGTH_BYTE and position + 1 < len(encoded):  # as leaves of accounts and their values have
        length = encoded[position + 1]
        if length > 55:
            return position + 2, position + 2 + length
    if first < 0x80:
        return position, position + 1
    offset = 0xC0 if first >= 0xC0 else 0x80
    start = position + 1
    length = first - offset
    if length > 55:
        size = length - 55
        digits = encoded[start : start + size]
        length = int.from_bytes(digits, "big")
        if len(digits) < size or digits[0] == 0 or length <= 55:
            raise MalformedAnswer(f"the RLP length at byte {position} is not in its shortest form")
        start += size
    elif first == 0x81 and (start >= len(encoded) or encoded[start] < 0x80):
        raise MalformedAnswer(f"the RLP byte at {position} is not in its shortest form")
    return start, start + length
