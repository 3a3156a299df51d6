"""What the clock ran: one row for each run that was due, one for its end, the files of the folder and of sources."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from verifier.schedule.records import RunOutcome
from verifier.store.tables.base import DataRow, column, rules
from verifier.store.types import CivilDate, EnumText, Flag, UtcTime, Whole, Words


class ScheduledRunRow(DataRow, table=True):
    """One run that was due; nobody else can begin it once it is here."""

    __tablename__ = "scheduled_run"
    __table_args__ = rules(sa.UniqueConstraint("job", "slot_key"))

    job: str = column(Words())
    slot_key: str = column(Words())
    """The business date of a daily job; of the others the moment it was due."""
    business_date: date = column(CivilDate())
    due_at: datetime = column(UtcTime())
    started_at: datetime | None = column(UtcTime())
    """None when it was skipped or missed."""


class ScheduledRunEndRow(DataRow, table=True):
    """How one run ended."""

    __tablename__ = "scheduled_run_end"
    __table_args__ = rules(sa.UniqueConstraint("run_key"), sa.CheckConstraint("exit_code IN (0, 1, 2)", name="known"))

    run_key: int = column(Whole(), to="scheduled_run.record_id")
    outcome: RunOutcome = column(EnumText(RunOutcome))
    ended_at: datetime = column(UtcTime())
    exit_code: int = column(Whole())
    text: str = column(Words())


class FolderFileRow(DataRow, table=True):
    """One content of a file of the watched folder that was looked at."""

    __tablename__ = "folder_file"
    __table_args__ = rules(sa.UniqueConstraint("name", "digest"))

    name: str = column(Words())
    digest: str = column(Words())
    """SHA-256 of its content."""
    accepted: bool = column(Flag())
    text: str = column(Words())


class PulledFileRow(DataRow, table=True):
    """One content of a file that a source gave; twice where it was refused at first."""

    __tablename__ = "pulled_file"
    __table_args__ = rules(sa.UniqueConstraint("source", "name", "digest", "accepted"))

    source: str = column(Words())
    name: str = column(Words())
    digest: str = column(Words())
    """SHA-256 of its content."""
    validator: str = column(Words())
    """The source's own name for the content (ETag); empty when it gave none."""
    accepted: bool = column(Flag())
    text: str = column(Words())
