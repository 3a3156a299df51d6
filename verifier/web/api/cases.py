"""Cases: reading them with all that happened, and acting on them. The visitor acts; nobody decides on their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query
from starlette.responses import Response

from chains.types import utc_text
from verifier.accounts.roles import Access
from verifier.case_view import event_json, stored_case_json
from verifier.records import CaseState, FindingKind, Rail
from verifier.store import Case, Store
from verifier.web.api.answers import Json, Page, page
from verifier.web.api.asking import Filter, Paged, PathId, Said
from verifier.web.api.found import found
from verifier.web.api.once import OnceOf
from verifier.web.context import NowOf, StoreOf, VisitorOf
from verifier.web.routing import GuardedRouter

router = GuardedRouter(prefix="/api/v1", tags=["cases"], in_schema=True)

Act = Callable[[str, str, str, datetime], None]


class Cases(Paged):
    """Which cases, in which order."""

    state: Literal["not_closed", "open", "proposed", "closed", "all"] = "not_closed"
    kind: FindingKind | None = None
    rail: Rail | None = None
    text: Filter = ""
    """Part of a location, an asset id or the finding's text."""
    sort: Literal["opened", "-opened", "kind"] = "opened"


@router.get("/cases", Access.READ)
def cases(store: StoreOf, asked: Annotated[Cases, Query()]) -> Page:
    """Cases, those opened first at the top unless asked for otherwise."""
    listed = [each for each in store.cases(include_closed=True) if _wanted(each, asked)]

    def key(each: Case) -> tuple[str, ...]:
        return (each.finding.kind.value if asked.sort == "kind" else utc_text(each.opened_at), each.case_id)

    return page(listed, asked, stored_case_json, key, newest_first=asked.sort == "-opened")


def _wanted(case: Case, asked: Cases) -> bool:
    finding = case.finding
    of_state = {"all": True, "not_closed": case.state is not CaseState.CLOSED}.get(
        asked.state, case.state == asked.state
    )
    wanted = asked.text.casefold()
    places = (
        finding.location_id,
        finding.asset.asset_id if finding.asset is not None else "",
        finding.text,
        case.case_id,
    )
    return (
        of_state
        and asked.kind in (None, finding.kind)
        and asked.rail in (None, finding.rail)
        and any(wanted in part.casefold() for part in places)
    )


@router.get("/cases/{case_id}", Access.READ)
def case(case_id: PathId, store: StoreOf) -> Json:
    """One case with the holdings it covers and everything that happened to it."""
    stored = found(lambda: store.case(case_id))
    events = [event_json(event) for event in store.case_events(case_id)]
    return stored_case_json(stored, store.case_covers(case_id)) | {"events": events}


@router.post("/cases/{case_id}/comment", Access.MAKE)
def comment(case_id: PathId, said: Said, store: StoreOf, who: VisitorOf, now: NowOf, once: OnceOf) -> Response:
    """Add a remark to a case that is not closed."""
    return once(said, lambda: _act(store, store.comment, case_id, said, who.person_id, now))


@router.post("/cases/{case_id}/explain", Access.MAKE)
def explain(case_id: PathId, said: Said, store: StoreOf, who: VisitorOf, now: NowOf, once: OnceOf) -> Response:
    """Say what a case is, and stand by it. It stays open until two people resolve it."""
    return once(said, lambda: _act(store, store.explain, case_id, said, who.person_id, now))


@router.post("/cases/{case_id}/propose", Access.MAKE)
def propose(case_id: PathId, said: Said, store: StoreOf, who: VisitorOf, now: NowOf, once: OnceOf) -> Response:
    """Propose how an open case is resolved; it waits for another person."""
    return once(said, lambda: _act(store, store.propose, case_id, said, who.person_id, now))


@router.post("/cases/{case_id}/approve", Access.CHECK)
def approve(case_id: PathId, said: Said, store: StoreOf, who: VisitorOf, now: NowOf, once: OnceOf) -> Response:
    """Approve what another person proposed; the case is closed."""
    return once(said, lambda: _act(store, store.approve, case_id, said, who.person_id, now))


@router.post("/cases/{case_id}/return", Access.CHECK)
def send_back(case_id: PathId, said: Said, store: StoreOf, who: VisitorOf, now: NowOf, once: OnceOf) -> Response:
    """Return a proposal to its maker; the case is open again."""
    return once(said, lambda: _act(store, store.send_back, case_id, said, who.person_id, now))


def _act(store: Store, act: Act, case_id: str, said: Said, actor: str, now: datetime) -> Json:
    found(lambda: store.case(case_id))
    act(case_id, said.text, actor, now)
    return stored_case_json(store.case(case_id))
