"""`custody schedule` and the clock of `custody watch` as an operator sees them: books, files, a real process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from chains.devnet.lies import delay
from chains.devnet.lying_proxy import Answer, LyingProxy, Reply
from chains.types import parse_chain_id
from tests.cli.clock import turned_clock
from tests.cli.command import ROOT, Firm
from tests.cli.custodians import MONDAY, bank_statement, dtc_statement, keep_books
from tests.cli.scene import Scene
from tests.cli.test_reserve import AT, FILES, import_stated
from verifier.config import load_settings
from verifier.schedule.due import DailyTime
from verifier.schedule.jobs import jobs_of
from verifier.schedule.records import RunOutcome, ScheduledRun
from verifier.schedule.runs import Runner
from verifier.store import Store, open_store


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The commands' clock, which the test turns."""
    return turned_clock(monkeypatch, AT)


def configure(firm: Firm, text: str) -> None:
    path = firm.path("custody.toml")
    path.write_text(f"{path.read_text()}\n{text}\n")


def ring(firm: Firm, moment: datetime) -> dict[str, ScheduledRun]:
    """What the clock does at one moment; the newest run of each job that it told of."""
    settings = load_settings(firm.path("custody.toml"))
    told: list[ScheduledRun] = []
    store = open_store(settings.database.url.get_secret_value())
    try:
        runner = Runner(store, settings, "clock", lambda: moment, told.append)
        jobs = jobs_of(settings)
        for job in jobs:
            if not isinstance(job.when, DailyTime):
                runner.run_now(job)
        runner.run_days([job for job in jobs if isinstance(job.when, DailyTime)])
    finally:
        store.close()
    return {run.slot.job: run for run in told}


# The reserve


@pytest.fixture
def stated(firm: Firm, tmp_path: Path, clock: list[datetime]) -> Firm:
    """A firm that is short of 62,000 dollars for customers as of Friday; on Monday its computation is due."""
    import_stated(firm, tmp_path / "books")
    configure(firm, "[schedule]\ncompute = true\nreport = true")
    return firm


def computed(firm: Firm) -> list[tuple[str, str]]:
    found = firm("reserve", "history", "--json").json["computations"]
    return [(each["computation_id"], each["as_of"]) for each in found]


def test_the_computation_that_is_due_is_made_once_and_reported(stated: Firm, clock: list[datetime]) -> None:
    told = ring(stated, AT)
    assert told["reserve_compute"].outcome is RunOutcome.LATE
    assert told["reserve_compute"].text.startswith("RC-000001 made; ")
    assert (told["reserve_compute"].exit_code, told["report_daily"].exit_code) == (1, 1)
    assert told["reserve_check"].exit_code == 1
    clock[0] = AT + timedelta(minutes=1)
    assert computed(stated) == [("RC-000001", "2026-10-02")]
    assert len(stated("report", "list", "--json").json["reports"]) == 1
    assert ring(stated, clock[0]) == {}, "everything that is due has a row"
    kinds = {each["kind"] for each in stated("cases", "list", "--json").json["cases"]}
    assert "reserve_deficit" in kinds
    assert stated("journal", "verify").code == 0


def test_what_a_person_made_stands(stated: Firm, clock: list[datetime]) -> None:
    assert stated("reserve", "compute", "--as-of", "2026-10-02").code == 1
    told = ring(stated, AT + timedelta(minutes=1))
    assert told["reserve_compute"].text.startswith("RC-000001 stands; ")
    assert computed(stated) == [("RC-000001", "2026-10-02")]


@pytest.mark.fault("C8")
def test_after_three_days_off_each_date_is_run_and_the_deadline_shows_as_passed(
    stated: Firm, clock: list[datetime]
) -> None:
    """The firm computes weekly: of the days after Friday no computation is due, and that is what the rows say."""
    ring(stated, AT)
    clock[0] = AT + timedelta(days=3)
    newer = FILES["reserve_holdings.csv"].replace("2026-10-02", "2026-10-07").replace("ST-", "ST-1")
    path = stated.path("reserve_holdings.csv")
    path.write_text(newer, encoding="utf-8")
    assert stated("import", path).code == 0
    told = ring(stated, clock[0])
    assert "deposit deadline passed: customer" in told["reserve_check"].text
    history = stated("schedule", "history", "--job", "reserve_compute", "--json").json["runs"]
    assert [(run["business_date"], run["outcome"]) for run in history] == [
        ("2026-10-07", "late"),
        ("2026-10-06", "late"),
        ("2026-10-05", "late"),
        ("2026-10-02", "late"),
    ]
    assert [run["text"] for run in history[:3]] == [f"no computation is due as of 2026-10-0{day}" for day in (7, 6, 5)]
    reports = stated("report", "list", "--json").json["reports"]
    assert [each["as_of"] for each in reports] == ["2026-10-02", "2026-10-05", "2026-10-06", "2026-10-07"]
    checks = stated("schedule", "history", "--job", "reserve_check", "--json").json["runs"]
    assert [run["outcome"] for run in checks] == ["done", "missed", "done"]


