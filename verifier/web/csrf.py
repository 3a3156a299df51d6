"""Requests that another site made somebody's browser send are refused (row F6).

Twice: by what the browser says of where the request came from, and by a token that forms and scripts of these pages
carry. A program with a token of its own in `Authorization` sends no cookie and needs neither.
"""

from __future__ import annotations

import hmac
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request

from verifier.web.cookies import csrf_token
from verifier.web.errors import WebError

HEADER: Final = "x-csrf-token"
FIELD: Final = "csrf_token"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class ForgedRequest(WebError):
    """The request did not come from one of these pages, or from one that was opened before signing in."""

    code = "forged-request"
    advice = "Load the page again and repeat it."
    status = 403

    def __init__(self) -> None:
        super().__init__("this request did not come from a page of this site")


def is_by_token(request: Request) -> bool:
    """Whether a program shows who it is by a header, which no other site can make a browser send."""
    # No other kind of it: names and passwords in an address are sent by browsers without being asked for by a script.
    return request.headers.get("authorization", "").lower().startswith("bearer ")


def require_same_site(request: Request) -> None:
    """Raise `ForgedRequest` for a change that the browser says another site asked for."""
    if request.method in SAFE_METHODS or is_by_token(request):
        return
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise ForgedRequest
    origin = request.headers.get("origin")
    if origin is not None and origin not in own_origins(request):
        raise ForgedRequest


def own_origins(request: Request) -> frozenset[str]:
    """What the browser calls this site."""
    public = request.app.state.settings.web.public_url
    if public:
        parts = urlsplit(public)
        return frozenset({f"{parts.scheme}://{parts.netloc}"})
    host = request.headers.get("host", "")
    return frozenset({f"http://{host}", f"https://{host}"})


async def require_token(request: Request) -> None:
    """Raise `ForgedRequest` for a change without the token of this browser and session."""
    if request.method in SAFE_METHODS or is_by_token(request):
        return
    given = request.headers.get(HEADER, "")
    if not given and request.headers.get("content-type", "").lower().startswith(_FORMS):
        field = (await request.form()).get(FIELD)
        given = field if isinstance(field, str) else ""
    if not given.isascii() or not hmac.compare_digest(given, csrf_token(request)):
        raise ForgedRequest
