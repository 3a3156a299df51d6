"""Rarer garbage collection while very many answers are decoded.

The cyclic collector runs after every 700 new containers, and looks at all of them again and again while they only
become more: a third of the processor time of a scan with 100,000 logs. Reference counts free what answers leave
behind, as they hold no cycles; what cycles there are is still collected, only less often.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

NEW_CONTAINERS: Final = 3_000_000
"""Collections of the youngest objects wait for so many new ones, and so as many can be garbage in cycles."""


class _Uses:
    """How many are at it now, in all threads, and what the threshold was before the first."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.count = 0
        self.before = (0, 0, 0)


_uses = _Uses()


@contextmanager
def rare_collections() -> Iterator[None]:
    """Collect less often in this process until the last user leaves; then as often as before the first one.

    A program that has switched the collector off, or has it rarer already, is left as it is.
    """
    with _uses.lock:
        if _uses.count == 0:
            _uses.before = gc.get_threshold()
            if 0 < _uses.before[0] < NEW_CONTAINERS:
                gc.set_threshold(NEW_CONTAINERS, *_uses.before[1:])
        _uses.count += 1
    try:
        yield
    finally:
        with _uses.lock:
            _uses.count -= 1
            if _uses.count == 0:
                gc.set_threshold(*_uses.before)
