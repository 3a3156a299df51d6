"""What a sweep says about the blocks it read: weaker than wanted, with a hole, or too long ago."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from chains.types import ChainId, TransferScan
from tests.fakes.reader import FakeReader
from tests.verifier.sweep.desk import kinds
from tests.verifier.sweep.memory import MemoryDesk
from tests.verifier.sweep.world import OMNIBUS
from verifier.config import SweepSettings
from verifier.coverage import ChainCoverage
from verifier.records import FindingKind
from verifier.rules.heartbeat import Heartbeat
from verifier.store import Store


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> MemoryDesk:
    """One wallet, all in order, not swept yet."""
    folder = tmp_path / "imports"
    folder.mkdir()
    desk = MemoryDesk(store, folder, nodes=2)
    desk.chain.mint(OMNIBUS, desk.asset, 1_000)
    desk.chain.mine(80)
    desk.open_books(OMNIBUS)
    desk.allocate(OMNIBUS, C_1=1_000)
    return desk


def shown(desk: MemoryDesk) -> ChainCoverage:
    chain_id, store = desk.chain_id, desk.store
    newest = store.standing_summary(chain_id)
    beat = Heartbeat(chain_id, newest.block if newest else None, None, desk.now(), 7_200)
    return ChainCoverage(
        ChainId(chain_id),
        store.covered_runs(chain_id),
        store.coverage_gaps(chain_id),
        store.weaker_scans(chain_id),
        store.backfills(chain_id),
        beat,
    )


@pytest.fixture
def weaken(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets every scan fall back to logs for a reason, as `verified` does; an empty reason restores it."""
    real = FakeReader.scan_transfers

    def set_reason(reason: str) -> None:
        def scan(self: FakeReader, *arguments: object) -> TransferScan:
            scanned = real(self, *arguments)  # type: ignore[arg-type]
            return replace(scanned, mode="logs" if reason else "verified", mode_note=reason)

        monkeypatch.setattr(FakeReader, "scan_transfers", scan)

    return set_reason


@pytest.mark.fault("A22")
@pytest.mark.parametrize("reason", ["", "block 82 is not verified: type 0x7e"])
def test_a_scan_in_a_weaker_mode_is_a_gap_of_the_sweep_that_made_it(
    desk: MemoryDesk, weaken: Callable[[str], None], reason: str
) -> None:
    weaken(reason)
    swept = desk.sweep()
    assert (kinds(swept), swept.exit_code) == (({FindingKind.COVERAGE_GAP: 1}, 2) if reason else ({}, 0))
    weaken("")
    desk.chain.mine()
    again = desk.sweep()
    assert (again.cases, again.exit_code) == ((), 0), "the blocks of this sweep are verified"
    found = shown(desk)
    if reason:
        case = desk.only_case(FindingKind.COVERAGE_GAP)
        assert reason in case.finding.text
        assert not case.is_seen
        assert desk.status().exit_code == 2, "until somebody explains it"
        assert [scan.reason for scan in found.weaker] == [reason]
    assert [run.mode for run in found.runs] == (["logs", "verified"] if reason else ["verified"])


def test_a_sweep_that_died_after_a_weaker_scan_says_so_when_it_is_taken_up(
    desk: MemoryDesk, weaken: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    weaken("block 82 is not verified: type 0x7e")

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(FakeReader, "is_canonical", dies)
        with pytest.raises(KeyboardInterrupt):
            desk.runner().run()
    weaken("")
    assert kinds(desk.sweep()) == {FindingKind.COVERAGE_GAP: 1}


@pytest.mark.fault("G14")
def test_runs_by_node_and_downtime_caught_up(desk: MemoryDesk) -> None:
    desk.sweep()
    for node, blocks in ((2, 3), (1, 700), (2, 1)):
        desk.node(3 - node).is_down = True
        desk.node(node).is_down = False
        desk.chain.mine(blocks)
        assert desk.sweep().exit_code == 0
    found = shown(desk)
    assert [(run.node_id, run.last_height - run.first_height + 1) for run in found.runs] == [
        ("node-1", 1),
        ("node-2", 3),
        ("node-1", 700),
        ("node-2", 1),
    ]
    assert all(one.last_height + 1 == two.first_height for one, two in zip(found.runs, found.runs[1:], strict=False))
    assert (found.gaps, found.exit_code) == ([], 0)
    assert found.runs[-1].ended_at == desk.chain.head_time()


@pytest.mark.fault("G14")
def test_a_hole_is_an_exception_and_what_lies_below_it_explains_nothing(desk: MemoryDesk) -> None:
    """A block in the middle is marked as gone and none takes its place."""
    desk.sweep()
    desk.chain.mine(5)
    desk.sweep()
    tip = desk.chain.head.height
    hole = desk.chain.blocks[tip - 2].ref
    desk.store.orphan_blocks(desk.chain_id, [hole], "ops.maker", desk.now())
    desk.chain.mine()
    swept = desk.sweep()
    assert kinds(swept) == {FindingKind.COVERAGE_GAP: 1}
    assert f"blocks {hole.height} to {hole.height}" in desk.only_case(FindingKind.COVERAGE_GAP).finding.text
    found = shown(desk)
    assert (found.gaps, found.exit_code) == ([(hole.height, hole.height)], 2)
    assert desk.store.covered_from(desk.chain_id) == hole.height + 1


def test_nothing_covered_is_no_coverage(desk: MemoryDesk) -> None:
    assert shown(desk).exit_code == 2


@pytest.mark.fault("A35")
@pytest.mark.parametrize("hours", [1, 3])
def test_a_chain_that_stands_still_is_a_finding_of_its_own(desk: MemoryDesk, hours: int) -> None:
    assert desk.sweep().exit_code == 0
    desk.clock_ahead = timedelta(hours=hours)
    swept = desk.sweep()
    stale = {FindingKind.STALE_OBSERVATION: 1} if hours == 3 else {}
    assert (swept.failure_code, kinds(swept)) == ("stale-head", {FindingKind.UNVERIFIED: 1, **stale})
    assert desk.status().exit_code == 2
    assert shown(desk).exit_code == (2 if hours == 3 else 0)
    assert desk.status().to_dict()["chains"][0]["heartbeat"]["stale"] is (hours == 3)  # type: ignore[index]
    desk.clock_ahead = timedelta(seconds=1)
    desk.chain.mine(300 * hours)
    assert desk.sweep().cases == ()
    assert not any(case.is_seen for case in desk.open_cases(FindingKind.STALE_OBSERVATION))


@pytest.mark.fault("A35")
def test_finality_that_stalls_is_a_finding_although_every_sweep_ends(desk: MemoryDesk) -> None:
    """The head moves on, the newest final block does not: each sweep reads the same old block again."""
    desk.use_finality("finalized")
    desk.settings = SweepSettings(heartbeat_seconds_max=900)
    desk.chain.mine(64)
    assert kinds(desk.sweep()) == {}
    desk.clock_ahead = timedelta(seconds=200)
    swept = desk.sweep()
    assert swept.summary is not None, "the head is recent enough"
    assert (kinds(swept), swept.exit_code) == ({FindingKind.STALE_OBSERVATION: 1}, 2)
    assert desk.status().exit_code == 2
