"""Wallets and assets that became known after blocks were covered: their movements are read afterwards and judged."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from chains.errors import NodeRefused
from chains.types import Address
from tests.fakes.reader import FakeReader
from tests.verifier.sweep.desk import Row, kinds
from tests.verifier.sweep.hooks import HookedPlugin
from tests.verifier.sweep.memory import MemoryDesk
from tests.verifier.sweep.world import OMNIBUS, SECOND, STRANGER, THIRD, address
from verifier.config import SweepSettings
from verifier.journal import verify_journal
from verifier.records import FindingKind, MatchOutcome
from verifier.store import Store

OPENED_BEFORE: Row = {"opened_on": "2026-03-01"}


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> MemoryDesk:
    """One wallet, swept once; another that holds something and is not mapped."""
    folder = tmp_path / "imports"
    folder.mkdir()
    desk = MemoryDesk(store, folder)
    desk.chain.mint(OMNIBUS, desk.asset, 1_000)
    desk.chain.mint(SECOND, desk.asset, 500)
    desk.open_books(OMNIBUS)
    desk.allocate(OMNIBUS, C_1=1_000)
    assert desk.sweep().exit_code == 0
    return desk


def next_day(desk: MemoryDesk) -> str:
    """Two days after the newest block."""
    return (desk.chain.head_time() + timedelta(days=2)).date().isoformat()


def map_late(desk: MemoryDesk, wallet: Address = SECOND, units: int = 0, **row: str) -> None:
    """Map a wallet and state what clients own there."""
    desk.take(wallets=[{"address": wallet, **(row or OPENED_BEFORE)}])
    if units:
        desk.allocate(wallet, C_1=units)


@pytest.mark.fault("G14")
@pytest.mark.parametrize("approved", [False, True])
def test_what_left_before_the_mapping_is_judged(desk: MemoryDesk, approved: bool) -> None:
    before = desk.store.covered_from(desk.chain_id)
    desk.chain.pay(SECOND, STRANGER, desk.asset, 7)
    assert desk.sweep().exit_code == 0, "nobody knows this wallet yet"
    map_late(desk, units=493)
    if approved:
        desk.approve("A-1", SECOND, STRANGER, 7)
    desk.chain.mine()
    swept = desk.sweep()
    assert swept.summary is not None
    assert swept.summary.transfers_outgoing == 1
    assert kinds(swept) == ({} if approved else {FindingKind.UNAUTHORIZED_TRANSFER: 1})
    assert swept.exit_code == (0 if approved else 1)
    assert desk.store.covered_from(desk.chain_id) == before, "the coverage of the chain stays as it is"
    desk.chain.mine()
    after = desk.sweep()
    assert after.summary is not None
    assert (after.summary.transfers_scanned, after.cases) == (0, ()), "what was judged is not judged again"
    (match,) = desk.store.matches(desk.chain_id)
    assert match.outcome is (MatchOutcome.MATCHED if approved else MatchOutcome.UNAUTHORIZED)


@pytest.mark.fault("G14")
def test_a_movement_known_from_the_other_side_is_judged_once_its_sender_is_ours(desk: MemoryDesk) -> None:
    """It was read as something that came in; with its sender mapped it is something that left, too."""
    desk.chain.pay(SECOND, OMNIBUS, desk.asset, 7)
    desk.allocate(OMNIBUS, C_1=1_007)
    assert desk.sweep().exit_code == 0
    (known,) = desk.store.transfers(desk.chain_id, first_height=desk.chain.head.height)
    map_late(desk, units=493)
    desk.chain.mine()
    assert kinds(desk.sweep()) == {FindingKind.UNAUTHORIZED_TRANSFER: 1}
    assert desk.store.transfers(desk.chain_id).count(known) == 1, "it is not stored twice"


def test_a_wallet_that_was_opened_later_has_nothing_to_read(desk: MemoryDesk) -> None:
    desk.chain.pay(SECOND, STRANGER, desk.asset, 7)
    desk.sweep()
    map_late(desk, units=493, opened_on=next_day(desk))
    desk.chain.mine()
    assert desk.sweep().exit_code == 0
    assert desk.store.backfills(desk.chain_id) == []


@pytest.mark.fault("G14")
@pytest.mark.parametrize("is_listed_late", [True, False])
def test_an_asset_that_was_listed_late(store: Store, tmp_path: Path, is_listed_late: bool) -> None:
    (tmp_path / "imports").mkdir()
    desk = MemoryDesk(store, tmp_path / "imports")
    other = desk.chain.new_asset(f"erc20:{address(901)}", 6)
    row = {"asset_id": other.asset_id, "symbol": "OTHER", "decimals": "6", "dust_limit": "0"}
    desk.open_books(OMNIBUS, assets=[{}] if is_listed_late else [{}, row])
    desk.chain.mint(OMNIBUS, other, 10)
    first = desk.sweep()
    desk.chain.pay(OMNIBUS, STRANGER, other, 4)
    second = desk.sweep()
    seen = kinds(second).get(FindingKind.UNAUTHORIZED_TRANSFER, 0)
    assert seen == (0 if is_listed_late else 1)
    if is_listed_late:
        assert (first.exit_code, second.exit_code) == (0, 0)
        desk.take(assets=[row])
        desk.chain.mine()
        third = desk.sweep()
        assert kinds(third)[FindingKind.UNAUTHORIZED_TRANSFER] == 1
        assert FindingKind.COVERAGE_GAP not in kinds(third)
    assert len(desk.store.backfills(desk.chain_id)) == is_listed_late


@pytest.mark.fault("G14")
def test_many_blocks_are_read_in_portions_and_are_a_gap_until_then(desk: MemoryDesk) -> None:
    desk.chain.pay(SECOND, STRANGER, desk.asset, 7)
    desk.chain.mine(1_200)
    desk.sweep()
    desk.settings = SweepSettings(late_blocks_per_sweep_max=600)
    map_late(desk, units=493)
    found = []
    for _ in range(4):
        desk.chain.mine()
        swept = desk.sweep()
        found.append(kinds(swept))
        (backfill,) = desk.store.backfills(desk.chain_id)
    gap, theft = FindingKind.COVERAGE_GAP, FindingKind.UNAUTHORIZED_TRANSFER
    assert found == [{gap: 1, theft: 1}, {gap: 1}, {}, {}]
    assert backfill.is_complete
    (case,) = desk.open_cases(gap)
    assert not case.is_seen, "one case, whatever was left of it, and it waits for somebody"
    assert f"blocks {backfill.first_height + 600} to" in desk.store.case_events(case.case_id)[0].text


@pytest.mark.fault("G14", "A25")
def test_blocks_a_node_does_not_have_any_more_stay_a_gap(desk: MemoryDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.chain.pay(SECOND, STRANGER, desk.asset, 7)
    desk.sweep()
    map_late(desk, units=493)
    desk.chain.mine()
    real = FakeReader.scan_transfers

    def pruned(self: FakeReader, first: int, *others: object) -> object:
        if first < desk.chain.head.height:
            raise NodeRefused("old logs are pruned", node_id=self.node_id)
        return real(self, first, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(FakeReader, "scan_transfers", pruned)
    swept = desk.sweep()
    assert (kinds(swept), swept.exit_code) == ({FindingKind.COVERAGE_GAP: 1}, 2)
    case = desk.only_case(FindingKind.COVERAGE_GAP)
    assert "old logs are pruned" in case.finding.text
    assert SECOND in case.finding.text
    assert swept.summary is not None, "the rest of the sweep is not lost with it"
    monkeypatch.undo()
    desk.chain.mine()
    assert kinds(desk.sweep()) == {FindingKind.UNAUTHORIZED_TRANSFER: 1}


@pytest.mark.fault("C1")
def test_a_sweep_that_ends_in_the_middle_goes_on_where_it_was(desk: MemoryDesk) -> None:
    desk.chain.pay(SECOND, STRANGER, desk.asset, 7)
    desk.chain.mine(1_200)
    desk.chain.pay(SECOND, STRANGER, desk.asset, 8)
    desk.sweep()
    map_late(desk, units=485)
    desk.chain.mine()
    calls: list[int] = []

    def dies_at_the_third() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt

    plugin = HookedPlugin(desk.plugin, before={"scan_transfers": dies_at_the_third})
    with pytest.raises(KeyboardInterrupt):
        desk.runner(plugin=plugin).run()
    (backfill,) = desk.store.backfills(desk.chain_id)
    assert backfill.first_height < backfill.next_height < backfill.last_height
    swept = desk.sweep()
    assert kinds(swept) == {FindingKind.UNAUTHORIZED_TRANSFER: 2}
    assert len(desk.store.backfills(desk.chain_id)) == 1
    assert verify_journal(desk.store).ok


def test_a_reorganised_block_is_not_counted_as_read(desk: MemoryDesk) -> None:
    desk.chain.mine(2)
    desk.sweep()
    map_late(desk, units=500)
    desk.chain.mine()
    desk.sweep()
    (backfill,) = desk.store.backfills(desk.chain_id)
    assert backfill.is_complete
    desk.chain.reorganise(2)
    desk.chain.mine()
    desk.sweep()
    (again,) = desk.store.backfills(desk.chain_id)
    assert desk.store.coverage_gaps(desk.chain_id) == []
    assert again.next_height <= again.last_height + 1


def test_an_answer_that_differs_from_the_one_before_is_a_gap(desk: MemoryDesk) -> None:
    """The same movement with another amount: the node is not believed, and what it said is not stored."""
    desk.chain.pay(SECOND, OMNIBUS, desk.asset, 7)
    desk.allocate(OMNIBUS, C_1=1_007)
    desk.sweep()
    map_late(desk, units=493)
    height = desk.chain.head.height
    block = desk.chain.blocks[height]
    desk.chain.blocks[height] = replace(block, transfers=tuple(replace(each, base_units=8) for each in block.transfers))
    desk.chain.mine()
    swept = desk.sweep()
    assert kinds(swept) == {FindingKind.COVERAGE_GAP: 1}
    assert "read differently before" in desk.only_case(FindingKind.COVERAGE_GAP).finding.text


def test_two_imports_are_two_backfills_and_nothing_is_read_again_for_those_known(desk: MemoryDesk) -> None:
    map_late(desk, SECOND, units=500)
    desk.chain.mine()
    desk.sweep()
    map_late(desk, THIRD)
    desk.chain.mine()
    assert desk.sweep().exit_code == 0
    first, second = desk.store.backfills(desk.chain_id)
    assert [set(each.items) for each in (first, second)] == [{desk.at(SECOND)}, {desk.at(THIRD)}]
    assert first.last_height < second.last_height
    desk.chain.mine()
    desk.sweep()
    assert len(desk.store.backfills(desk.chain_id)) == 2


@pytest.mark.fault("D1")
def test_a_wallet_and_an_asset_that_are_both_late(desk: MemoryDesk) -> None:
    """Neither a backfill of the wallet by the old assets nor one of the asset at the old wallets would see it."""
    late, coin = address(55), desk.chain.new_asset(f"erc20:{address(901)}", 6)
    desk.chain.mint(late, coin, 50)
    desk.chain.pay(late, STRANGER, coin, 20)
    desk.sweep()
    desk.chain.pay(late, STRANGER, coin, 3)
    desk.sweep()
    assert desk.store.matches(desk.chain_id) == []
    asset = {"asset_id": str(coin.asset_id), "symbol": "NEW", "decimals": "6"}
    desk.take(assets=[asset], wallets=[{"address": late}])
    desk.chain.mine()
    swept = desk.sweep()
    thefts = [each.finding for each in swept.cases if each.finding.kind is FindingKind.UNAUTHORIZED_TRANSFER]
    assert [theft.base_units for theft in thefts] == [-20, -3]
