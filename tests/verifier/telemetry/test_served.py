"""Processes that are no watch tell about themselves by the same pages, where that is configured."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from tests.verifier.telemetry.test_serving import ask
from verifier.config import DatabaseSettings, MetricsSettings, Settings
from verifier.telemetry import serving
from verifier.telemetry.pages import Telemetry

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def settings(path: Path, listen: str) -> Settings:
    given = Settings.model_validate({"firm": {"name": "Example"}})
    changed = {
        "database": DatabaseSettings(url=SecretStr(f"sqlite:///{path}")),
        "metrics": MetricsSettings(listen=listen),
    }
    return given.model_copy(update=changed)


def test_nothing_is_served_unless_configured(tmp_path: Path) -> None:
    with serving.served(settings(tmp_path / "none.db", ""), lambda: NOW) as process:
        assert process is None
    assert not (tmp_path / "none.db").exists()


def test_a_process_without_chains_is_ready_by_its_database(tmp_path: Path, sqlite_template: Path) -> None:
    path = tmp_path / "custody.db"
    shutil.copy(sqlite_template, path)
    own = settings(path, "0")

    with serving.serving(Telemetry(own, lambda: NOW), "0") as port:
        assert ask(port, "/readyz")[0] == 200
        status, body, _ = ask(port, "/metrics")
        assert (status, b"custody_database_up 1.0" in body) == (200, True)
    with serving.served(own, lambda: NOW) as process:
        assert process is not None
        assert process.seconds_silent("eip155:1") < 3_600
