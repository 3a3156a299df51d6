"""Rows are added, never changed: the databases themselves refuse it, table by table."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.verifier.store.story import CHAIN, SweepStory, everything, finding, import_story, later, sighting
from tests.verifier.store.tamper import run_sql
from verifier.errors import CaseConflict
from verifier.store import Store
from verifier.store.case_seeing import see_cases
from verifier.store.triggers import table_names

REFUSED = (sa.exc.DBAPIError,)
DECISIONS = {"case_event", "change_decision", "control_decision", "reserve_decision"}
"""Tables of decisions, whose third trigger compares the maker."""


@pytest.mark.fault("C9")
def test_every_table_refuses_update_and_delete(store: Store, database_url: str, dialect: str) -> None:
    import_story(store)
    SweepStory(store).run()
    before = everything(store)
    for name in table_names():
        key = "sequence" if name.startswith("journal_") else "record_id"
        if not before[name]:
            # Row triggers need a row; the statement is refused for tables of this story, the trigger exists for all.
            continue
        for statement in (f"UPDATE {name} SET {key} = {key}", f"DELETE FROM {name}"):
            with pytest.raises(REFUSED, match="never changed"):
                run_sql(database_url, statement)
        if dialect == "postgresql":
            with pytest.raises(REFUSED, match="never changed"):
                run_sql(database_url, f"TRUNCATE {name} CASCADE")
    assert everything(store) == before


@pytest.mark.fault("C9")
def test_every_table_has_its_triggers(store: Store, dialect: str) -> None:
    sql = (
        "SELECT tbl_name, count(*) FROM sqlite_master WHERE type = 'trigger' GROUP BY tbl_name"
        if dialect == "sqlite"
        else "SELECT relname, count(*) FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
        " WHERE NOT tgisinternal GROUP BY relname"
    )
    with store.read() as connection:
        found = {str(name): count for name, count in connection.exec_driver_sql(sql)}
    assert found == {name: 3 if name in DECISIONS else 2 for name in table_names()}


@pytest.mark.fault("C9")
def test_a_row_cannot_be_replaced(store: Store, database_url: str, dialect: str) -> None:
    import_story(store)
    before = everything(store)
    replace = (
        "INSERT OR REPLACE INTO interned_text VALUES (1, 1, 'other')"
        if dialect == "sqlite"
        else "INSERT INTO interned_text VALUES (1, 1, 'other') ON CONFLICT (record_id) DO UPDATE SET text = 'other'"
    )
    with pytest.raises(REFUSED, match="never changed"):
        run_sql(database_url, replace)
    assert everything(store) == before


def test_a_row_needs_its_journal_entry(store: Store, database_url: str) -> None:
    run_sql(database_url, "INSERT INTO interned_text VALUES (1000, 1, 'belongs to the first entry')")
    with pytest.raises(REFUSED):
        run_sql(database_url, "INSERT INTO interned_text VALUES (1001, 4711, 'belongs to none')")


@pytest.mark.fault("F1")
def test_the_database_itself_refuses_a_checker_who_is_the_maker(store: Store, database_url: str) -> None:
    with store.record("test", "tests", {}, later(0)) as unit:
        (opened,) = see_cases(unit, CHAIN, None, [sighting(finding())], "scheduler", all_seen=True)
    store.propose(opened.case_id, "booked late", "ops.maker", later(1))
    with pytest.raises(CaseConflict, match="cannot approve"):
        store.approve(opened.case_id, "fine", "ops.maker", later(2))
    event = (
        "INSERT INTO case_event (record_id, journal_sequence, recorded_at, case_key, act, actor, text, tx_id,"
        " provisional, proposal_key, maker, facts_digest, seen_digest, person_id) VALUES (3, 2,"
        " '2026-03-02T12:02:00.000000Z', 1, 'approved', '{actor}', '', '', {no}, {proposal}, {maker}, {facts},"
        " '{facts_seen}', {person})"
    )
    no = "0" if database_url.startswith("sqlite") else "false"
    seen = store.case_standing(opened.case_id)

    def approve_directly(actor: str, proposal: str, maker: str, facts: str = seen.facts_digest) -> None:
        values = {"actor": actor, "proposal": proposal, "maker": maker, "no": no, "person": "NULL"}
        facts = f"'{facts}'" if facts else "NULL"
        run_sql(database_url, event.format(**values, facts=facts, facts_seen=seen.seen_digest))

    for actor, proposal, maker in [
        ("ops.maker", "2", "'ops.maker'"),  # their own proposal
        ("ops.maker", "2", "'somebody'"),  # their own, under another's name
        ("ops.checker", "1", "'ops.maker'"),  # event 1 is no proposal
        ("ops.checker", "NULL", "NULL"),  # nothing was proposed
    ]:
        with pytest.raises(REFUSED):
            approve_directly(actor, proposal, maker)
    for facts in ("", "0" * 64):  # bound to nothing; to something else than was proposed
        with pytest.raises(REFUSED):
            approve_directly("ops.checker", "2", "'ops.maker'", facts)
    approve_directly("ops.checker", "2", "'ops.maker'")
    with pytest.raises(REFUSED):
        run_sql(
            database_url,
            event.replace("(3, 2,", "(4, 2,").format(
                actor="cco", proposal="2", maker="'ops.maker'", no=no, facts=f"'{seen.facts_digest}'",
                facts_seen=seen.seen_digest, person="NULL",
            ),
        )  # fmt: skip
