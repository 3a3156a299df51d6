"""Opening a database, reading one moment of it, and what goes wrong below."""

from __future__ import annotations

import os
import sqlite3
import stat
import traceback
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from tests.verifier.store.story import SweepStory, everything, import_story, later
from verifier.errors import StoreBusy, StoreError, StoreFull, StoreUnavailable
from verifier.journal import verify_journal
from verifier.store import Store, open_store
from verifier.store.engine import CONNECTION, create_engine, translated
from verifier.store.tables import InternedTextRow, table
from verifier.store.work_queue import connection_arguments

CANARY = "canary-9f3b"


def test_a_new_database_file_is_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = open_store(f"sqlite:///{tmp_path / 'custody.db'}")
        store.migrate("tests", later(0))
        modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        assert len(list(tmp_path.iterdir())) == 3, "the write-ahead log lies beside the file"
    finally:
        os.umask(before)
    assert modes == {0o600}
    store.close()


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://user:{CANARY}@host/db",
        f"sqlite://{CANARY}",
        "sqlite://",
        "sqlite:///:memory:",
        f"not a url {CANARY}",
        f"sqlite:////nowhere/{CANARY}/custody.db",
        f"postgresql://user:{CANARY}@127.0.0.1:1/db",
        f"postgresql+psycopg://user:{CANARY}@127.0.0.1:1/{CANARY}?connect_timeout=2",
    ],
)
@pytest.mark.fault("F14")
def test_a_bad_url_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(StoreError) as raised:
        open_store(url).require_current()
    shown = "".join(traceback.format_exception(raised.value)) + repr(raised.value)
    assert CANARY not in shown
    assert raised.value.advice


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (psycopg.OperationalError("connection refused"), StoreUnavailable),
        (psycopg.errors.AdminShutdown("the server ends"), StoreUnavailable),
        (psycopg.errors.CannotConnectNow("the server begins"), StoreUnavailable),
        (psycopg.errors.TooManyConnections("full"), StoreUnavailable),
        (psycopg.errors.ReadOnlySqlTransaction("a replica"), StoreUnavailable),
        (psycopg.errors.DiskFull("disk"), StoreFull),
        (psycopg.errors.OutOfMemory("memory"), StoreUnavailable),
        (psycopg.errors.InternalError_("could not read"), StoreError),
        (sqlite3.OperationalError("database or disk is full"), StoreFull),
        (psycopg.errors.LockNotAvailable("held"), StoreBusy),
        (sqlite3.OperationalError("database is locked"), StoreBusy),
        (psycopg.errors.UniqueViolation("twice"), StoreError),
        (psycopg.InterfaceError("the connection is closed"), StoreUnavailable),
        (psycopg.DataError("text cannot contain NUL (0x00) bytes"), StoreError),
        (psycopg.ProgrammingError("cannot adapt"), StoreError),
        (sqlite3.DatabaseError("database disk image is malformed"), StoreError),
    ],
)
def test_what_may_be_there_again_later_is_told_from_what_will_not(error: Exception, kind: type[StoreError]) -> None:
    with pytest.raises(StoreError) as raised, translated():
        raise sa.exc.DBAPIError("SELECT 1", {}, error)
    assert type(raised.value) is kind


@pytest.mark.parametrize("text", ["attempt to write a readonly database", "unable to open database file"])
def test_a_file_that_may_not_be_written_is_told_as_that(text: str) -> None:
    with pytest.raises(StoreError, match="cannot be written") as raised, translated():
        raise sa.exc.DBAPIError("SELECT 1", {}, sqlite3.OperationalError(text))
    assert "folder writable" in raised.value.advice


