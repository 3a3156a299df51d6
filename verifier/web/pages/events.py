"""`/events`: tells open pages that something was written, so that they show it without being asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Header, Query, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from verifier.accounts.roles import Access
from verifier.web.live import heads_for, may_listen
from verifier.web.routing import GuardedRouter

router = GuardedRouter()


@router.get("/events", Access.READ)
async def events(
    request: Request,
    seen: Annotated[int | None, Query(ge=0, lt=1 << 63)] = None,
    last_event_id: Annotated[str, Header(max_length=20)] = "",
) -> Response:
    """Server-sent events `changed`, each with the number of the newest journal entry and nothing else.

    `seen` is the journal's head when the page was asked for; a page that lost its stream names its last event instead.
    What was written since then is told at once; without either, what is written from now on.
    """
    if last_event_id.isascii() and last_event_id.isdecimal():
        seen = int(last_event_id)
    if not may_listen(request):
        return PlainTextResponse("too many pages are open", status_code=503, headers={"Retry-After": "30"})

    async def stream() -> AsyncIterator[str]:
        yield "retry: 5000\n\n"
        known = seen
        async for head in heads_for(request, Access.READ):
            if known is None or head is None or head <= known:
                yield ": still here\n\n"
                known = head if known is None else known
            else:
                yield f"event: changed\nid: {head}\ndata: {head}\n\n"
                known = head

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})
