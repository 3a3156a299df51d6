"""What needs a process of its own: missing parts, signals, terminals, the demonstration."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chains.devnet.node import AnvilNode
from tests.cli.command import ROOT, Firm, process
from tests.cli.scene import Scene

SERVER_PARTS = ("sqlmodel", "sqlalchemy", "alembic", "psycopg", "apscheduler")
BLOCK = f"""
import importlib.abc, sys
class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in {SERVER_PARTS!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Block())
"""


@pytest.mark.devnet
def test_verify_needs_no_database_and_no_scheduler(scene: Scene, tmp_path: Path) -> None:
    path = scene.export()
    keys = scene.firm.path("trusted-keys.json")
    rpc = f"{scene.world.chain_id}={scene.world.node.url}"
    done = process("verify", path, "--trusted-keys", keys, "--rpc", rpc, "--json", folder=tmp_path, before=BLOCK)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verified"] is True
    path.write_bytes(path.read_bytes().replace(b"vault-1004", b"vault-1005"))
    done = process("verify", path, "--trusted-keys", keys, "--json", folder=tmp_path, before=BLOCK)
    assert done.returncode == 1


@pytest.mark.parametrize("arguments", [["status"], ["init", "--firm", "X", "--dir", "new"], ["sweep"], ["map", "show"]])
def test_a_missing_part_is_named_with_how_to_get_it(firm: Firm, tmp_path: Path, arguments: list[str]) -> None:
    config = firm.path("custody.toml")
    done = process("--config", config, *arguments, "--json", folder=tmp_path, before=BLOCK)
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "missing-extra"
    assert "custody-verifier[server]" in error["advice"]


def test_help_and_templates_load_nothing_heavy(tmp_path: Path) -> None:
    watch = """
import atexit, sys
def check():
    heavy = {"web3", "sqlmodel", "sqlalchemy", "alembic", "hypothesis"} & set(sys.modules)
    if heavy:
        sys.stderr.write(f"HEAVY {sorted(heavy)}")
