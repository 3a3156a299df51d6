"""The events of a block lie in one run of rows, numbered by the block, and are found there without an index."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.bitcoin.block import read_header
from chains.bitcoin.ledger import Credit
from chains.bitcoin.ledger_rows import KnownBlock, LedgerRows, credit_rows, event_row
from chains.bitcoin.ledger_schema import EVENT_BITS, EVENTS_OF_BLOCK
from chains.bitcoin.ledger_views import EventKind
from chains.bitcoin.networks import REGTEST
from chains.errors import InvalidValue
from tests.chains.bitcoin.model import genesis

NAME = b"\x07" * 32 + b"\x01\x00\x00\x00"
outpoints = st.binary(min_size=36, max_size=36)
credited = st.builds(
    Credit, outpoints, st.sampled_from([b"a", b"b"]), st.integers(0, 10**15), st.booleans(), st.just(4)
)


@pytest.fixture
def begun() -> Iterator[tuple[LedgerRows, KnownBlock]]:
    """The rows of a new ledger in memory, and its first block."""
    rows = LedgerRows(None, REGTEST)
    yield rows, rows.insert_block(read_header(genesis().raw), 0)
    rows.connection.close()


@given(st.lists(credited))
def test_rows_of_many_credits_are_those_of_each(found: list[Credit]) -> None:
    scripts = {b"a": 11, b"b": 22}
    kinds = {True: EventKind.COINBASE, False: EventKind.CREDIT}
    assert credit_rows(found, scripts, 9) == [
        event_row(scripts[each.script], kinds[each.is_coinbase], each.value, each.position, each.outpoint, 9)
        for each in found
    ]


def test_later_events_of_a_block_stand_behind_its_first(begun: tuple[LedgerRows, KnownBlock]) -> None:
    rows, block = begun
    first, second = (event_row(script, EventKind.CREDIT, 5, 1, NAME, 0) for script in (1, 2))
    rows.insert_events(block, [first, first])
    rows.insert_events(block, [])
    rows.insert_events(block, [second])
    stored = rows.connection.execute("SELECT id, block_id, script_id FROM event ORDER BY id").fetchall()
    begin = block.row << EVENT_BITS
    assert stored == [(begin, block.row, 1), (begin + 1, block.row, 1), (begin + 2, block.row, 2)]


def test_a_block_never_takes_rows_of_the_next(begun: tuple[LedgerRows, KnownBlock]) -> None:
    rows, block = begun
    event = event_row(1, EventKind.CREDIT, 5, 1, NAME, 0)
    last = (block.row + 1 << EVENT_BITS) - 1
    rows.connection.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (last - 1, *event))
    with pytest.raises(InvalidValue, match="more events than a ledger can number"):
        rows.insert_events(block, [event, event])
    rows.insert_events(block, [event])
    assert rows.connection.execute("SELECT max(id), count(*) FROM event").fetchone() == (last, 2)
    with pytest.raises(InvalidValue, match="more events than a ledger can number"):
        rows.insert_events(block, [event])


def test_the_events_of_a_block_are_searched_and_not_scanned(begun: tuple[LedgerRows, KnownBlock]) -> None:
    rows, _ = begun
    plan = rows.connection.execute(
        f"EXPLAIN QUERY PLAN SELECT 1 FROM block AS b CROSS JOIN event ON {EVENTS_OF_BLOCK}"
        " WHERE b.active AND b.height > 5"
    ).fetchall()
    assert [step for *_, step in plan if "event" in step] == [
        "SEARCH event USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"
    ]
