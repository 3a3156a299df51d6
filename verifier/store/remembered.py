"""What was read of the books, kept until a row is added: a watch reads the same wallets and figures at every new head.

Rows are only ever added, so a table whose newest row is the one seen before has the same rows. What is kept answers
every moment between whose rows no other one begins: an entry dated ahead ends it when its time comes, not before.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

ANSWERS: Final = 2
"""Kept of one question: a watch asks at the head and at a block that is final, and a row may begin between them."""


@dataclass(frozen=True, slots=True)
class _Kept:
    newest: int | None
    """The newest row of the table; None in an empty one."""
    since: tuple[datetime | None, ...]
    """From when on it holds, by each time that it depends on; None is from ever."""
    until: tuple[datetime | None, ...]
    """When another row begins, and it does not hold any more; None is never."""
    value: Any

    def answers(self, moments: tuple[datetime, ...]) -> bool:
        """Whether the same rows are there at these moments."""
        return all(
            (since is None or since <= moment) and (until is None or moment < until)
            for since, until, moment in zip(self.since, self.until, moments, strict=True)
        )


class Remembered:
    """Results of reading whole tables, a few for each question."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, list[_Kept]] = {}

    def recall(self, connection: sa.Connection, of: sa.Table, question: Hashable, moments: tuple[datetime, ...]) -> Any:
        """What was kept under the question, if it answers these moments too, and no row came; else None."""
        every = self._kept.get(question)
        if not every:
            return None
        newest = _newest(connection, of)
        return next((each.value for each in every if each.newest == newest and each.answers(moments)), None)

    def keep(
        self,
        connection: sa.Connection,
        of: sa.Table,
        question: Hashable,
        moments: tuple[datetime, ...],
        times: tuple[sa.Column[Any], ...],
        value: Any,
    ) -> None:
        """Keep what was read in the same transaction for these moments.

        `times` are the table's columns of which a row is there from that time on, one for each moment.
        """
        begun = [sa.func.max(sa.case((column <= at, column))) for column, at in zip(times, moments, strict=True)]
        ahead = [sa.func.min(sa.case((column > at, column))) for column, at in zip(times, moments, strict=True)]
        row = connection.execute(sa.select(*begun, *ahead)).one()
        newest = _newest(connection, of)
        kept = _Kept(newest, tuple(row[: len(times)]), tuple(row[len(times) :]), value)
        before = [each for each in self._kept.get(question, ()) if each.newest == newest]
        self._kept[question] = [kept, *before][:ANSWERS]


def _newest(connection: sa.Connection, of: sa.Table) -> int | None:
    newest: int | None = connection.execute(sa.select(sa.func.max(of.c.record_id))).scalar_one()
    return newest
