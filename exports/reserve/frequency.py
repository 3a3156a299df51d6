"""How often a firm must compute, 15c3-3(e)(3): the $500 million test with its start and exit, voluntary daily, monthly.

The test is the arithmetic mean of total credits, customer plus PAB, in the twelve most recently filed month-end Forms
X-17A-5; equal or greater counts. It is not a maximum, not a calendar year and not net of debits. Daily computation
starts no later than six months after the last month-end of the first such twelve, and ends only when the average is
below and 60 calendar days have passed since written notice to the designated examining authority. Falling below alone
ends nothing. Computing daily without the notice of (e)(3)(v) is weekly with extra computations of (e)(3)(iv).
"""

from __future__ import annotations

import itertools
from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Final

from exports.reserve.errors import ScheduleRefused
from exports.reserve.money import require_cents
from exports.reserve.policies import PolicySet
from exports.reserve.rulesets import RuleSet

WINDOW_MONTHS: Final = 12
START_MONTHS: Final = 6
"""Months after the last month-end of the window; (e)(3)(i)(B), counted as staff FAQ of 2025-12-08 does."""
EXIT_NOTICE_DAYS: Final = 60
"""Calendar days of notice before a firm below the threshold may compute weekly."""
VOLUNTARY_NOTICE_DAYS: Final = 30
"""Calendar days of notice before voluntary daily computation counts, (e)(3)(v)."""
MONTHLY_INDEBTEDNESS_PERCENT: Final = 800
MONTHLY_FUNDS_CENTS_MAX: Final = 1_000_000_00
MONTHLY_CLEAN_WEEKS: Final = 4


class Method(StrEnum):
    """How the firm computes net capital, which decides the percentage taken of debits."""

    BASIC = "basic"
    """Aggregate indebtedness standard, 15c3-1(a)(1)(i)."""
    ALTERNATIVE = "alternative"
    """Percentage of aggregate debit items, 15c3-1(a)(1)(ii)."""


class Frequency(StrEnum):
    """How often computations are due."""

    DAILY_REQUIRED = "daily_required"
    DAILY_VOLUNTARY = "daily_voluntary"
    """Daily after 30 calendar days' notice under (e)(3)(v)."""
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class MonthEnd:
    """Total credits of one filed month-end Form X-17A-5."""

    month_end: date
    customer_credits: int
    """US cents."""
    pab_credits: int
    """US cents."""
    filed_on: date

    def __post_init__(self) -> None:
        require_cents(self.customer_credits, "customer total credits")
        require_cents(self.pab_credits, "PAB total credits")
        if self.month_end.day != monthrange(self.month_end.year, self.month_end.month)[1]:
            raise ScheduleRefused(f"{self.month_end.isoformat()} is not the last day of a month")
        if self.filed_on <= self.month_end:
            raise ScheduleRefused(
                f"the form of {self.month_end.isoformat()} cannot have been filed by its own month-end"
            )


@dataclass(frozen=True, slots=True)
class Notices:
    """Dates of written notices to the designated examining authority."""

    weekly_again: tuple[date, ...] = ()
    """That the firm is below the threshold and will compute weekly."""
    voluntary_daily: date | None = None
    """That it will compute daily of its own will."""
    voluntary_ended: date | None = None
    """From when the authority approved that it stops; without approval it must go on."""


@dataclass(frozen=True, slots=True)
class DailyTest:
    """Where a firm stands against the $500 million on one date."""

    average: Fraction | None
    """Cents, exact; None when there is no average yet."""
    month_ends: tuple[date, ...]
    """The month-ends it is the mean of."""
    required: bool
    """Whether daily computation is required on the date."""
    start_by: date | None
    """When daily computation was or becomes due; None when no twelve forms ever reached the threshold."""
    reason: str


def average_credits(
    filed: Iterable[MonthEnd], known_on: date, policies: PolicySet
) -> tuple[Fraction | None, list[date]]:
    """Mean of the twelve most recently filed month-ends as known on a date, in exact cents, and their dates.

    Raises `ScheduleRefused` when a month among them is missing or given twice: a form that was not imported is no
    reason to reach further back. With fewer than twelve the policy `new_firm_average` decides.
    """
    known = sorted((each for each in filed if each.filed_on <= known_on), key=lambda each: each.month_end)
    window = known[-WINDOW_MONTHS:]
    for earlier, later in itertools.pairwise(window):
        if later.month_end != _months_after(earlier.month_end, 1, month_end=True):
            gap = f"{earlier.month_end.isoformat()} and {later.month_end.isoformat()}"
            raise ScheduleRefused(f"the month-ends {gap} do not follow each other")
    dates = [each.month_end for each in window]
    if not window or (len(window) < WINDOW_MONTHS and policies.text("new_firm_average") == "none_before_twelve"):
        return None, dates
    return Fraction(sum(each.customer_credits + each.pab_credits for each in window), len(window)), dates


