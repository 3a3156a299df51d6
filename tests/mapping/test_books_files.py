"""The files of the firm's books: good rows are taken, and each rule has a row that breaks it."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from mapping.books_rows import BULK_FORMS
from mapping.books_types import AccountBalance, AccountRelation, BooksClose, StockLine, Trade
from mapping.importer import ImportResult
from mapping.tables import BOOKS_TABLES, table_named
from tests.mapping.desk import AAPL, ELSEWHERE, ETH, OMNIBUS, USD, Desk, at, csv_text, only, row_text

Row = dict[str, str]
TX = "0x" + "ab" * 32
CHAIN_LEG = {"rail": "chain", "asset_id": ETH, "chain_id": "eip155:1", "wallet": OMNIBUS, "tx_id": TX}
LONG = "x" * 65


def packed(result: ImportResult, table: str) -> list[tuple[int, AccountBalance | StockLine]]:
    """The rows of a bulk table with their lines."""
    (pack,) = (each for each in result.packs if each.table == table)
    return [(line, BULK_FORMS[table].record(row)) for line, row in pack.rows()]


def test_rows_of_a_day_are_packed_in_their_order_with_their_lines(desk: Desk) -> None:
    result = desk.take(
        accounts=({}, {"account_id": "A-2", "credit_balance": "0.00", "debit_balance": "7.10"}),
        stock_record=({}, {"line_id": "L-2", "account_id": "A-2", "quantity": "3"}),
    )
    assert result.records == ()
    assert result.row_count == 4
    assert not result.is_noop
    accounts, lines = packed(result, "accounts"), packed(result, "stock_record")
    assert [(line, row.account_id) for line, row in accounts] == [(2, "A-1"), (3, "A-2")]
    assert [row.debit_balance for _, row in accounts if isinstance(row, AccountBalance)] == [0, 710]
    assert [(row.base_units, row.price) for _, row in lines if isinstance(row, StockLine)] == [
        (10, Decimal("230.10")),
        (3, Decimal("230.10")),
    ]


def test_every_field_of_a_line_comes_back(desk: Desk) -> None:
    text = csv_text(
        "stock_record",
        (
            {
                "place": "stock_loan", "side": "short", "location": "dtc:0123", "counterparty": "Broker, Inc.",
                "reference": "SL-1", "since": "2026-01-05", "contract_value": "2301.00", "collateral": "2400.00",
            },
            {
                "line_id": "L-2", "place": "transfer", "side": "short", "since": "2026-01-02",
                "confirmed_on": "2026-01-20",
            },
        ),
    )  # fmt: skip
    (_, loan), (_, transfer) = packed(desk.take(stock_record=text), "stock_record")
    assert isinstance(loan, StockLine)
    assert isinstance(transfer, StockLine)
    assert (loan.contract_value, loan.collateral, loan.location_id) == (230100, 240000, "dtc:0123")
    assert (loan.counterparty, loan.reference, str(loan.since)) == ("Broker, Inc.", "SL-1", "2026-01-05")
    assert (str(transfer.confirmed_on), transfer.location_id, transfer.collateral) == ("2026-01-20", None, None)
    form = BULK_FORMS["stock_record"]
    assert [form.record(form.plain(line)) for line in (loan, transfer)] == [loan, transfer]


BAD_ROWS = {
    "both sides": ("accounts", {"debit_balance": "1.00"}, "", "not both"),
    "a negative balance": ("accounts", {"credit_balance": "-1.00"}, "credit_balance", "negative"),
    "an owner of the firm's account": ("accounts", {"holder_class": "firm"}, "", "owner"),
    "no owner of a customer's": ("accounts", {"client_id": ""}, "", "owner"),
    "an unknown client": ("accounts", {"client_id": "C-9"}, "client_id", "clients.csv"),
    "an account of tomorrow": ("accounts", {"as_of": "2026-03-02"}, "as_of", "not come"),
    "a line of tomorrow": (
        "stock_record", {"as_of": "2026-03-02", "place": "box", "side": "short", "account_id": ""}, "as_of", "not come",
    ),
    "money as a security": ("stock_record", {"security_id": USD}, "security_id", "accounts.csv"),
    "no quantity": ("stock_record", {"quantity": "0"}, "", "closes"),
    "a closed line with a quantity": ("stock_record", {"closed": "yes"}, "", "closes"),
    "half a share": ("stock_record", {"quantity": "0.5"}, "quantity", "decimals"),
    "an unknown account": ("stock_record", {"account_id": "A-9"}, "account_id", "accounts.csv"),
    "a position of nobody": ("stock_record", {"account_id": ""}, "", "names the account"),
    "a long depository": ("stock_record", {"place": "depository"}, "", "short"),
    "a fail without age": ("stock_record", {"place": "fail_to_receive", "side": "short"}, "", "since"),
    "a share in a wallet": ("stock_record", {"location": at(OMNIBUS)}, "asset_id", "chain"),
    "an unknown lien": (
        "stock_record",
        {"place": "bank_loan", "side": "short", "since": "2026-01-05", "reference": "LOAN-9"},
        "reference",
        "liens.csv",
    ),
    "an unknown agency": (
        "stock_record",
        {"place": "clearing_margin", "side": "short", "reference": "NOBODY"},
        "reference",
        "clearing_agencies.csv",
    ),
    "a relation of an unknown account": ("account_relations", {"account_id": "A-9"}, "account_id", "accounts.csv"),
    "more than all": ("account_relations", {"non_customer_share": "3/2"}, "non_customer_share", "at most 1"),
    "a share in percent": ("account_relations", {"non_customer_share": "25%"}, "non_customer_share", "decimal"),
    "a consent to come": (
        "account_relations", {"lending_consent_on": "2026-03-02"}, "lending_consent_on", "not come",
    ),
    "evidence to come": ("control_locations", {"evidence_on": "2026-03-02"}, "evidence_on", "not come"),
    "an unknown wallet": ("control_locations", {"location": at(ELSEWHERE)}, "location", "wallets.csv"),
    "evidence that ended before": ("control_locations", {"valid_until": "2026-01-01"}, "valid_until", "before"),
    "margin of an unknown agency": ("clearing_margin", {"agency": "NOBODY"}, "agency", "clearing_agencies.csv"),
    "a form of item 15 for options": ("clearing_margin", {"held_as": "firm_cash"}, "held_as", "margin for options is"),
    "a form of options for item 15": (
        "clearing_margin", {"agency_kind": "treasuries", "client_id": "C-1", "held_as": "cash"}, "held_as", "not as ",
    ),
    "item 15 of nobody": ("clearing_margin", {"agency_kind": "treasuries"}, "client_id", "customer by customer"),
    "margin of an unknown client": (
        "clearing_margin", {"agency_kind": "treasuries", "client_id": "C-9", "held_as": "customer_cash"}, "client_id",
        "clients.csv",
    ),
    "a suspense credit without age": ("other_amounts", {"nature": "suspense_credit"}, "since", "age"),
    "a relief of an unknown account": ("pab_reliefs", {"account_id": "A-9"}, "account_id", "accounts.csv"),
    "a sweep to come": ("pab_reliefs", {"done_at": "2026-03-02T00:00:00Z"}, "done_at", "not come"),
    "a trade of an unknown account": ("trades", {"account_id": "A-9"}, "account_id", "accounts.csv"),
    "a chain leg without a wallet": ("trades", CHAIN_LEG | {"wallet": ""}, "wallet", "names its chain"),
    "a chain leg of a share": ("trades", CHAIN_LEG | {"asset_id": AAPL}, "asset_id", "chain"),
    "a leg in a strange wallet": ("trades", CHAIN_LEG | {"wallet": ELSEWHERE}, "wallet", "wallets.csv"),
    "a chain leg that somebody settled": (
        "trades", CHAIN_LEG | {"settled_on": "2026-01-30"}, "settled_on", "by its block",
    ),
    "capitals in a transaction": ("trades", CHAIN_LEG | {"tx_id": TX.replace("a", "A")}, "tx_id", "lower case"),
    "a transaction of another rail": ("trades", {"tx_id": TX}, "tx_id", "chain leg"),
    "settled before it was traded": (
        "trades", {"settlement_date": "2026-01-28"}, "settlement_date", "before trade_date",
    ),
    "a total with a sign": ("books_close", {"total": "+5"}, "total", "plain decimal"),
    "rows in words": ("books_close", {"rows": "1e3"}, "rows", "plain digits"),
}  # fmt: skip


@pytest.mark.parametrize(("table", "changes", "column", "words"), BAD_ROWS.values(), ids=BAD_ROWS.keys())
def test_a_bad_row_is_named_with_its_column(desk: Desk, table: str, changes: Row, column: str, words: str) -> None:
    problem = only(desk.refused(**{table: (changes,)}))
    assert (problem.file, problem.line, problem.column) == (f"{table}.csv", 2, column)
    assert words in problem.reason


@pytest.mark.parametrize("table", [each.name for each in BOOKS_TABLES])
def test_each_file_has_a_good_row_and_the_same_file_again_says_nothing(desk: Desk, table: str) -> None:
    first = desk.take(**{table: ({},)})
    assert first.row_count == 1
    again = desk.give(**{table: csv_text(table, ({},)) + "# rows: 1\n"})
    assert again.ok
    assert (again.row_count, again.unchanged, again.is_noop) == (0, 1, True)


@pytest.mark.parametrize("table", [each.name for each in BOOKS_TABLES])
def test_each_row_can_be_posted_and_is_checked_like_a_row_of_a_file(desk: Desk, table: str) -> None:
    good = desk.post(table)
    assert good.ok, [str(problem) for problem in good.problems]
    assert good.row_count == 1
    key = next(name for name in table_named(table).key_columns if name not in ("as_of", "effective_from"))
    bad = desk.post(table, **{key: LONG})
    assert [problem.column for problem in bad.problems] == [key]
    assert bad.row_count == 0


def test_a_row_twice_names_both_lines_and_whether_they_agree(desk: Desk) -> None:
    same = only(desk.refused(stock_record=({}, {})))
    assert (same.line, same.column) == (3, "line_id")
    assert "the same row is on line 2" in same.reason
    other = only(desk.refused(accounts=({}, {"account_id": "A-2"}, {"credit_balance": "1.00"})))
    assert (other.line, other.column) == (4, "account_id")
    assert "another row of the same day and id is on line 2" in other.reason
    desk.take(accounts=({}, {"as_of": "2026-01-29"}))  # of another day it is another row


def test_a_changed_row_is_a_new_version_and_an_unchanged_one_is_dropped(desk: Desk) -> None:
    desk.take(accounts=({}, {"account_id": "A-2"}))
    result = desk.take(accounts=({"credit_balance": "1.00"}, {"account_id": "A-2"}))
    assert [row.account_id for _, row in packed(result, "accounts")] == ["A-1"]
    assert result.unchanged == 1
    assert ["1 row is a new version" in str(notice) for notice in result.notices] == [True]


@pytest.mark.fault("D4")
def test_a_security_has_one_price_on_a_day_also_with_what_is_recorded(desk: Desk) -> None:
    problems = desk.refused(stock_record=({}, {"line_id": "L-2", "price": "230.11"}))
    assert [(each.line, each.column) for each in problems] == [(2, "price"), (3, "price")]
    desk.take(stock_record=({}, {"line_id": "L-2", "price": "230.1"}, {"line_id": "L-3", "as_of": "2026-01-30"}))
    assert only(desk.refused(stock_record=({"line_id": "L-4", "price": "1"},))).column == "price"
    assert desk.post("stock_record", line_id="L-4", price="1").problems
    assert desk.post("stock_record", line_id="L-4", price="230.10").ok
    # a file that replaces every line of the security may correct its price
    desk.take(stock_record=tuple({"line_id": f"L-{n}", "price": "231"} for n in (1, 2, 3)))


def test_a_closed_line_takes_back_an_earlier_one_and_holds_no_price(desk: Desk) -> None:
    desk.take(stock_record=({}, {"line_id": "L-2"}))
    result = desk.post("stock_record", closed="yes", quantity="0", price="0")
    assert result.ok, result.problems
    ((_, line),) = packed(result, "stock_record")
    assert isinstance(line, StockLine)
    assert (line.closed, line.base_units) == (True, 0)


def test_a_file_wants_accounts_of_its_day_a_posted_row_those_of_a_day_before(desk: Desk) -> None:
    later = {"as_of": "2026-02-02"}
    assert only(desk.refused(stock_record=(later,))).column == "account_id"
    assert desk.post("stock_record", **later).ok
    assert desk.post("stock_record", **later, account_id="A-9").problems
    desk.take(accounts=({"account_id": "A-0", **later},), stock_record=(later,))


def test_a_posted_pledge_may_name_a_lien_of_a_day_before(desk: Desk) -> None:
    pledge = {"place": "bank_loan", "side": "short", "since": "2026-01-05", "reference": "LOAN-1"}
    desk.take(liens=({},), stock_record=(pledge,))
    later = {**pledge, "line_id": "L-2", "as_of": "2026-02-02"}
    assert desk.post("stock_record", **later).ok
    assert only(
        desk.refused(accounts=({"account_id": "A-0", "as_of": "2026-02-02"},), stock_record=(later,))
    ).column == ("reference")


def test_shares_and_totals_are_exact(desk: Desk) -> None:
    result = desk.take(
        account_relations=({"non_customer_share": "1/3"},), books_close=({"total": "123456789012345678901.123456789"},)
    )
    relation, close = (each.record for each in result.records)
    assert isinstance(relation, AccountRelation)
    assert isinstance(close, BooksClose)
    assert relation.non_customer_share == Fraction(1, 3)
    assert close.total == Decimal("123456789012345678901.123456789")


def test_a_chain_leg_names_its_transaction(desk: Desk) -> None:
    (trade,) = (each.record for each in desk.take(trades=(CHAIN_LEG,)).records)
    assert isinstance(trade, Trade)
    assert (trade.tx_id, trade.wallet, trade.base_units) == (TX, OMNIBUS, 5 * 10**18)


def test_a_problem_in_one_file_keeps_all_rows_of_all_files_out(desk: Desk) -> None:
    result = desk.give(accounts=({},), stock_record=({"account_id": "A-9"},))
    assert not result.ok
    assert (result.records, result.packs, result.row_count) == ((), (), 0)


def test_nothing_is_said_of_what_an_unreadable_file_may_hold(desk: Desk) -> None:
    bad = row_text("accounts", account_id="A-7", credit_balance="x")
    problem = only(desk.refused(accounts=(bad,), stock_record=({"account_id": "A-7"},)))
    assert problem.file == "accounts.csv"
