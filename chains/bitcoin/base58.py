"""Base58Check: the text of older addresses, a version byte and a payload with four bytes of checksum."""

from __future__ import annotations

from typing import Final

from chains.bitcoin.hashes import sha256d
from chains.errors import InvalidValue

ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
LENGTH_MAX: Final = 120
"""Longer than anything written in Base58Check; an extended key has 111 characters."""
_VALUES: Final = {character: value for value, character in enumerate(ALPHABET)}


def decode(text: str) -> bytes:
    """Version and payload; raise `InvalidValue` for a foreign character, a wrong checksum or a wrong length.

    Each leading `1` stands for one zero byte, so that no two texts stand for the same bytes.
    """
    if not 5 <= len(text) <= LENGTH_MAX:
        raise InvalidValue(f"{text[:100]!r} is not Base58Check: 5 to {LENGTH_MAX} characters")
    number = 0
    for character in text:
        value = _VALUES.get(character)
        if value is None:
            raise InvalidValue(f"{text!r} has the character {character!r}, which Base58 does not use")
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip("1"))
    raw = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    payload, checksum = raw[:-4], raw[-4:]
    if len(raw) < 5 or sha256d(payload)[:4] != checksum:
        raise InvalidValue(f"{text!r} has a wrong checksum; a character may be mistyped")
    return payload


def encode(payload: bytes) -> str:
    """The text of version and payload."""
    raw = payload + sha256d(payload)[:4]
    number = int.from_bytes(raw, "big")
    characters = []
    while number:
        number, value = divmod(number, 58)
        characters.append(ALPHABET[value])
    zeros = len(raw) - len(raw.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(characters))
