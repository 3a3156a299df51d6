"""The alarm clock: one process of those on a database rings, under the lease `watch:clock`; the others stand by.

APScheduler only wakes: its jobs are in memory, made from the configuration at every start. What is due, done and
missed is told by the rows (`verifier.schedule.runs`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from threading import Event, Lock, Thread
from typing import Any, Final

import structlog
from apscheduler.events import EVENT_JOB_MAX_INSTANCES
from apscheduler.executors.base import BaseExecutor, run_job
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from chains.errors import ChainError
from exports.reserve.errors import ReserveError
from verifier.acting import prepare, terminal_origin
from verifier.config import Settings
from verifier.errors import LeaseHeld, LeaseLost, StoreError, VerifierError
from verifier.known_head import require_ready
from verifier.schedule.due import DailyTime, EveryMinutes
from verifier.schedule.jobs import Job, jobs_of
from verifier.schedule.records import ScheduledRun
from verifier.schedule.runs import Runner
from verifier.store import Store, open_store
from verifier.store.records import Lease

LEASE_NAME: Final = "watch:clock"
DAYS: Final = "business dates"
"""Id of the one alarm of all daily jobs: they run one after the other."""
STANDBY_SECONDS: Final = 2.0
"""How often a clock that stands by asks whether the other one is gone."""
LOOK_SECONDS: Final = 1.0
"""How often the clock looks whether it still holds its lease; also how soon it notices that the time jumped."""
END_SECONDS: Final = 4.0
"""How long runs under way may take to end when the clock is stopped; later they are cut off, and run again."""

log = structlog.get_logger(__name__)


class BusinessClock:
    """Rings until it is told to stop. Used by one thread; every run has a thread and a store of its own."""

    def __init__(
        self,
        settings: Settings,
        stop: Event,
        *,
        clock: Callable[[], datetime],
        actor: str,
        emit: Callable[[ScheduledRun], None],
        jobs: Sequence[Job] | None = None,
        opened: Callable[[Store], None] = lambda store: None,
    ) -> None:
        """`jobs` are those of the configuration unless others are given; `opened` is told of the store of the lease."""
        self._settings, self._stop, self._clock, self._actor, self._emit = settings, stop, clock, actor, emit
        self._jobs = list(jobs) if jobs is not None else jobs_of(settings)
        self._opened = opened
        self._under_way: set[Thread] = set()
        self._lock = Lock()

    def run(self) -> None:
        """Ring, or stand by while another process does. A database that cannot be used is tried again."""
        told = ""
        kept_back: dict[str, Lease] = {}
        while not self._stop.is_set():
            store = self._open()
            store.kept_back = kept_back  # what the store before this one could not give back is this clock's own
            try:
                require_ready(store, self._settings)
                self._opened(store)
                with store.leased(LEASE_NAME) as lease:
                    told = ""
                    self._ring(store, lease)
            except StoreError as error:  # held by another process, lost to it, busy
                if error.code != told:
                    level = log.info if isinstance(error, LeaseHeld) else log.warning
                    level("the clock does not ring", code=error.code, why=str(error))
                told = error.code
            finally:
                store.close()
            self._stop.wait(STANDBY_SECONDS)

    def _open(self) -> Store:
        store = open_store(self._settings.database.url.get_secret_value())
        prepare(store, self._settings, terminal_origin())
        return store

    def _ring(self, store: Store, lease: Lease) -> None:
        lost = Event()
        scheduler = BackgroundScheduler(
            executors={"default": _ThreadPerRun(self._under_way, self._lock)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=UTC,
        )
        repeated = {job.name: job for job in self._jobs if isinstance(job.when, EveryMinutes)}
        daily = [job for job in self._jobs if isinstance(job.when, DailyTime)]

        def skipped(event: Any) -> None:
            if (job := repeated.get(event.job_id)) is not None:
                self._with_runner(lease, lost, lambda runner: runner.skip(job))

        scheduler.add_listener(skipped, EVENT_JOB_MAX_INSTANCES)
        at_once = self._clock()
        for job in repeated.values():
            scheduler.add_job(
                self._with_runner,
                _Alarm([job]),
                args=[lease, lost, lambda runner, job=job: runner.run_now(job)],
                id=job.name,
                next_run_time=at_once,
            )
        if daily:
            days = [lease, lost, lambda runner: runner.run_days(daily)]
            scheduler.add_job(self._with_runner, _Alarm(daily), args=days, id=DAYS, next_run_time=at_once)
        scheduler.start()
        try:
            while not self._stop.wait(LOOK_SECONDS):
                if lost.is_set() or all(each != lease for each, _, _ in store.leases()):
                    raise LeaseLost(f"{lease.name} was taken by another process")
                scheduler.wakeup()
        finally:
            lost.set()
            scheduler.shutdown(wait=False)
            self._end_runs()

    def _end_runs(self) -> None:
        until = time.monotonic() + END_SECONDS
        with self._lock:
            under_way = list(self._under_way)
        for thread in under_way:
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                log.warning("a run by the clock was cut off; the next clock runs it again", run=thread.name)

    def _with_runner(self, lease: Lease, ended: Event, act: Callable[[Runner], None]) -> None:
        """Do something with a runner whose every write is refused once the lease is lost."""
        store = self._open()
        store.fences[lease.name] = lease
        runner = Runner(store, self._settings, self._actor, self._clock, self._emit, ended.is_set)
        try:
            act(runner)
        except LeaseLost:
            ended.set()
        except (VerifierError, ChainError, ReserveError) as error:  # the database is busy, a year without a calendar
            log.error("the clock could not run what is due", code=error.code, why=str(error))
        finally:
            store.close()


class _ThreadPerRun(BaseExecutor):  # type: ignore[misc]  # APScheduler publishes no types
    """Runs each job in a daemon thread, so that one that does not end cannot keep the process from ending."""

    def __init__(self, under_way: set[Thread], lock: Lock) -> None:
        super().__init__()
        self._threads, self._mine = under_way, lock

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        def work() -> None:
            try:
                events = run_job(job, job._jobstore_alias, run_times, self._logger.name)
            except BaseException as error:  # noqa: BLE001 - handed to the scheduler, which logs it
                self._run_job_error(job.id, error, error.__traceback__)
            else:
                self._run_job_success(job.id, events)
            finally:
                with self._mine:
                    self._threads.discard(threading.current_thread())

        thread = Thread(target=work, name=f"clock {job.id}", daemon=True)
        with self._mine:
            self._threads.add(thread)
        thread.start()


class _Alarm(BaseTrigger):  # type: ignore[misc]  # APScheduler publishes no types
    """Rings when the next of some jobs is due."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The next moment; in an hour where the calendar of a daily job ends."""
        after = max(now.astimezone(UTC), previous_fire_time.astimezone(UTC)) if previous_fire_time else now
        try:
            return min(job.when.after(after).due_at for job in self._jobs)
        except ReserveError:
            return after + timedelta(hours=1)
