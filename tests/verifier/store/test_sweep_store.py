"""A sweep in the store: started, fed in shards, ended; repeated and disturbed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chains.errors import FinalityReversed, InvalidValue, NodeUnavailable
from chains.reader import Pin
from chains.types import UINT256_MAX
from tests.verifier.store.story import (
    ACTOR,
    CHAIN,
    ETH,
    FINALITY,
    OUTSIDE,
    USDX,
    A,
    B,
    Judged,
    SweepStory,
    block,
    branch,
    compared,
    everything,
    import_story,
    later,
    scan,
    seen,
    transfer,
)
from verifier.journal import verify_journal
from verifier.records import ApprovalUse, CaseState, FindingKind, MatchOutcome, Status, TransferMatch
from verifier.rules.by_asset import Observed
from verifier.rules.rollforward import RollForward
from verifier.store import Store, SweepStart
from verifier.store.digest import state_digest


def started(store: Store, height: int = 10, expected: int = 1) -> SweepStart:
    pin = Pin(block(height), FINALITY, True)
    return store.start_sweep(CHAIN, pin, "node-a", expected, later(height), ACTOR)


def test_a_started_sweep_can_be_taken_up_again(store: Store) -> None:
    start = started(store)
    assert store.unfinished_sweep(CHAIN) == start
    assert store.sweep(start.sweep_id) == start
    assert start.sweep_id == "eip155:31337/10/1"
    store.abandon_sweep(start, "chain-moved", ACTOR, later(11))
    assert store.unfinished_sweep(CHAIN) is None
    assert started(store).sweep_id == "eip155:31337/10/2"


def test_observations_come_back_as_they_were(store: Store) -> None:
    start = started(store)
    given = [seen(A, USDX, UINT256_MAX, start.block), seen(A, ETH, 0, start.block), seen(B, ETH, None, start.block)]
    store.add_observations(start, 0, given, ACTOR, later(11))
    assert store.observations(start) == given
    assert store.stored_shards(start).keys() == {0}


def test_an_observation_at_another_block_is_refused_whole(store: Store) -> None:
    start = started(store)
    before = everything(store)
    shard = [seen(A, USDX, 1, start.block), seen(B, USDX, 1, block(11))]
    with pytest.raises(InvalidValue, match="observation at"):
        store.add_observations(start, 0, shard, ACTOR, later(11))
    assert everything(store) == before
    assert store.stored_shards(start) == {}


def test_the_whole_story(store: Store) -> None:
    import_story(store)
    start = SweepStory(store).run()
    summary = store.sweep_summary(start.sweep_id)
    assert summary is not None
    assert (summary.expected, summary.matched, summary.diverged, summary.unverified) == (3, 1, 1, 1)
    assert (summary.transfers_outgoing, summary.transfers_not_matched) == (1, 1)
    assert store.latest_summary(CHAIN) == summary
    assert store.reconciliations(start.sweep_id) == SweepStory.judged(_at(store, start)).compared
    assert [match.outcome for match in store.matches(CHAIN)] == [MatchOutcome.FEE_OVER_LIMIT]
    assert {case.finding.kind for case in store.cases()} == {
        FindingKind.SHORTFALL,
        FindingKind.UNVERIFIED,
        FindingKind.UNAUTHORIZED_TRANSFER,
    }
    assert verify_journal(store).ok


def _at(store: Store, start: SweepStart) -> SweepStory:
    story = SweepStory(store)
    story.start = start
    return story


@pytest.mark.fault("C1")
def test_repeating_every_step_changes_nothing(store: Store) -> None:
    """I8: each step is done twice, as by a process that died after its commit and before it knew."""
    import_story(store)
    story = SweepStory(store)
    for step in (story.begin, story.read_first, story.read_second, story.cover, story.end):
        step()
        before = everything(store)
        step()
        assert everything(store) == before, step.__name__
    import_story(store)
    assert everything(store) == before


def test_a_sweep_ends_only_when_every_holding_is_accounted_for(store: Store) -> None:
    start = started(store, expected=2)
    with pytest.raises(InvalidValue, match="1 reconciliations for 2"):
        store.end_sweep(start, Judged([compared(start, A, USDX, 1, 1)]), ACTOR, later(11))
    both = Judged([compared(start, A, USDX, 1, 1), compared(start, B, USDX, 1, 1)])
    summary, _ = store.end_sweep(start, both, ACTOR, later(11))
    assert summary.matched == 2
    with pytest.raises(InvalidValue, match="ended already"):
        store.end_sweep(start, both, ACTOR, later(12))


def test_one_holding_is_never_counted_twice(store: Store) -> None:
    from verifier.errors import StoreError

    start = started(store, expected=2)
    before = everything(store)
    with pytest.raises(StoreError):
        store.end_sweep(start, Judged([compared(start, A, USDX, 1, 1)] * 2), ACTOR, later(11))
    assert everything(store) == before


def test_a_reconciliation_of_another_sweep_is_refused(store: Store) -> None:
    first = started(store)
    store.end_sweep(first, Judged([compared(first, A, USDX, 1, 1)]), ACTOR, later(10))
    second = started(store, 11)
    with pytest.raises(InvalidValue, match="another sweep"):
        store.end_sweep(second, Judged([compared(first, A, USDX, 1, 1)]), ACTOR, later(11))


def test_blocks_are_covered_without_a_gap(store: Store) -> None:
    start = started(store, 12)
    assert store.covered_tip(CHAIN) is None
    store.add_scan(start, scan([block(8), block(9)]), ACTOR, later(12))
    with pytest.raises(InvalidValue, match="does not follow"):
        store.add_scan(start, scan([block(11)]), ACTOR, later(12))
    with pytest.raises(InvalidValue, match="does not follow"):
        store.add_scan(start, scan(branch(10, 10, fork=1, root_fork=1)), ACTOR, later(12))
    store.add_scan(start, scan([block(10)]), ACTOR, later(12))
    assert store.covered_tip(CHAIN) == block(10)
    assert store.covered_from(CHAIN) == 8
    assert list(store.covered_blocks_from_tip(CHAIN)) == [block(10), block(9), block(8)]


@pytest.mark.fault("A31")
def test_what_a_reorganisation_removed_is_superseded_and_kept(store: Store) -> None:
    start = started(store, 10)
    old, new = branch(9, 10, fork=1), branch(9, 11, fork=2)
    removed = transfer(old[1], 7, 0, A, OUTSIDE, 300)
    came = transfer(new[1], 7, 0, A, OUTSIDE, 300)
    store.add_scan(start, scan([block(8), *old], [removed]), ACTOR, later(10))
    match = TransferMatch(removed, MatchOutcome.MATCHED, "W-1", False, False, "", (ApprovalUse("W-1", 300),))
    store.end_sweep(start, Judged([compared(start, A, USDX, 1, 1)], [match], transfers_scanned=1), ACTOR, later(10))
    assert store.authorizations_used(CHAIN) == {"W-1": 300}
    assert store.unjudged_transfers(CHAIN) == []

    store.orphan_blocks(CHAIN, list(old), ACTOR, later(11))
    assert store.covered_tip(CHAIN) == block(8)
    assert store.transfers(CHAIN) == []
    assert store.authorizations_used(CHAIN) == {}
    before = everything(store)
    store.orphan_blocks(CHAIN, list(old), ACTOR, later(11))
    assert everything(store) == before

    again = started(store, 11)
    store.add_scan(again, scan(new, [came]), ACTOR, later(12))
    assert store.unjudged_transfers(CHAIN) == [came], "blocks at heights judged before are judged anew"
    assert len(everything(store)["transfer"]) == 2, "what was removed is kept"
    assert verify_journal(store).ok


@pytest.mark.fault("A32")
def test_a_reversed_finality_halts_the_chain_until_a_person_resumes_it(store: Store) -> None:
    start = started(store, 10)
    store.add_scan(start, scan([block(8), block(9), block(10)]), ACTOR, later(10))
    assert store.halt(CHAIN) == ""
    store.halt_chain(CHAIN, [block(10), block(9)], "blocks 9 to 10 were final", ACTOR, later(11))
    assert store.halt(CHAIN) == "blocks 9 to 10 were final"
    store.halt_chain(CHAIN, [block(10)], "again", ACTOR, later(12))
    assert store.halt(CHAIN) == "blocks 9 to 10 were final"
    (case,) = store.cases()
    assert case.finding.kind is FindingKind.FINALITY_REVERSED
    seen_again = store.record_failed_sweep(CHAIN, FinalityReversed("gone", node_id="n"), 3, ACTOR, later(12))
    assert [each.case_id for each in seen_again] == [case.case_id]

    store.resume_chain(CHAIN, "looked at it with the node operator", "ops.checker", later(13))
    assert store.halt(CHAIN) == ""
    assert store.covered_tip(CHAIN) == block(8), "the next scan reads the new branch"
    assert store.cases() == [store.case(case.case_id)], "the case stays open for maker and checker"
    before = everything(store)
    store.resume_chain(CHAIN, "again", "ops.checker", later(14))
    assert everything(store) == before


def test_a_failed_sweep_is_recorded_with_one_case_per_kind_of_failure(store: Store) -> None:
    error = NodeUnavailable("did not answer", node_id="node-a")
    (first,) = store.record_failed_sweep(CHAIN, error, 3, ACTOR, later(1))
    (second,) = store.record_failed_sweep(CHAIN, error, 3, ACTOR, later(2))
    assert (first.is_new, second.is_new) == (True, False)
    assert first.case_id == second.case_id
    assert not first.contradicts
    assert len(everything(store)["sweep_failure"]) == 2


def test_openings_are_the_last_good_reads_at_lower_canonical_blocks(store: Store) -> None:
    first = started(store, 10)
    wanted = Observed([seen(A, USDX, 1, first.block), seen(A, ETH, 1, first.block), seen(B, ETH, 1, first.block)])
    store.add_scan(first, scan([block(9), block(10)]), ACTOR, later(10))
    store.add_observations(first, 0, [seen(A, USDX, 5, first.block), seen(A, ETH, 6, first.block)], ACTOR, later(10))
    assert store.openings(first, wanted) == {}
    store.end_sweep(first, Judged([compared(first, A, USDX, 1, 1)]), ACTOR, later(10))

    second = started(store, 11)
    store.add_scan(second, scan([block(11)]), ACTOR, later(11))
    store.add_observations(
        second, 0, [seen(A, USDX, 7, second.block), seen(A, ETH, None, second.block)], ACTOR, later(11)
    )
    store.end_sweep(second, Judged([compared(second, A, USDX, 1, 1)]), ACTOR, later(11))

    third = started(store, 12)
    found = store.openings(third, wanted)
    assert {key[1]: seen_at.base_units for key, seen_at in found.items()} == {USDX.asset_id: 7, ETH.asset_id: 6}
    assert found[A, ETH.asset_id].block == block(10), "a failed read is no opening"

    store.orphan_blocks(CHAIN, [block(11)], ACTOR, later(12))
    assert store.openings(third, wanted)[A, USDX.asset_id].base_units == 5


def test_roll_forwards_name_the_sweeps_of_both_blocks(store: Store) -> None:
    first = started(store, 10)
    store.end_sweep(first, Judged([compared(first, A, USDX, 1, 1)]), ACTOR, later(10))
    second = started(store, 11)
    unread = RollForward(A, USDX, block(10), block(11), UINT256_MAX, 1, 2, 0, None, "gap: nothing read")
    left_over = RollForward(B, USDX, block(10), block(11), 5, 1, 2, 0, UINT256_MAX)
    judged = Judged([compared(second, A, USDX, 1, 1)], rolled=[unread, left_over])
    store.end_sweep(second, judged, ACTOR, later(11))
    assert store.roll_forwards(second.sweep_id) == [unread, left_over]
    assert store.roll_forwards(first.sweep_id) == []
    assert verify_journal(store).ok


def test_what_a_node_can_do_is_kept_and_the_newest_holds(store: Store) -> None:
    store.add_node_capabilities(CHAIN, "node-a", {"balances": "state-override", "proof": "yes"}, ACTOR, later(1))
    before = everything(store)
    store.add_node_capabilities(CHAIN, "node-a", {"balances": "state-override"}, ACTOR, later(2))
    assert everything(store) == before
    store.add_node_capabilities(CHAIN, "node-a", {"balances": "batch"}, ACTOR, later(3))
    assert store.node_capabilities(CHAIN, "node-a") == {"balances": "batch", "proof": "yes"}
    assert store.node_capabilities(CHAIN, "node-b") == {}


def test_unparsed_events_are_kept_with_their_blocks(store: Store) -> None:
    start = started(store, 10)
    store.add_scan(start, scan([block(9), block(10)], unparsed={USDX.asset_id: 2}), ACTOR, later(10))
    assert store.unparsed_events(CHAIN) == [(9, 10, USDX.asset_id, 2)]
    store.orphan_blocks(CHAIN, [block(10)], ACTOR, later(11))
    assert store.unparsed_events(CHAIN) == []


@pytest.mark.fault("C1")
def test_a_disturbed_run_ends_in_the_same_state(store: Store, new_store: Store) -> None:
    """Every shard in its own order of transactions, steps repeated, other clock: the digest is that of a calm run."""
    import_story(store)
    SweepStory(store).run()
    story = SweepStory(new_store, minute=30)
    import_story(new_store)
    for step in (story.begin, story.read_second, story.begin, story.cover, story.read_first, story.cover, story.end):
        step()
    assert state_digest(new_store) == state_digest(store)
    case = new_store.cases()[0]
    new_store.comment(case.case_id, "one more remark", "ops.maker", later(40))
    assert state_digest(new_store) != state_digest(store)
    assert case.state is CaseState.OPEN
    assert case.opened_at - timedelta(minutes=20) == store.cases()[0].opened_at
    assert {each.status for each in new_store.reconciliations(story.start.sweep_id)} == set(Status)


@pytest.mark.fault("A46")
def test_what_a_transfer_takes_of_several_approvals_comes_back_in_its_order(store: Store) -> None:
    import_story(store)
    SweepStory(store).run()
    (match,) = store.matches(CHAIN)
    assert match.uses == (ApprovalUse("W-1", 299), ApprovalUse("W-2", 1))
    assert store.authorizations_used(CHAIN) == {"W-1": 299, "W-2": 1}
    assert verify_journal(store).ok
