"""The files of the reserve computations: complete, once, on the right side, and corrected without losing a word."""

from __future__ import annotations

import pytest

from mapping.known import MemoryBook
from mapping.reserve_types import ITEM_COUNT, ReserveBankAccount, ReserveItem, side_of
from tests.mapping.desk import Desk, only

SECURITY = {"holding": "T-1", "kind": "us_treasury", "priced_on": "2026-01-30"}
OTHER_ACCOUNT = {"account_id": "SRA-2"}


def lines(**changes: str) -> tuple[dict[str, str], ...]:
    """All thirty lines of a day."""
    return tuple(
        {"computation": kind, "item": str(item), "side": side_of(item), "amount": "0.00", **changes}
        for kind in ("customer", "pab")
        for item in range(1, ITEM_COUNT + 1)
    )


@pytest.mark.fault("D6")
def test_thirty_lines_of_a_day_are_a_statement(desk: Desk) -> None:
    result = desk.take(reserve_items=lines())
    assert [row.record.cents for row in result.records if isinstance(row.record, ReserveItem)] == [0] * 30


@pytest.mark.fault("D6")
@pytest.mark.parametrize("left_out", [0, 14, 15, 29])
def test_a_missing_line_is_no_zero(desk: Desk, left_out: int) -> None:
    every = lines()
    problem = only(desk.refused(reserve_items=(*every[:left_out], *every[left_out + 1 :])))
    missing = every[left_out]
    assert (problem.column, problem.value) == ("item", "")
    assert f"{missing['computation']} item {missing['item']} of 2026-01-30 is missing" in problem.reason


@pytest.mark.fault("D6")
def test_a_line_twice_contradicts(desk: Desk) -> None:
    problems = desk.refused(reserve_items=(*lines(), {**lines()[0], "amount": "1.00"}))
    assert any(problem.line == 32 and "contradicts line 2" in problem.reason for problem in problems)


@pytest.mark.fault("D6")
@pytest.mark.parametrize(
    ("change", "column", "words"),
    [
        ({"side": "debit"}, "side", "item 1 is a credit line"),
        ({"item": "16"}, "item", "line 16 is computed"),
        ({"item": "0"}, "item", "1 to 15"),
        ({"item": "01"}, "item", "1 to 15"),
        ({"amount": "-0.01"}, "amount", "negative"),
        ({"amount": "0.001"}, "amount", "decimals"),
        ({"amount": ""}, "amount", "a value is required"),
        ({"computation": "firm"}, "computation", "customer, pab"),
        ({"as_of": "2026-03-02"}, "as_of", "has not come"),
    ],
)
def test_a_line_has_its_side_its_number_and_no_sign(
    desk: Desk, change: dict[str, str], column: str, words: str
) -> None:
    problems = desk.post("reserve_items", **change).problems
    assert [(problem.column, words in problem.reason) for problem in problems] == [(column, True)]
    assert desk.post("reserve_items").ok


def test_a_correction_is_a_new_version_and_completes_what_stands(desk: Desk) -> None:
    desk.take(reserve_items=lines())
    result = desk.take(reserve_items=({**lines()[0], "amount": "5.00"},))
    assert (len(result.records), result.unchanged) == (1, 0)
    assert "new version" in result.notices[0].text
    assert isinstance(desk.book, MemoryBook)
    assert sum(each.cents for each in desk.book.all_records("reserve_items") if isinstance(each, ReserveItem)) == 500


@pytest.mark.parametrize(
    ("change", "column", "words"),
    [
        ({"account_id": "SRA-9"}, "account_id", "reserve_accounts.csv"),
        ({"market_value": ""}, "market_value", "explicit 0.00"),
        ({"priced_on": "2026-01-30"}, "priced_on", "cash has no price"),
        ({"holding": "T-1"}, "holding", "nothing else"),
        ({"kind": "us_treasury"}, "holding", "nothing else"),
        ({**SECURITY, "priced_on": ""}, "priced_on", "together"),
        ({**SECURITY, "market_value": ""}, "priced_on", "together"),
        ({**SECURITY, "priced_on": "2026-01-31"}, "priced_on", "later day"),
    ],
)
def test_what_a_bank_states(desk: Desk, change: dict[str, str], column: str, words: str) -> None:
    problems = desk.post("reserve_holdings", **change).problems
    assert [(problem.column, words in problem.reason) for problem in problems] == [(column, True)]
    assert desk.post("reserve_holdings").ok
    assert desk.post("reserve_holdings", **SECURITY).ok


def test_a_statement_has_a_row_for_cash(desk: Desk) -> None:
    assert "no row for cash" in only(desk.refused(reserve_holdings=(SECURITY,))).reason
    assert desk.give(reserve_holdings=({}, SECURITY)).ok
    desk.take(reserve_holdings=({},))
    assert desk.give(reserve_holdings=(SECURITY,)).ok


@pytest.mark.fault("D7")
def test_an_account_keeps_its_purpose_and_a_bank_has_one_equity(desk: Desk) -> None:
    later = {"account_id": "SRA-0", "effective_from": "2026-02-02"}
    assert "stays so" in only(desk.refused(reserve_accounts=({**later, "computation": "pab"},))).reason
    assert "another equity" in only(desk.refused(reserve_accounts=({**OTHER_ACCOUNT, "equity_capital": "1"},))).reason
    unpaired = only(desk.refused(reserve_accounts=({**OTHER_ACCOUNT, "equity_capital": ""},)))
    assert (unpaired.column, "together" in unpaired.reason) == ("call_report_on", True)
    result = desk.take(reserve_accounts=({**OTHER_ACCOUNT, "equity_capital": "", "call_report_on": ""}, later))
    first = result.records[0].record
    assert isinstance(first, ReserveBankAccount)
    assert (first.equity_capital, len(result.records)) == (None, 2)


@pytest.mark.parametrize(
    ("table", "change", "column"),
    [
        ("focus_history", {"month_end": "2025-12-30"}, "month_end"),
        ("focus_history", {"filed_on": "2025-12-31"}, "filed_on"),
        ("focus_history", {"filed_on": "2026-03-02"}, "filed_on"),
        ("firm_capital", {"method": "both"}, "method"),
        ("reserve_notices", {"given_on": "2026-03-02"}, "given_on"),
        ("reserve_notices", {"kind": "monthly"}, "kind"),
    ],
)
def test_capital_filings_and_notices(desk: Desk, table: str, change: dict[str, str], column: str) -> None:
    assert only(desk.post(table, **change).problems).column == column
    assert desk.post(table).ok
