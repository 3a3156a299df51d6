"""Decoding of Bitcoin Core's JSON to the letter: what is not as documented raises `MalformedAnswer`. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from chains.bitcoin.networks import COIN
from chains.errors import MalformedAnswer

SATOSHI_MAX: Final = 21_000_000 * COIN
"""More than this never exists."""

_HASH: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})*", re.ASCII)


def members(answer: object) -> Mapping[str, Any]:
    """A JSON object."""
    if type(answer) is not dict:
        raise MalformedAnswer("something else than an object was answered")
    return answer


def rows(answer: object) -> list[Mapping[str, Any]]:
    """A JSON list of objects."""
    if type(answer) is not list:
        raise MalformedAnswer("something else than a list was answered")
    return [members(row) for row in answer]


def block_hash(answer: object) -> str:
    """A hash of 64 lower-case hex digits, as people write it."""
    if type(answer) is not str or _HASH.fullmatch(answer) is None:
        raise MalformedAnswer("something else than a hash was answered")
    return answer


def raw_bytes(answer: object) -> bytes:
    """Bytes written in lower-case hex digits."""
    if type(answer) is not str or _HEX.fullmatch(answer) is None:
        raise MalformedAnswer("something else than hex digits was answered")
    return bytes.fromhex(answer)


def whole_number(answer: object, name: str) -> int:
    """A whole number, 0 or more; a fraction with nothing behind the point is no whole number."""
    if type(answer) is not int or not 0 <= answer < 2**63:
        raise MalformedAnswer(f"{name} is not a whole number")
    return answer


def truth(answer: object, name: str) -> bool:
    """True or false."""
    if type(answer) is not bool:
        raise MalformedAnswer(f"{name} is neither true nor false")
    return answer


def text(answer: object, name: str) -> str:
    """A text."""
    if type(answer) is not str:
        raise MalformedAnswer(f"{name} is not a text")
    return answer


def satoshis(answer: object) -> int:
    """Satoshis of an amount that Core writes in bitcoins: exact, 0 to 21 million bitcoins, at most 8 decimals."""
    if type(answer) is int:
        amount = Decimal(answer)
    elif type(answer) is Decimal and answer.is_finite():
        amount = answer
    else:
        raise MalformedAnswer("an amount is not a number")
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int), "finite numbers have one"
    # The exponent is bounded first: expanding 1e999999999 would take all memory.
    if not -8 <= exponent <= 8 or amount.adjusted() > 8:
        raise MalformedAnswer("an amount is not of whole satoshis that can exist")
    found = int(amount.scaleb(8))
    if not 0 <= found <= SATOSHI_MAX:
        raise MalformedAnswer("an amount is below 0 or above 21 million bitcoins")
    return found
