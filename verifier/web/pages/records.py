"""`/bundles`, `/journal` and `/schedule`: what is kept of what was done."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Path, Query, Request
from starlette.responses import HTMLResponse

from verifier.accounts.roles import Access
from verifier.web.api.bundles import verified
from verifier.web.context import NowOf, SettingsOf, StoreOf
from verifier.web.forms import PageForm
from verifier.web.pages.shared import PageNumber, pages, show
from verifier.web.views.listing import pages_at
from verifier.web.views.records import CHECKS, bundles_page, journal_page, schedule_page, verdict

router = pages()


@router.get("/bundles", Access.READ)
def bundles(request: Request, store: StoreOf, page: PageNumber = 1) -> HTMLResponse:
    """Bundles that were issued."""
    return show(request, "bundles.html", view=bundles_page(store, page), here_of=pages_at("/bundles"))


@router.post("/bundles/{sequence}/verify", Access.EXPORT)
def verify(
    sequence: Annotated[str, Path(max_length=20)],
    request: Request,
    form: Annotated[PageForm, Form()],
    store: StoreOf,
    settings: SettingsOf,
    now: NowOf,
) -> HTMLResponse:
    """Make every check of a bundle's file, as `custody verify` does; one at a time."""
    report = verified(store, settings, sequence, now)
    return show(request, "verification.html", sequence=sequence, report=report, marks=CHECKS, leading=verdict(report))


@router.get("/journal", Access.READ)
def journal(
    request: Request, store: StoreOf, before: Annotated[int | None, Query(ge=1, le=2**53)] = None
) -> HTMLResponse:
    """The journal."""
    return show(request, "journal.html", view=journal_page(store, before), before=before)


@router.get("/schedule", Access.READ)
def schedule(request: Request, store: StoreOf, settings: SettingsOf, now: NowOf) -> HTMLResponse:
    """What runs by the clock."""
    return show(request, "schedule.html", view=schedule_page(store, settings, now))
