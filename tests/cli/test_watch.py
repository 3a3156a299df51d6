"""`custody watch` and `custody chain coverage` as a person or a service runs them, before a real Anvil."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from threading import Event, Thread
from typing import Any

import pytest

from chains.devnet.node import AnvilNode
from chains.errors import ChainConfigError
from chains.evm.new_heads import NewHeads
from chains.reader import NodeConfig
from tests.cli.command import ROOT, custody
from tests.cli.scene import Scene
from verifier.cli import watching
from verifier.config import load_settings
from verifier.errors import JournalBroken, LeaseLost

pytestmark = pytest.mark.devnet


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def hurry(scene: Scene) -> None:
    """Sweeps without a pause between them."""
    path = scene.firm.path("custody.toml")
    path.write_text(path.read_text() + "\n[watch]\nsweep_seconds_min = 0\n")


def test_once_looks_and_sweeps(scene: Scene) -> None:
    hurry(scene)
    quiet = scene.firm("watch", "--once", "--json")
    assert (quiet.code, [each["event"] for each in events(quiet.out)]) == (0, ["provisional", "stopped"])
    theft = scene.steal()
    found = scene.firm("watch", "--once", "--json")
    look = events(found.out)[0]
    assert (look["event"], look["exit_code"], found.code) == ("provisional", 1, 1)
    assert theft in {case["tx_id"] for case in look["cases"] if case["kind"] == "unauthorized_transfer"}
    assert all(case["provisional"] for case in look["cases"])
    scene.world.confirm()
    final = scene.firm("watch", "--once", "--json")
    swept = next(each for each in events(final.out) if each["event"] == "swept")
    assert (final.code, swept["exit_code"]) == (1, 1)
    assert not any(case["is_new"] or case["provisional"] for case in swept["cases"])


def test_for_people(scene: Scene) -> None:
    scene.steal()
    found = scene.firm("watch", "--once")
    assert "provisional" in found.out
    assert "CASE-" in found.out


def test_for_some_seconds(scene: Scene) -> None:
    begun = time.monotonic()
    found = scene.firm("watch", "--for", "0.5", "--json")
    assert time.monotonic() - begun > 0.4
    assert (found.code, events(found.out)[-1]["event"]) == (0, "stopped")


@pytest.mark.fault("C1")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_when_it_is_told_to(scene: Scene, number: signal.Signals) -> None:
    command = [sys.executable, "-c", "import sys; from verifier.cli import main; sys.argv[0] = 'custody'; main()"]
    command += ["--config", str(scene.firm.path("custody.toml")), "watch", "--json"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        scene.steal()
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        process.send_signal(number)
        rest, errors = process.communicate(timeout=120)
    assert (first["event"], process.returncode, errors) == ("provisional", 0, "")
    assert events(rest)[-1]["event"] == "stopped"
    assert scene.firm("journal", "verify").code == 0


@pytest.mark.parametrize(
    "command", [("watch", "--chain", "eip155:5"), ("worker", "--once"), ("web", "--host", "no such")]
)
def test_a_command_of_lines_ends_with_a_line_where_it_fails(scene: Scene, command: tuple[str, ...]) -> None:
    """Whoever reads one JSON object a line reads the error too."""
    answer = scene.firm(*command, "--json")
    assert answer.code == 2
    (line,) = answer.out.splitlines()
    assert json.loads(line)["error"]["code"] in ("config", "bad-input")


@pytest.mark.fault("C5")
def test_of_two_watches_one_works_and_the_other_takes_over_when_it_is_killed(scene: Scene) -> None:
    command = [sys.executable, "-c", "import sys; from verifier.cli import main; sys.argv[0] = 'custody'; main()"]
    command += ["--config", str(scene.firm.path("custody.toml")), "watch", "--json"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    first = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    second = None
    try:
        assert first.stdout is not None
        assert json.loads(first.stdout.readline())["event"] == "provisional"
        second = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert second.stdout is not None
        standby = json.loads(second.stdout.readline())
        assert (standby["event"], standby["code"], standby["exit_code"]) == ("standby", "lease-held", 2)
        assert str(first.pid) in standby["text"]
        refused = scene.firm("watch", "--once", "--json")
        assert (refused.code, refused.error) == (2, "lease-held")
        first.kill()
        first.communicate()
        assert json.loads(second.stdout.readline())["event"] == "provisional"
        second.send_signal(signal.SIGTERM)
        rest = second.communicate(timeout=120)[0]
        assert second.returncode == 0, rest
        assert events(rest)[-1]["event"] == "stopped"
    finally:
        for process in (first, second):
            if process is not None and process.poll() is None:
                process.kill()
                process.communicate()


@pytest.mark.parametrize(
    ("error", "told_to_stop", "raised"),
    [
        (LeaseLost("late"), True, False),
        (LeaseLost("late"), False, True),
        (JournalBroken("entry 3"), True, True),
        (ValueError("a fault of the program"), True, True),
    ],
)
def test_what_ends_a_thread_is_raised_but_for_what_stopping_brings(
    error: Exception, told_to_stop: bool, raised: bool, firm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def watch_chain(*arguments: Any, **options: Any) -> None:
        raise error

    monkeypatch.setattr("verifier.watching.watch_chain", watch_chain)
    stop = Event()
    if told_to_stop:
        stop.set()
    settings = load_settings(firm.path("custody.toml"))
    faults = watching._follow(settings, ["eip155:1"], stop, lambda event: None, "tests", True, 0.0)
    assert faults == ([error] if raised else [])


def test_without_a_chain_or_with_another_one_it_says_what_to_do(scene: Scene) -> None:
    assert scene.firm("watch", "--chain", "eip155:5", "--once", "--json").code == 2
    assert custody("--config", "nowhere.toml", "watch", "--once", "--json").error


def test_the_coverage_of_a_chain(scene: Scene) -> None:
    found = scene.firm("chain", "coverage", "--json")
    (chain,) = found.json["chains"]
    assert (found.code, chain["exit_code"], chain["gaps"], chain["known_late"]) == (0, 0, [], [])
    assert chain["runs"][0]["first_height"] == chain["first_height"]
    assert chain["runs"][-1]["last_height"] == chain["last_height"]
    assert {run["mode"] for run in chain["runs"]} == {"logs"}
    assert chain["heartbeat"]["stale"] is False
    shown = scene.firm("chain", "coverage")
    assert "blocks covered" in shown.out
    assert scene.firm("chain", "coverage", "eip155:5", "--json").code == 2


def test_the_coverage_of_a_chain_that_was_never_swept(firm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAINNET_RPC_URL", "http://127.0.0.1:1")
    found = firm("chain", "coverage", "--json")
    assert (found.code, found.json["chains"][0]["first_height"]) == (2, None)


# The bell


class Listener:
    """Listens to a node in a thread."""

    def __init__(self, url: str) -> None:
        self.rung, self.stop = Event(), Event()
        self.heads = NewHeads(NodeConfig("node-1", "us", "http://127.0.0.1:1", ws_url=url), self.rung.set, self.stop)
        self.thread = Thread(target=self.heads.run)
        self.thread.start()

    def end(self) -> None:
        """Stop it, and see that it ends."""
        self.stop.set()
        self.thread.join(120)
        assert not self.thread.is_alive()


def rings(listener: Listener, node: AnvilNode) -> bool:
    """Whether it rings for a block; the subscription may still be on its way when the first ones are mined."""
    for _ in range(600):
        node.mine()
        if listener.rung.wait(0.2):
            return True
    return False


def test_a_new_block_rings(anvil: AnvilNode) -> None:
    listener = Listener(anvil.url.replace("http://", "ws://"))
    try:
        assert rings(listener, anvil)
        listener.rung.clear()
        announced = listener.heads.announced
        anvil.mine()
        assert listener.rung.wait(120)
        assert listener.heads.announced > announced
    finally:
        listener.end()


def test_a_node_that_is_not_there_does_not_ring_and_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in the middle of a long pause between two tries."""
    for name in ("PAUSE_SECONDS", "PAUSE_SECONDS_MAX"):
        monkeypatch.setattr(f"chains.evm.new_heads.{name}", 3_600.0)
    listener = Listener("ws://127.0.0.1:1")
    assert not listener.rung.wait(0.3)
    listener.end()


