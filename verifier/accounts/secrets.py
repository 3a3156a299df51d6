"""Secrets that are made here: long enough that nobody guesses them, kept as digests that nobody turns back."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

TOKEN_PREFIX: Final = "cvt_"  # noqa: S105 - the same for every token
"""Of an API token, so that one that was left lying about is recognised by whoever scans for secrets."""
_ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"
"""Digits and letters that nobody mistakes for each other."""
_GROUPS, _GROUP = 5, 5


def new_secret() -> str:
    """256 random bits in letters that fit a cookie, a header and a URL."""
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """An API token: 256 random bits behind a prefix."""
    return TOKEN_PREFIX + new_secret()


def new_code() -> str:
    """A code to be read out and typed once: 123 random bits, in groups."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))


def new_recovery_code() -> str:
    """A code in the place of a second factor: 59 random bits, guessed against the limits of a sign-in only."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(3))


def new_key() -> str:
    """A name for a session, which is no secret."""
    return secrets.token_hex(8)


def digest_of(secret: str) -> str:
    """SHA-256 of a secret, the only thing that is kept of it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def code_digest(text: str) -> str:
    """The digest of a code as somebody typed it, with capitals, spaces or without its dashes."""
    return digest_of("".join(each for each in text.lower() if each.isalnum()))
