"""Points of secp256k1, as far as deriving and tweaking public keys needs them. No secret goes through here.

By libsecp256k1 (coincurve) where it is installed; else by OpenSSL and one addition in plain arithmetic. Pure.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from chains.bitcoin.hashes import tagged_hash
from chains.errors import InvalidValue

FIELD: Final = 2**256 - 2**32 - 977
ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

Point = tuple[int, int]


def point_of(raw: bytes) -> Point:
    """The point of a public key: 33 bytes compressed or 65 not. Raises `InvalidValue` for what is none."""
    if len(raw) == 33 and raw[0] in (2, 3):
        return point_at(raw[1:], is_odd=raw[0] == 3)
    if len(raw) == 65 and raw[0] == 4:
        x, y = int.from_bytes(raw[1:33], "big"), int.from_bytes(raw[33:], "big")
        if x < FIELD and y < FIELD and (y * y - x * x * x - 7) % FIELD == 0:
            return x, y
        raise InvalidValue("a public key is no point of the curve")
    raise InvalidValue("a public key has 33 bytes (02 or 03 first) or 65 (04 first)")


def point_at(x_only: bytes, *, is_odd: bool = False) -> Point:
    """The point of an x coordinate of 32 bytes whose y is even, or odd."""
    x = int.from_bytes(x_only, "big")
    square = (x**3 + 7) % FIELD
    y = pow(square, (FIELD + 1) // 4, FIELD)
    if len(x_only) != 32 or x >= FIELD or y * y % FIELD != square:
        raise InvalidValue("a public key is no point of the curve")
    return x, y if y & 1 == is_odd else FIELD - y


def compressed(point: Point) -> bytes:
    """The 33 bytes of a point."""
    return bytes((2 + (point[1] & 1),)) + point[0].to_bytes(32, "big")


def add_multiple(public_key: bytes, factor: int) -> bytes:
    """A public key of 33 bytes plus so many times the generator; `factor` is public and below the order.

    Raises `InvalidValue` when the factor is out of range, or the sum is no key.
    """
    if not 0 < factor < ORDER:
        raise InvalidValue("a number is not below the order of the curve")
    fast = _coincurve()
    if fast is None:
        return compressed(_sum(point_of(public_key), _multiple(factor)))
    try:
        return bytes(fast.PublicKey(public_key).add(factor.to_bytes(32, "big")).format(compressed=True))
    except ValueError:
        raise InvalidValue("a derived key is no key") from None


def _multiple(factor: int) -> Point:
    """So many times the generator."""
    from cryptography.hazmat.primitives.asymmetric import ec

    numbers = ec.derive_private_key(factor, ec.SECP256K1()).public_key().public_numbers()
    return numbers.x, numbers.y


def _sum(one: Point, other: Point) -> Point:
    (x1, y1), (x2, y2) = one, other
    if x1 != x2:
        slope = (y2 - y1) * pow(x2 - x1, -1, FIELD)
    elif y1 == y2:
        slope = 3 * x1 * x1 * pow(2 * y1, -1, FIELD)
    else:
        raise InvalidValue("a derived key is no key")
    x = (slope * slope - x1 - x2) % FIELD
    return x, (slope * (x1 - x) - y1) % FIELD


@lru_cache(maxsize=1)
def _coincurve() -> Any:
    """The library of the extras `fast` and `bitcoin`, ten times as fast; None without it."""
    try:
        import coincurve
    except ImportError:
        return None
    return coincurve


def taproot_output_key(internal: bytes) -> bytes:
    """The 32 bytes of the output key of an internal key (32 bytes) without scripts (BIP-341)."""
    tweak = int.from_bytes(tagged_hash("TapTweak", internal), "big")
    return add_multiple(b"\x02" + internal, tweak)[1:]
