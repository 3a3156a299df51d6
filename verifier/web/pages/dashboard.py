"""The routers of the dashboard, in the order in which paths are looked up."""

from __future__ import annotations

from verifier.web.pages import (
    approvals,
    attachments,
    cases,
    chains,
    events,
    inventory,
    overview,
    rails,
    records,
    reserve,
)
from verifier.web.routing import GuardedRouter


def dashboard_routers() -> list[GuardedRouter]:
    """One per topic."""
    pages = (overview, cases, attachments, approvals, inventory, reserve, chains, rails, records, events)
    return [each.router for each in pages]
