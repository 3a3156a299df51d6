"""A bundle whose commit is still under way on a server when its process loses the connection."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from exports.bundle import digest_of_file
from tests.postgres import PostgresServer
from tests.verifier.issuer import Issuer
from tests.verifier.sweep.memory import swept_desk
from verifier.errors import StoreUnavailable
from verifier.journal import verify_journal
from verifier.store import open_store

pytestmark = pytest.mark.postgres

GATE = 77
"""Advisory lock at which the server stands still in the middle of the bundle's commit."""
PATIENT_SECONDS = 120.0

STAND_STILL = f"""
CREATE FUNCTION stand_still() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS
$$ BEGIN PERFORM pg_advisory_xact_lock({GATE}); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER stand_still AFTER INSERT ON bundle_issued
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION stand_still();
"""
WAITING = """
SELECT pid, objid::bigint AS lock_key FROM pg_locks
WHERE locktype = 'advisory' AND NOT granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Export:
    """An export in a thread of its own, its connections to the database, and somebody who watches the server."""

    def __init__(self, url: str, folder: Path, busy_seconds: float) -> None:
        self.store = open_store(url, busy_seconds=busy_seconds)
        self.path = folder / "bundle.zip"
        self.error: Exception | None = None
        self._issuer = Issuer.of(folder, swept_desk(self.store, folder))
        self._engine = sa.create_engine(sa.make_url(url), isolation_level="AUTOCOMMIT")
        self._gate = self._engine.connect()
        self._gate.exec_driver_sql(STAND_STILL)
        self._gate.exec_driver_sql(f"SELECT pg_advisory_lock({GATE})")
        self._used: list[Any] = []
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self._issuer.issue(self.path.name)
        except Exception as error:  # noqa: BLE001  whatever it is, the test looks at it
            self.error = error

    def reach_the_commit(self) -> int:
        """Export until the server stands still in the commit; the process id of the server that does."""
        sa.event.listen(self.store._engine, "checkout", lambda connection, *_: self._used.append(connection))
        self._thread.start()
        return self._waits(lambda key: key == GATE)

    def cut(self) -> None:
        """The process loses its connection; the server does not notice."""
        for connection in {id(each): each for each in self._used}.values():
            with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as wire:
                wire.shutdown(socket.SHUT_RDWR)

    def ask_again(self) -> None:
        """Wait until the process asks the server, on another connection, what became of it."""
        self._waits(lambda key: key != GATE)

    def kill(self, server: int) -> None:
        """The server gives the commit up."""
        self._gate.exec_driver_sql(f"SELECT pg_terminate_backend({server})")

    def open_gate(self) -> None:
        """The server goes on with the commit."""
        self._gate.exec_driver_sql(f"SELECT pg_advisory_unlock({GATE})")

    def end(self) -> None:
        """Wait for the export's end."""
        self._thread.join(PATIENT_SECONDS)
        assert not self._thread.is_alive()

    def close(self) -> None:
        """Let everybody go."""
        self._gate.close()
        self._engine.dispose()
        if self._thread.ident is not None:
            self._thread.join(PATIENT_SECONDS)
        self.store.close()

    def _waits(self, wanted: Callable[[int], bool]) -> int:
        until = time.monotonic() + PATIENT_SECONDS
        while time.monotonic() < until:
            for row in self._gate.exec_driver_sql(WAITING):
                if wanted(row.lock_key):
                    return int(row.pid)
            assert self._thread.is_alive(), f"the export ended: {self.error!r}"
            time.sleep(0.02)
        raise AssertionError("nobody waits for the lock")


@contextmanager
def exporting(server: PostgresServer, folder: Path, busy_seconds: float) -> Iterator[Export]:
    """An export on a database of its own."""
    url = server.database()
    export = Export(url, folder, busy_seconds)
    try:
        yield export
    finally:
        export.close()
        server.drop(url)


@pytest.mark.fault("E13")
def test_a_commit_that_the_server_finishes_later_keeps_its_file(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    with exporting(postgres_server, tmp_path, PATIENT_SECONDS) as export:
        export.reach_the_commit()
        export.cut()
        export.ask_again()
        export.open_gate()
        export.end()
        assert export.error is None
        (issued,) = export.store.bundles()
        assert issued.digest == digest_of_file(export.path)
        assert verify_journal(export.store).ok


@pytest.mark.fault("E13")
def test_a_commit_that_is_given_up_takes_its_file_away(postgres_server: PostgresServer, tmp_path: Path) -> None:
    with exporting(postgres_server, tmp_path, PATIENT_SECONDS) as export:
        server = export.reach_the_commit()
        export.cut()
        export.ask_again()
        export.kill(server)
        export.end()
        assert isinstance(export.error, StoreUnavailable)
        assert "is not known" not in str(export.error)
        assert not export.path.exists()
        assert export.store.bundles() == []


@pytest.mark.fault("E13")
def test_a_commit_that_nobody_knows_of_keeps_its_file_and_is_told(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    with exporting(postgres_server, tmp_path, 0.5) as export:
        export.reach_the_commit()
        export.cut()
        export.end()
        assert isinstance(export.error, StoreUnavailable)
        assert "is not known" in str(export.error)
        assert export.store.bundles() == []
        export.open_gate()
        export.store.wait_for_writers()
        (issued,) = export.store.bundles()
        assert issued.digest == digest_of_file(export.path)