def daily_test(
    filed: Iterable[MonthEnd], as_of: date, notices: Notices, rule_set: RuleSet, policies: PolicySet
) -> DailyTest:
    """Whether daily computation is required on a date, from the forms filed by then and the notices given by then."""
    forms = sorted(filed, key=lambda each: each.filed_on)
    average, dates = average_credits(forms, as_of, policies)
    threshold, first_end = rule_set.daily_threshold_cents, rule_set.daily_first_window_ends
    if threshold is None or first_end is None or rule_set.daily_required_from is None:
        return DailyTest(average, tuple(dates), False, None, "there is no daily requirement in this rule set")
    start: date | None = None
    events = sorted({each.filed_on for each in forms if each.filed_on <= as_of})
    for position, known_on in enumerate(events):
        mean, ends = average_credits(forms, known_on, policies)
        if mean is not None and mean >= threshold and ends[-1] >= first_end and start is None:
            start = max(_months_after(ends[-1], START_MONTHS), rule_set.daily_required_from)
        until = events[position + 1] if position + 1 < len(events) else as_of + timedelta(days=1)
        if start is not None and _ended(start, forms, notices, until - timedelta(days=1), threshold, policies):
            start = None
    if start is None:
        return DailyTest(average, tuple(dates), False, None, "the average is below the threshold, or daily was ended")
    if as_of < start:
        return DailyTest(average, tuple(dates), False, start, f"daily computation is due from {start.isoformat()}")
    return DailyTest(average, tuple(dates), True, start, f"daily computation has been due since {start.isoformat()}")


def _ended(
    start: date, forms: list[MonthEnd], notices: Notices, day: date, threshold: int, policies: PolicySet
) -> bool:
    """Whether, by a day, a notice ended the duty: below when it was given and on every filing of its 60 days.

    A notice given before daily computation was due ends nothing that has begun later than its period.
    """
    for given in notices.weekly_again:
        weekly_from = given + timedelta(days=EXIT_NOTICE_DAYS)
        if weekly_from > day or weekly_from < start:
            continue
        moments = [given, *(each.filed_on for each in forms if given < each.filed_on <= weekly_from)]
        means = [average_credits(forms, moment, policies)[0] for moment in moments]
        if all(mean is not None and mean < threshold for mean in means):
            return True
    return False


def frequency_at(test: DailyTest, as_of: date, notices: Notices, rule_set: RuleSet) -> Frequency:
    """Daily as required, daily by notice, or weekly; monthly is a choice that `monthly_permitted` decides."""
    if test.required:
        return Frequency.DAILY_REQUIRED
    if rule_set.aggregate_percent_daily is None or notices.voluntary_daily is None:
        return Frequency.WEEKLY
    if notices.voluntary_ended is not None and notices.voluntary_ended <= as_of:
        return Frequency.WEEKLY
    if as_of >= notices.voluntary_daily + timedelta(days=VOLUNTARY_NOTICE_DAYS):
        return Frequency.DAILY_VOLUNTARY
    return Frequency.WEEKLY


def monthly_permitted(
    method: Method,
    test: DailyTest,
    *,
    aggregate_indebtedness: int,
    net_capital: int,
    customer_funds: int,
    clean_weeks: int | None,
) -> bool:
    """Whether customer computations may be monthly, 15c3-3(e)(3)(i)(C) and (ii). All amounts in cents.

    `customer_funds` are the aggregate customer funds of the last computation. `clean_weeks` counts the successive
    weekly computations made while indebtedness was at most 800 percent, since a firm was last above; None when it
    never was. A firm under the alternative method computes weekly, 15c3-1(a)(1)(ii)(A).
    """
    if method is Method.ALTERNATIVE or test.required or net_capital <= 0:
        return False
    if clean_weeks is not None and clean_weeks < MONTHLY_CLEAN_WEEKS:
        return False
    within = aggregate_indebtedness * 100 <= net_capital * MONTHLY_INDEBTEDNESS_PERCENT
    return within and customer_funds <= MONTHLY_FUNDS_CENTS_MAX


def pab_monthly_permitted(*, only_pab: bool, requirements: Sequence[int]) -> bool:
    """Whether PAB computations may be monthly, 15c3-3(e)(3)(iii).

    `only_pab` is a firm that carries no customers' accounts and does no proprietary trading. `requirements` are those
    of its PAB computations so far, oldest first, in cents: after one that asked for a deposit it computes weekly until
    four in succession ask for none.
    """
    since = [weeks for weeks, cents in enumerate(reversed(requirements)) if cents]
    return only_pab and (not since or since[0] >= MONTHLY_CLEAN_WEEKS)


def _months_after(day: date, months: int, *, month_end: bool = False) -> date:
    """The same day of a later month, or that month's last day where it is shorter or a month-end is asked for."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, last if month_end else min(day.day, last))
