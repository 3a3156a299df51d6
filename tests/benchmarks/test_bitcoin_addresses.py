"""The benchmark of addresses runs, finds what it must find, and would notice if it did not."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import bitcoin_addresses
from benchmarks.measure import ResultsDiffer

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(importlib.util.find_spec("bitcoinlib") is None, reason="bitcoinlib, the peer, is not installed")
def test_every_kind_both_ways_in_a_process_of_its_own(tmp_path: Path) -> None:
    """In another process, because bitcoinlib makes folders and settings where it is imported."""
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks", "bitcoin_addresses", "--quick", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "BCL_DATA_DIR": str(tmp_path / "data")},
    )
    assert ended.returncode == 0, ended.stderr
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [line["case"].partition(":")[0] for line in lines[::2]] == list(bitcoin_addresses.KINDS)
    assert len(lines) == 2 * len(bitcoin_addresses.KINDS)
    assert all(line["value"] > 0 and line["peer_value"] > 0 and line["floor_value"] > 0 for line in lines)


def test_a_peer_with_a_wrong_script_stops_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong:
        def __init__(self, _value: int, *, address: str = "", lock_script: bytes = b"") -> None:
            self.lock_script = b"\x51"
            self.address = "bc1"

    monkeypatch.setattr(bitcoin_addresses, "_peer_output", lambda: Wrong)
    with pytest.raises(ResultsDiffer, match="bitcoinlib Output"):
        list(bitcoin_addresses.run(quick=True))
