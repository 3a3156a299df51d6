"""A projection is kept within the process until something is recorded that it could depend on.

Deriving the lines of a million accounts takes many seconds, and one command, or a page that somebody watches, asks for
the same projection again and again. It follows from the journal up to an entry, the civil date and the configuration
alone. Nothing is kept in the database or in a file: what is stored there could be changed behind the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from exports.reserve.computation import ReserveComputation
from verifier.reserve.driving import DrivingRow, Line

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store

Projected = tuple[ReserveComputation | None, str, Mapping[Line, tuple[DrivingRow, ...]]]
"""What is projected, why nothing is or what it leaves out, and the rows to name of lines that carry none."""

_KEPT: Final[WeakKeyDictionary[Store, tuple[Hashable, Projected]]] = WeakKeyDictionary()


def projected_once(
    store: Store, settings: Settings, on: date, known_at: datetime, project: Callable[[], Projected]
) -> Projected:
    """The projection of this store, day and configuration; `project` is asked when nothing fitting was kept."""
    key = (store.newest_fact(known_at), on, settings.reserve.model_dump_json())
    kept = _KEPT.get(store)
    if kept is not None and kept[0] == key:
        return kept[1]
    found = project()
    _KEPT[store] = key, found
    return found
