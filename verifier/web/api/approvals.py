"""What one person made and another decides: everything that waits, and changes of the mapping and the policies."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field
from starlette.responses import Response

from verifier.accounts.roles import Access
from verifier.mapping_changes import decide
from verifier.store.records import InstructionAct
from verifier.waiting_approvals import WaitingApproval, change_json, waiting_of
from verifier.web.api.answers import Json, Page, page
from verifier.web.api.asking import Asked, Digest, Paged, PathId, Sentence, Words
from verifier.web.api.deciding import require_refuser
from verifier.web.api.found import found
from verifier.web.api.once import OnceOf
from verifier.web.context import NowOf, SettingsOf, StoreOf, VisitorOf
from verifier.web.routing import GuardedRouter

router = GuardedRouter(prefix="/api/v1", tags=["approvals"], in_schema=True)

Seen = Annotated[Digest, Field(description="`digest` of the change as it was shown.")]


class Approval(Asked):
    """An approval, bound to what was seen."""

    seen: Seen
    text: Words = ""


class Return(Asked):
    """Why a change shall not count."""

    text: Sentence
    seen: Seen | None = None


@router.get("/approvals", Access.READ)
def approvals(store: StoreOf, asked: Annotated[Paged, Query()]) -> Page:
    """What waits for a second person: cases, changes, instructions, acts on deficits, substitutions."""
    return page(waiting_of(store), asked, WaitingApproval.to_dict, lambda each: (each.what, each.subject_id))


@router.get("/changes", Access.READ)
def changes(store: StoreOf, asked: Annotated[Paged, Query()]) -> Page:
    """Changes of the mapping and the policies, decided ones too, the newest first."""
    return page(store.changes(), asked, change_json, lambda each: (each.proposal_id,), newest_first=True)


@router.get("/changes/{proposal_id}", Access.READ)
def change(proposal_id: PathId, store: StoreOf) -> Json:
    """A change as it was proposed, with the digest that an approval is bound to."""
    stored = found(lambda: store.change(proposal_id))
    return change_json(stored) | {"content": stored.content}


@router.post("/changes/{proposal_id}/approve", Access.CHECK)
def approve(
    proposal_id: PathId,
    asked: Approval,
    store: StoreOf,
    settings: SettingsOf,
    who: VisitorOf,
    now: NowOf,
    once: OnceOf,
) -> Response:
    """Approve another person's change: its rows are stored at this moment, its policies are in force."""

    def work() -> Json:
        found(lambda: store.change(proposal_id))
        act = InstructionAct.APPROVED
        return change_json(decide(store, settings, proposal_id, act, asked.text, who.person_id, now, seen=asked.seen))

    return once(asked, work)


@router.post("/changes/{proposal_id}/return", Access.MAKE)
def send_back(
    proposal_id: PathId, asked: Return, store: StoreOf, settings: SettingsOf, who: VisitorOf, now: NowOf, once: OnceOf
) -> Response:
    """Return a change, which never counts then: whoever checks, or its maker, who takes it back that way."""

    def work() -> Json:
        stored = found(lambda: store.change(proposal_id))
        require_refuser(who, stored.maker)
        act = InstructionAct.REFUSED
        return change_json(decide(store, settings, proposal_id, act, asked.text, who.person_id, now, seen=asked.seen))

    return once(asked, work)
