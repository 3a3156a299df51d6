"""What is on record of the system's own work: the journal, daily reports, the archive, the clock, evidence."""

from __future__ import annotations

from threading import Lock
from typing import Annotated, Final, Literal

from fastapi import Query
from pydantic import Field
from starlette.responses import Response

from chains.key_schemes import schemes_of
from chains.types import ChainId, utc_text
from exports.daily_report import read_report, report_page, report_text
from verifier.accounts.roles import Access
from verifier.journal import verify_journal
from verifier.key_overview import key_overview
from verifier.outside_view import evidence_json
from verifier.report_view import archived_json, report_json
from verifier.schedule.records import ScheduledRun
from verifier.schedule_view import file_json, files_seen, run_json, schedule_json
from verifier.store.journal_view import entries_after, entries_before
from verifier.web.api.answers import Json, Page, cursor_of, page, position_of
from verifier.web.api.asking import Asked, Filter, Paged, PathId
from verifier.web.api.found import found
from verifier.web.context import NowOf, SettingsOf, StoreOf
from verifier.web.errors import Busy
from verifier.web.routing import GuardedRouter

router = GuardedRouter(prefix="/api/v1", tags=["records"], in_schema=True)

_VERIFYING: Final = Lock()
_REPORT = {"text": "text/plain; charset=utf-8", "html": "text/html", "json": "application/json"}


class Entries(Paged):
    """Which entries of the journal."""

    sort: Literal["sequence", "-sequence"] = "-sequence"


class Runs(Paged):
    """Which runs by the clock."""

    job: Filter = ""


class ReportAsked(Asked):
    """A form in which a report is given."""

    format: Literal["text", "html", "json"] = Field(default="json")


@router.get("/journal", Access.READ)
def journal(store: StoreOf, asked: Annotated[Entries, Query()]) -> Page:
    """Entries of the hash-chained journal, the newest first unless asked for otherwise."""
    head = store.head()
    total = head.sequence if head is not None else 0
    at = position_of(asked.cursor) if asked.cursor else None
    if asked.sort == "sequence":
        entries = entries_after(store, at or 0, asked.limit)
        more = bool(entries) and entries[-1].sequence < total
    else:
        entries = entries_before(store, total + 1 if at is None else at, asked.limit)
        more = bool(entries) and entries[-1].sequence > 1
    following = cursor_of((entries[-1].sequence,)) if more else None
    return Page(items=[each.to_dict() for each in entries], next=following, total=total)


@router.get("/journal/verification", Access.READ)
def journal_verification(store: StoreOf) -> Json:
    """Every entry and every row computed again, and held against the heads that issued bundles name.

    That the newest entries are missing altogether cannot be seen from the database alone.
    """
    if not _VERIFYING.acquire(blocking=False):
        raise Busy("the journal is being verified for somebody else")
    try:
        known = {bundle.head.sequence: bundle.head.entry_digest for bundle in store.bundles()}
        return verify_journal(store, known_heads=known).to_dict()
    finally:
        _VERIFYING.release()


@router.get("/reports", Access.READ)
def reports(store: StoreOf, asked: Annotated[Paged, Query()]) -> Page:
    """Every version of every daily report, the newest day first."""
    listed = store.daily_reports()
    return page(listed, asked, report_json, lambda each: (each.as_of.isoformat(), each.version), newest_first=True)


@router.get(
    "/reports/{report_id}",
    Access.READ,
    response_class=Response,
    responses={
        200: {
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "text/html": {"schema": {"type": "string"}},
                "text/plain": {"schema": {"type": "string"}},
            }
        }
    },
)
def report(report_id: PathId, store: StoreOf, asked: Annotated[ReportAsked, Query()]) -> Response:
    """One daily report: its canonical content, as text, or as a page."""
    document = found(lambda: store.daily_report(report_id)).document
    read_report(document)  # refuses a record that was changed
    if asked.format == "json":
        return Response(document, media_type=_REPORT["json"])
    data = report_text(document).encode() if asked.format == "text" else report_page(document)
    return Response(data, media_type=_REPORT[asked.format])


@router.get("/archive", Access.READ)
def archive(store: StoreOf, asked: Annotated[Paged, Query()]) -> Page:
    """What the archive must hold, and until when."""
    return page(store.archived(), asked, archived_json, lambda each: (each.kind.value, each.subject_id))


@router.get("/schedule", Access.READ)
def schedule(store: StoreOf, settings: SettingsOf, now: NowOf) -> Json:
    """Every job by the clock with its next run, and what became of the last one."""
    return schedule_json(store, settings, now)


@router.get("/schedule/runs", Access.READ)
def runs(store: StoreOf, settings: SettingsOf, asked: Annotated[Runs, Query()]) -> Page:
    """Runs on record, also those that were missed or skipped, the newest first."""
    zone = settings.reserve.bank_zone

    def key(each: ScheduledRun) -> tuple[str, ...]:
        return (utc_text(each.slot.due_at), each.slot.job, each.slot.key)

    return page(store.scheduled_runs(asked.job), asked, lambda each: run_json(each, zone), key, newest_first=True)


@router.get("/schedule/files", Access.READ)
def files(store: StoreOf, asked: Annotated[Runs, Query()]) -> Page:
    """Files of statements that came into the folder or from sources, the newest first."""
    listed = files_seen(store, asked.job)
    return page(
        listed,
        asked,
        lambda each: file_json(*each),
        lambda each: (utc_text(each[1].seen_at), each[0], each[1].name, each[1].digest),
        newest_first=True,
    )


@router.get("/key-proofs", Access.READ)
def key_proofs(store: StoreOf, settings: SettingsOf, now: NowOf) -> Json:
    """How much of each asset stands at addresses whose keys signed, how old the proofs are, and the challenges."""
    chains = [ChainId(section.chain_id) for section in settings.chains if schemes_of(ChainId(section.chain_id))]
    return key_overview(store, chains, now).to_dict()


@router.get("/evidence", Access.READ)
def evidence(store: StoreOf, asked: Annotated[Paged, Query()]) -> Page:
    """What others publish and was imported, with how many of its lines are worth what."""
    listed = store.imported_evidence()
    return page(listed, asked, lambda each: evidence_json(each, whole=False), lambda each: (each.evidence_id,))


@router.get("/evidence/{evidence_id}", Access.READ)
def one_evidence(evidence_id: PathId, store: StoreOf) -> Json:
    """One file of others, line by line: what each is worth, and why."""
    every = store.imported_evidence()
    return evidence_json(
        found(lambda: next((each for each in every if each.evidence_id == evidence_id), None)), whole=True
    )
