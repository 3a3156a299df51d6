"""A process that is killed at any commit of any sweep: the restarted one ends with the same records."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from chains.types import TransferKind
from tests.fakes.chain import DEVNET
from tests.verifier.sweep.desk import assert_accounted_for
from verifier.config import SweepSettings
from verifier.journal import verify_journal
from verifier.records import FindingKind
from verifier.store import open_store
from verifier.store.digest import state_digest

Run = tuple[str, str, int, int]
"""Name, database URL, the commit to be killed at (0: none), and how many lives end so."""


def tell(folder: Path, *runs: Run) -> dict[str, int]:
    """Tell the story on each database; returns how many lives each took."""
    keys = ("name", "url", "commit", "lives")
    order = {"folder": str(folder), "runs": [dict(zip(keys, run, strict=True)) for run in runs]}
    process = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.verifier.sweep.killing"],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr[-4_000:]
    lives: dict[str, int] = json.loads(process.stdout.splitlines()[-1])
    return lives


def digest_of(url: str) -> str:
    """The digest of what is recorded; that it is sound by itself is asserted."""
    store = open_store(url)
    assert verify_journal(store).ok
    summaries = store.summaries(DEVNET)
    for summary in summaries:
        assert summary.matched + summary.diverged + summary.unverified == summary.expected
        assert len(store.reconciliations(summary.sweep_id)) == summary.expected
    assert_accounted_for(store, summaries[-1].sweep_id, SweepSettings().as_of_skew_seconds_max)
    digest = state_digest(store)
    store.close()
    return digest


@pytest.fixture(scope="module")
def new_file(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """Makes SQLite databases with the schema."""
    folder, numbers = tmp_path_factory.mktemp("killed"), count()

    def make() -> str:
        path = folder / f"{next(numbers)}.db"
        shutil.copy(sqlite_template, path)
        return f"sqlite:///{path}"

    return make


@pytest.fixture(scope="module")
def calm(new_file: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database on which the story was told undisturbed."""
    url = new_file()
    assert tell(tmp_path_factory.mktemp("calm"), ("calm", url, 0, 0)) == {"calm": 1}
    return url


def commits_of(url: str) -> int:
    """How many transactions the story takes; the journal's first entry is the schema's."""
    store = open_store(url)
    head = store.head()
    store.close()
    assert head is not None
    return head.sequence - 1


def test_the_story_is_worth_being_killed_in(calm: str) -> None:
    store = open_store(calm)
    assert {case.finding.kind for case in store.cases()} >= {
        FindingKind.CUSTODIAN_MISMATCH,
        FindingKind.SHORTFALL,
        FindingKind.UNALLOCATED_BALANCE,
        FindingKind.UNAUTHORIZED_TRANSFER,
        FindingKind.UNEXPLAINED_CHANGE,
        FindingKind.UNVERIFIED,
    }
    assert any(case.superseded for case in store.cases())
    assert len(store.summaries(DEVNET)) == 4
    assert [each.base_units for each in store.transfers(DEVNET) if each.kind is TransferKind.INTERNAL] == [4]
    store.close()
    assert commits_of(calm) > 25


@pytest.mark.fault("C1")
def test_killed_once_at_any_commit(calm: str, new_file: Callable[[], str], tmp_path: Path) -> None:
    runs = [(f"killed at commit {number}", new_file(), number, 1) for number in range(1, commits_of(calm) + 1)]
    assert set(tell(tmp_path, *runs).values()) == {2}
    wanted = digest_of(calm)
    assert [name for name, url, _, _ in runs if digest_of(url) != wanted] == []


@pytest.mark.fault("C1")
def test_killed_again_and_again_after_a_single_commit_each(calm: str, database_url: str, tmp_path: Path) -> None:
    lives = tell(tmp_path, ("tried", database_url, 2, 200))
    assert lives["tried"] == commits_of(calm), "each life made one commit and died over the second, the last made two"
    assert digest_of(database_url) == digest_of(calm)
