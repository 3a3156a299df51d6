"""Possession or control, 15c3-3(b) to (d): reviews, what is short, and what people do about it, two for each act."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from typing import Annotated, Protocol

from fastapi import Query, Request
from pydantic import Field, StringConstraints
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from verifier.accounts.roles import Access
from verifier.control_acts import decide, issue_of, judge_substitution, propose_substitution, record_act, record_receipt
from verifier.control_history import every_act
from verifier.control_rail import possession_view
from verifier.control_show import (
    act_json,
    history_json,
    issue_json,
    stored_json,
    substitution_json,
    verdict_json,
    view_json,
)
from verifier.errors import SubstitutionRefused
from verifier.possession.cures import CureKind, ProofKind
from verifier.report_view import review_json
from verifier.rules.attachments import BYTES_MAX
from verifier.store.records import InstructionAct
from verifier.web.api.answers import Json, Page, page
from verifier.web.api.asking import Asked, Id, LongId, MaySay, Moment, Paged, PathId, Words
from verifier.web.api.deciding import require_refuser
from verifier.web.api.found import found
from verifier.web.api.once import Once, OnceOf
from verifier.web.api.uploads import one_upload, upload_body
from verifier.web.context import Acting, ActingOf, NowOf, SettingsOf, StoreOf
from verifier.web.routing import GuardedRouter

router = GuardedRouter(prefix="/api/v1/control", tags=["possession or control"], in_schema=True)

Quantity = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,60}(\.[0-9]{1,36})?$")]
"""Whole units with their decimals, as people write them."""


class NewAct(Asked):
    """What is done about an issue that is short."""

    security_id: Id
    kind: CureKind
    quantity: Quantity
    line_id: Annotated[str, StringConstraints(max_length=200)] = ""
    """Line of the stock record that it gets back from, for kinds that need one."""
    instructed_at: Moment | None = None
    """When it was instructed; now when not given."""
    text: Words = ""


class NewSubstitution(Asked):
    """Other excess margin securities to be locked up in the place of what is short."""

    from_id: Id
    to_id: Annotated[str, StringConstraints(max_length=200)] = ""
    """What takes its place; the first that is accepted when not given."""
    quantity: Annotated[str, StringConstraints(pattern=r"^([0-9]{1,60}(\.[0-9]{1,36})?)?$")] = ""
    """Whole units; the deficit when not given."""
    owner: Annotated[str, StringConstraints(max_length=200)] = ""
    """Only of `customer:ID` or `pab:ID`; of anybody when not given."""
    dry_run: bool = False
    """Judge it and record nothing."""
    text: Words = ""


class Receipt(Asked):
    """What shows that something arrived; its document is sent with it."""

    kind: ProofKind
    reference: Id
    """Id of the statement or of the transaction."""
    received_on: date


class Issues(Paged):
    """Which issues of a review."""

    only_short: bool = Field(default=False, description="Only those that are short or not verified.")


@router.get("", Access.READ)
def control(store: StoreOf, settings: SettingsOf, now: NowOf) -> Json:
    """The last review, what is projected now, acts and clocks."""
    return view_json(possession_view(store, settings, now))


@router.get("/reviews", Access.READ)
def reviews(store: StoreOf, asked: Annotated[Paged, Query()]) -> Page:
    """Every review on record, also those that a later one replaced, the newest first."""
    listed = store.possession_reviews()
    return page(listed, asked, stored_json, lambda each: (each.review_id,), newest_first=True)


@router.get("/reviews/{review_id}", Access.READ)
def review(review_id: PathId, store: StoreOf) -> Json:
    """One review, with how many issues it has and what was open at its as-of."""
    stored = found(lambda: store.possession_review(review_id))
    judged = stored.review()
    counted = {"issues": len(judged.issues), "deficits": len(judged.deficits), "unverified": len(judged.unverified)}
    return stored_json(stored) | counted | {"exceptions": review_json(store, review_id)}


@router.get("/reviews/{review_id}/issues", Access.READ)
def issues(review_id: PathId, store: StoreOf, asked: Annotated[Issues, Query()]) -> Page:
    """The issues of a review with their lines."""
    judged = found(lambda: store.possession_review(review_id)).review()
    listed = [each for each in judged.issues if not asked.only_short or each.deficit or each.unverified]
    return page(listed, asked, issue_json, lambda each: (str(each.issue.security_id),))


@router.get("/reviews/{review_id}/issues/{security_id:path}", Access.READ)
def issue(review_id: PathId, security_id: LongId, store: StoreOf) -> Json:
    """One issue of a review, line by line."""
    judged = found(lambda: store.possession_review(review_id)).review()
    return issue_json(found(lambda: issue_of(judged, security_id)))


@router.get("/acts", Access.READ)
def acts(store: StoreOf, settings: SettingsOf, asked: Annotated[Paged, Query()]) -> Page:
    """Every act on a deficit with its state and its clock, the newest first."""
    listed = every_act(store, settings)
    return page(listed, asked, act_json, lambda each: (each.act.act_id,), newest_first=True)


@router.get("/substitutions", Access.READ)
def substitutions(store: StoreOf, settings: SettingsOf, asked: Annotated[Paged, Query()]) -> Page:
    """Every substitution with its decision, the newest first."""
    listed = history_json(store, settings)["substitutions"]
    return page(listed, asked, lambda each: each, lambda each: (str(each["substitution_id"]),), newest_first=True)


@router.post("/acts", Access.MAKE, status_code=201)
def act(asked: NewAct, acting: ActingOf, once: OnceOf) -> Response:
    """Record what is done about a deficit. It counts once another person approved it, and cures nothing by itself."""

    def work() -> Json:
        store, settings, actor, now = acting.store, acting.settings, acting.actor, acting.now
        moment = asked.instructed_at or now
        line_id, text = asked.line_id, asked.text
        made = record_act(
            store, settings, asked.security_id, asked.kind, asked.quantity, line_id, moment, text, actor, now
        )
        return {"act_id": made.act_id, "review_id": made.review_id, "state": "proposed"}

    return once(asked, work, status=201)


@router.post("/substitutions", Access.MAKE, status_code=201)
def substitute(asked: NewSubstitution, acting: ActingOf, once: OnceOf) -> Response:
    """Propose a substitution. Every issue is computed again with it; one that makes an issue short is refused."""

    def work() -> Json:
        store, settings, now = acting.store, acting.settings, acting.now
        verdict = judge_substitution(store, settings, asked.from_id, asked.to_id, asked.quantity, asked.owner, now)
        if not verdict.accepted and not asked.dry_run:
            raise SubstitutionRefused(verdict.refusal)
        keep = verdict.accepted and not asked.dry_run
        made = propose_substitution(store, verdict, asked.text, acting.actor, now) if keep else None
        return verdict_json(verdict) | {"substitution": substitution_json(made) if made is not None else None}

    return once(asked, work, status=201)


@router.post("/acts/{act_id}/receipts", Access.MAKE, openapi_extra=upload_body("file", 1), status_code=201)
async def receipt(
    act_id: PathId, request: Request, asked: Annotated[Receipt, Query()], acting: ActingOf, once: OnceOf
) -> Response:
    """Record a proof of receipt with the SHA-256 of its document. Only a later review can see possession."""
    sent = await one_upload(request, BYTES_MAX)

    def work() -> Json:
        store, settings, actor, now = acting.store, acting.settings, acting.actor, acting.now
        found(lambda: store.cure_act(act_id))
        made = record_receipt(
            store, settings, act_id, asked.kind, asked.reference, sent.data, asked.received_on, actor, now
        )
        return {"act_id": made.act_id, "receipts": len(made.receipts), "digest": made.receipts[-1].digest}

    content = {"sha256": hashlib.sha256(sent.data).hexdigest()}
    return await run_in_threadpool(once, content, work, status=201)


@router.post("/acts/{act_id}/approve", Access.CHECK)
def approve_act(act_id: PathId, asked: MaySay, acting: ActingOf, once: OnceOf) -> Response:
    """Approve an act that another person recorded."""
    return _decided(act_id, acting.store.cure_act, InstructionAct.APPROVED, asked, acting, once)


@router.post("/acts/{act_id}/refuse", Access.MAKE)
def refuse_act(act_id: PathId, asked: MaySay, acting: ActingOf, once: OnceOf) -> Response:
    """Refuse an act before it is approved: whoever checks, or its maker, who takes it back that way."""
    return _decided(act_id, acting.store.cure_act, InstructionAct.REFUSED, asked, acting, once)


@router.post("/substitutions/{substitution_id}/approve", Access.CHECK)
def approve_substitution(substitution_id: PathId, asked: MaySay, acting: ActingOf, once: OnceOf) -> Response:
    """Approve a substitution that another person proposed. It is judged again on the books as known now."""
    return _decided(substitution_id, acting.store.substitution, InstructionAct.APPROVED, asked, acting, once)


@router.post("/substitutions/{substitution_id}/refuse", Access.MAKE)
def refuse_substitution(substitution_id: PathId, asked: MaySay, acting: ActingOf, once: OnceOf) -> Response:
    """Refuse a substitution before it is approved: whoever checks, or its maker, who takes it back that way."""
    return _decided(substitution_id, acting.store.substitution, InstructionAct.REFUSED, asked, acting, once)


class _Made(Protocol):
    """What one person made and another decides."""

    @property
    def maker(self) -> str: ...


def _decided(
    decided_id: str,
    look: Callable[[str], _Made],
    act: InstructionAct,
    asked: MaySay,
    acting: Acting,
    once: Once,
) -> Response:
    """What a second person says of what `look` finds under the id, done once."""

    def work() -> Json:
        made = found(lambda: look(decided_id))
        if act is InstructionAct.REFUSED:
            require_refuser(acting.visitor, made.maker)
        decide(acting.store, acting.settings, decided_id, act, asked.text, acting.actor, acting.now)
        return {"id": decided_id, "decision": act.value, "actor": acting.actor}

    return once(asked, work)
