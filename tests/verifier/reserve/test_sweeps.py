"""Swept credits lower a deposit where the firm follows the staff's view, on one day alone, and permit nothing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from exports.reserve.items import ReserveClass
from mapping.reserve_types import ReserveSweep
from tests.verifier.reserve.firm import FRIDAY, MONDAY_NOON, SETTINGS, open_reserve, say
from tests.verifier.reserve.test_rail import compute
from verifier.config import ReserveSettings, Settings
from verifier.reserve_cases import reserve_findings
from verifier.reserve_rail import PurposeView, reserve_view, what_if_withdraw
from verifier.store import Store

MONDAY, TUESDAY = date(2026, 10, 5), date(2026, 10, 6)
LATER = MONDAY_NOON + timedelta(hours=2)


def following(first: date | None) -> Settings:
    return SETTINGS.model_copy(update={"reserve": ReserveSettings(sweep_credits_from=first)})


@pytest.fixture
def swept(store: Store) -> Store:
    """1,000.00 required, 900.00 held, 60.00 swept on the next business day, 500.00 a day too late."""
    open_reserve(store)
    compute(store)
    sweeps = [ReserveSweep(FRIDAY, MONDAY, 60_00, "S-1"), ReserveSweep(FRIDAY, TUESDAY, 500_00, "S-2")]
    say(store, MONDAY_NOON + timedelta(hours=1), sweeps)
    return store


def customer(store: Store, settings: Settings) -> PurposeView:
    return reserve_view(store, settings, LATER).of(ReserveClass.CUSTOMER)


@pytest.mark.parametrize(
    ("first", "shortfall"),
    [(None, 100_00), (FRIDAY, 40_00), (FRIDAY + timedelta(days=1), 100_00), (date(2026, 1, 1), 40_00)],
)
def test_a_sweep_lowers_the_deposit_only_from_the_firms_own_day_on(
    swept: Store, first: date | None, shortfall: int
) -> None:
    view = customer(swept, following(first))
    assert view.funding is not None
    assert (view.shortfall, view.swept) == (shortfall, 100_00 - shortfall)
    assert view.projected_shortfall == shortfall
    assert view.funding.requirement.cents_for_withdrawal == 1_000_00


def test_a_sweep_permits_no_withdrawal(swept: Store) -> None:
    say(swept, MONDAY_NOON + timedelta(hours=1, minutes=1), [ReserveSweep(FRIDAY, MONDAY, 400_00, "S-3")])
    view = customer(swept, following(FRIDAY))
    assert view.funding is not None
    assert (view.shortfall, view.funding.withdrawable) == (0, 0)
    check = what_if_withdraw(swept, following(FRIDAY), "C", 1, LATER)
    assert (check.permitted, check.short_of_requirement) == (False, 100_01)
    assert reserve_findings(reserve_view(swept, following(FRIDAY), LATER)) == []


def test_a_sweep_never_makes_a_requirement_negative(swept: Store) -> None:
    say(swept, MONDAY_NOON + timedelta(hours=1, minutes=1), [ReserveSweep(FRIDAY, MONDAY, 5_000_00, "S-3")])
    view = customer(swept, following(FRIDAY))
    assert view.funding is not None
    assert view.funding.requirement.cents == 0
    assert reserve_view(swept, following(FRIDAY), LATER).of(ReserveClass.PAB).swept == 0
