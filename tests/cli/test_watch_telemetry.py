"""What a real `custody watch` tells about itself while it follows a real Anvil: pages, log, and no secret in any."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from chains.devnet.lying_proxy import LyingProxy, Reply
from tests.cli.command import ROOT
from tests.cli.scene import Scene
from tests.cli.test_watch import hurry
from tests.verifier.telemetry.test_pages import figures

pytestmark = pytest.mark.devnet

CANARY = "canaryc417d8"
CHAIN = "eip155:31337"


def until(condition: Callable[[], bool]) -> None:
    """Wait; a machine may be slow."""
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it did not come to it"
        time.sleep(0.05)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@contextmanager
def watching(scene: Scene, *flags: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """A process that watches, and the port of its pages, which its log tells."""
    log = scene.firm.path("watch.log")
    command = [sys.executable, "-c", "import sys; from verifier.cli import main; sys.argv[0] = 'custody'; main()"]
    command += [*flags, "--config", str(scene.firm.path("custody.toml")), "watch", "--json"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: any(each["event"] == "metrics are served" for each in lines(log)) or process.poll() is not None)
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        yield next(each["port"] for each in lines(log) if each["event"] == "metrics are served"), process
    finally:
        process.send_signal(signal.SIGTERM)
        errors = process.communicate(timeout=300)[1]
    assert (process.returncode, errors) == (0, "")


def ask(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.fixture
def telling(scene: Scene) -> Scene:
    """The scene with a node URL that holds a secret, telling what it does."""
    hurry(scene)
    path = scene.firm.path("custody.toml")
    text = path.read_text().replace(scene.world.node.url, f"{scene.world.node.url}/?key={CANARY}")
    more = '[metrics]\nlisten = "0"\n[log]\nlevel = "debug"\nform = "json"\nfile = "watch.log"\n'
    path.write_text(f"{text}\n{more}")
    return scene


@pytest.mark.fault("F14")
def test_a_watch_tells_what_it_does_and_no_secret(telling: Scene) -> None:
    with watching(telling, "--verbose") as (port, _):
        assert json.loads(ask(port, "/healthz")[1]) == {"alive": True, "log_written": True}
        until(lambda: ask(port, "/readyz")[0] == 200)
        telling.steal()
        telling.world.confirm()

        def told() -> dict[str, float]:
            return figures(ask(port, "/metrics")[1])

        until(lambda: told().get(f'custody_sweep_seconds_count{{chain="{CHAIN}"}}', 0) >= 1)
        until(lambda: told().get('custody_findings_open{kind="unauthorized_transfer"}', 0) == 1)
        until(lambda: told().get('custody_scheduled_runs_total{outcome="done",run="reserve_check"}', 0) >= 1)
        found = told()
        assert found['custody_status{status="segregation_exception"}'] == 1
        assert found['custody_status{status="compliant"}'] == 0
        assert found[f'custody_lease_held{{by="self",lease="watch:{CHAIN}"}}'] == 1
        assert found[f'custody_chain_lag_blocks{{chain="{CHAIN}"}}'] >= 0
        assert found["custody_journal_sequence"] > 0
        said = "".join(ask(port, path)[1] for path in ("/healthz", "/readyz", "/metrics", "/other"))
    log = telling.firm.path("watch.log").read_text()
    assert CANARY not in said + log
    for secret in (telling.world.node.url, "C-1001", str(telling.firm.folder)):
        assert secret not in said, secret
    assert {"timestamp", "level", "event"} <= set(lines(telling.firm.path("watch.log"))[0])
    assert telling.firm("journal", "verify").code == 0


def test_a_watch_whose_node_is_gone_is_not_ready_and_counts(telling: Scene) -> None:
    with LyingProxy(telling.world.node.url) as proxy:
        path = telling.firm.path("custody.toml")
        text = path.read_text().replace(f"{telling.world.node.url}/?key={CANARY}", proxy.url)
        path.write_text(
            text.replace('listen = "0"', 'listen = "0"\nanswered_seconds_max = 8').replace(
                "head_age", "limits = { attempts_max = 1 }\nhead_age", 1
            )
        )
        with watching(telling) as (port, _):
            until(lambda: ask(port, "/readyz")[0] == 200)
            proxy.reply_lies = [lambda calls, reply: Reply(503, b"")]

            def chain_check() -> object:
                status, text = ask(port, "/readyz")
                found = {each["name"]: each["code"] for each in json.loads(text)["checks"]}
                return found.get(f"chain:{CHAIN}") if status == 503 else None

            until(lambda: chain_check() == "no-answer")
            name = f'custody_node_errors_total{{chain="{CHAIN}",code="node-unavailable"}}'
            until(lambda: figures(ask(port, "/metrics")[1]).get(name, 0) >= 2)
            assert ask(port, "/healthz")[0] == 200, "the process lives, its node does not"
            proxy.reply_lies = []
            until(lambda: ask(port, "/readyz")[0] == 200)


def test_a_port_that_is_taken_ends_the_watch_and_says_why(telling: Scene) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = telling.firm.path("custody.toml")
        path.write_text(path.read_text().replace('listen = "0"', f'listen = "{port}"'))
        found = telling.firm("watch", "--for", "0.1", "--json")
    assert (found.code, found.error) == (2, "config")
    assert str(port) in found.json["error"]["message"]
