"""What runs by the clock, and what each run does: the same as the command of its name.

Jobs of a business date run in this order, one after the other: what a later one reads, an earlier one made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from verifier.schedule.due import DailyTime, EveryMinutes

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store


PULL: Final = "statement_pull_"
"""What the job of a source of statements is called, before the source's name."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a run is given. The store is its own, fenced by the clock's lease."""

    store: Store
    settings: Settings
    business_date: date
    actor: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Result:
    """What a run gave."""

    exit_code: int
    """0 done and nothing to say; 1 the evidence contradicts; 2 something is not verified."""
    text: str


Act = Callable[[Work], Result]


@dataclass(frozen=True, slots=True)
class Job:
    """One job: when, and what."""

    when: DailyTime | EveryMinutes
    act: Act

    @property
    def name(self) -> str:
        """Stable name, as `custody schedule list` shows it."""
        return self.when.job


def jobs_of(settings: Settings) -> list[Job]:
    """Every job that is configured; those of a business date in the order in which they run."""
    from verifier.reserve_inputs import firm_calendar
    from verifier.schedule import acts
    from verifier.schedule.folder import look_into_folder

    section, zone = settings.schedule, settings.reserve.bank_zone
    calendar, _ = firm_calendar(settings)

    def often(name: str, minutes: int, act: Act) -> Job:
        return Job(EveryMinutes(name, timedelta(minutes=minutes), zone), act)

    def each_day(name: str, at: str, act: Act) -> Job:
        return Job(DailyTime(name, time.fromisoformat(at), zone, calendar), act)

    jobs = [
        often("reserve_check", section.check_minutes, acts.check_reserve),
        often("control_check", section.check_minutes, acts.check_control),
        often("statement_check", section.check_minutes, acts.check_statements),
        often("case_check", section.check_minutes, acts.check_cases),
    ]
    if settings.statements.folder is not None:
        jobs.append(often("statement_folder", settings.statements.every_minutes, look_into_folder))
    jobs += [
        often(f"{PULL}{source.name}", source.every_minutes, partial(acts.pull_statements, source))
        for source in settings.statements.sources
    ]
    if section.control_review:
        jobs.append(each_day("control_review", section.control_review_at, acts.review_control))
    if section.compute:
        jobs.append(each_day("reserve_compute", section.compute_at, acts.compute_reserve))
    if section.reconcile:
        jobs.append(each_day("reconcile", section.reconcile_at, acts.reconcile))
    if section.report:
        jobs.append(each_day("report_daily", section.report_at, acts.report))
    return jobs
