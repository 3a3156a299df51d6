"""How far back reviews are read: as long as an issue that people act on was short, and two weeks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from exports.canonical import canonical_json
from tests.verifier.possession.make import A, B
from verifier.config import Settings
from verifier.control_history import every_act, live_acts
from verifier.possession.cures import CureAct, CureKind, CureState, Uninstructed
from verifier.store import Store
from verifier.store.possession_store import ReviewHeader

FIRST = date(2026, 8, 3)
SETTINGS = Settings.model_validate({"firm": {"name": "Test firm"}})


@dataclass
class Reviews:
    """A store of one review a day; of each the figures of two issues."""

    short_of_a: list[int]
    short_of_b: list[int]
    acts: list[CureAct] = field(default_factory=list)
    read: list[str] = field(default_factory=list)

    def day(self, number: int) -> date:
        return FIRST + timedelta(days=number)

    def at(self, number: int) -> datetime:
        return datetime.combine(self.day(number + 1), datetime.min.time(), UTC) + timedelta(hours=16)

    def review_headers(self) -> list[ReviewHeader]:
        return [
            ReviewHeader(f"PR-{n}", self.day(n), self.day(n + 2), self.at(n), replaced=False)
            for n in range(len(self.short_of_a))
        ]

    def possession_review(self, review_id: str) -> Any:
        self.read.append(review_id)
        number = int(review_id.removeprefix("PR-"))
        issues = [
            {
                "security_id": name,
                "required": "100",
                "control": str(100 - short),
                "deficit": str(short),
                "sources": [{"kind": "stock_loan", "attributed": str(short)}] if short else [],
            }
            for name, short in ((A, self.short_of_a[number]), (B, self.short_of_b[number]))
        ]
        return SimpleNamespace(document=canonical_json({"issues": issues}))

    def cure_acts(self) -> list[CureAct]:
        return self.acts

    def act(self, number: int, security: Any, units: int) -> None:
        at = self.at(number) + timedelta(hours=1)
        name = f"CA-{len(self.acts) + 1}"
        self.acts.append(
            CureAct(name, f"PR-{number}", security, CureKind.RECALL, units, "L", at, "", "a", at, "b", True, ())
        )

    @property
    def store(self) -> Store:
        return cast("Store", self)


def test_without_acts_only_the_days_of_the_clock_are_read() -> None:
    reviews = Reviews([50] * 60, [0] * 60)
    found = live_acts(reviews.store, SETTINGS, [A], reviews.day(60))
    assert found.uninstructed == {A: Uninstructed(50, reviews.day(59))}
    assert sorted(set(reviews.read)) == ["PR-57", "PR-58", "PR-59"]
    assert len(reviews.read) == 3  # each once


def test_an_act_that_is_not_seen_is_found_however_old_its_issue_was_short() -> None:
    reviews = Reviews([0] + [50] * 59, [0, 20] + [0] * 58)
    reviews.act(1, A, 50)
    reviews.act(1, B, 20)
    found = live_acts(reviews.store, SETTINGS, [A], reviews.day(60))
    assert (found.acts[0].act.act_id, found.acts[0].state) == ("CA-1", CureState.INSTRUCTED)
    assert found.acts[0].overdue(reviews.day(60))
    assert found.uninstructed == {}


def test_acts_of_long_ago_on_what_is_not_short_are_only_in_the_history() -> None:
    reviews = Reviews([0] * 60, [0, 20] + [0] * 58)
    reviews.act(1, B, 20)
    assert live_acts(reviews.store, SETTINGS, [], reviews.day(60)).acts == ()
    assert set(reviews.read) == {"PR-59"}
    (act,) = every_act(reviews.store, SETTINGS)
    assert (act.state, act.seen_in) == (CureState.SEEN, "PR-2")
