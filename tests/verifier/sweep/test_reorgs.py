"""Blocks that leave the chain: before they were final, in mid sweep, and after they were final."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chains.evm import chain_plugin
from tests.verifier.sweep.desk import Desk, kinds
from tests.verifier.sweep.hooks import HookedPlugin, times
from tests.verifier.sweep.world import GAS_MONEY, OMNIBUS, PAYEE, STRANGER, AnvilWorld
from verifier.records import CaseState, FindingKind, MatchOutcome, Status
from verifier.store import IssuedBundle

pytestmark = [pytest.mark.devnet, pytest.mark.anvil(private=True)]

DEPTHS = [1, 2, 5, 31, 63]


@pytest.fixture
def robbed(desk: Desk, world: AnvilWorld) -> Callable[[int, str], str]:
    """Lets a theft happen so many blocks below the head, sweeps at a finality, and returns the theft's transaction."""

    def make(depth: int, finality: str) -> str:
        world.mint(OMNIBUS, 1_000)
        world.give_native(OMNIBUS, GAS_MONEY)
        desk.use_finality(finality)
        desk.open_books(OMNIBUS)
        desk.allocate(OMNIBUS, C_1=1_000)
        world.mine(70)
        assert desk.sweep().exit_code == 0
        theft = world.pay(OMNIBUS, STRANGER, 100)
        if depth > 1:
            world.mine(depth - 1)
        desk.sweep()
        return theft

    return make


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.fault("A31", "G19")
def test_a_reorganisation_that_removes_what_was_found(
    desk: Desk, world: AnvilWorld, robbed: Callable[[int, str], str], depth: int
) -> None:
    theft = robbed(depth, "latest")
    old = desk.store.latest_summary(desk.chain_id)
    assert old is not None
    before = {case.finding.kind: case for case in desk.open_cases()}
    assert set(before) == {FindingKind.SHORTFALL, FindingKind.UNAUTHORIZED_TRANSFER}
    assert all(case.finding.provisional and not case.superseded for case in before.values())

    world.node.reorg(depth)
    swept = desk.sweep()

    assert (swept.exit_code, swept.cases) == (0, ())
    assert swept.summary is not None
    assert swept.summary.block.height == old.block.height
    assert swept.summary.block.block_hash != old.block.block_hash
    after = {case.finding.kind: case for case in desk.open_cases()}
    assert after[FindingKind.UNAUTHORIZED_TRANSFER].superseded
    assert after[FindingKind.UNAUTHORIZED_TRANSFER].finding.tx_id == theft
    assert not after[FindingKind.SHORTFALL].is_seen
    # What was recorded stays, and counts for nothing.
    assert desk.store.is_orphaned(old.block)
    assert desk.store.reconciliations(old.sweep_id)[0].status is Status.DIVERGED
    assert desk.store.transfers(desk.chain_id, first_height=old.block.height - depth + 1) == []
    assert desk.store.covered_tip(desk.chain_id) == swept.summary.block


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.fault("A31", "G19")
def test_a_reorganisation_that_takes_the_payment_over(
    desk: Desk, world: AnvilWorld, robbed: Callable[[int, str], str], depth: int
) -> None:
    theft = robbed(depth, "latest")
    (old_case,) = desk.open_cases(FindingKind.UNAUTHORIZED_TRANSFER)
    (shortfall,) = desk.open_cases(FindingKind.SHORTFALL)
    world.reorg_with_payment(depth, OMNIBUS, STRANGER, 100)
    swept = desk.sweep()
    assert kinds(swept) == {FindingKind.SHORTFALL: 1, FindingKind.UNAUTHORIZED_TRANSFER: 1}
    stolen = {case.case_id: case for case in desk.open_cases(FindingKind.UNAUTHORIZED_TRANSFER)}
    assert [case.superseded for case in stolen.values()] == [True, False], "in another block it is another transfer"
    assert stolen[old_case.case_id].finding.tx_id == theft
    again = desk.store.case(shortfall.case_id)
    assert not again.superseded, "the same shortfall rests on the new block now"
    assert again.finding.block == (swept.summary.block if swept.summary else None)
    assert [match.outcome for match in desk.store.matches(desk.chain_id)] == [MatchOutcome.UNAUTHORIZED]


