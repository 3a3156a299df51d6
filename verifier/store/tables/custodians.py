"""Accounts at outside parties, the statements that came as messages, and the comparisons with them."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from mapping.custodian_types import HeldFor
from verifier.custodians.message import StatementFormat
from verifier.store.tables.base import DataRow, column, rules
from verifier.store.tables.mapping import ImportedRow
from verifier.store.types import CivilDate, EnumText, UtcTime, Whole, Words


class CustodianAccountRow(ImportedRow, table=True):
    """An account at a depository, bank or prime broker, from a day on."""

    __tablename__ = "custodian_account"
    __table_args__ = rules(sa.Index(None, "location_id"))

    location_id: str = column(Words())
    effective_from: date = column(CivilDate())
    custodian: str = column(Words())
    account: str = column(Words())
    held_for: HeldFor = column(EnumText(HeldFor))
    titling: str = column(Words())
    currency: str = column(Words())
    statement_due: str = column(Words())
    """Hour and minute; empty where no statement comes daily."""
    reference: str = column(Words())
    closed_on: date | None = column(CivilDate())


class CustodianStatementRow(DataRow, table=True):
    """A whole statement: of the locations it speaks of, what it does not list is nothing."""

    __tablename__ = "custodian_statement"
    __table_args__ = rules(sa.UniqueConstraint("stated_by", "statement_id"), sa.Index(None, "as_of"))

    stated_by: str = column(Words())
    statement_id: str = column(Words())
    format: StatementFormat = column(EnumText(StatementFormat))
    as_of: datetime = column(UtcTime())
    document: str = column(Words())
    """What was read, as canonical text: locations, pages, every holding with its available and other parts."""
    digest: str = column(Words())
    """SHA-256 of the document."""


class CustodianMessageRow(DataRow, table=True):
    """A file of messages exactly as it came, kept as evidence: its SHA-256 is that of the imported file."""

    __tablename__ = "custodian_message"
    __table_args__ = rules(sa.UniqueConstraint("file_key"))

    file_key: int = column(Whole(), to="imported_file.record_id")
    text: str = column(Words())


class SecuritiesRunRow(DataRow, table=True):
    """One comparison of the books with what custodians state, of one day."""

    __tablename__ = "securities_run"
    __table_args__ = rules(sa.UniqueConstraint("run_id"), sa.Index(None, "as_of"))

    run_id: str = column(Words())
    as_of: date = column(CivilDate())
    known_at: datetime = column(UtcTime())
    """The books as known at this time were used."""
    expected: int = column(Whole())
    matched: int = column(Whole())
    diverged: int = column(Whole())
    unverified: int = column(Whole())
    document: str = column(Words())
    """The comparison with everything it follows from, as canonical text."""
    digest: str = column(Words())
    """SHA-256 of the document."""
