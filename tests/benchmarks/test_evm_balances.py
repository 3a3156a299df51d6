"""The benchmark of balances at its smallest size, on a real Anvil: its output, and what stops it."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from benchmarks import evm_balances
from benchmarks.evm_balances import Readings, Size, measure
from benchmarks.evm_holders import Crowd, empty_crowd
from benchmarks.evm_peers import Web3Peer
from benchmarks.http_recording import Recording
from benchmarks.measure import ResultsDiffer, check
from chains.devnet.anvil import AnvilNode
from chains.devnet.deploy import call

pytestmark = pytest.mark.devnet

FIELDS = [
    "case", "value", "unit", "peer", "peer_value", "floor", "floor_value", "ratio_to_peer", "ratio_to_floor",
    "peak_rss_bytes", "notes",
]  # fmt: skip
STRATEGIES = ["state-override", "initcode", "multicall3", "batch"]
SIZE = Size(addresses=20, rounds=1, one_by_one_addresses=3, batched_addresses=20)


@pytest.fixture
def crowd(anvil: AnvilNode) -> Crowd:
    crowd = empty_crowd(anvil)
    crowd.grow(20)
    return crowd


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the sides that were timed."""
    from benchmarks import measure as module

    names: list[str] = []
    real = module._time

    def noted(side: Any, *others: Any) -> Any:
        names.append(side.name)
        return real(side, *others)

    monkeypatch.setattr(module, "_time", noted)
    return names


def test_the_command_prints_one_object_per_case() -> None:
    command = [sys.executable, "-m", "benchmarks", "evm_balances", "--quick", "--json"]
    root = Path(evm_balances.__file__).parent.parent
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["case"].rpartition(", ")[2] for line in lines] == [STRATEGIES[0], *STRATEGIES]
    assert [line["peer"] for line in lines] == ["web3 one by one", "web3 batch_requests", *["web3 one by one"] * 3]
    for line in lines:
        assert list(line) == FIELDS
        assert line["unit"] == "balances/s"
        assert line["case"].startswith("evm_balances 50 addresses x 3 assets, ")
        assert line["ratio_to_peer"] == pytest.approx(line["value"] / line["peer_value"], abs=1e-3)
        assert line["ratio_to_floor"] == pytest.approx(line["value"] / line["floor_value"], abs=1e-3)
        assert line["floor"] == f"floor of {line['case'].rpartition(', ')[2]}"
        assert line["peak_rss_bytes"] > 10_000_000
        assert line["notes"]["wire"]["requests"] >= 2, "the reads, and the question whether the block is still there"
        assert line["notes"]["ours_per_balance"]["client_cpu_us"] > 0


def test_every_side_is_checked_and_timed(crowd: Crowd, timed: list[str]) -> None:
    results = list(measure(crowd, SIZE))
    ours_and_floors = [name for strategy in STRATEGIES for name in (strategy, f"floor of {strategy}")]
    assert list(dict.fromkeys(timed)) == [*ours_and_floors, "web3 one by one", "web3 batch_requests"]
    assert len(results) == 5


def test_a_chain_that_holds_something_else_stops_before_timing(crowd: Crowd, timed: list[str]) -> None:
    crowd.node.set_balance(crowd.addresses[4], crowd.balances[4][0] + 1)
    crowd.node.mine()
    with pytest.raises(ResultsDiffer, match="state-override: 1 of 60 results differ, the first at place 12"):
        list(measure(crowd, SIZE))
    assert timed == []


def test_a_peer_that_reads_something_else_stops_before_timing(
    crowd: Crowd, timed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What web3's batches do when a node omits an answer: the values move up by one.
    real = Web3Peer.batched
    monkeypatch.setattr(Web3Peer, "batched", lambda self, addresses: [*real(self, addresses)[1:], 0])
    with pytest.raises(ResultsDiffer, match="web3 batch_requests: "):
        list(measure(crowd, SIZE))
    assert timed == []


def test_a_strategy_that_falls_back_does_not_pass_as_itself(crowd: Crowd) -> None:
    with ExitStack() as stack:
        readings = Readings(crowd, stack)
        side = readings.ours("batch")
        check(side)
        with pytest.raises(ResultsDiffer, match="60 of 60 results differ"):
            check(_with(side, run=readings.ours("initcode").run))


def test_the_floor_posts_what_the_reader_sent(crowd: Crowd) -> None:
    with ExitStack() as stack:
        readings = Readings(crowd, stack)
        recording = readings.record("state-override")
        check(readings.floor("state-override", recording))
        other = Recording(recording.requests, [*recording.replies[:-1], b"{}"])
        with pytest.raises(ResultsDiffer, match="floor of state-override: 1 of 2 results differ"):
            check(readings.floor("state-override", other))


def test_the_crowd_is_on_the_chain_as_it_says(crowd: Crowd) -> None:
    crowd.grow(1_030)
    assert len(set(crowd.addresses)) == 1_030
    tokens = [asset.asset_id.rpartition(":")[2] for asset in crowd.assets[1:]]
    assert [asset.decimals for asset in crowd.assets] == [18, 6, 18]
    for place in (0, 19, 20, 1_029):
        address, row = crowd.addresses[place], crowd.balances[place]
        found = [crowd.node.balance(address)]
        found += [call(crowd.node, token, "balanceOf(address)(uint256)", [address]) for token in tokens]
        assert found == list(row)
    amounts = [units for row in crowd.balances for units in row]
    assert min(amounts) == 0
    assert max(amounts) > 2**64


def _with(side: Any, **changes: Any) -> Any:
    from dataclasses import replace

    return replace(side, **changes)
