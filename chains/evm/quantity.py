"""Strict decoding of the two hexadecimal forms of Ethereum JSON-RPC: quantities and data (EIP-1474).

Every function raises `MalformedAnswer` for anything but the exact form, so that an odd answer is never a number.
"""

from __future__ import annotations

import re
from typing import Final

from chains.errors import MalformedAnswer
from chains.types import UINT256_MAX

_QUANTITY: Final = re.compile(r"0x(?:0|[1-9a-fA-F][0-9a-fA-F]{0,63})")
_HASH: Final = re.compile(r"0x[0-9a-fA-F]{64}")


def quantity(value: object) -> int:
    """An unsigned integer of at most 256 bits from its `0x` form without leading zeros; zero is `0x0`.

    Numbers are strings on the wire: a JSON number, boolean or null is refused, as are `0x`, `0x01` and a sign.
    """
    if type(value) is not str or _QUANTITY.fullmatch(value) is None:
        raise MalformedAnswer(f"expected a quantity, got {shown(value)}")
    return int(value, 16)


def data(value: object, length: int | None = None) -> bytes:
    """Bytes from their `0x` form of two digits per byte; exactly `length` bytes where it is given."""
    # bytes.fromhex is fast but lax about blanks: the length is what it could not have skipped over.
    if type(value) is not str or not value.startswith("0x"):
        raise MalformedAnswer(f"expected data, got {shown(value)}")
    try:
        decoded = bytes.fromhex(value[2:])
    except ValueError:
        raise MalformedAnswer(f"expected data, got {shown(value)}") from None
    if 2 * len(decoded) + 2 != len(value):
        raise MalformedAnswer(f"expected data, got {shown(value)}")
    if length is not None and len(decoded) != length:
        raise MalformedAnswer(f"expected {length} bytes of data, got {len(decoded)}")
    return decoded


def hash32(value: object) -> str:
    """A 32-byte hash in its lower-case `0x` form."""
    if type(value) is not str or _HASH.fullmatch(value) is None:
        raise MalformedAnswer(f"expected a 32-byte hash, got {shown(value)}")
    return value.lower()


def encode_quantity(number: int) -> str:
    """The `0x` form of an unsigned integer of at most 256 bits; ValueError for any other number."""
    if not 0 <= number <= UINT256_MAX:
        raise ValueError("a quantity is 0 to 2**256 - 1")
    return hex(number)


def shown(value: object) -> str:
    """At most 40 characters of a value of the node, escaped, for an error text."""
    if isinstance(value, str):
        return ascii(value) if len(value) <= 40 else f"{value[:40]!a}... of {len(value)} characters"
    return "null" if value is None else f"a JSON {type(value).__name__}"
