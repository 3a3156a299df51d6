"""What runs by the clock, shown to programs: jobs with their next and last runs, runs on record, files that came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from chains.types import utc_text
from verifier.schedule.clock import LEASE_NAME
from verifier.schedule.jobs import PULL, jobs_of

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.schedule.jobs import Job
    from verifier.schedule.records import FolderFile, PulledFile, ScheduledRun, Slot
    from verifier.store import Store


def last_runs(store: Store, settings: Settings) -> dict[str, ScheduledRun | None]:
    """The last run of every configured job; None for one that never ran."""
    return {job.name: next(iter(store.scheduled_runs(job.name, limit=1)), None) for job in _jobs(settings)}


def next_runs(settings: Settings, now: datetime) -> dict[str, Slot]:
    """When every configured job is due next."""
    return {job.name: job.when.after(now) for job in _jobs(settings)}


def rung_by(store: Store) -> str:
    """The process that rings the clock; empty when none does."""
    return next((lease.holder for lease, _, _ in store.leases() if lease.name == LEASE_NAME), "")


def schedule_json(store: Store, settings: Settings, now: datetime) -> dict[str, object]:
    """Every job with its next run, in civil time and UTC, and what became of the last one."""
    zone, last = settings.reserve.bank_zone, last_runs(store, settings)
    jobs = [
        {
            "job": name,
            "next": {
                "business_date": slot.business_date.isoformat(),
                "due_at": utc_text(slot.due_at),
                "civil": civil_text(slot.due_at, zone),
                "zone": zone,
            },
            "last": run_json(run, zone) if (run := last[name]) is not None else None,
        }
        for name, slot in next_runs(settings, now).items()
    ]
    return {"rung_by": rung_by(store) or None, "jobs": jobs}


def run_json(run: ScheduledRun, zone: str) -> dict[str, object]:
    """One run as it is on record."""
    return {
        "job": run.slot.job,
        "business_date": run.slot.business_date.isoformat(),
        "due_at": utc_text(run.slot.due_at),
        "civil": civil_text(run.slot.due_at, zone),
        "started_at": utc_text(run.started_at) if run.started_at is not None else None,
        "ended_at": utc_text(run.ended_at) if run.ended_at is not None else None,
        "outcome": run.outcome.value if run.outcome is not None else None,
        "exit_code": run.exit_code,
        "text": run.text,
    }


def files_seen(store: Store, job: str = "") -> list[tuple[str, FolderFile | PulledFile]]:
    """Files that came by jobs of all names or of one, the newest first, each with its source; none is the folder."""
    found: list[tuple[str, FolderFile | PulledFile]] = []
    if job in ("", "statement_folder"):
        found += [("", each) for each in store.folder_files()]
    if not job or job.startswith(PULL):
        found += [(each.source, each) for each in store.pulled_files(job.removeprefix(PULL))]
    return sorted(found, key=lambda each: each[1].seen_at)[::-1]


def file_json(source: str, file: FolderFile | PulledFile) -> dict[str, object]:
    """One file of custodians' statements, and what its import gave."""
    return {
        "source": source or None,
        "name": file.name,
        "sha256": file.digest,
        "accepted": file.accepted,
        "text": file.text,
        "seen_at": utc_text(file.seen_at),
    }


def civil_text(moment: datetime, zone: str) -> str:
    """A time as the firm's clocks show it."""
    return f"{moment.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M %Z}"


def _jobs(settings: Settings) -> Sequence[Job]:
    return jobs_of(settings) if settings.schedule.enabled else []
