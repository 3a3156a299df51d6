"""`/control` and `/securities`: possession or control, and the books beside custodians' statements."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import HTMLResponse

from verifier.accounts.roles import Access
from verifier.web.context import NowOf, SettingsOf, StoreOf
from verifier.web.live import remembered_of
from verifier.web.pages.shared import PageNumber, Search, pages, show
from verifier.web.views.control import control_page
from verifier.web.views.listing import pages_at
from verifier.web.views.securities import securities_page
from verifier.web.views.signal import overview_now

router = pages()


@router.get("/control", Access.READ)
def control(
    request: Request, store: StoreOf, settings: SettingsOf, now: NowOf, q: Search = "", page: PageNumber = 1
) -> HTMLResponse:
    """Possession or control."""
    found = overview_now(store, settings, now, remembered_of(request)).possession
    view = control_page(store, found, q.strip(), page)
    return show(request, "control.html", view=view, q=q, here_of=pages_at("/control", q=q))


@router.get("/securities", Access.READ)
def securities(
    request: Request, store: StoreOf, settings: SettingsOf, now: NowOf, q: Search = "", page: PageNumber = 1
) -> HTMLResponse:
    """Custodians' statements."""
    found = overview_now(store, settings, now, remembered_of(request)).securities
    view = securities_page(store, found, q.strip(), page)
    return show(request, "securities.html", view=view, q=q, here_of=pages_at("/securities", q=q))
