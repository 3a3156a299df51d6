"""Keys of requests that must not be done twice, with the answers that were given. Outside the journal: no evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from verifier.store.engine import Database, translated
from verifier.store.tables import ApiRequestRow, table

REQUEST: Final = table(ApiRequestRow)
KEPT: Final = timedelta(days=7)
"""How long an answer is kept; a key can be used for something else after that."""
GIVEN_UP: Final = timedelta(minutes=10)
"""A request without an answer for so long was cut off: nobody knows whether its work was done."""


class Known(StrEnum):
    """What is known of a key."""

    NEW = "new"
    """Nothing: it is now kept for this request, which is to be done."""
    ANSWERED = "answered"
    RUNNING = "running"
    """The same request is being done right now."""
    CUT_OFF = "cut_off"
    """The same request was begun and never answered: its process ended, perhaps after the work was done."""
    OTHER = "other"
    """Another request came under this key."""


@dataclass(frozen=True, slots=True)
class KnownRequest:
    """What is known of a key, with the answer where there is one."""

    known: Known
    status: int = 0
    body: str = ""


class RequestStore(Database):
    """The side of the store that keeps a request from being done twice."""

    def begin_request(self, key_digest: str, request_digest: str, now: datetime) -> KnownRequest:
        """Keep a key for a request, unless it is known. Only one of several at once is told that it is new."""
        with translated(), self._writing() as connection:
            connection.execute(REQUEST.delete().where(REQUEST.c.started_at < now - KEPT))
            found = connection.execute(sa.select(REQUEST).where(REQUEST.c.key_digest == key_digest)).first()
            if found is None:
                values = {"key_digest": key_digest, "request_digest": request_digest, "started_at": now}
                connection.execute(REQUEST.insert(), {**values, "status": None, "body": None})
                return KnownRequest(Known.NEW)
            if found.request_digest != request_digest:
                return KnownRequest(Known.OTHER)
            if found.status is not None:
                return KnownRequest(Known.ANSWERED, found.status, found.body)
            return KnownRequest(Known.RUNNING if found.started_at > now - GIVEN_UP else Known.CUT_OFF)

    def answer_request(self, key_digest: str, status: int, body: str) -> None:
        """Keep the answer that is given under a key."""
        with translated(), self._writing() as connection:
            connection.execute(
                REQUEST.update().where(REQUEST.c.key_digest == key_digest).values(status=status, body=body)
            )

    def forget_request(self, key_digest: str) -> None:
        """Give a key back: its request was refused, and nothing was done."""
        with translated(), self._writing() as connection:
            connection.execute(REQUEST.delete().where(REQUEST.c.key_digest == key_digest))
