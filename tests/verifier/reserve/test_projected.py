"""A projected deficit says by when its deposit would be due, and becomes a deficit when a computation fixes it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from exports.reserve.items import ReserveClass
from mapping.reserve_types import NoticeKind, ReserveNotice
from tests.verifier.reserve.firm import (
    DEADLINE,
    FRIDAY,
    MONDAY_NOON,
    PAB,
    SETTINGS,
    account,
    capital,
    cash,
    items,
    months,
    open_reserve,
    say,
)
from tests.verifier.reserve.test_rail import compute, kinds
from verifier import reserve_cases
from verifier.config import Settings
from verifier.records import FindingKind, Rail
from verifier.reserve_cases import look, reserve_findings
from verifier.reserve_rail import ReserveView, reserve_view
from verifier.reserve_show import purpose_lines, reserve_reasons, view_json
from verifier.store import Store


def test_a_projected_deficit_has_amount_rows_and_time_left_and_becomes_one(store: Store) -> None:
    open_reserve(store)
    view = reserve_view(store, SETTINGS, MONDAY_NOON)
    customer = view.of(ReserveClass.CUSTOMER)
    assert (customer.projected_shortfall, customer.projected_by, len(customer.drivers) > 0) == (100_00, DEADLINE, True)
    finding = next(each for each in reserve_findings(view) if each.kind is FindingKind.PROJECTED_RESERVE_DEFICIT)
    assert "the deposit is due by 2026-10-06T14:00:00.000000Z" in finding.text
    assert "item 1 (credit)" in finding.text
    shown = view_json(view)["purposes"]
    assert isinstance(shown, dict)
    assert shown["customer"]["projected"]["seconds_remaining"] == 22 * 3600
    assert any("22 h 0 min left" in value for _, value in purpose_lines(customer, MONDAY_NOON))
    assert any("22 h 0 min left" in reason for reason in reserve_reasons(view))
    look(store, SETTINGS, "clock", MONDAY_NOON)
    compute(store)
    look(store, SETTINGS, "clock", MONDAY_NOON + timedelta(minutes=1))
    found = kinds(store)
    assert (found[FindingKind.PROJECTED_RESERVE_DEFICIT], found[FindingKind.RESERVE_DEFICIT]) == (False, True)


def test_there_is_one_case_for_each_purpose(store: Store) -> None:
    records = [*items({1: 100_00}, {1: 50_00}), account("C"), account("P", PAB), cash("C", 0), cash("P", 0)]
    say(store, MONDAY_NOON - timedelta(hours=1), [*records, capital(), *months()])
    for minute in range(2):
        look(store, SETTINGS, "clock", MONDAY_NOON + timedelta(minutes=minute))
    places = [
        str(each.finding.location_id)
        for each in store.cases()
        if each.finding.kind is FindingKind.PROJECTED_RESERVE_DEFICIT
    ]
    assert sorted(places) == ["bank:reserve-customer", "bank:reserve-pab"]


@pytest.mark.parametrize(
    ("as_of", "daily", "due"),
    [
        (FRIDAY, False, DEADLINE),
        (date(2026, 10, 1), False, DEADLINE),  # a Thursday: the week's last business day fixes it
        (date(2026, 10, 3), False, datetime.fromisoformat("2026-10-14T14:00:00+00:00")),  # a Saturday: the next week's
        (date(2026, 10, 1), True, datetime.fromisoformat("2026-10-05T14:00:00+00:00")),  # daily: its own day
        (date(2026, 10, 3), True, datetime.fromisoformat("2026-10-07T14:00:00+00:00")),  # daily: Monday's
    ],
)
def test_the_deadline_is_that_of_the_next_computation_that_can_fix_it(
    store: Store, as_of: date, daily: bool, due: datetime
) -> None:
    records = [*items({1: 100_00}, as_of=as_of), account("C"), account("P", PAB), cash("C", 0), cash("P", 0)]
    notice = ReserveNotice(NoticeKind.VOLUNTARY_DAILY, date(2026, 8, 3), "letter")
    say(store, MONDAY_NOON - timedelta(hours=1), [*records, capital(), *months(), *([notice] if daily else [])])
    found = reserve_view(store, SETTINGS, MONDAY_NOON).of(ReserveClass.CUSTOMER)
    assert found.projected_by == due


@pytest.mark.parametrize("always", [False, True])
def test_a_slow_look_never_undoes_what_a_newer_one_saw(
    store: Store, monkeypatch: pytest.MonkeyPatch, always: bool
) -> None:
    """With a million accounts a look takes many seconds; a row posted meanwhile has a look of its own."""
    open_reserve(store, held=1_000_00)
    compute(store)
    real, began = reserve_view, MONDAY_NOON + timedelta(minutes=10)
    posted: list[int] = []

    def slow(of: Store, settings: Settings, now: datetime) -> ReserveView:
        view = real(of, settings, now)
        if not posted or (always and len(posted) < 9):
            posted.append(1)
            monkeypatch.setattr(reserve_cases, "reserve_view", real)
            later = began + timedelta(minutes=len(posted))
            say(of, later, [cash("C", 900_00 - len(posted))])
            look(of, settings, "ops.maker", later)
            monkeypatch.setattr(reserve_cases, "reserve_view", slow)
        return view

    monkeypatch.setattr(reserve_cases, "reserve_view", slow)
    view, seen = look(store, SETTINGS, "clock", began)
    assert kinds(store)[FindingKind.RESERVE_DEFICIT]
    assert [each.finding.kind for each in seen if each.finding.rail is Rail.CASH] != []
    assert len(posted) == (reserve_cases.LOOKS if always else 1)
    assert view.of(ReserveClass.CUSTOMER).shortfall == 100_00 + (len(posted) - 1 if always else 1)
