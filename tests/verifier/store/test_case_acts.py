"""What people do with cases beyond proposing: bound, versioned, repeated without effect; one person is one person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from exports.canonical import canonical_json
from tests.verifier.store.story import CHAIN, finding, later, sighting
from tests.verifier.store.tamper import run_sql, tamper
from verifier.case_clock import escalate_cases
from verifier.config import DatabaseSettings, FirmSettings, Settings
from verifier.errors import CaseConflict, InputError, JournalBroken, VersionConflict
from verifier.journal import verify_journal
from verifier.records import CaseState, FindingKind
from verifier.store import CaseAct, Store
from verifier.store.case_seeing import see_cases
from verifier.store.tables import LoginEndRow, LoginRow, PersonRow, PersonStateRow

NAME = "CASE-000001"
FIRM = Settings(firm=FirmSettings(name="Example LLC"), database=DatabaseSettings())


def see(store: Store, at: datetime, units: int = -300, kind: FindingKind = FindingKind.SHORTFALL) -> None:
    with store.record("test.sweep", "scheduler", {"at": at.isoformat()}, at) as unit:
        see_cases(unit, CHAIN, None, [sighting(finding(kind, units=units))], "scheduler", all_seen=True)


def person(store: Store, person_id: str, name: str, *logins: str) -> None:
    """An account with its logins."""
    with store.record("test.person", "admin", {}, later(0)) as unit:
        key = unit.add(PersonRow, person_id=person_id)
        unit.add(PersonStateRow, person_key=key, name=name, roles=canonical_json([]).decode(), is_disabled=False)
        for login in logins:
            unit.add(LoginRow, person_key=key, issuer="", subject=login)


@pytest.mark.fault("F1")
def test_one_person_with_two_logins_is_one_person(store: Store) -> None:
    person(store, "p.one", "One Person", "one@example.com", "other-login")
    person(store, "p.two", "Two Person")
    see(store, later(1))
    store.propose(NAME, "booked", "one@example.com", later(2))
    for same in ("other-login", "p.one", "ONE PERSON"):
        with pytest.raises(CaseConflict, match="cannot approve"):
            store.approve(NAME, "fine", same, later(3))
    store.approve(NAME, "fine", "Two Person", later(4))
    proposed, approved = store.case_events(NAME)[-2:]
    assert (proposed.person_id, approved.person_id) == ("p.one", "p.two")


@pytest.mark.fault("F1")
def test_who_proposed_before_having_an_account_is_known_by_it_afterwards(store: Store) -> None:
    see(store, later(1))
    store.propose(NAME, "booked", "one@example.com", later(2))
    person(store, "p.one", "One Person", "one@example.com")
    person(store, "p.two", "Two Person")
    with pytest.raises(CaseConflict, match="cannot approve"):
        store.approve(NAME, "fine", "p.one", later(3))
    store.approve(NAME, "fine", "p.two", later(4))
    assert store.case(NAME).state is CaseState.CLOSED


@pytest.mark.fault("F1")
def test_a_login_that_ended_still_says_whose_it_was(store: Store) -> None:
    person(store, "p.one", "One Person", "old-login")
    with store.record("test.ended", "admin", {}, later(0)) as unit:
        unit.add(LoginEndRow, login_key=1, reason="left")
    see(store, later(1))
    store.propose(NAME, "booked", "old-login", later(2))
    with pytest.raises(CaseConflict, match="cannot approve"):
        store.approve(NAME, "fine", "p.one", later(3))
    store.send_back(NAME, "again", "p.one", later(4))
    person(store, "p.two", "Two Person", "old-login")
    store.propose(NAME, "booked", "old-login", later(5))
    store.approve(NAME, "fine", "p.one", later(6))
    assert store.case_events(NAME)[-2].person_id == "p.two", "whoever has the name now"


@pytest.mark.fault("F1")
def test_the_database_refuses_one_person_under_two_names(store: Store, database_url: str, dialect: str) -> None:
    person(store, "p.one", "One Person", "other-login")
    see(store, later(1))
    store.propose(NAME, "booked", "p.one", later(2))
    facts = store.case_standing(NAME).facts_digest
    no = "0" if dialect == "sqlite" else "false"
    row = (
        "INSERT INTO case_event (record_id, journal_sequence, recorded_at, case_key, act, actor, text, tx_id,"
        " provisional, proposal_key, maker, maker_person, person_id, facts_digest, seen_digest) VALUES (3, 2,"
        f" '2026-03-02T12:02:00.000000Z', 1, 'approved', 'other-login', '', '', {no}, 2, 'p.one', '{{}}', '{{}}',"
        f" '{facts}', '{facts}')"
    )
    for maker, checker in (("p.one", "p.one"), ("p.other", "p.one")):
        with pytest.raises(Exception, match=r"maker_is_another_person|answers the proposal that stands"):
            run_sql(database_url, row.format(maker, checker))


def test_a_name_that_several_have_is_not_guessed(store: Store) -> None:
    person(store, "p.one", "Alex")
    person(store, "p.two", "alex")
    see(store, later(1))
    with pytest.raises(InputError, match="several people"):
        store.comment(NAME, "hello", "Alex", later(2))


@pytest.mark.fault("F2")
def test_a_repeated_act_is_no_second_act(store: Store) -> None:
    see(store, later(1))
    for minute in (2, 3):
        store.propose(NAME, "booked", "ops.maker", later(minute))
    seen = store.case_standing(NAME).seen_digest
    for minute in (4, 5):
        store.approve(NAME, "fine", "cco", later(minute), seen=seen)
    assert [each.act for each in store.case_events(NAME)] == [CaseAct.OPENED, CaseAct.PROPOSED, CaseAct.APPROVED]
    with pytest.raises(CaseConflict):
        store.approve(NAME, "fine", "deputy", later(6), seen=seen)


@pytest.mark.fault("F2")
def test_an_act_on_an_older_version_is_refused(store: Store) -> None:
    see(store, later(1))
    version = store.case(NAME).version
    store.comment(NAME, "first", "ops.maker", later(2), expected_version=version)
    with pytest.raises(VersionConflict):
        store.propose(NAME, "booked", "ops.maker", later(3), expected_version=version)
    store.propose(NAME, "booked", "ops.maker", later(4), expected_version=version + 1)


@pytest.mark.fault("F1")
def test_new_data_reopens_what_was_proposed(store: Store) -> None:
    see(store, later(1))
    store.propose(NAME, "booked", "ops.maker", later(2))
    see(store, later(3))
    assert store.case(NAME).state is CaseState.PROPOSED, "the same again is no news"
    see(store, later(4), units=-301)
    assert store.case(NAME).state is CaseState.OPEN
    assert [each.act for each in store.case_events(NAME)][-2:] == [CaseAct.SEEN_AGAIN, CaseAct.REOPENED]
    with pytest.raises(CaseConflict):
        store.approve(NAME, "fine", "cco", later(5))


@pytest.mark.fault("F24")
def test_above_the_amount_two_people_approve(store: Store) -> None:
    store.second_above = {"USDX": "0.0001"}
    see(store, later(1))
    store.propose(NAME, "booked", "ops.maker", later(2))
    store.approve(NAME, "fine", "cco", later(3))
    assert store.case(NAME).state is CaseState.PROPOSED
    with pytest.raises(CaseConflict, match="already"):
        store.approve(NAME, "fine too", "CCO", later(4))
    store.approve(NAME, "fine", "deputy", later(5))
    closed = store.case(NAME)
    assert (closed.state, closed.checkers) == (CaseState.CLOSED, ("cco", "deputy"))
    assert verify_journal(store).ok


@pytest.mark.fault("F18")
def test_bytes_are_stored_once_and_held_against_their_digest(store: Store, database_url: str) -> None:
    see(store, later(1))
    see_other = finding(subject="other")
    with store.record("test.sweep", "scheduler", {}, later(2)) as unit:
        see_cases(unit, CHAIN, None, [sighting(see_other)], "scheduler", all_seen=False)
    first = store.attach(NAME, "../a.txt", b"the answer", "", "ops.maker", later(3))
    second = store.attach("CASE-000002", "b.txt", b"the answer", "", "ops.maker", later(4))
    assert first.sha256 == second.sha256
    assert [(each.name, each.sha256) for each in store.case(NAME).attachments] == [("a.txt", first.sha256)]
    assert store.attachment(first.sha256) == ("text/plain", b"the answer")
    with store.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM attachment_content").scalar() == 1
    with pytest.raises(InputError, match="already"):
        store.attach(NAME, "c.txt", b"the answer", "", "ops.maker", later(5))
    with pytest.raises(InputError, match="no attachment"):
        store.attachment("0" * 64)
    tamper(database_url, "UPDATE attachment_content SET content = 'b3RoZXI='")
    with pytest.raises(JournalBroken):
        store.attachment(first.sha256)
    assert not verify_journal(store).ok


def test_a_formula_run_puts_what_it_lists_into_the_queue(store: Store) -> None:
    noon = datetime(2026, 3, 2, 17, tzinfo=UTC)
    see(store, noon)
    assert escalate_cases(store, FIRM, "clock", noon + timedelta(hours=1)) == []
    assert escalate_cases(store, FIRM, "clock", noon + timedelta(hours=1), formula_run="RC-1", among=[]) == []
    assert escalate_cases(store, FIRM, "clock", noon + timedelta(hours=1), formula_run="RC-1", among=[NAME]) == [NAME]
    event = store.case_events(NAME)[-1]
    assert (event.act, event.detail["base_units"]) == (CaseAct.TRADE_BREAK, "-300")
    assert "RC-1" in event.text
    assert escalate_cases(store, FIRM, "clock", noon + timedelta(days=3)) == [], "once"


def test_the_end_of_the_session_puts_it_into_the_queue(store: Store) -> None:
    noon = datetime(2026, 3, 2, 17, tzinfo=UTC)
    see(store, noon)
    close = datetime(2026, 3, 2, 23, tzinfo=UTC)
    assert escalate_cases(store, FIRM, "clock", close - timedelta(seconds=1)) == []
    assert escalate_cases(store, FIRM, "clock", close) == [NAME]
