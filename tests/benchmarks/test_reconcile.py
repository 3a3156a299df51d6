"""The benchmark of reconciliation at a small size: what is compared is equal, and what is not ends it."""

from __future__ import annotations

import pytest

from benchmarks import reconcile
from benchmarks.measure import ResultsDiffer
from benchmarks.reconcile import Outcome, in_duckdb, measure, on_chain, owned, require_equal


def test_all_sides_find_the_same_across_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "PORTION", 2_500)
    result = measure(6_000)
    assert result.notes["found"] == {"matched": 5_995, "diverged": 5}
    assert in_duckdb(6_000).diverged == {1_000 * each + 7: each - 5 for each in (0, 1, 2, 3, 4)}
    assert result.ratio_to_floor > 0
    assert result.ratio_to_peer > 0


def test_what_is_there_is_what_the_books_say_but_for_some() -> None:
    assert [number for number in range(5_000) if on_chain(number) != sum(owned(number))] == [
        7,
        1_007,
        2_007,
        3_007,
        4_007,
    ]


def test_another_difference_ends_it() -> None:
    ours, side = Outcome(9, {7: -5}), Outcome(9, {7: 5})
    require_equal(ours, "itself", Outcome(9, {7: -5}))
    with pytest.raises(ResultsDiffer, match="other differences"):
        require_equal(ours, "DuckDB", side)
