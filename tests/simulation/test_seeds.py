"""Fifty stories: whatever happens, what is recorded is true, once, and the same as without disturbance."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation import story
from tests.simulation.run import Failed, tell
from tests.verifier.conftest import sqlite_template

__all__ = ["sqlite_template"]

SEEDS = 50


@pytest.mark.fault("A1", "A9", "A19", "A27", "A31", "C1", "C4", "C15", "F1", "F2", "G19")
@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_story_holds_and_ends_as_if_nothing_had_failed(seed: int, sqlite_template: Path) -> None:
    told = tell(seed, sqlite_template)
    assert told.disturbances > 0
    assert told.sweeps > 0


def test_the_stories_are_not_all_the_same(sqlite_template: Path) -> None:
    assert tell(1, sqlite_template) == tell(1, sqlite_template), "a seed is told again exactly"
    assert tell(1, sqlite_template).digest != tell(2, sqlite_template).digest


def test_a_seed_that_fails_says_how_to_tell_it_again(sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(told: story.Story) -> None:
        raise AssertionError("broken on purpose")

    monkeypatch.setattr(story, "assert_all", broken)
    with pytest.raises(Failed, match=r"again: python -m tests\.simulation --seed 3$"):
        tell(3, sqlite_template)
