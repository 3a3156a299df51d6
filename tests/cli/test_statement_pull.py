"""`custody statement pull` and its job: statements fetched over real HTTPS, or by a package of somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from tests.cli.command import Firm
from tests.cli.custodians import MONDAY, dtc_statement, keep_books
from tests.cli.test_schedule import clock, configure, ring
from tests.verifier.statement_sources import server
from tests.verifier.statement_sources.packages import install
from tests.verifier.statement_sources.server import Authority, Files, https_server
from tests.verifier.store.tamper import run_sql, tamper
from verifier.cli import statement_pull
from verifier.config import load_settings
from verifier.errors import LeaseHeld
from verifier.schedule.records import RunOutcome
from verifier.statement_sources.pulling import lease_of, pull, wanted_dates
from verifier.store import open_store

__all__ = ["clock"]
CANARY = "canary5d21e0"
FRIDAY = "20261120"


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    authority = Authority.new("Authority of the tests")
    with https_server(authority.issue(tmp_path, "server")) as serving:
        authority.file(tmp_path)
        yield serving


@pytest.fixture
def pulling(
    firm: Firm, files: Files, tmp_path: Path, clock: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Firm]:
    """A firm with an account at a depository, whose statements it fetches."""
    monkeypatch.setattr(statement_pull, "now", lambda: clock[0])
    clock[0] = MONDAY
    keep_books(firm)
    monkeypatch.setenv("DTC_URL", f"https://127.0.0.1:{files.port}/out/{CANARY}/dtc-{{compact_date}}.fin")
    monkeypatch.setenv("DTC_TOKEN", CANARY)
    configure(
        firm,
        f"""[statements]
