"""SQLite databases as files: copying one that is in use, whether one is sound, and one file instead of three."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from verifier.errors import StoreBusy, StoreError

COMPANIONS: Final = ("-wal", "-shm", "-journal")
"""Endings of the files that SQLite keeps beside a database while it is open."""


def copy_database(source: Path, target: Path) -> None:
    """Everything the source holds at one moment, what is only in its write-ahead log too. In one step: no restarts."""
    try:
        with (
            closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as reading,
            closing(sqlite3.connect(target)) as writing,
        ):
            reading.backup(writing)
    except sqlite3.Error as error:
        raise StoreError(f"{source.name} cannot be copied: {error}") from None


def damage(path: Path) -> str:
    """What SQLite's own check of the whole file finds first; empty when it is sound."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            (answer,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        return str(error)
    return "" if answer == "ok" else str(answer)


def settle(path: Path) -> None:
    """Bring what is in the write-ahead log into the file: it needs no other then.

    Only possible while nobody else has it open; raises `StoreBusy`, or `StoreError` when it is damaged.
    """
    try:
        with closing(sqlite3.connect(path, timeout=1.0)) as connection:
            (mode,) = connection.execute("PRAGMA journal_mode=DELETE").fetchone()
    except sqlite3.Error as error:
        if "locked" in str(error):
            raise StoreBusy("another process has the database open; nothing was replaced") from None
        raise StoreError(f"{path.name} is damaged: {error}") from None
    if mode != "delete":
        raise StoreBusy("another process has the database open; nothing was replaced")
