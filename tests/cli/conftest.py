"""Firms to try the command at."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chains.devnet.anvil import AnvilProcess
from tests.cli.command import Firm, custody
from tests.cli.scene import Scene


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command writes is as wide as to a pipe, whatever terminal the tests were started from."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture(scope="session")
def firm_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `custody init` leaves it."""
    folder = tmp_path_factory.mktemp("firm") / "template"
    assert custody("init", "--dir", folder, "--firm", "Example Brokerage LLC").code == 0
    return folder


@pytest.fixture
def firm(firm_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Firm:
    """A firm that was just set up for Ethereum's main network; its node's URL is not given yet."""
    folder = tmp_path / "firm"
    shutil.copytree(firm_template, folder)
    monkeypatch.delenv("MAINNET_RPC_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    return Firm(folder)


@pytest.fixture(scope="session")
def scene_template(anvil_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A firm on a local chain after one clean sweep. Shared: `scene` gives each test its own copy of the folder."""
    begin = int(time.time()) - 600
    with AnvilProcess(binary=anvil_binary, arguments=["--timestamp", str(begin)]) as process:
        yield Scene.set_up(process.node, tmp_path_factory.mktemp("scene") / "template")


@pytest.fixture
def scene(scene_template: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """The firm and the chain as they were after the clean sweep."""
    node = scene_template.world.node
    snapshot = node.snapshot()
    monkeypatch.chdir(tmp_path)
    yield scene_template.copied(tmp_path / "scene")
    assert node.revert(snapshot)
