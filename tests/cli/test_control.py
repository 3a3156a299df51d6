"""`custody control` as an operator uses it: review, look, act by two people, substitute, and repeat byte for byte."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.clock import turned_clock
from tests.cli.command import Answer, Firm

MONDAY = datetime(2026, 10, 5, 16, 0, tzinfo=UTC)
"""Noon in New York; Friday's books are reviewed on this day."""
A, B = "cusip:037833100", "cusip:594918104"
DAY = "2026-10-02"
STOCK = (
    "as_of,line_id,security_id,place,side,quantity,price,account_id,location,counterparty,reference,since,"
    "contract_value,collateral,confirmed_on,closed\n"
)


def stock(*lines: str, day: str = DAY) -> str:
    """The stock record of a day; a line is `id security place side quantity price account location since contract`."""
    rows = []
    for line in lines:
        name, security, place, side, units, price, account, location, since, contract = (
            "" if each == "-" else each for each in line.split()
        )
        lien = "LIEN" if place == "bank_loan" else ""
        rows.append(
            f"{day},{name},{security},{place},{side},{units},{price},{account},{location},,{lien},{since},{contract},,,"
        )
    return STOCK + "".join(row + "\n" for row in rows)


def closes(accounts: tuple[int, str], lines: tuple[int, int], day: str = DAY) -> str:
    counts = {"accounts": accounts, "stock_record": lines, "liens": (1, "5000.00")}
    rows = [
        f"{day},{file},{counts.get(file, (0, 0))[0]},{counts.get(file, (0, 0))[1]},Close\n"
        for file in ("accounts", "stock_record", "clearing_margin", "liens", "other_amounts")
    ]
    return "as_of,file,rows,total,reference\n" + "".join(rows)


def liens(day: str = DAY) -> str:
    return f"as_of,lien_id,lender,kind,amount\n{day},LIEN,Bank,firm,5000.00\n"


def balances(day: str = DAY) -> str:
    return (
        "as_of,account_id,client_id,holder_class,account_type,credit_balance,debit_balance\n"
        f"{day},M-1,C-1,customer,margin,0.00,50000.00\n"
        f"{day},F,,firm,cash,0.00,0.00\n"
    )


FILES = {
    "clients.csv": "client_id,name,opened_on,closed_on\nC-1,One,2025-01-02,\n",
    "assets.csv": (
        "asset_id,symbol,decimals,legal_class,legal_class_from,legal_class_reference,dust_limit\n"
        f"{A},AAPL,0,security,2025-01-02,LEGAL-1,\n"
        f"{B},MSFT,0,security,2025-01-02,LEGAL-1,\n"
    ),
    "control_locations.csv": (
        "location,effective_from,paragraph,evidence_on,reference,valid_until\n"
        "dtc:0123,2025-01-02,c1,2025-01-02,Participant agreement,\n"
    ),
    "accounts.csv": balances(),
    "liens.csv": liens(),
    # 200,000 dollars of securities against 70,000 that stay free: 650 of A, by its id, are locked up
    "stock_record.csv": stock(
        f"L-1 {A} account long 500 200.00 M-1 - - -",
        f"L-2 {B} account long 500 200.00 M-1 - - -",
        f"L-3 {A} depository short 300 200.00 - dtc:0123 - -",
        f"L-4 {A} stock_loan short 150 200.00 - - 2026-09-30 30000.00",
        f"L-5 {A} bank_loan short 50 200.00 - - 2026-09-30 -",
        f"L-6 {B} depository short 500 200.00 - dtc:0123 - -",
    ),
    "books_close.csv": closes((2, "50000.00"), (6, 2000)),
}


def set_clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The commands' clock, which the test turns."""
    return turned_clock(monkeypatch, MONDAY)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    return set_clock(monkeypatch)


def take(firm: Firm, folder: Path, texts: dict[str, str]) -> None:
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    answer = firm("import", folder)
    assert answer.code == 0, answer.out + answer.err


