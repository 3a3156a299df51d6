"""The bare bulk insert: the very rows that a sweep wrote, put into the database as it was before, and nothing else.

The rows are read out beforehand. Timed is one connection with the store's settings, one transaction, one
`executemany` per table into the same tables with the same constraints and indexes.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import ResultsDiffer
from verifier.store.tables.base import METADATA

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON", "cache_size=-65536")
"""As `verifier.store.engine` sets them."""
CHANGED_IN_PLACE = frozenset({"work_lease"})
"""Tables that are no record: what a sweep does to them is no inserted row."""


@dataclass(frozen=True, slots=True)
class Inserted:
    """What the bare insert took."""

    rows: dict[str, int]
    seconds: float
    cpu_seconds: float


def rows_of(database: Path) -> dict[str, int]:
    """The largest row id of each table."""
    with _opened(database) as connection:
        return {
            name: connection.execute(f"SELECT coalesce(max(rowid), 0) FROM {name}").fetchone()[0]
            for name in _names(connection)
        }


def copied(database: Path, to: Path) -> Path:
    """The database as it is now, its log folded in."""
    with _opened(database) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    shutil.copyfile(database, to)
    return to


def insert_the_same(swept: Path, before: Path, first_after: dict[str, int]) -> Inserted:
    """Put the rows that `swept` has beyond `first_after` into `before`; raises `ResultsDiffer` when it is not equal."""
    with _opened(swept) as source:
        rows: dict[str, list[tuple[Any, ...]]] = {}
        for name in _names(source):
            query = f"SELECT * FROM {name} WHERE rowid > ? ORDER BY rowid"
            if found := source.execute(query, (first_after[name],)).fetchall():
                rows[name] = found
    with _opened(before) as target:
        cpu, began = time.process_time(), time.perf_counter()
        target.execute("BEGIN IMMEDIATE")
        for name, each in rows.items():
            marks = ", ".join("?" * len(each[0]))
            target.executemany(f"INSERT INTO {name} VALUES ({marks})", each)
        target.execute("COMMIT")
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    _require_equal(swept, before, list(rows))
    return Inserted({name: len(each) for name, each in rows.items()}, seconds, cpu_seconds)


def _require_equal(swept: Path, inserted: Path, names: list[str]) -> None:
    with _opened(swept) as connection:
        connection.execute("ATTACH DATABASE ? AS other", (str(inserted),))
        for name in names:
            for one, two in (("main", "other"), ("other", "main")):
                query = f"SELECT count(*) FROM (SELECT * FROM {one}.{name} EXCEPT SELECT * FROM {two}.{name})"
                if differ := connection.execute(query).fetchone()[0]:
                    raise ResultsDiffer(f"bare insert: {differ} rows of {name} differ")


def _names(connection: sqlite3.Connection) -> list[str]:
    """The tables, those that are referred to first."""
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return [each.name for each in METADATA.sorted_tables if each.name in there and each.name not in CHANGED_IN_PLACE]


@contextmanager
def _opened(database: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").fetchall()
        yield connection
