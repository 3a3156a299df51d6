"""The benchmark of the liabilities tree runs, all sides come to the same sum, and a wrong one stops it."""

from __future__ import annotations

import pytest

from benchmarks import liabilities
from benchmarks.__main__ import NAMES
from benchmarks.measure import ResultsDiffer
from exports.inclusion import verify_statement


def test_building_and_verifying_are_measured() -> None:
    assert "liabilities" in NAMES
    built, verified = liabilities.run(quick=True)
    assert built.value > 0
    assert built.ratio_to_floor < 1
    assert built.notes["leaves"] == 4 * 2_000
    assert (verified.notes["steps"], verified.unit) == (4 * 13, "statements/s")


def test_a_side_with_another_sum_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liabilities, "peer", lambda count: count)
    with pytest.raises(ResultsDiffer, match="recursion"):
        list(liabilities.run(quick=True))


def test_a_statement_that_is_not_included_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = verify_statement
    monkeypatch.setattr(liabilities, "verify_statement", lambda statement, _: honest(statement, "0" * 64))
    with pytest.raises(ResultsDiffer, match="ours"):
        list(liabilities.run(quick=True))
