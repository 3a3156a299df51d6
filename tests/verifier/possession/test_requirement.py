"""What must be in possession or control: fully paid, excess margin at 140 percent, whose it is, and which units."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.types import AssetId
from exports.possession.errors import ReviewRefused
from exports.possession.margin import FREE_PERCENT, Scale, all_locks, excess_margin
from exports.possession.types import Holder, Holding, Issue, IssueKind, Move
from mapping.books_types import AccountRelation, AccountType, HolderClass, StockPlace, StockSide
from mapping.types import LegalClass
from tests.verifier.possession.make import AS_OF, A, B, C, Record, account, books, policy, review

MARGIN, CASH, SHORT, OMNIBUS = AccountType.MARGIN, AccountType.CASH, AccountType.SHORT, AccountType.OMNIBUS
ISSUES = {
    name: Issue(name, IssueKind.SECURITY, decimals, Decimal(price), False)
    for name, decimals, price in ((A, 0, "10"), (B, 0, "33.333"), (C, 6, "0.07"))
}
SCALE = Scale.of(ISSUES.values())


def required(record: Record, *accounts: object, **more: object) -> tuple[int, int]:
    """Fully paid and excess margin units of A."""
    own = [each for each in accounts if each.__class__.__name__ == "Policy"]
    rows = [each for each in accounts if each not in own]
    found = review(books(record, rows, **more), *own).of(A)  # type: ignore[arg-type]
    assert found is not None
    return found.need.fully_paid, found.need.excess_margin


@pytest.mark.parametrize(
    ("debit", "locked"),
    [
        (0, 100),  # nothing owed: all of it is excess margin
        (1, 100),  # 1.40 cents stay free, which is no share of ten dollars
        (714_28, 1),  # 999.992 dollars may stay free of 1,000
        (714_29, 0),  # 1,000.006 may
        (357_14, 51),  # 499.996: a part of a share locks a whole one
        (357_15, 50),
    ],
)
def test_what_is_above_140_percent_of_the_debits_is_locked_up(debit: int, locked: int) -> None:
    record = Record()
    record.owns("M", 100)
    assert required(record, account("M", MARGIN, debit=debit)) == (0, locked)


def test_the_accounts_of_one_owner_are_combined() -> None:
    record = Record()
    record.owns("M1", 100)
    record.owns("M2", 100)
    owners = [account("M1", MARGIN, client="X", debit=1_000_00), account("M2", MARGIN, client="X")]
    assert required(record, *owners) == (0, 60)  # 2,000 dollars of shares against 1,400 for both accounts
    apart = [account("M1", MARGIN, debit=1_000_00), account("M2", MARGIN)]
    assert required(record, *apart) == (0, 100)  # each by itself: nothing of the first, all of the second


def test_a_credit_of_short_sales_lowers_no_debit() -> None:
    record = Record()
    record.owns("M", 100)
    owners = [account("M", MARGIN, client="X", debit=500_00), account("S", SHORT, client="X", credit=400_00)]
    assert required(record, *owners) == (0, 30)
    owing = [owners[0], account("S", SHORT, client="X", debit=100_00)]
    assert required(record, *owing) == (0, 16)  # a debit of any margin account counts


def test_a_cash_account_is_fully_paid_whatever_it_owes_unless_the_firm_reads_it_otherwise() -> None:
    record = Record()
    record.owns("C", 100)
    owing = account("C", CASH, debit=500_00)
    assert required(record, owing) == (100, 0)
    assert required(record, owing, policy("cash_account_debit", "margin")) == (0, 30)
    assert required(record, account("C", CASH), policy("cash_account_debit", "margin")) == (100, 0)


def test_whose_securities_they_are() -> None:
    record = Record()
    for name in ("CUSTOMER", "OMNIBUS", "PAB", "NOTICE", "OFFICER", "FIRM"):
        record.owns(name, 100)
    accounts = [
        account("CUSTOMER"),
        account("OMNIBUS", OMNIBUS),
        account("PAB", holder=HolderClass.PAB),
        account("NOTICE", holder=HolderClass.PAB),
        account("OFFICER", holder=HolderClass.NON_CUSTOMER),
        account("FIRM", holder=HolderClass.FIRM),
    ]
    notice = AccountRelation("NOTICE", AS_OF, pab_use_notice_on=AS_OF)
    assert required(record, *accounts, relations=[notice]) == (200, 100)
    late = replace(notice, pab_use_notice_on=AS_OF.replace(day=3))
    assert required(record, *accounts, relations=[late]) == (300, 100)


def test_a_customer_and_a_pab_account_of_one_owner_are_not_combined() -> None:
    record = Record()
    record.owns("C", 100)
    record.owns("P", 100)
    accounts = [
        account("C", MARGIN, client="X", debit=1_000_00),
        account("P", MARGIN, client="X", holder=HolderClass.PAB),
    ]
    assert required(record, *accounts) == (0, 100)


def test_what_the_firm_borrows_from_a_customer_without_agreement_stays_fully_paid() -> None:
    record = Record()
    record.line(StockPlace.STOCK_BORROW, 40, side=StockSide.LONG, account_id="C", days=3)
    record.line(StockPlace.STOCK_BORROW, 7, side=StockSide.LONG, days=3)  # from another broker-dealer
    record.in_dtc(1)
    agreed = AccountRelation("C", AS_OF, fully_paid_lending_agreement_on=AS_OF)
    assert required(record, account("C")) == (40, 0)
    assert required(record, account("C"), relations=[agreed]) == (0, 0)


def test_rows_that_contradict_or_are_missing_are_refused() -> None:
    record = Record()
    record.owns("C", 1)
    with pytest.raises(ReviewRefused, match="names the account C, which has no balance"):
        review(books(record, []))
    with pytest.raises(ReviewRefused, match="not in the asset table"):
        review(replace(books(record, [account("C")]), assets=()))
    record.prices[A] = Decimal(11)
    record.owns("C", 1)
    with pytest.raises(ReviewRefused, match="two prices"):
        review(books(record, [account("C")]))


def test_the_selection_is_a_policy() -> None:
    record = Record()
    record.owns("M", 100, A)
    record.owns("M", 100, B)
    found = books(record, [account("M", MARGIN, debit=500_00)])  # 700 of 2,000 dollars stay free
    in_order = review(found).issues
    assert [each.need.excess_margin for each in in_order] == [100, 30]
    each_part = review(found, policy("excess_margin_selection", "proportional")).issues
    assert [each.need.excess_margin for each in each_part] == [65, 65]


def test_what_is_no_security_is_shown_and_never_short() -> None:
    record = Record()
    record.owns("C", 100)
    for kind, deficit, unverified in (
        (LegalClass.SECURITY, 100, ""),
        (LegalClass.UNDETERMINED, 100, "its legal class is undetermined"),
        (LegalClass.NON_SECURITY_CRYPTO, 0, ""),
        (LegalClass.PAYMENT_STABLECOIN, 0, ""),
    ):
        found = review(books(record, [account("C")], classes={A: kind})).of(A)
        assert found is not None
        assert (found.need.required, found.gap, found.deficit, found.unverified) == (100, 100, deficit, unverified)


holdings = st.lists(
    st.tuples(st.sampled_from([A, B, C]), st.integers(1, 10**6)), min_size=1, max_size=3, unique_by=lambda each: each[0]
)


def holder(positions: list[tuple[AssetId, int]], debit: int, name: str = "customer:X") -> Holder:
    return Holder(name, debit, tuple(Holding(security, 0, units) for security, units in sorted(positions)))


def worth(units: dict[AssetId, int]) -> int:
    return sum(count * SCALE.unit_values[name] for name, count in units.items()) * 100


@given(holdings, st.integers(1, 10**9), st.sampled_from(["by_security_id", "proportional"]))
@settings(max_examples=200, deadline=None)
def test_what_stays_free_is_worth_at_most_140_percent_and_no_unit_too_many_is_locked(
    positions: list[tuple[AssetId, int]], debit: int, selection: str
) -> None:
    owner = holder(positions, debit)
    locks = excess_margin(owner, SCALE, selection)
    free = {name: units - locks.get(name, 0) for name, units in positions}
    limit = SCALE.free_value(debit)
    assert limit == debit * SCALE.cent * FREE_PERCENT
    assert all(units >= 0 for units in free.values())
    assert worth(free) <= limit
    if selection == "by_security_id" and locks:
        last = max(locks)
        assert worth(free) + SCALE.unit_values[last] * 100 > limit  # one unit less would be too few


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_substitution_keeps_140_percent_and_releases_no_more_than_it_says(data: st.DataObject) -> None:
    owners = [holder(data.draw(holdings), data.draw(st.integers(0, 10**8)), f"customer:{name}") for name in ("X", "Y")]
    move = Move("CS-1", data.draw(st.sampled_from(["", "customer:Y"])), A, B, data.draw(st.integers(1, 10**5)))
    before, after = (all_locks(owners, SCALE, "by_security_id", moves) for moves in ([], [move]))
    released = 0
    for owner, old, new in zip(owners, before, after, strict=True):
        own = {each.security_id: each.margin for each in owner.holdings}
        assert all(0 <= units <= own[name] for name, units in new.items())
        assert worth({name: units - new.get(name, 0) for name, units in own.items()}) <= SCALE.free_value(
            owner.debit
        ) or (new == old)
        if move.holder_id not in ("", owner.holder_id) or not owner.debit:
            assert new == old
        released += old.get(A, 0) - new.get(A, 0)
        assert new.get(B, 0) >= old.get(B, 0)
        assert new.get(C, 0) == old.get(C, 0)
    assert 0 <= released <= move.base_units


@given(st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_the_order_of_rows_changes_nothing(shuffled: random.Random) -> None:
    record = Record()
    for name, security, units in (("M", A, 70), ("M", B, 5), ("N", A, 3), ("C", B, 9), ("C", A, 1)):
        record.owns(name, units, security)
    record.in_dtc(50, A)
    record.in_dtc(13, B)
    accounts = [account("M", MARGIN, debit=200_00), account("N", MARGIN, client="C-M"), account("C")]
    first = review(books(record, list(accounts)))
    shuffled.shuffle(record.lines)
    shuffled.shuffle(accounts)
    assert review(books(record, accounts)) == first
