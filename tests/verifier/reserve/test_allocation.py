"""Whose a place is: each item from what is allocated to whom, and what no order may do."""

from __future__ import annotations

import pytest

from chains.types import AssetId
from exports.reserve.errors import ItemsRefused
from mapping.books_types import AccountType, LienKind, StockPlace, StockSide
from tests.verifier.reserve.books import (
    COIN,
    FIRM,
    NON_CUSTOMER,
    PAB,
    ZETA,
    account,
    asset,
    at,
    books,
    derived,
    lien,
    lines,
    long,
    ordered,
    short,
)

C, P, N, F = account("C"), account("P", 0, PAB), account("N", 0, NON_CUSTOMER), account("F", 0, FIRM)
EVERYBODY = (C, P, N, F)
LOAN = at("LOAN", StockPlace.STOCK_LOAN, 100, 950_00, collateral=950_00)
BOX = at("BOX", StockPlace.BOX, 100)


def test_credits_and_debits_of_accounts() -> None:
    rows = [
        account("1", 500_00),
        account("2", -200_00, kind=AccountType.MARGIN),
        account("3", 70_00, kind=AccountType.SHORT),
        account("4", 11_00, PAB),
        account("5", -3_00, PAB),
    ]
    assert lines(derived(books(rows))) == ({1: 570_00, 10: 200_00}, {1: 11_00, 10: 3_00})


def test_non_customers_and_the_firm_are_on_neither_side() -> None:
    rows = [account("1", 500_00, NON_CUSTOMER), account("2", -200_00, NON_CUSTOMER), account("3", 70_00, FIRM)]
    stock = [long("a", "1", 100), long("b", "3", 100), LOAN, BOX]
    assert lines(derived(books(rows, stock))) == ({}, {})


@pytest.mark.parametrize(
    ("place", "item"),
    [(StockPlace.STOCK_LOAN, 3), (StockPlace.FAIL_TO_RECEIVE, 4)],
)
def test_loans_and_fails_are_customers_before_they_are_the_firms(place: StockPlace, item: int) -> None:
    stock = [long("c", "C", 100), long("f", "F", 100), at("X", place, 100, 1_200_00), BOX]
    assert lines(derived(books(EVERYBODY, stock))) == ({item: 1_200_00}, {})
    assert lines(derived(books(EVERYBODY, stock), ordered("offsets_then_firm_first"))) == ({}, {})


def test_customers_before_pab_and_the_rest_to_the_firm() -> None:
    stock = [long("c", "C", 50), long("p", "P", 30), long("f", "F", 20), LOAN]
    # 1000.00 at market against 950.00: the part of each class, and its part of the missing 50.00.
    assert lines(derived(books(EVERYBODY, stock))) == ({3: 500_00}, {3: 300_00})


def test_customers_longs_meet_customers_shorts_first_or_last() -> None:
    stock = [long("c", "C", 100), short("s", "C", 100), long("f", "F", 100), LOAN]
    assert lines(derived(books(EVERYBODY, stock))) == ({}, {})
    assert lines(derived(books(EVERYBODY, stock), ordered("customers_first_then_offsets"))) == ({3: 1_000_00}, {})


def test_a_customers_long_delivered_for_anothers_short_is_a_credit_of_item_5() -> None:
    for whose in ("F", "N", "P"):
        stock = [long("c", "C", 100), short("s", whose, 100)]
        assert lines(derived(books(EVERYBODY, stock))) == ({5: 1_000_00}, {})
    assert lines(derived(books(EVERYBODY, [long("f", "F", 100), short("s", "C", 100)]))) == ({}, {})
    assert lines(derived(books(EVERYBODY, [long("p", "P", 100), short("s", "F", 100)]))) == ({}, {5: 1_000_00})


def test_borrows_for_customers_shorts_are_a_debit_and_others_are_not() -> None:
    borrow = at("B", StockPlace.STOCK_BORROW, 100, 1_020_00)
    for whose, expected in (("C", ({11: 1_020_00}, {})), ("P", ({}, {11: 1_020_00})), ("F", ({}, {}))):
        assert lines(derived(books(EVERYBODY, [borrow, short("s", whose, 100)]))) == expected
    assert lines(derived(books(EVERYBODY, [borrow, BOX]))) == ({}, {})
    firms = at("B", StockPlace.STOCK_BORROW, 100, 1_020_00, account_id="F")
    assert lines(derived(books(EVERYBODY, [firms, short("s", "C", 100)]))) == ({}, {})


