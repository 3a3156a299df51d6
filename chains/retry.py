"""How long to wait before an exchange is tried again. No I/O, no clock: times are passed in."""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

FIRST_WAIT_SECONDS: Final = 0.25
"""Longest wait before the second try; it doubles with each further try."""


def backoff_seconds(failed_tries: int, jitter: float, wait_seconds_max: float) -> float:
    """Exponential, between half and whole of the step; `jitter` in [0, 1) spreads clients that failed together."""
    step_seconds = FIRST_WAIT_SECONDS * 2 ** min(failed_tries - 1, 30)
    return min(step_seconds * (1 + jitter) / 2, wait_seconds_max)


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After` header asks to wait, by number or HTTP date (RFC 9110 section 10.2.3).

    None where there is no header or it is garbage; a date in the past is 0.
    """
    if header is None:
        return None
    text = header.strip()
    if re.fullmatch(r"[0-9]+", text, re.ASCII):
        return float(text[:16]) if len(text) <= 16 else float("inf")
    try:
        asked = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if asked.tzinfo is None:  # "-0000": a zone that says nothing; HTTP dates are GMT
        asked = asked.replace(tzinfo=now.tzinfo)
    return max(0.0, (asked - now).total_seconds())


def wait_seconds(asked_seconds: float | None, backoff: float, wait_seconds_max: float) -> float:
    """What the node asked for and the jittered back-off on top, never more than the limit."""
    return min((asked_seconds or 0.0) + backoff, wait_seconds_max)
