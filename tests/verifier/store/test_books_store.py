"""The books in the store: what an import gave comes back, of any day and as known at any time, and is sealed."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from chains.types import AssetId, BlockRef, ChainId
from mapping.books_types import BooksFile, StockPlace
from mapping.bulk import RowPack
from mapping.importer import ImportOptions, post_row, read_files
from tests.mapping.desk import AAPL, BASE, USDC, csv_text, plugins, row_text
from tests.verifier.reserve.balance import unbalanced
from tests.verifier.store.tamper import run_sql, tamper
from verifier.errors import InputError
from verifier.journal import verify_journal
from verifier.reserve.books import books_closing_problems, overlaid, totals_of
from verifier.reserve.trades import SettlementAct, TradeSettlement, standing_settlements
from verifier.store import Store
from verifier.store.digest import state_digest

FRIDAY, MONDAY, TUESDAY = date(2026, 1, 30), date(2026, 2, 2), date(2026, 2, 3)
NOON = datetime(2026, 2, 3, 12, 0, tzinfo=UTC)
EVER = datetime(2026, 12, 31, tzinfo=UTC)
Row = dict[str, str]
STOCK: tuple[Row, ...] = (
    {"account_id": "A-1"},
    {"line_id": "L-2", "account_id": "A-2", "quantity": "90"},
    {
        "line_id": "L-3",
        "place": "depository",
        "side": "short",
        "account_id": "",
        "quantity": "100",
        "location": "dtc:0123",
    },
)
ACCOUNTS: tuple[Row, ...] = ({}, {"account_id": "A-2", "credit_balance": "0.00", "debit_balance": "20.00"})
CLOSES: tuple[Row, ...] = (
    {"file": "accounts", "rows": "2", "total": "1270.05"},
    {"file": "stock_record", "rows": "3", "total": "200"},
    {"file": "clearing_margin", "rows": "1", "total": "5000.00"},
    {"file": "liens", "rows": "1", "total": "15000.00"},
    {"file": "other_amounts", "rows": "1", "total": "250"},
)
DAY: dict[str, tuple[Row, ...]] = {
    "accounts": ACCOUNTS,
    "stock_record": STOCK,
    "clearing_margin": ({},),
    "liens": ({},),
    "other_amounts": ({},),
    "books_close": CLOSES,
}


class Desk:
    """Files into a store."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder
        self.moment = NOON
        base = {name: rows for name, rows in BASE.items() if name != "accounts"}
        self.take(**base)

    def take(self, **tables: tuple[Row, ...]) -> datetime:
        """Import rows; returns the moment as of which they are known."""
        paths = []
        for name, rows in tables.items():
            path = self.folder / f"{name}.csv"
            path.write_text(csv_text(name, rows))
            paths.append(path)
        self.moment += timedelta(minutes=1)
        with self.store.known() as known:
            result = read_files(paths, known, ImportOptions(now=self.moment), plugins)
        assert result.ok, [str(problem) for problem in result.problems]
        self.store.apply_import(result, "ops.maker", self.moment)
        return self.store.book_time(self.moment)

    def post(self, table: str, **changes: str) -> datetime:
        values = {name: text for name, text in row_text(table, **changes).items() if text}
        self.moment += timedelta(minutes=1)
        with self.store.known() as known:
            result = post_row(table, values, known, ImportOptions(now=self.moment), plugins)
        assert result.ok, [str(problem) for problem in result.problems]
        self.store.apply_import(result, "ops.maker", self.moment)
        return self.store.book_time(self.moment)


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path)


def test_a_closed_day_comes_back_with_all_its_rows(desk: Desk) -> None:
    known = desk.take(**DAY, account_relations=({"account_id": "A-1"},), securities=({},), control_locations=({},))
    books = desk.store.books(FRIDAY, known)
    assert [row.account_id for row in books.accounts] == ["A-1", "A-2"]
    assert [(line.line_id, line.base_units, line.place) for line in books.stock] == [
        ("L-1", 10, StockPlace.ACCOUNT),
        ("L-2", 90, StockPlace.ACCOUNT),
        ("L-3", 100, StockPlace.DEPOSITORY),
    ]
    assert (books.stock[0].price, books.stock[2].location_id) == (Decimal("230.10"), "dtc:0123")
    assert [each.asset.asset_id for each in books.assets] == [AAPL]
    parts = (books.relations, books.securities, books.control_locations, books.clearing_margin)
    assert [len(part) for part in (*parts, books.clearing_agencies, books.liens, books.other_amounts)] == [1] * 7
    assert desk.store.closed_days(known) == [FRIDAY]
    assert unbalanced(books) == {}
    assert verify_journal(desk.store).ok


