"""Reserve bank accounts: what counts, and each reason why something does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import InvalidValue
from exports.reserve.accounts import (
    Bank,
    Cause,
    Held,
    ReserveAccount,
    ReserveHolding,
    ReserveHoldings,
    SecurityKind,
    reserve_holdings,
)
from exports.reserve.items import ReserveClass
from exports.reserve.policies import Policy, policies_at
from mapping.types import AccountClass
from tests.verifier.reserve.make import AS_OF, POLICIES

BANK = Bank("bank", False, 10_000, date(2026, 6, 30))
"""Its cap is 1500 cents."""
ACCOUNT = ReserveAccount("c1", "bank", ReserveClass.CUSTOMER, date(2020, 1, 1), date(2020, 1, 1), 1000)
TREASURY = ReserveHolding("T", SecurityKind.US_TREASURY, 700, AS_OF)
TOMORROW = AS_OF + timedelta(days=1)


def both(*accounts: ReserveAccount, banks: tuple[Bank, ...] = (BANK,)) -> ReserveHoldings:
    return reserve_holdings(accounts, banks, AS_OF, POLICIES)


def held(*accounts: ReserveAccount, banks: tuple[Bank, ...] = (BANK,)) -> Held:
    return both(*accounts, banks=banks).customer


def test_cash_and_qualified_securities_count() -> None:
    result = held(replace(ACCOUNT, holdings=(TREASURY,)))
    assert (result.cash, result.securities, result.cents, result.not_counted) == (1000, 700, 1700, ())
    assert not result.unverified


def test_customer_and_pab_are_apart() -> None:
    pab = replace(ACCOUNT, account_id="p1", purpose=ReserveClass.PAB, cash=300)
    result = both(ACCOUNT, pab)
    assert (result.customer.cents, result.pab.cents) == (1000, 300)
    with pytest.raises(InvalidValue):
        replace(ACCOUNT, purpose=cast("ReserveClass", AccountClass.PROPRIETARY))


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        (replace(ACCOUNT, notified_on=None), Cause.NO_NOTIFICATION),
        (replace(ACCOUNT, notified_on=TOMORROW), Cause.NO_NOTIFICATION),
        (replace(ACCOUNT, no_lien_contract_on=None), Cause.NO_CONTRACT),
        (replace(ACCOUNT, no_lien_contract_on=TOMORROW), Cause.NO_CONTRACT),
    ],
)
def test_an_account_without_its_documents_counts_nothing(changed: ReserveAccount, cause: Cause) -> None:
    result = held(replace(changed, holdings=(TREASURY,)))
    assert result.cents == 0
    assert [(each.subject, each.cause, each.cents, each.citation) for each in result.not_counted] == [
        ("cash", cause, 1000, "15c3-3(f)"),
        ("T", cause, 700, "15c3-3(f)"),
    ]
    assert held(replace(ACCOUNT, notified_on=AS_OF, no_lien_contract_on=AS_OF)).cents == 1000


def test_cash_at_an_affiliate_counts_nothing_but_its_securities_do() -> None:
    result = held(replace(ACCOUNT, holdings=(TREASURY,)), banks=(replace(BANK, affiliated=True),))
    assert (result.cash, result.securities) == (0, 700)
    assert [each.cause for each in result.not_counted] == [Cause.AFFILIATED_BANK]


@pytest.mark.parametrize(("cash", "counted"), [(1499, 1499), (1500, 1500), (1501, 1500), (10_000, 1500)])
def test_cash_above_15_percent_of_the_banks_equity_is_out(cash: int, counted: int) -> None:
    result = held(replace(ACCOUNT, cash=cash, holdings=(TREASURY,)))
    assert (result.cash, result.securities) == (counted, 700)  # securities are not capped
    assert sum(each.cents or 0 for each in result.not_counted) == cash - counted


def test_the_cap_is_per_bank_over_both_purposes() -> None:
    pab = replace(ACCOUNT, account_id="p1", purpose=ReserveClass.PAB, cash=2000)
    result = both(ACCOUNT, pab)
    assert (result.customer.cash, result.pab.cash) == (500, 1000)
    apart = policies_at(AS_OF, [Policy("bank_cap_pab_and_customer", "apart", AS_OF, "written opinion", "x")])
    separate = reserve_holdings((ACCOUNT, pab), (BANK,), AS_OF, apart)
    assert (separate.customer.cash, separate.pab.cash) == (1000, 1500)
    elsewhere = replace(pab, bank_id="other")
    two = both(ACCOUNT, elsewhere, banks=(BANK, replace(BANK, bank_id="other")))
    assert (two.customer.cash, two.pab.cash) == (1000, 1500)


@pytest.mark.parametrize(
    "bank",
    [
        replace(BANK, equity_capital=None),
        replace(BANK, call_report_on=None),
        replace(BANK, call_report_on=AS_OF - timedelta(days=131)),
        replace(BANK, call_report_on=TOMORROW),
    ],
)
def test_unknown_equity_counts_no_cash_and_is_unverified(bank: Bank) -> None:
    result = held(ACCOUNT, banks=(bank,))
    assert (result.cash, result.unverified) == (0, True)
    assert [each.cause for each in result.not_counted] == [Cause.BANK_EQUITY_UNKNOWN]
    assert held(ACCOUNT, banks=(replace(BANK, call_report_on=AS_OF - timedelta(days=130)),)).cash == 1000


def test_an_unknown_bank_or_a_missing_statement_is_unverified() -> None:
    assert [each.cause for each in held(ACCOUNT, banks=()).not_counted] == [Cause.BANK_UNKNOWN]
    missing = held(replace(ACCOUNT, cash=None))
    assert (missing.unverified, missing.cash) == (True, 0)
    assert [(each.cause, each.cents) for each in missing.not_counted] == [(Cause.NO_STATEMENT, None)]
    assert not held(replace(ACCOUNT, cash=0)).unverified


def test_negative_bank_equity_is_a_cap_of_zero() -> None:
    result = held(ACCOUNT, banks=(replace(BANK, equity_capital=-1),))
    assert (result.cash, result.unverified) == (0, False)


@pytest.mark.parametrize("kind", SecurityKind)
def test_only_the_united_states_own_or_guaranteed_securities_qualify(kind: SecurityKind) -> None:
    result = held(replace(ACCOUNT, holdings=(replace(TREASURY, kind=kind),)))
    qualifies = kind in (SecurityKind.US_TREASURY, SecurityKind.US_GUARANTEED)
    assert result.securities == (700 if qualifies else 0)
    assert [each.cause for each in result.not_counted] == ([] if qualifies else [Cause.NOT_QUALIFIED])


def test_the_policy_can_be_changed_by_date_if_the_law_changes() -> None:
    coin = replace(ACCOUNT, holdings=(replace(TREASURY, kind=SecurityKind.STABLECOIN),))
    own = [Policy("reserve_account_securities", "us_treasury us_guaranteed stablecoin", AS_OF, "a later rule", "x")]
    assert reserve_holdings([coin], [BANK], AS_OF, policies_at(AS_OF, own)).customer.securities == 700
    before = AS_OF - timedelta(days=1)
    priced = replace(coin, holdings=(replace(coin.holdings[0], priced_on=before),))
    assert reserve_holdings([priced], [BANK], before, policies_at(before, own)).customer.securities == 0


@pytest.mark.fault("D4")
@pytest.mark.parametrize(
    ("holding", "counts"),
    [
        (replace(TREASURY, priced_on=AS_OF - timedelta(days=4)), True),
        (replace(TREASURY, priced_on=AS_OF - timedelta(days=5)), False),
        (replace(TREASURY, priced_on=TOMORROW), False),
        (replace(TREASURY, priced_on=None), False),
        (replace(TREASURY, market_value=None), False),
    ],
)
def test_a_missing_or_stale_price_is_unverified_and_no_value(holding: ReserveHolding, counts: bool) -> None:
    result = held(replace(ACCOUNT, holdings=(holding,)))
    assert (result.securities, result.unverified) == ((700, False) if counts else (0, True))


def test_the_same_account_or_bank_twice_is_refused() -> None:
    with pytest.raises(InvalidValue, match="twice"):
        both(ACCOUNT, ACCOUNT)
    with pytest.raises(InvalidValue, match="twice"):
        both(ACCOUNT, banks=(BANK, BANK))


@pytest.mark.fault("D5")
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10**6)), min_size=1, max_size=6), st.integers(0, 10**6))
def test_the_cap_loses_no_cent(cash: list[tuple[bool, int]], equity: int) -> None:
    accounts = [
        replace(ACCOUNT, account_id=f"a{i}", cash=cents, purpose=ReserveClass.PAB if is_pab else ReserveClass.CUSTOMER)
        for i, (is_pab, cents) in enumerate(cash)
    ]
    result = both(*accounts, banks=(replace(BANK, equity_capital=equity),))
    total = sum(cents for _, cents in cash)
    out = [each for one in (result.customer, result.pab) for each in one.not_counted]
    assert result.customer.cash + result.pab.cash == min(total, equity * 15 // 100)
    assert result.customer.cash + result.pab.cash + sum(each.cents or 0 for each in out) == total
    assert all(each.cents and each.cents > 0 for each in out)
    assert result == both(*reversed(accounts), banks=(replace(BANK, equity_capital=equity),))
