"""Whether a monthly computation is permitted, 15c3-3(e)(3)(i)(C), (ii) and (iii), by what is on record.

A firm asks for it: weekly is never later. The deposit is then 105 percent of the excess, Exhibit A item 16. What is not
on record permits nothing: without an earlier computation nobody knows the aggregate customer funds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from exports.reserve.computation import Occasion, ReserveComputation
from exports.reserve.frequency import (
    MONTHLY_INDEBTEDNESS_PERCENT,
    Method,
    monthly_permitted,
    pab_monthly_permitted,
)
from exports.reserve.items import ReserveClass
from exports.reserve.rulesets import rule_set_at
from mapping.reserve_types import FirmCapital
from verifier.reserve.stated import capital_on, frequencies_on
from verifier.reserve_inputs import firm_policies

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store


_CONDITIONS: Final = (
    "it is for the basic method, with indebtedness of at most 800 percent of net capital, customer funds of at most "
    "$1,000,000 at the last computation, and four weekly computations since it was above, (e)(3)(i)(C), (ii)"
)
_PAB_CONDITIONS: Final = (
    "it is for a firm without customers and proprietary trading (policy pab_only_business), and after a requirement "
    "only when four weekly computations had none, (e)(3)(iii)"
)


def why_not_monthly(store: Store, settings: Settings, purpose: ReserveClass, as_of: date, known_at: datetime) -> str:
    """Why a purpose may not be computed monthly as of a day; empty where it may.

    Raises `ReserveError` when what decides it cannot be told.
    """
    statements, policies = store.reserve_statements(known_at), firm_policies(settings, as_of)
    _, _, test = frequencies_on(statements, as_of, rule_set_at(as_of), policies)
    earlier = list(_earlier(store, purpose, as_of, known_at))
    if purpose is ReserveClass.PAB:
        if test.required:
            return "daily computation is required, (e)(3)(i)(B)"
        requirements = [
            each.pab.required_before_offset
            for each in earlier
            if each.pab.required_before_offset or each.inputs.occasion is Occasion.REGULAR
        ]
        customers = [each.customer for each in _earlier(store, ReserveClass.CUSTOMER, as_of, known_at)]
        has_customers = bool(customers) and max(customers[-1].total_credits, customers[-1].total_debits) > 0
        only_pab = policies.text("pab_only_business") == "yes" and not has_customers
        permitted = pab_monthly_permitted(only_pab=only_pab, requirements=requirements)
        return "" if permitted else _PAB_CONDITIONS
    if not earlier:
        return "no customer computation is on record, whose aggregate customer funds would permit it, (e)(3)(i)(C)"
    capital = capital_on(statements.capital, as_of)
    permitted = monthly_permitted(
        Method(capital.method.value),
        test,
        aggregate_indebtedness=capital.aggregate_indebtedness,
        net_capital=capital.net_capital,
        customer_funds=earlier[-1].customer.total_credits,
        clean_weeks=_clean_weeks(statements.capital, earlier, as_of),
    )
    return "" if permitted else _CONDITIONS


def _earlier(store: Store, purpose: ReserveClass, as_of: date, known_at: datetime) -> Iterator[ReserveComputation]:
    """The computations of a purpose that stand, before a day, oldest first; test runs are none."""
    own = [
        each
        for each in store.standing_computations(known_at)
        if each.as_of < as_of and purpose in each.scope.classes and each.occasion is not Occasion.TEST
    ]
    yield from (each.computation() for each in sorted(own, key=lambda each: each.as_of))


def _clean_weeks(capital: Iterable[FirmCapital], earlier: Iterable[ReserveComputation], as_of: date) -> int | None:
    """Successive regular computations since indebtedness was last above 800 percent; None when it never was.

    Extra computations are no weeks: four of them fit in one.
    """
    above = [each.as_of for each in capital if each.as_of <= as_of and _is_above(each)]
    if not above:
        return None
    return sum(each.inputs.as_of > max(above) and each.inputs.occasion is Occasion.REGULAR for each in earlier)


def _is_above(capital: FirmCapital) -> bool:
    return capital.aggregate_indebtedness * 100 > capital.net_capital * MONTHLY_INDEBTEDNESS_PERCENT
