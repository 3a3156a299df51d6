"""What docker-compose.yml runs of the application, as processes: its commands and settings, without containers."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.command import ROOT, custody
from tests.cli.test_watch_telemetry import ask
from tests.postgres import PostgresServer, postgres_server
from tests.verifier.telemetry.test_pages import figures
from verifier.demo import books
from verifier.demo.world import build_world

__all__ = ["postgres_server"]
pytestmark = [pytest.mark.devnet, pytest.mark.postgres]

MAIN = "import sys; from verifier.cli import main; sys.argv[0] = 'custody'; main()"
STAYING = ("scheduler", "worker-1", "worker-2", "web")


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait; a machine may be slow."""
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.5)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, below those that a system gives away unasked: they stay free until used."""
    found: list[int] = []
    while len(found) < count:
        port = random.randint(20_000, 30_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            found += [port] if port not in found else []
    return found


class Setting:
    """The services of the file, with this machine's addresses in the place of those of the containers."""

    def __init__(self, folder: Path, database_url: str, node_url: str) -> None:
        self.services: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
        self.folder, self.database_url, self.node_url = folder, database_url, node_url
        names = (*STAYING, "pages")
        self.ports = dict(zip(names, free_ports(len(names)), strict=True))

    def command(self, name: str) -> list[str]:
        change = {"/data": str(self.folder), "http://anvil:8545": self.node_url, "0.0.0.0": "127.0.0.1"}
        change |= {"8000": str(self.ports["pages"]), "${FIRM_NAME:-Example firm}": "Example Brokerage LLC"}
        return [change.get(word, word) for word in self.services[name]["command"]]

    def environment(self, name: str) -> dict[str, str]:
        given = dict(self.services[name]["environment"])
        given["CUSTODY_DATABASE__URL"] = self.database_url
        given["CUSTODY_CONFIG"] = str(self.folder / "custody.toml")
        given["CUSTODY_WEB__PUBLIC_URL"] = f"http://127.0.0.1:{self.ports['pages']}"
        given["CUSTODY_METRICS__LISTEN"] = f"127.0.0.1:{self.ports.get(name, 0)}"
        return {**os.environ, **given, "PYTHONPATH": str(ROOT)}

    def start(self, name: str) -> subprocess.Popen[bytes]:
        """What it says goes into files: a pipe that nobody reads fills up, and then the process stands still."""
        with self.said(name).open("wb") as out, self.said(name, "err").open("wb") as err:
            command = [sys.executable, "-c", MAIN, *self.command(name)]
            return subprocess.Popen(command, env=self.environment(name), cwd=self.folder, stdout=out, stderr=err)

    def said(self, name: str, stream: str = "out") -> Path:
        """Where the output of a service lies."""
        return self.folder / f"said-by-{name}.{stream}"

    def all_said(self, name: str) -> str:
        """Everything a service said."""
        return "\n".join(self.said(name, stream).read_text() for stream in ("out", "err"))

    def run(self, name: str) -> None:
        """A service that ends."""
        process = self.start(name)
        assert process.wait(timeout=300) == 0, self.all_said(name)

    def answers(self, name: str, path: str = "/readyz") -> bool:
        """Whether a port of it answers well."""
        try:
            return ask(self.ports[name], path)[0] < 400
        except (OSError, http.client.HTTPException):
            return False

    def shards(self) -> list[dict[str, Any]]:
        """What the workers said so far, in whole lines."""
        texts = [self.said(name).read_text() for name in ("worker-1", "worker-2")]
        return [json.loads(line) for text in texts for line in text[: text.rfind("\n") + 1].splitlines()]


def test_the_services_work_together(
    tmp_path: Path, anvil: Any, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres_server.empty_database()
    setting = Setting(tmp_path, url, anvil.url)
    world = build_world(anvil)
    setting.run("setup")
    monkeypatch.setenv("CUSTODY_DATABASE__URL", url)
    books.write_books(world, tmp_path / "books")
    imported = custody("--config", tmp_path / "custody.toml", "import", tmp_path / "books")
    assert imported.code == 0, imported
    setting.run("queue")
    setting.run("queue")
    running = {name: setting.start(name) for name in STAYING}
    try:
        for name, process in running.items():
            until(lambda name=name: setting.answers(name) or running[name].poll() is not None, name)  # type: ignore[misc]
            assert process.poll() is None, setting.all_said(name)

        def swept() -> bool:
            world.confirm()
            found = figures(ask(setting.ports["scheduler"], "/metrics")[1])
            has_matched = found.get('custody_holdings{chain="eip155:31337",state="matched"}', 0) > 0
            return has_matched and any(each.get("outcome") for each in setting.shards())

        until(swept, "a sweep of which a worker read something")
        until(lambda: setting.answers("pages", "/"), "the pages")
        for name, process in running.items():
            process.send_signal(signal.SIGTERM)
            limit = int(setting.services[name]["stop_grace_period"].removesuffix("s"))
            code = process.wait(timeout=30 * limit)
            assert code in (0, -signal.SIGTERM if name == "web" else 0), setting.all_said(name)
        assert setting.shards(), "and every line of them is JSON"
        answer = custody("--config", tmp_path / "custody.toml", "journal", "verify", "--json")
        assert answer.code == 0, answer
    finally:
        for process in running.values():
            if process.poll() is None:
                process.kill()
                process.wait()
        postgres_server.drop(url)