@pytest.mark.parametrize(
    "url", ["ws://node.example/key-0123456789", "http://127.0.0.1:1", "wss://", "ftp://x/", "127.0.0.1"]
)
def test_a_url_that_is_not_allowed_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ChainConfigError) as refused:
        NewHeads(NodeConfig("node-1", "us", "http://127.0.0.1:1", ws_url=url), lambda: None, Event())
    assert "key-0123456789" not in str(refused.value)


def test_a_watch_with_a_bell_does_not_wait_for_its_next_question(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks every ten minutes. Its first round may see the first theft; only the bell wakes it for another."""
    path = scene.firm.path("custody.toml")
    monkeypatch.setenv("NODE_WS", scene.world.node.url.replace("http://", "ws://"))
    text = path.read_text().replace("[[chains.nodes]]", '[[chains.nodes]]\nws_url_env = "NODE_WS"', 1)
    path.write_text(f"{text}\n[watch]\npoll_seconds_min = 600\npoll_seconds_max = 600\n")
    command = [sys.executable, "-c", "import sys; from verifier.cli import main; sys.argv[0] = 'custody'; main()"]
    command += ["--config", str(path), "watch", "--json"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    heard: list[str] = []
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        listener = Thread(target=heard.extend, args=(process.stdout,))
        listener.start()
        try:
            for _ in range(2):
                theft = scene.steal()
                for _ in range(600):  # the subscription may still be on its way
                    if any(theft in line for line in heard):
                        break
                    scene.world.node.mine()
                    time.sleep(0.2)
                assert any(theft in line for line in heard), heard
        finally:
            process.terminate()
            listener.join(120)
