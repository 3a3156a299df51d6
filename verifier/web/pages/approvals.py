"""`/approvals`: everything that one person made and another decides, with what exactly it changes."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Path, Request
from pydantic import StringConstraints
from starlette.responses import HTMLResponse, RedirectResponse

from verifier import control_acts, mapping_changes, reserve_instructions
from verifier.accounts.roles import Access
from verifier.errors import InputError
from verifier.rules.approval import require_unchanged
from verifier.store.records import ChangeKind, InstructionAct
from verifier.web.api.asking import PLAIN_ID, Words
from verifier.web.context import Acting, ActingOf, NowOf, StoreOf, VisitorOf
from verifier.web.forms import PageForm
from verifier.web.live import remembered_of
from verifier.web.pages.shared import PageNumber, pages, show
from verifier.web.views.approvals import shown, subject_of, waiting_now, waiting_with
from verifier.web.views.listing import SIZE, Listing, listing, pages_at

router = pages()
SubjectId = Annotated[str, Path(max_length=40, pattern=PLAIN_ID)]
AT_ONCE = 20
"""Things that wait on one page."""


class Decision(PageForm):
    """What a second person says of what they saw."""

    text: Words = ""
    seen: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    version: int | None = None


@router.get("/approvals", Access.READ)
def approvals(request: Request, store: StoreOf, who: VisitorOf, now: NowOf, page: PageNumber = 1) -> HTMLResponse:
    """What waits, the longest first."""
    found = listing(waiting_now(store, now, remembered_of(request)), page, AT_ONCE)
    items = [shown(store, each, who, now) for each in found.items]
    view = Listing(items, found.number, found.total, found.size)
    return show(request, "approvals.html", view=view, here_of=pages_at("/approvals"))


@router.get("/approvals/{subject_id}", Access.READ)
def approval(
    subject_id: SubjectId, request: Request, store: StoreOf, who: VisitorOf, now: NowOf, page: PageNumber = 1
) -> HTMLResponse:
    """One of them with all of its rows, some at a time."""
    first = (page - 1) * SIZE + 1
    view = shown(store, waiting_with(store, subject_id), who, now, first=first, rows=SIZE)
    total = max((each.total for each in view.tables), default=0)
    rows = Listing(range(max(0, min(SIZE, total - first + 1))), page, total)
    return show(request, "approval.html", item=view, rows=rows, here_of=pages_at(f"/approvals/{subject_id}"))


@router.post("/approvals/{subject_id}/approve", Access.CHECK)
def approve(subject_id: SubjectId, form: Annotated[Decision, Form()], acting: ActingOf) -> RedirectResponse:
    """Approve what another person made, as it was seen."""
    return _decided(subject_id, InstructionAct.APPROVED, form, acting)


@router.post("/approvals/{subject_id}/return", Access.CHECK)
def send_back(subject_id: SubjectId, form: Annotated[Decision, Form()], acting: ActingOf) -> RedirectResponse:
    """Return it to its maker."""
    return _decided(subject_id, InstructionAct.REFUSED, form, acting)


def _decided(subject_id: str, act: InstructionAct, form: Decision, acting: Acting) -> RedirectResponse:
    store, settings, actor, now = acting.store, acting.settings, acting.actor, acting.now
    text, seen = form.text.strip(), form.seen
    if not text:
        raise InputError("say something: the text is empty", advice="Go back and write a sentence.")
    waiting = waiting_with(store, subject_id)
    approves = act is InstructionAct.APPROVED
    if waiting.what == "case":
        (store.approve if approves else store.send_back)(
            subject_id, text, actor, now, seen=seen, expected_version=form.version
        )
    elif waiting.what in (ChangeKind.MAPPING, ChangeKind.POLICIES):
        mapping_changes.decide(store, settings, subject_id, act, text, actor, now, seen=seen)
    else:
        require_unchanged(subject_id, seen, subject_of(store, waiting).digest)
        if waiting.what != "reserve instruction":
            control_acts.decide(store, settings, subject_id, act, text, actor, now)
        elif approves:
            reserve_instructions.approve(store, settings, subject_id, text, actor, now)
        else:
            reserve_instructions.refuse(store, subject_id, text, actor, now)
    return RedirectResponse("/approvals", status_code=303)