@pytest.mark.parametrize(("age", "expected"), [(30, {12: 1_030_00}), (31, {})])
def test_a_customers_fail_to_deliver_is_a_debit_for_30_days(age: int, expected: dict[int, int]) -> None:
    waits = at("D", StockPlace.FAIL_TO_DELIVER, 100, 1_030_00, age)
    found = derived(books(EVERYBODY, [waits, short("s", "C", 100)]))
    assert lines(found) == (expected, {})
    assert [each.cents for each in found.excluded] == ([] if expected else [1_030_00])
    own = at("D", StockPlace.FAIL_TO_DELIVER, 100, 1_030_00, age, account_id="C")
    assert lines(derived(books(EVERYBODY, [own, BOX]))) == (expected, {})


def test_a_fail_to_deliver_that_waits_for_a_fail_to_receive_is_in_neither_item() -> None:
    stock = [
        at("D", StockPlace.FAIL_TO_DELIVER, 100, 1_030_00, account_id="C"),
        at("R", StockPlace.FAIL_TO_RECEIVE, 100, 990_00),
    ]
    assert lines(derived(books(EVERYBODY, stock))) == ({}, {})
    nobodys = [at("D", StockPlace.FAIL_TO_DELIVER, 100, 1_030_00), BOX]
    assert lines(derived(books(EVERYBODY, nobodys))) == ({}, {})


def test_what_the_books_say_of_a_line_comes_before_the_order() -> None:
    firms = at("X", StockPlace.STOCK_LOAN, 100, 1_000_00, account_id="F")
    stock = [long("c", "C", 100), long("f", "F", 100), firms, BOX]
    assert lines(derived(books(EVERYBODY, stock))) == ({}, {})
    # More than the firm has is not the firm's, whatever the books say.
    assert lines(derived(books(EVERYBODY, [long("c", "C", 60), long("f", "F", 40), firms]))) == ({3: 600_00}, {})


def test_a_loan_is_customers_up_to_the_market_value_of_theirs_or_in_proportion() -> None:
    stock = [long("c", "C", 40), long("f", "F", 60), at("P", StockPlace.BANK_LOAN, 100, reference="L1")]
    of = books(EVERYBODY, stock, liens=(lien("L1", 500_00, LienKind.CUSTOMERS),))
    assert lines(derived(of)) == ({2: 400_00}, {})
    proportion = ordered("offsets_then_customers_first", lien_share="in_proportion")
    assert lines(derived(of, proportion)) == ({2: 200_00}, {})


def test_the_firms_own_loan_takes_the_firms_securities_first() -> None:
    stock = [long("c", "C", 40), long("f", "F", 60), at("P", StockPlace.BANK_LOAN, 60, reference="L1")]
    stock.append(at("BOX", StockPlace.BOX, 40))
    assert lines(derived(books(EVERYBODY, stock, liens=(lien("L1", 500_00),)))) == ({}, {})
    customers = books(EVERYBODY, stock, liens=(lien("L1", 500_00, LienKind.CUSTOMERS),))
    assert lines(derived(customers)) == ({2: 400_00}, {})


def test_a_customers_loan_that_is_under_water_or_secured_by_nothing_counts_in_full() -> None:
    stock = [long("c", "C", 40), at("P", StockPlace.BANK_LOAN, 40, reference="L1")]
    loan = lien("L1", 500_00, LienKind.CUSTOMERS)
    assert lines(derived(books(EVERYBODY, stock, liens=(loan,)))) == ({2: 500_00}, {})
    assert lines(derived(books(EVERYBODY, (), liens=(loan,)))) == ({2: 500_00}, {})
    assert lines(derived(books(EVERYBODY, (), liens=(lien("L1", 500_00),)))) == ({}, {})


@pytest.mark.parametrize(
    ("place", "limit", "item"),
    [
        (StockPlace.DIVIDEND_RECEIVABLE, 30, 6),
        (StockPlace.COUNT_DIFFERENCE, 30, 7),
        (StockPlace.SUSPENSE, 30, 8),
        (StockPlace.TRANSFER, 40, 9),
    ],
)
def test_ages_are_strict(place: StockPlace, limit: int, item: int) -> None:
    for age, expected in ((limit, {}), (limit + 1, {item: 1_000_00})):
        stock = [long("c", "C", 100), at("X", place, 100, age=age, side=StockSide.SHORT)]
        assert lines(derived(books(EVERYBODY, stock))) == (expected, {})


