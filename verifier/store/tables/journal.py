"""The journal: what happened, who did it, and a seal over every row that was written with it.

An entry is written first, so that rows can refer to it, and its seal last, in the same transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlmodel import Field

from verifier.store.tables.base import StoredRow, column, rules
from verifier.store.types import UtcTime, Whole, Words


class JournalEntryRow(StoredRow, table=True):
    """One act of a person or of the machine."""

    __tablename__ = "journal_entry"
    __table_args__ = rules()

    sequence: int = Field(primary_key=True, sa_type=cast("Any", Whole()), sa_column_kwargs={"autoincrement": False})
    """From 1, without a hole."""
    kind: str = column(Words())
    actor: str = column(Words())
    recorded_at: datetime = column(UtcTime())
    """Never earlier than that of the entry before."""
    clock_at: datetime | None = column(UtcTime())
    """What the clock said, when it had gone back behind the entry before; else NULL."""
    payload: str = column(Words())
    """Canonical JSON: what the entry says besides its rows."""
    origin: str = column(Words())
    """From where: a terminal, a network address, or the process of the machine."""
    previous_digest: str = column(Words())
    """entry_digest of the entry before; 64 zeros for the first."""


class JournalSealRow(StoredRow, table=True):
    """What seals an entry: the digest of its rows, and of all of it."""

    __tablename__ = "journal_seal"
    __table_args__ = rules()

    sequence: int = Field(
        primary_key=True,
        foreign_key="journal_entry.sequence",
        sa_type=cast("Any", Whole()),
        sa_column_kwargs={"autoincrement": False},
    )
    rows: str = column(Words())
    """Canonical JSON: for each table written, the first record_id, the number of rows and their digest."""
    rows_digest: str = column(Words())
    """SHA-256 of `rows`."""
    entry_digest: str = column(Words())
    """SHA-256 over the entry, its predecessor's digest and rows_digest; see `verifier.journal`."""
