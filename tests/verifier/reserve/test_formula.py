"""Percentages, line 16 and the one-way offset: tables of the traps, and what always holds."""

from __future__ import annotations

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import InvalidValue
from exports.reserve.errors import ItemsRefused, RuleSetUnknown, ScheduleRefused
from exports.reserve.formula import (
    CustomerResult,
    PabResult,
    ReductionBase,
    customer_result,
    debit_reduction,
    pab_result,
)
from exports.reserve.frequency import Frequency, Method
from exports.reserve.items import ITEMS, ReserveClass, Side, item
from exports.reserve.lines import CustomerItems, LineRow, PabItems
from exports.reserve.policies import Policy, policies_at
from exports.reserve.rulesets import rule_set_at
from tests.verifier.reserve.make import AS_OF, POLICIES, customer, pab, rows

RULES = rule_set_at(AS_OF)
AMOUNTS = st.dictionaries(st.integers(1, 15), st.integers(0, 10**15), max_size=15)
SCHEDULES = st.sampled_from(
    [
        (method, frequency)
        for method in Method
        for frequency in Frequency
        if (method, frequency) != ("alternative", "monthly")
    ]
)


def run(
    amounts: dict[int, int], method: Method = Method.BASIC, frequency: Frequency = Frequency.WEEKLY
) -> CustomerResult:
    return customer_result(customer(amounts), AS_OF, RULES, POLICIES, method, frequency)


def run_pab(
    amounts: dict[int, int], of_customers: CustomerResult, frequency: Frequency = Frequency.WEEKLY, swept: int = 0
) -> PabResult:
    return pab_result(pab(amounts), of_customers, RULES, POLICIES, frequency, as_of=AS_OF, swept=swept)


NOTHING = run({})


@pytest.mark.parametrize(
    ("method", "frequency", "base", "rate"),
    [
        (Method.BASIC, Frequency.WEEKLY, ReductionBase.ITEM_10, 1),
        (Method.BASIC, Frequency.MONTHLY, ReductionBase.ITEM_10, 1),
        (Method.BASIC, Frequency.DAILY_REQUIRED, ReductionBase.ITEM_10, 1),
        (Method.BASIC, Frequency.DAILY_VOLUNTARY, ReductionBase.ITEM_10, 1),
        (Method.ALTERNATIVE, Frequency.WEEKLY, ReductionBase.AGGREGATE_DEBITS, 3),
        (Method.ALTERNATIVE, Frequency.DAILY_REQUIRED, ReductionBase.AGGREGATE_DEBITS, 2),
        (Method.ALTERNATIVE, Frequency.DAILY_VOLUNTARY, ReductionBase.AGGREGATE_DEBITS, 2),
    ],
)
def test_which_percentage_of_which_base(method: Method, frequency: Frequency, base: ReductionBase, rate: int) -> None:
    rule = debit_reduction(RULES, method, frequency)
    assert (rule.base, rule.percent) == (base, rate)


def test_the_alternative_method_is_never_monthly() -> None:
    with pytest.raises(ScheduleRefused):
        debit_reduction(RULES, Method.ALTERNATIVE, Frequency.MONTHLY)


@pytest.mark.fault("D9")
def test_two_percent_begins_with_its_rule_set() -> None:
    before, after = rule_set_at(date(2025, 3, 13)), rule_set_at(date(2025, 3, 14))
    assert before.rule_set_id != after.rule_set_id
    assert debit_reduction(after, Method.ALTERNATIVE, Frequency.DAILY_VOLUNTARY).percent == 2
    assert debit_reduction(before, Method.ALTERNATIVE, Frequency.WEEKLY).percent == 3
    for frequency in (Frequency.DAILY_VOLUNTARY, Frequency.DAILY_REQUIRED):
        with pytest.raises(ScheduleRefused):
            debit_reduction(before, Method.ALTERNATIVE, frequency)
        with pytest.raises(ScheduleRefused):
            pab_result(
                pab({}),
                customer_result(customer({}), date(2025, 3, 13), before, POLICIES, Method.BASIC, Frequency.WEEKLY),
                before,
                POLICIES,
                frequency,
                as_of=date(2025, 3, 13),
            )