def test_a_computation_without_its_lines_fails_and_says_why(stated: Firm, clock: list[datetime]) -> None:
    """On the next Friday's business day, Tuesday after a bank holiday, no line of that Friday is stated."""
    ring(stated, AT)
    clock[0] = AT + timedelta(days=8)
    told = ring(stated, clock[0])
    run = told["reserve_compute"]
    assert (run.slot.business_date, run.outcome, run.exit_code) == (date(2026, 10, 9), RunOutcome.FAILED, 2)
    assert run.text
    assert computed(stated) == [("RC-000001", "2026-10-02")]
    assert "was due and is not on record" not in told["reserve_check"].text


# Lists


def test_the_list_names_the_next_run_in_civil_time_and_utc(stated: Firm, clock: list[datetime]) -> None:
    before = stated("schedule", "list", "--json")
    assert (before.code, before.json["rung_by"]) == (2, None)
    found = {each["job"]: each for each in before.json["jobs"]}
    assert list(found) == [
        "reserve_check", "control_check", "statement_check", "case_check", "reserve_compute", "report_daily",
    ]  # fmt: skip
    assert found["reserve_compute"]["next"] == {
        "business_date": "2026-10-05",
        "due_at": "2026-10-06T11:30:00.000000Z",
        "civil": "Tue 2026-10-06 07:30 EDT",
        "zone": "America/New_York",
    }
    assert found["reserve_compute"]["last"] is None
    ring(stated, AT)
    after = stated("schedule", "list", "--json")
    last = {each["job"]: each["last"] for each in after.json["jobs"]}
    assert (after.code, last["reserve_compute"]["outcome"], last["reserve_compute"]["exit_code"]) == (1, "late", 1)
    shown = stated("schedule", "list")
    assert "Tue 2026-10-06 07:30 EDT" in shown.out
    assert "no clock runs" in shown.out
    people = stated("schedule", "history")
    assert (people.code, "RC-000001" in people.out) == (0, True)


def test_before_anything_ran_there_is_no_history(firm: Firm) -> None:
    assert firm("schedule", "history", "--json").json == {"runs": [], "files": []}
    assert firm("schedule", "history").code == 2
    assert firm("schedule", "history", "--job", "nonsense", "--json").error == "bad-input"


@pytest.mark.parametrize(
    "text", ['[schedule]\ncompute_at = "7:30"', "[schedule]\ncheck_minutes = 0", '[schedule]\nreports = "yes"']
)
def test_a_schedule_that_cannot_be_is_refused(firm: Firm, text: str) -> None:
    configure(firm, text)
    assert firm("schedule", "list", "--json").error == "config"


# Custodians' statements


@pytest.fixture
def booked(firm: Firm, clock: list[datetime]) -> Firm:
    """A firm with accounts at custodians, and a folder for their statements."""
    clock[0] = MONDAY
    keep_books(firm)
    firm.path("incoming").mkdir()
    configure(firm, '[statements]\nfolder = "incoming"')
    return firm


def arrive(firm: Firm, path: Path) -> Path:
    return path.rename(firm.path("incoming") / path.name)


def test_statements_in_the_folder_are_imported_once_and_compared(booked: Firm, clock: list[datetime]) -> None:
    late = ring(booked, MONDAY)
    assert (late["statement_folder"].text, late["statement_check"].exit_code) == ("nothing new among 0 files", 2)
    dtc, bank = arrive(booked, dtc_statement(booked)), arrive(booked, bank_statement(booked))
    moment = MONDAY + timedelta(minutes=15)
    told = ring(booked, moment)
    assert (told["statement_folder"].exit_code, told["statement_folder"].text.count("stored")) == (0, 2)
    clock[0] = moment + timedelta(minutes=15)
    told = ring(booked, clock[0])
    assert told["statement_folder"].text == "nothing new among 2 files"
    assert told["statement_check"].exit_code == 0
    assert booked("statement", "list", "--json").json["statements"][0]["sha256"]
    assert len(booked("statement", "list", "--json").json["statements"]) == 2
    assert dtc.exists()
    assert bank.exists()
    latest = booked("reconciliations", "list", "--json").json["runs"][-1]
    assert (latest["matched"], latest["unverified"]) == (2, 0)


