"""`/api/v1/events`: every journal entry as it is written, for programs that do not want to ask again and again.

The id of an event is the number of its entry. Who was cut off names the last one they had, in `Last-Event-ID` as
browsers do or in `after`, and misses nothing.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import Header, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from verifier.accounts.roles import Access
from verifier.store import Store
from verifier.store.journal_view import ShownEntry, entries_after
from verifier.web.api.asking import Asked
from verifier.web.context import StoreOf
from verifier.web.errors import Busy
from verifier.web.live import heads_for, may_listen
from verifier.web.routing import GuardedRouter

router = GuardedRouter(prefix="/api/v1", tags=["events"], in_schema=True)

AT_ONCE: Final = 200
"""Entries read at a time while somebody catches up."""
RETRY_MILLISECONDS: Final = 3_000
SEQUENCE_MAX: Final = 2**63 - 1

LastSeen = Annotated[
    str,
    Header(
        alias="Last-Event-ID",
        pattern=r"^[0-9]{0,18}$",
        description="Id of the last event that was received; what came after it is sent first.",
    ),
]


class Events(Asked):
    """From where on, and whether to go on."""

    after: int | None = Field(default=None, ge=0, le=SEQUENCE_MAX)
    """Send what came after this entry; without it and without Last-Event-ID, what comes from now on."""
    follow: bool = True
    """Whether to wait for what is yet to come, or to end with what is there."""


@router.get(
    "/events",
    Access.READ,
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def events(
    request: Request, store: StoreOf, asked: Annotated[Events, Query()], last_seen: LastSeen = ""
) -> Response:
    """Server-sent events `entry`, one for each journal entry, with its kind, actor, time and payload.

    A stream ends by itself after some minutes, so that who asks is found out again; connect again with the last id.
    """
    if asked.follow and not may_listen(request):
        raise Busy("too many programs and pages of yours, or of all, are listening")
    after = int(last_seen) if last_seen else asked.after

    async def stream() -> AsyncIterator[str]:
        yield f"retry: {RETRY_MILLISECONDS}\n\n"
        sent = await _head(store) if after is None else after
        if not asked.follow:
            async for _, text in _since(store, sent):
                yield text
            return
        async for head in heads_for(request, Access.READ):
            if head is None:
                yield ": still here\n\n"
                continue
            async for number, text in _since(store, sent):
                yield text
                sent = number

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _head(store: Store) -> int:
    head = await run_in_threadpool(store.head)
    return head.sequence if head is not None else 0


async def _since(store: Store, sent: int) -> AsyncIterator[tuple[int, str]]:
    """Every entry after one, with the text of its event."""
    while entries := await run_in_threadpool(entries_after, store, sent, AT_ONCE):
        for entry in entries:
            sent = entry.sequence
            yield sent, event_text(entry)


def event_text(entry: ShownEntry) -> str:
    """One event as it is sent: JSON on one line, so that nothing in it can pose as another event."""
    data = json.dumps(entry.to_dict(), ensure_ascii=True, separators=(",", ":"))
    return f"event: entry\nid: {entry.sequence}\ndata: {data}\n\n"