@pytest.mark.fault("D9")
def test_no_rule_set_is_guessed_for_an_older_date() -> None:
    assert rule_set_at(date(2024, 3, 18)).rule_set_id == "15c3-3 of 2024-03-18"
    with pytest.raises(RuleSetUnknown):
        rule_set_at(date(2024, 3, 17))


@pytest.mark.parametrize(
    ("amounts", "method", "frequency", "aggregate", "reduction", "required", "excess_debits"),
    [
        # 1 percent of item 10 alone, not of items 11 to 15
        ({1: 2000_00, 10: 1000_00, 11: 500_00}, Method.BASIC, Frequency.WEEKLY, 1490_00, 10_00, 510_00, 0),
        # 3 percent of everything, and no 1 percent beside it
        ({1: 2000_00, 10: 1000_00, 15: 500_00}, Method.ALTERNATIVE, Frequency.WEEKLY, 1500_00, 45_00, 545_00, 0),
        (
            {1: 2000_00, 10: 1000_00, 15: 500_00},
            Method.ALTERNATIVE,
            Frequency.DAILY_REQUIRED,
            1500_00,
            30_00,
            530_00,
            0,
        ),
        # 105 percent where monthly
        ({1: 1000_00, 11: 900_00}, Method.BASIC, Frequency.MONTHLY, 900_00, 0, 105_00, 0),
        # a part of a cent goes against the firm: 1 percent of 1.01 is 2 cents, 105 percent of 0.01 is 2 cents
        ({1: 101, 10: 101}, Method.BASIC, Frequency.WEEKLY, 99, 2, 2, 0),
        ({1: 1}, Method.BASIC, Frequency.MONTHLY, 0, 0, 2, 0),
        # never negative; what is over is kept apart
        ({1: 100_00, 11: 150_00}, Method.BASIC, Frequency.WEEKLY, 150_00, 0, 0, 50_00),
        ({1: 100_00, 11: 100_00}, Method.BASIC, Frequency.WEEKLY, 100_00, 0, 0, 0),
        ({}, Method.BASIC, Frequency.WEEKLY, 0, 0, 0, 0),
    ],
)
@pytest.mark.fault("D4")
def test_line_16(
    amounts: dict[int, int],
    method: Method,
    frequency: Frequency,
    aggregate: int,
    reduction: int,
    required: int,
    excess_debits: int,
) -> None:
    result = run(amounts, method, frequency)
    assert (result.aggregate_debits, result.reduction, result.required, result.excess_debits) == (
        aggregate,
        reduction,
        required,
        excess_debits,
    )


def test_aggregate_debits_of_net_capital_are_before_the_three_percent() -> None:
    result = run({10: 100_00}, Method.ALTERNATIVE)
    assert (result.aggregate_debits, result.total_debits) == (100_00, 97_00)


# PAB ------------------------------------------------------------------------------------------------------------------


def test_pab_takes_no_percentage() -> None:
    result = run_pab({1: 2000_00, 10: 1000_00, 11: 500_00}, NOTHING)
    assert (result.total_debits, result.required, result.excess_debits) == (1500_00, 500_00, 0)
    over = run_pab({1: 100_00, 10: 150_00}, NOTHING)
    assert (over.required, over.excess_credits, over.excess_debits) == (0, 0, 50_00)


@pytest.mark.parametrize(
    ("excess_debits", "used", "required"), [(0, 0, 500_00), (200_00, 200_00, 300_00), (900_00, 500_00, 0)]
)
def test_customer_excess_debits_of_the_same_date_satisfy_pab(excess_debits: int, used: int, required: int) -> None:
    of_customers = run({11: excess_debits})
    result = run_pab({1: 500_00}, of_customers)
    assert (result.customer_excess_debits_used, result.required) == (used, required)


def test_only_debits_after_the_percentage_are_in_excess() -> None:
    assert run({10: 100_00}).excess_debits == 99_00


