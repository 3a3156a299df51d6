"""What every page of the dashboard is given: the signal above it, and who may do what."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import HTMLResponse

from verifier.web.context import StoreOf, now_of, settings_of, store_of
from verifier.web.live import head_of, remembered_of
from verifier.web.routing import GuardedRouter
from verifier.web.templating import page
from verifier.web.views.approvals import waiting_now
from verifier.web.views.listing import PAGE_MAX, SEARCH_MAX
from verifier.web.views.signal import overview_now, signal

Search = Annotated[str, Query(max_length=SEARCH_MAX)]
PageNumber = Annotated[int, Query(ge=1, le=PAGE_MAX)]


def _note_head(request: Request, store: StoreOf) -> None:
    request.state.seen = head_of(store)


def pages() -> GuardedRouter:
    """A router of pages that listen: each notes the journal's head before it reads, and is told what is newer."""
    return GuardedRouter(first=_note_head)


def show(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page with the firm's signal in its header, and how much waits for a second person."""
    store, now, remembered = store_of(request), now_of(request), remembered_of(request)
    found, waiting = overview_now(store, settings_of(request), now, remembered), waiting_now(store, now, remembered)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    values |= {"top": signal(found), "waiting_count": len(waiting), "here": here, "seen": request.state.seen}
    return page(request, template, status=status, **values)
