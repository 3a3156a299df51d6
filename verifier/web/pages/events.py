"""`/events`: tells open pages that something was written, so that they show it without being asked."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from verifier.accounts.roles import Access
from verifier.web.live import feed_of, heads_for
from verifier.web.routing import GuardedRouter

router = GuardedRouter()


@router.get("/events", Access.READ)
async def events(request: Request) -> Response:
    """Server-sent events `changed`, each with the number of the newest journal entry and nothing else."""
    if feed_of(request).is_full:
        return PlainTextResponse("too many pages are open", status_code=503, headers={"Retry-After": "30"})

    async def stream() -> AsyncIterator[str]:
        yield "retry: 5000\n\n"
        first = True
        async for head in heads_for(request, Access.READ):
            if head is None or first:
                yield ": still here\n\n"
            else:
                yield f"event: changed\nid: {head}\ndata: {head}\n\n"
            first = False

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})
