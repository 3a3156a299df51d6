"""Finds out, before anything else, who asks."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from verifier.web.security import STATIC


class WhoAsks:
    """Puts the visitor of a request, or None, where guards and routes look for it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(STATIC):
            request = Request(scope)
            request.state.visitor = await run_in_threadpool(request.app.state.resolve, request)
        await self._app(scope, receive, send)
