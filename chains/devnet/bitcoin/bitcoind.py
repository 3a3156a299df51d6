"""A real Bitcoin Core on regtest, started for a test and surely ended."""

from __future__ import annotations

import secrets
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Final

from chains.devnet.bitcoin.node import NODE_ID, RegtestNode
from chains.errors import NodeRefused, NodeUnavailable

KIND: Final = "bitcoind"
START_SECONDS_MAX: Final = 120.0
STOP_SECONDS_MAX: Final = 20.0
FLAGS: Final = (
    "-regtest",
    "-server",
    "-rest",
    "-txindex",
    "-blockfilterindex",
    "-coinstatsindex",
    "-rpcbind=127.0.0.1",
    "-rpcallowip=127.0.0.1",
    "-listen=0",
    "-dnsseed=0",
    "-fixedseeds=0",
    "-disablewallet",
    "-printtoconsole=0",
    "-daemon=0",
)


class BitcoindProcess:
    """Runs while the context lasts. Raises `NodeUnavailable` where it does not start."""

    def __init__(self, binary: Path, *, arguments: tuple[str, ...] = ()) -> None:
        self._binary = binary
        self._arguments = arguments
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._node: RegtestNode | None = None

    @property
    def node(self) -> RegtestNode:
        """The running node."""
        if self._node is None:
            raise RuntimeError("bitcoind is not running: use it as a context, or call start()")
        return self._node

    def __enter__(self) -> BitcoindProcess:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> BitcoindProcess:
        """Start the process and wait until it answers."""
        self._folder = tempfile.TemporaryDirectory(prefix="custody-bitcoind-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        password, port = secrets.token_hex(16), _free_port()
        # In a file, because a command line can be read by everybody on the machine.
        settings = folder / "bitcoin.conf"
        settings.write_text(f"[regtest]\nrpcuser=tester\nrpcpassword={password}\nrpcport={port}\n", encoding="ascii")
        settings.chmod(0o600)
        command = [str(self._binary), f"-datadir={folder}", *FLAGS, *self._arguments]
        try:
            with (folder / "output.txt").open("wb") as output:
                self._process = subprocess.Popen(  # noqa: S603 - the binary was chosen by the caller's rules
                    command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
                )
            self._node = self._wait_for(f"http://tester:{password}@127.0.0.1:{port}", folder)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the process: asked first, then killed. Safe to call twice."""
        process, folder = self._process, self._folder
        self._process = self._folder = self._node = None
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if folder is not None:
            folder.cleanup()

    def _wait_for(self, url: str, folder: Path) -> RegtestNode:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                said = (folder / "output.txt").read_text(encoding="utf-8", errors="replace").strip()[-200:]
                raise NodeUnavailable(f"bitcoind ended while starting: {said!r}", node_id=NODE_ID)
            try:
                return RegtestNode(url, kind=KIND)
            except (NodeUnavailable, NodeRefused):
                time.sleep(0.05)
        raise NodeUnavailable(f"bitcoind did not answer within {START_SECONDS_MAX} seconds", node_id=NODE_ID)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
