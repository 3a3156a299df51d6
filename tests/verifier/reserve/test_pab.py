"""PAB Notes 7 and 8: limits and hours, in Eastern time on both sides of a change of clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.verifier.reserve.make import AS_OF, CALENDAR
from verifier.reserve.pab import PabSweep, PreSettlementDeposit, note_7_excluded, note_8_swept

MILLION = 1_000_000_00
NOON_MONDAY = datetime(2026, 10, 5, 16, tzinfo=UTC)
LATER = datetime(2026, 10, 6, tzinfo=UTC)


def deposit(account_id: str, cents: int, moved: datetime | None = NOON_MONDAY) -> PreSettlementDeposit:
    return PreSettlementDeposit(account_id, cents, AS_OF, moved)


@pytest.mark.parametrize(
    ("deposits", "excluded"),
    [
        ([deposit("a", 5 * MILLION)], {"a": 5 * MILLION}),
        ([deposit("a", 5 * MILLION - 1)], {}),
        ([deposit("a", 4 * MILLION), deposit("a", MILLION)], {"a": 5 * MILLION}),
        ([deposit(name, 2 * MILLION) for name in "abcde"], dict.fromkeys("abcde", 2 * MILLION)),
        ([deposit(name, 2 * MILLION) for name in "abcd"] + [deposit("e", 2 * MILLION - 1)], {}),
        ([deposit("a", 5 * MILLION, NOON_MONDAY + timedelta(seconds=1))], {}),
        ([deposit("a", 5 * MILLION, None)], {}),
    ],
)
def test_note_7_excludes_large_deposits_moved_in_time(
    deposits: list[PreSettlementDeposit], excluded: dict[str, int]
) -> None:
    assert note_7_excluded(deposits, AS_OF, LATER, CALENDAR) == excluded


def test_note_7_counts_no_move_that_is_not_known_yet() -> None:
    large = [deposit("a", 5 * MILLION)]
    assert note_7_excluded(large, AS_OF, NOON_MONDAY - timedelta(seconds=1), CALENDAR) == {}
    assert note_7_excluded(large, AS_OF, NOON_MONDAY, CALENDAR) == {"a": 5 * MILLION}
    assert note_7_excluded(large, date(2026, 10, 1), LATER, CALENDAR) == {}


@pytest.mark.parametrize(
    ("swept_at", "free", "cents"),
    [
        (datetime(2026, 10, 6, 14, tzinfo=UTC), True, 70),  # 10 a.m. Eastern on the deposit date
        (datetime(2026, 10, 6, 14, 0, 1, tzinfo=UTC), True, 0),
        (datetime(2026, 10, 6, 14, tzinfo=UTC), False, 0),
        (datetime(2026, 10, 3, 3, 59, tzinfo=UTC), True, 0),  # still Friday in New York
        (datetime(2026, 10, 3, 4, tzinfo=UTC), True, 70),
    ],
)
def test_note_8_counts_sweeps_by_ten_on_the_deposit_date(swept_at: datetime, free: bool, cents: int) -> None:
    assert note_8_swept([PabSweep("a", 70, swept_at, free)], AS_OF, date(2026, 10, 6)) == cents


def test_note_8_follows_the_clocks() -> None:
    at_ten = PabSweep("a", 70, datetime(2026, 11, 3, 15, tzinfo=UTC), True)
    assert note_8_swept([at_ten], date(2026, 10, 30), date(2026, 11, 3)) == 70
