"""`custody reconcile` as an operator uses it: compare, see what differs, wait for what is missing, ask the status."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.clock import turned_clock
from tests.cli.command import Answer, Firm
from tests.cli.custodians import (
    BOOKS,
    CUSIP_APPLE,
    CUSIP_TREASURY,
    MONDAY,
    bank_statement,
    dtc_statement,
    keep_books,
    write,
)
from tests.verifier.custodians.write import APPLE, Line, Page, mt535


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The commands' clock, which the test turns."""
    return turned_clock(monkeypatch, MONDAY)


@pytest.fixture
def booked(firm: Firm, clock: list[datetime]) -> Firm:
    """A firm with its books, on a Monday."""
    keep_books(firm)
    return firm


def counts(answer: Answer) -> tuple[int, int, int, int]:
    found = answer.json
    return found["expected"], found["matched"], found["diverged"], found["unverified"]


def kinds(answer: Answer) -> list[tuple[str, str]]:
    return sorted((case["kind"], case["location"]) for case in answer.json["cases"])


def test_all_statements_are_there_and_agree(booked: Firm) -> None:
    assert booked("statement", "import", dtc_statement(booked), bank_statement(booked)).code == 0
    answer = booked("reconcile", "--as-of", "2026-11-20", "--json")
    assert (answer.code, counts(answer), answer.json["cases"]) == (0, (2, 2, 0, 0), [])
    shown = booked("reconcile", "--all")
    assert shown.code == 0
    assert "2 positions: 2 matched, 0 diverged, 0 unverified" in shown.out
    assert booked("reconciliations", "show", "SR-000001", "--json").json["problem"] is None
    assert [run["run_id"] for run in booked("reconciliations", "list", "--json").json["runs"]] == [
        "SR-000001",
        "SR-000002",
    ]
    assert booked("journal", "verify").code == 0
    status = booked("status", "--json")
    assert "securities" in status.json["rails"]
    assert status.json["securities"]["waiting"] == []
    assert "no books kept for possession or control" in " ".join(booked("status").out.split())


def test_a_difference_opens_a_case_that_stays_until_two_people_close_it(booked: Firm, clock: list[datetime]) -> None:
    assert booked("statement", "import", dtc_statement(booked, "1249"), bank_statement(booked)).code == 0
    answer = booked("reconcile", "--json")
    assert (answer.code, counts(answer)) == (1, (2, 1, 1, 0))
    (case,) = answer.json["cases"]
    assert (case["kind"], case["rail"], case["base_units"]) == ("shortfall", "securities", "-1")
    assert "DTC states 1,249 AAPL" in case["text"]
    status = booked("status", "--json")
    assert status.json["statuses"][0] == "segregation_exception"
    assert "1 position diverged from custodians' statements of 2026-11-20" in status.json["reasons"]
    clock[0] += timedelta(minutes=5)
    assert booked("statement", "import", dtc_statement(booked, number="087")).code == 0
    again = booked("reconcile", "--json")
    assert (again.code, counts(again)) == (0, (2, 2, 0, 0))
    shown = booked("cases", "show", case["case_id"], "--json").json
    assert [event["act"] for event in shown["events"]] == ["opened", "no_longer_seen"]
    assert shown["state"] == "open"
    assert booked("status", "--json").json["statuses"][0] == "segregation_exception"


@pytest.mark.fault("B18")
def test_without_todays_statement_nothing_is_compliant(booked: Firm, clock: list[datetime]) -> None:
    assert booked("statement", "import", bank_statement(booked)).code == 0
    clock[0] = datetime(2026, 11, 21, 15, tzinfo=UTC)  # Saturday: Monday's deadline is far away
    early = booked("reconcile", "--as-of", "2026-11-20", "--json")
    assert (early.code, counts(early)) == (2, (3, 1, 0, 2))
    assert kinds(early) == [("unverified", "dtc:0123")] * 2
    clock[0] = datetime(2026, 11, 23, 11, tzinfo=UTC)  # six in the morning in New York, two hours before
    warned = booked("reconcile", "--as-of", "2026-11-20", "--json")
    assert ("stale_observation", "dtc:0123") in kinds(warned)
    status = booked("status", "--json").json
    assert "unverified" in status["statuses"]
    reason = "the statement of DTC of 2026-11-20 for dtc:0123 is not there, due at 2026-11-23T13:00:00.000000Z"
    assert reason in status["reasons"]
    assert booked("statement", "import", dtc_statement(booked)).code == 0
    assert booked("reconcile", "--as-of", "2026-11-20", "--json").code == 0
    assert booked("status", "--json").json["securities"]["waiting"] == []


