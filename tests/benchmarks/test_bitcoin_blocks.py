"""The benchmarks of blocks and of following run, find what they must find, and would notice if they did not."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import bitcoin_blocks, bitcoin_follow
from benchmarks.measure import ResultsDiffer

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(importlib.util.find_spec("bitcoinlib") is None, reason="bitcoinlib, the peer, is not installed")
@pytest.mark.parametrize(("name", "cases"), [("bitcoin_blocks", 2), ("bitcoin_follow", 1)])
def test_in_a_process_of_its_own(tmp_path: Path, name: str, cases: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks", name, "--quick", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "BCL_DATA_DIR": str(tmp_path / "data")},
    )
    assert ended.returncode == 0, ended.stderr
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [line["case"].split()[0] for line in lines] == [name] * cases
    assert all(line["value"] > 0 and line["peer_value"] > 0 and line["floor_value"] > 0 for line in lines)


class _Empty:
    """A parser that finds nothing."""

    transactions: tuple[Any, ...] = ()

    @classmethod
    def parse(cls, _raw: bytes, **_: object) -> _Empty:
        return cls()


def test_a_peer_that_finds_nothing_stops_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (bitcoin_blocks, bitcoin_follow):
        monkeypatch.setattr(module, "_peer_block", lambda: _Empty)
        with pytest.raises(ResultsDiffer, match="bitcoinlib"):
            list(module.run(quick=True))


def test_a_ledger_that_lost_a_coin_stops_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(bitcoin_follow.History):
        @property
        def paid(self) -> int:
            return 1

    monkeypatch.setattr(bitcoin_follow, "_peer_block", lambda: _Empty)
    monkeypatch.setattr(bitcoin_follow, "History", Wrong)
    with pytest.raises(ResultsDiffer, match="ours"):
        list(bitcoin_follow.run(quick=True))
