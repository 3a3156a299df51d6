"""The $500 million test: the mean of twelve filed month-ends, its start, its exit, and what is no exit."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest

from chains.errors import InvalidValue
from exports.reserve.errors import ScheduleRefused
from exports.reserve.frequency import (
    Frequency,
    Method,
    MonthEnd,
    Notices,
    daily_test,
    frequency_at,
    monthly_permitted,
)
from exports.reserve.policies import Policy, policies_at
from exports.reserve.rulesets import rule_set_at
from tests.verifier.reserve.make import POLICIES

THRESHOLD = 500_000_000_00
RULES = rule_set_at(date(2026, 10, 2))


def filed(first: tuple[int, int], totals: list[int]) -> list[MonthEnd]:
    """Month-ends in a row, each filed on the 20th of the next month; a total is split over both computations."""
    found = []
    for offset, total in enumerate(totals):
        year, month = divmod(first[0] * 12 + first[1] - 1 + offset, 12)
        end = date(year, month + 1, monthrange(year, month + 1)[1])
        found.append(MonthEnd(end, total - total // 3, total // 3, end + timedelta(days=20)))
    return found


def frequency(forms: list[MonthEnd], as_of: date, notices: Notices | None = None) -> Frequency:
    given = notices or Notices()
    return frequency_at(daily_test(forms, as_of, given, RULES, POLICIES), as_of, given, RULES)


YEAR_2025 = filed((2025, 1), [THRESHOLD] * 12)


@pytest.mark.fault("D8")
@pytest.mark.parametrize(
    ("totals", "average", "start"),
    [
        ([THRESHOLD] * 12, Fraction(THRESHOLD), date(2026, 6, 30)),  # equal counts
        ([THRESHOLD] * 11 + [THRESHOLD - 1], Fraction(THRESHOLD * 12 - 1, 12), None),  # a twelfth of a cent below
        ([0] * 11 + [THRESHOLD * 12], Fraction(THRESHOLD), date(2026, 6, 30)),  # a mean, not a count of months
        ([THRESHOLD * 2] * 5 + [0] * 7, Fraction(THRESHOLD * 10, 12), None),  # not a maximum
    ],
)
def test_the_threshold_is_the_exact_mean(totals: list[int], average: Fraction, start: date | None) -> None:
    test = daily_test(filed((2025, 1), totals), date(2026, 2, 1), Notices(), RULES, POLICIES)
    assert (test.average, test.start_by, test.required) == (average, start, False)


@pytest.mark.fault("D8")
def test_customer_and_pab_are_added() -> None:
    only_customers = [replace(each, pab_credits=0) for each in YEAR_2025]
    assert frequency(YEAR_2025, date(2026, 6, 30)) is Frequency.DAILY_REQUIRED
    assert frequency(only_customers, date(2026, 6, 30)) is Frequency.WEEKLY


@pytest.mark.fault("D8")
def test_daily_starts_six_months_after_the_last_month_end() -> None:
    assert frequency(YEAR_2025, date(2026, 6, 29)) is Frequency.WEEKLY
    assert frequency(YEAR_2025, date(2026, 6, 30)) is Frequency.DAILY_REQUIRED
    later = filed((2025, 2), [THRESHOLD - 1] * 11 + [THRESHOLD + 11])
    assert frequency(later, date(2026, 7, 30)) is Frequency.WEEKLY
    assert frequency(later, date(2026, 7, 31)) is Frequency.DAILY_REQUIRED


@pytest.mark.fault("D8")
def test_months_before_the_first_window_do_not_count() -> None:
    """The compliance date rests on the month-ends of 2025: an earlier twelve starts nothing."""
    falling = filed((2024, 12), [THRESHOLD * 3] * 1 + [THRESHOLD - 1] * 12)
    assert frequency(falling, date(2026, 12, 1)) is Frequency.WEEKLY


@pytest.mark.fault("D8")
def test_only_filed_forms_count() -> None:
    not_yet = [*YEAR_2025[:-1], replace(YEAR_2025[-1], filed_on=date(2026, 7, 15))]
    assert frequency(not_yet, date(2026, 7, 14)) is Frequency.WEEKLY
    assert frequency(not_yet, date(2026, 7, 15)) is Frequency.DAILY_REQUIRED


@pytest.mark.fault("D8")
def test_a_new_firm_has_no_average_before_twelve_forms() -> None:
    eleven = filed((2025, 2), [THRESHOLD * 2] * 11)
    test = daily_test(eleven, date(2026, 10, 2), Notices(), RULES, POLICIES)
    assert (test.average, test.required) == (None, False)
    strict = policies_at(
        date(2026, 10, 2), [Policy("new_firm_average", "mean_of_filed", date(2026, 1, 1), "written opinion", "x")]
    )
    assert daily_test(eleven, date(2026, 10, 2), Notices(), RULES, strict).required


@pytest.mark.fault("D8")
def test_a_hole_in_the_filings_is_no_reason_to_reach_back() -> None:
    holed = filed((2024, 12), [THRESHOLD] * 13)
    del holed[6]
    with pytest.raises(ScheduleRefused, match="do not follow"):
        frequency(holed, date(2026, 10, 2))
    with pytest.raises(ScheduleRefused, match="do not follow"):
        frequency([*YEAR_2025, YEAR_2025[-1]], date(2026, 10, 2))


FALLEN = [*YEAR_2025, *filed((2026, 1), [0] * 9)]
"""At the threshold through 2025, far below after; the last form is filed on 2026-10-20."""


@pytest.mark.fault("D8")
def test_falling_below_ends_nothing_by_itself() -> None:
    assert frequency(FALLEN, date(2027, 5, 1)) is Frequency.DAILY_REQUIRED


@pytest.mark.fault("D8")
def test_notice_and_sixty_days_end_it() -> None:
    notices = Notices(weekly_again=(date(2026, 8, 1),))
    assert frequency(FALLEN, date(2026, 9, 29), notices) is Frequency.DAILY_REQUIRED
    assert frequency(FALLEN, date(2026, 9, 30), notices) is Frequency.WEEKLY


@pytest.mark.fault("D8")
def test_a_notice_while_at_the_threshold_ends_nothing() -> None:
    notices = Notices(weekly_again=(date(2026, 8, 1),))
    assert frequency(YEAR_2025, date(2027, 1, 1), notices) is Frequency.DAILY_REQUIRED


@pytest.mark.fault("D8")
def test_going_back_up_within_the_sixty_days_keeps_it() -> None:
    up = [*YEAR_2025, *filed((2026, 1), [0] * 6), *filed((2026, 7), [THRESHOLD * 12])]
    notices = Notices(weekly_again=(date(2026, 8, 1),))
    assert frequency(up, date(2026, 12, 1), notices) is Frequency.DAILY_REQUIRED


@pytest.mark.fault("D8")
@pytest.mark.parametrize(("days", "kept"), [(60, True), (61, False)])
def test_a_filing_on_the_sixtieth_day_still_counts(days: int, kept: bool) -> None:
    (above,) = filed((2026, 7), [THRESHOLD * 12])
    up = [*YEAR_2025, *filed((2026, 1), [0] * 6), replace(above, filed_on=date(2026, 8, 1) + timedelta(days=days))]
    notices = Notices(weekly_again=(date(2026, 8, 1),))
    assert (frequency(up, date(2026, 12, 1), notices) is Frequency.DAILY_REQUIRED) is kept


@pytest.mark.fault("D8")
@pytest.mark.parametrize(("given", "weekly"), [(date(2026, 5, 1), True), (date(2026, 4, 30), False)])
def test_a_notice_that_ran_out_before_daily_was_due_ends_nothing(given: date, weekly: bool) -> None:
    """Sixty days after the first are June 30, when daily became due; the other ran out the day before."""
    notices = Notices(weekly_again=(given,))
    assert (frequency(FALLEN, date(2026, 7, 1), notices) is Frequency.WEEKLY) is weekly


@pytest.mark.fault("D8")
def test_after_the_exit_a_new_twelve_starts_it_again_in_six_months() -> None:
    again = [*FALLEN, *filed((2026, 10), [THRESHOLD * 12])]
    notices = Notices(weekly_again=(date(2026, 8, 1),))
    assert frequency(again, date(2027, 4, 29), notices) is Frequency.WEEKLY
    assert frequency(again, date(2027, 4, 30), notices) is Frequency.DAILY_REQUIRED


def test_voluntary_daily_counts_thirty_days_after_notice_until_approved_otherwise() -> None:
    below = filed((2025, 1), [1] * 12)
    notices = Notices(voluntary_daily=date(2026, 8, 1))
    assert frequency(below, date(2026, 8, 30), notices) is Frequency.WEEKLY
    assert frequency(below, date(2026, 8, 31), notices) is Frequency.DAILY_VOLUNTARY
    ended = replace(notices, voluntary_ended=date(2026, 9, 15))
    assert frequency(below, date(2026, 9, 14), ended) is Frequency.DAILY_VOLUNTARY
    assert frequency(below, date(2026, 9, 15), ended) is Frequency.WEEKLY
    assert frequency(below, date(2026, 9, 15)) is Frequency.WEEKLY


@pytest.mark.fault("D9")
def test_the_older_rule_set_requires_nothing() -> None:
    old = rule_set_at(date(2025, 3, 13))
    test = daily_test(YEAR_2025, date(2026, 10, 2), Notices(), old, POLICIES)
    assert not test.required
    assert frequency_at(test, date(2026, 10, 2), Notices(voluntary_daily=date(2025, 1, 1)), old) is Frequency.WEEKLY


def test_a_month_end_is_the_last_day_and_filed_after_it() -> None:
    good = YEAR_2025[0]
    with pytest.raises(ScheduleRefused, match="last day"):
        replace(good, month_end=date(2025, 1, 30))
    with pytest.raises(ScheduleRefused, match="filed"):
        replace(good, filed_on=date(2025, 1, 31))
    with pytest.raises(InvalidValue):
        replace(good, pab_credits=-1)


@pytest.mark.parametrize(
    ("method", "indebtedness", "capital", "funds", "clean_weeks", "permitted"),
    [
        (Method.BASIC, 800, 100, 1_000_000_00, None, True),
        (Method.BASIC, 801, 100, 1_000_000_00, None, False),
        (Method.BASIC, 800, 100, 1_000_000_01, None, False),
        (Method.BASIC, 800, 100, 0, 3, False),
        (Method.BASIC, 800, 100, 0, 4, True),
        (Method.BASIC, 0, 0, 0, None, False),
        (Method.ALTERNATIVE, 0, 100, 0, None, False),
    ],
)
def test_when_monthly_is_permitted(
    method: Method, indebtedness: int, capital: int, funds: int, clean_weeks: int | None, permitted: bool
) -> None:
    test = daily_test([], date(2026, 10, 2), Notices(), RULES, POLICIES)
    assert (
        monthly_permitted(
            method,
            test,
            aggregate_indebtedness=indebtedness,
            net_capital=capital,
            customer_funds=funds,
            clean_weeks=clean_weeks,
        )
        is permitted
    )
