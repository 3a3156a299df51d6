"""accounts, stock_record and books_close: what the books say at the close of a day, and that they are complete."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Final

from chains.errors import InvalidValue
from chains.types import EXACT
from mapping.books_types import (
    AccountBalance,
    AccountType,
    BooksClose,
    BooksFile,
    HolderClass,
    StockLine,
    StockPlace,
    StockSide,
)
from mapping.columns import Column, FieldParser, OnChange, Row, Table
from mapping.fields import one_of, parse_id, parse_name, parse_price, parse_yes_no
from mapping.tables.shared import (
    ID_RULE,
    NAME_RULE,
    QUANTITY_RULE,
    day_column,
    dollars_column,
    plain,
    quantity_of,
    reference_column,
    require_asset_fits_location,
    texts,
)

PRICE_RULE: Final = "plain decimal, zero or more; one price for a security and day"


def unique(parse: Callable[[str], object]) -> FieldParser:
    """A parser of texts that hardly repeat, such as the ids of a million accounts: none is kept."""
    return lambda text, _: parse(text)


def id_column(name: str, meaning: str, *, required: bool = True, rule: str = ID_RULE) -> Column:
    """An id of the firm's."""
    return Column(name, meaning, "id", rule, unique(parse_id), required=required, default="")


def name_column(name: str, meaning: str, *, required: bool = True) -> Column:
    """A name for people."""
    return Column(name, meaning, "text", NAME_RULE, plain(parse_name), required=required, default="")


_TOTAL: Final = re.compile(r"(0|[1-9][0-9]{0,77})(\.[0-9]{1,77})?", re.ASCII)


def parse_total(text: str) -> Decimal:
    """A control total: a plain decimal, zero or more, exact."""
    if not _TOTAL.fullmatch(text):
        raise InvalidValue("a control total is a plain decimal number such as 21500.00")
    return EXACT.create_decimal(text)


def word_column(
    name: str, meaning: str, words: type[StrEnum], *, required: bool = True, default: object = None
) -> Column:
    """One word of an enumeration."""
    rule = ", ".join(f"`{word}`" for word in words)
    return Column(name, meaning, "word", rule, plain(one_of(words)), required=required, default=default)


def flag_column(name: str, meaning: str, *, required: bool = True) -> Column:
    """Yes or no; an optional one is no where it is empty."""
    return Column(name, meaning, "yes/no", "`yes` or `no`", plain(parse_yes_no), required=required, default=False)


def _build_account(row: Row) -> AccountBalance:
    return AccountBalance(
        row["as_of"],
        row["account_id"],
        row["client_id"],
        row["holder_class"],
        row["account_type"],
        row["credit_balance"],
        row["debit_balance"],
    )


ACCOUNTS: Final = Table(
    name="accounts",
    meaning="The money balance of every account at the close of a day: see books.md.",
    record_type=AccountBalance,
    columns=(
        day_column("as_of", "The row is of this day's close."),
        id_column("account_id", "The firm's id of the account."),
        id_column(
            "client_id",
            "Owner of the account; accounts of one owner are combined for the 140 percent of 15c3-3(a)(5).",
            required=False,
            rule="a client_id of clients.csv; empty for the firm's own accounts",
        ),
        word_column("holder_class", "Whose account it is, 15c3-3(a)(1) and (a)(16).", HolderClass),
        word_column("account_type", "What kind of account it is.", AccountType),
        dollars_column("credit_balance", "What the firm owes the account."),
        dollars_column("debit_balance", "What the account owes the firm."),
    ),
    build=_build_account,
    key_columns=("as_of", "account_id"),
    key=lambda row: texts(row.as_of, row.account_id),
    on_change=OnChange.NEW_VERSION,
    examples=(
        ("2026-01-30", "A-1001", "C-1001", "customer", "cash", "1500.00", "0.00"),
        ("2026-01-30", "A-1002", "C-1001", "customer", "margin", "0.00", "20000.00"),
        ("2026-01-30", "A-PAB", "C-1002", "pab", "cash", "400.00", "0.00"),
        ("2026-01-30", "A-FIRM", "", "firm", "cash", "0.00", "0.00"),
    ),
    notes=(
        "An account has a credit or a debit balance, not both; with nothing it has `0.00` on both sides.",
        (
            "A row of a day that has not been closed, posted by itself, lies over the newest closed day: what is"
            " projected now follows it."
        ),
    ),
)


def _security(text: str, row: Row) -> object:
    security_id = row.context.asset_id(text)
    if security_id.startswith("iso4217:"):
        raise InvalidValue("money stands in accounts.csv, not in the stock record")
    return security_id


def security_column(meaning: str) -> Column:
    """The column security_id, naming an asset of assets.csv that is no money."""
    rule = "an asset of assets.csv, not `iso4217:`"
    return Column("security_id", meaning, "CAIP-19, `cusip:`", rule, _security)


def _build_line(row: Row) -> StockLine:
    location_id = row["location"]
    if location_id is not None:
        require_asset_fits_location(location_id, row["security_id"])
    return StockLine(
        row["as_of"],
        row["line_id"],
        row["security_id"],
        row["place"],
        row["side"],
        row["quantity"],
        row["price"],
        row["account_id"],
        location_id,
        row["counterparty"],
        row["reference"],
        row["since"],
        row["contract_value"],
        row["collateral"],
        row["confirmed_on"],
        row["closed"],
    )


def _example(**texts: str) -> tuple[str, ...]:
    return tuple(texts.get(name, "") for name in _LINE_COLUMNS)