atexit.register(check)
"""
    for arguments in (["--help"], ["verify", "--help"], ["template", "clients.csv"]):
        done = process(*arguments, folder=tmp_path, before=watch)
        assert done.returncode == 0
        assert "HEAVY" not in done.stderr


def test_no_colour_where_none_is_wanted_and_no_progress_without_a_terminal(firm: Firm, tmp_path: Path) -> None:
    done = process("--config", firm.path("custody.toml"), "status", folder=tmp_path)
    assert done.returncode == 2
    assert "\x1b" not in done.stdout + done.stderr
    forced = {"FORCE_COLOR": "1"}
    done = process("--config", firm.path("custody.toml"), "status", folder=tmp_path, environment=forced)
    assert "\x1b[" in done.stdout
    done = process(
        "--config", firm.path("custody.toml"), "status", folder=tmp_path, environment={**forced, "NO_COLOR": "1"}
    )
    assert "\x1b[3" not in done.stdout


def on_a_terminal(arguments: list[str], folder: Path, columns: int) -> tuple[int, str]:
    """Run a command whose stdout and stderr are a terminal; what it showed."""
    import fcntl
    import pty
    import struct
    import termios

    main, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    for name in ("COLUMNS", "NO_COLOR", "CI"):
        environment.pop(name, None)
    code = "import sys; from verifier.cli import main; sys.argv[0] = 'custody'; main()"
    running = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=folder, env=environment, stdout=other, stderr=other, stdin=other
    )
    os.close(other)
    shown = b""
    while True:
        try:
            part = os.read(main, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(main)
    return running.wait(60), shown.decode()


@pytest.mark.devnet
@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
@pytest.mark.parametrize("columns", [40, 100, 140])
def test_lists_fit_the_terminal(scene: Scene, tmp_path: Path, columns: int) -> None:
    import re

    scene.steal()
    scene.world.confirm()
    config = str(scene.firm.path("custody.toml"))
    code, shown = on_a_terminal(["--config", config, "sweep"], tmp_path, columns)
    assert code == 1
    assert "\x1b[" in shown
    for arguments in (["map", "show"], ["cases", "list"], ["status"]):
        code, shown = on_a_terminal(["--config", config, *arguments], tmp_path, columns)
        assert code in (0, 1)
        lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown).replace("\r", "").split("\n")
        if columns >= 100:
            assert max(map(len, lines)) <= columns
        if arguments == ["map", "show"] and columns >= 100:
            assert len(lines) < 20, "no cell is folded at 100 columns"


@pytest.mark.devnet
def test_the_devnet_starts_answers_and_ends_on_a_signal(anvil_binary: Path, tmp_path: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        code = "import sys; from verifier.cli import main; sys.argv[0] = 'custody'; main()"
        running = subprocess.Popen(
            [sys.executable, "-c", code, "devnet", "--port", "0", "--json"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "ANVIL_BIN": str(anvil_binary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert running.stdout is not None
            text = ""
            while not text.endswith("\n}\n"):
                line = running.stdout.readline()
                assert line, running.communicate()
                text += line
            answer = json.loads(text)
            node = AnvilNode(answer["url"])
            assert f"eip155:{node.chain_id}" == answer["chain_id"]
            assert len(answer["tokens"]) == 2
            running.send_signal(number)
            out, err = running.communicate(timeout=120)
            assert (running.returncode, out) == (0, ""), err
            with pytest.raises(Exception, match="no answer"):
                node.block_number()
        finally:
            running.kill()  # a test that fails leaves no node behind
            running.communicate()


def test_a_devnet_without_anvil_says_how_to_get_it(tmp_path: Path) -> None:
    done = process("devnet", "--json", folder=tmp_path, environment={"ANVIL_BIN": str(tmp_path / "none")})
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "anvil-not-found"


@pytest.mark.devnet
def test_the_demonstration_holds_in_every_point(anvil_binary: Path, tmp_path: Path) -> None:
    environment = {"ANVIL_BIN": str(anvil_binary)}
    done = process("demo", "--dir", "kept", folder=tmp_path, environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The story held in every point." in done.stdout
    assert max(map(len, done.stdout.splitlines())) < 210
    assert "told without Bitcoin" not in done.stdout
    for told in ("1  A firm", "2  A clean day", "3  Five things", "4  What the auditor gets", "5  A tampered copy"):
        assert told in done.stdout
    kept = Firm(tmp_path / "kept")
    cases = kept("cases", "list", "--json").json["cases"]
    assert {case["kind"] for case in cases} == {
        "unauthorized_transfer",
        "commingling",
        "unallocated_balance",
        "custodian_mismatch",
        "shortfall",
    }
    assert {case["location"].partition(":")[0] for case in cases} == {"eip155", "bip122", "pool"}
    again = process("demo", "--dir", "kept", "--json", folder=tmp_path, environment=environment)
    assert (again.returncode, json.loads(again.stdout)["error"]["code"]) == (2, "bad-input")


@pytest.mark.devnet
@pytest.mark.anvil(private=True)
@pytest.mark.parametrize(("before", "cases"), [("", 9), ("import sys\nsys.modules['pbk'] = None\n", 7)])
def test_the_demonstration_for_programs_on_a_node_that_is_given(
    anvil: AnvilNode, tmp_path: Path, before: str, cases: int
) -> None:
    """With Bitcoin and, where its consensus library is missing, without."""
    anvil.mine(3)
    head = anvil.block_hash()
    done = process("demo", "--json", folder=tmp_path, environment={"ANVIL_RPC_URL": anvil.url}, before=before)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["cases"]["open"], answer["second_sweep"]["cases_opened"]) == (cases, 0)
    assert ("told without Bitcoin" in done.stderr) is bool(before)
    assert "The story held in every point." in done.stderr
    assert anvil.block_hash() == head, "the node was put back to where it was"
