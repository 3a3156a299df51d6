"""What the firm says as it happens: rows of the ledger and of every other table, approvals of transfers, trades."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import Query
from pydantic import Field, StringConstraints
from starlette.responses import Response

from mapping.tables import TABLES
from verifier.accounts.roles import Access
from verifier.approval_view import ApprovalRow, approval_rows
from verifier.posting import import_json, post
from verifier.rules.execution import ApprovalState
from verifier.trade_view import TradeLine, trade_line, trade_lines
from verifier.web.api.answers import Json, Page, page
from verifier.web.api.asking import Asked, Filter, LongId, Paged, PathId
from verifier.web.api.found import found
from verifier.web.api.once import OnceOf
from verifier.web.context import ActingOf, NowOf, SettingsOf, StoreOf
from verifier.web.errors import RowRefused
from verifier.web.routing import GuardedRouter

router = GuardedRouter(prefix="/api/v1", tags=["books"], in_schema=True)

Column = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Cell = Annotated[str, StringConstraints(max_length=4_096)]


class PostedRow(Asked):
    """One row of a table, as the texts that its file would hold; `GET /api/v1/tables` has the columns."""

    row: dict[Column, Cell] = Field(min_length=1, max_length=60)
    dry_run: bool = False
    """Check the row and store nothing."""


class Approvals(Paged):
    """Which approvals of transfers."""

    state: ApprovalState | None = None
    chain_id: Filter = ""


class Trades(Paged):
    """Which trades."""

    state: Literal["pending", "failing", "settled"] | None = None


WAITS: Final[dict[int | str, dict[str, Any]]] = {
    202: {"description": "It was taken and waits for another person; nothing of it counts before they approve it."}
}


@router.post("/rows/{table}", Access.MAKE, responses=WAITS)
def post_row(table: PathId, asked: PostedRow, acting: ActingOf, once: OnceOf) -> Response:
    """Post one row, such as a ledger entry as it happens; it is checked by the rules of its file.

    Where the firm asks for a second person before the mapping changes, it is answered with 202, and `proposal_id`
    names what waits for them.

    The same row again says nothing new, whatever its key. What is wrong with a row is listed under `problems`, with
    status 422, and nothing is stored.
    """
    found(lambda: next((each for each in TABLES if each.name == table), None))

    def work() -> Json:
        result = post(acting.store, acting.settings, table, asked.row, acting.actor, acting.now, dry_run=asked.dry_run)
        shown = import_json(result, dry_run=asked.dry_run) | {"proposal_id": None}
        if not result.ok:
            raise RowRefused(shown["problems"])
        return shown

    return once(asked, work)


@router.get("/authorizations", Access.READ)
def authorizations(store: StoreOf, now: NowOf, asked: Annotated[Approvals, Query()]) -> Page:
    """Approvals of transfers: what was used of each by which transfers, who asked and who approved."""
    rows = approval_rows(
        store,
        store.book_time(now),
        chain_ids=[asked.chain_id] if asked.chain_id else [],
        states=[asked.state] if asked.state else [],
    )
    return page(rows, asked, ApprovalRow.to_dict, lambda row: (row.authorization.authorization_id,))


@router.get("/trades", Access.READ)
def trades(store: StoreOf, settings: SettingsOf, now: NowOf, asked: Annotated[Trades, Query()]) -> Page:
    """Trades, those due first. A leg in a final block settles its trade at the block's time."""
    lines = [each for each in trade_lines(store, settings, now) if asked.state in (None, each.state)]

    def key(line: TradeLine) -> tuple[str, ...]:
        return (line.trade.settlement_date.isoformat(), line.trade.trade_id)

    return page(lines, asked, TradeLine.to_dict, key)


@router.get("/trades/{trade_id:path}", Access.READ)
def trade(trade_id: LongId, store: StoreOf, settings: SettingsOf, now: NowOf) -> Json:
    """One trade with the leg that settled it, and every reversal."""
    return found(lambda: trade_line(store, settings, trade_id, now)).to_dict()
