"""Sweeps ask who else could move what is in the wallets: real chains, stored answers, cases that come and go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from chains.devnet import lies
from chains.devnet.deploy import deployed
from chains.devnet.lying_proxy import LyingProxy
from chains.errors import NodeRefused
from chains.evm import chain_plugin
from chains.evm.encumbrance_types import PERMIT2_ADDRESS, EncumbranceSettings
from chains.types import Address, AssetId
from tests.chains.evm.encumbered import delegate
from tests.verifier.sweep.desk import Desk, kinds
from tests.verifier.sweep.hooks import HookedPlugin, times
from tests.verifier.sweep.test_encumbrances import act
from tests.verifier.sweep.world import OMNIBUS, SECOND, STRANGER, THIRD, AnvilWorld
from verifier.records import FindingKind
from verifier.rules.status import FirmStatus
from verifier.store import Case, SweepStart
from verifier.sweep import SweepOutcome
from verifier.sweep_encumbrances import EncumbranceOptions

pytestmark = pytest.mark.devnet

Lying = Callable[..., LyingProxy]
ENCUMBRANCE, CHANGE, UNVERIFIED = FindingKind.ENCUMBRANCE, FindingKind.CONTROL_CHANGE, FindingKind.UNVERIFIED
NOBODY = "0x" + "00" * 20


@pytest.fixture
def books(desk: Desk, world: AnvilWorld) -> Desk:
    """Two wallets, one with 1,000 units that C-1 owns; swept once, all in order."""
    desk.open_books(OMNIBUS, SECOND)
    world.mint(OMNIBUS, 1_000)
    desk.allocate(OMNIBUS, C_1=1_000)
    assert desk.sweep().exit_code == 0
    return desk


def approve(world: AnvilWorld, owner: str, spender: str, base_units: int) -> None:
    act(world, owner, world.usdx.address, "approve(address,uint256)", spender, base_units)


def only(desk: Desk, kind: FindingKind) -> Case:
    (case,) = desk.open_cases(kind)
    return case


def next_block(desk: Desk, world: AnvilWorld) -> SweepOutcome:
    world.mine()
    return desk.sweep()


def test_an_allowance_opens_one_case_with_what_is_exposed(books: Desk, world: AnvilWorld) -> None:
    approve(world, OMNIBUS, STRANGER, 700)
    outcome = books.sweep()
    assert (outcome.exit_code, kinds(outcome)) == (1, {ENCUMBRANCE: 1})
    case = only(books, ENCUMBRANCE)
    assert (case.finding.base_units, case.finding.location_id) == (700, books.at(OMNIBUS))
    assert STRANGER in case.finding.text
    assert books.status().statuses[0] is FirmStatus.SEGREGATION_EXCEPTION
    approve(world, OMNIBUS, STRANGER, 5_000)  # more than is there: no more than that is exposed
    assert [seen.is_new for seen in books.sweep().cases] == [False]
    assert only(books, ENCUMBRANCE).finding.base_units == 1_000
    approve(world, OMNIBUS, STRANGER, 0)
    assert books.sweep().cases == ()
    assert not only(books, ENCUMBRANCE).is_seen, "it ends in the chain, and in the books when two people close it"
    books.close(case)
    assert next_block(books, world).exit_code == 0
    assert books.status().statuses == (FirmStatus.COMPLIANT,)


def test_a_permit2_grant(books: Desk, world: AnvilWorld) -> None:
    permit2 = deployed(world.node, "Permit2Like")
    books.encumbrances = EncumbranceOptions(settings=EncumbranceSettings(permit2=Address(permit2.address)))
    always = 2**48 - 1
    act(
        world,
        OMNIBUS,
        permit2.address,
        "approve(address,address,uint160,uint48)",
        world.usdx.address,
        STRANGER,
        300,
        always,
    )
    outcome = books.sweep()
    assert [seen.finding.base_units for seen in outcome.cases] == [0], "Permit2 itself may take nothing yet"
    approve(world, OMNIBUS, permit2.address, 10_000)
    found = {seen.finding.subject: seen.finding.base_units for seen in books.sweep().cases}
    assert found == {f"permit2:{STRANGER}": 300, f"allowance:{permit2.address}": 1_000}


def test_what_a_spender_takes_is_told_once_and_never_heals(books: Desk, world: AnvilWorld) -> None:
    approve(world, OMNIBUS, STRANGER, 700)
    books.sweep()
    act(world, STRANGER, world.usdx.address, "transferFrom(address,address,uint256)", OMNIBUS, STRANGER, 300)
    outcome = books.sweep()
    assert kinds(outcome)[CHANGE] == 1
    taken = only(books, CHANGE)
    assert (taken.finding.base_units, taken.is_seen) == (-300, True)
    assert "nonce is still" in taken.finding.text
    next_block(books, world)
    assert only(books, CHANGE).is_seen, "what happened once is not undone by not being seen again"
    books.close(taken)
    next_block(books, world)
    assert books.open_cases(CHANGE) == []


def test_a_wallets_own_transfer_is_no_change_of_control(books: Desk, world: AnvilWorld) -> None:
    books.approve("W-1", OMNIBUS, STRANGER, 300)
    world.pay(OMNIBUS, STRANGER, 300)
    outcome = books.sweep()
    assert (outcome.summary is not None, kinds(outcome)) == (True, {FindingKind.SHORTFALL: 1}), "the books lag"


def test_a_key_that_delegates(desk: Desk, world: AnvilWorld) -> None:
    taker = deployed(world.node, "Splitter")
    wallet = delegate(world.node, NOBODY)
    desk.open_books(wallet)
    world.mint(wallet, 50)
    desk.allocate(wallet, C_1=50)
    assert desk.sweep().exit_code == 0
    delegate(world.node, taker.address)
    assert kinds(desk.sweep()) == {ENCUMBRANCE: 1, CHANGE: 1}
    assert taker.address in only(desk, ENCUMBRANCE).finding.text
    changed = only(desk, CHANGE)
    assert "account_kind was key, is delegated" in changed.finding.text
    delegate(world.node, NOBODY)
    desk.sweep()
    assert not only(desk, ENCUMBRANCE).is_seen
    assert len(desk.open_cases(CHANGE)) == 2, "to and from: two things that happened"


def test_a_safe_that_is_not_as_mapped_and_heals(desk: Desk, world: AnvilWorld) -> None:
    owners = world.node.accounts()[:3]
    safe = deployed(world.node, "SafeLike", ["0x" + "51" * 20, owners, 1, False])
    desk.open_books(safe.address)
    (wallet,) = desk.store.wallets(desk.chain_id, desk.now())
    assert (wallet.threshold, wallet.share_count) == (2, 3)
    standing = desk.sweep().cases
    assert [(seen.finding.kind, seen.finding.subject.partition(":")[0]) for seen in standing] == [(CHANGE, "mapping")]
    safe.transact("setOwners", owners, 2)
    safe.transact("enableModule", STRANGER)
    desk.sweep()
    by_subject = {case.finding.subject.partition(":")[0]: case for case in desk.open_cases()}
    assert set(by_subject) == {"mapping", "change", "module"}
    assert not by_subject["mapping"].is_seen, "it is as mapped now"
    assert by_subject["change"].is_seen
    assert "threshold was 1, is 2" in by_subject["change"].finding.text


def test_an_issuer_stops_a_wallet_and_the_token(desk: Desk, world: AnvilWorld) -> None:
    token = deployed(world.node, "IssuerToken", [STRANGER])
    desk.usdx = replace(desk.usdx, asset_id=AssetId(f"{desk.chain_id}/erc20:{token.address}"))
    desk.open_books(OMNIBUS, SECOND)
    token.transact("mint", OMNIBUS, 40)
    desk.allocate(OMNIBUS, C_1=40)
    assert desk.sweep().exit_code == 0
    token.transact("blacklist", OMNIBUS, True)
    token.transact("pause", True)
    found = {seen.finding.subject: seen.finding.base_units for seen in desk.sweep().cases}
    assert found == {"stopped:paused()": 40, "frozen:isBlacklisted(address)": 40}
    token.transact("blacklist", OMNIBUS, False)
    token.transact("pause", False)
    assert desk.sweep().cases == ()


def test_code_at_a_wallet_that_was_a_key_is_seen(books: Desk, world: AnvilWorld) -> None:
    world.node.set_code(SECOND, "0x60006000fd")
    outcome = next_block(books, world)
    assert kinds(outcome) == {UNVERIFIED: 1, CHANGE: 1}
    assert "account_kind was key, is contract" in only(books, CHANGE).finding.text


# What is not known is said


@pytest.mark.fault("G12")
def test_questions_that_fail_are_unverified_and_the_balances_stand(
    books: Desk, world: AnvilWorld, lying_node: Lying
) -> None:
    approve(world, OMNIBUS, STRANGER, 700)
    books.sweep()
    books.use_nodes(lying_node(lies.fail("eth_getLogs", -32000, "query returned more than 10000 results")).url)
    world.mine()
    # The scan of transfers needs the same method: that sweep fails whole. The reading alone fails below.
    assert books.sweep().summary is None
    books.use_nodes(lying_node(lies.fail("eth_getStorageAt", -32000, "missing trie node")).url)
    world.node.set_code(SECOND, "0x60006000fd")
    outcome = next_block(books, world)
    assert outcome.summary is not None
    assert outcome.summary.unverified == 0, "the balances were read"
    assert kinds(outcome)[UNVERIFIED] >= 1
    assert only(books, ENCUMBRANCE).is_seen
    assert outcome.exit_code == 1


def test_a_failed_reading_is_a_case_and_ends_nothing(books: Desk, world: AnvilWorld) -> None:
    approve(world, OMNIBUS, STRANGER, 700)
    books.sweep()
    world.mine()

    def fail() -> None:
        raise NodeRefused("history is pruned", node_id="node-1")

    hooked = HookedPlugin(chain_plugin, before={"read_encumbrances": times(1, fail)})
    outcome = books.runner(plugin=hooked).run()
    books.assert_invariants(outcome)
    assert outcome.summary is not None
    assert outcome.summary.matched == outcome.summary.expected
    (finding,) = [seen.finding for seen in outcome.cases]
    assert (finding.kind, finding.subject) == (UNVERIFIED, "encumbrances")
    assert "pruned" in finding.text
    kept = books.store.encumbrances(_start(books, outcome))
    assert kept is not None
    assert (kept.reading, "pruned" in kept.failure) == (None, True)
    # What could not be asked is no longer reported as seen, and comes back with the next good reading.
    assert {seen.finding.kind for seen in next_block(books, world).cases} == {ENCUMBRANCE}


def test_a_failed_reading_does_not_hide_a_change(books: Desk, world: AnvilWorld, lying_node: Lying) -> None:
    world.node.set_code(SECOND, "0x60006000fd")
    fails = lies.fail("eth_getCode", -32000, "missing trie node")

    def about_a_wallet(method: str, params: list[Any], answer: dict[str, Any]) -> Any:
        return fails(method, params, answer) if params and params[0] == SECOND.lower() else answer

    books.use_nodes(lying_node(about_a_wallet).url)
    assert kinds(next_block(books, world)) == {UNVERIFIED: 1}
    books.use_nodes(world.node.url)
    seeing = next_block(books, world)
    assert "account_kind was key, is contract" in only(books, CHANGE).finding.text
    assert seeing.exit_code == 1


def test_approvals_are_looked_for_once_and_gaps_are_named(books: Desk, world: AnvilWorld) -> None:
    approve(world, OMNIBUS, STRANGER, 700)
    world.mine(10)
    books.encumbrances = EncumbranceOptions(approval_blocks_per_sweep_max=3)
    behind = books.sweep()
    gap = only(books, FindingKind.COVERAGE_GAP)
    assert gap.finding.subject == "approvals_behind"
    assert {seen.finding.kind for seen in behind.cases} >= {FindingKind.COVERAGE_GAP}
    heights = [books.store.approval_coverages(books.chain_id)[0].last.height]
    while FindingKind.COVERAGE_GAP in kinds(books.sweep()):
        heights.append(books.store.approval_coverages(books.chain_id)[0].last.height)
        assert len(heights) < 20
    assert all(0 < later - earlier <= 3 for earlier, later in pairwise(heights))
    assert not only(books, FindingKind.COVERAGE_GAP).is_seen
    assert only(books, ENCUMBRANCE).finding.base_units == 700


def test_approvals_before_the_configured_height_are_a_gap(books: Desk, world: AnvilWorld) -> None:
    approve(world, OMNIBUS, STRANGER, 700)
    books.encumbrances = EncumbranceOptions(approvals_from_height=world.node.block_number() + 5)
    world.mine(6)
    assert kinds(books.sweep()) == {ENCUMBRANCE: 1}, "an earlier sweep looked from block 0 on: nothing is missing"


def test_the_first_reading_from_a_later_height_leaves_a_gap(desk: Desk, world: AnvilWorld) -> None:
    desk.open_books(OMNIBUS)
    approve(world, OMNIBUS, STRANGER, 700)
    desk.encumbrances = EncumbranceOptions(approvals_from_height=world.node.block_number() + 1)
    world.mine()
    assert kinds(desk.sweep()) == {FindingKind.COVERAGE_GAP: 1}, "who was approved before is not known, and said"


def test_a_wallet_mapped_later_is_looked_for_from_the_beginning(books: Desk, world: AnvilWorld) -> None:
    approve(world, THIRD, STRANGER, 9)
    assert next_block(books, world).cases == ()
    books.take(wallets=[{"address": THIRD}])
    world.mine()
    subjects = {seen.finding.subject for seen in books.sweep().cases if seen.finding.kind is ENCUMBRANCE}
    assert subjects == {f"allowance:{STRANGER}"}


def test_it_can_be_switched_off(books: Desk, world: AnvilWorld) -> None:
    approve(world, OMNIBUS, STRANGER, 700)
    books.encumbrances = EncumbranceOptions(is_asked=False)
    outcome = books.sweep()
    assert outcome.cases == ()
    assert books.store.encumbrances(_start(books, outcome)) is None


def test_a_sweep_that_is_taken_up_again_gives_the_same(books: Desk, world: AnvilWorld) -> None:
    approve(world, OMNIBUS, STRANGER, 700)
    world.node.set_code(SECOND, "0x60006000fd")
    world.mine()

    def die() -> None:
        raise KeyboardInterrupt

    hooked = HookedPlugin(chain_plugin, after={"read_encumbrances": die})
    with pytest.raises(KeyboardInterrupt):
        books.runner(plugin=hooked).run()
    # Died after the answers came and before they were stored; then after they were stored.
    late = HookedPlugin(chain_plugin, before={"identify": _from_second_call(die)})
    with pytest.raises(KeyboardInterrupt):
        books.runner(plugin=late).run()
    unfinished = books.store.unfinished_sweep(books.chain_id)
    assert unfinished is not None
    stored = books.store.encumbrances(unfinished)
    assert stored is not None
    outcome = books.sweep()
    assert outcome.summary is not None
    assert outcome.summary.sweep_id == unfinished.sweep_id
    assert books.store.encumbrances(unfinished) == stored
    assert kinds(outcome) == {ENCUMBRANCE: 1, UNVERIFIED: 1, CHANGE: 1}


@pytest.mark.fault("A31")
def test_approvals_after_a_reorganisation_are_looked_for_again(books: Desk, world: AnvilWorld) -> None:
    approve(world, OMNIBUS, STRANGER, 700)
    assert kinds(books.sweep()) == {ENCUMBRANCE: 1}
    world.node.reorg(1, [])
    world.mine()
    assert books.sweep().cases == (), "the approval went with its block"
    coverage = books.store.approval_coverages(books.chain_id)[0]
    assert coverage.last.block_hash == world.node.block_hash(coverage.last.height)


def test_permit2_is_where_it_is_on_public_chains() -> None:
    assert EncumbranceOptions().settings.permit2 == PERMIT2_ADDRESS


def _start(desk: Desk, outcome: SweepOutcome) -> SweepStart:
    assert outcome.summary is not None
    start = desk.store.sweep(outcome.summary.sweep_id)
    assert start is not None
    return start


def _from_second_call(hook: Callable[[], None]) -> Callable[[], None]:
    """A hook for `identify`: a sweep asks at its start twice, and once more at its end."""
    calls = 0

    def hooked() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            hook()

    return hooked
