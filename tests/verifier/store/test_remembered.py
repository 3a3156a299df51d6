"""What is kept of the books is what a new reading gives, at every moment, and is read once until a row comes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.verifier.store.story import (
    CHAIN,
    MORNING,
    NOON,
    USDX,
    A,
    B,
    import_story,
    imported,
    later,
    movement,
    wallet,
)
from verifier.store import Store
from verifier.store.remembered import Remembered

EVER = NOON + timedelta(days=365)


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """Every statement that is executed meanwhile."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(" ".join(statement.lower().split()))

    sa.event.listen(store._engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(store._engine, "before_cursor_execute", note)


def readings(seen: list[str], name: str) -> int:
    return sum(f"from {name}" in each and "max(" not in each for each in seen)


def test_what_did_not_change_is_read_once(store: Store) -> None:
    import_story(store)
    with statements(store) as seen:
        first = store.wallets(CHAIN, EVER), store.allocations(CHAIN, EVER, EVER)
        again = store.wallets(CHAIN, EVER + timedelta(1)), store.allocations(CHAIN, EVER + timedelta(1), EVER)
    assert first == again
    assert first[0] == [wallet(A), wallet(B)]
    assert first[1]
    assert (readings(seen, "wallet"), readings(seen, "ledger_entry")) == (1, 1)


def test_what_is_given_belongs_to_the_caller(store: Store) -> None:
    import_story(store)
    for _ in range(2):
        wallets, sums = store.wallets(CHAIN, EVER), store.allocations(CHAIN, EVER, EVER)
        assert len(wallets) == 2
        assert len(sums) == 3
        wallets.clear()
        sums.clear()


def test_a_row_of_this_or_of_another_process_is_seen_at_once(store: Store, database_url: str) -> None:
    from verifier.store import open_store

    import_story(store)
    store.wallets(CHAIN, EVER)
    before = store.allocations(CHAIN, EVER, EVER)
    closed = wallet(A, closed_on=date(2026, 3, 1))
    other = open_store(database_url)
    try:
        paid = movement("M-9", "C-1", A, USDX, -400, MORNING)
        other.apply_import(imported(("wallets again", [closed]), ("payment", [paid])), "ops.maker", later(5))
    finally:
        other.close()
    assert store.wallets(CHAIN, EVER) == [closed, wallet(B)]
    after = store.allocations(CHAIN, EVER, EVER)
    assert [before[key] - after[key] for key in sorted(before) if before[key] != after[key]] == [400]


@pytest.mark.parametrize("first", [later(4), later(5), EVER])
def test_another_moment_is_answered_as_of_it(store: Store, first: datetime) -> None:
    """Whatever was asked before, and so may be kept: an entry of tomorrow, and records that came later."""
    import_story(store)
    tomorrow = NOON + timedelta(days=1)
    due = movement("M-9", "C-1", A, USDX, -400, tomorrow)
    store.apply_import(imported(("wallets again", [wallet(A, titling="new")]), ("due", [due])), "ops.maker", later(5))

    def owned(as_of: datetime, known_at: datetime) -> int:
        return sum(units for key, units in store.allocations(CHAIN, as_of, known_at).items() if key.client_id == "C-1")

    store.wallets(CHAIN, first)
    store.allocations(CHAIN, first, first)
    store.allocations(CHAIN, tomorrow, first)
    for _ in range(2):
        assert next(each.titling for each in store.wallets(CHAIN, later(5))) == "new"
        assert store.wallets(CHAIN, later(4)) == [wallet(A), wallet(B)]
        assert store.wallets(CHAIN, later(-1)) == []
        whole = owned(NOON, EVER)
        assert owned(tomorrow, EVER) == whole - 400
        assert owned(tomorrow - timedelta(seconds=1), EVER) == whole
        assert owned(tomorrow, later(4)) == whole
        assert owned(MORNING - timedelta(1), EVER) == 0


def test_an_entry_dated_ahead_is_read_when_its_time_comes_and_not_at_every_moment_before(store: Store) -> None:
    import_story(store)
    tomorrow, moment = NOON + timedelta(days=1), timedelta(microseconds=1)
    due = [movement(f"M-{days}", "C-1", A, USDX, -100, NOON + timedelta(days=days)) for days in (1, 3)]
    store.apply_import(imported(("due", due)), "ops.maker", later(5))

    def owned(as_of: datetime) -> int:
        return sum(units for key, units in store.allocations(CHAIN, as_of, EVER).items() if key.client_id == "C-1")

    whole = owned(NOON)
    told = {
        NOON + timedelta(hours=1): whole,
        tomorrow - moment: whole,
        tomorrow: whole - 100,
        tomorrow + timedelta(days=2) - moment: whole - 100,
        tomorrow + timedelta(days=2): whole - 200,
        EVER: whole - 200,
    }
    with statements(store) as seen:
        for _ in range(3):  # the head and a final block are asked in turn, and lie on two sides of an entry
            assert (owned(tomorrow - moment), owned(tomorrow)) == (whole, whole - 100)
    assert readings(seen, "ledger_entry") == 1, "what begins tomorrow; what holds before was kept already"
    with statements(store) as seen:
        assert {at: owned(at) for at in told} == told
    assert readings(seen, "ledger_entry") == 1, "only what begins with the last entry was not kept"


def test_an_empty_table_is_kept_until_it_has_a_row(store: Store) -> None:
    assert store.wallets(CHAIN, EVER) == store.wallets(CHAIN, EVER) == []
    import_story(store)
    assert store.wallets(CHAIN, EVER) == [wallet(A), wallet(B)]


def test_nothing_is_recalled_for_another_question(store: Store) -> None:
    import_story(store)
    store.wallets(CHAIN, EVER)
    table = sa.table("wallet", sa.column("record_id"))
    with store.read() as connection:
        assert Remembered().recall(connection, table, "anything", (EVER,)) is None  # type: ignore[arg-type]
    assert store.wallets(None, EVER) == [wallet(A), wallet(B)]
    assert store.pool_members(CHAIN, EVER)
