"""Fifty stories: whatever happens, what is recorded is true, once, and the same as without disturbance."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.postgres import PostgresServer, postgres_server
from tests.simulation import story
from tests.simulation.databases import PostgresDatabases, SqliteFiles
from tests.simulation.run import Failed, tell
from tests.verifier.conftest import sqlite_template

__all__ = ["postgres_server", "sqlite_template"]

SEEDS = 50
FOUND = (698,)
"""Seeds beyond those that failed once. 698: one node lags, a reorganisation is recorded, and the process dies."""
ON_BOTH = (6, 9, 11)
"""Seeds that are told on PostgreSQL too."""


@pytest.mark.fault("A1", "A9", "A19", "A27", "A31", "C1", "C4", "C15", "F1", "F2", "G19")
@pytest.mark.parametrize("seed", [*range(SEEDS), *FOUND])
def test_a_story_holds_and_ends_as_if_nothing_had_failed(seed: int, sqlite_template: Path) -> None:
    told = tell(seed, SqliteFiles(sqlite_template))
    assert told.disturbances > 0
    assert told.sweeps > 0


def test_the_stories_are_not_all_the_same(sqlite_template: Path) -> None:
    files = SqliteFiles(sqlite_template)
    assert tell(1, files) == tell(1, files), "a seed is told again exactly"
    assert tell(1, files).digest != tell(2, files).digest


@pytest.mark.postgres
@pytest.mark.fault("C1", "C4", "C12")
@pytest.mark.parametrize("seed", ON_BOTH)
def test_a_story_ends_alike_on_both_databases(
    seed: int, sqlite_template: Path, postgres_server: PostgresServer
) -> None:
    """The invariants hold on PostgreSQL after every step, and the digest in the end is SQLite's."""
    told = tell(seed, PostgresDatabases(postgres_server))
    assert told.disturbances > 0
    assert told == tell(seed, SqliteFiles(sqlite_template))


def test_a_seed_that_fails_says_how_to_tell_it_again(sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(told: story.Story) -> None:
        raise AssertionError("broken on purpose")

    monkeypatch.setattr(story, "assert_all", broken)
    with pytest.raises(Failed, match=r"again: python -m tests\.simulation --seed 3$"):
        tell(3, SqliteFiles(sqlite_template))
