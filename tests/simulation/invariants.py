"""What must hold after every step of a story, whatever happened: the invariants of docs/faults.md."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from chains.types import Address, ChainId, TransferKind
from tests.fakes.chain import FakeBlock
from tests.simulation.truth import Truth
from tests.verifier.sweep.desk import assert_accounted_for
from tests.verifier.sweep.memory import MemoryDesk
from verifier.journal import verify_journal
from verifier.records import CaseState, FindingKind, MatchOutcome, Status
from verifier.rules.status import FirmStatus
from verifier.store import CaseAct, JournalHead, Store
from verifier.store.tables import DATA_TABLES

COUNT_ROWS = " UNION ALL ".join(f"SELECT '{each.name}', count(*) FROM {each.name}" for each in DATA_TABLES)


class Told(Protocol):
    """What an invariant may look at."""

    desk: MemoryDesk
    truth: Truth
    wallets: tuple[Address, ...]
    seen_blocks: dict[str, FakeBlock]
    """Every block there ever was, on whichever branch."""
    rows: dict[str, int]
    """Rows of each table after the step before."""
    checked: set[str]
    """Sweeps that were held against the truth."""
    checked_head: JournalHead | None
    """The newest entry when all was asserted last."""


def assert_all(story: Told) -> None:
    """Every invariant, the cheap ones first."""
    store = story.desk.store
    nothing_is_removed(story)
    head = store.head()
    if head == story.checked_head:
        return  # nothing was recorded since: all the rest was asserted of the same rows
    story.checked_head = head
    report = verify_journal(store)
    assert report.ok, f"I6: journal entry {report.first_broken}: {report.reason}"
    books_are_those_given(story)
    two_people_closed_it(store, story.truth)
    one_result_each(store, story.desk.chain_id)
    for summary in store.summaries(story.desk.chain_id):
        if summary.sweep_id not in story.checked:
            story.checked.add(summary.sweep_id)
            results_are_true(story, summary.sweep_id)
    standing = store.standing_summary(story.desk.chain_id)
    newest = store.summaries(story.desk.chain_id)[-1:]
    if standing is not None and newest and newest[0].sweep_id == standing.sweep_id:
        assert_accounted_for(store, standing.sweep_id, story.desk.settings.as_of_skew_seconds_max)
    status_is_no_better_than_the_facts(story)


def nothing_is_removed(story: Told) -> None:
    """P2: rows are added, never removed."""
    with story.desk.store.read() as connection:
        rows = {str(name): int(count) for name, count in connection.exec_driver_sql(COUNT_ROWS)}
    lost = {name: (before, rows[name]) for name, before in story.rows.items() if rows[name] < before}
    assert not lost, f"P2: rows are gone: {lost}"
    story.rows = rows


def books_are_those_given(story: Told) -> None:
    """I3: the book is the sum of what was imported, client by client; below zero only where the story made it so."""
    store, head = story.desk.store, story.desk.store.head()
    assert head is not None
    later = story.desk.world.head_time().replace(year=2100)
    found: dict[tuple[str, str], int] = {}
    for key, units in store.allocations(story.desk.chain_id, later, head.recorded_at).items():
        place = (str(key.location_id), str(key.client_id))
        found[place] = found.get(place, 0) + units
    wanted = {
        (story.desk.at(wallet), client): units
        for wallet, clients in story.truth.books.items()
        for client, units in clients.items()
        if units
    }
    assert found == wanted, f"I3: the book says {found}, given was {wanted}"


def two_people_closed_it(store: Store, truth: Truth) -> None:
    """I5: cases stand where people put them, and nobody approved what they proposed."""
    for case in store.cases(include_closed=True):
        known = truth.cases.get(case.case_id)
        if known is None:
            assert case.state is CaseState.OPEN, f"I5: {case.case_id} is {case.state} and nobody did that"
            continue
        assert case.state == known.state, f"I5: {case.case_id} is {case.state}, people made it {known.state}"
        if case.state is CaseState.CLOSED:
            events = store.case_events(case.case_id)
            maker = [event.actor for event in events if event.act is CaseAct.PROPOSED][-1]
            checker = [event.actor for event in events if event.act is CaseAct.APPROVED][-1]
            assert maker.strip().lower() != checker.strip().lower(), f"I5: {maker} closed {case.case_id} alone"


def one_result_each(store: Store, chain_id: ChainId) -> None:
    """P7: one sweep never ended twice, and one block was never judged twice with the same book."""
    moments = Counter((each.block.block_hash, each.sweep_id) for each in store.summaries(chain_id))
    assert all(count == 1 for count in moments.values()), "P7: a sweep ended twice"
    books: Counter[tuple[str, object]] = Counter()
    for summary in store.summaries(chain_id):
        start = store.sweep(summary.sweep_id)
        assert start is not None
        books[summary.block.block_hash, start.known_at] += 1
    assert all(count == 1 for count in books.values()), "P7: two results for one block and one book"


def results_are_true(story: Told, sweep_id: str) -> None:
    """P1, I1, I2: what a sweep recorded is what its block holds; what it says matched, does."""
    store = story.desk.store
    summary = store.sweep_summary(sweep_id)
    assert summary is not None
    block = story.seen_blocks[summary.block.block_hash]
    results = [each for each in store.reconciliations(sweep_id) if each.asset == story.desk.usdx]
    counts = Counter(each.status for each in store.reconciliations(sweep_id))
    assert (counts[Status.MATCHED], counts[Status.DIVERGED], counts[Status.UNVERIFIED]) == (
        summary.matched,
        summary.diverged,
        summary.unverified,
    ), "I1"
    assert sum(counts.values()) == summary.expected, "I1: a holding is not accounted for"
    places = {story.desk.at(wallet): wallet for wallet in story.truth.sweeps[sweep_id].wallets}
    assert sorted(str(each.location_id) for each in results) == sorted(places), "P3: every wallet once"
    for result in results:
        wallet = places[str(result.location_id)]
        truth = block.balances.get((wallet, story.desk.asset.asset_id), 0)
        assert result.observed in (None, truth), f"P1: {wallet} holds {truth}, recorded is {result.observed}"
        owed = story.truth.claimed_by(sweep_id, wallet, block.ref.timestamp)
        assert result.claimed == owed, f"I3: {wallet}: the books said {owed}, recorded is {result.claimed}"
        if sweep_id in story.truth.asset_was_another:
            assert result.status is Status.UNVERIFIED, f"P1: {wallet} is {result.status}, the token is another one"
        if result.status is Status.MATCHED:
            assert result.observed is not None, "P1: matched without evidence"
            assert result.claimed == truth, f"I2: {wallet} holds {truth}, the books say {result.claimed}: matched"
        if result.observed is not None and result.status is Status.UNVERIFIED:
            assert result.reason, "unverified without a reason"
        if result.observed is not None and result.claimed != truth:
            assert result.status is not Status.MATCHED, "I2"


def transfers_are_judged(story: Told) -> None:
    """Every canonical payment out of a wallet that was covered is judged once; what was not approved has its case."""
    store, desk = story.desk.store, story.desk
    tip = store.covered_tip(desk.chain_id)
    assert tip is not None
    left = [
        transfer.transfer_id
        for block in desk.chain.blocks[: tip.height + 1]
        for transfer in block.transfers
        if transfer.sender in story.wallets and transfer.kind is TransferKind.TOKEN
    ]
    matches = store.matches(desk.chain_id)
    assert [match.transfer.transfer_id for match in matches] == left, "a payment is judged twice, or not at all"
    wrong = {match.transfer.transfer_id for match in matches if match.outcome is not MatchOutcome.MATCHED}
    cases = [
        case.finding.subject
        for case in store.cases(include_closed=True)
        if case.finding.kind is FindingKind.UNAUTHORIZED_TRANSFER and not case.superseded
    ]
    assert sorted(cases) == sorted(wrong), "a payment that nobody approved has no case, or two"


def status_is_no_better_than_the_facts(story: Told) -> None:
    """The firm is compliant only when the newest standing sweep's block says so, and nothing is open."""
    view = story.desk.status()
    if view.statuses[0] is not FirmStatus.COMPLIANT:
        return
    summary = story.desk.store.standing_summary(story.desk.chain_id)
    assert summary is not None, "compliant without a sweep"
    block = story.seen_blocks[summary.block.block_hash]
    start = story.desk.store.sweep(summary.sweep_id)
    assert start is not None
    claims = story.desk.store.allocations(story.desk.chain_id, summary.block.timestamp, start.known_at)
    for wallet in story.truth.sweeps[summary.sweep_id].wallets:
        here = [units for key, units in claims.items() if str(key.location_id) == story.desk.at(wallet)]
        truth = block.balances.get((wallet, story.desk.asset.asset_id), 0)
        assert sum(here) == truth, f"compliant, and {wallet} holds {truth} where the books say {sum(here)}"
        assert min(here, default=0) >= 0, f"compliant, and a client is below zero at {wallet}"
    open_cases = [case for case in story.desk.store.cases() if not case.superseded and case.is_seen]
    assert not open_cases, f"compliant with {len(open_cases)} open cases"
