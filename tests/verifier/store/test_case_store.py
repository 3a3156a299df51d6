"""Cases: one per finding however often it is seen, worked on by two people, never closed by the machine."""

from __future__ import annotations

import pytest

from chains.types import LocationId
from tests.verifier.store.story import CHAIN, USDX, block, branch, everything, finding, later, scan, sighting
from verifier.errors import CaseConflict, InputError
from verifier.journal import verify_journal
from verifier.records import CaseState, Finding, FindingKind
from verifier.store import Case, CaseAct, CaseSeen, Store
from verifier.store.case_seeing import see_cases

OTHER = LocationId("eip155:31337:0x" + "b" * 40)


def see(store: Store, minute: int, *findings: Finding, all_seen: bool = True) -> list[CaseSeen]:
    """A sweep that sees these findings."""
    with store.record("test.sweep", "scheduler", {"minute": minute}, later(minute)) as unit:
        return see_cases(unit, CHAIN, None, [sighting(each) for each in findings], "scheduler", all_seen=all_seen)


def only(store: Store) -> Case:
    """The one case there is."""
    (case,) = store.cases(include_closed=True)
    return case


def acts(store: Store, case_id: str = "CASE-000001") -> list[CaseAct]:
    return [event.act for event in store.case_events(case_id)]


def test_a_finding_opens_one_case_and_keeps_it(store: Store) -> None:
    (first,) = see(store, 1, finding())
    before = everything(store)
    (second,) = see(store, 2, finding())
    assert (first.is_new, second.is_new, first.case_id) == (True, False, second.case_id)
    assert everything(store) == before, "seeing the same again is no news"
    assert only(store).state is CaseState.OPEN
    assert only(store).opened_at == later(1)
    assert first.contradicts


def test_another_subject_is_another_case(store: Store) -> None:
    assert [seen.is_new for seen in see(store, 1, finding(subject="a"), finding(subject="b"))] == [True, True]
    assert [case.case_id for case in store.cases()] == ["CASE-000001", "CASE-000002"]


def test_a_changed_amount_is_noted(store: Store) -> None:
    see(store, 1, finding(units=-300))
    see(store, 2, finding(units=-301))
    assert acts(store) == [CaseAct.OPENED, CaseAct.SEEN_AGAIN]
    assert only(store).finding.base_units == -301
    assert [event.base_units for event in store.case_events("CASE-000001")] == [-300, -301]


def test_what_is_no_longer_seen_stays_open_and_says_so(store: Store) -> None:
    see(store, 1, finding())
    see(store, 2)
    see(store, 3)
    assert acts(store) == [CaseAct.OPENED, CaseAct.NO_LONGER_SEEN]
    assert (only(store).state, only(store).is_seen) == (CaseState.OPEN, False)
    see(store, 4, finding())
    assert acts(store)[-1] is CaseAct.SEEN_AGAIN
    assert only(store).is_seen


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (FindingKind.SHORTFALL, [CaseAct.OPENED, CaseAct.NO_LONGER_SEEN]),
        (FindingKind.UNAUTHORIZED_TRANSFER, [CaseAct.OPENED]),
        (FindingKind.FINALITY_REVERSED, [CaseAct.OPENED]),
    ],
)
def test_an_event_of_the_past_does_not_heal(store: Store, kind: FindingKind, expected: list[CaseAct]) -> None:
    see(store, 1, finding(kind))
    see(store, 2)
    assert acts(store) == expected


def test_a_partial_look_says_nothing_of_the_rest(store: Store) -> None:
    see(store, 1, finding())
    see(store, 2, finding(subject="other"), all_seen=False)
    assert acts(store) == [CaseAct.OPENED]


