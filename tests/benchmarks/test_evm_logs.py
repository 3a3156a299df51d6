"""The benchmark of log scans at its smallest size, on a real Anvil."""

from __future__ import annotations

import dataclasses

import pytest

from benchmarks import evm_logs
from benchmarks.evm_log_story import SPACING, LogStory, empty_story
from benchmarks.evm_logs import Size, measure
from benchmarks.measure import ResultsDiffer
from chains.devnet.node import AnvilNode

pytestmark = pytest.mark.devnet

SIZE = Size(blocks=2 * SPACING, rounds=1, peer_blocks=SPACING)


@pytest.fixture
def story(anvil: AnvilNode) -> LogStory:
    """Two groups of five transfers."""
    story = empty_story(anvil, watched=3, transfers_per_group=5)
    story.grow(SIZE.blocks)
    return story


def test_all_sides_find_what_was_written(story: LogStory) -> None:
    assert story.count == 10
    assert story.node.block_number() == story.first_height + SIZE.blocks - 1
    result = measure(story, SIZE)
    assert (result.unit, result.peer) == ("logs/s", "web3 events.get_logs")
    assert result.case.endswith("20 blocks, 10 transfers, 3 addresses")
    assert result.notes["peer_logs_sampled"] == 5
    assert result.value > 0


def test_a_transfer_that_is_missing_stops_it_before_timing(story: LogStory, monkeypatch: pytest.MonkeyPatch) -> None:
    real = evm_logs._scan

    def hides(*arguments: object) -> object:
        scan = real(*arguments)  # type: ignore[arg-type]
        return dataclasses.replace(scan, transfers=scan.transfers[1:])

    monkeypatch.setattr(evm_logs, "_scan", hides)
    with pytest.raises(ResultsDiffer, match="ours: 9 results instead of 10"):
        measure(story, SIZE)