@pytest.fixture(scope="module")
def template(firm_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A firm that owes 500 of A locked up and has 300 in control; of B it has 350 more than it must."""
    folder = tmp_path_factory.mktemp("kept")
    shutil.copytree(firm_template, folder / "firm")
    with pytest.MonkeyPatch.context() as patched:
        set_clock(patched)
        patched.setenv("MAINNET_RPC_URL", "http://127.0.0.1:1")
        take(Firm(folder / "firm"), folder / "first", FILES)
    return folder / "firm"


@pytest.fixture
def kept(template: Path, tmp_path: Path, clock: list[datetime], monkeypatch: pytest.MonkeyPatch) -> Firm:
    shutil.copytree(template, tmp_path / "firm")
    monkeypatch.delenv("MAINNET_RPC_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    return Firm(tmp_path / "firm")


def review(firm: Firm, *more: str) -> dict[str, Any]:
    return firm("control", "review", "--as-of", DAY, "--json", *more).json


def short(answer: dict[str, Any]) -> dict[str, str]:
    return {each["security_id"]: each["deficit"] for each in answer["last"]["deficits"]}


def test_a_review_says_what_is_short_until_when_and_from_where(kept: Firm) -> None:
    answer = kept("control", "review", "--as-of", DAY, "--json")
    assert answer.code == 1
    found = answer.json
    assert (found["review"]["review_id"], found["review"]["rule_set"]) == ("PR-000001", "15c3-3 of 2025-03-14")
    assert (found["review"]["determined_on"], found["review"]["act_by"]) == ("2026-10-05", "2026-10-06")
    assert short(found) == {A: "200"}
    (issue,) = found["last"]["deficits"]
    assert (issue["required"], issue["control"], issue["excess_margin"]) == ("500", "300", "500")
    given = [(each["line_id"], each["attributed"], each["citation"]) for each in issue["sources"]]
    assert given == [("L-5", "50", "15c3-3(d)(1)"), ("L-4", "150", "15c3-3(d)(1)")]
    (case,) = [each for each in kept("cases", "list", "--json").json["cases"] if each["kind"] == "control_deficit"]
    assert (case["rail"], case["base_units"]) == ("control", "-200")
    assert "due by 2026-10-06" in case["text"]
    assert "bank loan L-5 50 (15c3-3(d)(1))" in case["text"]
    assert kept("control", "show").code == 1
    assert "short" in kept("control", "show", "--issue", A).out


def test_the_status_names_the_rail_and_the_deficit(kept: Firm) -> None:
    before = kept("status", "--json").json
    assert "control" in before["rails"]
    assert "possession or control: possession or control was never reviewed" in before["reasons"]
    review(kept)
    found = kept("status", "--json").json
    assert "control_deficit" in found["statuses"]
    assert f"{A} is short of possession or control by 200" in found["reasons"]
    assert found["possession_or_control"]["last"]["review_id"] == "PR-000001"


def test_the_same_again_is_the_same_and_another_needs_a_reason(kept: Firm, tmp_path: Path) -> None:
    first = review(kept)["review"]
    assert review(kept)["review"] == first
    location = f"dtc:0123,{DAY},c1,{DAY},Letter,{DAY}"
    head = FILES["control_locations.csv"].splitlines()[0]
    take(kept, tmp_path / "second", {"control_locations.csv": f"{head}\n{location}\n"})
    assert kept("control", "review", "--as-of", DAY, "--json").error == "bad-input"
    second = review(kept, "--reason", "new letter")["review"]
    assert (second["review_id"], second["replaces"], second["reason"]) == ("PR-000002", "PR-000001", "new letter")
    listed = kept("control", "history", "--json").json["reviews"]
    assert [each["review_id"] for each in listed] == ["PR-000001", "PR-000002"]
    for name in ("PR-000001", "PR-000002"):
        assert kept("control", "recompute", name, "--from-books", "--json").json["same"] is True


def test_a_location_whose_evidence_ended_says_so(kept: Firm, tmp_path: Path) -> None:
    head = FILES["control_locations.csv"].splitlines()[0]
    rows = ("dtc:0123,2025-01-02,c1,2025-01-02,Agreement,", "dtc:0123,2026-01-02,c1,2026-01-02,Letter,2026-10-01")
    take(kept, tmp_path / "second", {"control_locations.csv": "\n".join((head, *rows)) + "\n"})
    assert short(review(kept)) == {A: "500", B: "150"}
    (issue,) = kept("control", "show", "--issue", B, "--json").json["issues"]
    assert [each["cause"] for each in issue["lines"]] == ["evidence_expired"]  # the newer letter is the one that counts
    assert kept("control", "recompute", "PR-000001", "--from-books").code == 0
    assert kept("control", "substitute", "--from", B, "--to", B, "--json").error == "bad-input"


def test_a_day_that_has_not_closed_or_is_none_is_refused(kept: Firm) -> None:
    for as_of, code in (("2026-10-05", "reserve-schedule"), ("2026-10-03", "reserve-schedule"), ("soon", "bad-input")):
        assert kept("control", "review", "--as-of", as_of, "--json").error == code


def test_books_that_are_not_complete_give_no_review(kept: Firm) -> None:
    row = (f"as_of={DAY}", "account_id=N", "client_id=C-1", "holder_class=customer", "account_type=cash")
    assert kept("post", "accounts", *row, "credit_balance=0.00", "debit_balance=1.00").code == 0
    answer = kept("control", "review", "--as-of", DAY, "--json")
    assert (answer.code, answer.error) == (2, "bad-input")
    assert "accounts" in answer.json["error"]["message"]


def test_a_posted_row_moves_the_projection_and_not_the_review(kept: Firm) -> None:
    review(kept)
    row = {
        "as_of": "2026-10-05", "line_id": "L-4", "security_id": A, "place": "stock_loan", "side": "short",
        "quantity": "0", "price": "200.00", "since": "2026-09-30", "contract_value": "30000.00", "closed": "yes",
    }  # fmt: skip
    assert kept("post", "stock_record", *(f"{name}={value}" for name, value in row.items())).code == 0
    back = row | {"line_id": "L-7", "quantity": "150", "place": "depository", "location": "dtc:0123", "closed": "no"}
    back = {name: value for name, value in back.items() if name not in ("since", "contract_value")}
    assert kept("post", "stock_record", *(f"{name}={value}" for name, value in back.items())).code == 0
    found = kept("control", "show", "--json").json
    assert short(found) == {A: "200"}
    assert [each["deficit"] for each in found["projected"]["deficits"]] == ["50"]


def test_nothing_cures_before_possession_is_seen(kept: Firm, tmp_path: Path, clock: list[datetime]) -> None:
    review(kept)
    proof = tmp_path / "statement.txt"
    proof.write_text("received 150", encoding="utf-8")
    receive = ("--statement", "ST-1", "--file", str(proof), "--received-on", "2026-10-05")
    recall = ("control", "act", A, "--kind", "recall", "--quantity", "150", "--line", "L-4", "--actor", "ops.maker")
    assert kept(*recall, "--json").json["act_id"] == "CA-000001"
    assert kept("control", "receipt", "CA-000001", *receive, "--json").error == "instruction-conflict"
    assert kept("control", "approve", "CA-000001", "--actor", "Ops.Maker ", "--json").error == "instruction-conflict"
    assert kept("control", "approve", "CA-000001", "--actor", "ops.checker").code == 0
    assert kept("control", "approve", "CA-000001", "--actor", "ops.other", "--json").error == "instruction-conflict"
    (act,) = kept("control", "show", "--json").json["acts"]
    # five business days from the instruction: Columbus Day counts, because the exchange is open
    assert (act["state"], act["possession_by"]) == ("instructed", "2026-10-12")
    assert kept("control", "receipt", "CA-000001", *receive).code == 0
    found = kept("control", "show", "--json").json
    assert (found["acts"][0]["state"], short(found)) == ("received", {A: "200"})

    monday = "2026-10-05"
    texts = {
        "accounts.csv": balances(monday),
        "liens.csv": liens(monday),
        "stock_record.csv": stock(
            f"L-1 {A} account long 500 200.00 M-1 - - -",
            f"L-2 {B} account long 500 200.00 M-1 - - -",
            f"L-3 {A} depository short 450 200.00 - dtc:0123 - -",
            f"L-5 {A} bank_loan short 50 200.00 - - 2026-09-30 -",
            f"L-6 {B} depository short 500 200.00 - dtc:0123 - -",
            day=monday,
        ),
        "books_close.csv": closes((2, "50000.00"), (5, 2000), monday),
    }
    clock[0] = datetime(2026, 10, 6, 16, 0, tzinfo=UTC)
    take(kept, tmp_path / "second", texts)
    answer = kept("control", "review", "--as-of", monday, "--json").json
    assert (short(answer), answer["acts"][0]["state"]) == ({A: "50"}, "possessed")
    assert answer["acts"][0]["seen_in"] == "PR-000002"


def test_a_clock_that_passes_is_overdue(kept: Firm, clock: list[datetime]) -> None:
    review(kept)
    for kind, line, units in (("recall", "L-4", "150"), ("bank_loan_release", "L-5", "50")):
        made = kept("control", "act", A, "--kind", kind, "--quantity", units, "--line", line, "--actor", "a", "--json")
        clock[0] = datetime(2026, 10, 6, 16, 0, tzinfo=UTC)
        assert kept("control", "show", "--json").json["overdue"] is False
        if kind == "recall":
            kept("control", "approve", made.json["act_id"], "--actor", "b")
    clock[0] = datetime(2026, 10, 7, 16, 0, tzinfo=UTC)
    assert kept("control", "show", "--json").json["overdue"] is True  # no approved instruction for 50 of the loan
    assert kept("control", "approve", "CA-000002", "--actor", "b").code == 0
    assert kept("control", "show", "--json").json["overdue"] is False
    (second,) = [each for each in kept("control", "show", "--json").json["acts"] if each["act_id"] == "CA-000002"]
    assert second["possession_by"] == "2026-10-08"  # two business days from Tuesday, when it was instructed
    clock[0] = datetime(2026, 10, 9, 16, 0, tzinfo=UTC)
    found = kept("control", "check", "--json").json
    assert found["overdue"] is True
    assert any("overdue" in each["text"] for each in found["cases"])
    assert "the review as of 2026-10-07 was due and is not on record" in found["gaps"]


def same_books(day: str) -> dict[str, str]:
    """Friday's books again, on another day."""
    return {
        "accounts.csv": balances(day),
        "liens.csv": liens(day),
        "stock_record.csv": FILES["stock_record.csv"].replace(DAY, day),
        "books_close.csv": closes((2, "50000.00"), (6, 2000), day),
    }


def test_a_review_each_day_does_not_move_the_clock(kept: Firm, tmp_path: Path, clock: list[datetime]) -> None:
    review(kept)
    clock[0] = datetime(2026, 10, 6, 16, 0, tzinfo=UTC)
    take(kept, tmp_path / "second", same_books("2026-10-05"))
    second = kept("control", "review", "--as-of", "2026-10-05", "--json").json
    assert (second["review"]["act_by"], second["overdue"]) == ("2026-10-07", False)
    assert second["not_instructed"] == [{"security_id": A, "base_units": "200", "act_by": "2026-10-06"}]
    clock[0] = datetime(2026, 10, 7, 16, 0, tzinfo=UTC)
    found = kept("control", "check", "--json").json
    assert found["overdue"] is True  # due on Tuesday, whatever Tuesday's review says of Wednesday
    (case,) = [each for each in found["cases"] if each["kind"] == "control_deficit"]
    assert "due by 2026-10-06" in case["text"]
    assert "Instructions for 200 are overdue" in case["text"]
    assert "to instruct" in kept("control", "show").out


def test_an_act_that_fits_no_deficit_is_refused(kept: Firm) -> None:
    review(kept)
    for changes, why in (
        ({"--kind": "prayer"}, "--kind is one of"),
        ({"--line": "L-5"}, "no such line"),
        ({"--line": ""}, "names the line"),
        ({"--quantity": "151"}, "holds less"),
        ({"--quantity": "0"}, "more than zero"),
        ({"--quantity": "1.5"}, "1.5"),
        ({"--instructed-at": "2026-10-05T16:00:01Z"}, "later time than now"),
        ({"--instructed-at": "2026-10-05T15:00:00"}, "with its zone"),
        ({"issue": B}, "not short"),
        ({"issue": "cusip:000000000"}, "not in the stock record"),
    ):
        options: dict[str, str] = {"--kind": "recall", "--quantity": "150", "--line": "L-4"} | changes
        issue = options.pop("issue", A)
        pairs = [part for pair in options.items() for part in pair]
        answer = kept("control", "act", issue, *pairs, "--json")
        assert (answer.code, answer.error) == (2, "bad-input"), changes
        assert why in answer.json["error"]["message"]
    assert kept("control", "history", "--json").json["acts"] == []


def recall(firm: Firm, units: str) -> Answer:
    line = ("--kind", "recall", "--line", "L-4", "--quantity", units)
    return firm("control", "act", A, *line, "--actor", "ops.maker", "--json")


def test_two_acts_cannot_ask_one_line_for_the_same(kept: Firm) -> None:
    review(kept)
    assert recall(kept, "100").json["act_id"] == "CA-000001"
    answer = recall(kept, "51")
    assert (answer.code, answer.error) == (2, "bad-input")
    assert "other acts ask L-4 for 100 of its 150" in answer.json["error"]["message"]
    assert recall(kept, "50").json["act_id"] == "CA-000002"
    assert kept("control", "refuse", "CA-000001", "--actor", "ops.checker").code == 0
    assert recall(kept, "100").json["act_id"] == "CA-000003"


def test_a_receipt_is_a_document_of_a_day_between_instruction_and_now(kept: Firm, tmp_path: Path) -> None:
    review(kept)
    recall(kept, "150")
    kept("control", "approve", "CA-000001", "--actor", "ops.checker")
    proof, empty = tmp_path / "statement.txt", tmp_path / "empty.txt"
    proof.write_text("received 150", encoding="utf-8")
    empty.touch()
    for file, day, why in (
        (proof, "2026-10-04", "cannot have arrived"),
        (proof, "2026-10-06", "cannot have arrived"),
        (empty, "2026-10-05", "no content"),
    ):
        given = ("--statement", "ST-1", "--file", str(file), "--received-on", day, "--json")
        answer = kept("control", "receipt", "CA-000001", *given)
        assert (answer.code, answer.error) == (2, "bad-input")
        assert why in answer.json["error"]["message"]
    given = ("--statement", "ST-1", "--file", str(proof), "--received-on", "2026-10-05", "--json")
    assert kept("control", "receipt", "CA-000001", *given).json["receipts"] == 1


def test_an_act_on_a_review_that_was_replaced_needs_a_deficit_in_the_one_that_stands(kept: Firm) -> None:
    review(kept)
    recall(kept, "150")
    kept("control", "substitute", "--from", A, "--actor", "ops.maker")
    kept("control", "approve", "CS-000001", "--actor", "ops.checker")
    assert short(review(kept, "--reason", "substituted")) == {}
    answer = kept("control", "approve", "CA-000001", "--actor", "ops.checker", "--json")
    assert answer.error == "instruction-conflict"
    assert "PR-000001 was replaced by PR-000002" in answer.json["error"]["message"]
    assert kept("control", "refuse", "CA-000001", "--actor", "ops.checker").code == 0


def test_what_is_open_is_listed_with_the_review(kept: Firm) -> None:
    found = review(kept)
    assert (found["exceptions"]["listed"], found["warning"]) == (0, None)  # its own case was opened after it
    again = review(kept)
    assert again["exceptions"]["digest"] == found["exceptions"]["digest"]
    assert "exceptions" in kept("control", "review", "--as-of", DAY).out


@pytest.mark.fault("D11")
def test_a_substitution_is_judged_on_every_issue_and_recorded(kept: Firm) -> None:
    review(kept)
    judged = kept("control", "substitute", "--from", A, "--dry-run", "--json")
    assert (judged.code, judged.json["to"], judged.json["released"], judged.json["added"]) == (0, B, "200", "200")
    assert judged.json["substitution"] is None
    made = kept("control", "substitute", "--from", A, "--actor", "ops.maker", "--json").json["substitution"]
    assert (made["substitution_id"], made["state"]) == ("CS-000001", "proposed")
    assert made["before_digest"] != made["after_digest"]
    assert short(review(kept)) == {A: "200"}  # nothing is in force before another person approved it
    assert kept("control", "approve", "CS-000001", "--actor", "ops.maker", "--json").error == "instruction-conflict"
    assert kept("control", "approve", "CS-000001", "--actor", "ops.checker").code == 0
    assert short(review(kept, "--reason", "substituted")) == {}
    listed = kept("control", "history", "--json").json["substitutions"]
    assert [(each["state"], each["checker"]) for each in listed] == [("in force", "ops.checker")]
    assert kept("journal", "verify").code == 0


@pytest.mark.fault("D11")
def test_a_substitution_that_makes_another_issue_short_is_refused(
    kept: Firm, tmp_path: Path, clock: list[datetime]
) -> None:
    monday = "2026-10-05"
    texts = {
        "accounts.csv": balances(monday),
        "liens.csv": liens(monday),
        "stock_record.csv": FILES["stock_record.csv"]
        .replace(DAY, monday)
        .replace(
            f"L-6,{B},depository,short,500,200.00,,dtc:0123,,,,", f"L-6,{B},transfer,short,500,200.00,,,,,2026-01-02,"
        ),
        "books_close.csv": closes((2, "50000.00"), (6, 2000), monday),
    }
    clock[0] = datetime(2026, 10, 6, 16, 0, tzinfo=UTC)
    take(kept, tmp_path / "second", texts)
    found = kept("control", "review", "--as-of", monday, "--json").json
    assert short(found) == {A: "200", B: "150"}  # of B nothing is in control, and 150 are locked up
    refused = kept("control", "substitute", "--from", A, "--to", B, "--json")
    assert refused.code == 1
    assert refused.json["worse"] == [{"security_id": B, "before": "150", "after": "350"}]
    assert refused.json["substitution"] is None
    assert kept("control", "substitute", "--from", A, "--json").error == "substitution-refused"
    assert kept("control", "history", "--json").json["substitutions"] == []


@pytest.mark.fault("D11")
def test_a_substitution_is_judged_again_when_it_is_approved(kept: Firm, tmp_path: Path) -> None:
    review(kept)
    made = kept("control", "substitute", "--from", A, "--actor", "ops.maker", "--json").json
    assert made["accepted"] is True
    head = FILES["control_locations.csv"].splitlines()[0]
    ended = f"{head}\ndtc:0123,2025-01-02,c1,2025-01-02,Participant agreement,2026-10-01\n"
    take(kept, tmp_path / "second", {"control_locations.csv": ended})
    answer: Answer = kept("control", "approve", "CS-000001", "--actor", "ops.checker", "--json")
    assert (answer.code, answer.error) == (2, "substitution-refused")
    assert f"{B} would be short by 350 instead of 150" in answer.json["error"]["message"]
    assert kept("control", "refuse", "CS-000001", "--actor", "ops.checker").code == 0
    assert kept("control", "history", "--json").json["substitutions"][0]["state"] == "refused"


def test_help_speaks_of_every_command(kept: Firm) -> None:
    text = kept("control", "--help").out
    for name in (
        "review",
        "show",
        "history",
        "recompute",
        "check",
        "act",
        "receipt",
        "substitute",
        "approve",
        "refuse",
    ):
        assert name in text
