"""How findings say what is too long for a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

NAMED_MAX: Final = 5


def some_of(texts: Sequence[str], most: int = NAMED_MAX, between: str = ", ") -> str:
    """The first of several things, and how many more there are: `a, b, c, d, e and 7 more`."""
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return between.join(texts[:most]) + more
