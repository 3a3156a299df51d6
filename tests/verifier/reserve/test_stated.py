"""From what the firm stated to inputs: every line, each account's newest statement, how often they are due."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exports.reserve.accounts import Cause, reserve_holdings
from exports.reserve.errors import ItemsRefused, ScheduleRefused
from exports.reserve.frequency import Frequency, Method
from exports.reserve.policies import policies_at
from exports.reserve.rulesets import rule_set_at
from mapping import reserve_types as stated
from mapping.types import Origin, Sourced
from tests.verifier.reserve.make import AS_OF, POLICIES
from verifier.reserve.stated import (
    ReserveStatements,
    accounts_on,
    drivers,
    frequencies_on,
    method_on,
    stated_items,
)

Rows = list[Sourced[stated.ReserveItem]]
CUSTOMER, PAB = stated.ReserveClass
ACCOUNT = stated.ReserveBankAccount(
    "c1", date(2026, 1, 2), CUSTOMER, "bank", False, 100_000_00, date(2026, 6, 30), date(2025, 1, 2), date(2025, 1, 2)
)
CASH = stated.ReserveHolding("c1", AS_OF, "cash", stated.HoldingKind.CASH, 700, None, "s1")
BILL = stated.ReserveHolding("c1", AS_OF, "T1", stated.HoldingKind.US_TREASURY, 300, AS_OF, "s1")


def rows() -> Rows:
    """All thirty lines: item n of customers is n dollars, all of PAB is zero."""
    return [
        Sourced(
            stated.ReserveItem(AS_OF, kind, number, number * 100 if kind is CUSTOMER else 0, "trial balance"),
            Origin("reserve_items.csv", "a" * 64, line),
        )
        for line, (kind, number) in enumerate(((k, n) for k in stated.ReserveClass for n in range(1, 16)), start=2)
    ]


def said(
    accounts: tuple[stated.ReserveBankAccount, ...] = (ACCOUNT,),
    holdings: tuple[stated.ReserveHolding, ...] = (CASH, BILL),
    capital: tuple[stated.FirmCapital, ...] = (),
    months: tuple[stated.FocusMonthEnd, ...] = (),
    notices: tuple[stated.ReserveNotice, ...] = (),
) -> ReserveStatements:
    return ReserveStatements(accounts, holdings, capital, months, notices)


@pytest.mark.fault("D6")
def test_a_complete_statement_gives_both_computations() -> None:
    customer, pab = stated_items(rows())
    assert [customer.cents(number) for number in (1, 9, 15)] == [1_00, 9_00, 15_00]
    assert sum(line.cents for line in pab.lines) == 0
    assert customer.lines[9].rows[0].source == "reserve_items.csv line 11 (aaaaaaaaaaaa): trial balance"


@pytest.mark.fault("D6")
@pytest.mark.parametrize("left_out", range(30))
def test_a_missing_line_is_a_problem_not_a_zero(left_out: int) -> None:
    gone = rows()[left_out].record
    with pytest.raises(ItemsRefused, match=f"lines are missing: {gone.computation} {gone.item}$"):
        stated_items(each for number, each in enumerate(rows()) if number != left_out)


@settings(deadline=None, max_examples=25)
@given(st.permutations(rows()))
def test_the_order_of_rows_changes_nothing(order: Rows) -> None:
    assert stated_items(order) == stated_items(rows())


def test_an_account_has_its_newest_fresh_statement() -> None:
    older = replace(CASH, as_of=AS_OF - timedelta(days=1), market_value=5)
    later = replace(CASH, as_of=AS_OF + timedelta(days=1), market_value=9)
    (account,), (bank,) = accounts_on(said(holdings=(older, CASH, BILL, later)), AS_OF, POLICIES)
    assert (account.cash, [each.market_value for each in account.holdings]) == (700, [300])
    assert (bank.equity_capital, bank.call_report_on) == (100_000_00, date(2026, 6, 30))
    held = reserve_holdings((account,), (bank,), AS_OF, POLICIES).customer
    assert (held.cents, held.unverified) == (1000, False)


@pytest.mark.parametrize(("days", "cash"), [(4, 700), (5, None)])
def test_an_old_statement_is_none(days: int, cash: int | None) -> None:
    (account,), banks = accounts_on(said(), AS_OF + timedelta(days=days), POLICIES)
    assert account.cash == cash
    assert bool(account.holdings) == (cash is not None)
    held = reserve_holdings((account,), banks, AS_OF + timedelta(days=days), POLICIES).customer
    assert [each.cause for each in held.not_counted] == ([] if cash else [Cause.NO_STATEMENT])


def test_facts_hold_from_their_day_on() -> None:
    later = replace(ACCOUNT, effective_from=AS_OF, affiliated=True, notified_on=None)
    (before,), (bank,) = accounts_on(said((ACCOUNT, later)), AS_OF - timedelta(days=1), POLICIES)
    assert (before.notified_on, bank.affiliated) == (date(2025, 1, 2), False)
    (after,), (bank,) = accounts_on(said((ACCOUNT, later)), AS_OF, POLICIES)
    assert (after.notified_on, bank.affiliated) == (None, True)
    assert accounts_on(said(), date(2026, 1, 1), POLICIES) == ((), ())


def test_a_bank_has_its_newest_call_report_and_any_affiliation() -> None:
    other = replace(ACCOUNT, account_id="p1", computation=PAB, equity_capital=5, call_report_on=date(2026, 9, 30))
    silent = replace(ACCOUNT, account_id="x1", equity_capital=None, call_report_on=None, affiliated=True)
    _, (bank,) = accounts_on(said((other, silent, ACCOUNT)), AS_OF, POLICIES)
    assert (bank.equity_capital, bank.call_report_on, bank.affiliated) == (5, date(2026, 9, 30), True)
    _, (unknown,) = accounts_on(said((silent,)), AS_OF, POLICIES)
    assert (unknown.equity_capital, unknown.call_report_on) == (None, None)


def test_the_method_is_the_newest_stated() -> None:
    first = stated.FirmCapital(date(2026, 1, 30), stated.CapitalMethod.BASIC, 1, 1, 1, "n")
    second = replace(first, as_of=AS_OF, method=stated.CapitalMethod.ALTERNATIVE)
    assert method_on((second, first), AS_OF) is Method.ALTERNATIVE
    assert method_on((second, first), AS_OF - timedelta(days=1)) is Method.BASIC
    with pytest.raises(ScheduleRefused, match="no method"):
        method_on((second, first), date(2026, 1, 29))


def months(cents: int, last: date = date(2026, 8, 31), count: int = 12) -> tuple[stated.FocusMonthEnd, ...]:
    """Filed month-ends up to a last one, each 20 days after."""
    ends = [last]
    while len(ends) < count:
        ends.append(ends[-1].replace(day=1) - timedelta(days=1))
    return tuple(stated.FocusMonthEnd(end, cents, 0, end + timedelta(days=20), "FOCUS") for end in ends)


@pytest.mark.fault("D8")
@pytest.mark.parametrize(
    ("cents", "expected"),
    [(500_000_000_00, Frequency.DAILY_REQUIRED), (499_999_999_99, Frequency.WEEKLY)],
)
def test_the_threshold_decides_for_both_computations(cents: int, expected: Frequency) -> None:
    history = months(cents, last=date(2026, 8, 31), count=20)
    customer, pab, test = frequencies_on(said(months=history), AS_OF, rule_set_at(AS_OF), policies_at(AS_OF))
    assert (customer, pab) == (expected, expected)
    assert test.average == cents


@pytest.mark.fault("D8")
def test_an_absent_filing_is_no_small_one() -> None:
    rules, policies = rule_set_at(AS_OF), policies_at(AS_OF)
    for short in ((), months(0, last=date(2026, 7, 31))):
        with pytest.raises(ScheduleRefused, match="2026-08-31 is not stated"):
            frequencies_on(said(months=short), AS_OF, rules, policies)
    unfiled = tuple(replace(each, filed_on=AS_OF + timedelta(days=1)) for each in months(0, count=1))
    with pytest.raises(ScheduleRefused, match="2026-08-31 is not stated"):
        frequencies_on(said(months=unfiled), AS_OF, rules, policies)


def test_notices_count_from_their_day() -> None:
    rules, policies = rule_set_at(AS_OF), policies_at(AS_OF)
    given_on = AS_OF - timedelta(days=30)
    voluntary = stated.ReserveNotice(stated.NoticeKind.VOLUNTARY_DAILY, given_on, "letter")
    ended = stated.ReserveNotice(stated.NoticeKind.VOLUNTARY_ENDED, AS_OF, "approval")
    cases = [
        ((voluntary,), Frequency.DAILY_VOLUNTARY),
        ((replace(voluntary, given_on=given_on + timedelta(days=1)),), Frequency.WEEKLY),
        ((voluntary, ended), Frequency.WEEKLY),
        ((voluntary, replace(ended, given_on=AS_OF + timedelta(days=1))), Frequency.DAILY_VOLUNTARY),
        ((voluntary, replace(ended, given_on=given_on - timedelta(days=1))), Frequency.DAILY_VOLUNTARY),
    ]
    for notices, expected in cases:
        customer, pab, _ = frequencies_on(said(months=months(0), notices=notices), AS_OF, rules, policies)
        assert (customer, pab) == (expected, Frequency.WEEKLY)


def test_what_moved_most_is_named() -> None:
    before, _ = stated_items(rows())
    moved = [
        replace(each, record=replace(each.record, cents=0 if each.record.item == 15 else each.record.cents + 7))
        if each.record.computation is CUSTOMER and each.record.item in (3, 15)
        else each
        for each in rows()
    ]
    now, _ = stated_items(moved)
    assert drivers(now, before) == ["item 15 (debit) -15.00", "item 3 (credit) +0.07"]
    assert drivers(now, now) == []
    assert drivers(before, None, 1) == ["item 15 (debit) 15.00"]
