"""The hashes of Bitcoin: double SHA-256, RIPEMD-160 of SHA-256, and the tagged hash of BIP-340.

OpenSSL 3 counts RIPEMD-160 as outdated and many builds leave it out; pycryptodome has it then.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import new, sha256


def sha256d(data: bytes) -> bytes:
    """SHA-256 twice, as block hashes and transaction ids are made; 32 bytes in the order of the wire."""
    return sha256(sha256(data).digest()).digest()


def hash160(data: bytes) -> bytes:
    """RIPEMD-160 of SHA-256: the 20 bytes by which a key or script is named."""
    return _ripemd160()(sha256(data).digest())


def tagged_hash(tag: str, data: bytes) -> bytes:
    """SHA-256 that cannot be mistaken for one of another purpose (BIP-340); 32 bytes."""
    return sha256(_tag_prefix(tag) + data).digest()


@lru_cache(maxsize=32)
def _tag_prefix(tag: str) -> bytes:
    return sha256(tag.encode("ascii")).digest() * 2


@lru_cache(maxsize=1)
def _ripemd160() -> Callable[[bytes], bytes]:
    try:
        new("ripemd160", b"")
    except ValueError:
        from Crypto.Hash import RIPEMD160

        return lambda data: RIPEMD160.new(data).digest()
    return lambda data: new("ripemd160", data).digest()
