"""The two computations of Exhibit A on complete lines: percentages, totals, line 16, and the one-way offset.

Basic method: item 10 is reduced by 1 percent (Note E(3)), daily or not. Alternative method: in lieu of that, aggregate
debit items (items 10 to 15) are reduced by 3 percent, or by 2 percent where daily computation is required or made after
notice, 15c3-1(a)(1)(ii)(A). Never both. PAB: neither (PAB Note 4). The requirement is never negative; debits in excess
are kept beside it and are not carried to another date. A customer's excess debits of the same date may satisfy a PAB
requirement, never the other way: (e)(4).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from chains.errors import InvalidValue
from exports.reserve.errors import ItemsRefused, ScheduleRefused
from exports.reserve.frequency import Frequency, Method
from exports.reserve.items import Side
from exports.reserve.lines import CustomerItems, PabItems
from exports.reserve.money import Rounding, percent
from exports.reserve.policies import PolicySet
from exports.reserve.rulesets import RuleSet


class ReductionBase(StrEnum):
    """What a percentage is taken of."""

    ITEM_10 = "item_10"
    AGGREGATE_DEBITS = "aggregate_debits"


@dataclass(frozen=True, slots=True)
class Reduction:
    """The one percentage by which debits are reduced."""

    base: ReductionBase
    percent: int
    citation: str


def debit_reduction(rule_set: RuleSet, method: Method, frequency: Frequency) -> Reduction:
    """Which percentage a customer computation takes of its debits, and of which.

    Raises `ScheduleRefused` for a monthly alternative-method firm, and for a daily frequency that the rule set does not
    know: neither exists in the rule.
    """
    daily = frequency in (Frequency.DAILY_REQUIRED, Frequency.DAILY_VOLUNTARY)
    if daily and rule_set.aggregate_percent_daily is None:
        raise ScheduleRefused(f"{rule_set.rule_set_id} knows no {frequency} computation; extra ones are weekly")
    if method is Method.BASIC:
        return Reduction(ReductionBase.ITEM_10, rule_set.item_10_percent, "17 CFR 240.15c3-3a Note E(3)")
    if frequency is Frequency.MONTHLY:
        raise ScheduleRefused("a firm under the alternative method computes at least weekly, 15c3-1(a)(1)(ii)(A)")
    rate = rule_set.aggregate_percent
    if daily and rule_set.aggregate_percent_daily is not None:
        rate = rule_set.aggregate_percent_daily
    return Reduction(ReductionBase.AGGREGATE_DEBITS, rate, "17 CFR 240.15c3-1(a)(1)(ii)(A)")


@dataclass(frozen=True, slots=True)
class CustomerResult:
    """The customer computation. Amounts in US cents."""

    as_of: date
    total_credits: int
    """Items 1 to 9."""
    aggregate_debits: int
    """Items 10 to 15 before a percentage of the alternative method, after Note E(3) of the basic one. Net capital's
    2 percent minimum and 5 percent early warning are measured on this."""
    reduction: int
    """What the percentage took away."""
    total_debits: int
    """Debits that count against the credits."""
    excess_credits: int
    """Credits over debits, zero or more."""
    excess_debits: int
    """Debits over credits, zero or more; usable for PAB on this date alone."""
    required: int
    """Line 16: what must be on deposit."""
    deposit_percent: int
    """100, or 105 where the computation is monthly."""


@dataclass(frozen=True, slots=True)
class PabResult:
    """The PAB computation. Amounts in US cents."""

    as_of: date
    total_credits: int
    total_debits: int
    excess_credits: int
    excess_debits: int
    """Never usable for customers."""
    required_before_offset: int
    """Line 16 for PAB."""
    customer_excess_debits_used: int
    """What the customer computation of the same date satisfied, (e)(4)."""
    swept: int
    """What credits swept to a money fund in time reduced, PAB Note 8."""
    required: int
    """What must be on deposit in the PAB account."""
    deposit_percent: int


def customer_result(
    items: CustomerItems,
    as_of: date,
    rule_set: RuleSet,
    policies: PolicySet,
    method: Method,
    frequency: Frequency,
) -> CustomerResult:
    """Line 16 for customers."""
    _require(items, CustomerItems)
    _require_item_15_date(items.cents(15), as_of, policies)
    rule = debit_reduction(rule_set, method, frequency)
    debits = items.total(Side.DEBIT)
    base = items.cents(10) if rule.base is ReductionBase.ITEM_10 else debits
    reduction = percent(base, rule.percent, Rounding.UP)
    total_credits, total_debits = items.total(Side.CREDIT), debits - reduction
    excess = max(0, total_credits - total_debits)
    deposit_percent = rule_set.monthly_percent if frequency is Frequency.MONTHLY else 100
    return CustomerResult(
        as_of,
        total_credits,
        total_debits if rule.base is ReductionBase.ITEM_10 else debits,
        reduction,
        total_debits,
        excess,
        max(0, total_debits - total_credits),
        percent(excess, deposit_percent, Rounding.UP),
        deposit_percent,
    )


def pab_result(
    items: PabItems,
    customer: CustomerResult,
    rule_set: RuleSet,
    policies: PolicySet,
    frequency: Frequency,
    *,
    as_of: date,
    swept: int = 0,
) -> PabResult:
    """Line 16 for PAB, less the customers' excess debits of the same date, (e)(4), and less what was swept in time.

    `frequency` is the PAB computation's own; `swept` comes from `pab.note_8_swept`. Raises `InvalidValue` for a
    customer computation of another date.
    """
    _require(items, PabItems)
    if customer.as_of != as_of:
        raise InvalidValue("excess debits are usable on the date of their own computation alone")
    _require_item_15_date(items.cents(15), as_of, policies)
    if swept < 0:
        raise InvalidValue("swept credits are negative")
    if frequency in (Frequency.DAILY_REQUIRED, Frequency.DAILY_VOLUNTARY) and rule_set.aggregate_percent_daily is None:
        raise ScheduleRefused(f"{rule_set.rule_set_id} knows no {frequency} computation; extra ones are weekly")
    total_credits, total_debits = items.total(Side.CREDIT), items.total(Side.DEBIT)
    excess = max(0, total_credits - total_debits)
    monthly = frequency is Frequency.MONTHLY and policies.text("pab_monthly_105") == "yes"
    deposit_percent = rule_set.monthly_percent if monthly else 100
    before = percent(excess, deposit_percent, Rounding.UP)
    used = min(before, customer.excess_debits)
    swept_used = min(swept, before - used)
    return PabResult(
        as_of,
        total_credits,
        total_debits,
        excess,
        max(0, total_debits - total_credits),
        before,
        used,
        swept_used,
        before - used - swept_used,
        deposit_percent,
    )


def _require(items: CustomerItems | PabItems, wanted: type[CustomerItems] | type[PabItems]) -> None:
    """Refuse the other computation's lines also where no type checker looked."""
    if type(items) is not wanted:
        raise ItemsRefused(f"these are {items.account_class} lines; customer and PAB are never mixed")


def _require_item_15_date(cents: int, as_of: date, policies: PolicySet) -> None:
    """Note H(b)(3): Treasury clearing margin is a debit only once the notice was published."""
    first = policies.day("item_15_from")
    if cents and as_of < first:
        raise ItemsRefused(f"item 15 must be zero before {first.isoformat()}, Exhibit A Note H(b)(3)")
