"""Monthly computation: offered where 15c3-3(e)(3) permits it, at 105 percent, and refused with the reason elsewhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from exports.reserve.computation import Occasion, Scope
from exports.reserve.errors import ScheduleRefused
from exports.reserve.frequency import Frequency, pab_monthly_permitted
from exports.reserve.items import ReserveClass
from mapping import reserve_types as stated
from tests.verifier.reserve.firm import SETTINGS, capital, cash, items, months, open_reserve, say
from verifier.config import ReservePolicySettings, Settings
from verifier.reserve_rail import compute_and_record, reserve_view
from verifier.store import Store
from verifier.store.reserve_store import StoredComputation

MONTH_END = date(2026, 10, 30)
"""A Friday, and the last business day of October."""
AFTER = datetime(2026, 11, 2, 17, 0, tzinfo=UTC)


def weekly(
    store: Store, as_of: date, customer: int = 1_000_00, pab: int = 0, occasion: Occasion = Occasion.REGULAR
) -> StoredComputation:
    now = datetime.combine(as_of + timedelta(days=3), datetime.min.time(), UTC) + timedelta(hours=16)
    say(store, now - timedelta(minutes=30), items({1: customer}, {1: pab}, as_of))
    return compute_and_record(store, SETTINGS, as_of, Scope.BOTH, occasion, "ops.maker", now)


def monthly(
    store: Store, scope: Scope = Scope.CUSTOMER, settings: Settings = SETTINGS, as_of: date = MONTH_END
) -> StoredComputation:
    say(store, AFTER - timedelta(minutes=30), items({1: 1_000_01}, {1: 1_000_01}, as_of))
    return compute_and_record(
        store, settings, as_of, scope, Occasion.REGULAR, "ops.maker", AFTER, "monthly", monthly=True
    )


def test_a_monthly_deposit_is_105_percent(store: Store) -> None:
    open_reserve(store)
    weekly(store, date(2026, 10, 2), 1_000_000_00)
    say(store, AFTER - timedelta(days=4), months(last=date(2026, 9, 30)))
    made = monthly(store).computation()
    assert (made.inputs.frequency, made.inputs.pab_frequency) == (Frequency.MONTHLY, Frequency.WEEKLY)
    assert (made.customer.excess_credits, made.customer.required, made.customer.deposit_percent) == (
        1_000_01,
        1_050_02,
        105,
    )


@pytest.mark.parametrize(
    ("customer", "said", "as_of"),
    [
        (1_000_000_01, capital(), MONTH_END),
        (1_000_00, capital(stated.CapitalMethod.ALTERNATIVE), MONTH_END),
        (1_000_00, replace(capital(), aggregate_indebtedness=801, net_capital=100), MONTH_END),
        (1_000_00, capital(), date(2026, 10, 29)),
        (None, capital(), MONTH_END),
    ],
)
def test_monthly_is_refused_where_the_rule_does_not_permit_it(
    store: Store, customer: int | None, said: stated.FirmCapital, as_of: date
) -> None:
    open_reserve(store)
    if customer is not None:
        weekly(store, date(2026, 10, 2), customer)
    say(store, AFTER - timedelta(days=4), [*months(last=date(2026, 9, 30)), replace(said, as_of=date(2026, 10, 5))])
    with pytest.raises(ScheduleRefused):
        monthly(store, as_of=as_of)


def test_after_800_percent_four_weekly_computations_come_first(store: Store) -> None:
    open_reserve(store)
    high = replace(capital(), as_of=date(2026, 9, 30), aggregate_indebtedness=801, net_capital=100)
    low = replace(capital(), as_of=date(2026, 10, 1), aggregate_indebtedness=800, net_capital=100)
    say(store, datetime(2026, 10, 5, 15, 30, tzinfo=UTC), [high, low])
    for day in (2, 9, 16):
        weekly(store, date(2026, 10, day))
    weekly(store, date(2026, 10, 20), occasion=Occasion.EXTRA)  # no week of its own
    say(store, AFTER - timedelta(days=4), months(last=date(2026, 9, 30)))
    with pytest.raises(ScheduleRefused, match="800 percent"):
        monthly(store)
    weekly(store, date(2026, 10, 23))
    assert monthly(store).computation().customer.deposit_percent == 105


def test_a_monthly_firm_owes_no_weekly_computation_until_it_may_no_more(store: Store) -> None:
    open_reserve(store)
    weekly(store, date(2026, 10, 2))
    say(store, AFTER - timedelta(days=4), months(last=date(2026, 9, 30)))
    monthly(store)
    weeks_later = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
    say(
        store,
        weeks_later - timedelta(minutes=9),
        [*months(last=date(2026, 9, 30)), cash("C", 2_000_00, date(2026, 11, 23))],
    )

    def due(now: datetime) -> list[str]:
        gaps = reserve_view(store, SETTINGS, now).of(ReserveClass.CUSTOMER).gaps
        return [gap for gap in gaps if "was due and is not on record" in gap]

    assert due(weeks_later) == []
    late = replace(capital(), as_of=date(2026, 11, 23), aggregate_indebtedness=801, net_capital=100)
    say(store, weeks_later + timedelta(minutes=1), [late])
    assert due(weeks_later + timedelta(minutes=2)) == [
        "the customer computation as of 2026-11-20 was due and is not on record"
    ]


def only_pab() -> Settings:
    own = ReservePolicySettings(
        name="pab_only_business",
        value="yes",
        effective_from=date(2026, 1, 2),
        source="Compliance memo 9",
        reason="no customers",
    )
    return SETTINGS.model_copy(update={"reserve": SETTINGS.reserve.model_copy(update={"policies": [own]})})


def test_pab_is_monthly_for_a_firm_that_says_it_has_no_customers_and_has_none(store: Store) -> None:
    open_reserve(store)
    weekly(store, date(2026, 10, 2), 0)
    say(store, AFTER - timedelta(days=4), months(last=date(2026, 9, 30)))
    with pytest.raises(ScheduleRefused, match="pab_only_business"):
        monthly(store, Scope.PAB)
    made = monthly(store, Scope.PAB, only_pab()).computation()
    assert (made.pab.required, made.pab.deposit_percent) == (1_050_02, 105)


def test_pab_is_weekly_for_a_firm_that_has_customers_after_all(store: Store) -> None:
    open_reserve(store)
    weekly(store, date(2026, 10, 2), 1)
    say(store, AFTER - timedelta(days=4), months(last=date(2026, 9, 30)))
    with pytest.raises(ScheduleRefused, match="without customers"):
        monthly(store, Scope.PAB, only_pab())


def test_extra_computations_are_no_weeks_for_pab_either(store: Store) -> None:
    open_reserve(store)
    weekly(store, date(2026, 10, 2), 0, 1)
    for day in (9, 16, 23):
        weekly(store, date(2026, 10, day), 0)
    weekly(store, date(2026, 10, 27), 0, occasion=Occasion.EXTRA)
    say(store, AFTER - timedelta(days=4), months(last=date(2026, 9, 30)))
    with pytest.raises(ScheduleRefused, match="four weekly computations"):
        monthly(store, Scope.PAB, only_pab())


@pytest.mark.parametrize(
    ("requirements", "permitted"),
    [((), True), ((0,), True), ((5,), False), ((5, 0, 0, 0), False), ((5, 0, 0, 0, 0), True), ((0,) * 9 + (1,), False)],
)
def test_pab_after_a_requirement_is_weekly_four_times(requirements: tuple[int, ...], permitted: bool) -> None:
    assert pab_monthly_permitted(only_pab=True, requirements=requirements) is permitted
    assert not pab_monthly_permitted(only_pab=False, requirements=requirements)
