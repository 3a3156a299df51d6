"""What is kept as plain reads says the same as the records that the rules would have made of each of them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chains.types import Address, Asset, AssetId, BalanceObservation, LocationId
from mapping.types import Position, Wallet
from tests.verifier.rules.make import (
    ETH,
    MOMENT,
    NOON,
    PIN,
    USDC,
    address,
    block,
    claim,
    claims,
    moved,
    observed,
    place,
    read,
    statement,
    wallet,
)
from verifier.records import Status
from verifier.rules import structure
from verifier.rules.claims import Claim
from verifier.rules.findings import reconciliation_findings
from verifier.rules.holdings import MappedHolding
from verifier.rules.reconcile import Comparisons, reconcile, reconcile_all, tally
from verifier.rules.rollforward import Key, RollForward, RollForwards, Still, roll_forward_all
from verifier.rules.structure import structure_findings
from verifier.rules.surroundings import Surroundings

Row = tuple[int | str | None, Claim | None, str, Asset]
"""What was read at a place, what the books claim, what kind of place it is, and of which asset."""

CLAIMS = st.one_of(
    st.none(),
    st.builds(
        claim,
        st.integers(-1, 3),
        st.integers(-1, 3),
        gas_float=st.integers(0, 2),
        firm=st.integers(0, 1),
    ),
    st.builds(claim, st.integers(0, 3)),
)
MOMENTS = st.sampled_from([NOON, NOON - timedelta(seconds=5), NOON - timedelta(days=1)])
READS = st.one_of(st.none(), st.just("failed"), st.just("other block"), st.integers(0, 3))
KINDS = st.sampled_from(["open", "open", "open", "closed", "pool", "stated"])
ROWS = st.lists(st.tuples(READS, CLAIMS, KINDS, st.sampled_from([USDC, ETH])), min_size=1, max_size=12)


class Firm:
    """Some holdings with whatever can be true of each."""

    def __init__(self, rows: list[Row], books_as_of: datetime = NOON) -> None:
        self.books_as_of = books_as_of
        self.plan: list[MappedHolding] = []
        self.books: dict[tuple[LocationId, AssetId], Claim] = {}
        self.reads: dict[Key, BalanceObservation] = {}
        self.stated: list[Position] = []
        self.wallets: dict[Address, Wallet] = {}
        for number, (seen, claimed, kind, asset) in enumerate(rows, 1):
            at = address(number)
            addresses = (at, address(1_000 + number)) if kind == "pool" else (at,)
            location = LocationId(f"pool:{number:04}") if kind == "pool" else place(at)
            self.plan.append(MappedHolding(location, asset, addresses, kind == "pool", kind == "closed"))
            closed_on = (PIN.timestamp - timedelta(days=2)).date() if kind == "closed" else None
            for each in addresses:
                self.wallets[each] = wallet(each, closed_on=closed_on)
                if isinstance(seen, int):
                    self.reads |= observed(read(each, asset, seen))
                elif seen is not None:
                    failed = seen == "failed"
                    found = read(each, asset, None if failed else 1, pin=PIN if failed else block(99))
                    self.reads |= observed(found)
            if claimed is not None:
                self.books[location, asset.asset_id] = claimed._replace(as_of=books_as_of)
            if kind == "stated":
                self.stated.append(statement(2, at=location, asset=asset))
        self.plan.sort(key=lambda each: (each.location_id, each.asset.asset_id))
        self.around = Surroundings(PIN, PIN.timestamp.date(), self.wallets, {})

    def compared(self) -> Comparisons:
        return reconcile_all(self.plan, self.reads, claims(self.books, self.books_as_of), self.stated, MOMENT)


@example([(1, claim(1), "pool", USDC)], NOON)
@example([(1, claim(1), "closed", USDC)], NOON)
@example([(1, claim(1), "stated", USDC)], NOON)
@example([(1, claim(1), "open", USDC)], NOON - timedelta(days=1))
@given(ROWS, MOMENTS)
def test_a_plain_holding_is_what_comparing_it_in_full_gives(rows: list[Row], books_as_of: datetime) -> None:
    firm = Firm(rows, books_as_of)
    compared = firm.compared()
    in_full = []
    for each in firm.plan:
        claimed = firm.books.get((each.location_id, each.asset.asset_id))
        own = [
            said
            for said in firm.stated
            if said.location_id == each.location_id and said.asset_id == each.asset.asset_id
        ]
        in_full.append(reconcile(each, firm.reads, claimed, own, MOMENT))
    assert list(compared) == in_full
    assert list(compared[1:]) == in_full[1:]
    assert compared.tally() == tally(in_full)


@given(ROWS)
def test_a_plain_holding_has_nothing_to_be_found(rows: list[Row]) -> None:
    firm = Firm(rows)
    compared = firm.compared()
    told = {index for index, _ in compared.not_plain}
    for index, each in enumerate(firm.plan):
        claimed = firm.books.get((each.location_id, each.asset.asset_id))
        found = reconciliation_findings(compared[index], each, claimed, firm.reads, firm.around)
        assert index in told or not found


@given(ROWS)
def test_locations_of_one_client_hide_no_breach(rows: list[Row]) -> None:
    firm = Firm(rows)
    found = structure_findings(firm.plan, claims(firm.books), firm.around)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structure, "_not_one_clients", lambda owners: {place for place, _ in owners})
        assert structure_findings(firm.plan, claims(firm.books), firm.around) == found


def test_most_holdings_are_plain_and_a_difference_of_one_is_not() -> None:
    rows: list[Row] = [(number, claim(number), "open", USDC) for number in range(9)]
    assert not list(Firm(rows).compared().not_plain)
    rows[3] = (4, claim(3), "open", USDC)
    ((index, record),) = Firm(rows).compared().not_plain
    assert (index, record.difference, record.status) == (3, 1, Status.DIVERGED)
    assert not list(Firm([(0, None, "open", USDC)]).compared().not_plain)


def test_records_alone_are_comparisons_too() -> None:
    firm = Firm([(1, claim(1), "open", USDC), (1, claim(2), "open", USDC)])
    records = list(firm.compared())
    assert list(Comparisons.of(records)) == records
    assert [each for _, each in Comparisons.of(records).not_plain] == records
    assert Comparisons.of(records).tally() == firm.compared().tally()


ENDS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(0, 2)),
        st.sampled_from([90, 95, 110, 120]),
        st.one_of(st.none(), st.integers(0, 2)),
    ),
    min_size=1,
    max_size=12,
)


@given(
    ENDS, st.lists(st.tuples(st.integers(1, 12), st.integers(0, 2)), max_size=3), st.sampled_from([None, 91, 96, 101])
)
def test_balances_that_stood_still_give_the_equation_they_stand_for(
    ends: list[tuple[int | None, int, int | None]], moves: list[tuple[int, int]], covered: int | None
) -> None:
    """The same reads with a movement of nothing at each of them are made in full."""
    closed_at = block(110)
    opened = observed(
        *(
            read(address(n), USDC, units, pin=block(height))
            for n, (units, height, _) in enumerate(ends, 1)
            if units is not None
        )
    )
    closed = observed(*(read(address(n), USDC, units, pin=closed_at) for n, (_, _, units) in enumerate(ends, 1)))
    transfers = [moved(units, sender=address(n), asset=USDC, height=105) for n, units in moves]
    rolls = roll_forward_all(opened, closed, transfers, covered)
    nothing = [moved(0, sender=address(n), asset=USDC, height=height) for n in range(1, 13) for height in (91, 96, 110)]
    in_full = roll_forward_all(opened, closed, [*transfers, *nothing], covered)
    assert list(rolls) == list(in_full)
    assert list(rolls.unsettled()) == [each for each in rolls if each.status is not Status.MATCHED]
    assert list(rolls[1:]) == list(rolls)[1:]


def test_a_still_balance_is_kept_as_its_reads() -> None:
    opened, closed = (
        observed(read(address(1), USDC, 5, pin=block(90))),
        observed(read(address(1), USDC, 5, pin=block(110))),
    )
    rolls = roll_forward_all(opened, closed, [], 91)
    assert isinstance(rolls.parts[0], Still)
    assert rolls[0] == RollForward(address(1), USDC, block(90), block(110), 5, 0, 0, 0, 5)
    changed = roll_forward_all(opened, observed(read(address(1), USDC, 6, pin=block(110))), [], 91)
    assert [each.remainder for each in changed.unsettled()] == [1]
    uncovered = roll_forward_all(opened, closed, [], 92)
    assert [each.status for each in uncovered.unsettled()] == [Status.UNVERIFIED]
    assert not RollForwards()