def test_the_heartbeat_compares_when_something_turned_and_else_leaves_it(booked: Firm, clock: list[datetime]) -> None:
    runs = []
    for minutes in (0, 15, 30):
        clock[0] = MONDAY + timedelta(minutes=minutes)
        ring(booked, clock[0])
        runs.append(len(booked("reconciliations", "list", "--json").json["runs"]))
    assert runs == [1, 1, 1], "the statements were due, and nothing came since"
    missing = {each["location"] for each in booked("cases", "list", "--json").json["cases"]}
    assert {"dtc:0123", "bank:SAFE"} <= missing


def test_a_bad_file_is_recorded_and_not_tried_again_until_it_changes(
    booked: Firm, clock: list[datetime], capsys: pytest.CaptureFixture[str]
) -> None:
    good = dtc_statement(booked).read_bytes()
    path = booked.path("incoming") / "dtc.fin"
    path.write_bytes(good[: len(good) // 2])
    (booked.path("incoming") / ".dtc.part").write_bytes(b"on its way")
    outcomes = []
    for minutes in (0, 15, 30):
        if minutes == 30:
            path.write_bytes(good)
        clock[0] = MONDAY + timedelta(minutes=minutes)
        outcomes.append(ring(booked, clock[0])["statement_folder"])
    assert [each.exit_code for each in outcomes] == [2, 0, 0]
    assert [each.text.split(":")[0] for each in outcomes] == ["dtc.fin", "nothing new among 1 files", "dtc.fin"]
    files = booked("schedule", "history", "--json").json["files"]
    assert [(each["name"], each["accepted"]) for each in files] == [("dtc.fin", True), ("dtc.fin", False)]
    assert len(booked("statement", "list", "--json").json["statements"]) == 1
    assert "refused dtc.fin" in booked("schedule", "history").out
    assert booked("journal", "verify").code == 0


def test_a_folder_that_is_not_there_is_a_failed_run(booked: Firm) -> None:
    booked.path("incoming").rmdir()
    run = ring(booked, MONDAY)["statement_folder"]
    assert (run.outcome, run.exit_code) == (RunOutcome.FAILED, 2)
    assert "No such file" in run.text
    assert str(booked.folder) not in run.text


# The process


@pytest.fixture
def slow(scene: Scene) -> Iterator[tuple[Scene, LyingProxy]]:
    """The scene before a node that is reached through a proxy."""
    with LyingProxy(scene.world.node.url) as proxy:
        path = scene.firm.path("custody.toml")
        path.write_text(path.read_text().replace(scene.world.node.url, proxy.url))
        limits = "[chains.limits]\nread_timeout_seconds = 3600\ncall_deadline_seconds = 3600"
        configure(scene.firm, f"{limits}\n[watch]\nsweep_seconds_min = 0")
        yield scene, proxy


@pytest.mark.devnet
@pytest.mark.fault("C18")
@pytest.mark.parametrize("seconds", [0.2, 600.0])
def test_it_stops_within_ten_seconds_in_the_middle_of_a_sweep(slow: tuple[Scene, LyingProxy], seconds: float) -> None:
    """A sweep of many short waits ends between two; one that waits for a node is left, and its leases given back."""
    scene, proxy = slow
    command = [sys.executable, "-c", "import sys; from verifier.cli import main; sys.argv[0] = 'custody'; main()"]
    command += ["--config", str(scene.firm.path("custody.toml")), "watch", "--json"]
    scene.steal()
    scene.world.confirm()
    chain = parse_chain_id(scene.world.chain_id)
    database = open_store(load_settings(scene.firm.path("custody.toml")).database.url.get_secret_value())

    def slow_in_a_sweep(calls: list[Answer], reply: Reply) -> Reply:
        return delay(seconds)(calls, reply) if database.unfinished_sweep(chain) is not None else reply

    proxy.reply_lies.append(slow_in_a_sweep)
    try:
        with subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                held = {"watch:clock", f"watch:{chain}", f"chain:{chain}"}
                until(lambda: database.unfinished_sweep(chain) is not None and held <= names(database))
                begun = time.monotonic()
                process.send_signal(signal.SIGTERM)
                _, errors = process.communicate(timeout=300)
                took = time.monotonic() - begun
            finally:
                process.kill()
        assert (process.returncode, errors) == (0, "")
        assert took < 120, "a node is waited for ten minutes"
        assert names(database) == set()
        assert database.unfinished_sweep(chain) is not None, "it was in the middle of it"
        proxy.reply_lies.clear()
        assert scene.sweep().code == 1
        assert database.unfinished_sweep(chain) is None
    finally:
        database.close()
    assert scene.firm("journal", "verify").code == 0


def names(store: Store) -> set[str]:
    """The leases that are held."""
    return {lease.name for lease, _, _ in store.leases()}


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)
