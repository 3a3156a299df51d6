"""Instructions, exports, the daily report and the archive as an operator uses them."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.command import Firm, custody
from tests.cli.test_reserve import AT, clock, stated

__all__ = ["clock", "stated"]

TUESDAY_NOON = AT + timedelta(days=1)


@pytest.fixture
def firm(tmp_path: Path, clock: list[datetime], monkeypatch: pytest.MonkeyPatch) -> Firm:
    """A firm that was set up a month before by the test's own clock: the journal's times never go back."""
    monkeypatch.chdir(tmp_path)
    clock[0] = AT - timedelta(days=30)
    folder = tmp_path / "firm"
    assert custody("init", "--dir", folder, "--firm", "Example Brokerage LLC").code == 0
    clock[0] = AT
    return Firm(folder)


@pytest.fixture
def desk(stated: Firm) -> Firm:
    """The firm of the reserve's story, 62,000 short for customers, with Friday's computation made on Monday."""
    assert stated("reserve", "compute", "--as-of", "2026-10-02").code == 1
    return stated


def cash(desk: Firm, amount: str, day: str) -> None:
    values = ("account_id=SRA-C", f"as_of={day}", "holding=cash", "kind=cash", f"market_value={amount}")
    assert desk("post", "reserve_holdings", *values, "statement_id=ST-9").code == 0


def test_a_deposit_from_its_making_to_the_banks_entry(desk: Firm, clock: list[datetime]) -> None:
    made = desk("reserve", "instruct", "deposit", "62000.00", "--account", "SRA-C", "--actor", "ops.maker", "--json")
    assert (made.code, made.json["instruction_id"], made.json["state"]) == (0, "RI-000001", "waiting")
    assert made.json["valid_until"] == "2026-10-07"
    own = desk("reserve", "approve", "RI-000001", "--actor", "ops.maker", "--json")
    assert (own.code, own.error) == (2, "instruction-conflict")
    assert desk("reserve", "approve", "RI-000001", "--actor", "ops.checker", "--text", "seen").code == 0
    assert "RI-000001 deposit 62,000.00 of SRA-C: approved, by ops.maker, approved by ops.checker" in (
        desk("reserve", "show").out
    )
    clock[0] = TUESDAY_NOON
    entry = ("account_id=SRA-C", "bank_reference=B-1", "value_on=2026-10-06", "direction=deposit", "amount=62000.00")
    assert desk("post", "bank_movements", *entry, "instruction_id=RI-000001", "text=Wire").code == 0
    listed = desk("reserve", "instructions", "--json")
    assert (listed.code, listed.json["compared"], listed.json["findings"]) == (0, 1, [])
    assert listed.json["instructions"][0]["executed"] == {"value_on": "2026-10-06", "bank_reference": "B-1"}
    assert desk("reserve", "show", "--json").json["instructions"] == []


@pytest.mark.fault("D10")
def test_a_withdrawal_that_is_not_permitted_ends_with_1_and_leaves_nothing(desk: Firm) -> None:
    refused = desk("reserve", "instruct", "withdraw", "0.01", "--account", "SRA-C", "--actor", "ops.maker", "--json")
    assert (refused.code, refused.error) == (1, "withdrawal-refused")
    cash(desk, "700000.00", "2026-10-02")
    assert desk("reserve", "instruct", "withdraw", "38000.01", "--account", "SRA-C", "--actor", "a").code == 1
    made = desk("reserve", "instruct", "withdraw", "38000.00", "--account", "SRA-C", "--actor", "a", "--json")
    assert (made.code, made.json["relied_on"]) == (0, {"computation_id": "RC-000001", "remaining": "86200000"})
    assert desk("reserve", "approve", "RI-000001", "--actor", "b").code == 0
    shown = desk("reserve", "show", "--json").json["purposes"]["customer"]["as_required"]
    assert (shown["withdrawable"], shown["approved_to_leave"]) == ("0", "3800000")
    assert "0.00 of what counts, 15c3-3(g), besides 38,000.00 that was approved to leave" in desk("reserve", "show").out
    again = desk("reserve", "what-if", "withdraw", "0.01", "--account", "SRA-C", "--json")
    assert (again.code, again.json["permitted"]) == (1, False)  # what was approved to leave is gone
    assert len(desk("reserve", "instructions", "--json").json["instructions"]) == 1


def test_refused_instructions_and_bad_input(desk: Firm) -> None:
    assert desk("reserve", "instruct", "deposit", "1.001", "--account", "SRA-C", "--actor", "a", "--json").error == (
        "bad-input"
    )
    assert (
        desk("reserve", "instruct", "deposit", "1.00", "--account", "X", "--actor", "a", "--json").error == "bad-input"
    )
    assert desk("reserve", "instruct", "deposit", "1.00", "--account", "SRA-C", "--actor", "a").code == 0
    assert desk("reserve", "refuse", "RI-000001", "--actor", "b", "--text", " ", "--json").error == "bad-input"
    shown = desk("reserve", "refuse", "RI-000001", "--actor", "b", "--text", "twice", "--json")
    assert (shown.json["state"], shown.json["decision"]["text"]) == ("refused", "twice")
    assert desk("reserve", "approve", "RI-000002", "--actor", "b", "--json").error == "bad-input"


def test_an_entry_without_an_instruction_is_a_case(desk: Firm, clock: list[datetime]) -> None:
    assert desk("reserve", "instruct", "deposit", "1.00", "--account", "SRA-P", "--actor", "a").code == 0
    clock[0] = TUESDAY_NOON
    entry = ("account_id=SRA-C", "bank_reference=B-7", "value_on=2026-10-06", "direction=withdrawal", "amount=7.00")
    assert desk("post", "bank_movements", *entry).code == 0
    kinds = [each["kind"] for each in desk("cases", "list", "--json").json["cases"]]
    assert "unauthorized_transfer" in kinds
    listed = desk("reserve", "instructions")
    assert (listed.code, "entry B-7" in listed.out) == (1, True)


def test_a_computation_in_every_format(desk: Firm, tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(desk("reserve", "export", "RC-000001").out)))
    required = [each["us_dollars"] for each in rows if each["what"] == "required on deposit"]
    assert required == ["862000.00", "80000.00"]
    document = desk("reserve", "export", "RC-000001", "--format", "json").out
    assert json.loads(document)["customer"]["required"] == "86200000"
    focus = list(csv.DictReader(io.StringIO(desk("reserve", "export", "RC-000001", "--format", "focus").out)))
    (held,) = [each for each in focus if (each["schedule"], each["line"]) == ("customer", "24")]
    assert (held["us_dollars"], held["box"], held["box_status"]) == ("800000.00", "4510", "box not verified")
    file = tmp_path / "computation.html"
    told = desk("reserve", "export", "RC-000001", "--format", "html", "--out", file, "--json")
    assert told.json["size_bytes"] == file.stat().st_size
    assert "Example Brokerage LLC" in file.read_text(encoding="utf-8")
    assert desk("reserve", "export", "RC-000001", "--out", file, "--json").error == "bad-input"
    assert desk("reserve", "export", "RC-000001", "--format", "pdf").code == 2
    assert desk("reserve", "export", "RC-000009").code == 2


def test_the_daily_report_from_run_to_reader(desk: Firm, clock: list[datetime], tmp_path: Path) -> None:
    clock[0] = TUESDAY_NOON
    made = desk("report", "daily", "--as-of", "2026-10-05", "--json")
    report = made.json["report"]
    assert (made.code, made.json["report_id"], made.json["replaces"]) == (1, "DR-2026-10-05-1", None)
    customer = report["reserve"]["purposes"]["customer"]
    assert (customer["required"], customer["held"], customer["shortfall"]) == ("86200000", "80000000", "6200000")
    assert (customer["of_this_day"], customer["drivers"][0]["cents"]) == (False, "125000000")
    assert report["reserve"]["note_h"]["customer"]["debit"] == "0"
    exceptions = report["exceptions"]
    assert (exceptions["exceptions_unexplained"], exceptions["unexplained"]) == (True, exceptions["listed"])
    assert {each["kind"] for each in exceptions["cases"]} >= {"reserve_deficit"}
    assert any("possession or control" in gap for gap in report["not_verified"])
    assert any("custodians" in gap for gap in report["not_verified"])
    case_id = exceptions["cases"][0]["case_id"]
    acts = [each["act"] for each in desk("cases", "show", case_id, "--json").json["events"]]
    assert acts.count("escalated") == 1

    for each in exceptions["cases"]:
        told = desk("cases", "explain", each["case_id"], "--actor", "ops.maker", "--text", "the wire is under way")
        assert told.code == 0
    second = desk("report", "daily", "--as-of", "2026-10-05", "--json")
    assert second.json["replaces"] == "DR-2026-10-05-1"
    assert second.json["report"]["replaces"]["sha256"] == made.json["digest"]
    assert second.json["report"]["exceptions"]["unexplained"] == 0
    listed = desk("report", "list", "--json").json["reports"]
    assert [each["report_id"] for each in listed] == ["DR-2026-10-05-1", "DR-2026-10-05-2"]

    text = desk("report", "show", "DR-2026-10-05-2").out
    assert "short by 62000.00" in text
    assert "the wire is under way" in text
    folder = Path(second.json["folder"])
    names = ["record.json", "report.dsse.json", "report.html", "report.json", "report.txt"]
    assert sorted(each.name for each in folder.iterdir()) == names
    assert "NOT EXPLAINED" in (folder.with_name("DR-2026-10-05-1") / "report.txt").read_text(encoding="utf-8")
    assert "the wire is under way" in (folder / "report.html").read_text(encoding="utf-8")

    keys = desk.path("trusted-keys.json")
    checked = custody("report", "verify", folder / "report.dsse.json", "--trusted-keys", keys, "--json")
    assert (checked.code, checked.json["sha256"], checked.json["missing"]) == (0, second.json["digest"], [])
    altered = tmp_path / "altered.json"
    envelope = json.loads((folder / "report.dsse.json").read_bytes())
    other = json.loads((folder.with_name("DR-2026-10-05-1") / "report.dsse.json").read_bytes())
    altered.write_text(json.dumps(envelope | {"payload": other["payload"]}, separators=(",", ":")), encoding="utf-8")
    wrong = custody("report", "verify", altered, "--trusted-keys", keys, "--json")
    assert (wrong.code, wrong.error) == (1, "signature-invalid")

    archive = desk("archive", "verify", "--json")
    assert (archive.code, archive.json["records"], archive.json["problems"]) == (0, 3, [])
    (folder / "report.txt").chmod(0o640)
    (folder / "report.txt").write_text("nothing was open", encoding="utf-8")
    broken = desk("archive", "verify", "--json")
    assert (broken.code, broken.json["problems"]) == (1, ["DR-2026-10-05-2/report.txt was changed"])


def test_a_day_that_has_not_closed_has_no_report(desk: Firm) -> None:
    assert desk("report", "daily", "--as-of", "2026-10-05", "--json").error == "reserve-schedule"
    assert desk("report", "daily", "--as-of", "5.10.2026").code == 2
    assert desk("report", "list").code == 2
    assert desk("report", "show", "DR-2026-10-05-1").code == 2


def test_the_computation_is_marked_and_says_where_it_goes(desk: Firm, clock: list[datetime]) -> None:
    first = desk("reserve", "show", "RC-000001", "--json").json["exceptions"]
    assert (first["listed"], first["exceptions_unexplained"]) == (0, False)  # nothing was open at Friday's close
    text = desk.path("custody.toml").read_text(encoding="utf-8")
    desk.path("custody.toml").write_text(f'{text}\n[supervision]\nwsp_section = "WSP 12.3"\n', encoding="utf-8")
    clock[0] = TUESDAY_NOON
    lines = (desk.folder.parent / "books" / "reserve_items.csv").read_text(encoding="utf-8")
    folder = desk.folder.parent / "monday"
    folder.mkdir()
    (folder / "reserve_items.csv").write_text(lines.replace("2026-10-02", "2026-10-05"), encoding="utf-8")
    assert desk("import", folder).code == 0
    marked = desk("reserve", "compute", "--as-of", "2026-10-05", "--extra")
    assert "exceptions_unexplained: WSP 12.3" in marked.out
    records = desk("archive", "list", "--json").json["records"]
    assert [each["subject_id"] for each in records] == ["RC-000001", "RC-000002"]
    assert {each["retain_until"] for each in records} == {"2032-10-05", "2032-10-06"}


def test_an_empty_archive_proves_nothing(firm: Firm) -> None:
    assert firm("archive", "verify").code == 2
    assert firm("archive", "list").code == 2
    assert firm("archive", "write").code == 0
