"""The sweep's most important promises on SQLite and on PostgreSQL, and what only a chain in memory can do."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from chains.types import account_location
from tests.fakes.chain import Payment
from tests.verifier.sweep.desk import kinds
from tests.verifier.sweep.hooks import HookedPlugin
from tests.verifier.sweep.memory import MemoryDesk
from tests.verifier.sweep.world import OMNIBUS, PAYEE, SECOND, STRANGER, address
from verifier.records import FindingKind, MatchOutcome, Status
from verifier.store import Store


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> MemoryDesk:
    """Two wallets and two nodes; all in order, not swept yet."""
    folder = tmp_path / "imports"
    folder.mkdir()
    desk = MemoryDesk(store, folder, nodes=2)
    desk.chain.mint(OMNIBUS, desk.asset, 1_000)
    desk.chain.mine(80)
    desk.open_books(OMNIBUS, SECOND)
    desk.allocate(OMNIBUS, C_1=600, C_2=400)
    return desk


@pytest.mark.fault("D1", "G13")
def test_what_is_in_order_matches_and_what_is_not_does_not(desk: MemoryDesk) -> None:
    assert desk.sweep().exit_code == 0
    desk.approve("A-1", OMNIBUS, PAYEE, 10)
    desk.chain.pay(OMNIBUS, PAYEE, desk.asset, 10)
    desk.take(ledger_entries=[{"entry_id": "E-1", "location": desk.at(OMNIBUS), "quantity": "-0.000010"}])
    assert desk.sweep().exit_code == 0
    desk.chain.pay(OMNIBUS, STRANGER, desk.asset, 7)
    desk.chain.mint(SECOND, desk.asset, 3)
    outcome = desk.sweep()
    assert kinds(outcome) == {
        FindingKind.SHORTFALL: 1,
        FindingKind.UNALLOCATED_BALANCE: 1,
        FindingKind.UNAUTHORIZED_TRANSFER: 1,
    }
    assert outcome.exit_code == 1
    assert {seen.is_new for seen in desk.sweep().cases} == {False}


@pytest.mark.fault("A9", "G12")
def test_a_balance_that_is_not_answered_is_unverified_and_never_zero(desk: MemoryDesk) -> None:
    desk.node().balances[OMNIBUS, desk.asset.asset_id] = None
    outcome = desk.sweep()
    result = desk.result(outcome, OMNIBUS)
    assert (result.status, result.observed, result.difference) == (Status.UNVERIFIED, None, None)
    assert desk.result(outcome, SECOND).status is Status.MATCHED
    assert (kinds(outcome), outcome.exit_code) == ({FindingKind.UNVERIFIED: 1}, 2)
    desk.node().balances[OMNIBUS, desk.asset.asset_id] = 0
    assert desk.result(desk.sweep(), OMNIBUS).difference == -1_000, "a zero that is answered is another thing"


@pytest.mark.fault("A9")
def test_a_balance_that_was_not_answered_is_explained_over_the_gap(desk: MemoryDesk) -> None:
    """The opening is the last good read, however many sweeps ago; silent movements in between are found."""
    key = (OMNIBUS, desk.asset.asset_id)
    desk.sweep()
    desk.node().balances[key] = None
    desk.chain.mint(OMNIBUS, desk.asset, 5)
    desk.sweep()
    del desk.node().balances[key]
    desk.chain.add(Payment(None, OMNIBUS, desk.asset, 2, is_silent=True))
    outcome = desk.sweep()
    changes = [seen.finding.base_units for seen in outcome.cases if seen.finding.kind is FindingKind.UNEXPLAINED_CHANGE]
    assert changes == [2]


@pytest.mark.fault("A22")
def test_a_movement_that_a_node_hides(desk: MemoryDesk) -> None:
    desk.sweep()
    desk.node().hides = lambda transfer: transfer.receiver == STRANGER
    desk.chain.pay(OMNIBUS, STRANGER, desk.asset, 7)
    assert kinds(desk.sweep()) == {FindingKind.SHORTFALL: 1, FindingKind.UNEXPLAINED_CHANGE: 1}


@pytest.mark.fault("A31", "G19")
def test_a_branch_that_leaves_and_comes_back(desk: MemoryDesk) -> None:
    """Two nodes on two branches, asked in turn: nothing is superseded for good that is canonical again."""
    desk.sweep()
    desk.approve("A-1", OMNIBUS, PAYEE, 10)
    desk.chain.pay(OMNIBUS, PAYEE, desk.asset, 10)
    desk.chain.pay(OMNIBUS, STRANGER, desk.asset, 7)
    first = desk.sweep()
    ours = desk.chain.branch()
    cases = {case.case_id: case.finding.kind for case in desk.open_cases()}
    desk.chain.reorganise(2)
    away = desk.sweep()
    assert (away.exit_code, away.cases) == (0, ())
    desk.chain.use(ours)
    desk.chain.mine()
    back = desk.sweep()
    assert kinds(back) == kinds(first)
    assert {case.case_id: case.finding.kind for case in desk.open_cases()} == cases, "the same cases, none twice"
    assert not any(case.superseded for case in desk.open_cases())
    assert first.summary is not None
    assert not desk.store.is_orphaned(first.summary.block)
    assert [match.outcome for match in desk.store.matches(desk.chain_id)] == [
        MatchOutcome.MATCHED,
        MatchOutcome.UNAUTHORIZED,
    ]


@pytest.mark.fault("A32")
def test_a_false_alarm_of_a_reversed_final_block_is_resumed_from(desk: MemoryDesk) -> None:
    """A node on a minority fork halts the chain; resumed with a good node, the same blocks count again."""
    desk.use_finality("confirmed(3)")
    desk.chain.mine(3)
    assert desk.sweep().exit_code == 0
    desk.chain.pay(OMNIBUS, STRANGER, desk.asset, 7)
    desk.chain.mine(4)
    first = desk.sweep()
    (stolen,) = desk.open_cases(FindingKind.UNAUTHORIZED_TRANSFER)
    ours = desk.chain.branch()
    desk.chain.reorganise(6)
    assert desk.sweep().failure_code == "finality-reversed"
    desk.chain.use(ours)
    desk.chain.mine()
    assert desk.sweep().failure_code == "finality-reversed", "only a person resumes it"
    desk.store.resume_chain(desk.chain_id, "the node was on a fork", "ops.checker", desk.now())
    again = desk.sweep()
    assert (again.exit_code, kinds(again)) == (1, kinds(first))
    (case,) = desk.open_cases(FindingKind.UNAUTHORIZED_TRANSFER)
    assert (case.case_id, case.superseded) == (stolen.case_id, False)
    assert first.summary is not None
    assert not desk.store.is_orphaned(first.summary.block)


@pytest.mark.fault("A31")
def test_a_sweep_left_unfinished_is_not_taken_up_when_its_block_is_gone(desk: MemoryDesk) -> None:
    desk.chain.mine(3)
    desk.sweep()
    desk.chain.mine(2)
    before = desk.chain.branch()
    failing = desk.node()

    def fail(transfer: object) -> bool:
        failing.is_down = True
        return False

    desk.chain.pay(OMNIBUS, STRANGER, desk.asset, 7)
    failing.hides = fail
    desk.use_nodes("fake://node-1")
    assert desk.sweep().failure_code == "node-unavailable"
    failing.is_down, failing.hides = False, lambda transfer: False
    assert desk.store.unfinished_sweep(desk.chain_id) is not None
    desk.chain.use(before)
    desk.chain.reorganise(1)
    desk.chain.mine(3)
    outcome = desk.sweep()
    assert (outcome.exit_code, outcome.cases) == (0, ())
    assert desk.store.unfinished_sweep(desk.chain_id) is None


@pytest.mark.fault("A19", "A31")
def test_a_sweep_whose_covered_blocks_were_superseded_is_not_taken_up(desk: MemoryDesk) -> None:
    """Two servers on two branches behind one URL: one is asked for the history, the other for the unfinished block."""
    desk.sweep()
    desk.chain.mine(3)
    ours = desk.chain.branch()
    desk.chain.reorganise(2)
    away = desk.chain.branch()
    desk.chain.use(ours)
    with pytest.raises(Died):
        desk.runner(plugin=HookedPlugin(desk.plugin, before={"is_canonical": _die})).run()
    asked = 0

    def switch() -> None:
        nonlocal asked
        asked += 1
        desk.chain.use(away if asked <= 3 else ours)  # two blocks that differ and the one below them

    desk.plugin = HookedPlugin(desk.plugin, before={"block_at": switch})
    outcome = desk.sweep()
    assert outcome.exit_code == 0
    assert outcome.summary is not None
    assert (outcome.summary.block, outcome.summary.sweep_id[-2:]) == (away[-1].ref, "/2")


class Died(Exception):
    """Stands for the end of the process."""


def _die() -> None:
    raise Died


@pytest.mark.fault("A1")
def test_the_second_node_goes_on_where_the_first_stopped(desk: MemoryDesk) -> None:
    desk.node(1).is_down = True
    outcome = desk.sweep()
    assert outcome.exit_code == 0
    assert outcome.summary is not None
    assert outcome.summary.node_id == "node-2"
    desk.node(2).is_down = True
    assert (desk.sweep().exit_code, desk.status().exit_code) == (2, 2)


@pytest.mark.fault("A35")
def test_a_chain_that_stands_still(desk: MemoryDesk) -> None:
    assert desk.sweep().exit_code == 0
    assert desk.status().exit_code == 0
    desk.clock_ahead = timedelta(hours=3)
    assert desk.sweep().failure_code == "stale-head"
    assert desk.status().exit_code == 2
    assert any("seconds old" in reason for reason in desk.status().reasons)


@pytest.mark.fault("A39")
def test_very_many_findings_are_all_kept(desk: MemoryDesk) -> None:
    wallets = [address(number) for number in range(200, 260)]
    desk.take(wallets=[{"address": wallet} for wallet in wallets])
    for wallet in wallets:
        desk.chain.mint(wallet, desk.asset, 1)
    outcome = desk.sweep()
    assert kinds(outcome) == {FindingKind.UNALLOCATED_BALANCE: 60}
    assert {seen.finding.location_id for seen in outcome.cases} == {
        account_location(desk.chain_id, wallet) for wallet in wallets
    }
