"""custodian_accounts: accounts outside any chain, once each at their custodian."""

from __future__ import annotations

from datetime import date, time

import pytest

from mapping.custodian_types import CustodianAccount, HeldFor
from tests.mapping.desk import OMNIBUS, Desk, at


def test_a_row_becomes_an_account(desk: Desk) -> None:
    (row,) = desk.post("custodian_accounts", location="bank:OPS", account="9900/1", statement_due="").records
    found = row.record
    assert isinstance(found, CustodianAccount)
    assert (found.held_for, found.currency, found.statement_due) == (HeldFor.BOTH, "USD", None)
    assert found.holds_on(date(2026, 1, 2))
    assert not found.holds_on(date(2026, 1, 1))
    due = desk.post("custodian_accounts").records[0].record
    assert isinstance(due, CustodianAccount)
    assert due.statement_due == time(8)


@pytest.mark.parametrize(
    ("changes", "column", "words"),
    [
        ({"location": at(OMNIBUS)}, "location", "wallets and pools have files of their own"),
        ({"held_for": "everyone"}, "held_for", "clients, firm, both"),
        ({"statement_due": "8:00"}, "statement_due", "hour:minute"),
        ({"statement_due": "24:00"}, "statement_due", "hour:minute"),
        ({"account": " 0123"}, "account", "the first a letter or digit"),
        ({"account": "x" * 36}, "account", "1 to 35 characters"),
        ({"currency": "usd"}, "currency", "ISO 4217"),
        ({"closed_on": "2026-01-01"}, "closed_on", "before the first"),
    ],
)
def test_what_is_wrong_is_named(desk: Desk, changes: dict[str, str], column: str, words: str) -> None:
    (problem,) = desk.post("custodian_accounts", **changes).problems
    assert problem.column == column
    assert words in problem.reason


@pytest.mark.fault("B17")
def test_one_account_of_a_custodian_is_one_location(desk: Desk) -> None:
    header = "location,effective_from,custodian,account,held_for,titling,statement_due,reference\n"
    first = "dtc:0123,2026-01-02,DTC,0123,both,The firm,08:00,Agreement\n"
    again = "dtc:0123,2026-06-01,DTC,0123,clients,The firm,08:00,Agreement\n"
    elsewhere = "dtc:0124,2026-01-02,DTC,0123,both,The firm,08:00,Agreement\n"
    other = "prime:0123,2026-01-02,Prime,0123,both,The firm,08:00,Agreement\n"
    assert desk.take(custodian_accounts=header + first + again + other).ok
    (problem,) = desk.refused(custodian_accounts=header + elsewhere)
    assert (problem.column, problem.value) == ("account", "0123")
    assert "is dtc:0123 already" in problem.reason
