"""What daily runs leave: the exceptions they listed, the daily reports, and what the archive holds."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from verifier.store.records import ArchiveKind
from verifier.store.tables.base import DataRow, column, rules
from verifier.store.types import CivilDate, EnumText, UtcTime, Whole, Words


class ExceptionReviewRow(DataRow, table=True):
    """The exceptions that one run listed, and how many of them nobody explained."""

    __tablename__ = "exception_review"
    __table_args__ = rules(
        sa.UniqueConstraint("run_id"),
        sa.CheckConstraint("unexplained >= 0 AND unexplained <= listed", name="unexplained_among_listed"),
    )

    run_id: str = column(Words())
    """A reserve computation or a daily report."""
    as_of: date = column(CivilDate())
    open_at: datetime = column(UtcTime())
    """The moment of the as-of: what was open then is listed."""
    listed: int = column(Whole())
    unexplained: int = column(Whole())
    """More than zero marks the run: `exceptions_unexplained`."""
    wsp_section: str = column(Words())
    document: str = column(Words())
    """Canonical text of the list."""
    digest: str = column(Words())


class DailyReportRow(DataRow, table=True):
    """One version of the daily segregation report of one day."""

    __tablename__ = "daily_report"
    __table_args__ = rules(
        sa.UniqueConstraint("report_id"),
        sa.UniqueConstraint("as_of", "version"),
        sa.UniqueConstraint("replaces"),
        sa.CheckConstraint("(version = 1) = (replaces IS NULL)", name="later_version_replaces"),
    )

    report_id: str = column(Words())
    as_of: date = column(CivilDate())
    version: int = column(Whole())
    known_at: datetime = column(UtcTime())
    """Everything as known at this time is in it."""
    document: str = column(Words())
    """Its canonical text: what is signed."""
    digest: str = column(Words())
    replaces: int | None = column(Whole(), to="daily_report.record_id")


class ArchivedRow(DataRow, table=True):
    """One record in the archive folder: the digest of the list of its files, and until when it is kept."""

    __tablename__ = "archived"
    __table_args__ = rules(sa.UniqueConstraint("kind", "subject_id"))

    kind: ArchiveKind = column(EnumText(ArchiveKind))
    subject_id: str = column(Words())
    digest: str = column(Words())
    retain_until: date = column(CivilDate())
