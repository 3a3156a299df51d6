"""The book: sums, two times, snapshots that come true, and clients that are never netted."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import InvalidValue
from chains.types import AssetId, LocationId
from mapping.book import (
    AllocationKey,
    Book,
    Claimed,
    allocation_key,
    claimed_totals,
    entry_key,
    import_entries,
    negative_allocations,
    snapshot_entries,
    sum_entries,
)
from mapping.errors import BookError
from mapping.types import AccountClass, Allocation, EntryKind, LedgerEntry, Origin, Sourced
from tests.mapping.desk import ETH, OMNIBUS, USDC, at

START = datetime(2026, 1, 1, tzinfo=UTC)
HERE, POOL = LocationId(at(OMNIBUS)), LocationId("pool:P-1")
Row = tuple[LedgerEntry, datetime]


def moment(hours: int) -> datetime:
    """A moment some hours after the start."""
    return START + timedelta(hours=hours)


def entry(
    entry_id: str,
    units: int,
    effective: int,
    *,
    client: str = "C-1",
    account_class: AccountClass = AccountClass.CUSTOMER,
    location: LocationId = HERE,
    asset: str = ETH,
    kind: EntryKind = EntryKind.MOVEMENT,
    corrects: str = "",
) -> LedgerEntry:
    """A ledger entry, its effective time in hours after the start."""
    return LedgerEntry(
        entry_id, client, account_class, location, AssetId(asset), units, moment(effective), kind, corrects
    )


def key(client: str = "C-1", account_class: AccountClass = AccountClass.CUSTOMER) -> AllocationKey:
    """The figure of a client in ether at the omnibus wallet."""
    return AllocationKey(client, account_class, HERE, AssetId(ETH))


@st.composite
def books(draw: st.DrawFn) -> list[Row]:
    """Rows of a book: few clients, places and moments, so that they meet."""
    rows: list[Row] = []
    for number in range(draw(st.integers(0, 25))):
        gas = draw(st.integers(0, 5)) == 0
        account_class = AccountClass.PROPRIETARY if gas else draw(st.sampled_from(list(AccountClass)))
        made = entry(
            f"E-{number}",
            draw(st.integers(-(10**30), 10**30)),
            draw(st.integers(0, 5)),
            client=draw(st.sampled_from(["C-1", "C-2", "FIRM"])),
            account_class=account_class,
            location=draw(st.sampled_from([HERE, POOL])),
            asset=draw(st.sampled_from([ETH, USDC])),
            kind=EntryKind.GAS_FLOAT if gas else EntryKind.MOVEMENT,
        )
        rows.append((made, moment(draw(st.integers(0, 5)))))
    return rows


def test_an_allocation_is_the_sum_of_its_entries() -> None:
    book = Book([(entry("E-1", 10, 0), moment(0)), (entry("E-2", -4, 1), moment(1))])
    assert book.allocations(moment(0), moment(9)) == {key(): 10}
    assert book.allocations(moment(1), moment(9)) == {key(): 6}
    assert book.allocations(moment(0) - timedelta(microseconds=1), moment(9)) == {}
    assert len(book) == 2


@pytest.mark.fault("B19")
def test_as_of_one_moment_and_known_at_another() -> None:
    book = Book(
        [
            (entry("E-1", 10, 0), moment(0)),
            (entry("E-2", 5, 1), moment(4)),  # back-dated: recorded three hours after it took effect
            (entry("E-3", -1, 1, kind=EntryKind.CORRECTION, corrects="E-2"), moment(5)),
        ]
    )
    assert book.allocations(moment(2), moment(3)) == {key(): 10}
    assert book.allocations(moment(2), moment(4)) == {key(): 15}
    assert book.allocations(moment(2), moment(5)) == {key(): 14}
    assert book.allocations(moment(0), moment(5)) == {key(): 10}
    assert book.allocations(moment(9), moment(3)) == {key(): 10}


def test_naive_moments_are_refused() -> None:
    book = Book([(entry("E-1", 10, 0), moment(0))])
    for as_of, known_at in ((datetime(2026, 1, 2), moment(1)), (moment(1), datetime(2026, 1, 2))):  # noqa: DTZ001
        with pytest.raises(InvalidValue):
            book.allocations(as_of, known_at)
    with pytest.raises(InvalidValue):
        Book([(entry("E-1", 10, 0), datetime(2026, 1, 2))])  # noqa: DTZ001


def test_an_entry_is_in_a_book_once() -> None:
    with pytest.raises(BookError, match="E-1"):
        Book([(entry("E-1", 10, 0), moment(0)), (entry("E-1", 10, 0), moment(0))])


@given(books(), st.integers(-1, 6), st.integers(-1, 6))
def test_the_book_is_what_a_plain_sum_says(rows: list[Row], as_of: int, known_at: int) -> None:
    counted = [row for row, recorded in rows if row.effective_at <= moment(as_of) and recorded <= moment(known_at)]
    assert Book(rows).allocations(moment(as_of), moment(known_at)) == sum_entries(counted)


@given(books(), st.randoms(use_true_random=False))
def test_the_order_of_entries_does_not_matter(rows: list[Row], chance: random.Random) -> None:
    shuffled = list(rows)
    chance.shuffle(shuffled)
    one, other = Book(rows), Book(shuffled)
    for hours in (0, 3, 5):
        assert one.allocations(moment(hours), moment(5)) == other.allocations(moment(hours), moment(5))
        assert one.claimed_totals(moment(5), moment(hours)) == other.claimed_totals(moment(5), moment(hours))


@given(books())
def test_claimed_is_the_sum_of_the_allocations_of_each_place(rows: list[Row]) -> None:
    book = Book(rows)
    allocations = book.allocations(moment(5), moment(5))
    totals = book.claimed_totals(moment(5), moment(5))
    for place in {(each.location_id, each.asset_id) for each in allocations}:
        here = {k: units for k, units in allocations.items() if (k.location_id, k.asset_id) == place}
        assert totals[place].total == sum(units for k, units in here.items() if not k.is_gas_float)
        assert totals[place].gas_float == sum(units for k, units in here.items() if k.is_gas_float)
    assert set(totals) == {(each.location_id, each.asset_id) for each in allocations}


def test_claims_are_split_by_whose_they_are() -> None:
    allocations = {
        key(): 10,
        key("C-2", AccountClass.PAB): 5,
        key("FIRM", AccountClass.PROPRIETARY): 3,
        AllocationKey("FIRM", AccountClass.PROPRIETARY, HERE, AssetId(ETH), True): 2,
    }
    assert claimed_totals(allocations) == {(HERE, AssetId(ETH)): Claimed(clients=15, proprietary=3, gas_float=2)}
    assert claimed_totals(allocations)[HERE, AssetId(ETH)].total == 18


@pytest.mark.fault("D3")
def test_one_clients_negative_stays_a_finding_whatever_the_others_own() -> None:
    book = Book(
        [
            (entry("E-1", 100, 0, client="C-2"), moment(0)),
            (entry("E-2", -30, 0), moment(0)),
            (entry("E-3", 30, 0, asset=USDC), moment(0)),
        ]
    )
    assert book.negative_allocations(moment(1), moment(1)) == [(key(), -30)]
    assert book.claimed_totals(moment(1), moment(1))[HERE, AssetId(ETH)].clients == 70
    assert Book([(entry("E-2", 30, 0), moment(0))]).negative_allocations(moment(1), moment(1)) == []


@pytest.mark.fault("D3")
@given(books())
def test_every_negative_figure_is_found(rows: list[Row]) -> None:
    allocations = Book(rows).allocations(moment(5), moment(5))
    assert dict(negative_allocations(allocations)) == {k: units for k, units in allocations.items() if units < 0}


@given(books(), st.data())
def test_a_snapshot_makes_the_book_say_what_it_states(rows: list[Row], data: st.DataObject) -> None:
    as_of = moment(data.draw(st.integers(0, 5)))
    known = moment(6)
    book = Book(rows)
    keys = sorted({entry_key(row) for row, _ in rows})
    stated = [
        Sourced(
            Allocation(
                k.client_id,
                k.account_class,
                k.location_id,
                k.asset_id,
                data.draw(st.integers(0, 10**30)),
                as_of,
                k.is_gas_float,
            ),
            Origin("allocations.csv", "d" * 64, line),
        )
        for line, k in enumerate(keys, 2)
    ]
    made = snapshot_entries(stated, lambda asked: book.allocations(asked, known))
    assert made == snapshot_entries(stated, lambda asked: book.allocations(asked, known))
    assert len({each.record.entry_id for each in made}) == len(made)
    after = Book([*rows, *((each.record, known) for each in made)])
    figures = after.allocations(as_of, known)
    assert {allocation_key(row.record): row.record.base_units for row in stated if row.record.base_units} == figures
    assert after.allocations(as_of, moment(5)) == book.allocations(as_of, moment(5))
    # What moves after the snapshot still moves by the same amounts.
    late = moment(9)
    for k in keys:
        moved = book.allocations(late, known).get(k, 0) - book.allocations(as_of, known).get(k, 0)
        assert after.allocations(late, known).get(k, 0) == figures.get(k, 0) + moved


def test_an_equal_snapshot_makes_no_entry() -> None:
    row = Allocation("C-1", AccountClass.CUSTOMER, HERE, AssetId(ETH), 10, moment(1))
    stated = [Sourced(row, Origin("allocations.csv", "d" * 64, 2))]
    assert snapshot_entries(stated, lambda _: {key(): 10}) == []
    made = snapshot_entries(stated, lambda _: {key(): 4})
    assert [(each.record.base_units, each.record.kind) for each in made] == [(6, EntryKind.SNAPSHOT)]
    assert made[0].record.entry_id == f"snapshot:{'d' * 64}:2"
    assert made[0].origin == stated[0].origin


def test_a_gas_float_in_a_snapshot_stays_one() -> None:
    row = Allocation("FIRM", AccountClass.PROPRIETARY, HERE, AssetId(ETH), 10, moment(1), True)
    made = snapshot_entries([Sourced(row, Origin("allocations.csv", "d" * 64, 2))], lambda _: {})
    assert made[0].record.kind is EntryKind.GAS_FLOAT
    assert entry_key(made[0].record) == allocation_key(row)


def test_the_movements_of_an_import_come_before_its_snapshots() -> None:
    origin = Origin("f", "d" * 64, 2)
    snapshot = Sourced(Allocation("C-1", AccountClass.CUSTOMER, HERE, AssetId(ETH), 10, moment(2)), origin)
    before, after = Sourced(entry("E-1", 4, 2), origin), Sourced(entry("E-2", 7, 3), origin)
    made = import_entries([snapshot, before, after], lambda _: {key(): 1})
    assert [each.record.base_units for each in made] == [4, 7, 5]
    book = Book([(entry("E-0", 1, 0), moment(0)), *((each.record, moment(4)) for each in made)])
    assert book.allocations(moment(2), moment(4)) == {key(): 10}
    assert book.allocations(moment(3), moment(4)) == {key(): 17}


@given(books(), st.integers(0, 6))
def test_the_timeline_is_the_book_at_each_of_its_moments(rows: list[Row], known_at: int) -> None:
    book = Book(rows)
    timeline = dict(book.timeline(moment(known_at)))
    for k, steps in timeline.items():
        assert all(one[0] < other[0] and one[1] != other[1] for one, other in pairwise(steps))
        for at_moment, units in steps:
            assert book.allocations(at_moment, moment(known_at)).get(k, 0) == units
    for k in book.allocations(moment(9), moment(known_at)):
        assert timeline[k][-1][1] == book.allocations(moment(9), moment(known_at))[k]