def test_suspense_and_differences_count_whoever_is_long_and_are_not_offset() -> None:
    stock = [
        long("f", "F", 200),
        at("X", StockPlace.COUNT_DIFFERENCE, 100, age=31, side=StockSide.SHORT),
        at("S", StockPlace.SUSPENSE, 100, age=31, side=StockSide.SHORT),
        at("T", StockPlace.SUSPENSE, 100, age=31, side=StockSide.LONG),
        at("BOX", StockPlace.BOX, 100),
    ]
    assert lines(derived(books(EVERYBODY, stock))) == ({7: 1_000_00, 8: 1_000_00}, {})


def test_notes_c_and_d_for_the_allocated_part() -> None:
    stock = [
        long("c", "C", 50),
        at("R", StockPlace.FAIL_TO_RECEIVE, 100, 700_00, age=31, security=ZETA),
        long("z", "C", 50, ZETA),
        long("y", "F", 50, ZETA),
        at("X", StockPlace.STOCK_LOAN, 50, 300_00, collateral=450_00),
    ]
    # Half of the fail: 350.00 and 150.00 above it at market. The loan: 300.00 and 50.00 that are not secured.
    assert lines(derived(books(EVERYBODY, stock))) == ({3: 350_00, 4: 500_00}, {})


def test_a_record_that_does_not_balance_is_never_ignored() -> None:
    found = derived(books(EVERYBODY, [long("f", "F", 130), BOX]))
    assert lines(found) == ({7: 300_00}, {})
    assert "30 base units are long and stand nowhere" in found.problems[0]
    found = derived(books(EVERYBODY, [long("f", "F", 70), LOAN]))
    # 70 units are the firm's: the 30 that nobody owns are read as customers'.
    assert lines(found) == ({3: 300_00}, {})
    assert "30 base units stand somewhere and nobody is long" in found.problems[0]
    assert derived(books(EVERYBODY, [long("f", "F", 100), LOAN])).problems == ()


def test_what_is_no_security_makes_credits_and_no_debits() -> None:
    loan = at("X", StockPlace.STOCK_LOAN, 10**8, 9_00, security=COIN, collateral=10_00)
    borrow = at("B", StockPlace.STOCK_BORROW, 10**8, 9_00, security=COIN)
    assert lines(derived(books(EVERYBODY, [long("c", "C", 10**8, COIN), loan]))) == ({3: 9_00}, {})
    assert lines(derived(books(EVERYBODY, [borrow, short("s", "C", 10**8, COIN)]))) == ({}, {})


def test_contradictions_are_refused_with_all_of_them() -> None:
    stock = [
        long("a", "C", 10, price="10"),
        long("b", "C", 10, price="11"),
        long("c", "NOBODY", 10),
        at("d", StockPlace.BANK_LOAN, 10, reference="L9"),
    ]
    with pytest.raises(ItemsRefused) as refused:
        derived(books(EVERYBODY, stock))
    for part in ("two prices", "no balance of account NOBODY", "no lien L9"):
        assert part in str(refused.value)
    with pytest.raises(ItemsRefused, match="not in the asset table"):
        derived(books(EVERYBODY, [long("a", "C", 10), at("B", StockPlace.BOX, 10)], assets=()))
    with pytest.raises(ItemsRefused, match="line a is there 2 times"):
        derived(books(EVERYBODY, [long("a", "C", 10), long("a", "C", 10)]))
    with pytest.raises(ItemsRefused, match="account C is there 2 times"):
        derived(books([C, C]))


def test_very_many_findings_are_counted_in_the_end() -> None:
    assets = tuple(asset(AssetId(f"eip155:1/erc20:0x{number:040x}")) for number in range(1, 103))
    stock = [long(f"{number}", "F", 1, each.asset.asset_id) for number, each in enumerate(assets)]
    found = derived(books(EVERYBODY, stock, assets=assets))
    assert (len(found.problems), len(found.origin().findings)) == (102, 101)
    assert found.origin().findings[-1] == "and 2 more"
    few = derived(books(EVERYBODY, stock[:100], assets=assets))
    assert few.origin().findings == few.problems


def test_a_borrow_that_names_the_firm_covers_the_firms_short_before_customers_do() -> None:
    stock = [long("c", "C", 100), short("s", "F", 100), BOX]
    unnamed = at("B", StockPlace.STOCK_BORROW, 100, 1_020_00)
    assert lines(derived(books(EVERYBODY, [*stock, unnamed]))) == ({5: 1_000_00}, {})
    named = at("B", StockPlace.STOCK_BORROW, 100, 1_020_00, account_id="F")
    assert lines(derived(books(EVERYBODY, [*stock, named]))) == ({}, {})
