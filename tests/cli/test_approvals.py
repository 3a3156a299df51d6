"""Cases and changes worked on by two people at the command line; the journal as a file."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.command import Firm, custody
from tests.verifier.store.story import CHAIN, finding, later, sighting
from tests.verifier.store.tamper import run_sql
from verifier.store import open_store
from verifier.store.case_seeing import see_cases

CLIENTS = "client_id,name,opened_on\nC-1,Client One,2026-01-02\n"


def url_of(firm: Firm) -> str:
    return f"sqlite:///{firm.folder / 'custody.db'}"


def approvals(firm: Firm, *lines: str) -> None:
    """Add an `[approvals]` section to the configuration."""
    with firm.path("custody.toml").open("a", encoding="utf-8") as file:
        file.write("\n[approvals]\n" + "\n".join(lines) + "\n")


def with_case(firm: Firm) -> None:
    """One open case, long past its session."""
    store = open_store(url_of(firm))
    with store.record("test.sweep", "scheduler", {}, later(0)) as unit:
        see_cases(unit, CHAIN, None, [sighting(finding())], "scheduler", all_seen=True)
    store.close()


def clients(firm: Firm, text: str = CLIENTS) -> Path:
    path = firm.path("clients.csv")
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.fault("B16")
def test_a_change_of_the_mapping_counts_when_another_person_approves_it(firm: Firm) -> None:
    approvals(firm, "mapping = true")
    path = clients(firm)
    answer = firm("import", path, "--actor", "ops.maker", "--json")
    assert (answer.code, answer.error) == (2, "waits-for-approval")
    assert firm("import", path, "--actor", "ops.maker", "--json").json["error"]["message"].count("CP-000001") == 1
    assert "Client One" not in firm("map", "show").out
    waiting = firm("approvals", "list", "--json")
    assert waiting.code == 2
    (change,) = waiting.json["waiting"]
    assert (change["id"], change["what"], change["maker"]) == ("CP-000001", "mapping", "ops.maker")

    own = firm("approvals", "approve", "CP-000001", "--actor", "Ops.Maker", "--json")
    assert (own.code, own.error) == (2, "proposal-conflict")
    stale = firm("approvals", "approve", "CP-000001", "--actor", "ops.checker", "--seen", "0" * 64, "--json")
    assert (stale.code, stale.error) == (2, "version-conflict")
    done = firm("approvals", "approve", "CP-000001", "--actor", "ops.checker", "--seen", change["digest"], "--json")
    assert (done.code, done.json["state"]) == (0, "approved")
    store = open_store(url_of(firm))
    (client,) = store.clients(later(10**7))
    (file,) = store.imported_files()
    store.close()
    assert client.name == "Client One"
    assert file[1] == hashlib.sha256(CLIENTS.encode()).hexdigest()
    assert firm("approvals", "list").code == 0
    again = firm("approvals", "approve", "CP-000001", "--actor", "cco", "--json")
    assert (again.code, again.error) == (2, "proposal-conflict")
    assert firm("journal", "verify").code == 0


@pytest.mark.fault("B16")
def test_a_returned_change_never_counts_and_rows_wait_too(firm: Firm) -> None:
    approvals(firm, "mapping = true")
    row = ("post", "clients", "client_id=C-1", "name=Client One", "opened_on=2026-01-02")
    assert firm(*row, "--actor", "ops.maker", "--json").error == "waits-for-approval"
    assert (
        firm("approvals", "return", "CP-000001", "--actor", "cco", "--text", "no", "--json").json["state"] == "refused"
    )
    assert firm(*row, "--actor", "ops.maker", "--json").json["error"]["message"].count("CP-000002") == 1
    assert firm("approvals", "approve", "CP-000002", "--actor", "cco", "--json").code == 0
    store = open_store(url_of(firm))
    assert [each.client_id for each in store.clients(later(10**7))] == ["C-1"]
    store.close()


@pytest.mark.fault("B16")
def test_what_does_not_fit_any_more_is_not_approved(firm: Firm) -> None:
    approvals(firm, "mapping = true")
    pool = ("post", "pools", "pool_id=P-1", f"chain_id={CHAIN}", "address=0x" + "a" * 40, "valid_from=2026-01-02")
    answer = firm(*pool, "--actor", "ops.maker", "--json")
    assert answer.code == 2
    assert answer.json.get("problems") or answer.error, "a row with problems is no proposal"
    assert firm("approvals", "list", "--json").json["waiting"] == []


@pytest.mark.fault("B16")
def test_without_the_setting_rows_count_at_once(firm: Firm) -> None:
    assert firm("import", clients(firm), "--json").json["stored"] is True


@pytest.mark.fault("B16")
def test_the_database_refuses_a_decision_by_the_maker(firm: Firm) -> None:
    approvals(firm, "mapping = true")
    firm("import", clients(firm), "--actor", "ops.maker")
    digest = firm("approvals", "show", "CP-000001", "--json").json["digest"]
    row = (
        "INSERT INTO change_decision (record_id, journal_sequence, recorded_at, proposal_key, act, actor, maker,"
        " digest, text) VALUES (1, 1, '2026-03-02T12:02:00.000000Z', 1, 'approved', '{}', '{}', '{}', '')"
    )
    for actor, maker, seen in (
        ("ops.maker", "ops.maker", digest),
        ("ops.maker", "somebody", digest),
        ("cco", "ops.maker", "0" * 64),
    ):
        with pytest.raises(Exception, match=r"maker_is_not_checker|who proposed the change"):
            run_sql(url_of(firm), row.format(actor, maker, seen))
    run_sql(url_of(firm), row.format("cco", "ops.maker", digest))


def test_policies_are_journalled_and_wait_where_that_is_asked(firm: Firm) -> None:
    def reconcile() -> str:
        answer = firm("reserve", "compute", "--as-of", "2026-03-02", "--actor", "ops.maker", "--json")
        assert answer.code == 2
        return answer.error

    first = reconcile()
    assert first != "policies-not-approved"
    (noted,) = firm("approvals", "list", "--all", "--json").json["changes"]
    assert (noted["kind"], noted["state"]) == ("policies", "noted")
    reconcile()
    assert len(firm("approvals", "list", "--all", "--json").json["changes"]) == 1, "nothing changed"

    plain = firm.path("custody.toml").read_text(encoding="utf-8")
    approvals(firm, "policies = true")
    assert reconcile() == "policies-not-approved"
    own = firm("approvals", "approve", "CP-000002", "--actor", "ops.maker", "--json")
    assert own.error == "proposal-conflict"
    assert firm("approvals", "approve", "CP-000002", "--actor", "cco").code == 0
    assert reconcile() == first
    firm.path("custody.toml").write_text(plain, encoding="utf-8")
    assert reconcile() == "policies-not-approved", "nobody takes the demand away alone"


@pytest.mark.fault("F1")
def test_a_case_is_worked_on_and_closed_by_two_people(firm: Firm) -> None:
    with_case(firm)
    name = "CASE-000001"
    assert firm("cases", "assign", name, "--to", "ops.maker", "--actor", "desk.head").code == 0
    document = firm.path("answer.txt")
    document.write_text("The custodian's answer", encoding="utf-8")
    assert firm("cases", "attach", name, document, "--actor", "ops.maker").code == 0
    cause = ("cases", "root-cause", name, "--text", "A day late", "--actor", "ops.maker", "--json")
    assert firm(*cause, "--cause", "boredom").error == "bad-input"
    assert firm(*cause, "--cause", "booked_late").json["root_cause"]["cause"] == "booked_late"
    assert firm("cases", "propose", name, "--text", "Booked", "--actor", "ops.maker").code == 0
    shown = firm("cases", "show", name, "--json").json
    assert [each["name"] for each in shown["attachments"]] == ["answer.txt"]
    assert "clock" in shown
    assert shown["requirements"][0]["code"] == "15c3-3(b)(1)"
    firm("cases", "explain", name, "--text", "In fact lost", "--actor", "ops.maker")
    approve = ("cases", "approve", name, "--text", "Seen", "--actor", "cco", "--json")
    assert firm(*approve, "--seen", shown["seen_digest"]).error == "version-conflict"
    assert firm(*approve).error == "version-conflict", "its maker changed it after the proposal"
    firm("cases", "return", name, "--text", "Again", "--actor", "cco")
    firm("cases", "propose", name, "--text", "Booked again", "--actor", "ops.maker")
    shown = firm("cases", "show", name, "--json").json
    assert firm(*approve, "--seen", shown["seen_digest"][:12]).json["approved_by"] == ["cco"]
    assert firm(*approve, "--seen", shown["seen_digest"][:12]).code == 0, "the same click again"


def test_what_is_unresolved_past_its_session_is_a_trade_break(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    assert firm("cases", "escalate").code == 0
    with_case(firm)
    ten_days_on = datetime.now(UTC) + timedelta(days=10)
    monkeypatch.setattr("verifier.cli.cases.now", lambda: ten_days_on)
    answer = firm("cases", "escalate", "--json")
    assert (answer.code, answer.json["moved"]) == (1, ["CASE-000001"])
    again = firm("cases", "escalate", "--json")
    assert (again.code, again.json["moved"]) == (1, [])
    assert [each["case_id"] for each in again.json["trade_breaks"]] == ["CASE-000001"]
    event = firm("cases", "show", "CASE-000001", "--json").json["events"][-1]
    assert event["act"] == "trade_break"
    assert event["detail"]["expected_source"]
    assert "trade break" in firm("cases", "show", "CASE-000001").out


def test_the_journal_is_written_and_checked_without_the_firm(firm: Firm) -> None:
    with_case(firm)
    firm("cases", "comment", "CASE-000001", "--text", "Asked", "--actor", "ops.maker")
    file = firm.path("journal.jsonl")
    written = firm("journal", "export", "--out", file, "--json")
    assert (written.code, written.json["intact"]) == (0, True)
    assert firm("journal", "export", "--out", file, "--json").error == "bad-input", "no file is replaced"
    assert custody("journal", "check", file).code == 0
    lines = file.read_text(encoding="utf-8").splitlines()
    entry = json.loads(lines[-1])
    assert entry["actor"] == "ops.maker"
    assert entry["origin"].startswith("command line ")
    file.write_text("\n".join([*lines[:-1], lines[-1].replace("ops.maker", "ops.other")]) + "\n", encoding="utf-8")
    broken = custody("journal", "check", file, "--json")
    assert (broken.code, broken.json["intact"]) == (1, False)
