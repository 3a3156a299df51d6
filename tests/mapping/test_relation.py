"""The mapping of clients to addresses over time, read from the book."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chains.types import Address, AssetId, ChainId, LocationId
from mapping.book import Book
from mapping.relation import MappingRow, mapping_rows
from mapping.types import PoolMember, Structure, Wallet
from tests.mapping.desk import AAPL, ELSEWHERE, OMNIBUS, POOLED, at
from tests.mapping.test_book import POOL, START, Row, books, entry, moment

ETHEREUM = ChainId("eip155:1")


def wallet(address: str) -> Wallet:
    """An omnibus wallet."""
    return Wallet(
        ETHEREUM,
        Address(address),
        Structure.OMNIBUS,
        "title",
        "custodian",
        "",
        "mpc",
        1,
        1,
        (("firm", 1),),
        True,
        False,
        date(2025, 1, 1),
    )


def member(address: str, begin: date, end: date | None = None) -> PoolMember:
    """A membership of pool P-1."""
    return PoolMember("P-1", ETHEREUM, Address(address), begin, end)


def rows_of(entries: list[Row], members: list[PoolMember] | None = None, known: int = 999) -> list[MappingRow]:
    """The mapping of a book."""
    wallets = [wallet(OMNIBUS), wallet(POOLED), wallet(ELSEWHERE)]
    return list(mapping_rows(Book(entries), wallets, members or [], moment(known)))


def test_a_row_lasts_while_the_figure_is_not_zero() -> None:
    entries = [(entry("E-1", 5, 1), START), (entry("E-2", -5, 3), START), (entry("E-3", 2, 7), START)]
    rows = rows_of(entries)
    assert [(row.from_time, row.to_time) for row in rows] == [(moment(1), moment(3)), (moment(7), None)]
    assert rows[0].address == OMNIBUS
    assert rows[0].structure is Structure.OMNIBUS
    assert [rows[0].holds_at(moment(hour)) for hour in (0, 1, 2, 3)] == [False, True, True, False]
    assert rows[1].holds_at(moment(1000))


def test_one_client_many_addresses_and_one_address_many_clients() -> None:
    entries = [
        (entry("E-1", 5, 1), START),
        (entry("E-2", 5, 1, client="C-2"), START),
        (entry("E-3", 5, 1, location=LocationId(at(ELSEWHERE))), START),
    ]
    pairs = {(row.client_id, row.address) for row in rows_of(entries)}
    assert pairs == {("C-1", OMNIBUS), ("C-2", OMNIBUS), ("C-1", ELSEWHERE)}


def test_what_was_not_known_yet_is_not_in_the_mapping() -> None:
    entries = [(entry("E-1", 5, 1), moment(4))]
    assert rows_of(entries, known=3) == []
    assert len(rows_of(entries, known=4)) == 1


def test_a_pool_is_behind_each_of_its_wallets_while_they_are_in_it() -> None:
    entries = [(entry("E-1", 5, 0, location=POOL), START)]
    members = [member(POOLED, date(2026, 1, 3), date(2026, 1, 5)), member(OMNIBUS, date(2026, 1, 4))]
    found = [(row.address, row.from_time, row.to_time) for row in rows_of(entries, members)]
    day = [datetime(2026, 1, number, tzinfo=UTC) for number in range(1, 8)]
    assert found == [(POOLED, day[2], day[5]), (OMNIBUS, day[3], None), (None, day[0], day[2])]
    assert all(row.location_id == POOL for row in rows_of(entries, members))


def test_places_outside_any_chain_have_no_address() -> None:
    row = rows_of([(entry("E-1", 5, 1, location=LocationId("dtc:0123"), asset=AAPL), START)])[0]
    assert (row.chain_id, row.address, row.structure, row.location_id) == (None, None, None, "dtc:0123")


def test_a_row_is_found_by_any_of_its_ids() -> None:
    row = rows_of([(entry("E-1", 5, 1), START)])[0]
    for text in ("c-1", "slip44", OMNIBUS[2:12].lower(), "eip155:1"):
        assert row.mentions(text)
    assert not row.mentions("C-2")


@given(books(), st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=2))
def test_the_mapping_says_what_the_book_says_at_every_moment(rows: list[Row], spans: list[tuple[int, int]]) -> None:
    begin = date(2026, 1, 1)
    members = [
        member(address, begin + timedelta(days=first), begin + timedelta(days=first + length))
        for address, (first, length) in zip((OMNIBUS, POOLED), spans, strict=False)
    ]
    mapping = rows_of(rows, members)
    book = Book(rows)
    for hour in range(7):
        held = {
            (key.client_id, key.account_class, key.is_gas_float, key.location_id, key.asset_id)
            for key in book.allocations(moment(hour), moment(999))
        }
        mapped = {
            (row.client_id, row.account_class, row.is_gas_float, row.location_id, AssetId(row.asset_id))
            for row in mapping
            if row.holds_at(moment(hour))
        }
        assert mapped == held
