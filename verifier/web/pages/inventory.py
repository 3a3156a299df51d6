"""`/inventory` and `/map`: who owns what, where, as a list and as a drawing."""

from __future__ import annotations

from typing import Literal

from fastapi import Request
from starlette.responses import HTMLResponse

from verifier.accounts.roles import Access
from verifier.records import Rail
from verifier.web.context import NowOf, SettingsOf, StoreOf
from verifier.web.live import remembered_of
from verifier.web.pages.shared import PageNumber, Search, pages, show
from verifier.web.views.inventory import Sort, inventory, known_now, rows_now
from verifier.web.views.listing import pages_at
from verifier.web.views.wallet_map import map_shown

router = pages()


@router.get("/inventory", Access.READ)
def inventory_page(
    request: Request,
    store: StoreOf,
    settings: SettingsOf,
    now: NowOf,
    q: Search = "",
    page: PageNumber = 1,
    rail: Literal["", "digital", "securities"] = "",
    sort: Sort = "client",
) -> HTMLResponse:
    """The client asset inventory."""
    remembered = remembered_of(request)
    known = known_now(store, settings, now, remembered)
    rows = rows_now(store, now, remembered)
    view = inventory(rows, known, rail=Rail(rail) if rail else None, text=q.strip(), sort=sort, number=page)
    asked = {"q": q, "rail": rail, "sort": sort}
    return show(request, "inventory.html", view=view, asked=asked, here_of=pages_at("/inventory", **asked))


@router.get("/map", Access.READ)
def map_page(
    request: Request, store: StoreOf, settings: SettingsOf, now: NowOf, q: Search = "", page: PageNumber = 1
) -> HTMLResponse:
    """The wallet map."""
    remembered = remembered_of(request)
    known = known_now(store, settings, now, remembered)
    view = map_shown(rows_now(store, now, remembered), known, q.strip(), page)
    return show(request, "map.html", view=view, q=q, here_of=pages_at("/map", q=q))
