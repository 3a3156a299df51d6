"""Requests that change something are done once, however often they are sent: each names itself by a key.

The same key with the same request gives the same answer; with another request it is refused. A request that was
refused leaves nothing behind, its key neither, so that it can be sent again when what stood in its way is gone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Depends, Header, Request
from pydantic import BaseModel
from starlette.responses import Response

from verifier.errors import StoreUnavailable, WaitsForApproval
from verifier.store.request_store import Known
from verifier.web.context import NowOf, StoreOf, VisitorOf
from verifier.web.errors import WebError
from verifier.web.problems import KNOWN, waits_json

REPLAYED: Final = "Idempotency-Replayed"
"""Header of an answer that was given before."""

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]{8,200}$",
        description="Names this request: a random text of yours, new for every new request.",
    ),
]


class KeyReused(WebError):
    """Another request came under this key."""

    code = "idempotency-key-reused"
    advice = "Take a new key for a new request."
    status = 409


class StillRunning(WebError):
    """The same request is being done right now."""

    code = "request-running"
    advice = "Send it again in a moment, under the same key."
    status = 409


class CutOff(WebError):
    """The same request was begun and never answered. It is not done again: it may have been done."""

    code = "request-cut-off"
    advice = "Look whether it was done; if it was not, send it under a new key."
    status = 409


class Once:
    """Does the work of one request, unless it was done before."""

    def __init__(self, request: Request, key: Key, visitor: VisitorOf, store: StoreOf, now: NowOf) -> None:
        self._store, self._now = store, now
        self._path = f"{request.method} {request.url.path}?{request.url.query}"
        self._key = _digest(visitor.person_id, key)

    def __call__(
        self, asked: BaseModel | Mapping[str, object], work: Callable[[], Mapping[str, object]], *, status: int = 200
    ) -> Response:
        """The answer of the work, as JSON. `asked` is what was asked besides the path.

        What waits for another person is answered with 202, whatever `status` is that of work that is done.

        Raises `KeyReused`, `StillRunning`, `CutOff`, and whatever the work raises.
        """
        plain = asked.model_dump(mode="json") if isinstance(asked, BaseModel) else dict(asked)
        request = _digest(self._path, json.dumps(plain, sort_keys=True))
        known = self._store.begin_request(self._key, request, self._now)
        if known.known is Known.OTHER:
            raise KeyReused("another request was sent under this key")
        if known.known is Known.RUNNING:
            raise StillRunning("this request is being done right now")
        if known.known is Known.CUT_OFF:
            raise CutOff("this request was begun and cut off")
        if known.known is Known.ANSWERED:
            return _json(known.status, known.body, {REPLAYED: "true"})
        try:
            body = json.dumps(work(), ensure_ascii=False)
        except WaitsForApproval as waits:  # an answer like others: the same key gives it again
            body, status = json.dumps(waits_json(waits)), HTTPStatus.ACCEPTED
        except StoreUnavailable:
            raise  # perhaps cut off just after it was stored: nobody knows, so the key stays taken, as after a fault
        except KNOWN:
            self._store.forget_request(self._key)
            raise
        self._store.answer_request(self._key, status, body)
        return _json(status, body, {})


OnceOf = Annotated[Once, Depends()]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _json(status: int, body: str, headers: Mapping[str, str]) -> Response:
    return Response(body, status_code=status, media_type="application/json", headers=dict(headers))
