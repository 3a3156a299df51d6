"""What is kept: bundles that were issued, the journal, and what ran by the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from exports.verdict import CheckStatus, VerificationReport
from verifier.schedule.clock import LEASE_NAME
from verifier.schedule.jobs import jobs_of
from verifier.store.journal_view import entries_before, newest_entries
from verifier.web.views.listing import Listing, listing
from verifier.web.views.tones import RUN, Mark, Tone

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.schedule.records import ScheduledRun
    from verifier.store import Store

ENTRIES_SHOWN: Final = 50
RUNS_SHOWN: Final = 40
PAYLOAD_SHOWN: Final = 600
CHECKS: Final = {
    CheckStatus.PASSED: Mark("passed", Tone.GOOD),
    CheckStatus.FAILED: Mark("failed", Tone.BAD),
}
"""Of a check of a bundle; every other status says that it could not be, or was not to be, checked."""


@dataclass(frozen=True, slots=True)
class BundleRow:
    """One bundle that was issued."""

    sequence: int
    bundle_id: str
    as_of: datetime
    issued_at: datetime
    digest: str
    entry: int
    """The journal entry that it names as its head."""
    blocks: tuple[str, ...]
    mark: Mark
    reason: str


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One journal entry."""

    sequence: int
    at: datetime
    actor: str
    kind: str
    counts: str
    payload: str
    digest: str


@dataclass(frozen=True, slots=True)
class JournalPage:
    """A page of the journal, the newest first."""

    entries: tuple[EntryRow, ...]
    older: int | None
    """Entries before this number come next; None at the end."""
    newest: int


@dataclass(frozen=True, slots=True)
class JobRow:
    """One configured job."""

    name: str
    next_civil: str
    next_at: datetime
    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run by the clock."""

    job: str
    about: str
    due_at: datetime
    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class SchedulePage:
    """What runs by the clock."""

    zone: str
    rung_by: str
    is_enabled: bool
    jobs: tuple[JobRow, ...]
    runs: tuple[RunRow, ...]


def bundles_page(store: Store, number: int) -> Listing[BundleRow]:
    """Issued bundles, the newest first; each is held against the journal and the blocks that left their chains."""
    gone: dict[int, list[str]] = {}
    for each in store.superseded_bundles():
        gone.setdefault(each.bundle.sequence, []).append(f"block {each.height:,} of {each.chain_id} left its chain")
    page = listing(store.bundles()[::-1], number, 20)
    rows = []
    for bundle in page.items:
        kept = store.entry_digest(bundle.head.sequence) == bundle.head.entry_digest
        if not kept:
            mark, reason = Mark("not of this journal", Tone.BAD), "the journal entry it names has another digest here"
        elif bundle.sequence in gone:
            mark, reason = Mark("superseded", Tone.OPEN), "; ".join(gone[bundle.sequence])
        else:
            mark, reason = Mark("stands", Tone.GOOD), "the journal entry it names is here unchanged; its blocks stand"
        rows.append(
            BundleRow(
                bundle.sequence,
                bundle.bundle_id,
                bundle.as_of,
                bundle.head.recorded_at,
                bundle.digest,
                bundle.head.sequence,
                tuple(f"{chain_id} {height:,}" for chain_id, height, _ in bundle.blocks),
                mark,
                reason,
            )
        )
    return Listing(rows, page.number, page.total, page.size)


def verdict(report: VerificationReport) -> Mark:
    """What all checks together say: contradiction leads, and nothing that was not checked is called verified."""
    marks = {0: Mark("Verified", Tone.GOOD), 1: Mark("Contradicted", Tone.BAD)}
    return marks.get(report.exit_code, Mark("Not everything could be checked", Tone.OPEN))


def journal_page(store: Store, before: int | None) -> JournalPage:
    """The newest entries, or those before one."""
    if before is None:
        found = newest_entries(store, ENTRIES_SHOWN)[::-1]
    else:
        found = entries_before(store, before, ENTRIES_SHOWN)
    rows = tuple(
        EntryRow(
            each.sequence,
            each.recorded_at,
            each.actor,
            each.kind,
            ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in sorted(each.counts().items()))
            or "nothing",
            each.payload if len(each.payload) <= PAYLOAD_SHOWN else each.payload[:PAYLOAD_SHOWN] + "…",
            each.entry_digest,
        )
        for each in found
    )
    head = store.head()
    older = rows[-1].sequence if rows and rows[-1].sequence > 1 else None
    return JournalPage(rows, older, head.sequence if head is not None else 0)


def _written(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in sorted(counts.items())) or "nothing"


def schedule_page(store: Store, settings: Settings, now: datetime) -> SchedulePage:
    """Every configured job, and the runs that were due last."""
    zone = settings.reserve.bank_zone
    jobs = jobs_of(settings) if settings.schedule.enabled else []
    rows = []
    for job in jobs:
        last = next(iter(store.scheduled_runs(job.name, limit=1)), None)
        due_at = job.when.after(now).due_at
        rows.append(JobRow(job.name, _civil(due_at, zone), due_at, _mark(last), last.text if last is not None else ""))
    rings = next((lease.holder for lease, _, until in store.leases() if lease.name == LEASE_NAME and until > now), "")
    runs = [
        RunRow(run.slot.job, run.slot.business_date.isoformat(), run.slot.due_at, _mark(run), run.text)
        for run in store.scheduled_runs(limit=RUNS_SHOWN)
    ]
    return SchedulePage(zone, rings, settings.schedule.enabled, tuple(rows), tuple(runs))


def _civil(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def _mark(run: ScheduledRun | None) -> Mark:
    if run is None:
        return Mark("never ran", Tone.OPEN)
    return RUN[run.outcome] if run.outcome is not None else Mark("under way", Tone.IDLE)
