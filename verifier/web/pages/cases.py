"""`/cases`: the queue of exceptions, and one exception with its history and its forms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated
from urllib.parse import quote

from fastapi import Form, Path, Query, Request
from pydantic import StringConstraints
from starlette.responses import HTMLResponse, RedirectResponse

from verifier.accounts.roles import Access
from verifier.case_clock import business_of
from verifier.errors import InputError
from verifier.records import FindingKind
from verifier.store.records import RootCause
from verifier.web.api.asking import PLAIN_ID, Digest, Words
from verifier.web.api.found import found
from verifier.web.context import Acting, ActingOf, NowOf, SettingsOf, StoreOf
from verifier.web.forms import PageForm
from verifier.web.pages.shared import PageNumber, Search, pages, show
from verifier.web.views.cases import Sort, State, case_shown, queue, words
from verifier.web.views.listing import pages_at

router = pages()
CaseId = Annotated[str, Path(max_length=40, pattern=PLAIN_ID)]


class Said(PageForm):
    """What somebody says, on the case as they saw it."""

    text: Words = ""
    version: int
    seen: str = ""

    @property
    def words(self) -> str:
        """The text. Raises `InputError` when nothing is said."""
        if not self.text.strip():
            raise InputError("say something: the text is empty", advice="Go back and write a sentence.")
        return self.text.strip()


class Assigned(Said):
    """Who is to work on it."""

    assignee: Annotated[Words, StringConstraints(max_length=200)] = ""


class Decided(Said):
    """A decision, which is bound to the digest of what was seen."""

    seen: Digest


class Caused(Said):
    """Why it did not fit."""

    cause: RootCause


@router.get("/cases", Access.READ)
def cases_page(
    request: Request,
    store: StoreOf,
    settings: SettingsOf,
    now: NowOf,
    q: Search = "",
    page: PageNumber = 1,
    state: State = "waiting",
    kind: Annotated[FindingKind | None, Query()] = None,
    sort: Sort = "oldest",
) -> HTMLResponse:
    """The queue."""
    view = queue(store, business_of(settings), now, state=state, kind=kind, text=q.strip(), sort=sort, number=page)
    asked = {"q": q, "state": state, "kind": kind.value if kind else "", "sort": sort}
    return show(request, "cases.html", view=view, asked=asked, here_of=pages_at("/cases", **asked))


@router.get("/cases/{case_id}", Access.READ)
def case_page(case_id: CaseId, request: Request, store: StoreOf, settings: SettingsOf, now: NowOf) -> HTMLResponse:
    """One case."""
    view = case_shown(found(lambda: store.case_standing(case_id)), business_of(settings), now)
    causes = [(each.value, words(each)) for each in RootCause]
    return show(request, "case.html", view=view, causes=causes)


@router.post("/cases/{case_id}/comment", Access.MAKE)
def comment(case_id: CaseId, form: Annotated[Said, Form()], acting: ActingOf) -> RedirectResponse:
    """Add a remark, whatever happened to the case since it was shown."""
    return _acted(case_id, acting, partial(acting.store.comment, case_id, form.words))


@router.post("/cases/{case_id}/explain", Access.MAKE)
def explain(case_id: CaseId, form: Annotated[Said, Form()], acting: ActingOf) -> RedirectResponse:
    """Say what it is."""
    act = partial(acting.store.explain, case_id, form.words, expected_version=form.version)
    return _acted(case_id, acting, act)


@router.post("/cases/{case_id}/propose", Access.MAKE)
def propose(case_id: CaseId, form: Annotated[Said, Form()], acting: ActingOf) -> RedirectResponse:
    """Propose how it is resolved, on what was seen."""
    seen = form.seen or None
    act = partial(acting.store.propose, case_id, form.words, seen=seen, expected_version=form.version)
    return _acted(case_id, acting, act)


@router.post("/cases/{case_id}/assign", Access.MAKE)
def assign(case_id: CaseId, form: Annotated[Assigned, Form()], acting: ActingOf) -> RedirectResponse:
    """Name who is to work on it."""
    assignee, text = form.assignee.strip(), form.text.strip()
    act = partial(acting.store.assign, case_id, assignee, text, expected_version=form.version)
    return _acted(case_id, acting, act)


@router.post("/cases/{case_id}/cause", Access.MAKE)
def cause(case_id: CaseId, form: Annotated[Caused, Form()], acting: ActingOf) -> RedirectResponse:
    """Name why it did not fit."""
    act = partial(acting.store.name_cause, case_id, form.cause, form.words, expected_version=form.version)
    return _acted(case_id, acting, act)


@router.post("/cases/{case_id}/approve", Access.CHECK)
def approve(case_id: CaseId, form: Annotated[Decided, Form()], acting: ActingOf) -> RedirectResponse:
    """Approve what another person proposed, as it was seen."""
    act = partial(acting.store.approve, case_id, form.words, seen=form.seen, expected_version=form.version)
    return _acted(case_id, acting, act)


@router.post("/cases/{case_id}/return", Access.CHECK)
def send_back(case_id: CaseId, form: Annotated[Decided, Form()], acting: ActingOf) -> RedirectResponse:
    """Return it to its maker."""
    act = partial(acting.store.send_back, case_id, form.words, seen=form.seen, expected_version=form.version)
    return _acted(case_id, acting, act)


def _acted(case_id: str, acting: Acting, act: Callable[[str, datetime], None]) -> RedirectResponse:
    """What follows an act on a case: its page again."""
    found(lambda: acting.store.case(case_id))
    act(acting.actor, acting.now)
    return RedirectResponse(f"/cases/{quote(case_id, safe='')}", status_code=303)
