"""What the books say at the close of a day, as it was imported. A newer row of the same day and id supersedes."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from mapping.books_types import AccountType, BooksFile, HolderClass, StockPlace, StockSide
from verifier.store.tables.base import HotRow, column, rules
from verifier.store.tables.mapping import ImportedRow
from verifier.store.types import BaseUnits, CivilDate, EnumText, Flag, Whole, Words


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
