"""How often somebody may try to sign in, by name and by address (row F8)."""

from __future__ import annotations

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from verifier.accounts.secrets import digest_of
from verifier.errors import VerifierError

MINUTES = 15
PER_NAME = 10
PER_ADDRESS = 40


class TooManyAttempts(VerifierError):
    """Somebody tried too often under one name or from one address."""

    code = "too-many-attempts"
    advice = f"Wait {MINUTES} minutes; a passkey works meanwhile."


class Attempts:
    """Counts what was tried in the last minutes. In memory: what is forgotten with a restart is only a pause."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._per_name: RateLimitItem = RateLimitItemPerMinute(PER_NAME, MINUTES)
        self._per_address: RateLimitItem = RateLimitItemPerMinute(PER_ADDRESS, MINUTES)

    def count(self, address: str, name: str = "") -> None:
        """Count one try, before it is looked at. Raises `TooManyAttempts`, the same for names that do not exist."""
        allowed = self._limiter.hit(self._per_address, "address", address)
        if name:
            allowed = self._limiter.hit(self._per_name, "name", digest_of(name)) and allowed
        if not allowed:
            raise TooManyAttempts("too many attempts to sign in")

    def forget(self, name: str) -> None:
        """Somebody signed in under the name: what was mistyped before does not count any more."""
        self._limiter.clear(self._per_name, "name", digest_of(name))