@pytest.mark.parametrize(
    ("query", "seconds"), [("", CONNECTION["connect_timeout"]), ("?connect_timeout=2", "2")], ids=["ours", "the URL's"]
)
def test_a_server_that_takes_connections_and_never_answers_is_not_waited_for(query: str, seconds: object) -> None:
    engine = create_engine(f"postgresql://user@127.0.0.1:1/books{query}")
    given: dict[str, object] = {}

    @sa.event.listens_for(engine, "do_connect")
    def connecting(_dialect: Any, _record: Any, _arguments: Any, named: dict[str, object]) -> None:
        given.update(named)
        raise psycopg.OperationalError("enough seen")

    with pytest.raises(StoreUnavailable), translated(), engine.connect():
        pytest.fail("there is no server")
    assert given["connect_timeout"] == seconds
    assert given["tcp_user_timeout"] == CONNECTION["tcp_user_timeout"]
    assert connection_arguments(f"postgresql://user@127.0.0.1/books{query}")["connect_timeout"] == seconds


def test_the_book_is_known_as_of_now_or_of_its_newest_entry_when_the_clock_went_back(store: Store) -> None:
    head = store.head()
    assert head is not None
    hour = timedelta(hours=1)
    assert store.book_time(head.recorded_at + hour) == head.recorded_at + hour
    assert store.book_time(head.recorded_at - hour) == head.recorded_at


def test_reading_writes_nothing(store: Store) -> None:
    with pytest.raises(StoreError), store.read() as connection:
        connection.exec_driver_sql("INSERT INTO interned_text VALUES (1, 1, 'x')")
    with store.record("test", "tests", {}, later(0)) as unit:
        assert unit.text_key("x") == 1, "the connection writes again when it is a writer's"


def test_a_reader_sees_one_moment(store: Store) -> None:
    counted = sa.select(sa.func.count()).select_from(table(InternedTextRow))
    with store.read() as connection:
        assert connection.execute(counted).scalar() == 0
        with store.record("test", "tests", {}, later(0)) as unit:
            unit.text_key("written meanwhile")
        assert connection.execute(counted).scalar() == 0
    with store.read() as connection:
        assert connection.execute(counted).scalar() == 1


def test_a_missing_schema_is_a_clear_error(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'custody.db'}")
    with pytest.raises(StoreError) as raised:
        store.head()
    assert raised.value.code == "schema-outdated"
    store.close()


@pytest.mark.fault("C3")
def test_a_full_disk_rolls_back_and_the_next_write_works(store: Store, dialect: str) -> None:
    if dialect != "sqlite":
        pytest.skip("a server's disk is filled in test_full_disk.py")
    limit = 0

    @sa.event.listens_for(store._engine, "begin")
    def begun(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={limit or 2**30}")

    import_story(store)
    before = everything(store)
    with store.read() as connection:
        limit = int(connection.exec_driver_sql("PRAGMA page_count").scalar() or 0) + 2
    with (
        pytest.raises(StoreError, match="no space") as raised,
        store.record("test", "tests", {}, later(5)) as unit,
    ):
        unit.text_keys(f"text {number}" for number in range(5_000))
    assert "nothing was written" in str(raised.value)
    assert everything(store) == before, "and reading goes on"
    limit = 0
    SweepStory(store).run()
    assert verify_journal(store).ok


@pytest.mark.fault("C14")
@pytest.mark.parametrize("rotten", ["a value", "a page"])
def test_bit_rot_is_noticed(store: Store, dialect: str, database_url: str, rotten: str) -> None:
    if dialect != "sqlite":
        pytest.skip("PostgreSQL guards its own pages")
    import_story(store)
    assert verify_journal(store).ok
    store.close()
    path = Path(database_url.removeprefix("sqlite:///"))
    engine = sa.create_engine(database_url)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    content = bytearray(path.read_bytes())
    if rotten == "a value":
        content[content.rindex(b"Alpha")] ^= 1
    else:
        page = content.rindex(b"Alpha") // 4096 * 4096
        content[page : page + 64] = bytes(range(64))
    path.write_bytes(content)

    damaged: Any = None
    try:
        damaged = verify_journal(store)
    except StoreError as error:
        damaged = error
    assert isinstance(damaged, StoreError) or damaged.first_broken == 2
    store.close()
