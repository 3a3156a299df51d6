"""Shortfall, withdrawals and the deadline: what may leave, and what it would leave behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from chains.errors import InvalidValue
from exports.reserve.accounts import Bank, Held, ReserveAccount
from exports.reserve.computation import Occasion, compute
from exports.reserve.errors import ItemsRefused
from exports.reserve.funding import (
    Requirement,
    WithdrawalCheck,
    check_withdrawal,
    deposit_duty,
    funding,
    requirement_in_force,
    requirements,
)
from exports.reserve.items import ReserveClass
from tests.verifier.reserve.make import AS_OF, POLICIES, inputs

BANK = Bank("bank", False, 10_000, date(2026, 6, 30))
"""Its cap is 1500 cents."""
ACCOUNT = ReserveAccount("c1", "bank", ReserveClass.CUSTOMER, date(2020, 1, 1), date(2020, 1, 1), 1000)
NEED = Requirement(ReserveClass.CUSTOMER, AS_OF, 600, 600, "digest")


def own(cents: int, purpose: ReserveClass = ReserveClass.CUSTOMER) -> Held:
    return Held(purpose, cents, 0, ())


def check(cents: int, *, projected: int = 0, account: ReserveAccount = ACCOUNT, bank: Bank = BANK) -> WithdrawalCheck:
    return check_withdrawal(NEED, projected, [account], [bank], "c1", cents, AS_OF, POLICIES)


@pytest.mark.parametrize(("cents", "short", "excess"), [(599, 1, 0), (600, 0, 0), (601, 0, 1)])
def test_shortfall_and_excess(cents: int, short: int, excess: int) -> None:
    result = funding(NEED, own(cents))
    assert (result.shortfall, result.excess, result.withdrawable) == (short, excess, excess)


@pytest.mark.fault("D7")
def test_one_purposes_accounts_never_fund_the_other() -> None:
    for cents in (0, 10**9):
        with pytest.raises(InvalidValue, match="never fund"):
            funding(NEED, own(cents, ReserveClass.PAB))


def test_nothing_is_withdrawable_while_a_fact_is_missing() -> None:
    from exports.reserve.accounts import Cause, NotCounted

    uncertain = Held(ReserveClass.CUSTOMER, 900, 0, (NotCounted("c1", "T", Cause.NO_PRICE, None),))
    result = funding(NEED, uncertain)
    assert (result.unverified, result.excess, result.withdrawable) == (True, 300, 0)


@pytest.mark.fault("D10")
@pytest.mark.parametrize(("cents", "permitted", "short"), [(400, True, 0), (401, False, 1), (1000, False, 600)])
def test_a_withdrawal_leaves_at_least_what_is_required(cents: int, permitted: bool, short: int) -> None:
    result = check(cents)
    assert (result.permitted, result.short_of_requirement, result.remaining) == (permitted, short, 1000 - cents)
    assert result.computation_digest == "digest"


@pytest.mark.fault("D10")
@pytest.mark.parametrize(("projected", "short"), [(700, 0), (701, 1)])
def test_a_withdrawal_that_makes_the_next_run_deficient_says_so(projected: int, short: int) -> None:
    result = check(300, projected=projected)
    assert (result.permitted, result.short_of_projection) == (True, short)


@pytest.mark.fault("D10")
def test_cash_above_the_banks_cap_leaves_without_lowering_what_is_held() -> None:
    full = replace(ACCOUNT, cash=2000)
    assert check(500, account=full).remaining == 1500
    assert check(1400, account=full).permitted
    assert not check(1401, account=full).permitted


@pytest.mark.fault("D10")
def test_nothing_leaves_on_an_unverified_figure() -> None:
    holding_only = replace(ACCOUNT, cash=5000)
    unknown = Bank("bank", False, None, None)
    assert not check(1, account=holding_only, bank=unknown).permitted
    other = replace(ACCOUNT, account_id="c2", bank_id="nobody", cash=1)
    result = check_withdrawal(NEED, 0, [ACCOUNT, other], [BANK], "c1", 1, AS_OF, POLICIES)
    assert (result.permitted, result.short_of_requirement) == (False, 0)


@pytest.mark.parametrize("cents", [0, 1001, -1])
def test_a_withdrawal_is_of_stated_cash(cents: int) -> None:
    with pytest.raises(InvalidValue):
        check(cents)
    with pytest.raises(InvalidValue):
        check_withdrawal(NEED, 0, [ACCOUNT], [BANK], "nowhere", 1, AS_OF, POLICIES)
    with pytest.raises(InvalidValue):
        check_withdrawal(NEED, 0, [replace(ACCOUNT, purpose=ReserveClass.PAB)], [BANK], "c1", 1, AS_OF, POLICIES)


def test_extra_computations_bind_and_test_runs_do_not() -> None:
    friday = compute(inputs({1: 100}, {}, as_of=date(2026, 9, 25)))
    extra = compute(inputs({1: 900}, {}, as_of=date(2026, 9, 30), occasion=Occasion.EXTRA))
    trial = compute(inputs({1: 1}, {}, as_of=date(2026, 10, 1), occasion=Occasion.TEST))

    def in_force(on: date) -> int | None:
        found = requirement_in_force([trial, extra, friday], ReserveClass.CUSTOMER, on)
        return None if found is None else found.cents

    assert in_force(date(2026, 9, 24)) is None
    assert in_force(date(2026, 9, 29)) == 100
    assert in_force(date(2026, 10, 2)) == 900


def test_two_amounts_for_one_date_are_refused() -> None:
    one, other = (compute(inputs({1: cents}, {})) for cents in (1, 2))
    with pytest.raises(ItemsRefused, match="different"):
        requirement_in_force([one, other], ReserveClass.CUSTOMER, AS_OF)
    again = requirement_in_force([one, one], ReserveClass.CUSTOMER, AS_OF)
    assert again is not None
    assert again.cents == 1


def test_sweeps_lower_a_deposit_and_permit_no_withdrawal() -> None:
    _, pab = requirements(compute(inputs({}, {1: 100}, pab_swept=30)))
    assert (pab.cents, pab.cents_for_withdrawal) == (70, 100)
    result = funding(pab, own(90, ReserveClass.PAB))
    assert (result.shortfall, result.withdrawable) == (0, 0)


def test_a_missed_deposit_has_no_cure_period() -> None:
    by = datetime(2026, 10, 6, 14, tzinfo=UTC)
    short = funding(NEED, own(599))
    assert not deposit_duty(short, by, by).missed
    assert deposit_duty(short, by, by + timedelta(microseconds=1)).missed
    assert not deposit_duty(funding(NEED, own(600)), by, by + timedelta(days=1)).missed
