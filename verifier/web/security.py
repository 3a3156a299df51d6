"""What every request and every answer goes through: known hosts, headers, sizes, and no trace of an error."""

from __future__ import annotations

import asyncio
import re
from collections.abc import MutableMapping
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from verifier.rules.attachments import BYTES_MAX
from verifier.web import problems
from verifier.web.cookies import BROWSER, give_browser, write
from verifier.web.csrf import require_same_site
from verifier.web.errors import WebError

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cache-control": "no-store",
}
"""On every answer (row F15), unless a route gave a stricter one of its own."""
STRICT_TRANSPORT: Final = "max-age=63072000; includeSubDomains"
STATIC: Final = "/static/"
STRANGER_BYTES_MAX: Final = 64 * 1024
"""Largest request of somebody who is not signed in: a form of the sign-in page."""
BODY_SECONDS: Final = 300.0
"""A request must have come whole by then: who sends a byte a minute would keep a place for hours."""
STRANGER_BODY_SECONDS: Final = 30.0
"""The same for somebody who is not signed in."""

ATTACHING: Final = re.compile(r"^/cases/[^/]+/attachments$")
ATTACHING_BYTES_MAX: Final = BYTES_MAX + 64 * 1024
"""Largest form with a document: what may be attached, and what is said of it."""


class UnknownHost(WebError):
    """The request names a host that this is not."""

    code = "unknown-host"
    advice = "Use the address that the operator of the system gave you."
    status = 400

    def __init__(self) -> None:
        super().__init__("this site does not answer under that name")


class TooLarge(WebError):
    """The request is larger than it may be."""

    code = "too-large"
    advice = "Send it in parts, or ask the operator of the system to raise [web] body_bytes_max."
    status = 413

    def __init__(self) -> None:
        super().__init__("the request is too large")


class TooSlow(WebError):
    """The request did not come whole in time."""

    code = "too-slow"
    advice = "Send it again over a faster connection, or in parts."
    status = 408

    def __init__(self) -> None:
        super().__init__("the request took too long to come")


class BadAddress(WebError):
    """An address with a character that no address here has, and that no database keeps."""

    code = "bad-address"
    advice = "Go back to the overview and look for it there."
    status = 400

    def __init__(self) -> None:
        super().__init__("this is no address of this site")


class Secured:
    """Outside of everything: also what refuses a request, or fails, answers with the headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        started = False
        give_browser(request)
        request.state.visitor = None

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _harden(request, message)
            await send(message)

        try:
            _require_host(request)
            if "\0" in scope["path"] or b"%00" in scope["query_string"]:
                raise BadAddress
            require_same_site(request)
            await self._app(scope, receive, guarded)
        except Exception as error:
            if started:
                raise
            answer = await problems.answer_of(request, error)
            if isinstance(error, TooLarge | TooSlow):  # what is left of it shall not keep the connection
                answer.headers["connection"] = "close"
            await answer(scope, receive, guarded)


class Sized:
    """Counts what a request brings, and for how long, behind the question who asks: a stranger may send less."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        is_known = request.state.visitor is not None
        limit = _bytes_max(request) if is_known else STRANGER_BYTES_MAX
        clock = asyncio.get_running_loop().time
        ends = clock() + (BODY_SECONDS if is_known else STRANGER_BODY_SECONDS)
        declared = request.headers.get("content-length", "0")
        if not declared.isdecimal() or int(declared) > limit:
            raise TooLarge
        taken, is_whole, is_slow = 0, False, False

        async def counted() -> Message:
            nonlocal taken, is_whole, is_slow
            if is_whole:  # what comes now is only that somebody went away, whenever that may be
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), ends - clock())
            except TimeoutError:
                is_slow = True
                raise TooSlow from None
            is_whole = not message.get("more_body", False)
            taken += len(message.get("body", b""))
            if taken > limit:
                raise TooLarge
            return message

        async def checked(message: Message) -> None:
            if taken <= limit and not is_slow:  # what reads the body may have made another error of it
                await send(message)

        await self._app(scope, counted, checked)
        if taken > limit:
            raise TooLarge
        if is_slow:
            raise TooSlow


def _bytes_max(request: Request) -> int:
    limit: int = request.app.state.settings.web.body_bytes_max
    return min(limit, ATTACHING_BYTES_MAX) if ATTACHING.match(request.url.path) else limit


def _require_host(request: Request) -> None:
    host = request.headers.get("host", "").lower()
    name = host.rpartition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    if name not in request.app.state.settings.web.hosts:
        raise UnknownHost


def _harden(request: Request, message: MutableMapping[str, Any]) -> None:
    headers = MutableHeaders(scope=message)
    if request.url.path.startswith(STATIC):
        headers.setdefault("cache-control", "no-cache")  # kept, and asked for again: nothing private is there
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if request.app.state.settings.web.is_tls:
        headers.setdefault("strict-transport-security", STRICT_TRANSPORT)
    if request.state.new_browser and headers.get("content-type", "").startswith("text/html"):
        carrier = Response()
        write(carrier, request, BROWSER, request.state.browser)
        headers.append("set-cookie", carrier.headers["set-cookie"])