@pytest.mark.parametrize(
    ("file", "changes", "words"),
    [
        ("accounts", {"rows": "3"}, "closed with 3 rows, 2 are on record"),
        ("stock_record", {"total": "201"}, "closed with a total of 201, the rows come to 200"),
        ("liens", {"rows": "0", "total": "0"}, "closed with 0 rows, 1 are on record"),
        ("other_amounts", {"total": "250.01"}, "the rows come to 250"),
        ("clearing_margin", None, "clearing_margin.csv of 2026-01-30 is not closed"),
    ],
)
def test_books_that_are_not_complete_are_refused_and_never_taken_for_zero(
    desk: Desk, file: str, changes: Row | None, words: str
) -> None:
    closes = tuple({**row, **(changes or {})} if row["file"] == file else row for row in CLOSES)
    if changes is None:
        closes = tuple(row for row in CLOSES if row["file"] != file)
    known = desk.take(**(DAY | {"books_close": closes}))
    with pytest.raises(InputError, match=words):
        desk.store.books(FRIDAY, known)
    if changes is None:
        assert desk.store.closed_days(known) == []
        known = desk.post("books_close", file="clearing_margin", rows="1", total="5000.00")
    else:
        right = next(row for row in CLOSES if row["file"] == file)
        known = desk.post("books_close", **right, reference="Second close")
    assert len(desk.store.books(FRIDAY, known).stock) == 3


def test_a_day_without_any_row_is_not_closed(desk: Desk) -> None:
    with pytest.raises(InputError, match="is not closed"):
        desk.store.books(MONDAY, EVER)
    assert desk.store.books_now(TUESDAY, EVER) is None
    assert desk.store.projected_books(TUESDAY, EVER, "UTC") is None


def test_a_correction_is_a_new_version_and_the_earlier_books_stay(desk: Desk) -> None:
    before = desk.take(**DAY)
    first = desk.store.books(FRIDAY, before)
    after = desk.take(
        stock_record=({**STOCK[0], "quantity": "20"}, *STOCK[1:]),
        books_close=({"file": "stock_record", "rows": "3", "total": "210"},),
    )
    assert [line.base_units for line in desk.store.books(FRIDAY, after).stock] == [90, 100, 20]
    assert desk.store.books(FRIDAY, before) == first
    assert unbalanced(desk.store.books(FRIDAY, after)) == {AssetId(AAPL): 10}
    origins = desk.store.books_origins("stock_record", FRIDAY, after, ["L-1", "L-3", "L-9"])
    assert {name: origin.line for name, origin in origins.items()} == {"L-1": 2, "L-3": 4}
    assert origins["L-1"].digest != origins["L-3"].digest
    assert desk.store.books_origins("accounts", FRIDAY, after, ["A-2"])["A-2"].source == "accounts.csv"
    assert verify_journal(desk.store).ok


def test_a_line_that_is_closed_is_no_more_and_counts_no_more(desk: Desk) -> None:
    before = desk.take(**DAY)
    known = desk.post("stock_record", closed="yes", quantity="0", account_id="A-1")
    with pytest.raises(InputError, match="closed with 3 rows, 2 are on record"):
        desk.store.books(FRIDAY, known)
    known = desk.post("books_close", file="stock_record", rows="2", total="190")
    assert [line.line_id for line in desk.store.books(FRIDAY, known).stock] == ["L-2", "L-3"]
    assert len(desk.store.books(FRIDAY, before).stock) == 3


def test_rows_of_later_days_lie_over_the_newest_closed_day(desk: Desk) -> None:
    before = desk.take(**DAY)
    desk.post("accounts", as_of="2026-02-02", credit_balance="1.00")
    desk.post("stock_record", as_of="2026-02-02", line_id="L-2", closed="yes", quantity="0", account_id="A-2")
    desk.post("liens", as_of="2026-02-02", amount="7.00")
    desk.post("stock_record", as_of="2026-02-02", account_id="A-2", line_id="L-4", security_id=USDC, price="1")
    known = desk.post("accounts", as_of="2026-02-03", credit_balance="2.00")
    on_monday, on_tuesday = (desk.store.books_now(day, known) for day in (MONDAY, TUESDAY))
    assert on_monday is not None
    assert on_tuesday is not None
    assert {row.account_id: row.credit_balance for row in on_monday.accounts} == {"A-1": 100, "A-2": 0}
    assert {row.account_id: row.credit_balance for row in on_tuesday.accounts} == {"A-1": 200, "A-2": 0}
    assert sorted(line.line_id for line in on_monday.stock) == ["L-1", "L-3", "L-4"]
    assert [lien.amount for lien in on_monday.liens] == [700]
    assert {each.asset.asset_id for each in on_monday.assets} == {AAPL, USDC}
    assert on_monday.as_of == FRIDAY
    assert desk.store.books_now(FRIDAY, known) == desk.store.books(FRIDAY, known)
    assert desk.store.books_now(TUESDAY, before) == desk.store.books(FRIDAY, before)


