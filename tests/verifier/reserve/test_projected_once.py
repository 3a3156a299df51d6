"""A projection is derived once for what is on record, and again for every row, day and setting that could change it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from exports.reserve.items import ReserveClass
from tests.verifier.reserve.firm import MONDAY_NOON, SETTINGS, items, open_reserve, say
from tests.verifier.reserve.test_rail import compute
from verifier import reserve_inputs
from verifier.config import ReservePolicySettings
from verifier.reserve_cases import look
from verifier.reserve_rail import reserve_view
from verifier.store import Store


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts how often a projection is computed anew."""
    counted: list[int] = []
    real = reserve_inputs._projection

    def counting(*arguments: object) -> object:
        counted.append(1)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(reserve_inputs, "_projection", counting)
    return counted


def required(store: Store, minutes: int = 0) -> int:
    projected = (
        reserve_view(store, SETTINGS, MONDAY_NOON + timedelta(minutes=minutes)).of(ReserveClass.CUSTOMER).projected
    )
    assert projected is not None
    return projected.cents


def test_what_changes_nothing_is_no_reason_to_derive_again(store: Store, asked: list[int]) -> None:
    open_reserve(store)
    assert required(store) == 1_000_00
    look(store, SETTINGS, "clock", MONDAY_NOON)
    compute(store)
    look(store, SETTINGS, "clock", MONDAY_NOON + timedelta(minutes=5))
    assert (required(store, 6), len(asked)) == (1_000_00, 1)


def test_a_row_a_day_and_a_setting_are_each_seen_at_once(store: Store, asked: list[int]) -> None:
    open_reserve(store)
    assert (required(store), required(store, 1), len(asked)) == (1_000_00, 1_000_00, 1)
    say(store, MONDAY_NOON + timedelta(minutes=2), items({1: 1_000_01}))
    assert (required(store, 3), len(asked)) == (1_000_01, 2)
    assert (required(store, 24 * 60), len(asked)) == (1_000_01, 3)
    own = ReservePolicySettings(
        name="pab_monthly_105", value="no", effective_from=MONDAY_NOON.date(), source="memo", reason="test"
    )
    changed = SETTINGS.model_copy(update={"reserve": SETTINGS.reserve.model_copy(update={"policies": [own]})})
    reserve_view(store, changed, MONDAY_NOON + timedelta(days=1))
    assert len(asked) == 4


def test_what_was_known_before_a_row_is_not_answered_with_it(store: Store, asked: list[int]) -> None:
    open_reserve(store)
    say(store, MONDAY_NOON + timedelta(minutes=2), items({1: 1_000_01}))
    assert required(store, 3) == 1_000_01
    then, _, _ = reserve_inputs.projection_and_rows(store, SETTINGS, MONDAY_NOON.date(), MONDAY_NOON)
    assert then is not None
    assert (then.customer.required, len(asked)) == (1_000_00, 2)
