"""Age limits, each at the day before, on and after; and what counts once old enough."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from chains.errors import InvalidValue
from exports.reserve.frequency import Method
from tests.verifier.reserve.make import AS_OF, CALENDAR
from verifier.reserve.aging import (
    SuspenseEntry,
    item_3_loan,
    item_4_fail,
    item_6_receivable,
    item_7_count_difference,
    item_8_suspense,
    item_9_transfer,
    item_12_fail,
)


def ago(days: int) -> date:
    return AS_OF - timedelta(days=days)


@pytest.mark.parametrize(
    ("payable", "market", "collateral", "expected"),
    [(100, 150, 100, 150), (100, 100, 100, 100), (100, 90, 100, 100), (100, 101, 100, 101)],
)
def test_item_3_adds_what_a_loan_is_undercollateralized(
    payable: int, market: int, collateral: int, expected: int
) -> None:
    assert item_3_loan(payable, market, collateral) == expected


@pytest.mark.parametrize(
    ("days", "market", "expected"), [(30, 120, 100), (31, 120, 120), (31, 100, 100), (31, 80, 100), (0, 500, 100)]
)
def test_item_4_adds_market_over_contract_after_30_days(days: int, market: int, expected: int) -> None:
    assert item_4_fail(100, market, ago(days), AS_OF) == expected


@pytest.mark.parametrize(("days", "expected"), [(0, 0), (30, 0), (31, 7)])
def test_item_6_counts_over_30_days(days: int, expected: int) -> None:
    assert item_6_receivable(7, ago(days), AS_OF) == expected


@pytest.mark.parametrize(("days", "expected"), [(0, 7), (30, 7), (31, 0)])
def test_item_12_counts_to_30_days(days: int, expected: int) -> None:
    assert item_12_fail(7, ago(days), AS_OF) == expected


@pytest.mark.parametrize(
    ("method", "since", "expected"),
    [
        (Method.BASIC, ago(30), 0),
        (Method.BASIC, ago(31), 7),
        (Method.ALTERNATIVE, date(2026, 9, 23), 0),  # seven business days
        (Method.ALTERNATIVE, date(2026, 9, 22), 7),  # eight
        (Method.BASIC, date(2026, 9, 22), 0),
    ],
)
def test_items_7_and_8_age_by_the_method(method: Method, since: date, expected: int) -> None:
    assert item_7_count_difference(7, since, AS_OF, method, CALENDAR) == expected
    assert item_8_suspense((SuspenseEntry("s", 7, since),), AS_OF, method, CALENDAR) == {"s": expected}


def test_a_bank_holiday_is_no_business_day_of_age() -> None:
    """Columbus Day lies between: seven business days, not eight."""
    as_of = date(2026, 10, 16)
    assert item_7_count_difference(7, date(2026, 10, 6), as_of, Method.ALTERNATIVE, CALENDAR) == 0
    assert item_7_count_difference(7, date(2026, 10, 5), as_of, Method.ALTERNATIVE, CALENDAR) == 7


def test_item_8_takes_no_long_and_no_debit() -> None:
    old = ago(40)
    two = (SuspenseEntry("a", 5, old), SuspenseEntry("b", 6, old))
    assert item_8_suspense(two, AS_OF, Method.BASIC, CALENDAR) == {"a": 5, "b": 6}
    with pytest.raises(InvalidValue, match="negative"):
        item_8_suspense((*two, SuspenseEntry("c", -6, old)), AS_OF, Method.BASIC, CALENDAR)


@pytest.mark.parametrize(
    ("days", "confirmed_after", "expected"),
    [(40, None, 0), (41, None, 7), (41, 40, 0), (60, 41, 7), (60, 0, 0), (41, -1, 7)],
)
def test_item_9_counts_unconfirmed_transfers_over_40_days(
    days: int, confirmed_after: int | None, expected: int
) -> None:
    since = ago(days)
    confirmed = None if confirmed_after is None else since + timedelta(days=confirmed_after)
    assert item_9_transfer(7, since, AS_OF, confirmed) == expected


@pytest.mark.parametrize("method", Method)
def test_a_start_after_the_as_of_date_is_refused(method: Method) -> None:
    tomorrow = AS_OF + timedelta(days=1)
    with pytest.raises(InvalidValue, match="after the as-of"):
        item_7_count_difference(7, tomorrow, AS_OF, method, CALENDAR)
    with pytest.raises(InvalidValue, match="after the as-of"):
        item_12_fail(7, tomorrow, AS_OF)
