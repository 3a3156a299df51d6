"""The one place that says that something does not exist, or is not for who asks (row F4 of docs/faults.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from verifier.errors import ConfigError, InputError
from verifier.web.errors import NotFound

T = TypeVar("T")


def found(look: Callable[[], T | None]) -> T:
    """What a look-up by an id gives. Raises `NotFound` when it gives nothing, in the same words whatever it was.

    One installation keeps the books of one firm, and whoever may read them may read all of them: an id of another
    firm is an id that does not exist here. Whatever would narrow that is decided here, for every route at once.
    """
    try:
        it = look()
    except (InputError, ConfigError):
        it = None
    if it is None:
        raise NotFound("there is nothing of this id here")
    return it
