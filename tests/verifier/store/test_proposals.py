"""Proposed changes and noted policies in the store, where several processes begin at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.postgres import MOMENT
from tests.simulation.databases import SqliteFiles
from tests.verifier.conftest import sqlite_template
from verifier.config import Settings
from verifier.policies import note_policies
from verifier.store import open_store
from verifier.store.records import ChangeKind

__all__ = ["sqlite_template"]


@pytest.mark.parametrize("is_other", [False, True], ids=["the same", "other ones"])
def test_processes_that_begin_at_once_note_their_policies_once(is_other: bool, sqlite_template: Path) -> None:
    """The second looked before the first had written: what both have is there once, what differs twice."""
    settings = Settings.model_validate({"firm": {"name": "Test firm"}})
    others = Settings.model_validate({"firm": {"name": "Another name" if is_other else "Test firm"}})
    with SqliteFiles(sqlite_template).new() as url:
        store, late = open_store(url), open_store(url)
        seen = late.changes(ChangeKind.POLICIES)
        first = note_policies(store, settings, "scheduler", MOMENT)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(late, "changes", lambda kind: seen)
            second = note_policies(late, others, "scheduler", MOMENT + timedelta(seconds=1))
        assert (first.proposal_id == second.proposal_id) is not is_other
        assert len(store.changes(ChangeKind.POLICIES)) == (2 if is_other else 1)
        store.close()
        late.close()
