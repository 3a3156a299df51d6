"""What several pages need again and again, made once for each state of the journal; and that the journal grew."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Hashable
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from verifier.accounts.roles import Access
from verifier.errors import VerifierError
from verifier.web.context import store_of
from verifier.web.visitor import Visitor, visitor_of

if TYPE_CHECKING:
    from verifier.store import Store

Made = TypeVar("Made")

AGE_MAX: Final = timedelta(seconds=20)
"""How long something that also depends on the time is good for while nothing is written."""
POLL_SECONDS: Final = 1.0
PING_SECONDS: Final = 15.0
"""Something is sent at least this often, so that a connection that is gone is noticed."""
STREAM_SECONDS: Final = 300.0
"""A stream ends after this long; the page connects again, and who asks is found out again."""
ASKED_AGAIN_SECONDS: Final = 5.0
"""How long the answer to who listens is good for: somebody who is shut out hears nothing more after that."""
CLIENTS_MAX: Final = 200
CLIENTS_OF_ONE_MAX: Final = 20
"""Pages and programs of one person, whatever they signed in with: nobody takes the others' places."""


class Remembered:
    """A few values by fixed names; each holds until something is written or it grows old. Safe from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._gates: dict[Hashable, Lock] = {}
        self._kept: dict[Hashable, tuple[int, datetime, object]] = {}

    def recall(self, name: Hashable, store: Store, now: datetime, make: Callable[[], Made]) -> Made:
        """The value of that name for the journal as it is; made when there is none, once for all who wait for it."""
        with self._lock:
            gate = self._gates.setdefault(name, Lock())
        with gate:
            head, found = head_of(store), self._kept.get(name)
            if found is not None and found[0] == head and timedelta(0) <= now - found[1] <= AGE_MAX:
                return cast("Made", found[2])
            made = make()
            self._kept[name] = (head, now, made)
            return made


def head_of(store: Store) -> int:
    """Number of the newest journal entry; 0 without any."""
    head = store.head()
    return head.sequence if head is not None else 0


class Feed:
    """Tells any number of listeners that the journal grew, and looks at it once for all of them."""

    def __init__(
        self, read: Callable[[], int], *, clients_max: int = CLIENTS_MAX, of_one_max: int = CLIENTS_OF_ONE_MAX
    ) -> None:
        self._read = read
        self._clients_max, self._of_one_max = clients_max, of_one_max
        self._listening: Counter[str] = Counter()
        self._head = 0
        self._grew = asyncio.Event()
        self._begins = asyncio.Lock()
        self._poller: asyncio.Task[None] | None = None

    def has_room(self, person_id: str) -> bool:
        """Whether one more listener of this person is taken."""
        return self._listening.total() < self._clients_max and self._listening[person_id] < self._of_one_max

    async def heads(self, person_id: str) -> AsyncGenerator[int | None, None]:
        """The number of the newest entry now and whenever it rises; None when nothing happened for a while.

        It ends at once where there is no room, as for one of several that asked at the same moment.
        """
        if not self.has_room(person_id):
            return
        self._listening[person_id] += 1
        ends = asyncio.get_running_loop().time() + STREAM_SECONDS
        try:
            async with self._begins:  # of several first listeners one sends the poller on its way
                if self._poller is None:
                    self._head = await run_in_threadpool(self._read)
                    self._poller = asyncio.create_task(self._poll())
            told = self._head
            yield told
            while asyncio.get_running_loop().time() < ends:
                grew = self._grew
                if self._head == told:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(grew.wait(), PING_SECONDS)
                yield self._head if self._head != told else None
                told = self._head
        finally:
            self._listening[person_id] -= 1
            self._listening += Counter()  # forgets who listens no more
            if not self._listening and self._poller is not None:
                self._poller.cancel()
                self._poller = None

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            with suppress(VerifierError):  # busy, or not there for a while: the next look finds out
                head = await run_in_threadpool(self._read)
                if head != self._head:
                    self._head = head
                    grew, self._grew = self._grew, asyncio.Event()
                    grew.set()


def remembered_of(request: Request) -> Remembered:
    """The one of this process."""
    return cast("Remembered", _of(request.app, "remembered", Remembered))


def feed_of(request: Request) -> Feed:
    """The one of this process."""

    def read() -> int:
        return head_of(store_of(request))

    return cast("Feed", _of(request.app, "feed", lambda: Feed(read)))


def may_listen(request: Request) -> bool:
    """Whether whoever asks may open one more stream."""
    return feed_of(request).has_room(visitor_of(request).person_id)


async def heads_for(request: Request, access: Access) -> AsyncGenerator[int | None, None]:
    """What the feed tells, as long as whoever asked may hear it: who listens is found out again now and then.

    It ends for a person who signed out, was disabled or lost the role, for a token that ended, and where that cannot
    be found out: the page connects again, and is told what holds by then.
    """
    heads = feed_of(request).heads(visitor_of(request).person_id)
    clock = asyncio.get_running_loop().time
    asked_at = clock()
    try:
        async for head in heads:
            if clock() - asked_at >= ASKED_AGAIN_SECONDS:
                if not await run_in_threadpool(_may_still, request, access):
                    return
                asked_at = clock()
            yield head
    finally:
        await heads.aclose()


def _may_still(request: Request, access: Access) -> bool:
    try:
        visitor = request.app.state.resolve(request)
    except VerifierError:
        return False
    return isinstance(visitor, Visitor) and visitor.may(access)


_LOCK = Lock()


def _of(app: Starlette, name: str, make: Callable[[], Any]) -> Any:
    with _LOCK:
        if not hasattr(app.state, name):
            setattr(app.state, name, make())
        return getattr(app.state, name)