def test_excess_debits_of_another_date_do_not() -> None:
    other = customer_result(customer({11: 100}), date(2026, 10, 1), RULES, POLICIES, Method.BASIC, Frequency.WEEKLY)
    with pytest.raises(InvalidValue, match="date"):
        run_pab({1: 100}, other)


def test_pab_monthly_is_a_policy() -> None:
    assert run_pab({1: 100_00}, NOTHING, Frequency.MONTHLY).required == 105_00
    assert run_pab({1: 1}, NOTHING, Frequency.MONTHLY).required == 2  # not less than 105 percent
    without = policies_at(AS_OF, [Policy("pab_monthly_105", "no", AS_OF, "written opinion", "read without Note 1")])
    result = pab_result(pab({1: 100_00}), NOTHING, RULES, without, Frequency.MONTHLY, as_of=AS_OF)
    assert result.required == 100_00


def test_a_sweep_lowers_the_pab_deposit_not_below_zero() -> None:
    assert run_pab({1: 100_00}, NOTHING, swept=30_00).required == 70_00
    result = run_pab({1: 100_00}, NOTHING, swept=130_00)
    assert (result.required, result.swept) == (0, 100_00)
    with pytest.raises(InvalidValue):
        run_pab({1: 100_00}, NOTHING, swept=-1)


@pytest.mark.fault("D7")
def test_the_other_computations_lines_are_refused() -> None:
    """The type checker refuses them first: without its `ignore` comments this file would not pass `make lint`."""
    with pytest.raises(ItemsRefused, match="never mixed"):
        customer_result(pab({}), AS_OF, RULES, POLICIES, Method.BASIC, Frequency.WEEKLY)  # type: ignore[arg-type]
    with pytest.raises(ItemsRefused, match="never mixed"):
        pab_result(customer({}), NOTHING, RULES, POLICIES, Frequency.WEEKLY, as_of=AS_OF)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        customer({}) + pab({})  # type: ignore[operator]
    assert CustomerItems.account_class is ReserveClass.CUSTOMER
    assert PabItems.account_class is ReserveClass.PAB


# Lines ----------------------------------------------------------------------------------------------------------------


@pytest.mark.fault("D6")
def test_sides_are_fixed() -> None:
    assert [each.number for each in ITEMS if each.side is Side.CREDIT] == list(range(1, 10))
    assert [each.number for each in ITEMS if each.side is Side.DEBIT] == list(range(10, 16))
    assert item(10).citation == "17 CFR 240.15c3-3a item 10, Note E"
    for number in (0, 16, -1):
        with pytest.raises(KeyError):
            item(number)


def test_no_line_is_for_securities_borrowed_from_customers() -> None:
    assert not [each for each in ITEMS if "borrowed from" in each.wording]


@pytest.mark.fault("D6")
def test_a_missing_line_is_no_zero() -> None:
    assert CustomerItems.of(rows({})).cents(4) == 0
    for missing in range(1, 16):
        with pytest.raises(ItemsRefused, match=f"item {missing} "):
            CustomerItems.of([each for each in rows({}) if each[0] != missing])


@pytest.mark.fault("D6")
@pytest.mark.parametrize("number", [0, 16, 17])
def test_a_number_that_is_no_item_is_refused(number: int) -> None:
    with pytest.raises(ItemsRefused):
        CustomerItems.of([*rows({}), (number, LineRow("x", 1, "test"))])


@pytest.mark.fault("D6")
def test_a_row_twice_is_refused() -> None:
    with pytest.raises(ItemsRefused, match="twice"):
        CustomerItems.of([*rows({}), (3, LineRow("row-3", 0, "test"))])


@pytest.mark.fault("D6")
@pytest.mark.parametrize("cents", [-1, True, 1.0])
def test_an_amount_is_whole_cents_from_zero(cents: int) -> None:
    with pytest.raises(InvalidValue):
        LineRow("x", cents, "test")


def test_item_15_is_zero_before_the_notice() -> None:
    day = date(2024, 11, 28)
    with pytest.raises(ItemsRefused, match="item 15"):
        customer_result(customer({15: 1}), day, rule_set_at(day), policies_at(day), Method.BASIC, Frequency.WEEKLY)
    day = date(2024, 11, 29)
    result = customer_result(customer({15: 1}), day, rule_set_at(day), policies_at(day), Method.BASIC, Frequency.WEEKLY)
    assert result.total_debits == 1


