"""Finding Anvil, and processes that surely end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chains.devnet.anvil import AnvilNotFound, AnvilProcess, find_anvil
from chains.errors import NodeUnavailable

PACKAGE = "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"


def executable(path: Path) -> Path:
    """An executable file at that path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)
    return path.resolve()


@pytest.mark.parametrize("missing", range(5))
def test_the_first_place_that_has_anvil_is_taken(missing: int, tmp_path: Path) -> None:
    """With the first `missing` places empty the next one is taken; with all empty there is an error."""
    places = [
        tmp_path / "explicit" / "anvil",
        tmp_path / "environment" / "anvil",
        tmp_path / "project" / PACKAGE,
        tmp_path / "path" / "anvil",
        tmp_path / "home" / ".foundry" / "bin" / "anvil",
    ]
    present = [executable(place) for place in places[missing:]]
    environment = {"PATH": str(tmp_path / "path")}
    if missing < 2:
        environment["ANVIL_BIN"] = str(places[1])
    below = tmp_path / "project" / "deep" / "down"
    below.mkdir(parents=True)
    explicit = places[0] if missing < 1 else None
    found = find_anvil(explicit, environment=environment, folder=below, home=tmp_path / "home")
    assert found == present[0]


def test_no_anvil_anywhere_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AnvilNotFound) as caught:
        find_anvil(environment={"PATH": str(tmp_path)}, folder=tmp_path, home=tmp_path)
    assert caught.value.code == "anvil-not-found"
    assert "npm ci" in caught.value.advice
    assert "ANVIL_BIN" in caught.value.advice


@pytest.mark.parametrize("named", ["argument", "environment"])
@pytest.mark.parametrize("wrong", ["absent", "folder", "not executable"])
def test_a_named_anvil_that_is_not_there_is_no_reason_to_take_another(named: str, wrong: str, tmp_path: Path) -> None:
    executable(tmp_path / "path" / "anvil")
    name = tmp_path / "named"
    if wrong == "folder":
        name.mkdir()
    elif wrong == "not executable":
        name.write_text("", encoding="utf-8")
    environment = {"PATH": str(tmp_path / "path")} | ({"ANVIL_BIN": str(name)} if named == "environment" else {})
    with pytest.raises(AnvilNotFound, match="named"):
        find_anvil(name if named == "argument" else None, environment=environment, folder=tmp_path, home=tmp_path)


def is_alive(process_id: int) -> bool:
    """Whether a process of that id runs; a zombie does not."""
    try:
        status = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def wait_until_dead(process_id: int, seconds: float = 120.0) -> bool:
    """Whether the process ended in time."""
    deadline = time.monotonic() + seconds
    while is_alive(process_id) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(process_id)


@pytest.mark.devnet
def test_a_process_runs_while_its_context_lasts(anvil_binary: Path) -> None:
    with AnvilProcess(binary=anvil_binary) as process:
        process_id = process.process_id
        assert is_alive(process_id)
        assert process.is_running()
        assert process.node.chain_id == 31337
        assert "Listening on" in process.log_tail()
    assert not process.is_running()
    assert wait_until_dead(process_id)
    with pytest.raises(RuntimeError, match="not running"):
        _ = process.node


@pytest.mark.devnet
def test_arguments_reach_anvil(anvil_binary: Path) -> None:
    with AnvilProcess(binary=anvil_binary, arguments=["--chain-id", "5", "--accounts", "2"]) as process:
        assert process.node.chain_id == 5
        assert len(process.node.accounts()) == 2


@pytest.mark.devnet
def test_two_processes_get_two_ports_and_two_chains(anvil_binary: Path) -> None:
    with AnvilProcess(binary=anvil_binary) as one, AnvilProcess(binary=anvil_binary) as other:
        assert one.node.url != other.node.url
        one.node.mine(3)
        assert other.node.block_number() == 0


@pytest.mark.devnet
def test_a_restart_is_a_fresh_chain_at_the_same_url(anvil_binary: Path) -> None:
    with AnvilProcess(binary=anvil_binary) as process:
        node, before = process.node, process.process_id
        node.mine(3)
        process.restart()
        assert process.process_id != before
        assert node.block_number() == 0


@pytest.mark.devnet
def test_a_taken_port_is_an_error_that_says_why(anvil_binary: Path) -> None:
    with AnvilProcess(binary=anvil_binary) as first:
        port = int(first.node.url.rpartition(":")[2])
        with pytest.raises(NodeUnavailable, match="ended while starting"):
            AnvilProcess(binary=anvil_binary, port=port).start()
        assert first.node.block_number() == 0


@pytest.mark.devnet
def test_wrong_arguments_are_an_error_and_leave_nothing(anvil_binary: Path) -> None:
    process = AnvilProcess(binary=anvil_binary, arguments=["--no-such-option"])
    with pytest.raises(NodeUnavailable, match="ended while starting"):
        process.start()
    assert not process.is_running()


@pytest.mark.devnet
def test_an_anvil_that_never_listens_and_will_not_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chains.devnet.anvil.STOP_SECONDS_MAX", 0.3)
    silent = tmp_path / "anvil"
    silent.write_text("#!/bin/sh\ntrap '' TERM\necho $$ > \"$0.pid\"\nexec sleep 600\n", encoding="utf-8")
    silent.chmod(0o755)
    started = tmp_path / "anvil.pid"
    for seconds in (0.5, 10.0, 120.0):  # on a busy machine it may not even begin in half a second
        with pytest.raises(NodeUnavailable, match="did not listen"):
            AnvilProcess(binary=silent, start_seconds_max=seconds).start()
        if started.exists():
            break
    assert wait_until_dead(int(started.read_text(encoding="utf-8")))


PARENT = """
import sys, time
from chains.devnet.anvil import AnvilProcess
process = AnvilProcess()
process.start()
print(process.process_id, process._folder.name, flush=True)
time.sleep(600)
"""


@pytest.mark.devnet
@pytest.mark.skipif(sys.platform == "win32", reason="there is no watching shell on Windows")
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_killed_parent_leaves_no_node_behind(anvil_binary: Path, blow: signal.Signals) -> None:
    environment = {**os.environ, "ANVIL_BIN": str(anvil_binary)}
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, env=environment)
    assert parent.stdout is not None
    number, folder = parent.stdout.readline().split()
    process_id = int(number)
    assert is_alive(process_id)
    assert Path(folder).is_dir()
    parent.send_signal(blow)
    parent.communicate()
    assert wait_until_dead(process_id)
    deadline = time.monotonic() + 120
    while Path(folder).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(folder).exists()


@pytest.mark.devnet
def test_a_node_killed_by_others_is_noticed(anvil_binary: Path) -> None:
    with AnvilProcess(binary=anvil_binary) as process:
        os.kill(process.process_id, signal.SIGKILL)
        deadline = time.monotonic() + 120
        while process.is_running() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not process.is_running()
        with pytest.raises(NodeUnavailable):
            process.node.block_number()
