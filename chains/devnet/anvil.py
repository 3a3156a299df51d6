"""Finding, starting and surely ending a local Anvil process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from chains.devnet.node import AnvilNode, NotAnvil
from chains.errors import ChainConfigError, NodeUnavailable

START_SECONDS_MAX = 120.0
STOP_SECONDS_MAX = 5.0

# Kills Anvil and clears up when our end of the pipe closes, which also happens when we are killed.
_WATCH = 'read -r pid || exit 0; read -r _; kill -KILL "$pid" 2>/dev/null; sleep 0.2; rm -rf -- "$1"'


class AnvilNotFound(ChainConfigError):
    """There is no Anvil here."""

    code = "anvil-not-found"
    advice = "Run `npm ci` in the project's folder, put `anvil` on PATH, or set ANVIL_BIN or ANVIL_RPC_URL."


def find_anvil(
    explicit: str | Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    home: Path | None = None,
) -> Path:
    """The Anvil binary to use.

    In this order: `explicit`, the environment's `ANVIL_BIN`, the npm package `@foundry-rs/anvil-*` in a
    `node_modules` of `folder` (default: the current one) or a folder above it, `anvil` on PATH, `~/.foundry/bin`.
    Raises `AnvilNotFound`, also when one that was named is not there: another would be a surprise.
    """
    environment = os.environ if environment is None else environment
    if named := explicit or environment.get("ANVIL_BIN"):
        if not _is_executable(Path(named)):
            raise AnvilNotFound(f"the named Anvil binary is not an executable file: {named}")
        return Path(named).resolve()
    start = (folder or Path.cwd()).resolve()
    for candidate in [start, *start.parents]:
        for binary in sorted(candidate.glob("node_modules/@foundry-rs/anvil-*/bin/anvil")):
            if _is_executable(binary):
                return binary
    if on_path := shutil.which("anvil", path=environment.get("PATH", "")):
        return Path(on_path).resolve()
    foundry = (home or Path.home()) / ".foundry" / "bin" / "anvil"
    if _is_executable(foundry):
        return foundry
    raise AnvilNotFound("no Anvil binary in node_modules, on PATH or in ~/.foundry/bin")


def _is_executable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


class AnvilProcess:
    """An Anvil node of our own on a loopback port, running while the context lasts.

    Port 0 takes a free port without a race. The node ends with the context, and also when this process is killed
    (by a small watching shell; on Windows only with the context).
    """

    def __init__(
        self,
        *,
        binary: str | Path | None = None,
        port: int = 0,
        arguments: Sequence[str] = (),
        start_seconds_max: float = START_SECONDS_MAX,
    ) -> None:
        self._binary = find_anvil(binary)
        self._port = port
        self._arguments = list(arguments)
        self._start_seconds_max = start_seconds_max
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None
        self._node: AnvilNode | None = None

    @property
    def node(self) -> AnvilNode:
        """The running node."""
        if self._node is None:
            raise RuntimeError("the Anvil process is not running: use it as a context, or call start()")
        return self._node

    @property
    def process_id(self) -> int:
        """The operating system's id of the running process."""
        if self._process is None:
            raise RuntimeError("the Anvil process is not running")
        return self._process.pid

    def __enter__(self) -> AnvilProcess:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> AnvilNode:
        """Start the process and wait until it listens; raise `NodeUnavailable` when it does not."""
        if self._process is not None:
            raise RuntimeError("the Anvil process runs already")
        self._folder = tempfile.TemporaryDirectory(prefix="custody-anvil-")
        command = [str(self._binary), "--host", "127.0.0.1", "--port", str(self._port)]
        command += ["--cache-path", self._folder.name, *self._arguments]
        try:
            # A file and no pipe: a pipe that nobody reads fills up and stalls the node.
            with self._log_path().open("wb") as log:
                self._process = subprocess.Popen(  # noqa: S603 - the binary was chosen by the caller's rules
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
                )
            self._watch()
            self._node = AnvilNode(f"http://127.0.0.1:{self._wait_for_port()}")
        except BaseException:
            self.stop()
            raise
        return self._node

    def stop(self) -> None:
        """End the process: asked first, then killed. Safe to call twice."""
        process, watcher, folder = self._process, self._watcher, self._folder
        self._process = self._watcher = self._folder = self._node = None
        if watcher is not None:
            watcher.kill()  # first: it must not outlive the process whose id it knows
            watcher.wait()
            if watcher.stdin is not None:
                watcher.stdin.close()
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if folder is not None:
            folder.cleanup()

    def restart(self) -> AnvilNode:
        """A fresh chain in a new process on the same port, so that what knows the URL goes on working."""
        port = int(self.node.url.rpartition(":")[2])
        self.stop()
        self._port = port
        return self.start()

    def is_running(self) -> bool:
        """Whether the process still runs."""
        return self._process is not None and self._process.poll() is None

    def log_tail(self, lines: int = 5) -> str:
        """The last lines the node wrote, for an error report."""
        if self._folder is None:
            return ""
        text = self._log_path().read_text(encoding="utf-8", errors="replace")
        return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])

    def _log_path(self) -> Path:
        assert self._folder is not None
        return Path(self._folder.name) / "anvil.log"

    def _watch(self) -> None:
        if sys.platform == "win32":
            return
        assert self._process is not None
        assert self._folder is not None
        self._watcher = subprocess.Popen(  # noqa: S603 - a fixed script
            ["/bin/sh", "-c", _WATCH, "custody-anvil-watch", self._folder.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._watcher.stdin is not None
        self._watcher.stdin.write(f"{self._process.pid}\n".encode())
        self._watcher.stdin.flush()

    def _wait_for_port(self) -> int:
        deadline = time.monotonic() + self._start_seconds_max
        while time.monotonic() < deadline:
            text = self._log_path().read_text(encoding="utf-8", errors="replace")
            for line in text.splitlines(keepends=True):
                if line.startswith("Listening on ") and line.endswith("\n"):
                    return int(line.rpartition(":")[2])
            if not self.is_running():
                raise NodeUnavailable(f"Anvil ended while starting: {self.log_tail(1)[-200:]!r}", node_id="anvil")
            time.sleep(0.01)
        raise NodeUnavailable(f"Anvil did not listen within {self._start_seconds_max} seconds", node_id="anvil")


__all__ = ["AnvilNode", "AnvilNotFound", "AnvilProcess", "NotAnvil", "find_anvil"]
