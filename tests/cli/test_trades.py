"""`custody trades`: the trades that were posted, how far each is, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.clock import turned_clock
from tests.cli.command import Firm

FILES = {
    "clients.csv": "client_id,name,opened_on\nC-1,One,2025-01-02\n",
    "assets.csv": (
        "asset_id,symbol,decimals,legal_class,legal_class_from,legal_class_reference,dust_limit\n"
        "cusip:037833100,AAPL,0,security,2025-01-02,LEGAL-1,\n"
    ),
    "accounts.csv": (
        "as_of,account_id,client_id,holder_class,account_type,credit_balance,debit_balance\n"
        "2026-10-02,A-1,C-1,customer,cash,900000.00,0.00\n"
    ),
    "trades.csv": (
        "trade_id,account_id,side,asset_id,quantity,contract_amount,price,trade_date,settlement_date,rail,settled_on\n"
        "T-1,A-1,buy,cusip:037833100,5,1150.50,230.10,2026-10-01,2026-10-02,dtc,2026-10-02\n"
        "T-2,A-1,sell,cusip:037833100,7,1600.00,230.10,2026-10-01,2026-10-02,dtc,\n"
        "T-3,A-1,buy,cusip:037833100,1,230.10,230.10,2026-10-02,2026-10-06,dtc,\n"
    ),
}


@pytest.fixture
def kept(firm: Firm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Firm:
    """A firm with three trades, one of each state, on the Monday."""
    turned_clock(monkeypatch, datetime(2026, 10, 5, 12, 0, tzinfo=UTC))
    folder = tmp_path / "first"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    answer = firm("import", folder)
    assert answer.code == 0, answer.out + answer.err
    return firm


def test_the_trades_are_listed_with_their_state(kept: Firm) -> None:
    found = kept("trades", "list", "--json")
    assert found.code == 0
    assert [(each["trade_id"], each["state"]) for each in found.json["trades"]] == [
        ("T-1", "settled"),
        ("T-2", "failing"),
        ("T-3", "pending"),
    ]
    failing = kept("trades", "list", "--state", "failing").out
    assert "T-2" in failing
    assert "1,600.00" in failing
    assert "T-1" not in failing


def test_one_trade_is_shown_in_full(kept: Firm) -> None:
    text = kept("trades", "show", "T-1")
    assert text.code == 0
    assert "A-1: buy 5 AAPL for 1,150.50 US dollars, due 2026-10-02 on dtc" in text.out
    shown = kept("trades", "show", "T-1", "--json").json
    assert (shown["settled_on"], shown["base_units"], shown["contract_amount"]) == ("2026-10-02", "5", "115050")
    assert shown["history"] == []


def test_what_is_not_there_is_refused(kept: Firm) -> None:
    missing = kept("trades", "show", "T-9")
    assert (missing.code, "there is no trade T-9" in missing.err) == (2, True)
    lost = kept("trades", "list", "--state", "lost")
    assert (lost.code, "--state is one of" in lost.err) == (2, True)


def test_no_trade_at_all_is_nothing_checked(firm: Firm) -> None:
    none = firm("trades", "list", "--json")
    assert (none.code, none.json["trades"]) == (2, [])


def test_a_row_is_posted_and_moves_the_trade(kept: Firm) -> None:
    row = ["trade_id=T-2", "account_id=A-1", "side=sell", "asset_id=cusip:037833100", "quantity=7", "rail=dtc"]
    row += ("contract_amount=1600.00", "price=230.10", "trade_date=2026-10-01", "settlement_date=2026-10-02")
    assert kept("post", "trades", *row, "settled_on=2026-10-05").code == 0
    assert kept("trades", "show", "T-2", "--json").json["state"] == "settled"
    refused = kept("post", "trades", *row, "settled_on=2026-10-09")
    assert (refused.code, "has not come yet" in refused.out) == (2, True)
