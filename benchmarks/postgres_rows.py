"""The bare bulk insert on PostgreSQL: the very rows that a sweep wrote, put into the database as it was before.

The rows are read out beforehand. Timed is one connection, one transaction, one COPY per table into the same tables with
the same constraints, indexes and triggers. Afterwards both databases must hold the same rows.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg
import sqlalchemy as sa
from psycopg import sql

from benchmarks.measure import CpuClock, ResultsDiffer
from verifier.store.tables.base import METADATA

SEQUENCE_COLUMNS: Final = ("journal_sequence", "sequence")
"""Where a table says which journal entry wrote a row; a table without one is no record but changed in place."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What the bare insert took."""

    rows: dict[str, int]
    bytes: int
    seconds: float
    client_cpu_seconds: float
    server_cpu_seconds: float | None
    """None where the server's processes cannot be seen."""


def newest_entry(database_url: str) -> int:
    """Number of the newest journal entry."""
    with connected(database_url) as connection:
        return _number(connection, sql.SQL("SELECT coalesce(max(sequence), 0) FROM journal_entry"))


def copy_the_same(swept_url: str, before_url: str, entry_before: int, server_cpu: CpuClock | None = None) -> Copied:
    """Put the rows of `swept_url` that later entries wrote into `before_url`.

    `entry_before` is the newest journal entry of the database before. Raises `ResultsDiffer` when there is no such row,
    or when the two are not equal afterwards.
    """
    with connected(swept_url) as source:
        copies = {name: b"".join(_copy_out(source, name, column, entry_before)) for name, column in _tables()}
    written = {name: content for name, content in copies.items() if content}
    if not written:
        raise ResultsDiffer(f"nothing was written after journal entry {entry_before}")
    with connected(before_url) as target:
        server_before = server_cpu() if server_cpu else 0.0
        cpu, began = time.process_time(), time.perf_counter()
        counts: dict[str, int] = {}
        with target.transaction(), target.cursor() as cursor:
            for name, content in written.items():
                with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(name))) as copy:
                    copy.write(content)
                counts[name] = cursor.rowcount
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
        server_seconds = server_cpu() - server_before if server_cpu else None
    _require_equal(swept_url, before_url)
    return Copied(counts, sum(map(len, written.values())), seconds, cpu_seconds, server_seconds)


@contextmanager
def connected(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection outside of any transaction."""
    url = sa.make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def _tables() -> list[tuple[str, str]]:
    """The records' tables, those that are referred to first, with the column that says which entry wrote a row."""
    return [
        (table.name, column)
        for table in METADATA.sorted_tables
        for column in [next((each for each in SEQUENCE_COLUMNS if each in table.columns), "")]
        if column
    ]


def _copy_out(connection: psycopg.Connection[Any], name: str, column: str, after: int) -> Iterator[bytes]:
    query = sql.SQL("COPY (SELECT * FROM {} WHERE {} > {}) TO STDOUT").format(
        sql.Identifier(name), sql.Identifier(column), sql.Literal(after)
    )
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        for part in copy:
            yield bytes(part)


def _require_equal(swept_url: str, inserted_url: str) -> None:
    with connected(swept_url) as one, connected(inserted_url) as other:
        for name, _ in _tables():
            found, expected = _content(other, name), _content(one, name)
            if found != expected:
                raise ResultsDiffer(f"bare insert: {name} has {found[0]} rows, the sweep left {expected[0]}, or others")


def _content(connection: psycopg.Connection[Any], name: str) -> tuple[int, str]:
    """How many rows there are, and the sum of their hashes, which does not depend on their order."""
    query = sql.SQL("SELECT count(*), sum(hashtextextended(each::text, 0)::numeric)::text FROM {} AS each")
    row = connection.execute(query.format(sql.Identifier(name))).fetchone()
    assert row is not None  # an aggregate always gives one
    return int(row[0]), str(row[1])


def _number(connection: psycopg.Connection[Any], query: sql.SQL) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None  # an aggregate always gives one
    return int(row[0])
