"""Reviews, acts, substitutions and receipts as stored, on both databases: added, sealed, decided by another person."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from exports.possession.document import document, read_review
from exports.possession.review import compute
from exports.possession.types import Move
from tests.verifier.possession.make import AS_OF, A, B
from tests.verifier.possession.test_document import story
from tests.verifier.store.tamper import run_sql, tamper
from verifier.errors import InputError, InstructionConflict
from verifier.journal import verify_journal
from verifier.possession.cures import CureKind, ProofKind
from verifier.store import Store
from verifier.store.possession_store import StoredReview
from verifier.store.records import InstructionAct

NOON = datetime(2026, 10, 5, 16, 0, tzinfo=UTC)
MONDAY, TUESDAY = date(2026, 10, 5), date(2026, 10, 6)


def add(store: Store, *, reason: str = "", without_moves: bool = False, hours: int = 0) -> StoredReview:
    made = story()
    if without_moves:
        made = compute(replace(made.inputs, moves=()))
    now = NOON + timedelta(hours=hours)
    return store.add_possession_review(made, document(made), MONDAY, TUESDAY, now, "ops.maker", now, reason)


def act(store: Store) -> str:
    made = store.add_cure_act("PR-000001", A, CureKind.RECALL, 40, "L-1", NOON, "", "ops.maker", NOON)
    return made.act_id


def none() -> tuple[str, str]:
    return "", ""


def test_a_review_is_kept_to_the_byte_and_one_of_a_day_stands(store: Store) -> None:
    first = add(store)
    assert (first.review_id, first.as_of, first.act_by) == ("PR-000001", AS_OF, TUESDAY)
    assert first.document == document(story())
    assert read_review(first.document) == story() == first.review()
    head = store.head()
    assert add(store, hours=1) == first
    assert store.head() == head
    with pytest.raises(InputError, match="PR-000001 stands"):
        add(store, without_moves=True)
    second = add(store, without_moves=True, reason="substitution taken back", hours=2)
    assert (second.replaces, second.reason) == ("PR-000001", "substitution taken back")
    assert store.last_review() == store.standing_review(AS_OF) == second
    assert store.standing_reviews() == [second]
    assert [each.review_id for each in store.possession_reviews()] == ["PR-000001", "PR-000002"]
    assert store.possession_reviews(NOON + timedelta(hours=1)) == [first]
    assert store.possession_reviews(since=AS_OF + timedelta(days=1)) == []
    with pytest.raises(InputError, match="no review PR-000009"):
        store.possession_review("PR-000009")
    assert verify_journal(store).ok


def test_an_act_is_decided_once_by_another_person_and_received_after_that(store: Store) -> None:
    add(store)
    name = act(store)
    receipt = (name, ProofKind.STATEMENT, "ST-1", "ab" * 32, MONDAY, "ops.maker", NOON)
    with pytest.raises(InstructionConflict, match="was not approved"):
        store.add_receipt(*receipt)
    for checker in ("ops.maker", " OPS.Maker", "ops. maker", "ops．maker"):
        with pytest.raises(InstructionConflict, match="cannot approve it"):
            store.decide_control(name, InstructionAct.APPROVED, "", checker, NOON, none)
    store.decide_control(name, InstructionAct.APPROVED, "", "ops.checker", NOON, none)
    with pytest.raises(InstructionConflict, match=r"was decided by ops\.checker"):
        store.decide_control(name, InstructionAct.REFUSED, "", "ops.other", NOON, none)
    found = store.add_receipt(*receipt)
    assert (found.checker, found.approved, [each.reference for each in found.receipts]) == (
        "ops.checker",
        True,
        ["ST-1"],
    )
    refused = act(store)
    store.decide_control(refused, InstructionAct.REFUSED, "", "ops.maker", NOON, none)  # a maker takes it back
    assert (store.cure_act(refused).approved, store.cure_act(refused).checker) == (False, "ops.maker")
    for missing in (lambda: store.cure_act("CA-000009"), lambda: store.substitution("CS-000009")):
        with pytest.raises(InputError):
            missing()
    assert verify_journal(store).ok


@pytest.mark.fault("D11")
def test_a_substitution_is_in_force_from_its_approval_with_the_digests_it_was_judged_on(store: Store) -> None:
    add(store)
    made = store.add_substitution("PR-000001", Move("x", "", A, B, 5), ("aa" * 32, "bb" * 32), "", "ops.maker", NOON)
    assert (made.substitution_id, made.move.move_id, made.state) == ("CS-000001", "CS-000001", "proposed")
    assert store.moves_in_force(NOON + timedelta(hours=1)) == ()
    later = NOON + timedelta(minutes=5)
    store.decide_control("CS-000001", InstructionAct.APPROVED, "", "ops.checker", later, lambda: ("cc" * 32, "dd" * 32))
    found = store.substitution("CS-000001")
    assert (found.state, found.before_digest, found.after_digest) == ("in force", "cc" * 32, "dd" * 32)
    assert store.moves_in_force(NOON + timedelta(hours=1)) == (Move("CS-000001", "", A, B, 5),)
    assert store.moves_in_force(later - timedelta(minutes=1)) == ()


def test_a_refusal_of_the_judge_leaves_no_decision(store: Store) -> None:
    add(store)
    store.add_substitution("PR-000001", Move("x", "", A, B, 5), ("aa" * 32, "bb" * 32), "", "ops.maker", NOON)

    def refuse() -> tuple[str, str]:
        raise InputError("short")

    with pytest.raises(InputError, match="short"):
        store.decide_control("CS-000001", InstructionAct.APPROVED, "", "ops.checker", NOON, refuse)
    assert store.substitution("CS-000001").state == "proposed"


def test_the_database_refuses_what_the_code_would(store: Store, database_url: str) -> None:
    add(store)
    act(store)
    row = (
        "INSERT INTO control_decision (record_id, journal_sequence, recorded_at, act_key, substitution_key, act, maker,"
        " checker, before_digest, after_digest, text) VALUES (1, 2, '2026-10-05T16:05:00.000000Z', {act}, {move},"
        " 'approved', '{maker}', '{checker}', '', '', '')"
    )

    def decide(maker: str, checker: str, act: str = "1", move: str = "NULL") -> None:
        run_sql(database_url, row.format(maker=maker, checker=checker, act=act, move=move))

    for maker, checker, act_key in [
        ("ops.maker", "ops.maker", "1"),  # their own
        ("somebody", "ops.maker", "1"),  # their own, under another's name
        ("ops.maker", "ops.checker", "NULL"),  # of nothing
    ]:
        with pytest.raises(Exception, match=r"maker|recorded|decides"):
            decide(maker, checker, act_key)
    decide("ops.maker", "ops.checker")  # the twin that is right
    with pytest.raises(Exception, match=r"(?i)unique"):
        decide("ops.maker", "ops.other")


def test_a_changed_review_is_found_by_the_journal_and_does_not_come_out_again(store: Store, database_url: str) -> None:
    add(store)
    assert verify_journal(store).ok
    tamper(
        database_url, 'UPDATE possession_review SET document = replace(document, \'"deficit":"40"\', \'"deficit":"0"\')'
    )
    assert not verify_journal(store).ok
    with pytest.raises(Exception, match="another result"):
        store.possession_review("PR-000001").review()