def test_facts_hold_from_their_day_and_evidence_that_ended_is_there_to_be_judged(desk: Desk) -> None:
    relation = {"account_id": "A-1", "effective_from": "2026-02-01", "unsecured_or_doubtful": "yes"}
    location = {"valid_until": "2026-01-31"}
    known = desk.take(
        **DAY,
        account_relations=({"account_id": "A-1"}, relation),
        control_locations=(location, {"location": "dtc:0456", "effective_from": "2026-02-01"}),
    )
    friday, now = desk.store.books(FRIDAY, known), desk.store.books_now(TUESDAY, known)
    assert now is not None
    assert [each.unsecured_or_doubtful for each in friday.relations] == [False]
    assert [each.unsecured_or_doubtful for each in now.relations] == [True]
    assert [each.location_id for each in friday.control_locations] == ["dtc:0123"]
    assert [each.location_id for each in now.control_locations] == ["dtc:0123", "dtc:0456"]


def test_totals_add_quantities_of_different_decimals_exactly(desk: Desk) -> None:
    line = {"line_id": "L-4", "account_id": "A-1", "security_id": USDC, "price": "1", "quantity": "0.000001"}
    known = desk.take(**(DAY | {"stock_record": (*STOCK, line), "books_close": CLOSES[:1]}))
    found = desk.store.stated_books(FRIDAY, known)
    assert totals_of(found)[BooksFile.STOCK_RECORD].total == Decimal("200.000001")
    assert len(books_closing_problems(found, desk.store.books_closes(known))) == 4
    assert overlaid(found, replace(found, accounts=(), stock=())) == found


def settlement(name: str, act: SettlementAct = SettlementAct.SETTLED) -> TradeSettlement:
    block = BlockRef(ChainId("eip155:1"), 7, f"0x{7:064x}", f"0x{6:064x}", NOON)
    return TradeSettlement(name, act, block, "0x" + "ab" * 32)


def test_settlements_are_recorded_once_and_reversed_by_a_record(desk: Desk) -> None:
    store, back = desk.store, settlement("T-1", SettlementAct.REVERSED)
    assert store.add_trade_settlements([back], "sweep", NOON) == []
    assert store.add_trade_settlements([settlement("T-1"), settlement("T-1")], "sweep", NOON) == [settlement("T-1")]
    settled = store.book_time(NOON)
    head = store.head()
    assert store.add_trade_settlements([settlement("T-1")], "sweep", NOON) == []
    assert store.head() == head  # doing it again leaves no trace
    assert store.add_trade_settlements([back, settlement("T-2")], "sweep", NOON) == [back, settlement("T-2")]
    assert [each.settlement for each in store.trade_settlements(EVER)] == [settlement("T-1"), back, settlement("T-2")]
    assert set(standing_settlements(store.trade_settlements(EVER))) == {"T-2"}
    assert set(standing_settlements(store.trade_settlements(settled))) == {"T-1"}
    assert verify_journal(store).ok


def test_a_stored_row_that_is_changed_afterwards_is_found(desk: Desk, database_url: str) -> None:
    desk.take(**DAY)
    before = state_digest(desk.store)
    tamper(database_url, "UPDATE stock_line SET base_units = '11' WHERE line_id = 'L-1'")
    assert not verify_journal(desk.store).ok
    assert state_digest(desk.store) != before


def test_no_row_of_the_books_is_changed_or_removed(desk: Desk, database_url: str) -> None:
    desk.take(**DAY)
    for act in ("UPDATE account_balance SET client_id = 'C-2'", "DELETE FROM stock_line"):
        with pytest.raises(sa.exc.DBAPIError, match="added, never changed"):
            run_sql(database_url, act)


@pytest.mark.fault("B15")
def test_packed_rows_take_a_few_bytes_each_however_many_they_are() -> None:
    def held(rows: int) -> int:
        tracemalloc.start()
        pack = RowPack("stock_record", "stock_record.csv", "0" * 64)
        for number in range(rows):
            pack.add(number + 2, ("2026-01-30", f"L-{number}", AAPL, "account", "long", "10", "230.1", "A-1"))
        size = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert sum(1 for _ in pack.rows()) == rows == len(pack)
        return size

    assert held(40_000) - held(20_000) < 20_000 * 20
