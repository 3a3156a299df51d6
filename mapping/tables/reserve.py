"""reserve_items and the files beside it: what the reserve computations of 15c3-3(e) are made from."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from chains.errors import InvalidValue
from chains.types import Asset, AssetId
from mapping.columns import Column, ColumnProblem, OnChange, Row, Table
from mapping.fields import one_of, parse_date, parse_id, parse_name, parse_yes_no
from mapping.reserve_types import (
    ITEM_COUNT,
    CapitalMethod,
    FirmCapital,
    FocusMonthEnd,
    HoldingKind,
    ItemSide,
    NoticeKind,
    ReserveBankAccount,
    ReserveClass,
    ReserveHolding,
    ReserveItem,
    ReserveNotice,
    side_of,
)
from mapping.tables.shared import DATE_RULE, ID_RULE, NAME_RULE, parse_quantity, plain, texts

DOLLAR: Final = Asset(AssetId("iso4217:USD"), "USD", 2)
AMOUNT_RULE: Final = "plain decimal, at most two decimals, zero or more; nothing is an explicit `0.00`"


def _cents(text: str) -> object:
    return parse_quantity(DOLLAR.parse_quantity, text)


def _item(text: str) -> object:
    if text not in {str(number) for number in range(1, ITEM_COUNT + 1)}:
        raise InvalidValue(f"must be an item of Exhibit A, 1 to {ITEM_COUNT}; the result of line 16 is computed")
    return int(text)


def _amount(name: str, meaning: str, *, required: bool = True, rule: str = AMOUNT_RULE) -> Column:
    return Column(name, meaning, "US dollars", rule, plain(_cents), required=required)


def _day(name: str, meaning: str, *, required: bool = True, rule: str = DATE_RULE) -> Column:
    return Column(name, meaning, "date", rule, plain(parse_date), required=required)


def _reference(meaning: str = "Where the figure can be looked up.") -> Column:
    return Column("reference", meaning, "text", NAME_RULE, plain(parse_name))


def _computation() -> Column:
    return Column(
        "computation",
        "Whose: customers', or the proprietary accounts of other broker-dealers.",
        "word",
        "`customer` or `pab`",
        plain(one_of(ReserveClass)),
    )


def _build_item(row: Row) -> ReserveItem:
    if row["side"] is not side_of(row["item"]):
        raise ColumnProblem("side", f"item {row['item']} is a {side_of(row['item'])} line")
    return ReserveItem(row["as_of"], row["computation"], row["item"], row["amount"], row["reference"])


RESERVE_ITEMS = Table(
    name="reserve_items",
    meaning="Stated lines of the reserve computations, Exhibit A of 15c3-3 (17 CFR 240.15c3-3a): see rules.md.",
    record_type=ReserveItem,
    columns=(
        _day("as_of", "The figures are of this day's close."),
        _computation(),
        Column("item", "Line of Exhibit A.", "number", f"1 to {ITEM_COUNT}; line 16 is computed", plain(_item)),
        Column(
            "side",
            "Side of the line: a second look at its number.",
            "word",
            "`credit` for 1 to 9, `debit` for 10 to 15",
            plain(one_of(ItemSide)),
        ),
        _amount("amount", "The line's amount; item 10 after Note E(1), (2), (4), (5), (6), before any percentage."),
        _reference(),
    ),
    build=_build_item,
    key_columns=("as_of", "computation", "item"),
    key=lambda row: texts(row.as_of, row.computation, row.item),
    on_change=OnChange.NEW_VERSION,
    examples=tuple(
        ("2026-01-30", computation, str(item), side_of(item).value, amounts.get(item, "0.00"), "Trial balance 2026-01")
        for computation, amounts in (("customer", {1: "1250000.00", 10: "400000.00"}), ("pab", {1: "80000.00"}))
        for item in range(1, ITEM_COUNT + 1)
    ),
    notes=(
        "Both computations have all fifteen lines of a day, thirty rows; a line of nothing is an explicit `0.00`.",
        "A row posted by itself states or corrects one line and completes nothing.",
    ),
)


def _build_account(row: Row) -> ReserveBankAccount:
    if (row["equity_capital"] is None) != (row["call_report_on"] is None):
        raise ColumnProblem("call_report_on", "a bank's equity and the date of its Call Report are given together")
    return ReserveBankAccount(
        row["account_id"],
        row["effective_from"],
        row["computation"],
        row["bank_id"],
        row["bank_affiliated"],
        row["equity_capital"],
        row["call_report_on"],
        row["notified_on"],
        row["no_lien_contract_on"],
    )


RESERVE_ACCOUNTS = Table(
    name="reserve_accounts",
    meaning="Special Reserve Bank Accounts and their banks, 15c3-3(e)(1), (e)(5) and (f).",
    record_type=ReserveBankAccount,
    columns=(
        Column("account_id", "The firm's id of the account.", "id", ID_RULE, plain(parse_id)),
        _day("effective_from", "First day on which the row holds."),
        _computation(),
        Column("bank_id", "The firm's id of the bank.", "id", ID_RULE, plain(parse_id)),
        Column(
            "bank_affiliated",
            "Whether the bank is an affiliate of the firm; its cash counts nothing.",
            "yes/no",
            "`yes` or `no`",
            plain(parse_yes_no),
        ),
        _amount(
            "equity_capital",
            "The bank's equity capital by its most recent Call Report.",
            required=False,
            rule="plain decimal, at most two decimals; while it is empty no cash at the bank counts",
        ),
        _day("call_report_on", "Date of that Call Report.", required=False),
        _day("notified_on", "Date of the bank's written notification, (f).", required=False),
        _day("no_lien_contract_on", "Date of the written no-lien contract, (f).", required=False),
    ),
    build=_build_account,
    key_columns=("account_id", "effective_from"),
    key=lambda row: texts(row.account_id, row.effective_from),
    on_change=OnChange.NEW_VERSION,
    examples=(
        (
            "SRA-CUSTOMER",
            "2026-01-02",
            "customer",
            "BANK-1",
            "no",
            "500000000.00",
            "2025-12-31",
            "2025-11-03",
            "2025-11-03",
        ),
        ("SRA-PAB", "2026-01-02", "pab", "BANK-1", "no", "500000000.00", "2025-12-31", "2025-11-03", "2025-11-03"),
    ),
    notes=("Without the two documents of (f) an account counts nothing, and says so.",),
)


def _build_holding(row: Row) -> ReserveHolding:
    kind, value, priced_on = row["kind"], row["market_value"], row["priced_on"]
    if (kind is HoldingKind.CASH) != (row["holding"] == "cash"):
        raise ColumnProblem("holding", "cash, and nothing else, is called cash")
    if kind is HoldingKind.CASH and value is None:
        raise ColumnProblem("market_value", "cash has an amount; nothing is an explicit 0.00")
    if kind is HoldingKind.CASH and priced_on is not None:
        raise ColumnProblem("priced_on", "cash has no price")
    if kind is not HoldingKind.CASH and (value is None) != (priced_on is None):
        raise ColumnProblem("priced_on", "a market value and the date of its price are given together")
    if priced_on is not None and priced_on > row["as_of"]:
        raise ColumnProblem("priced_on", "the price is of a later day than the statement")
    return ReserveHolding(row["account_id"], row["as_of"], row["holding"], kind, value, priced_on, row["statement_id"])


RESERVE_HOLDINGS = Table(
    name="reserve_holdings",
    meaning="Banks' statements of the reserve accounts: cash, and securities at market.",
    record_type=ReserveHolding,
    columns=(
        Column("account_id", "The account.", "id", "an account_id of reserve_accounts.csv", plain(parse_id)),
        _day("as_of", "The statement is of this day's close."),
        Column("holding", "What is held.", "id", "`cash`, or the id of a security", plain(parse_id)),
        Column(
            "kind",
            "What it is; by policy only some kinds count.",
            "word",
            ", ".join(f"`{kind}`" for kind in HoldingKind),
            plain(one_of(HoldingKind)),
        ),
        _amount(
            "market_value",
            "Cash, or market value; never face value.",
            required=False,
            rule="plain decimal, at most two decimals; empty for a security without a price, which counts nothing",
        ),
        _day("priced_on", "Day of the price; empty for cash.", required=False),
        Column("statement_id", "The bank's own id of the statement.", "id", ID_RULE, plain(parse_id)),
    ),
    build=_build_holding,
    key_columns=("account_id", "as_of", "holding"),
    key=lambda row: texts(row.account_id, row.as_of, row.holding),
    on_change=OnChange.NEW_VERSION,
    examples=(
        ("SRA-CUSTOMER", "2026-01-30", "cash", "cash", "600000.00", "", "ST-0130"),
        ("SRA-CUSTOMER", "2026-01-30", "cusip:912797NB9", "us_treasury", "300000.00", "2026-01-30", "ST-0130"),
        ("SRA-PAB", "2026-01-30", "cash", "cash", "80000.00", "", "ST-0130-P"),
    ),
    notes=("A statement of an account and day is complete, and has a row for cash.",),
)


FIRM_CAPITAL = Table(
    name="firm_capital",
    meaning="Method and capital of the firm, 15c3-1.",
    record_type=FirmCapital,
    columns=(
        _day("as_of", "The figures are of this day's close, and hold until a later row."),
        Column("method", "Method of net capital.", "word", "`basic` or `alternative`", plain(one_of(CapitalMethod))),
        _amount("net_capital", "Net capital."),
        _amount("tentative_net_capital", "Net capital before haircuts."),
        _amount("aggregate_indebtedness", "Aggregate indebtedness."),
        _reference(),
    ),
    build=lambda row: FirmCapital(
        row["as_of"],
        row["method"],
        row["net_capital"],
        row["tentative_net_capital"],
        row["aggregate_indebtedness"],
        row["reference"],
    ),
    key_columns=("as_of",),
    key=lambda row: texts(row.as_of),
    on_change=OnChange.NEW_VERSION,
    examples=(("2026-01-30", "alternative", "9000000.00", "11000000.00", "4000000.00", "Net capital 2026-01"),),
)


def _build_month(row: Row) -> FocusMonthEnd:
    if (row["month_end"] + timedelta(days=1)).day != 1:
        raise ColumnProblem("month_end", "this is not the last day of a month")
    if row["filed_on"] <= row["month_end"]:
        raise ColumnProblem("filed_on", "a form is filed after its month-end")
    return FocusMonthEnd(
        row["month_end"], row["customer_credits"], row["pab_credits"], row["filed_on"], row["reference"]
    )


FOCUS_HISTORY = Table(
    name="focus_history",
    meaning="Total credits of filed month-end Forms X-17A-5; the latest twelve decide whether daily is due, (e)(3).",
    record_type=FocusMonthEnd,
    columns=(
        _day("month_end", "The month-end.", rule=DATE_RULE + "; the last day of a month"),
        _amount("customer_credits", "Total credits of the customer computation."),
        _amount("pab_credits", "Total credits of the PAB computation."),
        _day("filed_on", "Day the form was filed.", rule=DATE_RULE + "; after the month-end"),
        _reference(),
    ),
    build=_build_month,
    key_columns=("month_end",),
    key=lambda row: texts(row.month_end),
    on_change=OnChange.NEW_VERSION,
    examples=(
        ("2025-11-30", "1200000.00", "80000.00", "2025-12-23", "FOCUS 2025-11"),
        ("2025-12-31", "1300000.00", "80000.00", "2026-01-26", "FOCUS 2025-12"),
    ),
)


RESERVE_NOTICES = Table(
    name="reserve_notices",
    meaning="Notices that decide how often computations are due, 15c3-3(e)(3).",
    record_type=ReserveNotice,
    columns=(
        Column(
            "kind",
            "What was notified, or approved.",
            "word",
            ", ".join(f"`{kind}`" for kind in NoticeKind),
            plain(one_of(NoticeKind)),
        ),
        _day("given_on", "Day of the written notice, or from which the approval holds."),
        _reference("Where the notice can be looked up."),
    ),
    build=lambda row: ReserveNotice(row["kind"], row["given_on"], row["reference"]),
    key_columns=("kind", "given_on"),
    key=lambda row: texts(row.kind, row.given_on),
    on_change=OnChange.REFUSE,
    examples=(("voluntary_daily", "2026-01-15", "Letter 2026-7"),),
)

RESERVE_TABLES: Final = (
    RESERVE_ITEMS,
    RESERVE_ACCOUNTS,
    RESERVE_HOLDINGS,
    FIRM_CAPITAL,
    FOCUS_HISTORY,
    RESERVE_NOTICES,
)
