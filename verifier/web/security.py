"""What every request and every answer goes through: known hosts, headers, sizes, and no trace of an error."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
            require_same_site(request)
            await self._app(scope, receive, guarded)
        except Exception as error:
            if started:
                raise
            answer = await problems.answer_of(request, error)
            await answer(scope, receive, guarded)


class Sized:
    """Counts what a request brings, behind the question who asks: a stranger may send less."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        settings = request.app.state.settings.web
        limit = settings.body_bytes_max if request.state.visitor is not None else STRANGER_BYTES_MAX
        declared = request.headers.get("content-length", "0")
        if not declared.isdecimal() or int(declared) > limit:
            raise TooLarge
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise TooLarge
            return message

        async def checked(message: Message) -> None:
            if taken <= limit:  # what reads the body may have made another error of it
                await send(message)

        await self._app(scope, counted, checked)
        if taken > limit:
            raise TooLarge


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
