"""The journal: contiguous, chained, sealing every row; whatever is changed afterwards is found and named."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.postgres import MOMENT, PostgresServer
from tests.verifier.store.story import SweepStory, everything, import_story, later
from tests.verifier.store.tamper import run_sql, tamper
from verifier.errors import JournalBroken
from verifier.journal import verify_journal
from verifier.store import Store, open_store
from verifier.store.seal import RowsDigest
from verifier.store.tables import DATA_TABLES, AssetValueRow, ClientRow, InternedTextRow, JournalEntryRow, table
from verifier.store.types import Words


def story(store: Store) -> None:
    """Entries: 1 schema, 2 mapping, 3 books, 4 started, 5 and 6 shards, 7 blocks, 8 completed."""
    import_story(store)
    SweepStory(store).run()


@pytest.mark.fault("C9")
def test_an_undisturbed_journal_verifies(store: Store) -> None:
    story(store)
    counted: list[int] = []
    report = verify_journal(store, progress=counted.append)
    assert report.ok
    assert (report.entries, sum(counted)) == (8, 8)
    head = store.head()
    assert head is not None
    assert report.head == (8, head.entry_digest)
    written = everything(store)
    assert report.rows == sum(len(written[each.name]) for each in DATA_TABLES)
    store.require_current()


TAMPERED = [
    ("UPDATE journal_entry SET actor = 'somebody' WHERE sequence = 2", 2, "the entry was changed"),
    ("UPDATE journal_entry SET payload = '{}' WHERE sequence = 5", 5, "the entry was changed"),
    (
        "UPDATE journal_entry SET recorded_at = '2026-03-02T11:59:59.000000Z' WHERE sequence = 3",
        3,
        "the entry was changed",
    ),
    ("UPDATE journal_entry SET previous_digest = 'x' WHERE sequence = 4", 4, "changed"),
    ("DELETE FROM journal_entry WHERE sequence = 4", 4, "missing"),
    ("DELETE FROM journal_seal WHERE sequence = 6", 6, "no seal"),
    ("UPDATE journal_seal SET rows = '{}' WHERE sequence = 3", 3, "list of sealed rows"),
    ("UPDATE journal_seal SET rows = 'no JSON' WHERE sequence = 3", 3, "cannot be read"),
    ("UPDATE journal_seal SET entry_digest = 'x' WHERE sequence = 3", 3, "the entry was changed"),
    ("UPDATE client SET name = 'Gamma' WHERE record_id = 2", 2, "a row of client was changed"),
    ("UPDATE ledger_entry SET base_units = '999' WHERE record_id = 1", 3, "a row of ledger_entry was changed"),
    ("DELETE FROM ledger_entry WHERE record_id = 2", 3, "3 rows of ledger_entry were sealed, 2 are there"),
    ("UPDATE balance_observation SET base_units = '1500' WHERE base_units = '1200'", 5, "balance_observation"),
    ("UPDATE reconciliation SET status = 'matched' WHERE status = 'diverged'", 8, "reconciliation"),
    ("DELETE FROM custody_case WHERE record_id = 1", 8, "custody_case"),
    ("UPDATE transfer SET receiver = sender WHERE record_id = 1", 7, "transfer"),
    ("UPDATE client SET journal_sequence = 3 WHERE record_id = 1", 2, "client"),
    ("INSERT INTO interned_text VALUES (1000, 4, 'added later')", 4, "which no entry sealed"),
    ("INSERT INTO interned_text VALUES (-5, 6, 'added before the first')", 6, "which no entry sealed"),
    ("UPDATE interned_text SET record_id = 500 WHERE record_id = 1", 2, "interned_text"),
]


@pytest.mark.fault("C9")
@pytest.mark.parametrize(("statement", "sequence", "reason"), TAMPERED, ids=[each[0][:70] for each in TAMPERED])
def test_what_was_changed_is_named(store: Store, database_url: str, statement: str, sequence: int, reason: str) -> None:
    story(store)
    with pytest.raises(sa.exc.DBAPIError):
        run_sql(database_url, statement + (" /* guarded */" if "INSERT" not in statement else ", (1, 1, 'taken')"))
    assert verify_journal(store).ok
    tamper(database_url, statement)
    report = verify_journal(store)
    assert not report.ok
    assert (report.first_broken, reason in report.reason) == (sequence, True), report.reason


@pytest.mark.fault("C9")
def test_the_first_of_several_breaks_is_named(store: Store, database_url: str) -> None:
    story(store)
    tamper(
        database_url,
        "DELETE FROM custody_case WHERE record_id = 1",
        "INSERT INTO interned_text VALUES (1000, 6, 'added later')",
        "UPDATE client SET name = 'Gamma' WHERE record_id = 1",
    )
    assert verify_journal(store).first_broken == 2


@pytest.mark.fault("C9")
def test_a_changed_entry_with_its_own_digest_made_anew_breaks_the_chain(store: Store, database_url: str) -> None:
    """Only the entry after it still knows what it was."""
    from verifier.store.seal import entry_digest

    story(store)
    with store.read() as connection:
        row = connection.exec_driver_sql(
            "SELECT kind, payload, previous_digest, rows_digest, origin FROM journal_entry JOIN journal_seal"
            " ON journal_seal.sequence = journal_entry.sequence WHERE journal_entry.sequence = 3"
        ).one()
    forged = entry_digest(
        sequence=3,
        kind=row[0],
        actor="somebody",
        recorded_at="2026-03-02T12:01:00.000000Z",
        clock_at=None,
        payload=row[1],
        origin=row[4],
        previous_digest=row[2],
        rows_digest=row[3],
    )
    tamper(
        database_url,
        "UPDATE journal_entry SET actor = 'somebody' WHERE sequence = 3",
        f"UPDATE journal_seal SET entry_digest = '{forged}' WHERE sequence = 3",
    )
    report = verify_journal(store)
    assert (report.first_broken, report.reason) == (4, "the entry does not follow the one before it")


def test_missing_newest_entries_are_noticed_by_a_head_kept_elsewhere(store: Store, database_url: str) -> None:
    story(store)
    head = store.head()
    assert head is not None
    kept = {head.sequence: head.entry_digest}
    assert verify_journal(store, known_heads=kept).ok
    newest = [f"DELETE FROM {each.name} WHERE journal_sequence = 8" for each in DATA_TABLES]
    tamper(
        database_url,
        *newest,
        "DELETE FROM journal_seal WHERE sequence = 8",
        "DELETE FROM journal_entry WHERE sequence = 8",
    )
    assert verify_journal(store).ok, "the database alone cannot show it"
    report = verify_journal(store, known_heads=kept)
    assert report.first_broken == 8
    assert "older copy" in report.reason
    other = verify_journal(store, known_heads={3: "f" * 64})
    assert other.first_broken == 3


@pytest.mark.fault("C9")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE reconciliation SET status = 'matched' WHERE status = 'diverged'",
        "UPDATE journal_entry SET actor = 'somebody' WHERE sequence = 8",
        "DELETE FROM journal_seal WHERE sequence = 8",
        "DELETE FROM journal_entry WHERE sequence = 7",
        "UPDATE journal_seal SET entry_digest = 'x' WHERE sequence = 7",
    ],
)
def test_the_program_stops_at_a_damaged_head(store: Store, database_url: str, statement: str) -> None:
    story(store)
    store.require_current()
    tamper(database_url, statement)
    with pytest.raises(JournalBroken):
        store.require_current()


def test_an_act_that_adds_nothing_leaves_no_entry(store: Store) -> None:
    before = everything(store)
    with store.record("nothing", "tests", {}, later(0)):
        pass
    assert everything(store) == before
    with store.record("a remark", "tests", {"text": "é"}, later(0), payload_is_the_record=True):
        pass
    assert len(everything(store)["journal_entry"]) == len(before["journal_entry"]) + 1
    assert verify_journal(store).ok


@pytest.mark.fault("C1")
def test_an_act_that_fails_leaves_nothing(store: Store) -> None:
    before = everything(store)

    class Fails(Exception):
        pass

    with pytest.raises(Fails), store.record("test", "tests", {}, later(0)) as unit:  # noqa: PT012
        unit.text_key("half done")
        raise Fails
    assert everything(store) == before
    with store.record("test", "tests", {}, later(0)) as unit:
        key = unit.text_key("whole")
    assert key == 1, "a key given in the failed act was not remembered"
    assert verify_journal(store).ok


@pytest.mark.fault("C15")
def test_recorded_at_always_rises(store: Store) -> None:
    for number, minutes in enumerate((10, 5, 12, 12)):
        with store.record("test", "tests", {}, later(minutes)) as unit:
            unit.text_key(f"number {number}")
    with store.read() as connection:
        entry = table(JournalEntryRow)
        rows = connection.execute(
            sa.select(entry.c.recorded_at, entry.c.clock_at).where(entry.c.sequence > 1).order_by(entry.c.sequence)
        ).all()
    a_little = timedelta(microseconds=1)
    assert [tuple(row) for row in rows] == [
        (later(10), None),
        (later(10) + a_little, later(5)),
        (later(12), None),
        (later(12) + a_little, None),
    ]
    assert verify_journal(store).ok


def test_a_naive_time_is_refused(store: Store) -> None:
    from chains.errors import InvalidValue

    with pytest.raises(InvalidValue, match="time zone"), store.record("test", "tests", {}, datetime(2026, 1, 1)):  # noqa: DTZ001
        pass
    assert MOMENT.astimezone(UTC) - MOMENT == timedelta(0)


def test_digests_do_not_depend_on_how_rows_are_cut() -> None:
    rows: list[tuple[str | int | None, ...]] = [(1, 2, "é"), (2, 2, None), (3, 2, '"')]
    whole, cut = RowsDigest(), RowsDigest()
    whole.add(rows)
    cut.add(rows[:1])
    cut.add([])
    cut.add(rows[1:])
    assert whole.hexdigest() == cut.hexdigest()
    cut.add([(4, 2, "")])
    assert whole.hexdigest() != cut.hexdigest()


def test_many_rows_are_checked_in_pages(store: Store) -> None:
    with store.record("test", "tests", {}, later(0)) as unit:
        unit.add_rows(InternedTextRow, ((f"text {number}",) for number in range(12_345)))
    with store.record("test", "tests", {}, later(0)) as unit:
        unit.add_rows(InternedTextRow, ((f"more {number}",) for number in range(5)))
    report = verify_journal(store)
    assert (report.ok, report.rows) == (True, 12_350)


def test_columns_are_stored_as_the_rows_they_make(store: Store) -> None:
    count = 10_001  # more than go into one page
    ids, symbols = [f"asset {number}" for number in range(count)], repeat("A")
    with store.record("test", "tests", {}, later(0)) as unit:
        first = unit.add_columns(AssetValueRow, count, ids, symbols, range(count))
        tails = (("B", number) for number in range(count))
        second = unit.add_columns(AssetValueRow, count, ids, tails=tails)
        keys = unit.text_column(f"text {number % 7}" for number in range(100))
    assert (first, second, len(set(keys)), keys[:7]) == (1, count + 1, 7, keys[7:14])
    report = verify_journal(store)
    assert (report.ok, report.rows) == (True, 2 * count + 7)


@pytest.mark.parametrize(
    ("columns", "tails"),
    [
        ((["a", "b"], ["A"], [1, 2]), ()),
        ((["a"], ["A", "B"], [1, 2]), ()),
        ((["a", "b", "c"], repeat("A"), repeat(1)), ()),
        ((["a", "b"], repeat("A")), ()),
        ((["a", "b"],), [("A", 1)]),
        ((["a", "b"],), [("A", 1), ("A", 2), ("A", 3)]),
        ((["a", "b"],), [("A", 1), ("A",)]),
    ],
)
def test_columns_of_different_lengths_are_refused_whole(store: Store, columns: Any, tails: Any) -> None:
    before = everything(store)
    with pytest.raises(TypeError, match="column"), store.record("test", "tests", {}, later(0)) as unit:
        unit.add_columns(AssetValueRow, 2, *columns, tails=tails)
    assert everything(store) == before


@pytest.mark.parametrize("asked", [range(0, 2_000, 400), range(2_100)])
def test_a_stored_text_keeps_its_key_however_many_are_asked_for(store: Store, database_url: str, asked: range) -> None:
    """A few are looked up one by one, many by one look through the table."""
    with store.record("test", "tests", {}, later(0)) as unit:
        given = unit.text_keys(f"text {number}" for number in range(2_000))
    with closing(open_store(database_url)) as other, other.record("test", "tests", {}, later(0)) as unit:
        found = unit.text_keys(f"text {number}" for number in asked)
    known = {text: key for text, key in found.items() if text in given}
    assert known == {text: given[text] for text in known}
    assert len(known) == sum(number < 2_000 for number in asked)
    assert all(key > 2_000 for text, key in found.items() if text not in given)


@pytest.mark.postgres
def test_both_databases_make_the_same_digests(postgres_server: PostgresServer, tmp_path: Path) -> None:
    """So a journal's head means the same wherever the records are kept."""
    heads = []
    for url in (f"sqlite:///{tmp_path / 'custody.db'}", postgres_server.empty_database()):
        opened = open_store(url)
        opened.migrate("tests", MOMENT)
        story(opened)
        heads.append(opened.head())
        opened.close()
    assert heads[0] is not None
    assert heads[0] == heads[1]


@pytest.mark.fault("C11")
def test_a_column_that_a_later_schema_adds_does_not_break_older_seals(store: Store, database_url: str) -> None:
    """Seals name how many columns they cover; what was added later must be empty in rows sealed before."""
    story(store)
    run_sql(database_url, "ALTER TABLE client ADD COLUMN nickname TEXT")
    nickname: sa.Column[str] = sa.Column("nickname", Words())
    of = table(ClientRow)
    of.append_column(nickname)
    try:
        assert verify_journal(store).ok
        tamper(database_url, "UPDATE client SET nickname = 'Al' WHERE record_id = 1")
        report = verify_journal(store)
        assert (report.first_broken, report.reason) == (2, "a row of client was changed")
    finally:
        of._columns.remove(nickname)
