"""What the books say at the close of a day, as it was imported. A newer row of the same day and id supersedes."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from mapping.books_types import (
    AccountType,
    BooksFile,
    ControlParagraph,
    HolderClass,
    LienKind,
    MarginAgency,
    MarginHeldAs,
    OtherNature,
    OwnerRelation,
    PabReliefKind,
    Rail,
    StockPlace,
    StockSide,
    TradeSide,
)
from mapping.reserve_types import ReserveClass
from verifier.reserve.trades import SettlementAct
from verifier.store.tables.base import DataRow, HotRow, column, rules
from verifier.store.tables.mapping import ImportedRow
from verifier.store.types import BaseUnits, CivilDate, EnumText, Flag, UtcTime, Whole, Words


class BulkRow(HotRow):
    """A row of a file of millions of rows: it was recorded with its journal entry."""

    file_key: int = column(Whole(), to="imported_file.record_id")
    line: int = column(Whole())


class AccountBalanceRow(BulkRow, table=True):
    """The money balance of one account at the close of a day."""

    __tablename__ = "account_balance"
    __table_args__ = rules(sa.Index(None, "as_of"), sa.Index(None, "account_id"))

    as_of: date = column(CivilDate())
    account_id: str = column(Words())
    client_id: str = column(Words())
    holder_class: HolderClass = column(EnumText(HolderClass))
    account_type: AccountType = column(EnumText(AccountType))
    credit_balance: int = column(BaseUnits())
    debit_balance: int = column(BaseUnits())


class StockLineRow(BulkRow, table=True):
    """One line of the stock record at the close of a day."""

    __tablename__ = "stock_line"
    __table_args__ = rules(sa.Index(None, "as_of"), sa.Index(None, "line_id"))

    as_of: date = column(CivilDate())
    line_id: str = column(Words())
    security_key: int = column(Whole(), to="interned_text.record_id")
    place: StockPlace = column(EnumText(StockPlace))
    side: StockSide = column(EnumText(StockSide))
    base_units: int = column(BaseUnits())
    price: str = column(Words())
    """Plain decimal digits."""
    account_id: str = column(Words())
    location_key: int | None = column(Whole(), to="interned_text.record_id")
    counterparty: str = column(Words())
    reference: str = column(Words())
    since: date | None = column(CivilDate())
    contract_value: int | None = column(BaseUnits())
    collateral: int | None = column(BaseUnits())
    confirmed_on: date | None = column(CivilDate())
    closed: bool = column(Flag())


class BooksCloseRow(ImportedRow, table=True):
    """That the rows of one file of a day are complete, with their count and control total."""

    __tablename__ = "books_close"
    __table_args__ = rules(sa.Index(None, "as_of"))

    as_of: date = column(CivilDate())
    file: BooksFile = column(EnumText(BooksFile))
    row_count: int = column(Whole())
    total: str = column(Words())
    """Plain decimal digits."""
    reference: str = column(Words())


class AccountRelationRow(ImportedRow, table=True):
    """What is known about an account beside its balance, from a day on."""

    __tablename__ = "account_relation"
    __table_args__ = rules(sa.Index(None, "account_id"))

    account_id: str = column(Words())
    effective_from: date = column(CivilDate())
    single_customer_id: str = column(Words())
    relation: OwnerRelation = column(EnumText(OwnerRelation))
    non_customer_share: str = column(Words())
    unsecured_or_doubtful: bool = column(Flag())
    related_to_credits: int = column(BaseUnits())
    omnibus_deficit: int = column(BaseUnits())
    recent_calls: int = column(BaseUnits())
    relief_excepted: int = column(BaseUnits())
    relief_requested_on: date | None = column(CivilDate())
    hypothecation_consent_on: date | None = column(CivilDate())
    lending_consent_on: date | None = column(CivilDate())
    fully_paid_lending_agreement_on: date | None = column(CivilDate())
    pab_use_notice_on: date | None = column(CivilDate())


class SecurityFactRow(ImportedRow, table=True):
    """Whether a security is exempted, from a day on."""

    __tablename__ = "security_fact"
    __table_args__ = rules(sa.Index(None, "security_id"))

    security_id: str = column(Words())
    effective_from: date = column(CivilDate())
    exempted: bool = column(Flag())
    reference: str = column(Words())


class ControlLocationRow(ImportedRow, table=True):
    """The dated evidence that a location is a good control location."""

    __tablename__ = "control_location"
    __table_args__ = rules(sa.Index(None, "location_id"))

    location_id: str = column(Words())
    effective_from: date = column(CivilDate())
    paragraph: ControlParagraph = column(EnumText(ControlParagraph))
    evidence_on: date = column(CivilDate())
    reference: str = column(Words())
    valid_until: date | None = column(CivilDate())


class ClearingAgencyRow(ImportedRow, table=True):
    """What the firm found about a clearing organization, from a day on."""

    __tablename__ = "clearing_agency"
    __table_args__ = rules(sa.Index(None, "agency"))

    agency: str = column(Words())
    effective_from: date = column(CivilDate())
    agency_kind: MarginAgency = column(EnumText(MarginAgency))
    determined_on: date | None = column(CivilDate())
    security_deposits: int = column(BaseUnits())
    assessment_power: int = column(BaseUnits())
    margin_deposits: int = column(BaseUnits())
    exempted_by_commission: bool = column(Flag())
    no_lien_letter: bool = column(Flag())
    safeguards: bool = column(Flag())
    undertaking: bool = column(Flag())
    rules_approved_on: date | None = column(CivilDate())
    notice_published_on: date | None = column(CivilDate())
    notice_withdrawn_on: date | None = column(CivilDate())
    conditions_on: date | None = column(CivilDate())


class ClearingMarginRow(ImportedRow, table=True):
    """Margin required and on deposit in one form at the close of a day."""

    __tablename__ = "clearing_margin"
    __table_args__ = rules(sa.Index(None, "as_of"))

    as_of: date = column(CivilDate())
    margin_id: str = column(Words())
    computation: ReserveClass = column(EnumText(ReserveClass))
    agency_kind: MarginAgency = column(EnumText(MarginAgency))
    agency: str = column(Words())
    client_id: str = column(Words())
    required: int = column(BaseUnits())
    on_deposit: int = column(BaseUnits())
    held_as: MarginHeldAs = column(EnumText(MarginHeldAs))
    customer_only: bool = column(Flag())
    arose_on: date | None = column(CivilDate())
    customer_was_short: bool = column(Flag())
    called_on: date | None = column(CivilDate())
    delivered_on: date | None = column(CivilDate())


class LienRow(ImportedRow, table=True):
    """Money borrowed from one lender on securities at the close of a day."""

    __tablename__ = "lien"
    __table_args__ = rules(sa.Index(None, "as_of"), sa.Index(None, "lien_id"))

    as_of: date = column(CivilDate())
    lien_id: str = column(Words())
    lender: str = column(Words())
    kind: LienKind = column(EnumText(LienKind))
    amount: int = column(BaseUnits())


class OtherAmountRow(ImportedRow, table=True):
    """An amount of the formula that stands in no account and no line of the stock record."""

    __tablename__ = "other_amount"
    __table_args__ = rules(sa.Index(None, "as_of"))

    as_of: date = column(CivilDate())
    amount_id: str = column(Words())
    computation: ReserveClass = column(EnumText(ReserveClass))
    nature: OtherNature = column(EnumText(OtherNature))
    cents: int = column(BaseUnits())
    reference: str = column(Words())
    since: date | None = column(CivilDate())


class PabReliefRow(ImportedRow, table=True):
    """A deposit before settlement or a sweep of one PAB account."""

    __tablename__ = "pab_relief"
    __table_args__ = rules(sa.Index(None, "relief_id"))

    relief_id: str = column(Words())
    kind: PabReliefKind = column(EnumText(PabReliefKind))
    account_id: str = column(Words())
    cents: int = column(BaseUnits())
    on: date = column(CivilDate())
    done_at: datetime | None = column(UtcTime())
    free_of_lien: bool = column(Flag())


class TradeRow(ImportedRow, table=True):
    """A trade of an account; a newer row of the id is a new version."""

    __tablename__ = "trade"
    __table_args__ = rules(sa.Index(None, "trade_id"))

    trade_id: str = column(Words())
    account_id: str = column(Words())
    side: TradeSide = column(EnumText(TradeSide))
    asset_id: str = column(Words())
    base_units: int = column(BaseUnits())
    contract_amount: int = column(BaseUnits())
    price: str = column(Words())
    trade_date: date = column(CivilDate())
    settlement_date: date = column(CivilDate())
    rail: Rail = column(EnumText(Rail))
    chain_id: str | None = column(Words())
    wallet: str | None = column(Words())
    tx_id: str = column(Words())
    settled_on: date | None = column(CivilDate())


class TradeSettlementRow(DataRow, table=True):
    """That a leg of a final block settled a trade at the block's time, or that this is taken back."""

    __tablename__ = "trade_settlement"
    __table_args__ = rules(sa.Index(None, "trade_id"))

    trade_id: str = column(Words())
    act: SettlementAct = column(EnumText(SettlementAct))
    chain_id: str = column(Words())
    height: int = column(Whole())
    block_hash: str = column(Words())
    parent_hash: str = column(Words())
    block_time: datetime = column(UtcTime())
    tx_id: str = column(Words())
