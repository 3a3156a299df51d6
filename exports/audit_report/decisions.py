"""Who approved resolutions of cases, and how long they took: what a reader asks of a second person who never looks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from exports.audit_report.tables import Shown, moment
from exports.contents import Contents
from exports.records import CaseRecord

DECISIONS_SHOWN_MAX: Final = 200
CHECKERS_SHOWN_MAX: Final = 50
QUICK_SECONDS: Final = 60
_HOUR: Final = timedelta(hours=1)


def decisions(contents: Contents) -> Shown:
    """Every approved resolution, the quickest first: case, maker, checkers, proposed, decided, seconds between."""
    ordered = sorted(_decided(contents), key=lambda each: (each.seconds_to_decision, each.case_id))
    return Shown(tuple(_row(each) for each in ordered[:DECISIONS_SHOWN_MAX]), len(ordered))


def checkers(contents: Contents) -> Shown:
    """Per checker: how many they approved, the fastest and the median in seconds, within a minute, most in one hour."""
    by_name: dict[str, list[CaseRecord]] = {}
    for each in _decided(contents):
        for name in each.checkers:
            by_name.setdefault(name, []).append(each)
    ordered = sorted(by_name.items(), key=lambda item: (-len(item[1]), item[0]))
    return Shown(tuple(_checker(name, found) for name, found in ordered[:CHECKERS_SHOWN_MAX]), len(ordered))


def _decided(contents: Contents) -> list[CaseRecord]:
    return [each for each in contents.cases if each.seconds_to_decision is not None]


def _row(case: CaseRecord) -> tuple[str, ...]:
    assert case.proposed_at is not None and case.decided_at is not None  # noqa: PT018 - see _decided
    times = (moment(case.proposed_at), moment(case.decided_at), f"{case.seconds_to_decision:,}")
    return (case.case_id, case.maker, ", ".join(case.checkers), *times)


def _checker(name: str, found: Sequence[CaseRecord]) -> tuple[str, ...]:
    seconds = sorted(each.seconds_to_decision or 0 for each in found)
    times = sorted(each.decided_at for each in found if each.decided_at is not None)
    quick = sum(each <= QUICK_SECONDS for each in seconds)
    median = seconds[(len(seconds) - 1) // 2]
    return (name, f"{len(found):,}", f"{seconds[0]:,}", f"{median:,}", f"{quick:,}", f"{_most_in_an_hour(times):,}")


def _most_in_an_hour(times: Sequence[datetime]) -> int:
    """The largest number of times that lie within one hour; the times are sorted."""
    return max((bisect_right(times, first + _HOUR) - place for place, first in enumerate(times)), default=0)
