"""`/`: whether the firm is in order, over all rails, and why."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import HTMLResponse

from verifier.accounts.roles import Access
from verifier.web.context import NowOf, SettingsOf, StoreOf
from verifier.web.live import remembered_of
from verifier.web.pages.shared import pages, show
from verifier.web.views.home import home
from verifier.web.views.signal import overview_now

router = pages()


@router.get("/", Access.READ)
def overview_page(request: Request, store: StoreOf, settings: SettingsOf, now: NowOf) -> HTMLResponse:
    """The first page."""
    found = overview_now(store, settings, now, remembered_of(request))
    return show(request, "overview.html", view=home(store, found, now))
