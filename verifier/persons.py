"""Whether two names are one person's: maker and checker must be two, and a space or a capital is no second person."""

from __future__ import annotations

import unicodedata


def same_person(first: str, second: str) -> bool:
    """Whether two names differ in nothing but white space, capitals, or how their letters are coded."""
    return _folded(first) == _folded(second)


def _folded(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())
