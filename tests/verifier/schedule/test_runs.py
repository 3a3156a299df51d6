"""Each run once, and a row for each, on both databases: what was missed, skipped, late, cut off, or run by another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from pydantic import SecretStr

from verifier.config import DatabaseSettings, FirmSettings, ScheduleSettings, Settings
from verifier.errors import InputError, LeaseLost, StoreError
from verifier.journal import verify_journal
from verifier.reserve.calendar import bank_calendar
from verifier.schedule.due import DailyTime, EveryMinutes
from verifier.schedule.jobs import Job, Result, Work
from verifier.schedule.records import RunOutcome, ScheduledRun
from verifier.schedule.runs import Runner
from verifier.store import Store, open_store

ZONE = "America/New_York"
THURSDAY, FRIDAY, MONDAY, TUESDAY = date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 23), date(2026, 11, 24)
DONE, LATE, FAILED = RunOutcome.DONE, RunOutcome.LATE, RunOutcome.FAILED
SKIPPED, MISSED = RunOutcome.SKIPPED, RunOutcome.MISSED


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass
class Office:
    """A clock that the test turns, and jobs that write down for which day they ran."""

    store: Store
    now: datetime
    ran: list[tuple[str, date]] = field(default_factory=list)
    told: list[ScheduledRun] = field(default_factory=list)
    catch_up_days: int = 10

    def runner(self, store: Store | None = None) -> Runner:
        settings = Settings(
            firm=FirmSettings(name="Example LLC"),
            database=DatabaseSettings(url=SecretStr("sqlite:///unused.db")),
            schedule=ScheduleSettings(catch_up_days=self.catch_up_days),
        )
        return Runner(store or self.store, settings, "clock", lambda: self.now, self.told.append)

    def job(self, name: str = "compute", clock: str = "07:30", act: Callable[[Work], None] | None = None) -> Job:
        return Job(DailyTime(name, time.fromisoformat(clock), ZONE, bank_calendar()), self.act(name, act))

    def check(self, act: Callable[[Work], None] | None = None) -> Job:
        return Job(EveryMinutes("check", timedelta(minutes=15), ZONE), self.act("check", act))

    def act(self, name: str, further: Callable[[Work], None] | None) -> Callable[[Work], Result]:
        def run(work: Work) -> Result:
            self.ran.append((name, work.business_date))
            if further is not None:
                further(work)
            return Result(1, "found something")

        return run

    def rows(self, job: str = "compute") -> list[tuple[str, RunOutcome | None]]:
        return [(each.slot.key, each.outcome) for each in self.store.scheduled_runs(job)][::-1]


@pytest.fixture
def office(store: Store) -> Office:
    """Monday, a minute after half past seven in New York."""
    return Office(store, at("2026-11-23T12:31"))


def test_a_run_is_made_once_and_has_a_row(office: Office) -> None:
    for _ in range(3):
        office.runner().run_days([office.job()])
    assert office.ran == [("compute", FRIDAY)]
    (run,) = office.store.scheduled_runs()
    assert (run.slot.business_date, run.slot.due_at, run.started_at) == (FRIDAY, at("2026-11-23T12:30"), office.now)
    assert (run.outcome, run.exit_code, run.text) == (DONE, 1, "found something")
    assert office.told == [run]
    report = verify_journal(office.store)
    assert (report.ok, report.rows) == (True, 2)


def test_before_its_time_the_day_before_is_the_newest(office: Office) -> None:
    office.now = at("2026-11-23T12:29")
    office.runner().run_days([office.job()])
    assert (office.ran, office.rows()) == ([("compute", THURSDAY)], [("2026-11-19", LATE)])


@pytest.mark.fault("C5")
def test_two_clocks_never_make_one_run_twice(office: Office, database_url: str) -> None:
    """The second asks while the first is in the middle of it, and again later."""
    other = open_store(database_url)
    try:
        again = office.job()
        assert isinstance(again.when, DailyTime)
        slot, claimed = again.when.newest(office.now), list[bool]()
        first = office.job(act=lambda _: claimed.append(other.begin_run(slot, "second", office.now)))
        office.runner().run_days([first])
        office.runner(other).run_days([again])
    finally:
        other.close()
    assert (claimed, office.ran, len(office.rows())) == ([False], [("compute", FRIDAY)], 1)


@pytest.mark.fault("C8")
def test_after_days_off_every_business_date_is_run_late_with_its_own_as_of(office: Office) -> None:
    office.now = at("2026-11-19T12:30")
    office.runner().run_days([office.job()])
    office.now = at("2026-11-25T15:00")
    office.runner().run_days([office.job(), office.job("report", "09:30")])
    dates = [day for name, day in office.ran if name == "compute"]
    assert dates == [date(2026, 11, 18), THURSDAY, FRIDAY, MONDAY, TUESDAY]
    assert [outcome for _, outcome in office.rows()] == [DONE, LATE, LATE, LATE, LATE]
    assert office.rows("report") == [("2026-11-24", LATE)], "nothing was anybody's duty before it was switched on"
    assert office.ran[-2:] == [("compute", TUESDAY), ("report", TUESDAY)], "a report reads what was computed"


@pytest.mark.fault("C8")
def test_what_is_too_far_back_is_recorded_as_missed_and_not_run(office: Office) -> None:
    office.now, office.catch_up_days = at("2026-11-19T12:30"), 1
    office.runner().run_days([office.job()])
    office.now = at("2026-11-25T15:00")
    office.runner().run_days([office.job()])
    assert office.rows() == [
        ("2026-11-18", DONE),
        ("2026-11-19", MISSED),
        ("2026-11-20", MISSED),
        ("2026-11-23", MISSED),
        ("2026-11-24", LATE),
    ]
    assert office.ran == [("compute", date(2026, 11, 18)), ("compute", TUESDAY)]
    missed = office.store.scheduled_runs()[1]
    assert (missed.started_at, missed.exit_code) == (None, 2)


@pytest.mark.fault("C8")
def test_of_checks_one_row_says_how_many_were_missed(office: Office) -> None:
    office.runner().run_now(office.check())
    office.now += timedelta(days=3)
    office.runner().run_now(office.check())
    office.runner().run_now(office.check())
    assert [outcome for _, outcome in office.rows("check")] == [DONE, MISSED, DONE]
    missed = office.store.scheduled_runs("check")[1]
    assert "287 runs from 2026-11-23T12:45:00.000000Z on were missed" in missed.text
    assert len(office.ran) == 2


@pytest.mark.fault("C7")
def test_a_check_longer_than_its_interval_skips_the_next_and_says_so(office: Office) -> None:
    def long(work: Work) -> None:
        for _ in range(2):
            office.now += timedelta(minutes=15)
            office.runner().skip(office.check())

    office.runner().run_now(office.check(long))
    assert office.rows("check") == [
        ("2026-11-23T12:30:00.000000Z", DONE),
        ("2026-11-23T12:45:00.000000Z", SKIPPED),
        ("2026-11-23T13:00:00.000000Z", SKIPPED),
    ]
    office.runner().run_now(office.check())
    assert len(office.ran) == 1, "the run that was skipped is not made after all"
    office.now += timedelta(minutes=15)
    office.runner().run_now(office.check())
    assert [outcome for _, outcome in office.rows("check")] == [DONE, SKIPPED, SKIPPED, DONE]


@pytest.mark.parametrize(
    ("error", "text"),
    [(InputError("no books of that day"), "bad-input: no books of that day"), (ZeroDivisionError("x"), "ZeroDivision")],
)
def test_a_run_that_fails_says_why_and_the_next_job_runs(office: Office, error: Exception, text: str) -> None:
    def fail(work: Work) -> None:
        raise error

    office.runner().run_days([office.job(act=fail), office.job("report", "07:31")])
    run = office.store.scheduled_runs("compute")[0]
    assert (run.outcome, run.exit_code, text in run.text) == (FAILED, 2, True)
    assert office.rows("report") == [("2026-11-20", DONE)]
    office.runner().run_days([office.job()])
    assert len(office.ran) == 2, "a person does it by hand"


@pytest.mark.fault("C1")
def test_a_run_that_was_cut_off_is_made_again_and_a_check_is_not(office: Office) -> None:
    def killed(work: Work) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        office.runner().run_days([office.job(act=killed)])
    with pytest.raises(KeyboardInterrupt):
        office.runner().run_now(office.check(killed))
    assert (office.rows(), office.rows("check")) == (
        [("2026-11-20", None)],
        [("2026-11-23T12:30:00.000000Z", None)],
    )
    office.now += timedelta(minutes=15)
    office.runner().run_days([office.job()])
    office.runner().run_now(office.check())
    assert office.rows() == [("2026-11-20", LATE)]
    assert [outcome for _, outcome in office.rows("check")] == [FAILED, DONE]


@pytest.mark.fault("C6")
def test_a_clock_that_lost_its_lease_claims_and_ends_nothing(office: Office, database_url: str) -> None:
    late = office.store.take_lease("watch:clock", office.now, seconds=1, holder="slow-host/1@2")
    office.store.fences["watch:clock"] = late
    other = open_store(database_url)
    try:

        def taken_over(work: Work) -> None:
            other.take_lease("watch:clock", office.now + timedelta(seconds=2), holder="other-host/1@2")

        with pytest.raises(LeaseLost):
            office.runner().run_days([office.job(act=taken_over)])
        with pytest.raises(LeaseLost):
            office.runner().run_now(office.check())
        assert [(each.slot.job, each.outcome) for each in other.scheduled_runs()] == [("compute", None)]
        office.runner(other).run_days([office.job()])
        assert [each.outcome for each in other.scheduled_runs()] == [LATE]
    finally:
        office.store.fences.clear()
        other.close()


def test_an_end_is_recorded_once_and_only_of_what_was_begun(office: Office) -> None:
    slot = DailyTime("compute", time(7, 30), ZONE, bank_calendar()).slot(FRIDAY)
    with pytest.raises(StoreError, match="was not begun"):
        office.store.end_run(slot, DONE, 0, "", "clock", office.now)
    assert office.store.begin_run(slot, "clock", office.now)
    assert not office.store.add_unrun(slot, MISSED, "", "clock", office.now)
    office.store.end_run(slot, DONE, 0, "", "clock", office.now)
    with pytest.raises(StoreError, match="has ended already"):
        office.store.end_run(slot, FAILED, 2, "", "clock", office.now)
    assert office.rows() == [("2026-11-20", DONE)]


def test_nothing_further_is_begun_when_it_stops(office: Office) -> None:
    replace(office.runner(), stopping=lambda: True).run_days([office.job()])
    assert (office.ran, office.rows()) == ([], [])
