"""The alarm clock itself: real time, real threads, a real database file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from pydantic import SecretStr

from verifier.config import DatabaseSettings, FirmSettings, Settings
from verifier.errors import InputError, StoreUnavailable
from verifier.schedule import clock as clock_module
from verifier.schedule.clock import LEASE_NAME, BusinessClock
from verifier.schedule.due import EveryMinutes
from verifier.schedule.jobs import Job, Result, Work
from verifier.schedule.records import RunOutcome
from verifier.store import Store, open_store

TICK = timedelta(seconds=0.4)


def now() -> datetime:
    return datetime.now(UTC)


class Clocks:
    """Clocks on one database, each in a thread."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store, self.settings = store, settings
        self.running: list[tuple[Event, Thread]] = []

    def start(self, *jobs: Job) -> Event:
        stop = Event()
        clock = BusinessClock(self.settings, stop, clock=now, actor="clock", emit=lambda run: None, jobs=jobs)
        thread = Thread(target=clock.run)
        self.running.append((stop, thread))
        thread.start()
        return stop

    def end(self) -> float:
        """Stop them all; how long that took."""
        begun = time.monotonic()
        for stop, _ in self.running:
            stop.set()
        for _, thread in self.running:
            thread.join(120)
            assert not thread.is_alive()
        self.running.clear()
        return time.monotonic() - begun

    def outcomes(self, job: str = "check") -> list[RunOutcome | None]:
        return [each.outcome for each in self.store.scheduled_runs(job)][::-1]


@pytest.fixture
def clocks(sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clocks]:
    monkeypatch.setattr(clock_module, "STANDBY_SECONDS", 0.2)
    monkeypatch.setattr(clock_module, "LOOK_SECONDS", 0.1)
    path = tmp_path / "custody.db"
    path.write_bytes(sqlite_template.read_bytes())
    url = SecretStr(f"sqlite:///{path}")
    settings = Settings(firm=FirmSettings(name="Example LLC"), database=DatabaseSettings(url=url))
    store = open_store(url.get_secret_value())
    found = Clocks(store, settings)
    yield found
    found.end()
    store.close()


def check(act: Callable[[Work], Result] = lambda work: Result(0, "looked"), every: timedelta = TICK) -> Job:
    return Job(EveryMinutes("check", every, "America/New_York"), act)


def until(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


@pytest.mark.fault("C5")
def test_of_two_clocks_one_rings_and_the_other_takes_over(clocks: Clocks) -> None:
    by: list[str] = []

    def named(name: str) -> Job:
        def act(work: Work) -> Result:
            by.append(name)
            return Result(0, name)

        return check(act)

    first = clocks.start(named("first"))
    until(lambda: len(by) >= 2)
    clocks.start(named("second"))
    until(lambda: len(by) >= 4)
    assert set(by) == {"first"}
    first.set()
    until(lambda: "second" in by)
    clocks.end()
    runs = clocks.store.scheduled_runs("check")
    assert len({run.slot.key for run in runs}) == len(runs)
    assert [run.text for run in runs if run.outcome is RunOutcome.DONE][::-1] == by
    assert "first" not in by[by.index("second") :]
    assert clocks.store.leases() == []


@pytest.mark.fault("C7")
def test_a_run_that_takes_longer_than_its_interval_skips_the_next(clocks: Clocks) -> None:
    go_on = Event()

    def long(work: Work) -> Result:
        go_on.wait(600)
        return Result(0, "at last")

    clocks.start(check(long))
    until(lambda: RunOutcome.SKIPPED in clocks.outcomes())
    assert clocks.outcomes()[:2] == [None, RunOutcome.SKIPPED]
    go_on.set()
    until(lambda: clocks.outcomes().count(RunOutcome.DONE) >= 2)
    assert clocks.outcomes()[0] is RunOutcome.DONE


def test_a_job_that_fails_keeps_no_other_from_ringing(clocks: Clocks) -> None:
    def broken(work: Work) -> Result:
        raise InputError("no")

    other = Job(EveryMinutes("other", TICK, "America/New_York"), lambda work: Result(0, "fine"))
    clocks.start(check(broken), other)
    until(lambda: clocks.outcomes("other").count(RunOutcome.DONE) >= 2 and RunOutcome.FAILED in clocks.outcomes())
    assert set(clocks.outcomes()) <= {RunOutcome.FAILED, RunOutcome.SKIPPED, None}, "on a busy machine one is skipped"


@pytest.mark.fault("C6")
def test_a_clock_that_lost_its_lease_stops_ringing_until_it_has_it_again(clocks: Clocks) -> None:
    clocks.start(check())
    until(lambda: len(clocks.outcomes()) >= 1)
    an_hour_later = now() + timedelta(hours=1)  # by then the lease ran out, in the eyes of another machine
    taken = clocks.store.take_lease(LEASE_NAME, an_hour_later, seconds=600, holder="other-host/1@2")
    time.sleep(0.6)
    before = len(clocks.outcomes())
    time.sleep(0.9)
    assert len(clocks.outcomes()) == before
    assert [each for each, _, _ in clocks.store.leases()] == [taken]
    clocks.store.give_lease_back(taken, now())
    until(lambda: len(clocks.outcomes()) > before)


def test_after_the_database_was_away_it_rings_again_at_once(clocks: Clocks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own lease, which it could not give back, keeps it from nothing."""
    away: list[str] = []

    def is_away(name: str) -> Callable[..., object]:
        real = getattr(Store, name)

        def called(store: Store, *arguments: object) -> object:
            if store is not clocks.store and name not in away:
                away.append(name)
                raise StoreUnavailable("away")
            return real(store, *arguments)

        return called

    clocks.start(check())
    until(lambda: len(clocks.outcomes()) >= 1)
    (before,) = (each for each, _, _ in clocks.store.leases())
    for name in ("leases", "give_lease_back"):
        monkeypatch.setattr(Store, name, is_away(name))
    until(lambda: len(away) == 2)
    count = len(clocks.outcomes())
    until(lambda: len(clocks.outcomes()) > count)
    (after,) = (each for each, _, _ in clocks.store.leases())
    assert after.token == before.token + 1


@pytest.mark.fault("C18")
def test_a_run_that_does_not_end_is_cut_off_and_the_lease_given_back(
    clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock_module, "END_SECONDS", 0.5)
    begun, go_on, late = Event(), Event(), Event()

    def endless(work: Work) -> Result:
        begun.set()
        go_on.wait(600)
        try:
            work.store.take_lease("anything", now())
        finally:
            late.set()
        return Result(0, "too late")

    clocks.start(check(endless, timedelta(minutes=15)))
    assert begun.wait(120)
    assert clocks.end() < 120, "the run goes on for ten minutes"
    assert clocks.store.leases() == []
    taken = clocks.store.take_lease(LEASE_NAME, now())
    go_on.set()
    assert late.wait(120)
    time.sleep(0.2)
    assert set(clocks.outcomes()) <= {None, RunOutcome.SKIPPED}, (
        "what comes after the lease was taken over is not written"
    )
    assert [each for each, _, _ in clocks.store.leases()] == [taken]
