"""Who else could move it in the store, on both databases: all of it comes back, and nothing of it can be changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import sqlalchemy as sa

from chains.errors import InvalidValue
from chains.evm.encumbrance_types import (
    PERMIT2_ADDRESS,
    AccountRole,
    Answer,
    ApprovalCoverage,
    Candidates,
    ControlState,
    EncumbranceReading,
    Fact,
    Grant,
    GrantKind,
    LateApprovals,
    Restriction,
)
from chains.types import UINT256_MAX, Address
from tests.verifier.store.story import (
    ACTOR,
    CHAIN,
    FINALITY,
    OUTSIDE,
    USDX,
    A,
    B,
    SweepStory,
    block,
    import_story,
    later,
)
from tests.verifier.store.tamper import run_sql, tamper
from verifier.journal import verify_journal
from verifier.store import Store, SweepStart

TOKEN = Address("0x" + "c" * 40)
KEY = {Fact.ACCOUNT_KIND: "key", Fact.CODE_HASH: "none"}
UNREAD = "node-unavailable: it did not answer"


LATE = (
    LateApprovals(frozenset((A,)), frozenset((USDX.asset_id,)), 3, 7),
    LateApprovals(frozenset((A, B)), frozenset((USDX.asset_id,)), 0, 9),
)


def coverage(last: int, *, first: int = 0, odd: int = 0, late: tuple[LateApprovals, ...] = ()) -> ApprovalCoverage:
    return ApprovalCoverage(
        first_height=first,
        last=block(last),
        wallets=frozenset((A, B)),
        assets=frozenset((USDX.asset_id,)),
        permit2=PERMIT2_ADDRESS,
        candidates=Candidates(frozenset({(A, USDX.asset_id, OUTSIDE)}), frozenset({(B, USDX.asset_id, OUTSIDE)})),
        odd_approvals={USDX.asset_id: odd} if odd else {},
        late=late,
    )


def reading(height: int, *, of_a: ControlState | None = None) -> EncumbranceReading:
    """A grant without limit, one of Permit2, one that was not read; two wallets and a token."""
    return EncumbranceReading(
        block=block(height),
        finality=FINALITY,
        node_id="node-a+node-b",
        wallets=(A, B),
        assets=(USDX,),
        coverage=coverage(height, odd=3),
        grants=(
            Grant(GrantKind.ALLOWANCE, A, USDX, OUTSIDE, UINT256_MAX),
            Grant(GrantKind.ALLOWANCE, B, USDX, OUTSIDE, None, reason=UNREAD),
            Grant(GrantKind.PERMIT2, B, USDX, OUTSIDE, 5, 2**48 - 1),
        ),
        pairs_asked=4,
        controls=(
            of_a or ControlState(A, AccountRole.WALLET, KEY, {}, 7),
            ControlState(B, AccountRole.WALLET, {}, {Fact.ACCOUNT_KIND: UNREAD}, None),
            ControlState(TOKEN, AccountRole.TOKEN, {Fact.ACCOUNT_KIND: "contract"}),
        ),
        restrictions=(
            Restriction(USDX, "paused()", None, Answer.CLEAR),
            Restriction(USDX, "isFrozen(address)", B, Answer.RESTRICTED),
        ),
    )


def keep(store: Store, start: SweepStart, told: EncumbranceReading, minute: int) -> None:
    store.add_approvals(start, told.coverage, "node-a", ACTOR, later(minute))
    store.add_encumbrances(start, told, ACTOR, later(minute))


def swept(store: Store, height: int = 10, minute: int = 10, told: EncumbranceReading | None = None) -> SweepStart:
    """A whole sweep with its answers."""
    first = {10: 8, 12: 11}.get(height, height)
    story = SweepStory(store, height=height, minute=minute, first_height=first)
    story.begin()
    story.read_first()
    story.read_second()
    story.cover()
    keep(store, story.start, told or reading(height), minute)
    story.end()
    return story.start


def test_everything_comes_back(store: Store) -> None:
    import_story(store)
    start = swept(store)
    seen = store.encumbrances(start)
    assert seen is not None
    assert (seen.failure, seen.compared, seen.controls_before, seen.restrictions_asked) == ("", None, (), 2)
    told = reading(10)
    # Where to look is kept apart from what is there.
    assert seen.reading == replace(told, coverage=replace(told.coverage, candidates=Candidates()))
    (known,) = store.approval_coverages(CHAIN)
    assert known == told.coverage
    assert verify_journal(store).ok


def test_the_newest_state_at_each_block_is_offered_highest_first(store: Store) -> None:
    import_story(store)
    story = SweepStory(store)
    story.begin()
    for minute, state in enumerate(
        (coverage(9), coverage(10, late=LATE), coverage(10, late=LATE[1:]), coverage(8)), start=11
    ):
        store.add_approvals(story.start, state, "node-a", ACTOR, later(minute))
    assert store.approval_coverages(CHAIN) == [coverage(10, late=LATE[1:]), coverage(9), coverage(8)]
    told = replace(reading(10), coverage=coverage(10, late=LATE[1:]))
    store.add_encumbrances(story.start, told, ACTOR, later(20))
    seen = store.encumbrances(story.start)
    assert seen is not None
    assert seen.reading is not None
    assert (seen.reading.coverage.late, seen.reading.coverage.late_blocks) == (LATE[1:], 10)


def test_a_sweep_is_compared_with_what_was_last_known(store: Store) -> None:
    import_story(store)
    first = swept(store)
    blind = ControlState(A, AccountRole.WALLET, {}, {Fact.ACCOUNT_KIND: UNREAD}, None)
    second = swept(store, 12, 20, reading(12, of_a=blind))
    third = swept(store, 13, 30, reading(13))
    after = store.encumbrances(second)
    assert after is not None
    assert after.compared == store.sweep(first.sweep_id)
    last = store.encumbrances(third)
    assert last is not None
    assert last.compared == store.sweep(second.sweep_id)
    known = {state.address: state for state in last.controls_before}
    assert (known[A].facts, known[A].nonce) == (KEY, 7), "the second could not read it; the first could"
    assert Fact.ACCOUNT_KIND in known[B].unread, "nobody ever could"


def account(number: int) -> Address:
    return Address(f"0x{number:040x}")


def many(height: int, changed: Mapping[int, ControlState | None], count: int = 40) -> EncumbranceReading:
    """Accounts that are as they always were, but for some; one that is None is not there."""
    usual = {number: ControlState(account(number), AccountRole.WALLET, KEY, {}, 7) for number in range(1, count + 1)}
    controls = tuple(state for state in {**usual, **changed}.values() if state is not None)
    return replace(reading(height), controls=controls, wallets=tuple(state.address for state in controls))


def states_stored(store: Store) -> int:
    with store.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM control_state").scalar() or 0)


def test_a_sweep_stores_the_accounts_that_changed_and_gives_all(store: Store) -> None:
    import_story(store)
    sent = ControlState(account(3), AccountRole.WALLET, KEY, {}, 8)
    again = replace(sent, nonce=9)
    blind = ControlState(account(5), AccountRole.WALLET, {}, {Fact.ACCOUNT_KIND: UNREAD}, None)
    half = {number: replace(sent, address=account(number)) for number in range(1, 21)}
    told = [
        (many(10, {}), 40),
        (many(12, {}), 0),
        (many(13, {3: sent}), 1),
        (many(14, {3: again, 5: blind}), 2),
        (many(15, {3: again}), 1),
        (many(16, {}), 0),
        (many(17, half), 40),
        (many(18, half), 0),
        (many(19, {**half, 40: None}), 39),
        (many(20, half, 41), 41),
        (many(21, half, 41), 0),
    ]
    sweeps = []
    for index, (each, stored) in enumerate(told):
        before = states_stored(store)
        sweeps.append(swept(store, each.block.height, 10 * (index + 1), each))
        assert states_stored(store) - before == stored, each.block.height
    for index, (start, (each, _)) in enumerate(zip(sweeps, told, strict=True)):
        seen = store.encumbrances(start)
        assert seen is not None
        assert seen.reading is not None
        assert (seen.reading.controls, seen.reading.wallets) == (each.controls, each.wallets)
        known = {state.address: state for state in seen.controls_before}
        if index:
            earlier = {state.address: state for state in told[index - 1][0].controls}
            earlier |= {account(5): replace(blind, facts=KEY, unread={}, nonce=7)} if index == 4 else {}
            assert known == earlier, "with what was known before where the compared one could not read"
    assert verify_journal(store).ok


def test_an_account_that_was_read_twice_is_refused(store: Store) -> None:
    import_story(store)
    start = swept(store)
    story = SweepStory(store, height=12, minute=20, first_height=11)
    story.begin()
    twice = replace(reading(12), controls=(*reading(12).controls, reading(12).controls[0]))
    with pytest.raises(InvalidValue, match="twice"):
        keep(store, story.start, twice, 21)
    assert store.encumbrances(story.start) is None
    assert store.encumbrances(start) is not None


def test_what_is_stored_stays(store: Store) -> None:
    import_story(store)
    story = SweepStory(store)
    story.begin()
    keep(store, story.start, reading(10), 11)
    keep(store, story.start, replace(reading(10), grants=()), 12)
    store.add_encumbrance_failure(story.start, "node-a", UNREAD, ACTOR, later(13))
    seen = store.encumbrances(story.start)
    assert seen is not None
    assert seen.reading is not None
    assert len(seen.reading.grants) == 3


def test_a_failure_is_kept_and_compared_with_by_nobody(store: Store) -> None:
    import_story(store)
    story = SweepStory(store)
    story.begin()
    story.read_first()
    story.read_second()
    story.cover()
    store.add_encumbrance_failure(story.start, "node-a", UNREAD, ACTOR, later(11))
    story.end()
    seen = store.encumbrances(story.start)
    assert seen is not None
    assert (seen.reading, seen.failure) == (None, UNREAD)
    after = store.encumbrances(swept(store, 12, 20))
    assert after is not None
    assert after.compared is None


def test_an_answer_rests_on_approvals_that_were_stored(store: Store) -> None:
    import_story(store)
    story = SweepStory(store)
    story.begin()
    with pytest.raises(InvalidValue, match="were not stored"):
        store.add_encumbrances(story.start, reading(10), ACTOR, later(11))
    assert store.encumbrances(story.start) is None
    assert store.approval_coverages(CHAIN) == []


def test_nothing_of_it_can_be_changed(store: Store, database_url: str) -> None:
    import_story(store)
    swept(store)
    for statement in (
        "UPDATE encumbrance_grant SET base_units = '1' WHERE record_id = 1",
        "DELETE FROM control_state",
        "UPDATE approval_scan SET height = 9",
        "DELETE FROM approval_candidate",
        "UPDATE restriction SET answer = 'clear'",
        "UPDATE encumbrance_review SET pairs_asked = 0",
    ):
        with pytest.raises(sa.exc.DBAPIError):
            run_sql(database_url, statement)
    assert verify_journal(store).ok
    tamper(database_url, "UPDATE encumbrance_grant SET spender = owner WHERE record_id = 1")
    assert not verify_journal(store).ok
