"""The application refuses to start over a database that it must not show."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.web.conftest import Site
from verifier.config import DatabaseSettings, Settings
from verifier.errors import JournalRolledBack
from verifier.known_head import HeadFile, note_head
from verifier.store import Store


@pytest.mark.fault("C10")
def test_an_older_copy_put_back_is_not_served(settings: Settings, store: Store, tmp_path: Path) -> None:
    now = datetime(2026, 3, 4, tzinfo=UTC)
    file, older, head = tmp_path / "custody.db", tmp_path / "older.db", tmp_path / "known-head.json"
    url = settings.database.url
    watched = settings.model_copy(update={"database": DatabaseSettings(url=url, head_file=head)})
    shutil.copy(file, older)
    with store.record("tests.noted", "tests", {"n": 1}, now, payload_is_the_record=True):
        pass
    note_head(store, HeadFile.of(watched), "backup", now)
    with Site(watched).client:  # leaving it closes its connections
        pass
    store.close()
    for companion in tmp_path.glob("custody.db-*"):
        companion.unlink()
    shutil.copy(older, file)
    with pytest.raises(JournalRolledBack):
        Site(watched)
