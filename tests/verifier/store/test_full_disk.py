"""A disk of the database that is really full: nothing half, nothing lost, and it goes on when there is space."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.postgres import MOMENT, PostgresServer
from tests.small_disk import fill, small_disk
from tests.verifier.store.story import SweepStory, everything, import_story, later
from verifier.errors import StoreFull
from verifier.journal import verify_journal
from verifier.store import Store, open_store
from verifier.store.digest import state_digest

DISK_BYTES = 64 << 20
FILE_BYTES_MAX = 20 << 20
"""More than one file of the server's write-ahead log, which must not hit the limit, and less than `LARGE` needs."""
LARGE = "INSERT INTO ballast SELECT repeat(md5(number::text), 50) FROM generate_series(1, 16000) AS number"
MUCH = 5_000


def server_here(request: pytest.FixtureRequest) -> PostgresServer:
    """The tests' own server, which runs on this machine."""
    if "POSTGRES_URL" in os.environ:
        pytest.skip("the files of the server that POSTGRES_URL names are not at hand")
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server


@pytest.fixture
def small(request: pytest.FixtureRequest) -> Iterator[tuple[Store, Path]]:
    """A store whose tables lie on a small disk, and that disk."""
    server = server_here(request)
    with small_disk(DISK_BYTES) as disk:
        space = disk / "space"
        space.mkdir()
        url = server.database_in(space)
        store = open_store(url, busy_seconds=60)
        store.migrate("tests", MOMENT)
        try:
            yield store, disk
        finally:
            (disk / "ballast").unlink(missing_ok=True)
            store.close()
            server.drop(url)
            server.drop_spaces()


def much(store: Store) -> None:
    """More than a full disk takes."""
    with store.record("test", "tests", {}, later(5)) as unit:
        unit.text_keys(f"text {number}" for number in range(MUCH))


@pytest.mark.postgres
@pytest.mark.fault("C3")
def test_a_server_without_space_rolls_back_and_goes_on_when_there_is_some(small: tuple[Store, Path]) -> None:
    store, disk = small
    import_story(store)
    before = everything(store)
    fill(disk)
    with pytest.raises(StoreFull) as raised:
        much(store)
    assert "nothing was written" in str(raised.value)
    assert raised.value.code == "store-full"
    assert "Make space" in raised.value.advice
    assert everything(store) == before, "and reading goes on"
    assert verify_journal(store).ok
    (disk / "ballast").unlink()
    much(store)
    SweepStory(store).run()
    assert verify_journal(store).ok


@pytest.mark.postgres
@pytest.mark.fault("C3")
def test_a_sweep_that_found_no_space_is_taken_up_and_ends_with_the_same_records(
    small: tuple[Store, Path], sqlite_store: Store
) -> None:
    import_story(sqlite_store)
    SweepStory(sqlite_store).run()
    store, disk = small
    import_story(store)
    sweep = SweepStory(store)
    sweep.begin()
    sweep.read_first()
    fill(disk)
    with pytest.raises(StoreFull):
        sweep.cover()  # the first rows of its tables: no page that is there has room for them
    assert verify_journal(store).ok
    (disk / "ballast").unlink()
    SweepStory(store).run()
    assert verify_journal(store).ok
    assert state_digest(store) == state_digest(sqlite_store)


@contextmanager
def limited_files(store: Store) -> Iterator[None]:
    """The process of the server that serves this store may make no file longer than so."""
    with store.read() as connection:
        process = int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar() or 0)
    if not shutil.which("prlimit"):
        pytest.skip("there is no prlimit here")
    owner = Path(f"/proc/{process}").stat().st_uid  # only whoever runs the server may limit it

    command = ["prlimit", "--pid", str(process), f"--fsize={FILE_BYTES_MAX}:"]
    subprocess.run(command, user=owner, check=True)
    try:
        yield
    finally:
        store.close()  # the next connection is served by another process


@pytest.mark.postgres
@pytest.mark.fault("C3")
def test_a_server_that_may_not_make_its_files_longer_rolls_back(request: pytest.FixtureRequest) -> None:
    """As a quota does: the server gives such refusals no state of their own."""
    server = server_here(request)
    url = server.database()
    store = open_store(url, busy_seconds=60)
    try:
        engine = sa.create_engine(sa.make_url(url))
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE ballast (content text)")
        engine.dispose()
        import_story(store)
        before = everything(store)
        with limited_files(store), pytest.raises(StoreFull, match="nothing was written"):
            write_large(store)
        assert everything(store) == before
        write_large(store)
        SweepStory(store).run()
        assert verify_journal(store).ok
    finally:
        store.close()
        server.drop(url)


def write_large(store: Store) -> None:
    """An act with more beside it than a limited file takes."""
    with store.record("test", "tests", {}, later(5)) as unit:
        unit.text_key("x")
        unit.connection.exec_driver_sql(LARGE)
