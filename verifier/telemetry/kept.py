"""An answer that is looked up in a thread of its own, kept for a while, and never waited for without an end.

A database that hangs, a server that was stopped or a network that swallows everything, answers no question and
refuses none. Whoever asks for the pages still gets an answer in time, and one question at a time waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Lock, Thread
from typing import Final, Generic, TypeVar, cast

T = TypeVar("T")

ANSWER_SECONDS_MAX: Final = 5.0
"""How long somebody who asks is kept waiting; Prometheus gives up after ten seconds."""


class KeptAnswer(Generic[T]):
    """Looks something up when what it has is too old. Asked by any thread."""

    def __init__(
        self,
        look: Callable[[], tuple[T, float]],
        none_in_time: T,
        *,
        stale_seconds_max: float = 0.0,
        seconds_max: float | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`look` gives the answer and for how many seconds it is kept. What it raises is raised by `get`.

        While it takes longer than `seconds_max` (`ANSWER_SECONDS_MAX`), the answer before it is given for another
        `stale_seconds_max`, and `none_in_time` after that.
        """
        self._look, self._none_in_time, self._monotonic = look, none_in_time, monotonic
        self._stale_seconds_max = stale_seconds_max
        self._seconds_max = ANSWER_SECONDS_MAX if seconds_max is None else seconds_max
        self._lock = Lock()
        self._under_way: Future[T] | None = None
        self._known: Future[T] | None = None
        self._until = float("-inf")
        self._asked_at = float("-inf")

    def get(self) -> T:
        """The answer, new or kept."""
        with self._lock:
            if self._known is not None and self._monotonic() < self._until:
                return self._known.result()
            under_way = self._under_way or self._begin()
        if wait([under_way], self._seconds_max).done:
            return under_way.result()
        with self._lock:
            is_late = self._monotonic() - self._asked_at > self._stale_seconds_max
            return self._none_in_time if self._known is None or is_late else self._known.result()

    def _begin(self) -> Future[T]:
        future: Future[T] = Future()
        self._under_way = future
        self._asked_at = self._monotonic()
        Thread(target=self._run, args=(future,), name="looked up", daemon=True).start()
        return future

    def _run(self, future: Future[T]) -> None:
        found: T | None = None
        failure: BaseException | None = None
        seconds = 0.0
        try:
            found, seconds = self._look()
        except BaseException as error:  # noqa: BLE001 - raised again where it is asked for
            failure = error
        with self._lock:  # who is woken by the answer and asks again finds it kept
            self._until = self._monotonic() + seconds
            self._known, self._under_way = future, None
            if failure is not None:
                future.set_exception(failure)
            else:
                future.set_result(cast("T", found))
