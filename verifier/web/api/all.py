"""Every router of the API."""

from __future__ import annotations

from verifier.accounts.roles import Access
from verifier.web.api import (
    approvals,
    books,
    bundles,
    cases,
    control,
    custodians,
    events,
    mapping,
    openapi,
    records,
    reserve,
    status,
)
from verifier.web.api.answers import Json
from verifier.web.routing import GuardedRouter

_document = GuardedRouter(prefix=openapi.PREFIX, tags=["document"])


@_document.get("/openapi.json", Access.SIGNED_IN)
def openapi_json() -> Json:
    """This document."""
    return openapi.document()


def api_routers() -> list[GuardedRouter]:
    """One per topic, in the order of the document."""
    topics = (status, mapping, books, cases, approvals, reserve, control, custodians, bundles, records, events)
    return [*(topic.router for topic in topics), _document]
