"""KECCAK-256, the hash of EVM chains (the original padding, not the later SHA-3 standard).

The C extension of safe-pysha3 (extra `fast`) is used where it is installed: it is about four times faster than
pycryptodome, which is always there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol


class _Hash(Protocol):
    def digest(self) -> bytes: ...


def _load() -> Callable[[bytes], _Hash]:
    try:
        import sha3
    except ImportError:
        from Crypto.Hash import keccak

        return lambda data: keccak.new(data=data, digest_bits=256)
    hasher: Callable[[bytes], _Hash] = sha3.keccak_256
    return hasher


_hasher: Callable[[bytes], _Hash] | None = None


def keccak256(data: bytes) -> bytes:
    """The 32-byte KECCAK-256 digest of the data."""
    global _hasher  # noqa: PLW0603 - the implementation is chosen once, at first use, so that imports stay cheap
    if _hasher is None:
        _hasher = _load()
    return _hasher(data).digest()


def keccak256_each(items: Iterable[bytes]) -> list[bytes]:
    """The digest of each of many byte strings."""
    try:
        from sha3 import keccak_256
    except ImportError:
        return [keccak256(item) for item in items]
    return [keccak_256(item).digest() for item in items]


EMPTY_CODE_HASH = bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
"""Code hash of an account without code: keccak256 of nothing."""
