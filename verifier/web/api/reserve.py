"""The reserve of 15c3-3(e): what is required and held, computations down to their rows, money moved by two people."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field
from starlette.responses import Response

from mapping.reserve_types import MovementSide
from verifier import reserve_instructions
from verifier.accounts.roles import Access
from verifier.report_view import review_json
from verifier.reserve_export import computation_file
from verifier.reserve_lines import line_json, opened_line
from verifier.reserve_movements import instruction_states, movement_findings, movement_matches
from verifier.reserve_rail import reserve_view, what_if_withdraw
from verifier.reserve_show import computation_json, instruction_json, instructions_json, view_json, withdrawal_json
from verifier.store.instruction_store import StoredInstruction
from verifier.web.api.answers import Json, Page, page
from verifier.web.api.asking import Asked, Cents, Id, MaySay, Paged, PathId, Said, Words
from verifier.web.api.deciding import require_refuser
from verifier.web.api.found import found
from verifier.web.api.once import OnceOf
from verifier.web.context import Acting, ActingOf, NowOf, SettingsOf, StoreOf
from verifier.web.routing import GuardedRouter

router = GuardedRouter(prefix="/api/v1/reserve", tags=["reserve"], in_schema=True)

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "html": "text/html",
    "focus": "text/csv; charset=utf-8",
}


class Line(Asked):
    """One line of a computation."""

    kind: Literal["customer", "pab"] = "customer"
    rows: int = Field(default=100, ge=1, le=500, description="How many rows, the largest first.")


class WhatIf(Asked):
    """A withdrawal that nobody made."""

    account_id: Id
    cents: Cents


class FileAsked(Asked):
    """A form in which a computation is given."""

    format: Literal["csv", "json", "html", "focus"] = "csv"


class Instruction(Asked):
    """Cash into or out of a reserve account."""

    direction: MovementSide
    account_id: Id
    cents: Cents
    text: Words = ""


@router.get("", Access.READ)
def reserve(store: StoreOf, settings: SettingsOf, now: NowOf) -> Json:
    """What is required, held and projected now, with the deadlines."""
    return view_json(reserve_view(store, settings, now))


@router.get("/computations", Access.READ)
def computations(store: StoreOf, now: NowOf, asked: Annotated[Paged, Query()]) -> Page:
    """Every computation on record, also those that a later one replaced, the newest first."""
    return page(
        store.reserve_computations(),
        asked,
        lambda each: computation_json(each, now),
        lambda each: (each.computation_id,),
        newest_first=True,
    )


@router.get("/computations/{computation_id}", Access.READ)
def computation(computation_id: PathId, store: StoreOf, now: NowOf) -> Json:
    """One computation with all its lines, as its canonical document."""
    stored = found(lambda: store.reserve_computation(computation_id))
    shown: Json = {"computation": computation_json(stored, now), "exceptions": review_json(store, computation_id)}
    return shown | {"document": json.loads(stored.document)}


@router.get("/computations/{computation_id}/items/{item}", Access.READ)
def line(
    computation_id: PathId, item: PathId, store: StoreOf, settings: SettingsOf, asked: Annotated[Line, Query()]
) -> Json:
    """One line of a computation, opened down to the rows it came from."""
    stored = found(lambda: store.reserve_computation(computation_id))
    number = found(lambda: int(item) if item.isdigit() and len(item) < 3 and 1 <= int(item) <= 15 else None)
    return line_json(opened_line(store, settings, stored.computation_id, asked.kind, number, asked.rows))


@router.get(
    "/computations/{computation_id}/file",
    Access.READ,
    response_class=Response,
    responses={200: {"content": {kind: {"schema": {"type": "string"}} for kind in ("text/csv", "text/html")}}},
)
def file(
    computation_id: PathId, store: StoreOf, settings: SettingsOf, now: NowOf, asked: Annotated[FileAsked, Query()]
) -> Response:
    """A computation as CSV with every row, as its canonical JSON, as a page that prints, or in the FOCUS layout."""
    stored = found(lambda: store.reserve_computation(computation_id))
    data = computation_file(store, settings, stored, asked.format, now)
    name = f"{stored.computation_id}.{'csv' if asked.format == 'focus' else asked.format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=MEDIA[asked.format], headers=headers)


@router.get("/what-if/withdrawal", Access.READ)
def what_if(store: StoreOf, settings: SettingsOf, now: NowOf, asked: Annotated[WhatIf, Query()]) -> Json:
    """What a withdrawal of cash would leave. Nothing moves and nothing is recorded."""
    check = what_if_withdraw(store, settings, asked.account_id, int(asked.cents), now)
    return withdrawal_json(check, asked.account_id, int(asked.cents))


@router.get("/instructions", Access.READ)
def instructions(store: StoreOf, settings: SettingsOf, now: NowOf, asked: Annotated[Paged, Query()]) -> Page:
    """Every instruction with what became of it at the bank, the newest first."""
    matches = movement_matches(store, settings, now)
    listed = instruction_states(store, settings, now, matches)
    shown = instructions_json(listed, matches, ())["instructions"]
    assert isinstance(shown, list)
    return page(shown, asked, lambda each: each, lambda each: (str(each["instruction_id"]),), newest_first=True)


@router.get("/movements", Access.READ)
def movements(store: StoreOf, settings: SettingsOf, now: NowOf) -> Json:
    """What the banks' statements contradict: money that moved without an instruction, balances that do not add up."""
    matches = movement_matches(store, settings, now)
    told = instructions_json((), matches, movement_findings(store, settings, now))
    return {"compared": told["compared"], "findings": told["findings"]}


@router.post("/instructions", Access.MAKE, status_code=201)
def instruct(asked: Instruction, acting: ActingOf, once: OnceOf) -> Response:
    """Instruct a deposit or a withdrawal of cash; it waits for another person, and nothing moves.

    A withdrawal is checked against what is required, 15c3-3(g).
    """

    def work() -> Json:
        store, settings, actor, now = acting.store, acting.settings, acting.actor, acting.now
        made = reserve_instructions.instruct(
            store, settings, asked.direction, asked.account_id, int(asked.cents), asked.text, actor, now
        )
        return _shown(made, acting)

    return once(asked, work, status=201)


@router.post("/instructions/{instruction_id}/approve", Access.CHECK)
def approve(instruction_id: PathId, asked: MaySay, acting: ActingOf, once: OnceOf) -> Response:
    """Approve another person's instruction; a withdrawal is checked again against what is required now."""

    def work() -> Json:
        store, settings, now = acting.store, acting.settings, acting.now
        found(lambda: store.reserve_instruction(instruction_id))
        made = reserve_instructions.approve(store, settings, instruction_id, asked.text, acting.actor, now)
        return _shown(made, acting)

    return once(asked, work)


@router.post("/instructions/{instruction_id}/refuse", Access.MAKE)
def refuse(instruction_id: PathId, asked: Said, acting: ActingOf, once: OnceOf) -> Response:
    """Refuse an instruction that waits: whoever checks, or its maker, who takes it back that way."""

    def work() -> Json:
        require_refuser(acting.visitor, found(lambda: acting.store.reserve_instruction(instruction_id)).maker)
        made = reserve_instructions.refuse(acting.store, instruction_id, asked.text, acting.actor, acting.now)
        return _shown(made, acting)

    return once(asked, work)


def _shown(made: StoredInstruction, acting: Acting) -> Json:
    listed = instruction_states(acting.store, acting.settings, acting.now)
    states = {each.instruction_id: state for each, state in listed}
    return instruction_json(made, states[made.instruction_id])
