"""Bech32 (BIP-173) and Bech32m (BIP-350): the checksummed text in which segwit addresses are written."""

from __future__ import annotations

from base64 import b32encode
from enum import IntEnum
from functools import lru_cache
from typing import Final

from chains.errors import InvalidValue

ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
LENGTH_MAX: Final = 90
CHECKSUM_LENGTH: Final = 6
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuv"
_TO_DIGITS: Final = str.maketrans(ALPHABET, _DIGITS)
_FROM_RFC4648: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", ALPHABET)
_VALUES: Final = {character: value for value, character in enumerate(ALPHABET)}
_GENERATORS: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_TABLE: Final = tuple(
    (_GENERATORS[0] if top & 1 else 0)
    ^ (_GENERATORS[1] if top & 2 else 0)
    ^ (_GENERATORS[2] if top & 4 else 0)
    ^ (_GENERATORS[3] if top & 8 else 0)
    ^ (_GENERATORS[4] if top & 16 else 0)
    for top in range(32)
)


class Encoding(IntEnum):
    """Which of the two a text is; the value is what its checksum must come to."""

    BECH32 = 1
    BECH32M = 0x2BC830A3


def decode(text: str) -> tuple[str, str, Encoding]:
    """Prefix and data part, both in lower case and without the checksum, and the encoding whose checksum it has.

    Raises `InvalidValue` for mixed case, a foreign character, a wrong length or a checksum of neither kind. No
    correction is tried: a corrected address may be another's.
    """
    if len(text) > LENGTH_MAX or not text.isascii() or not text.isprintable() or " " in text:
        raise InvalidValue(f"{text[:100]!r} is not Bech32: at most {LENGTH_MAX} printable ASCII characters")
    lower = text.lower()
    if text not in (lower, text.upper()):
        raise InvalidValue(f"{text!r} mixes upper and lower case, which Bech32 forbids")
    prefix, separator, data = lower.rpartition("1")
    if not separator or not prefix or len(data) < CHECKSUM_LENGTH:
        raise InvalidValue(f"{text!r} is not Bech32: a prefix, the digit 1, and at least 6 characters")
    state = _after_prefix(prefix)
    for character in data:
        value = _VALUES.get(character)
        if value is None:
            raise InvalidValue(f"{text!r} has the character {character!r}, which Bech32 does not use")
        state = ((state & 0x1FFFFFF) << 5) ^ value ^ _TABLE[state >> 25]
    try:
        encoding = Encoding(state)
    except ValueError:
        raise InvalidValue(f"{text!r} has a wrong checksum; a character may be mistyped") from None
    return prefix, data[:-CHECKSUM_LENGTH], encoding


def encode(prefix: str, data: str, encoding: Encoding) -> str:
    """The lower-case text of a prefix and a data part in the Bech32 alphabet."""
    state = _after_prefix(prefix)
    for character in data:
        state = ((state & 0x1FFFFFF) << 5) ^ _VALUES[character] ^ _TABLE[state >> 25]
    for _ in range(CHECKSUM_LENGTH):
        state = ((state & 0x1FFFFFF) << 5) ^ _TABLE[state >> 25]
    state ^= encoding
    checksum = "".join(ALPHABET[(state >> shift) & 31] for shift in range(25, -1, -5))
    return f"{prefix}1{data}{checksum}"


def bytes_of(data: str) -> bytes:
    """The bytes that a data part stands for; raise `InvalidValue` where the padding is not what it must be."""
    length, padding = divmod(5 * len(data), 8)
    number = int(data.translate(_TO_DIGITS), 32) if data else 0
    if padding > 4:
        raise InvalidValue("the address is padded with a whole character too many")
    if number & ((1 << padding) - 1):
        raise InvalidValue("the padding of the address is not zero")
    return (number >> padding).to_bytes(length, "big")


def data_of(raw: bytes) -> str:
    """The data part that stands for the bytes, padded with zero bits."""
    return b32encode(raw).decode("ascii").rstrip("=").translate(_FROM_RFC4648)


def value_of(character: str) -> int:
    """The number 0 to 31 of one character of a decoded data part."""
    return _VALUES[character]


@lru_cache(maxsize=64)
def _after_prefix(prefix: str) -> int:
    """The state of the checksum after the prefix, which is the same for every address of a network."""
    values = [ord(character) >> 5 for character in prefix] + [0] + [ord(character) & 31 for character in prefix]
    state = 1
    for value in values:
        state = ((state & 0x1FFFFFF) << 5) ^ value ^ _TABLE[state >> 25]
    return state
