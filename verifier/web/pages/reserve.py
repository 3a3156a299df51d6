"""`/reserve`: required against held, the formula as a waterfall, and each computation down to its rows."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Request
from starlette.responses import HTMLResponse

from verifier.accounts.roles import Access
from verifier.reserve_lines import opened_line
from verifier.web.api.found import found
from verifier.web.context import NowOf, SettingsOf, StoreOf
from verifier.web.live import remembered_of
from verifier.web.pages.shared import PageNumber, pages, show
from verifier.web.views.listing import pages_at
from verifier.web.views.reserve import ROWS_MAX, computation_page, line_page, reserve_page
from verifier.web.views.signal import overview_now

router = pages()
ComputationId = Annotated[str, Path(max_length=40)]


@router.get("/reserve", Access.READ)
def reserve(request: Request, store: StoreOf, settings: SettingsOf, now: NowOf, page: PageNumber = 1) -> HTMLResponse:
    """Where the reserve stands."""
    view = overview_now(store, settings, now, remembered_of(request)).reserve
    return show(request, "reserve.html", view=reserve_page(store, view, now, page), here_of=pages_at("/reserve"))


@router.get("/reserve/{computation_id}", Access.READ)
def computation(computation_id: ComputationId, request: Request, store: StoreOf, now: NowOf) -> HTMLResponse:
    """One computation."""
    stored = found(lambda: store.reserve_computation(computation_id))
    return show(request, "computation.html", view=computation_page(stored, now))


@router.get("/reserve/{computation_id}/{kind}/{number}", Access.READ)
def line(
    computation_id: ComputationId,
    kind: Literal["customer", "pab"],
    number: Annotated[int, Path(ge=1, le=15)],
    request: Request,
    store: StoreOf,
    settings: SettingsOf,
) -> HTMLResponse:
    """One line of a computation, opened to the rows it came from."""
    found(lambda: store.reserve_computation(computation_id))
    view = line_page(opened_line(store, settings, computation_id, kind, number, ROWS_MAX))
    return show(request, "reserve_line.html", view=view, computation_id=computation_id)
