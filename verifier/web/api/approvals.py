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
from verifier.web.api.once import Once, OnceOf
from verifier.web.context import Acting, ActingOf, StoreOf
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
def approve(proposal_id: PathId, asked: Approval, acting: ActingOf, once: OnceOf) -> Response:
    """Approve another person's change: its rows are stored at this moment, its policies are in force."""
    return _decided(proposal_id, InstructionAct.APPROVED, asked, acting, once)


@router.post("/changes/{proposal_id}/return", Access.MAKE)
def send_back(proposal_id: PathId, asked: Return, acting: ActingOf, once: OnceOf) -> Response:
    """Return a change, which never counts then: whoever checks, or its maker, who takes it back that way."""
    return _decided(proposal_id, InstructionAct.REFUSED, asked, acting, once)


def _decided(proposal_id: str, act: InstructionAct, asked: Approval | Return, acting: Acting, once: Once) -> Response:
    def work() -> Json:
        store, actor = acting.store, acting.actor
        stored = found(lambda: store.change(proposal_id))
        if act is InstructionAct.REFUSED:
            require_refuser(acting.visitor, stored.maker)
        done = decide(store, acting.settings, proposal_id, act, asked.text, actor, acting.now, seen=asked.seen)
        return change_json(done)

    return once(asked, work)
