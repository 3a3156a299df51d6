"""One page of a long list: searched, sorted by what is allowed, never longer than a page may be (rows F10, F21)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar
from urllib.parse import urlencode

Item = TypeVar("Item")

SIZE: Final = 50
"""Rows of a page."""
PAGE_MAX: Final = 1_000_000
SEARCH_MAX: Final = 100
"""Characters of a search."""


@dataclass(frozen=True, slots=True)
class Listing(Generic[Item]):
    """A page of a list, and where it stands in the whole."""

    items: Sequence[Item]
    number: int
    """Of the page, from 1."""
    total: int
    """Of all items that fit what was asked for."""
    size: int = SIZE

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.size))

    @property
    def first(self) -> int:
        """Number of the first item shown, from 1; 0 of an empty list."""
        return (self.number - 1) * self.size + 1 if self.items else 0

    @property
    def last(self) -> int:
        """Number of the last item shown."""
        return (self.number - 1) * self.size + len(self.items)


def listing(items: Sequence[Item], number: int, size: int = SIZE) -> Listing[Item]:
    """The page of that number; a number beyond the last page gives the last one."""
    pages = max(1, -(-len(items) // size))
    number = min(max(1, number), pages)
    return Listing(items[(number - 1) * size : number * size], number, len(items), size)


def address(path: str, **query: object) -> str:
    """A local address with those parameters that say something."""
    kept = {name: value for name, value in query.items() if value not in ("", None, False)}
    return path + (f"?{urlencode(kept)}" if kept else "")


def pages_at(path: str, **query: object) -> Callable[[int], str]:
    """The address of each page of a list, by its number."""
    return lambda number: address(path, **query, page=number)
