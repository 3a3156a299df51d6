"""`custody reserve` on the firm's books: derive, open a line down to its rows, project, and derive again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.clock import turned_clock
from tests.cli.command import Answer, Firm
from tests.cli.test_reserve import AT, FILES, lines, month_ends

AAPL = "cusip:037833100"
BOOKS = {
    "clients.csv": "client_id,name,opened_on,closed_on\nC-1,One,2025-01-02,\nC-2,Two,2025-01-02,\n",
    "assets.csv": (
        "asset_id,symbol,decimals,legal_class,legal_class_from,legal_class_reference,dust_limit\n"
        f"{AAPL},AAPL,0,security,2025-01-02,LEGAL-1,\n"
    ),
    "accounts.csv": (
        "as_of,account_id,client_id,holder_class,account_type,credit_balance,debit_balance\n"
        "2026-10-02,A-1,C-1,customer,cash,900000.00,0.00\n"
        "2026-10-02,A-2,C-1,customer,margin,0.00,200000.00\n"
        "2026-10-02,A-P,C-2,pab,cash,80000.00,0.00\n"
        "2026-10-02,A-F,,firm,cash,0.00,0.00\n"
    ),
    "stock_record.csv": (
        "as_of,line_id,security_id,place,side,quantity,price,account_id,location,counterparty,reference,since,"
        "contract_value,collateral,confirmed_on,closed\n"
        f"2026-10-02,L-1,{AAPL},account,long,1000,200.00,A-1,,,,,,,,\n"
        f"2026-10-02,L-2,{AAPL},account,long,1000,200.00,A-F,,,,,,,,\n"
        f"2026-10-02,L-3,{AAPL},depository,short,1500,200.00,,dtc:0123,DTC,,,,,,\n"
        f"2026-10-02,L-4,{AAPL},stock_loan,short,500,200.00,,,Borrower,,2026-09-30,99000.00,,,\n"
    ),
    "books_close.csv": (
        "as_of,file,rows,total,reference\n"
        "2026-10-02,accounts,4,1180000.00,Close\n"
        "2026-10-02,stock_record,4,4000,Close\n"
        "2026-10-02,clearing_margin,0,0,Close\n"
        "2026-10-02,liens,0,0,Close\n"
        "2026-10-02,other_amounts,0,0,Close\n"
    ),
}


@pytest.fixture
def kept(firm: Firm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Firm:
    """A firm with books of one day: 900,000 credits, 200,000 debits, 500 shares lent that customers own."""
    turned_clock(monkeypatch, AT)
    take(firm, tmp_path / "first", FILES | {"focus_history.csv": month_ends()} | BOOKS)
    return firm


def take(firm: Firm, folder: Path, texts: dict[str, str]) -> None:
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    answer = firm("import", folder)
    assert answer.code == 0, answer.out + answer.err


def projected(firm: Firm) -> dict[str, object]:
    found = firm("reserve", "show", "--json").json["purposes"]["customer"]["projected"]
    assert isinstance(found, dict)
    return found


def test_from_the_books_to_the_rows_of_a_line(kept: Firm) -> None:
    made = kept("reserve", "compute", "--as-of", "2026-10-02", "--json")
    # 900,000 + 100,000 for the loan at market less 200,000 lowered by 3 percent
    computation = made.json["computation"]
    assert (computation["customer_required"], computation["pab_required"]) == ("80600000", "8000000")
    opened = kept("reserve", "show", "RC-000001", "--item", "3", "--json").json
    (row,) = opened["rows"]
    assert (opened["cents"], row["row_id"], row["cents"]) == ("10000000", "stock:L-4/customer", "10000000")
    assert "stock_record.csv line 5 (" in row["source"]
    assert "item 3, Note C" in row["source"]
    (met,) = opened["allocations"]
    assert (met["owner"], met["place_line"], met["base_units"]) == ("customer", "L-4", "500")
    text = kept("reserve", "show", "RC-000001", "--item", "1").out
    assert "account:A-1" in text
    assert "900,000.00" in text
    assert kept("reserve", "show", "RC-000001", "--item", "1", "--kind", "pab", "--json").json["cents"] == "8000000"


def test_a_computation_of_the_books_is_derived_again_byte_for_byte(kept: Firm) -> None:
    kept("reserve", "compute", "--as-of", "2026-10-02")
    assert kept("reserve", "recompute", "RC-000001", "--json").json["same"] is True
    # A correction after the computation changes what is known now, and not what it was made of.
    row = ("as_of=2026-10-02", "account_id=A-1", "client_id=C-1", "holder_class=customer", "account_type=cash")
    assert kept("post", "accounts", *row, "credit_balance=900000.01", "debit_balance=0.00").code == 0
    assert kept("reserve", "recompute", "RC-000001", "--json").json["same"] is True
    # Another calendar of the firm's, or other books, would be said: here the books no longer agree with their close.
    again: Answer = kept("reserve", "compute", "--as-of", "2026-10-02", "--reason", "late row", "--json")
    assert (again.code, again.error) == (2, "bad-input")
    assert "1180000.00" in again.json["error"]["message"]


def test_one_posted_row_moves_the_projection_by_its_cents(kept: Firm) -> None:
    kept("reserve", "compute", "--as-of", "2026-10-02")
    assert projected(kept)["required"] == "80600000"
    row = ("as_of=2026-10-05", "account_id=A-1", "client_id=C-1", "holder_class=customer", "account_type=cash")
    assert kept("post", "accounts", *row, "credit_balance=900000.01", "debit_balance=0.00").code in (0, 1)
    found = projected(kept)
    assert found["required"] == "80600001"
    assert found["drivers"] == ["item 1 (credit) +0.01 by account:A-1 +0.01"]


def test_of_a_line_of_very_many_rows_those_posted_since_the_close_are_named(kept: Firm, tmp_path: Path) -> None:
    """Such a line carries sums and digests; who reads of a projected deficit still learns whose rows drive it."""
    many = "".join(f"2026-10-02,M-{n},C-1,customer,cash,{n}.00,0.00\n" for n in range(1, 601))
    head, close = BOOKS["accounts.csv"].splitlines()[0], BOOKS["books_close.csv"].splitlines()[0]
    total = 1_180_000 + 600 * 601 // 2
    texts = {
        "accounts.csv": f"{head}\n{many}",
        "books_close.csv": f"{close}\n2026-10-02,accounts,604,{total}.00,Close\n",
    }
    take(kept, tmp_path / "many", texts)
    assert "account:A-1 900000.00 (the largest), account:M-600 600.00" in str(projected(kept)["drivers"])
    kept("reserve", "compute", "--as-of", "2026-10-02")
    assert projected(kept)["drivers"] == []
    row = ("as_of=2026-10-05", "account_id=M-7", "client_id=C-1", "holder_class=customer", "account_type=cash")
    kept("post", "accounts", *row, "credit_balance=50000.00", "debit_balance=0.00")
    moved = "account:M-7 50000.00 (posted since the close), account:A-1 900000.00 (the largest)"
    assert moved in str(projected(kept)["drivers"])
    cases = kept("cases", "list", "--kind", "projected_reserve_deficit", "--json").json["cases"]
    assert any("account:M-7 50000.00 (posted since the close)" in str(case["text"]) for case in cases)


def test_a_day_with_stated_lines_and_books_needs_a_word(kept: Firm, tmp_path: Path) -> None:
    take(kept, tmp_path / "second", {"reserve_items.csv": lines({("customer", 1): "5.00"})})
    refused = kept("reserve", "compute", "--as-of", "2026-10-02", "--json")
    assert (refused.code, refused.error) == (2, "reserve-items")
    assert "--from stated or --from books" in refused.json["error"]["advice"]
    assert kept("reserve", "compute", "--as-of", "2026-10-02", "--from", "ledger", "--json").error == "bad-input"
    stated = kept("reserve", "compute", "--as-of", "2026-10-02", "--from", "stated", "--json").json["computation"]
    assert stated["customer_required"] == "500"
    (row,) = kept("reserve", "show", "RC-000001", "--item", "1", "--json").json["rows"]
    assert row["row_id"] == "stated:customer:1"
    ours = ("--from", "books", "--reason", "the books count", "--json")
    derived = kept("reserve", "compute", "--as-of", "2026-10-02", *ours).json["computation"]
    assert derived["customer_required"] == "80600000"


def test_a_day_of_which_nothing_is_known_is_refused(kept: Firm) -> None:
    refused = kept("reserve", "compute", "--as-of", "2026-09-25", "--json")
    assert (refused.code, refused.error) == (2, "reserve-items")
    assert "its books are not closed" in refused.json["error"]["message"]
    monthly = kept("reserve", "compute", "--as-of", "2026-10-02", "--monthly", "--json")
    assert (monthly.code, monthly.error) == (2, "reserve-schedule")


def test_a_record_that_does_not_balance_is_computed_and_said(kept: Firm) -> None:
    texts = {
        "accounts.csv": BOOKS["accounts.csv"].replace("2026-10-02", "2026-10-01"),
        "stock_record.csv": BOOKS["stock_record.csv"].replace("2026-10-02,", "2026-10-01,").replace(",1500,", ",1490,"),
        "books_close.csv": BOOKS["books_close.csv"].replace("2026-10-02", "2026-10-01").replace("4,4000", "4,3990"),
    }
    take(kept, kept.folder.parent / "uneven", texts)
    made = kept("reserve", "compute", "--as-of", "2026-10-01", "--extra", "--json").json["computation"]
    assert made["lines_from"] == "books"
    assert made["findings"] == [f"{AAPL}: 10 base units are long and stand nowhere; they are in item 7"]
    opened = kept("reserve", "show", "RC-000001", "--item", "7", "--json").json
    assert [(row["row_id"], row["cents"]) for row in opened["rows"]] == [(f"unbalanced:{AAPL}", "200000")]
    assert [(each["place"], each["base_units"]) for each in opened["allocations"]] == [("missing_place", "10")]
    assert "10 base units are long and stand nowhere" in kept("reserve", "show", "RC-000001").out