def test_an_approval_that_a_removed_block_used_can_be_used_again(desk: Desk, world: AnvilWorld) -> None:
    world.mint(OMNIBUS, 1_000)
    world.give_native(OMNIBUS, GAS_MONEY)
    desk.open_books(OMNIBUS)
    desk.allocate(OMNIBUS, C_1=1_000)
    desk.approve("A-1", OMNIBUS, PAYEE, 100)
    world.mine()
    desk.sweep()
    world.pay(OMNIBUS, PAYEE, 100)
    desk.sweep()
    world.reorg_with_payment(1, OMNIBUS, PAYEE, 100)
    desk.sweep()
    world.pay(OMNIBUS, PAYEE, 100)
    desk.sweep()
    matches = [(match.outcome, match.authorization_id) for match in desk.store.matches(desk.chain_id)]
    assert matches == [(MatchOutcome.MATCHED, "A-1"), (MatchOutcome.DUPLICATE, "A-1")]


@pytest.mark.fault("A31")
def test_the_status_trusts_no_sweep_whose_block_left(desk: Desk, world: AnvilWorld) -> None:
    world.mint(OMNIBUS, 1_000)
    desk.open_books(OMNIBUS)
    desk.allocate(OMNIBUS, C_1=1_000)
    first = desk.sweep()
    world.mine(3)
    desk.sweep()
    world.node.reorg(2)
    failing = HookedPlugin(chain_plugin, before={"pin": _die})
    with pytest.raises(Died):
        desk.runner(plugin=failing).run()
    chain = desk.status().chains[0]
    assert chain.summary is not None
    assert first.summary is not None
    assert chain.summary.block == first.summary.block, "the newest sweep that still stands"


@pytest.mark.fault("A19", "A31")
def test_a_head_that_went_back_is_waited_for(desk: Desk, world: AnvilWorld) -> None:
    world.mint(OMNIBUS, 1_000)
    desk.open_books(OMNIBUS)
    desk.allocate(OMNIBUS, C_1=1_000)
    world.mine(5)
    assert desk.sweep().exit_code == 0
    tip = desk.store.covered_tip(desk.chain_id)
    assert tip is not None
    world.node.rollback(3)
    assert desk.sweep().failure_code == "stale-head"
    assert not desk.store.is_orphaned(tip), "a node that lacks blocks says nothing about them"
    world.mint(OMNIBUS, 1)
    world.mine(2)
    swept = desk.sweep()
    assert desk.store.is_orphaned(tip)
    assert kinds(swept) == {FindingKind.EXCESS: 1}


class TestInMidSweep:
    """A reorganisation between pin and end: nothing of the lost block counts, and another one is pinned."""

    @pytest.fixture
    def ready(self, desk: Desk, world: AnvilWorld) -> Desk:
        """One wallet, all in order, not swept yet."""
        world.mint(OMNIBUS, 1_000)
        desk.open_books(OMNIBUS)
        desk.allocate(OMNIBUS, C_1=1_000)
        world.mine(10)
        return desk

    @pytest.mark.parametrize("method", ["asset_problems", "read_balances", "scan_transfers", "is_canonical"])
    @pytest.mark.parametrize("count", [1, 2])
    @pytest.mark.fault("A33")
    def test_it_pins_again(self, ready: Desk, world: AnvilWorld, method: str, count: int) -> None:
        ready.plugin = HookedPlugin(chain_plugin, before={method: times(count, lambda: world.node.reorg(2))})
        outcome = ready.sweep()
        assert outcome.exit_code == 0
        assert outcome.summary is not None
        assert outcome.summary.block.block_hash == world.node.block_hash()
        assert outcome.summary.sweep_id.endswith(f"/{count + 1}"), "the sweeps before were given up"
        assert ready.store.covered_tip(ready.chain_id) == outcome.summary.block

    @pytest.mark.fault("A33")
    def test_it_gives_up_after_three_pins(self, ready: Desk, world: AnvilWorld) -> None:
        pins = 0

        def count_pin() -> None:
            nonlocal pins
            pins += 1

        ready.plugin = HookedPlugin(
            chain_plugin, before={"pin": count_pin, "read_balances": lambda: world.node.reorg(1)}
        )
        outcome = ready.sweep()
        assert (outcome.failure_code, outcome.exit_code, pins) == ("chain-moved", 2, 3)
        assert ready.store.latest_summary(ready.chain_id) is None
        ready.plugin = chain_plugin
        assert ready.sweep().exit_code == 0


