"""The matching benchmark at a small size: all sides name the same approvals, and a wrong one stops it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks import matching
from benchmarks.__main__ import NAMES
from benchmarks.measure import ResultsDiffer


def test_every_case_is_measured_and_says_how_long_it_took() -> None:
    assert "matching" in NAMES
    results = list(matching.run(quick=True))
    assert len(results) == 3
    for result in results:
        assert result.value > 0
        assert result.ratio_to_floor < 1
        assert result.notes["under_10_seconds"] is True


@pytest.mark.parametrize("places", [60, 6, 1])
def test_all_sides_find_the_same_approval_for_each_transfer(places: int) -> None:
    desk = matching.make_desk(60, places)
    assert matching.ours(desk) == matching.peer(desk) == matching.floor(desk) == list(desk.expected)
    assert sorted(desk.expected) == sorted(each.authorization_id for each in desk.authorizations)


def test_a_side_that_finds_another_one_is_not_timed() -> None:
    desk = matching.make_desk(60, 6)
    first, second, *others = desk.expected
    with pytest.raises(ResultsDiffer):
        matching._measure("case", replace(desk, expected=[second, first, *others]))
