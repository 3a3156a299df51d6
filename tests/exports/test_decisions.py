"""Who approved resolutions and how long they took: in the record, which checks itself, and in the auditor's report."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chains.errors import InvalidValue
from exports.audit_report import decisions
from exports.contents import Contents
from exports.records import CaseRecord, CaseStatus
from tests.exports.sample import CREATED, sample_bundle

AT = CREATED + timedelta(minutes=5)


def decided(number: int, seconds: int, checker: str = "cco", at: int = 0) -> CaseRecord:
    """A case that was approved so many seconds after it was proposed."""
    proposed = AT + timedelta(seconds=at)
    return replace(
        sample_bundle().cases[0],
        case_id=f"CASE-{number:06d}",
        status=CaseStatus.CLOSED,
        maker="ops.maker",
        proposed_at=proposed,
        checkers=(checker,),
        decided_at=proposed + timedelta(seconds=seconds),
    )


class Held:
    """Contents that hold cases; the tables look at nothing else."""

    def __init__(self, *cases: CaseRecord) -> None:
        self.cases = cases


def contents(*cases: CaseRecord) -> Contents:
    found: Any = Held(*cases)
    return found  # type: ignore[no-any-return]


@pytest.mark.fault("F24")
def test_a_checker_who_approves_everything_within_seconds_stands_out() -> None:
    quick = [decided(number, 3, "quick", at=number) for number in range(20)]
    slow = [decided(100 + number, 7200, "slow", at=number * 7200) for number in range(3)]
    shown = decisions.checkers(contents(*quick, *slow))
    assert shown.rows == (("quick", "20", "3", "3", "20", "20"), ("slow", "3", "7,200", "7,200", "0", "1"))
    first, *_ = decisions.decisions(contents(*slow, *quick)).rows
    assert (first[0], first[1], first[2], first[-1]) == ("CASE-000000", "ops.maker", "quick", "3")


def test_what_nobody_approved_is_no_decision() -> None:
    withdrawn = replace(sample_bundle().cases[0], status=CaseStatus.CLOSED)
    assert withdrawn.seconds_to_decision is None
    assert decisions.decisions(contents(withdrawn, *sample_bundle().cases)).total == 0


@pytest.mark.fault("F1")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"checkers": ("Ops.Maker ",)}, "same person"),
        ({"checkers": ("cco", "CCO")}, "twice"),
        ({"checkers": ()}, "has a maker and a time"),
        ({"maker": ""}, "has a maker and a time"),
        ({"proposed_at": None}, "has a maker and a time"),
        ({"status": CaseStatus.OPEN}, "neither"),
        ({"status": CaseStatus.PROPOSED}, "no decision yet"),
        ({"decided_at": AT - timedelta(seconds=1)}, "decided before"),
        ({"proposed_at": CREATED - timedelta(days=1)}, "proposed before"),
    ],
)
def test_a_decision_that_does_not_fit_is_no_record(changes: dict[str, Any], reason: str) -> None:
    assert decided(1, 3).seconds_to_decision == 3
    with pytest.raises(InvalidValue, match=reason):
        replace(decided(1, 3), **changes)