def test_two_people_close_a_case(store: Store) -> None:
    see(store, 1, finding())
    store.comment("CASE-000001", "asked the custodian", "ops.maker", later(2))
    store.propose("CASE-000001", "booked late", "ops.maker", later(3))
    assert (only(store).state, only(store).maker) == (CaseState.PROPOSED, "ops.maker")
    with pytest.raises(CaseConflict, match="cannot approve"):
        store.approve("CASE-000001", "fine", "ops.maker", later(4))
    store.send_back("CASE-000001", "show the booking", "cco", later(5))
    assert only(store).state is CaseState.OPEN
    store.propose("CASE-000001", "booking 4711", "ops.maker", later(6))
    store.approve("CASE-000001", "seen", "cco", later(7))
    assert only(store).state is CaseState.CLOSED
    assert store.cases() == []
    assert acts(store) == [
        CaseAct.OPENED, CaseAct.COMMENTED, CaseAct.PROPOSED, CaseAct.RETURNED, CaseAct.PROPOSED, CaseAct.APPROVED,
    ]  # fmt: skip
    assert verify_journal(store).ok


@pytest.mark.fault("F19")
def test_no_step_can_be_skipped(store: Store) -> None:
    see(store, 1, finding())
    before = everything(store)
    with pytest.raises(CaseConflict, match="is open"):
        store.approve("CASE-000001", "fine", "cco", later(2))
    with pytest.raises(CaseConflict, match="is open"):
        store.send_back("CASE-000001", "no", "cco", later(2))
    with pytest.raises(InputError, match="no case"):
        store.propose("CASE-000009", "?", "ops.maker", later(2))
    with pytest.raises(InputError, match="no case"):
        store.case("CASE-000009")
    assert everything(store) == before
    store.propose("CASE-000001", "booked late", "ops.maker", later(3))
    with pytest.raises(CaseConflict, match="is proposed"):
        store.propose("CASE-000001", "twice", "ops.maker", later(4))
    store.approve("CASE-000001", "seen", "cco", later(5))
    with pytest.raises(CaseConflict, match="is closed"):
        store.comment("CASE-000001", "too late", "ops.maker", later(6))


def close(store: Store, case_id: str = "CASE-000001") -> None:
    store.propose(case_id, "explained", "ops.maker", later(5))
    store.approve(case_id, "seen", "cco", later(6))


def test_a_standing_finding_whose_case_was_closed_opens_the_next_occurrence(store: Store) -> None:
    see(store, 1, finding())
    close(store)
    (again,) = see(store, 7, finding())
    assert (again.is_new, again.case_id) == (True, "CASE-000002")
    assert store.case("CASE-000002").occurrence == 2


def test_a_past_event_whose_case_was_closed_stays_closed(store: Store) -> None:
    see(store, 1, finding(FindingKind.UNAUTHORIZED_TRANSFER))
    close(store)
    assert see(store, 7, finding(FindingKind.UNAUTHORIZED_TRANSFER)) == []
    assert store.cases() == []


def test_a_case_keeps_what_it_covers(store: Store) -> None:
    one, two = (OTHER, USDX.asset_id), (LocationId("pool:P-1"), USDX.asset_id)
    for minute, covers in ((1, (one,)), (2, (one,)), (3, (one, two))):
        with store.record("test.sweep", "scheduler", {}, later(minute)) as unit:
            see_cases(unit, CHAIN, None, [sighting(finding(), *covers)], "scheduler", all_seen=True)
        assert store.case_covers("CASE-000001") == list(covers)
    assert acts(store) == [CaseAct.OPENED, CaseAct.SEEN_AGAIN]


@pytest.mark.fault("A31")
def test_a_case_on_a_removed_block_is_marked_superseded(store: Store) -> None:
    from chains.reader import Pin
    from tests.verifier.store.story import FINALITY

    blocks = branch(9, 10, fork=1)
    start = store.start_sweep(CHAIN, Pin(block(10), FINALITY, True), "node-a", 1, later(0), "scheduler")
    store.add_scan(start, scan([block(8), *blocks]), "scheduler", later(0))
    see(store, 1, finding(at=blocks[1]), finding(subject="other", at=block(8)))
    assert [case.superseded for case in store.cases()] == [False, False]
    store.orphan_blocks(CHAIN, list(blocks), "scheduler", later(2))
    assert [case.superseded for case in store.cases()] == [True, False]
    assert store.cases()[0].finding.block == blocks[1]