def test_what_the_custodian_calls_pledged_is_seen(booked: Firm) -> None:
    page = Page([Line(APPLE, "1250", available="1000", not_available="250", pledged="250")])
    pledged = write(booked, "pledged.fin", mt535(page))
    assert booked("statement", "import", pledged, bank_statement(booked)).code == 0
    answer = booked("reconcile", "--json")
    assert (answer.code, counts(answer)) == (1, (2, 2, 0, 0))
    (case,) = answer.json["cases"]
    assert (case["kind"], case["rail"], case["base_units"]) == ("encumbrance", "securities", "250")


def test_yesterdays_comparison_is_not_todays(booked: Firm, clock: list[datetime]) -> None:
    assert booked("statement", "import", dtc_statement(booked), bank_statement(booked)).code == 0
    assert booked("reconcile").code == 0
    clock[0] = datetime(2026, 11, 24, 15, tzinfo=UTC)
    waiting = booked("status", "--json").json["securities"]["waiting"]
    assert any("of 2026-11-20 last, those of 2026-11-23 are due" in each for each in waiting)
    assert sum("is not there" in each for each in waiting) == 2


def test_a_look_back_touches_no_newer_case(booked: Firm, clock: list[datetime]) -> None:
    assert booked("statement", "import", dtc_statement(booked, "1249"), bank_statement(booked)).code == 0
    (case,) = booked("reconcile", "--as-of", "2026-11-20", "--json").json["cases"]
    clock[0] += timedelta(minutes=1)
    before = booked("reconcile", "--as-of", "2026-11-19", "--json")
    assert (before.code, counts(before)[1]) == (2, 0)  # the books began a day later; no statement of that day
    events = booked("cases", "show", case["case_id"], "--json").json["events"]
    assert [event["act"] for event in events] == ["opened"]


def test_days_that_cannot_be_compared_are_refused(booked: Firm) -> None:
    for day, words in (("2026-11-23", "has not closed"), ("2026-11-21", "no banking day"), ("1999-01-04", "")):
        answer = booked("reconcile", "--as-of", day, "--json")
        assert answer.code == 2
        assert words in answer.json["error"]["message"]


def test_client_cash_in_an_operating_account_is_commingling(firm: Firm, clock: list[datetime]) -> None:
    accounts = BOOKS["custodian_accounts.csv"] + (
        "bank:OPS,2026-01-02,Example Bank,99-1,firm,The firm operating account,USD,,Form\n"
        "prime:P1,2026-01-02,Prime,55,clients,For customers,USD,,Form\n"
    )
    allocations = BOOKS["allocations.csv"] + (
        "C-1,customer,bank:OPS,iso4217:USD,250.00,2026-11-20T22:00:00Z\n"
        f"FIRM,proprietary,prime:P1,{CUSIP_APPLE},7,2026-11-20T22:00:00Z\n"
        f"C-1,customer,prime:P2,{CUSIP_TREASURY},1.00,2026-11-20T22:00:00Z\n"
    )
    keep_books(firm, custodian_accounts=accounts, allocations=allocations)
    assert firm("statement", "import", dtc_statement(firm), bank_statement(firm)).code == 0
    answer = firm("reconcile", "--as-of", "2026-11-20", "--json")
    assert answer.code == 1
    assert [each for each in kinds(answer) if each[0] == "commingling"] == [
        ("commingling", "bank:OPS"),
        ("commingling", "prime:P1"),
    ]
    cash = next(case for case in answer.json["cases"] if case["location"] == "bank:OPS" and case["asset_id"])
    assert {cash["kind"] for cash in answer.json["cases"] if cash["location"] == "prime:P2"} == {"unverified"}
    assert cash["asset_id"] == "iso4217:USD"
    assert firm("status", "--json").json["statuses"][0] == "segregation_exception"


@pytest.mark.parametrize(("legal_class", "undetermined"), [("security", False), ("undetermined", True)])
def test_a_security_of_undetermined_class_is_never_compliant(
    firm: Firm, clock: list[datetime], legal_class: str, undetermined: bool
) -> None:
    assets = BOOKS["assets.csv"].replace("AAPL,0,security", f"AAPL,0,{legal_class}")
    keep_books(firm, assets=assets)
    assert firm("statement", "import", dtc_statement(firm), bank_statement(firm)).code == 0
    assert firm("reconcile").code == 0
    status = firm("status", "--json").json
    assert ("the legal class of AAPL is undetermined" in status["reasons"]) == undetermined
    assert "compliant" not in status["statuses"]  # no chain was swept here


def test_a_changed_run_is_noticed(booked: Firm) -> None:
    assert booked("reconciliations", "show", "SR-000009", "--json").error == "bad-input"
    assert booked("reconciliations", "list").code == 2
