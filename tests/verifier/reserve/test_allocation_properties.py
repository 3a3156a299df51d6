"""What holds for all books: one cent is one cent, order is nothing, every unit stands somewhere, nothing below zero."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.reserve.computation import Occasion, ReserveComputation, ReserveInputs, Scope, compute, parse_inputs
from exports.reserve.frequency import Frequency, Method
from exports.reserve.policies import PolicySet
from mapping.books import Books
from mapping.books_types import (
    AccountRelation,
    AccountType,
    HolderClass,
    LienKind,
    OwnerRelation,
    StockLine,
    StockPlace,
    StockSide,
)
from tests.verifier.reserve.books import ACME, ZETA, account, at, books, derived, lien, lines, long, ordered, short
from tests.verifier.reserve.make import AS_OF, POLICIES
from verifier.reserve.allocation import DerivedItems
from verifier.reserve.allocation_order import ALLOCATION_ORDERS, Owner, Place

ACCOUNTS = [f"{holder}-{number}" for holder in HolderClass for number in range(2)]
PLACES = [place for place in StockPlace if place is not StockPlace.ACCOUNT]
TWO_SIDED = (StockPlace.SUSPENSE, StockPlace.COUNT_DIFFERENCE)


@st.composite
def any_line(draw: st.DrawFn, line_id: str) -> StockLine:
    units, security = draw(st.integers(1, 50)), draw(st.sampled_from([ACME, ZETA]))
    if draw(st.booleans()):
        side = draw(st.sampled_from([long, long, short]))
        return side(line_id, draw(st.sampled_from(ACCOUNTS)), units, security, "3.333")
    place = draw(st.sampled_from(PLACES))
    side_of = draw(st.sampled_from(StockSide)) if place in TWO_SIDED else None
    reference = draw(st.sampled_from(["L1", "L2"])) if place is StockPlace.BANK_LOAN else ""
    whose = draw(st.sampled_from(["", "", *ACCOUNTS]))
    aged = draw(st.sampled_from([1, 30, 31, 41]))
    more: dict[str, Any] = {"reference": reference, "account_id": whose}
    if place is StockPlace.CLEARING_MARGIN:
        place = StockPlace.BOX
    return at(line_id, place, units, draw(st.integers(0, 10_000)), aged, security, "3.333", side_of, **more)


@st.composite
def any_books(draw: st.DrawFn) -> Books:
    """Balances of every class, and lines of two securities that need not balance."""
    balances = [
        account(
            each,
            draw(st.integers(-10_000, 10_000)),
            HolderClass(each.rpartition("-")[0]),
            draw(st.sampled_from([AccountType.CASH, AccountType.MARGIN, AccountType.SHORT])),
        )
        for each in ACCOUNTS
    ]
    stock = [draw(any_line(f"line-{number}")) for number in range(draw(st.integers(0, 8)))]
    loans = (lien("L1", draw(st.integers(0, 5_000)), LienKind.CUSTOMERS), lien("L2", draw(st.integers(0, 5_000))))
    return books(balances, stock, liens=loans)


def computed(found: DerivedItems, method: Method = Method.BASIC) -> ReserveComputation:
    inputs = ReserveInputs(
        AS_OF,
        Occasion.REGULAR,
        method,
        Frequency.WEEKLY,
        Frequency.WEEKLY,
        found.customer,
        found.pab,
        found.pab_swept,
        POLICIES,
        Scope.BOTH,
        found.origin(),
    )
    assert parse_inputs(inputs.canonical()) == inputs
    return compute(inputs)


def orders() -> st.SearchStrategy[PolicySet]:
    return st.sampled_from([ordered(order, lien_share=share) for order in ALLOCATION_ORDERS for share in SHARES])


SHARES = ("up_to_market_value", "in_proportion")


@given(any_books(), orders(), st.integers(0, 2**32))
def test_the_order_of_the_rows_is_nothing(of: Books, policies: PolicySet, seed: int) -> None:
    random = Random(seed)
    mixed = replace(
        of,
        accounts=tuple(random.sample(of.accounts, len(of.accounts))),
        stock=tuple(random.sample(of.stock, len(of.stock))),
        liens=of.liens[::-1],
    )
    assert derived(mixed, policies) == derived(of, policies)


@given(any_books(), orders())
def test_every_unit_of_both_sides_stands_in_exactly_one_allocation(of: Books, policies: PolicySet) -> None:
    found = derived(of, policies).allocations
    owned: Counter[tuple[str, str]] = Counter()
    placed: Counter[str] = Counter()
    for each in found:
        owned[each.security_id, each.owner_line or each.owner] += each.base_units
        placed[each.place_line] += each.base_units
    wanted: Counter[tuple[str, str]] = Counter()
    for line in of.stock:
        if line.side is StockSide.SHORT:
            assert placed[line.line_id] == line.base_units
        elif line.place is StockPlace.ACCOUNT:
            wanted[line.security_id, line.account_id.rpartition("-")[0]] += line.base_units
        else:
            wanted[line.security_id, line.line_id] += line.base_units
    assert Counter({key: units for key, units in owned.items() if key[1] != Owner.UNKNOWN}) == wanted
    both = [each for each in found if each.owner is Owner.UNKNOWN and each.place is Place.MISSING]
    assert both == []


@given(any_books(), orders())
def test_a_security_never_misses_both_an_owner_and_a_place(of: Books, policies: PolicySet) -> None:
    found = derived(of, policies).allocations
    for security in (ACME, ZETA):
        own = [each for each in found if each.security_id == security]
        missing = sum(each.base_units for each in own if each.place is Place.MISSING)
        unknown = sum(each.base_units for each in own if each.owner is Owner.UNKNOWN)
        sides = Counter(dict.fromkeys(StockSide, 0))
        for line in of.stock:
            sides[line.side] += line.base_units if line.security_id == security else 0
        assert missing - unknown == sides[StockSide.LONG] - sides[StockSide.SHORT]
        assert not (missing and unknown)


@pytest.mark.fault("D7")
@given(any_books(), orders())
def test_nothing_is_negative_and_pab_never_funds_customers(of: Books, policies: PolicySet) -> None:
    found = derived(of, policies)
    result = computed(found)
    assert min(result.customer.required, result.pab.required) >= 0
    assert all(row.cents > 0 for row in found.rows)
    richer = [
        replace(each, debit_balance=10**9, credit_balance=0) if each.holder_class is HolderClass.PAB else each
        for each in of.accounts
    ]
    assert computed(derived(replace(of, accounts=tuple(richer)), policies)).customer == result.customer


@given(any_books(), st.sampled_from(ACCOUNTS))
def test_one_cent_in_one_account_moves_the_result_by_one_cent(of: Books, account_id: str) -> None:
    """A credit exactly; a debit too, but for the one percent of Note E(3) that is taken of their sum."""
    one = next(each for each in of.accounts if each.account_id == account_id)
    is_debit = one.debit_balance > 0
    more = replace(one, credit_balance=one.credit_balance + (not is_debit), debit_balance=one.debit_balance + is_debit)
    # Concentration is measured against the debits and moves with them: it has tests of its own.
    plain = replace(of, stock=())
    moved = replace(plain, accounts=tuple(more if each is one else each for each in plain.accounts))
    before, after = derived(plain), derived(moved)
    for kind, items in ((HolderClass.CUSTOMER, 0), (HolderClass.PAB, 1)):
        first, second = lines(before)[items], lines(after)[items]
        changed = {number: second.get(number, 0) - first.get(number, 0) for number in (1, 10)}
        own = one.holder_class is kind
        assert changed == {1: int(own and not is_debit), 10: int(own and is_debit)}
    was, now = computed(before).customer, computed(after).customer
    difference = now.total_credits - now.total_debits - (was.total_credits - was.total_debits)
    if one.holder_class is not HolderClass.CUSTOMER:
        assert difference == 0
    else:
        assert difference in ((-1, 0) if is_debit else (1,))


@given(any_books())
def test_every_line_is_the_sum_of_its_rows_and_says_its_paragraph(of: Books) -> None:
    found = derived(of)
    for items in (found.customer, found.pab):
        for line in items.lines:
            own = [row for row in found.rows if row.computation is items.account_class and row.item == line.number]
            assert line.cents == sum(row.cents for row in own)
            assert all(f"item {line.number}" in row.source for row in own)


@st.composite
def any_relation(draw: st.DrawFn, account_id: str) -> AccountRelation:
    return AccountRelation(
        account_id,
        AS_OF,
        draw(st.sampled_from(["", "group-1", "group-2"])),
        draw(st.sampled_from(OwnerRelation)),
        draw(st.sampled_from([Fraction(0), Fraction(1, 20), Fraction(1, 3), Fraction(3, 4)])),
        draw(st.booleans()),
        draw(st.integers(0, 3_000)),
        relief_excepted=draw(st.integers(0, 1_000)),
    )


@given(any_books(), st.integers(0, 20_000), st.data())
def test_what_note_e_takes_out_and_what_is_left_are_the_debits(of: Books, capital: int, data: st.DataObject) -> None:
    relations = tuple(data.draw(any_relation(each)) for each in ACCOUNTS if data.draw(st.booleans()))
    found = derived(replace(of, relations=relations), capital=capital)
    for holder, items in ((HolderClass.CUSTOMER, found.customer), (HolderClass.PAB, found.pab)):
        gross = sum(each.debit_balance for each in of.accounts if each.holder_class is holder)
        out = sum(each.cents for each in found.excluded if each.computation == items.account_class and each.item == 10)
        assert items.cents(10) + out == gross
    balances = {f"account:{each.account_id}": each.debit_balance for each in of.accounts}
    assert all(0 < row.cents <= balances[row.row_id] for row in found.rows if row.item == 10)


@pytest.mark.parametrize("place", [StockPlace.STOCK_LOAN, StockPlace.FAIL_TO_RECEIVE, StockPlace.BANK_LOAN])
@given(st.tuples(*[st.integers(0, 20)] * 4), st.integers(1, 20), st.integers(0, 10_000))
def test_the_default_never_requires_less_than_firm_first_where_one_kind_of_place_is_used(
    place: StockPlace, held: tuple[int, int, int, int], used: int, cents: int
) -> None:
    """Of several kinds at once the order decides which the firm keeps: that can go either way, and is a choice."""
    owners = zip(("customer-0", "firm-0", "non_customer-0", "pab-0"), held, strict=True)
    stock = [long(f"l-{name}", name, units) for name, units in owners if units]
    stock.append(at("U", place, min(used, max(1, sum(held))), cents, reference="L2"))
    if sum(held) > used:
        stock.append(at("B", StockPlace.BOX, sum(held) - used))
    accounts = [account(each, 0, HolderClass(each.rpartition("-")[0])) for each in ACCOUNTS]
    of = books(accounts, stock, liens=(lien("L2", cents),))
    default, other = computed(derived(of)), computed(derived(of, ordered("offsets_then_firm_first")))
    assert default.customer.required >= other.customer.required


@pytest.mark.fault("D4")
def test_a_fraction_of_a_cent_goes_against_the_firm_once_for_each_line() -> None:
    accounts = [account("customer-0"), account("pab-0", 0, HolderClass.PAB)]
    lent = at("X", StockPlace.STOCK_LOAN, 3, 100, price="0")
    stock = [long("a", "customer-0", 1, price="0"), long("b", "pab-0", 2, price="0"), lent]
    assert lines(derived(books(accounts, stock))) == ({3: 34}, {3: 67})
    borrowed = at("Y", StockPlace.STOCK_BORROW, 3, 100, price="0")
    stock = [short("a", "customer-0", 1, price="0"), short("b", "pab-0", 2, price="0"), borrowed]
    assert lines(derived(books(accounts, stock))) == ({11: 33}, {11: 66})
