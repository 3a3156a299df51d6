"""KECCAK-256, the hash of EVM chains (the original padding, not the later SHA-3 standard).

The C extension of safe-pysha3 (extra `fast`) is used where it is installed: it is about four times faster than
pycryptodome, which is always there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable


def _load() -> Callable[[bytes], bytes]:
    try:
        import sha3
    except ImportError:
        from Crypto.Hash import keccak

        return lambda data: keccak.new(data=data, digest_bits=256).digest()
    return lambda data: bytes(sha3.keccak_256(data).digest())


_hash: Callable[[bytes], bytes] | None = None


def keccak256(data: bytes) -> bytes:
    """The 32-byte KECCAK-256 digest of the data."""
    global _hash  # noqa: PLW0603 - the implementation is chosen once, at first use, so that imports stay cheap
    if _hash is None:
        _hash = _load()
    return _hash(data)


def keccak256_each(items: Iterable[bytes]) -> list[bytes]:
    """The digest of each of many byte strings."""
    try:
        from sha3 import keccak_256
    except ImportError:
        return [keccak256(item) for item in items]
    return [keccak_256(item).digest() for item in items]


EMPTY_CODE_HASH = bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
"""Code hash of an account without code: keccak256 of nothing."""
