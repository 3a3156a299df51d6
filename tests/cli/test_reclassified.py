"""Who moves an account from one class to another is shown, and one person does not settle it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from mapping.books_types import AccountType, HolderClass
from tests.cli.command import Firm
from tests.cli.test_reserve_books import BOOKS, kept, take
from verifier.reserve.reclassified import AccountVersion, reclassifications

__all__ = ["kept"]
CUSTOMER, PAB, OTHER, FIRM = HolderClass
THURSDAY, FRIDAY = date(2026, 10, 1), date(2026, 10, 2)
A_1 = ("account_id=A-1", "client_id=C-1", "account_type=cash", "credit_balance=900000.00", "debit_balance=0.00")


def version(account: str, day: date, holder: HolderClass, cents: int = 5_00, actor: str = "clerk") -> AccountVersion:
    return AccountVersion(account, day, holder, AccountType.CASH, cents, actor)


def test_each_change_is_told_with_who_made_it_and_what_stayed_is_not() -> None:
    found = reclassifications(
        [
            version("A-1", THURSDAY, CUSTOMER),
            version("A-1", FRIDAY, OTHER),
            version("A-2", THURSDAY, CUSTOMER),
            version("A-2", FRIDAY, CUSTOMER, 7_00),
            version("A-3", FRIDAY, CUSTOMER),
            version("A-3", FRIDAY, OTHER, 9_00),  # a new version of the same day
            version("A-4", THURSDAY, CUSTOMER),
            version("A-4", FRIDAY, PAB, 1_00, "another"),
        ]
    )
    assert [(each.actor, each.after, each.accounts) for each in found] == [
        ("clerk", "non_customer cash", (("A-1", 5_00), ("A-3", 9_00))),
        ("another", "pab cash", (("A-4", 1_00),)),
    ]
    assert "brought by clerk, A-1 (5.00), A-3 (9.00) changed from customer cash to non_customer cash" in found[0].text()
    assert reclassifications([version("A-1", THURSDAY, CUSTOMER), version("A-2", FRIDAY, OTHER)]) == []


def test_an_account_more_is_another_matter_than_the_one_that_was_confirmed() -> None:
    one = [version("A-1", THURSDAY, CUSTOMER), version("A-1", FRIDAY, OTHER)]
    two = [version("A-2", THURSDAY, CUSTOMER), version("A-2", FRIDAY, OTHER)]
    (first,), (both,) = reclassifications(one), reclassifications([*one, *two])
    assert first.subject != both.subject
    many = [version(f"A-{n}", day, holder) for n in range(1, 9) for day, holder in ((THURSDAY, PAB), (FRIDAY, OTHER))]
    assert (
        " and 3 more changed from pab cash to non_customer cash: 40.00 US dollars" in reclassifications(many)[0].text()
    )


def _told(firm: Firm) -> list[dict[str, object]]:
    cases: list[dict[str, object]] = firm("cases", "list", "--all", "--json").json["cases"]
    return [each for each in cases if "a second person confirms it" in str(each["text"])]


@pytest.mark.fault("F1")
@pytest.mark.parametrize("as_of", ["2026-10-02", "2026-10-05"])
def test_a_class_changed_by_one_person_is_open_until_two_close_its_case(kept: Firm, as_of: str) -> None:
    """On the closed day itself count and total of the file stay what they were: nothing else would show it."""
    assert kept("reserve", "compute", "--as-of", "2026-10-02").code == 1
    assert _told(kept) == []
    assert kept("post", "accounts", f"as_of={as_of}", *A_1, "holder_class=non_customer", "--actor", "clerk").code == 0
    (case,) = _told(kept)
    assert (case["kind"], case["state"]) == ("unverified", "open")
    assert "brought by clerk, A-1 (900000.00) changed from customer cash to non_customer cash" in str(case["text"])
    assert "unverified" in kept("status", "--json").json["statuses"]
    case_id = str(case["case_id"])
    said = ("--text", "an officer's account")
    assert kept("cases", "propose", case_id, *said, "--actor", "clerk").code == 0
    assert kept("cases", "approve", case_id, "--text", "seen", "--actor", "clerk").code == 2
    assert kept("cases", "approve", case_id, "--text", "seen", "--actor", "ops.checker").code == 0
    kept("reserve", "check")
    assert [each["state"] for each in _told(kept)] == ["closed"]


def test_a_day_imported_with_another_class_is_told_and_one_with_other_balances_is_not(
    kept: Firm, tmp_path: Path
) -> None:
    day = {name: text.replace("2026-10-02,", "2026-10-01,") for name, text in BOOKS.items()}
    same = {name: day[name] for name in ("accounts.csv", "stock_record.csv", "books_close.csv")}
    same["accounts.csv"] = same["accounts.csv"].replace("A-P,C-2,pab", "A-P,C-2,customer")
    take(kept, tmp_path / "thursday", same)
    (case,) = _told(kept)
    assert "A-P (80000.00) changed from customer cash to pab cash" in str(case["text"])
