"""Cases: reading them with all that happened, and acting on them. The visitor acts; nobody decides on their own.

A decision names the digest of what was seen: it is refused when the case is not as it was shown. Every act may name the
version it was made on, and is refused when something happened since (rows F1 and F2 of docs/faults.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Literal, Protocol

from fastapi import Query, Request
from pydantic import Field, StringConstraints
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from chains.types import utc_text
from verifier.accounts.roles import Access
from verifier.case_clock import business_of, clock_of_case, trade_breaks
from verifier.case_view import standing_json, stored_case_json
from verifier.config import Settings
from verifier.records import CaseState, FindingKind, Rail
from verifier.rules.attachments import BYTES_MAX
from verifier.store import Case, Store
from verifier.store.records import RootCause
from verifier.web.api.answers import Json, Page, page
from verifier.web.api.asking import Asked, Digest, Filter, Paged, PathId, Sentence, Words
from verifier.web.api.found import found
from verifier.web.api.once import OnceOf
from verifier.web.api.uploads import one_upload, upload_body
from verifier.web.context import Acting, ActingOf, NowOf, SettingsOf, StoreOf
from verifier.web.live import remembered_of
from verifier.web.routing import GuardedRouter

router = GuardedRouter(prefix="/api/v1/cases", tags=["cases"], in_schema=True)

Version = Annotated[
    int | None, Field(ge=0, lt=2**31, description="The version it was made on; refused when something happened since.")
]
Seen = Annotated[Digest, Field(description="`seen_digest` of the case as it was shown.")]


class Cases(Paged):
    """Which cases, in which order."""

    state: Literal["not_closed", "open", "proposed", "closed", "all"] = "not_closed"
    kind: FindingKind | None = None
    rail: Rail | None = None
    assignee: Filter = ""
    trade_breaks: bool = Field(default=False, description="Only those in the trade-break queue.")
    text: Filter = Field(default="", description="Part of an id, a location, an asset id or the finding's text.")
    sort: Literal["opened", "-opened", "kind"] = "opened"


class Versioned(Asked):
    """An act on a case."""

    expected_version: Version = None


class OnCase(Versioned):
    """An act on a case, with what is said."""

    text: Sentence


class Proposal(OnCase):
    """How a case is resolved."""

    seen: Seen | None = None


class Decision(OnCase):
    """An approval or a return, bound to what was seen."""

    seen: Seen


class Assignment(Versioned):
    """Who is to work on a case; empty takes it from whoever was named."""

    assignee: Annotated[Words, StringConstraints(max_length=200)]
    text: Words = ""


class Cause(OnCase):
    """Why it did not fit."""

    cause: RootCause


class Attachment(Versioned):
    """What a document shows."""

    text: Words = ""


@router.get("", Access.READ)
def cases(request: Request, store: StoreOf, settings: SettingsOf, now: NowOf, asked: Annotated[Cases, Query()]) -> Page:
    """Cases with their clocks, those opened first at the top unless asked for otherwise."""
    # Whoever reads ten thousand cases asks for many pages of them, one after the other.
    every = remembered_of(request).recall("cases", store, now, lambda: store.cases(include_closed=True))
    listed = [each for each in every if _wanted(each, asked)]
    business = business_of(settings)

    def key(each: Case) -> tuple[str, ...]:
        return (each.finding.kind.value if asked.sort == "kind" else utc_text(each.opened_at), each.case_id)

    def shown(each: Case) -> Json:
        return stored_case_json(each, clock=clock_of_case(each, business))

    return page(listed, asked, shown, key, newest_first=asked.sort == "-opened")


def _wanted(case: Case, asked: Cases) -> bool:
    finding, wanted = case.finding, asked.text.casefold()
    states = {"all": set(CaseState), "not_closed": {CaseState.OPEN, CaseState.PROPOSED}}
    asset_id = finding.asset.asset_id if finding.asset is not None else ""
    return (
        case.state in states.get(asked.state, {asked.state})
        and asked.kind in (None, finding.kind)
        and asked.rail in (None, finding.rail)
        and asked.assignee in ("", case.assignee)
        and (not asked.trade_breaks or bool(trade_breaks([case])))
        and any(wanted in part.casefold() for part in (case.case_id, finding.location_id, asset_id, finding.text))
    )


@router.get("/{case_id}", Access.READ)
def case(case_id: PathId, store: StoreOf, settings: SettingsOf) -> Json:
    """One case with everything that happened to it, and the digest of it that a decision is bound to."""
    return _shown(store, settings, case_id)


@router.get(
    "/{case_id}/attachments/{sha256}",
    Access.READ,
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}},
)
def attachment(case_id: PathId, sha256: PathId, store: StoreOf) -> Response:
    """A document that belongs to a case, as it came. It is sent to be saved, never to be shown as a page."""
    stands = found(lambda: store.case_standing(case_id))
    named = found(lambda: next((each for each in stands.case.attachments if each.sha256 == sha256), None))
    _, content = store.attachment(named.sha256)
    headers = {"Content-Disposition": f'attachment; filename="{sha256}"'}
    return Response(content, media_type="application/octet-stream", headers=headers)


@router.post("/{case_id}/comment", Access.MAKE)
def comment(case_id: PathId, said: OnCase, acting: ActingOf, once: OnceOf) -> Response:
    """Add a remark to a case that is not closed."""
    act = partial(acting.store.comment, case_id, said.text)
    return once(said, _acted(case_id, act, said, acting))


@router.post("/{case_id}/explain", Access.MAKE)
def explain(case_id: PathId, said: OnCase, acting: ActingOf, once: OnceOf) -> Response:
    """Say what a case is, and stand by it. It stays open until two people resolve it."""
    act = partial(acting.store.explain, case_id, said.text)
    return once(said, _acted(case_id, act, said, acting))


@router.post("/{case_id}/assign", Access.MAKE)
def assign(case_id: PathId, asked: Assignment, acting: ActingOf, once: OnceOf) -> Response:
    """Name who is to work on a case."""
    act = partial(acting.store.assign, case_id, asked.assignee, asked.text)
    return once(asked, _acted(case_id, act, asked, acting))


@router.post("/{case_id}/root-cause", Access.MAKE)
def root_cause(case_id: PathId, asked: Cause, acting: ActingOf, once: OnceOf) -> Response:
    """Say why it did not fit: one of the known causes, and what happened."""
    act = partial(acting.store.name_cause, case_id, asked.cause, asked.text)
    return once(asked, _acted(case_id, act, asked, acting))


@router.post("/{case_id}/attachments", Access.MAKE, openapi_extra=upload_body("file", 1), status_code=201)
async def attach(
    case_id: PathId, request: Request, asked: Annotated[Attachment, Query()], acting: ActingOf, once: OnceOf
) -> Response:
    """Attach a document by its SHA-256: PDF, PNG, JPEG, or UTF-8 text. Its bytes are stored once."""
    sent = await one_upload(request, BYTES_MAX)
    content = {"name": sent.name, "sha256": hashlib.sha256(sent.data).hexdigest()}
    act = partial(acting.store.attach, case_id, sent.name, sent.data, asked.text)
    return await run_in_threadpool(once, content, _acted(case_id, act, asked, acting), status=201)


@router.post("/{case_id}/propose", Access.MAKE)
def propose(case_id: PathId, asked: Proposal, acting: ActingOf, once: OnceOf) -> Response:
    """Propose how an open case is resolved; it waits for another person."""
    act = partial(acting.store.propose, case_id, asked.text, seen=asked.seen)
    return once(asked, _acted(case_id, act, asked, acting))


@router.post("/{case_id}/approve", Access.CHECK)
def approve(case_id: PathId, asked: Decision, acting: ActingOf, once: OnceOf) -> Response:
    """Approve what another person proposed. The case is closed, or waits for a second approval of a large amount."""
    act = partial(acting.store.approve, case_id, asked.text, seen=asked.seen)
    return once(asked, _acted(case_id, act, asked, acting))


@router.post("/{case_id}/return", Access.CHECK)
def send_back(case_id: PathId, asked: Decision, acting: ActingOf, once: OnceOf) -> Response:
    """Return a proposal to its maker; the case is open again."""
    act = partial(acting.store.send_back, case_id, asked.text, seen=asked.seen)
    return once(asked, _acted(case_id, act, asked, acting))


class _Act(Protocol):
    """An act of the store on a case, which lacks only by whom, when, and on which version."""

    def __call__(self, actor: str, now: datetime, /, *, expected_version: int | None) -> object: ...


def _acted(case_id: str, act: _Act, asked: Versioned, acting: Acting) -> Callable[[], Json]:
    """The work of an act on a case: it is done, and answered with the case as it stands then."""

    def work() -> Json:
        found(lambda: acting.store.case(case_id))
        act(acting.actor, acting.now, expected_version=asked.expected_version)
        return _shown(acting.store, acting.settings, case_id)

    return work


def _shown(store: Store, settings: Settings, case_id: str) -> Json:
    stands = found(lambda: store.case_standing(case_id))
    return standing_json(stands, clock_of_case(stands.case, business_of(settings)))
