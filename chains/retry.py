"""How long to wait before an exchange is tried again. No I/O, no clock: times are passed in."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import inf
from typing import Final

FIRST_WAIT_SECONDS: Final = 0.25
"""Longest wait before the second try; it doubles with each further try."""


def backoff_seconds(failed_tries: int, jitter: float, wait_seconds_max: float) -> float:
    """Exponential, between half and whole of the step; `jitter` in [0, 1) spreads clients that failed together."""
    step_seconds: float = FIRST_WAIT_SECONDS * 2 ** min(failed_tries - 1, 30)
    return min(step_seconds * (1 + jitter) / 2, wait_seconds_max)


def retry_after_seconds(retry_after: str | None, server_date: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After` header asks to wait, by number or HTTP date (RFC 9110 section 10.2.3).

    A date counts from the server's own `Date` header where there is one, so that no clocks need to agree; one that
    has passed is 0. None where there is no header or it is garbage.
    """
    if retry_after is None:
        return None
    text = retry_after.strip()
    if re.fullmatch(r"[0-9]+", text):
        return float(text) if len(text) <= 16 else inf
    asked = _http_date(text)
    if asked is None:
        return None
    return max(0.0, (asked - (_http_date(server_date or "") or now)).total_seconds())


def _http_date(text: str) -> datetime | None:
    try:
        told = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)  # "-0000" says no zone; HTTP dates are GMT


def wait_seconds(asked_seconds: float | None, backoff: float, wait_seconds_max: float) -> float:
    """What the node asked for and the jittered back-off on top, never more than the limit."""
    return min((asked_seconds or 0.0) + backoff, wait_seconds_max)
