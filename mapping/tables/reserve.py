"""reserve_items and the files beside it: what the reserve computations of 15c3-3(e) are made from."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from chains.errors import InvalidValue
from mapping.columns import Column, ColumnProblem, OnChange, Row, Table
from mapping.fields import one_of, parse_id, parse_name, parse_yes_no
from mapping.reserve_types import (
    ITEM_COUNT,
    BankMovement,
    CapitalMethod,
    FirmCapital,
    FocusMonthEnd,
    HoldingKind,
    ItemSide,
    MovementSide,
    NoticeKind,
    ReserveBankAccount,
    ReserveHolding,
    ReserveItem,
    ReserveNotice,
    ReserveSweep,
    side_of,
)
from mapping.tables.shared import (
    DATE_RULE,
    ID_RULE,
    NAME_RULE,
    computation_column,
    day_column,
    dollars_column,
    plain,
    reference_column,
    texts,
)


def _item(text: str) -> object:
    if text not in {str(number) for number in range(1, ITEM_COUNT + 1)}:
        raise InvalidValue(f"must be an item of Exhibit A, 1 to {ITEM_COUNT}; the result of line 16 is computed")
    return int(text)


def _build_item(row: Row) -> ReserveItem:
    if row["side"] is not side_of(row["item"]):
        raise ColumnProblem("side", f"item {row['item']} is a {side_of(row['item'])} line")
    return ReserveItem(row["as_of"], row["computation"], row["item"], row["amount"], row["reference"])


RESERVE_ITEMS = Table(
    name="reserve_items",
    meaning="Stated lines of the reserve computations, Exhibit A of 15c3-3 (17 CFR 240.15c3-3a): see rules.md.",
    record_type=ReserveItem,
    columns=(
        day_column("as_of", "The figures are of this day's close."),
        computation_column(),
        Column("item", "Line of Exhibit A.", "number", f"1 to {ITEM_COUNT}; line 16 is computed", plain(_item)),
        Column(
            "side",
            "Side of the line: a second look at its number.",
            "word",
            "`credit` for 1 to 9, `debit` for 10 to 15",
            plain(one_of(ItemSide)),
        ),
        dollars_column(
            "amount", "The line's amount; item 10 after Note E(1), (2), (4), (5), (6), before any percentage."
        ),
        reference_column(),
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
        day_column("effective_from", "First day on which the row holds."),
        computation_column(),
        Column("bank_id", "The firm's id of the bank.", "id", ID_RULE, plain(parse_id)),
        Column(
            "bank_affiliated",
            "Whether the bank is an affiliate of the firm; its cash counts nothing.",
            "yes/no",
            "`yes` or `no`",
            plain(parse_yes_no),
        ),
        dollars_column(
            "equity_capital",
            "The bank's equity capital by its most recent Call Report.",
            required=False,
            rule="plain decimal, at most two decimals; while it is empty no cash at the bank counts",
        ),
        day_column("call_report_on", "Date of that Call Report.", required=False),
        day_column("notified_on", "Date of the bank's written notification, (f).", required=False),
        day_column("no_lien_contract_on", "Date of the written no-lien contract, (f).", required=False),
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
        day_column("as_of", "The statement is of this day's close."),
        Column("holding", "What is held.", "id", "`cash`, or the id of a security", plain(parse_id)),
        Column(
            "kind",
            "What it is; by policy only some kinds count.",
            "word",
            ", ".join(f"`{kind}`" for kind in HoldingKind),
            plain(one_of(HoldingKind)),
        ),
        dollars_column(
            "market_value",
            "Cash, or market value; never face value.",
            required=False,
            rule="plain decimal, at most two decimals; empty for a security without a price, which counts nothing",
        ),
        day_column("priced_on", "Day of the price; empty for cash.", required=False),
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
        day_column("as_of", "The figures are of this day's close, and hold until a later row."),
        Column("method", "Method of net capital.", "word", "`basic` or `alternative`", plain(one_of(CapitalMethod))),
        dollars_column("net_capital", "Net capital."),
        dollars_column("tentative_net_capital", "Net capital before haircuts."),
        dollars_column("aggregate_indebtedness", "Aggregate indebtedness."),
        reference_column(),
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
        day_column("month_end", "The month-end.", rule=DATE_RULE + "; the last day of a month"),
        dollars_column("customer_credits", "Total credits of the customer computation."),
        dollars_column("pab_credits", "Total credits of the PAB computation."),
        day_column("filed_on", "Day the form was filed.", rule=DATE_RULE + "; after the month-end"),
        reference_column(),
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
        day_column("given_on", "Day of the written notice, or from which the approval holds."),
        reference_column("Where the notice can be looked up."),
    ),
    build=lambda row: ReserveNotice(row["kind"], row["given_on"], row["reference"]),
    key_columns=("kind", "given_on"),
    key=lambda row: texts(row.kind, row.given_on),
    on_change=OnChange.REFUSE,
    examples=(("voluntary_daily", "2026-01-15", "Letter 2026-7"),),
)


def _build_movement(row: Row) -> BankMovement:
    if not row["amount"]:
        raise ColumnProblem("amount", "a movement has an amount above zero; its direction says which way it went")
    return BankMovement(
        row["account_id"],
        row["bank_reference"],
        row["value_on"],
        row["direction"],
        row["amount"],
        row["instruction_id"] or "",
        row["text"] or "",
    )


BANK_MOVEMENTS = Table(
    name="bank_movements",
    meaning="Entries of banks' statements of the reserve accounts, held against deposit and withdrawal instructions.",
    record_type=BankMovement,
    columns=(
        Column("account_id", "The account.", "id", "an account_id of reserve_accounts.csv", plain(parse_id)),
        Column("bank_reference", "The bank's own id of the entry.", "id", ID_RULE, plain(parse_id)),
        day_column("value_on", "Value date."),
        Column(
            "direction",
            "Which way the money went, seen from the account.",
            "word",
            "`deposit` or `withdrawal`",
            plain(one_of(MovementSide)),
        ),
        dollars_column("amount", "How much.", rule="plain decimal, at most two decimals, above zero"),
        Column(
            "instruction_id",
            "The instruction that the bank names.",
            "id",
            ID_RULE + "; empty when it names none",
            plain(parse_id),
            required=False,
        ),
        Column("text", "The bank's words.", "text", NAME_RULE, plain(parse_name), required=False),
    ),
    build=_build_movement,
    key_columns=("account_id", "bank_reference"),
    key=lambda row: texts(row.account_id, row.bank_reference),
    on_change=OnChange.NEW_VERSION,
    examples=(
        ("SRA-CUSTOMER", "BNK-20260203-17", "2026-02-03", "deposit", "62000.00", "RI-000001", "Incoming wire"),
        ("SRA-PAB", "BNK-20260203-18", "2026-02-03", "withdrawal", "500.00", "", ""),
    ),
    notes=("Every entry is stated: one that no approved instruction explains is a finding.",),
)


def _build_sweep(row: Row) -> ReserveSweep:
    if row["swept_on"] <= row["as_of"]:
        raise ColumnProblem("swept_on", "a sweep comes after the as-of date")
    return ReserveSweep(row["as_of"], row["swept_on"], row["amount"], row["reference"])


RESERVE_SWEEPS = Table(
    name="reserve_sweeps",
    meaning="Customers' credits swept after an as-of date, 15c3-3(j)(2)(ii); they count only where the firm chose so.",
    record_type=ReserveSweep,
    columns=(
        day_column("as_of", "The computation's as-of date, at which they were still credits."),
        day_column("swept_on", "Day of the sweep; only the business day after the as-of date counts."),
        dollars_column("amount", "How much was swept."),
        reference_column("Where the sweep can be looked up; unique within the as-of date."),
    ),
    build=_build_sweep,
    key_columns=("as_of", "reference"),
    key=lambda row: texts(row.as_of, row.reference),
    on_change=OnChange.NEW_VERSION,
    examples=(("2026-01-30", "2026-02-02", "20000.00", "Sweep 2026-02-02"),),
    notes=("Without `sweep_credits_from` in custody.toml a sweep changes nothing. It never permits a withdrawal.",),
)

RESERVE_TABLES: Final = (
    RESERVE_ITEMS,
    RESERVE_ACCOUNTS,
    RESERVE_HOLDINGS,
    FIRM_CAPITAL,
    FOCUS_HISTORY,
    RESERVE_NOTICES,
    BANK_MOVEMENTS,
    RESERVE_SWEEPS,
)
