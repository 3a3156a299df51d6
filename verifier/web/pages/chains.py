"""`/chains` and `/wallets`: what the chains say, and how much of it was read."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request
from starlette.responses import HTMLResponse

from chains.types import Address, ChainId
from verifier.accounts.roles import Access
from verifier.web.api.found import found
from verifier.web.context import NowOf, SettingsOf, StoreOf
from verifier.web.live import remembered_of
from verifier.web.pages.shared import PageNumber, pages, show
from verifier.web.views.chains import chain_of, chain_page, chains_page
from verifier.web.views.inventory import known_now, rows_now
from verifier.web.views.listing import pages_at
from verifier.web.views.signal import chain_href, overview_now
from verifier.web.views.wallets import wallet_page

router = pages()
ChainOf = Annotated[str, Path(max_length=60)]


@router.get("/chains", Access.READ)
def chains(request: Request, store: StoreOf, settings: SettingsOf, now: NowOf) -> HTMLResponse:
    """Every configured chain."""
    view = chains_page(overview_now(store, settings, now, remembered_of(request)))
    return show(request, "chains.html", view=view)


@router.get("/chains/{chain_id}", Access.READ)
def chain(
    chain_id: ChainOf, request: Request, store: StoreOf, settings: SettingsOf, now: NowOf, page: PageNumber = 1
) -> HTMLResponse:
    """One chain."""
    every = overview_now(store, settings, now, remembered_of(request)).chains
    one = found(lambda: chain_of(every, chain_id))
    view = chain_page(store, settings, one, now, page)
    return show(request, "chain.html", view=view, here_of=pages_at(chain_href(chain_id)))


@router.get("/wallets/{chain_id}/{address}", Access.READ)
def wallet(
    chain_id: ChainOf,
    address: Annotated[str, Path(max_length=120)],
    request: Request,
    store: StoreOf,
    settings: SettingsOf,
    now: NowOf,
) -> HTMLResponse:
    """One wallet over time."""
    remembered = remembered_of(request)
    known, rows = known_now(store, settings, now, remembered), rows_now(store, now, remembered)
    view = found(lambda: wallet_page(store, ChainId(chain_id), Address(address), rows, known, now))
    return show(request, "wallet.html", view=view, chain_href=chain_href(chain_id))
