"""Answers that are kept, and questions that hang."""

from __future__ import annotations

import json
from threading import Event
from typing import Any

import pytest

from tests.verifier.telemetry.test_pages import Desk, figures
from verifier.store import Store
from verifier.telemetry.kept import KeptAnswer


class Looks:
    """Answers with the number of the look; one that hangs goes on when the test says so."""

    def __init__(self) -> None:
        self.seconds, self.count, self.go_on = 0.0, 0, Event()
        self.go_on.set()
        self.ended = Event()

    def __call__(self) -> tuple[int, float]:
        self.count += 1
        count = self.count
        assert self.go_on.wait(60)
        self.ended.set()
        return count, 10.0

    def kept(self, seconds_max: float = 60.0) -> KeptAnswer[int]:
        return KeptAnswer(self, 0, stale_seconds_max=30.0, seconds_max=seconds_max, monotonic=lambda: self.seconds)


def until(kept: KeptAnswer[int], wanted: int) -> bool:
    """Ask again and again; its thread may be slow."""
    return any(kept.get() == wanted for _ in range(6_000))


def test_an_answer_is_kept_for_its_time() -> None:
    looks = Looks()
    kept = looks.kept()
    assert [kept.get(), kept.get()] == [1, 1]
    looks.seconds = 10.0
    assert [kept.get(), kept.get()] == [2, 2]


def test_who_asks_does_not_wait_for_a_look_that_hangs_and_one_alone_hangs() -> None:
    looks = Looks()
    looks.go_on.clear()
    kept = looks.kept(seconds_max=0.01)
    assert [kept.get() for _ in range(20)] == [0] * 20
    assert looks.count == 1


def test_what_is_old_is_told_for_a_while_and_then_that_nothing_is_known() -> None:
    looks = Looks()
    assert looks.kept().get() == 1
    kept = looks.kept(seconds_max=0.01)
    assert until(kept, 2), "its first look may need longer than it waits"
    looks.go_on.clear()
    looks.seconds = 10.0
    assert kept.get() == 2
    looks.seconds = 40.0
    assert kept.get() == 2
    looks.seconds = 40.1
    assert kept.get() == 0
    looks.ended.clear()
    looks.go_on.set()
    assert looks.ended.wait(60)
    assert until(kept, 3), "what came late counts from then on"


def test_what_a_look_raises_is_raised_and_not_kept() -> None:
    answers: list[Any] = [TimeoutError("of the look itself"), ValueError("no"), 7]

    def look() -> tuple[int, float]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer, 10.0

    kept = KeptAnswer(look, 0, monotonic=lambda: 1.0)
    with pytest.raises(TimeoutError, match="itself"):
        kept.get()
    with pytest.raises(ValueError, match="no"):
        kept.get()
    assert kept.get() == 7


def test_a_database_that_hangs_is_said_in_time(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that was stopped takes connections and never answers; the probes of a supervisor must."""
    go_on = Event()

    def hangs(*_: object) -> Store:
        assert go_on.wait(60)
        return store

    monkeypatch.setattr("verifier.telemetry.kept.ANSWER_SECONDS_MAX", 0.01)
    desk = Desk(database_url)
    monkeypatch.setattr("verifier.telemetry.readiness.open_store", hangs)
    monkeypatch.setattr("verifier.telemetry.books.open_store", hangs)
    try:
        ready, metrics = desk.telemetry.page("/readyz"), desk.telemetry.page("/metrics")
        assert ready is not None
        assert metrics is not None
        assert (ready.status, json.loads(ready.body)["checks"]) == (
            503,
            [{"name": "database", "ok": False, "code": "no-answer"}],
        )
        found = figures(metrics.body.decode())
        assert found["custody_database_up"] == 0
        assert "custody_journal_sequence" not in found
    finally:
        go_on.set()
