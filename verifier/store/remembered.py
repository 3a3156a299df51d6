"""What was read of the books, kept until a row is added: a watch reads the same wallets and figures at every new head.

Rows are only ever added, so a table whose newest row is the one seen before has the same rows. What is kept is the
state with all of them: it answers any later moment, and none at which a row that was read was not recorded yet.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class _Kept:
    newest: int | None
    """The newest row of the table; None in an empty one."""
    since: tuple[datetime | None, ...]
    """From when on it holds, by each time that it depends on; None is from ever."""
    value: Any


class Remembered:
    """Results of reading whole tables, one for each question."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, _Kept] = {}

    def recall(self, connection: sa.Connection, of: sa.Table, question: Hashable, moments: tuple[datetime, ...]) -> Any:
        """What was kept under the question, if it answers these moments too, and no row came; else None."""
        kept = self._kept.get(question)
        if kept is None or kept.newest != _newest(connection, of):
            return None
        fits = all(since is None or since <= moment for since, moment in zip(kept.since, moments, strict=True))
        return kept.value if fits else None

    def keep(
        self,
        connection: sa.Connection,
        of: sa.Table,
        question: Hashable,
        moments: tuple[datetime, ...],
        times: tuple[sa.Column[Any], ...],
        value: Any,
    ) -> None:
        """Keep what was read in the same transaction, if all rows of the table were there at these moments.

        `times` are the table's columns of which a row is there from that time on, one for each moment.
        """
        row = connection.execute(sa.select(*(sa.func.max(column) for column in times))).one()
        if all(since is None or since <= moment for since, moment in zip(row, moments, strict=True)):
            self._kept[question] = _Kept(_newest(connection, of), tuple(row), value)


def _newest(connection: sa.Connection, of: sa.Table) -> int | None:
    newest: int | None = connection.execute(sa.select(sa.func.max(of.c.record_id))).scalar_one()
    return newest
