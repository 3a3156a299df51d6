"""What the API answers: pages of lists with a cursor, and one object. Amounts are text in base units, times UTC."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, Field

from verifier.errors import InputError
from verifier.web.api.asking import Paged

T = TypeVar("T")
Json = dict[str, Any]
"""One object of an answer. docs/api.md says what each holds; the command line's --json gives the same."""


class Page(BaseModel):
    """A page of a list."""

    items: list[Json]
    next: str | None = Field(description="Cursor of the next page; null on the last one.")
    total: int = Field(description="Items on all pages together.")


def page(
    items: Iterable[T],
    asked: Paged,
    shown: Callable[[T], Mapping[str, object]],
    key: Callable[[T], tuple[str | int, ...]],
    *,
    newest_first: bool = False,
) -> Page:
    """One page of a list, in the order of `key`, which must tell any two items apart.

    The cursor names the last item that was given, not a place in the list: what is added meanwhile shifts nothing.
    Raises `InputError` for a cursor that none of these pages gave.
    """
    ordered = sorted(items, key=key, reverse=newest_first)
    rest = ordered
    if asked.cursor:
        last = _opened(asked.cursor)
        if ordered and [type(part) for part in key(ordered[0])] != [type(part) for part in last]:
            raise InputError("the cursor is of another list")
        rest = [each for each in ordered if (key(each) < last if newest_first else key(each) > last)]
    given = rest[: asked.limit]
    following = cursor_of(key(given[-1])) if len(rest) > len(given) else None
    return Page(items=[dict(shown(each)) for each in given], next=following, total=len(ordered))


def cursor_of(last: tuple[str | int, ...]) -> str:
    """The cursor that goes on after an item."""
    return base64.urlsafe_b64encode(json.dumps(list(last)).encode()).decode().rstrip("=")


def _opened(cursor: str) -> tuple[str | int, ...]:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not found or any(type(each) not in (str, int) for each in found):
        raise InputError("the cursor is none that a page gave")
    return tuple(found)


def position_of(cursor: str) -> int:
    """The number that a cursor of a numbered list names. Raises `InputError`."""
    last = _opened(cursor)
    if len(last) != 1 or not isinstance(last[0], int) or not 0 <= last[0] < 2**63:
        raise InputError("the cursor is of another list")
    return last[0]
