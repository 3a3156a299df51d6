"""What the reserve computations are made from, as it was imported, and the computations themselves."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from exports.reserve.computation import Occasion, Scope
from mapping.reserve_types import CapitalMethod, HoldingKind, MovementSide, NoticeKind, ReserveClass
from verifier.store.tables.base import DataRow, column, rules
from verifier.store.tables.mapping import ImportedRow
from verifier.store.types import BaseUnits, CivilDate, EnumText, Flag, UtcTime, Whole, Words


class ReserveItemRow(ImportedRow, table=True):
    """One stated line of a computation."""

    __tablename__ = "reserve_item"
    __table_args__ = rules(sa.Index(None, "as_of"))

    as_of: date = column(CivilDate())
    computation: ReserveClass = column(EnumText(ReserveClass))
    item: int = column(Whole())
    cents: int = column(BaseUnits())
    reference: str = column(Words())


class ReserveBankAccountRow(ImportedRow, table=True):
    """A Special Reserve Bank Account and its bank, from a day on."""

    __tablename__ = "reserve_bank_account"
    __table_args__ = rules(sa.Index(None, "effective_from"))

    account_id: str = column(Words())
    effective_from: date = column(CivilDate())
    computation: ReserveClass = column(EnumText(ReserveClass))
    bank_id: str = column(Words())
    affiliated: bool = column(Flag())
    equity_capital: int | None = column(BaseUnits())
    call_report_on: date | None = column(CivilDate())
    notified_on: date | None = column(CivilDate())
    no_lien_contract_on: date | None = column(CivilDate())


class ReserveHoldingRow(ImportedRow, table=True):
    """One line of a bank's statement of a reserve account."""

    __tablename__ = "reserve_holding"
    __table_args__ = rules(sa.Index(None, "as_of"))

    account_id: str = column(Words())
    as_of: date = column(CivilDate())
    holding: str = column(Words())
    kind: HoldingKind = column(EnumText(HoldingKind))
    market_value: int | None = column(BaseUnits())
    priced_on: date | None = column(CivilDate())
    statement_id: str = column(Words())


class FirmCapitalRow(ImportedRow, table=True):
    """Method and capital of the firm."""

    __tablename__ = "firm_capital"
    __table_args__ = rules(sa.Index(None, "as_of"))

    as_of: date = column(CivilDate())
    method: CapitalMethod = column(EnumText(CapitalMethod))
    net_capital: int = column(BaseUnits())
    tentative_net_capital: int = column(BaseUnits())
    aggregate_indebtedness: int = column(BaseUnits())
    reference: str = column(Words())


class FocusMonthEndRow(ImportedRow, table=True):
    """Total credits of one filed month-end form."""

    __tablename__ = "focus_month_end"
    __table_args__ = rules(sa.Index(None, "month_end"))

    month_end: date = column(CivilDate())
    customer_credits: int = column(BaseUnits())
    pab_credits: int = column(BaseUnits())
    filed_on: date = column(CivilDate())
    reference: str = column(Words())


class ReserveNoticeRow(ImportedRow, table=True):
    """A dated notice that decides how often computations are due."""

    __tablename__ = "reserve_notice"
    __table_args__ = rules(sa.Index(None, "given_on"))

    kind: NoticeKind = column(EnumText(NoticeKind))
    given_on: date = column(CivilDate())
    reference: str = column(Words())


class BankMovementRow(ImportedRow, table=True):
    """One entry of a bank's statement of a reserve account."""

    __tablename__ = "bank_movement"
    __table_args__ = rules(sa.Index(None, "bank_reference"))

    account_id: str = column(Words())
    bank_reference: str = column(Words())
    value_on: date = column(CivilDate())
    direction: MovementSide = column(EnumText(MovementSide))
    cents: int = column(BaseUnits())
    instruction_id: str = column(Words())
    text: str = column(Words())


class ReserveSweepRow(ImportedRow, table=True):
    """Customers' credits that were swept after an as-of date."""

    __tablename__ = "reserve_sweep"
    __table_args__ = rules(sa.Index(None, "as_of"))

    as_of: date = column(CivilDate())
    swept_on: date = column(CivilDate())
    cents: int = column(BaseUnits())
    reference: str = column(Words())


class ReserveComputationRow(DataRow, table=True):
    """One computation with everything it follows from. Another of the same date and purpose names what it replaces."""

    __tablename__ = "reserve_computation"
    __table_args__ = rules(
        sa.UniqueConstraint("computation_id"),
        sa.UniqueConstraint("replaces"),
        sa.Index(None, "as_of"),
        sa.CheckConstraint("replaces IS NULL OR reason <> ''", name="replacement_has_reason"),
    )

    computation_id: str = column(Words())
    as_of: date = column(CivilDate())
    scope: Scope = column(EnumText(Scope))
    occasion: Occasion = column(EnumText(Occasion))
    rule_set: str = column(Words())
    known_at: datetime = column(UtcTime())
    """The books as known at this time were used."""
    document: str = column(Words())
    """The computation's canonical text, its inputs in it."""
    digest: str = column(Words())
    """SHA-256 of the document."""
    compute_on: date = column(CivilDate())
    deposit_on: date = column(CivilDate())
    deposit_by: datetime = column(UtcTime())
    replaces: int | None = column(Whole(), to="reserve_computation.record_id")
    """What it corrects; each is corrected once."""
    reason: str = column(Words())