# What always holds ----------------------------------------------------------------------------------------------------


def net(result: CustomerResult) -> int:
    return result.total_credits - result.total_debits


@pytest.mark.fault("D6")
@given(AMOUNTS, SCHEDULES, st.integers(1, 9))
def test_one_cent_of_credit_moves_the_result_by_one_cent(
    amounts: dict[int, int], schedule: tuple[Method, Frequency], number: int
) -> None:
    more = {**amounts, number: amounts.get(number, 0) + 1}
    assert net(run(more, *schedule)) - net(run(amounts, *schedule)) == 1


@pytest.mark.fault("D6")
@given(AMOUNTS, SCHEDULES, st.integers(10, 15))
def test_one_cent_of_debit_moves_it_by_one_cent_less_the_percentage(
    amounts: dict[int, int], schedule: tuple[Method, Frequency], number: int
) -> None:
    rule = debit_reduction(RULES, *schedule)
    reduced = rule.base is ReductionBase.AGGREGATE_DEBITS or number == 10
    one = {**amounts, number: amounts.get(number, 0) + 1}
    hundred = {**amounts, number: amounts.get(number, 0) + 100}
    before = net(run(amounts, *schedule))
    assert before - net(run(one, *schedule)) in ({0, 1} if reduced else {1})
    assert before - net(run(hundred, *schedule)) == (100 - rule.percent if reduced else 100)


@given(AMOUNTS, SCHEDULES)
def test_never_negative_and_one_side_only(amounts: dict[int, int], schedule: tuple[Method, Frequency]) -> None:
    result = run(amounts, *schedule)
    assert result.required >= result.excess_credits >= 0
    assert result.excess_debits >= 0
    assert 0 in (result.excess_credits, result.excess_debits)
    assert result.excess_credits - result.excess_debits == net(result)


@pytest.mark.fault("D7")
@given(AMOUNTS, AMOUNTS, st.integers(0, 10**15))
def test_pab_never_funds_customers(amounts: dict[int, int], of_pab: dict[int, int], swept: int) -> None:
    """The customer result knows nothing of PAB; PAB takes at most what is in excess, and at most what it needs."""
    of_customers = run(amounts)
    result = run_pab(of_pab, of_customers, swept=swept)
    assert result.customer_excess_debits_used <= min(of_customers.excess_debits, result.required_before_offset)
    assert result.required >= 0
    assert result.required + result.customer_excess_debits_used + result.swept == result.required_before_offset
    assert 0 in (result.customer_excess_debits_used, of_customers.required)


@given(AMOUNTS, st.integers(1, 15))
def test_pab_moves_by_exactly_one_cent(amounts: dict[int, int], number: int) -> None:
    more = run_pab({**amounts, number: amounts.get(number, 0) + 1}, NOTHING)
    less = run_pab(amounts, NOTHING)
    moved = (more.total_credits - more.total_debits) - (less.total_credits - less.total_debits)
    assert moved == (1 if number <= 9 else -1)


@given(
    st.lists(st.tuples(st.integers(1, 15), st.integers(0, 10**12)), max_size=40),
    SCHEDULES,
    st.randoms(use_true_random=False),
)
def test_the_order_of_rows_changes_nothing(
    extra: list[tuple[int, int]], schedule: tuple[Method, Frequency], order: random.Random
) -> None:
    all_rows = rows({}) + [(n, LineRow(f"x{i}", cents, "test")) for i, (n, cents) in enumerate(extra)]
    mixed = list(all_rows)
    order.shuffle(mixed)
    first, second = CustomerItems.of(all_rows), CustomerItems.of(mixed)
    assert first == second
    assert first.total(Side.CREDIT) == sum(cents for n, cents in extra if n <= 9)
    assert customer_result(first, AS_OF, RULES, POLICIES, *schedule) == customer_result(
        second, AS_OF, RULES, POLICIES, *schedule
    )
