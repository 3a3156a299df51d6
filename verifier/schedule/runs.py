"""Running what is due, each run once, with a row of what became of it.

What is due is told by the rows and the calendar alone, never by the alarm that rang: an alarm that is late, doubled or
left out changes nothing but the time at which it is noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import structlog

from chains.errors import ChainError
from chains.types import utc_text
from exports.errors import BundleError
from exports.reserve.errors import ReserveError
from mapping.errors import MappingError
from verifier.errors import LeaseLost, VerifierError
from verifier.schedule.due import DailyTime, EveryMinutes
from verifier.schedule.jobs import Act, Job, Result, Work
from verifier.schedule.records import RunOutcome, ScheduledRun, Slot

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store

log = structlog.get_logger(__name__)

LATE_AFTER: Final = timedelta(minutes=5)
"""A run that begins later than this after it was due was late."""


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs what is due, with a store that is fenced by the clock's lease."""

    store: Store
    settings: Settings
    actor: str
    clock: Callable[[], datetime]
    emit: Callable[[ScheduledRun], None]
    """Told of each run when its row is written."""
    stopping: Callable[[], bool] = lambda: False
    """Whether nothing further is to be begun."""

    def run_days(self, jobs: Sequence[Job]) -> None:
        """Run every business date of every daily job that is due and has no row, in the order of the days.

        Of a job that never ran only the newest date is run: what was before it was nobody's duty. Dates further back
        than `catch_up_days` are recorded as missed. A run that was cut off is run again, and finds what it left.
        """
        now = self.clock()
        waiting: list[tuple[Slot, Act, bool]] = []
        for job in jobs:
            assert isinstance(job.when, DailyTime)
            waiting += [(slot, job.act, begun) for slot, begun in self._dates(job.when, now)]
        order = {job.name: place for place, job in enumerate(jobs)}
        for slot, act, begun in sorted(waiting, key=lambda each: (each[0].business_date, order[each[0].job])):
            if self.stopping():
                return
            self._run(slot, act, begun=begun, is_late=self.clock() - slot.due_at > LATE_AFTER)

    def _dates(self, when: DailyTime, now: datetime) -> Iterable[tuple[Slot, bool]]:
        """The runs to make, and whether each was begun before; those too far back are recorded as missed here."""
        yield from ((each.slot, True) for each in self.store.unended_runs(when.job))
        newest = when.newest(now)
        before = self.store.scheduled_runs(when.job)
        if not before:
            yield newest, False
            return
        last = max(each.slot.business_date for each in before)
        due = list(when.since(last, now))
        kept = self.settings.schedule.catch_up_days
        for slot in due[: max(0, len(due) - kept)]:
            self._not_begun(slot, RunOutcome.MISSED, f"no clock ran; more than {kept} business dates back")
        yield from ((slot, False) for slot in due[max(0, len(due) - kept) :])

    def run_now(self, job: Job) -> None:
        """Run what is due of a job that repeats, unless it has a row; say how many runs were missed before it."""
        assert isinstance(job.when, EveryMinutes)
        when, now = job.when, self.clock()
        for cut_off in self.store.unended_runs(when.job):
            self._end(
                cut_off.slot, cut_off.started_at, RunOutcome.FAILED, Result(2, "the process ended during the run")
            )
        slot = when.newest(now)
        before = self.store.scheduled_runs(when.job, limit=1)
        if before and (passed := when.passed(before[0].slot.due_at, now)):
            missed = when.slot(slot.due_at - when.every)
            since = utc_text(before[0].slot.due_at + when.every)
            self._not_begun(missed, RunOutcome.MISSED, f"no clock ran: {passed} runs from {since} on were missed")
        self._run(slot, job.act, begun=False, is_late=False)

    def skip(self, job: Job) -> None:
        """Record that the run due now is skipped, because the one before it has not ended."""
        assert isinstance(job.when, EveryMinutes)
        self._not_begun(job.when.newest(self.clock()), RunOutcome.SKIPPED, "the run before it had not ended")

    def _run(self, slot: Slot, act: Act, *, begun: bool, is_late: bool) -> None:
        started_at = self.clock()
        if not begun and not self.store.begin_run(slot, self.actor, started_at):
            return
        work = Work(self.store, self.settings, slot.business_date, self.actor, started_at)
        outcome = RunOutcome.LATE if is_late or begun else RunOutcome.DONE
        try:
            result = act(work)
        except LeaseLost:
            raise  # who holds the lease now runs it again
        except (VerifierError, ChainError, BundleError, MappingError, ReserveError) as error:
            outcome, result = RunOutcome.FAILED, Result(2, f"{error.code}: {error}")
        except Exception as error:  # noqa: BLE001 - one job that breaks must not stop the others
            log.error("a run by the clock broke", job=slot.job, error=type(error).__name__)
            result = Result(2, f"a fault of this program: {type(error).__name__}")
            outcome = RunOutcome.FAILED
        self._end(slot, started_at, outcome, result)

    def _end(self, slot: Slot, started_at: datetime | None, outcome: RunOutcome, result: Result) -> None:
        ended_at = self.clock()
        self.store.end_run(slot, outcome, result.exit_code, result.text, self.actor, ended_at)
        self._tell(ScheduledRun(slot, started_at, ended_at, outcome, result.exit_code, result.text))

    def _not_begun(self, slot: Slot, outcome: RunOutcome, text: str) -> None:
        at = self.clock()
        if self.store.add_unrun(slot, outcome, text, self.actor, at):
            self._tell(ScheduledRun(slot, None, at, outcome, 2, text))

    def _tell(self, run: ScheduledRun) -> None:
        outcome = run.outcome.value if run.outcome is not None else ""
        log.info("run by the clock", job=run.slot.job, slot=run.slot.key, outcome=outcome, exit_code=run.exit_code)
        self.emit(run)