class TestAfterFinality:
    """A final block that is reversed halts the chain for a person."""

    @pytest.mark.fault("A31")
    def test_what_is_not_final_is_not_touched(
        self, desk: Desk, world: AnvilWorld, robbed: Callable[[int, str], str]
    ) -> None:
        robbed(63, "confirmed(64)")
        old = desk.store.latest_summary(desk.chain_id)
        world.node.reorg(63)
        swept = desk.sweep()
        assert swept.exit_code == 0
        assert old is not None
        assert not desk.store.is_orphaned(old.block)
        assert not any(case.finding.provisional for case in desk.open_cases())

    @pytest.mark.fault("A32", "A34")
    def test_reversed_it_halts_until_a_person_resumes_it(
        self, desk: Desk, world: AnvilWorld, robbed: Callable[[int, str], str]
    ) -> None:
        theft = robbed(5, "confirmed(2)")
        old = desk.store.latest_summary(desk.chain_id)
        assert old is not None
        stolen = desk.open_cases(FindingKind.UNAUTHORIZED_TRANSFER)[0]
        self.issue(desk, "bundle-000001")

        world.node.reorg(5)
        outcome = desk.sweep()

        assert (outcome.failure_code, outcome.exit_code) == ("finality-reversed", 2)
        (case,) = desk.open_cases(FindingKind.FINALITY_REVERSED)
        assert [seen.case_id for seen in outcome.cases] == [case.case_id]
        assert "bundle-000001" in case.finding.text
        assert f"blocks {old.block.height - 3} to {old.block.height} " in case.finding.text
        assert case.finding.block is not None
        assert case.finding.block.height == old.block.height - 3
        assert desk.store.latest_summary(desk.chain_id) == old, "nothing was swept"
        assert "halted" in " ".join(desk.status().reasons)

        # Halted means halted, also when the chain looks well again; every attempt is recorded.
        world.mine(3)
        again = desk.sweep()
        assert (again.failure_code, again.exit_code) == ("finality-reversed", 2)
        assert [(seen.case_id, seen.is_new) for seen in again.cases] == [(case.case_id, False)]
        assert len(desk.open_cases(FindingKind.FINALITY_REVERSED)) == 1

        desk.store.resume_chain(desk.chain_id, "a devnet reorganised", "ops.checker", desk.now())
        swept = desk.sweep()
        assert (swept.exit_code, swept.cases) == (0, ()), "on the new branch nothing was stolen"
        assert desk.store.case(stolen.case_id).superseded
        assert desk.store.case(stolen.case_id).finding.tx_id == theft
        assert desk.store.is_orphaned(old.block)
        assert desk.store.case(case.case_id).state is CaseState.OPEN, "people close it"
        assert [bundle.bundle_id for bundle in desk.store.bundles()] == ["bundle-000001"]

    @pytest.mark.fault("A34")
    def test_a_bundle_below_the_reversed_blocks_is_not_named(
        self, desk: Desk, world: AnvilWorld, robbed: Callable[[int, str], str]
    ) -> None:
        robbed(1, "confirmed(2)")
        self.issue(desk, "bundle-000001")
        world.mine(5)
        desk.sweep()
        self.issue(desk, "bundle-000002")
        world.node.reorg(3)
        desk.sweep()
        (case,) = desk.open_cases(FindingKind.FINALITY_REVERSED)
        assert "bundle-000002" in case.finding.text
        assert "bundle-000001" not in case.finding.text

    @pytest.mark.fault("A32")
    def test_final_blocks_stay_final_when_the_configuration_is_weakened(
        self, desk: Desk, world: AnvilWorld, robbed: Callable[[int, str], str]
    ) -> None:
        robbed(5, "confirmed(2)")
        desk.use_finality("latest")
        world.node.reorg(5)
        outcome = desk.sweep()
        assert (outcome.failure_code, outcome.exit_code) == ("finality-reversed", 2)
        assert len(desk.open_cases(FindingKind.FINALITY_REVERSED)) == 1

    @pytest.mark.fault("A31")
    def test_provisional_blocks_do_not_become_final_by_configuration(
        self, desk: Desk, world: AnvilWorld, robbed: Callable[[int, str], str]
    ) -> None:
        robbed(5, "latest")
        desk.use_finality("confirmed(2)")
        world.node.reorg(5)
        world.mine(3)
        outcome = desk.sweep()
        assert (outcome.exit_code, outcome.cases) == (0, ())
        assert not desk.open_cases(FindingKind.FINALITY_REVERSED)
        assert not desk.store.halt(desk.chain_id)

    def issue(self, desk: Desk, bundle_id: str) -> None:
        """Record that a bundle of the newest sweep was given to an auditor."""
        head, summary = desk.store.head(), desk.store.latest_summary(desk.chain_id)
        assert head is not None
        assert summary is not None
        number = int(bundle_id.removeprefix("bundle-"))
        bundle = IssuedBundle(bundle_id, number, f"{number:064x}", summary.block.timestamp, "audit.zip", head)
        desk.store.add_bundle(bundle, "ops.maker", desk.now())


class Died(Exception):
    """Stands for the end of the process."""


def _die() -> None:
    raise Died