_LINE_COLUMNS: Final = (
    "as_of", "line_id", "security_id", "place", "side", "quantity", "price", "account_id", "location", "counterparty",
    "reference", "since", "contract_value", "collateral", "confirmed_on", "closed",
)  # fmt: skip
_APPLE: Final = {"as_of": "2026-01-30", "security_id": "cusip:037833100", "price": "230.10"}
_LINES: Final = (
    _example(**_APPLE, line_id="L-1", place="account", side="long", quantity="10", account_id="A-1001"),
    _example(**_APPLE, line_id="L-2", place="account", side="long", quantity="200", account_id="A-1002"),
    _example(
        **_APPLE,
        line_id="L-3",
        place="depository",
        side="short",
        quantity="110",
        location="dtc:0123",
        counterparty="DTC",
    ),
    _example(
        **_APPLE,
        line_id="L-4",
        place="bank_loan",
        side="short",
        quantity="100",
        account_id="A-1002",
        counterparty="Example Bank",
        reference="LOAN-1",
        since="2026-01-20",
    ),
)


STOCK_RECORD: Final = Table(
    name="stock_record",
    meaning="The securities record at the close of a day: what accounts own, and where it is, 17a-3(a)(5).",
    record_type=StockLine,
    columns=(
        day_column("as_of", "The row is of this day's close."),
        id_column("line_id", "The firm's id of the line, unique within the day."),
        security_column("The security, or digital asset."),
        word_column("place", "Whose position it is (`account`), or the place that answers for it.", StockPlace),
        word_column("side", "Owned or owed to, or answering for it.", StockSide),
        Column("quantity", "How much.", "whole units", QUANTITY_RULE + "; above zero", quantity_of("security_id")),
        Column("price", "Of one whole unit at the close.", "US dollars", PRICE_RULE, plain(parse_price)),
        id_column(
            "account_id",
            "The account of a position; for loans, fails and clearing margin the account it is known to be for.",
            required=False,
            rule="an account_id of accounts.csv of the same day",
        ),
        Column(
            "location",
            "Where it can be checked.",
            "CAIP-10 account, `pool:ID`, `dtc:ID`, `bank:ID`, `prime:ID`",
            "a wallet of wallets.csv, a pool of pools.csv, or a location outside any chain",
            lambda text, row: row.context.location(text),
            required=False,
        ),
        name_column("counterparty", "Lender, borrower, other broker-dealer, agency, transfer agent.", required=False),
        id_column(
            "reference",
            "Id of the lien for a bank loan, of the trade for a fail, of the agency for clearing margin.",
            required=False,
        ),
        day_column("since", "From when its age counts; required where a line has an age.", required=False),
        dollars_column(
            "contract_value", "Of a fail, loan or borrow; required for these. Money against it.", required=False
        ),
        dollars_column(
            "collateral", "Received for securities loaned, Note C; empty takes contract_value.", required=False
        ),
        day_column(
            "confirmed_on", "When the agent or issuer confirmed that it is in transfer, item 9.", required=False
        ),
        flag_column(
            "closed", "Takes back an earlier row of the line: it is no more. Its quantity is zero.", required=False
        ),
    ),
    build=_build_line,
    key_columns=("as_of", "line_id"),
    key=lambda row: texts(row.as_of, row.line_id),
    on_change=OnChange.NEW_VERSION,
    examples=_LINES,
    notes=(
        (
            "For each security and day the long side should equal the short side. Where it does not, the rows are"
            " taken, and the difference is told with the computation: a count difference is no mistake of the file."
        ),
        "A day has one price for a security.",
    ),
)


def _build_close(row: Row) -> BooksClose:
    return BooksClose(row["as_of"], row["file"], row["rows"], row["total"], row["reference"])


def _row_count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 12 and str(int(text)) == text):
        raise InvalidValue("a count is written in plain digits, such as 1000000")
    return int(text)


BOOKS_CLOSE: Final = Table(
    name="books_close",
    meaning="The firm's word that a day's rows of a file are complete, with their count and control total.",
    record_type=BooksClose,
    columns=(
        day_column("as_of", "The day that is closed."),
        word_column("file", "Which file.", BooksFile),
        Column(
            "rows",
            "How many rows the file has of the day; closed lines are not counted.",
            "number",
            "plain digits",
            plain(_row_count),
        ),
        Column(
            "total",
            "Control total: of stock_record the sum of `quantity`, of accounts of both balances, of clearing_margin of"
            " `on_deposit`, of liens and other_amounts of `amount`.",
            "US dollars; whole units for stock_record",
            "plain decimal, zero or more",
            plain(parse_total),
        ),
        reference_column("Where the close can be looked up."),
    ),
    build=_build_close,
    key_columns=("as_of", "file"),
    key=lambda row: texts(row.as_of, row.file),
    on_change=OnChange.NEW_VERSION,
    examples=(
        ("2026-01-30", "accounts", "4", "21900.00", "Close 2026-01-30"),
        ("2026-01-30", "stock_record", "4", "420", "Close 2026-01-30"),
        ("2026-01-30", "clearing_margin", "1", "5000.00", "Close 2026-01-30"),
        ("2026-01-30", "liens", "1", "15000.00", "Close 2026-01-30"),
        ("2026-01-30", "other_amounts", "1", "250.00", "Close 2026-01-30"),
    ),
    notes=(
        (
            "The lines of a computation are derived from the books of a day only when every one of its files is closed"
            " and count and total agree; a file of no rows is closed with zero. A row that is corrected after the close"
            " needs another close where count or total change."
        ),
    ),
)
