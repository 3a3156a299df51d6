"""Looks at the head between sweeps: provisional cases, confirmed or withdrawn by the sweep that finds them final."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chains.errors import InvalidValue, NodeUnavailable
from chains.types import Finality
from tests.fakes.reader import FakeReader
from tests.verifier.issuer import Issuer, refused
from tests.verifier.sweep.desk import kinds
from tests.verifier.sweep.memory import MemoryDesk
from tests.verifier.sweep.world import OMNIBUS, PAYEE, STRANGER
from verifier.case_book import Sighting
from verifier.head_look import HeadLook, Looked
from verifier.journal import verify_journal
from verifier.records import CaseState, FindingKind
from verifier.store import CaseAct, Store

THEFT = {FindingKind.UNAUTHORIZED_TRANSFER, FindingKind.SHORTFALL}


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> MemoryDesk:
    """One wallet, swept at its final block, four below the head."""
    folder = tmp_path / "imports"
    folder.mkdir()
    desk = MemoryDesk(store, folder)
    desk.use_finality("confirmed(5)")
    desk.chain.mint(OMNIBUS, desk.asset, 1_000)
    desk.open_books(OMNIBUS)
    desk.allocate(OMNIBUS, C_1=1_000)
    desk.chain.mine(4)
    assert desk.sweep().exit_code == 0
    return desk


def looker(desk: MemoryDesk) -> HeadLook:
    config = replace(desk.config, finality=Finality.parse("latest"))
    return HeadLook(desk.store, config, desk.plugin, desk.settings, history_from_height=None, clock=desk.now)


def look(desk: MemoryDesk, by: HeadLook | None = None) -> Looked | None:
    head = by or looker(desk)
    reader = desk.plugin.open(head._chain, head._chain.nodes[0])
    found = head.look(reader)
    assert verify_journal(desk.store).ok
    return found


@pytest.mark.fault("A31")
def test_a_theft_is_a_provisional_case_at_once_and_confirmed_when_it_is_final(desk: MemoryDesk) -> None:
    desk.chain.pay(OMNIBUS, STRANGER, desk.asset, 7)
    tip = desk.store.covered_tip(desk.chain_id)
    seen = look(desk)
    assert seen is not None
    assert (seen.block, seen.holdings, seen.transfers) == (desk.chain.head, 1, 1)
    assert {case.finding.kind for case in seen.cases} == THEFT
    assert desk.store.covered_tip(desk.chain_id) == tip, "nothing but the cases is stored"
    assert [each.block.height for each in desk.store.transfers(desk.chain_id)] == [1]
    cases = desk.open_cases()
    assert all(case.finding.provisional and case.only_looked for case in cases)
    assert desk.status().exit_code == 1
    assert desk.sweep().exit_code == 0, "at the final block nothing is wrong yet"
    assert {case.case_id for case in desk.open_cases()} == {case.case_id for case in cases}
    desk.chain.mine(4)
    swept = desk.sweep()
    assert {case.case_id for case in swept.cases} == {case.case_id for case in cases}, "by the same key"
    assert not any(seen.is_new for seen in swept.cases)
    assert not any(case.finding.provisional or case.only_looked for case in desk.open_cases())


@pytest.mark.fault("A31")
def test_a_theft_that_a_reorganisation_took_back_is_withdrawn(desk: MemoryDesk) -> None:
    before = desk.chain.branch()
    desk.chain.pay(OMNIBUS, STRANGER, desk.asset, 7)
    look(desk)
    desk.chain.use(before)
    desk.chain.forks += 1
    desk.chain.mine(5)
    assert desk.sweep().exit_code == 0
    assert desk.open_cases() == []
    closed = desk.store.cases(include_closed=True)
    assert {case.state for case in closed} == {CaseState.CLOSED}
    assert {desk.store.case_events(case.case_id)[-1].act for case in closed} == {CaseAct.WITHDRAWN}
    assert desk.status().exit_code == 0
    # Seen again, it is another occurrence: what a machine withdrew, nobody explained.
    sightings = [Sighting(case.finding, ()) for case in closed]
    again = desk.store.see_at_head(desk.chain.head, sightings, "x", desk.now())
    assert [seen.is_new for seen in again] == [True, True]
    assert {case.occurrence for case in desk.open_cases()} == {2}


def test_what_is_in_order_is_no_case(desk: MemoryDesk) -> None:
    desk.approve("A-1", OMNIBUS, PAYEE, 7)
    desk.chain.pay(OMNIBUS, PAYEE, desk.asset, 7)
    desk.take(ledger_entries=[{"entry_id": "E-1", "location": desk.at(OMNIBUS), "quantity": "-0.000007"}])
    desk.chain.mint(OMNIBUS, desk.asset, 5)
    seen = look(desk)
    assert seen is not None
    assert (seen.transfers, seen.cases, desk.open_cases()) == (2, (), []), "a deposit before its booking is no alarm"


def test_a_look_says_nothing_new_of_what_a_sweep_has_seen(desk: MemoryDesk) -> None:
    desk.chain.pay(OMNIBUS, STRANGER, desk.asset, 7)
    desk.chain.mine(4)
    desk.sweep()
    (shortfall,) = desk.open_cases(FindingKind.SHORTFALL)
    desk.chain.pay(OMNIBUS, STRANGER, desk.asset, 2)
    seen = look(desk)
    assert seen is not None
    assert {case.finding.kind for case in seen.cases if case.is_new} == {FindingKind.UNAUTHORIZED_TRANSFER}
    assert desk.store.case(shortfall.case_id).finding == shortfall.finding
    desk.chain.mine(4)
    desk.sweep()
    assert desk.store.case(shortfall.case_id).finding.base_units == -9


def test_a_case_that_a_sweep_confirmed_is_never_withdrawn(desk: MemoryDesk) -> None:
    desk.chain.pay(OMNIBUS, STRANGER, desk.asset, 7)
    desk.chain.mine(4)
    desk.sweep()
    desk.chain.pay(STRANGER, OMNIBUS, desk.asset, 7)
    desk.chain.mine(4)
    desk.sweep()
    desk.chain.pay(OMNIBUS, STRANGER, desk.asset, 1)
    look(desk)
    desk.chain.reorganise(1)
    desk.chain.mine(5)
    desk.sweep()
    assert len(desk.open_cases(FindingKind.SHORTFALL)) == 1
    assert len(desk.open_cases(FindingKind.UNAUTHORIZED_TRANSFER)) == 1


def test_blocks_are_read_once_by_many_looks_and_again_after_a_reorganisation(
    desk: MemoryDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = FakeReader.scan_transfers
    asked: list[tuple[int, int]] = []

    def noted(self: FakeReader, first: int, last: object, *others: object) -> object:
        asked.append((first, last.height))  # type: ignore[attr-defined]
        return real(self, first, last, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(FakeReader, "scan_transfers", noted)
    by, base = looker(desk), desk.chain.head.height
    look(desk, by)
    desk.chain.mine(2)
    look(desk, by)
    desk.chain.reorganise(1)
    desk.chain.pay(OMNIBUS, STRANGER, desk.asset, 7)
    seen = look(desk, by)
    assert asked == [(base - 3, base), (base + 1, base + 2), (base + 2, base + 3)]
    assert seen is not None
    assert {case.finding.kind for case in seen.cases} == THEFT


def test_nothing_new_nothing_covered_and_no_answer(desk: MemoryDesk, new_store: Store) -> None:
    desk.use_finality("latest")
    desk.sweep()
    assert look(desk) is None, "everything is covered"
    desk.node().is_down = True
    with pytest.raises(NodeUnavailable):
        look(desk)
    assert desk.open_cases() == []


def test_what_is_final_is_not_stored_as_a_look(desk: MemoryDesk) -> None:
    desk.chain.pay(OMNIBUS, STRANGER, desk.asset, 7)
    look(desk)
    final = replace(desk.open_cases()[0].finding, provisional=False)
    with pytest.raises(InvalidValue, match="provisional"):
        desk.store.see_at_head(desk.chain.head, [Sighting(final, ())], "x", desk.now())


def test_provisional_cases_are_counted_by_nobody_else(desk: MemoryDesk) -> None:
    desk.chain.pay(OMNIBUS, STRANGER, desk.asset, 7)
    look(desk)
    assert kinds(desk.sweep()) == {}


@pytest.mark.fault("A31")
@pytest.mark.parametrize("leaves_the_chain", [False, True])
def test_a_case_that_people_closed_while_it_was_provisional_is_confirmed_in_place(
    desk: MemoryDesk, tmp_path: Path, leaves_the_chain: bool
) -> None:
    before = desk.chain.branch()
    desk.chain.pay(OMNIBUS, STRANGER, desk.asset, 7)
    look(desk)
    (theft,) = desk.open_cases(FindingKind.UNAUTHORIZED_TRANSFER)
    for case in desk.open_cases():
        desk.close(case)
    if leaves_the_chain:
        desk.chain.use(before)
        desk.chain.forks += 1
        desk.chain.mine(1)
    desk.chain.mine(4)
    swept = desk.sweep()
    known = desk.store.case(theft.case_id)
    assert (known.state, known.only_looked) == (CaseState.CLOSED, leaves_the_chain)
    assert swept.exit_code == (0 if leaves_the_chain else 1)
    issuer = Issuer.of(tmp_path, desk)
    report = issuer.verify(issuer.issue().path)
    assert report.exit_code == 0, refused(report)


@pytest.mark.fault("A31")
@pytest.mark.parametrize("books_were_late", [False, True])
def test_what_a_block_showed_that_is_final_stands_though_it_did_not_last(
    desk: MemoryDesk, tmp_path: Path, books_were_late: bool
) -> None:
    place = (OMNIBUS, desk.asset.asset_id)
    desk.node().balances[place] = 900  # gone without an event ...
    desk.chain.mine(1)
    looked_at = desk.chain.head
    look(desk)
    row = {"location": desk.at(OMNIBUS), "quantity": "-0.0001"}
    if books_were_late:
        desk.take(ledger_entries=[{**row, "entry_id": "E-1"}])
    desk.chain.mine(1)
    if books_were_late:
        desk.take(ledger_entries=[{**row, "entry_id": "E-2", "quantity": "0.0001"}])
    del desk.node().balances[place]  # ... and back before the block that is swept
    desk.chain.mine(4)
    swept = desk.sweep()
    (case,) = desk.store.cases(include_closed=True)
    if books_were_late:
        assert (case.state, swept.exit_code) == (CaseState.CLOSED, 0)
        return
    assert (case.state, case.only_looked, case.finding.provisional) == (CaseState.OPEN, False, False)
    assert (swept.exit_code, case.finding.base_units, case.finding.block) == (1, -100, looked_at)
    issuer = Issuer.of(tmp_path, desk)
    report = issuer.verify(issuer.issue().path)
    assert report.exit_code == 0, refused(report)
    desk.chain.mine(1)
    desk.sweep()
    assert not desk.store.case(case.case_id).is_seen, "people close it"


@pytest.mark.fault("A31")
@pytest.mark.parametrize("is_looked_at_again", [True, False])
def test_what_a_reorganised_block_showed_and_the_one_in_its_place_shows_too_stands_with_that_one(
    desk: MemoryDesk, is_looked_at_again: bool
) -> None:
    place = (OMNIBUS, desk.asset.asset_id)
    desk.node().balances[place] = 900
    desk.chain.mine(1)
    look(desk)
    desk.chain.reorganise(1)
    looked_at = desk.chain.head
    if is_looked_at_again:
        look(desk)
        (case,) = desk.open_cases()
        assert (case.finding.block, case.finding.base_units) == (looked_at, -100)
        desk.chain.mine(1)
        look(desk)
        assert desk.open_cases()[0].finding.block == looked_at, "a block more alone is no news"
    del desk.node().balances[place]
    desk.chain.mine(4)
    desk.sweep()
    (case,) = desk.store.cases(include_closed=True)
    assert case.state is (CaseState.OPEN if is_looked_at_again else CaseState.CLOSED)
    assert case.only_looked is not is_looked_at_again


@pytest.mark.fault("A24")
def test_a_movement_that_one_node_showed_is_not_withdrawn_because_another_hides_it(desk: MemoryDesk) -> None:
    desk.chain.pay(OMNIBUS, STRANGER, desk.asset, 7)
    look(desk)
    desk.chain.mine(4)
    desk.node().hides = lambda transfer: True
    desk.node().balances[OMNIBUS, desk.asset.asset_id] = 1_000
    swept = desk.sweep()
    assert swept.exit_code == 1
    (theft,) = desk.open_cases(FindingKind.UNAUTHORIZED_TRANSFER)
    assert "one of the two answers is wrong" in theft.finding.text
    assert not theft.finding.provisional


@pytest.mark.fault("A31")
def test_a_balance_that_could_not_be_read_withdraws_nothing(desk: MemoryDesk) -> None:
    place = (OMNIBUS, desk.asset.asset_id)
    desk.node().balances[place] = 900
    desk.chain.mine(1)
    look(desk)
    desk.chain.reorganise(1)
    desk.node().balances[place] = None
    desk.chain.mine(4)
    assert kinds(desk.sweep()) == {FindingKind.UNVERIFIED: 1}
    assert len(desk.open_cases(FindingKind.SHORTFALL)) == 1
    del desk.node().balances[place]
    desk.chain.mine(1)
    desk.sweep()
    assert desk.open_cases(FindingKind.SHORTFALL) == [], "read again, it is not there"