hosts = ["127.0.0.1"]
[[statements.sources]]
name = "dtc"
lookback_days = 1
[statements.sources.https]
url_env = "DTC_URL"
token_env = "DTC_TOKEN"
file_name = "dtc-{{compact_date}}.fin"
ca_file = "{tmp_path / "authority.pem"}"
inside = true""",
    )
    yield firm
    assert CANARY.encode() not in firm.path("custody.db").read_bytes()
    assert firm("journal", "verify").code == 0


def offer(files: Files, firm: Firm, day: str = FRIDAY, number: str = "086") -> bytes:
    data = dtc_statement(firm, day=day, number=number).read_bytes()
    files.contents[f"/out/{CANARY}/dtc-{day}.fin"] = data
    return data


def states(firm: Firm, *options: object) -> list[tuple[str, str, str | None]]:
    found = firm("statement", "pull", "--json", *options)
    assert CANARY not in found.out + found.err
    (source,) = found.json["pulls"]
    assert source["exit_code"] == found.code
    return [(each["name"], each["state"], each["code"]) for each in source["files"]]


def test_a_statement_is_fetched_once_and_imported(pulling: Firm, files: Files) -> None:
    assert states(pulling) == [("dtc-20261120.fin", "absent", None)]
    offer(files, pulling)
    assert states(pulling) == [("dtc-20261120.fin", "taken", None)]
    assert states(pulling) == [("dtc-20261120.fin", "unchanged", None)]
    statements = pulling("statement", "list", "--json").json["statements"]
    assert [each["messages"][0]["name"] for each in statements] == ["dtc-20261120.fin"]
    people = pulling("--verbose", "statement", "pull")
    assert "dtc dtc-20261120.fin unchanged" in people.out
    assert CANARY not in people.out + people.err
    assert set(files.tokens) == {f"Bearer {CANARY}"}


def test_the_clock_pulls_and_its_rows_say_what_came(pulling: Firm, files: Files, clock: list[datetime]) -> None:
    listed = {each["job"]: each for each in pulling("schedule", "list", "--json").json["jobs"]}
    assert listed["statement_pull_dtc"]["last"] is None
    files.misbehave = server.forbidden
    failed = ring(pulling, MONDAY)["statement_pull_dtc"]
    assert (failed.exit_code, failed.outcome) == (2, RunOutcome.DONE)
    assert failed.text == "dtc-20261120.fin: [source-refused] source dtc: answered HTTP 403"
    files.misbehave = lambda handler: False
    offer(files, pulling)
    clock[0] = MONDAY + timedelta(minutes=45)
    took = ring(pulling, clock[0])["statement_pull_dtc"]
    assert took.exit_code == 0
    assert took.text.startswith("dtc-20261120.fin: stored ")
    history = pulling("schedule", "history", "--job", "statement_pull_dtc", "--json").json
    assert [each["outcome"] for each in history["runs"]] == ["done", "missed", "done"]
    assert [(each["source"], each["name"], each["accepted"]) for each in history["files"]] == [
        ("dtc", "dtc-20261120.fin", True)
    ]
    assert "imported dtc dtc-20261120.fin" in pulling("schedule", "history").out


def test_what_is_refused_is_tried_again_and_said_each_time(pulling: Firm, files: Files, clock: list[datetime]) -> None:
    data = offer(files, pulling)
    path = next(iter(files.contents))
    files.contents[path] = data[: len(data) // 2]
    assert states(pulling) == states(pulling) == [("dtc-20261120.fin", "refused", None)]
    assert ring(pulling, MONDAY)["statement_pull_dtc"].exit_code == 2
    files.contents[path] = data
    assert states(pulling) == [("dtc-20261120.fin", "taken", None)]
    history = pulling("schedule", "history", "--json").json["files"]
    assert [each["accepted"] for each in history] == [True, False]
    assert pulling("schedule", "history").out.count("refused dtc") == 1


def test_after_a_pause_all_days_since_are_asked_for(pulling: Firm, files: Files, clock: list[datetime]) -> None:
    offer(files, pulling)
    assert states(pulling) == [("dtc-20261120.fin", "taken", None)]
    clock[0] = MONDAY + timedelta(days=4)
    for number, day in enumerate(("20261123", "20261124", "20261125")):
        offer(files, pulling, day, f"09{number}")
    assert [name for name, state, _ in states(pulling) if state == "taken"] == [
        "dtc-20261123.fin",
        "dtc-20261124.fin",
        "dtc-20261125.fin",
    ]


def test_older_days_are_asked_for_by_hand(pulling: Firm, files: Files) -> None:
    offer(files, pulling, "20261118")
    assert states(pulling, "--from", "2026-11-18") == [
        ("dtc-20261118.fin", "taken", None),
        ("dtc-20261119.fin", "failed", "source-refused"),
        ("dtc-20261120.fin", "absent", None),
    ]
    for day in ("2026-11-24", "2024-01-01", "yesterday"):
        assert pulling("statement", "pull", "--from", day, "--json").error == "bad-input"


def test_the_doctor_looks_at_each_source(pulling: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    def source() -> dict[str, str]:
        answers = pulling("doctor", "--json").json["answers"]
        (found,) = [each for each in answers if each["what"] == "statement source dtc"]
        return dict(found)

    assert source()["health"] == "good"
    monkeypatch.delenv("DTC_TOKEN")
    assert source()["health"] == "bad"
    assert "DTC_TOKEN" in source()["found"]


def test_while_one_pulls_another_does_not(pulling: Firm, files: Files) -> None:
    settings = load_settings(pulling.path("custody.toml"))
    store, other = (open_store(settings.database.url.get_secret_value()) for _ in range(2))
    try:
        with store.leased(lease_of("dtc")), pytest.raises(LeaseHeld):
            pull(other, settings, settings.statements.sources[0], "tests", MONDAY)
        assert files.asked == []
        assert pull(other, settings, settings.statements.sources[0], "tests", MONDAY).exit_code == 0
        assert wanted_dates(other, settings, settings.statements.sources[0], MONDAY) == [date(2026, 11, 20)]
    finally:
        store.close()
        other.close()


def test_a_source_that_is_not_configured(firm: Firm, pulling: Firm) -> None:
    found = pulling("statement", "pull", "--source", "elsewhere", "--json")
    assert (found.code, found.error) == (2, "bad-input")


def test_a_package_of_somebody_else_fails_alone_and_brings_statements(
    firm: Firm, tmp_path: Path, clock: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statement_pull, "now", lambda: clock[0])
    clock[0] = MONDAY
    keep_books(firm)
    install(tmp_path, monkeypatch, "depository", "third_party_statements:plugin")
    dtc_statement(firm)
    path = firm.path("custody.toml")
    before = path.read_text()
    for mode, expected, code in (
        ("down", "failed", "source-connection"),
        ("odd", "failed", "source-connection"),
        ("broken", "failed", "source-broken"),
        ("foreign", "failed", "source-broken"),
        ("lies", "failed", "source-digest"),
        ("escapes", "failed", "source-name"),
        ("honest", "taken", None),
    ):
        path.write_text(before)
        configure(
            firm,
            f"""[[statements.sources]]
name = "theirs"
plugin = "depository"
lookback_days = 1
options = {{ mode = "{mode}", token = "{CANARY}", folder = "{firm.folder}" }}""",
        )
        ((_, state, found),) = states(firm)
        assert (state, found) == (expected, code), mode
        if mode == "odd":
            said = ring(firm, clock[0])["statement_pull_theirs"].text
            assert said.isprintable()
            assert len(said) < 1_000
        stored = firm("statement", "list", "--json").json["statements"]
        assert len(stored) == (1 if mode == "honest" else 0), mode
    assert CANARY not in firm("schedule", "history", "--json").out
    store = open_store(load_settings(path).database.url.get_secret_value())
    assert [each.validator for each in store.pulled_files("theirs")] == [""], "it could not be sent back"
    store.close()
    assert firm("journal", "verify").code == 0
    url = f"sqlite:///{firm.path('custody.db')}"
    with pytest.raises(DBAPIError, match="added, never changed"):
        run_sql(url, "UPDATE pulled_file SET digest = 'other'")
    tamper(url, "UPDATE pulled_file SET digest = 'other'")
    assert firm("journal", "verify").code == 1
