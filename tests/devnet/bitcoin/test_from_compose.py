"""A bitcoind out of the compose file's image. No container is run here: what would run it is replaced and looked at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from chains.devnet.bitcoin.bitcoind import BitcoindProcess
from chains.errors import NodeUnavailable
from tests.devnet.bitcoin.standin import write_standin

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "tests" / "bitcoind-from-compose"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell script")


def image() -> str:
    """The image of the compose file, read as compose reads it."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    return str(services["bitcoin"]["image"])


def write_engine(folder: Path, standin: Path) -> Path:
    """What takes the place of `docker`: it keeps its arguments and runs the stand-in with those behind the image."""
    path = folder / "docker"
    path.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > {folder}/asked\n'
        f'while [ "$1" != {image()} ]; do shift; done; shift\nexec {standin} "$@"\n',
        encoding="utf-8",
    )
    path.chmod(0o755)
    return path


def test_the_image_is_run_with_the_folder_and_the_network_of_the_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pbk")
    monkeypatch.setenv("DOCKER", str(write_engine(tmp_path, write_standin(tmp_path))))
    with BitcoindProcess(SCRIPT) as process:
        assert process.node.height == 0
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    at = asked.index(image())
    folder = next(word.removeprefix("-datadir=") for word in asked[at:] if word.startswith("-datadir="))
    assert asked[:2] == ["run", "--rm"]
    assert asked[asked.index("--volume") + 1] == f"{folder}:{folder}"
    assert asked[asked.index("--network") + 1] == "host"
    assert asked[at - 2 : at] == ["--entrypoint", "bitcoind"]
    assert "-regtest" in asked[at:]


def test_without_an_engine_the_tests_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER", str(tmp_path / "none"))
    with pytest.raises(NodeUnavailable, match="bitcoind ended while starting"), BitcoindProcess(SCRIPT):
        pass


def test_a_folder_must_be_named() -> None:
    done = subprocess.run([SCRIPT, "-regtest"], capture_output=True, text=True, check=False)
    assert (done.returncode, "-datadir" in done.stderr) == (2, True)
