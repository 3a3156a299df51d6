"""Copies of a SQLite database: made while it is in use, checked whole, and put back with a record of who did and why.

PostgreSQL has its own tools for that; what is ours for both is the check and the head known outside (`known_head`).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from verifier.errors import InputError, JournalBroken, StoreBusy, StoreError
from verifier.known_head import AcceptedRestore, HeadFile, note_head, record_restore, renew_head, sync_folder
from verifier.store.sqlite_files import COMPANIONS, copy_database, damage, settle

if TYPE_CHECKING:
    from verifier.journal import JournalReport
    from verifier.store import Store

log = structlog.get_logger(__name__)

Progress = Callable[[int], None]
"""Called with the number of further journal entries checked."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy that was made, and found whole."""

    path: Path
    sha256: str
    size_bytes: int
    head: tuple[int, str]
    """Sequence and digest of its newest journal entry."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A copy that was put back."""

    accepted: AcceptedRestore
    kept: Path | None
    """The database that was in its place, under the name it has now."""
    schema: str


def back_up(database: Path, to: Path, head_file: HeadFile, now: datetime, progress: Progress | None = None) -> Backup:
    """Copy the database as it is at one moment, check every journal entry and row of the copy, and note its head.

    Writers are not held up. `to` is one file that needs no other, readable by its owner only; it is there when the copy
    was found whole, and never before. Raises `InputError` when `to` exists, `JournalBroken`, or `StoreError`.
    """
    if to.exists():
        raise InputError(f"{to.name} exists already; it was not overwritten")
    if not to.parent.is_dir():
        raise InputError(f"there is no folder {to.parent}")
    with _beside(to) as beside:
        copy_database(database, beside)
        report = _check(beside, to.name, None, progress)
        if report.head is None:
            raise InputError("the database is empty: there is nothing to back up")
        with _opened(beside) as copied:
            note_head(copied, head_file, "backup", now)
        _settle(beside)
        digest, size = _digest(beside), beside.stat().st_size
        try:
            os.link(beside, to)  # refuses a file that came in between
        except FileExistsError:
            raise InputError(f"{to.name} exists already; it was not overwritten") from None
        sync_folder(to.parent)
    return Backup(to, digest, size, report.head)


def check_copy(path: Path, head_file: HeadFile, progress: Progress | None = None) -> JournalReport:
    """Whether a copy is whole: SQLite's own check of the file, then every journal entry and every row.

    The file is not touched; a copy of it is looked at. An entry above the copy's newest that the head file knows says
    nothing about it. Raises `InputError` without a file, `StoreError` when it is no sound database of this program or
    another firm's, `JournalBroken` when its journal does not hold.
    """
    if not path.is_file():
        raise InputError(f"there is no file {path.name}")
    with _beside(path) as beside:
        copy_database(path, beside)
        return _check(beside, path.name, head_file, progress)


def restore(
    copy: Path,
    database: Path,
    head_file: HeadFile,
    reason: str,
    actor: str,
    now: datetime,
    progress: Progress | None = None,
) -> Restored:
    """Put a copy in the database's place, and record in it who did and why.

    The copy is checked first and brought to this program's schema; what it replaces is kept under another name. Raises
    `StoreBusy` when another process has the database open, `InputError`, `JournalBroken` or another `StoreError`; the
    database in place is as it was then.
    """
    if not copy.is_file():
        raise InputError(f"there is no file {copy.name}")
    with _beside(database) as beside:
        copy_database(copy, beside)
        _check(beside, copy.name, None, progress)
        with _opened(beside) as store:
            known = head_file.read_for(store)
            schema = store.migrate(actor, now)
            # Recorded before it is in place: a process that dies in between has restored nothing.
            accepted = record_restore(store, known, reason, actor, now)
        _settle(beside)
        kept = _set_aside(database, now)
        beside.replace(database)
        sync_folder(database.parent)
    with _opened(database) as store:
        renew_head(store, head_file, now)
    return Restored(accepted, kept, schema)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A private file in the same folder, gone afterwards unless it was renamed; what fails is told without its path."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(descriptor)
        beside = Path(name)
        try:
            yield beside
        finally:
            for suffix in ("", *COMPANIONS):
                Path(name + suffix).unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"the copy could not be written ({error.strerror})") from None


@contextmanager
def _opened(path: Path) -> Iterator[Store]:
    from verifier.store import open_store

    store = open_store(f"sqlite:///{path}")
    try:
        yield store
    finally:
        store.close()


def _check(path: Path, name: str, head_file: HeadFile | None, progress: Progress | None) -> JournalReport:
    """Check a file of our own; `name` is how it is called to people."""
    from verifier.journal import verify_journal

    if found := damage(path):
        raise StoreError(f"{name} is damaged: {found}")
    with _opened(path) as store:
        if not store.schema_version():
            raise StoreError(f"{name} has no schema: it is no database of this program")
        store.require_known_schema()
        head = store.head()
        known = head_file.read_for(store) if head_file is not None else None
        heads = {known.sequence: known.entry_digest} if known and head and known.sequence <= head.sequence else {}
        report = verify_journal(store, known_heads=heads, progress=progress)
    if not report.ok:
        raise JournalBroken(f"{name}: journal entry {report.first_broken}: {report.reason}")
    return report


def _settle(path: Path) -> None:
    """One file, on the disk."""
    settle(path)
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _set_aside(database: Path, now: datetime) -> Path | None:
    """Give the database that is in place a second name, with its companions; None when there is none."""
    if not database.exists():
        return None
    kept = database.with_name(f"{database.name}.replaced-{now:%Y%m%dT%H%M%SZ}")
    try:
        settle(database)
    except StoreBusy:
        raise
    except StoreError:
        log.warning("the database that is replaced is damaged", kept=kept.name)  # kept with whatever belongs to it
    os.link(database, kept)
    for suffix in COMPANIONS:
        companion = Path(f"{database}{suffix}")
        if companion.exists():
            companion.replace(f"{kept}{suffix}")
    return kept


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
