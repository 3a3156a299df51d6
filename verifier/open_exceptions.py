"""The exceptions that were open at a run's as-of, who explained them, and those that nobody did.

A reserve computation and a daily report list them. One without an explanation and a maker marks the run and is
escalated, once, to the section of the written supervisory procedures that is configured. The run itself is made
whatever is open: nothing here delays it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from chains.types import utc_text
from exports.canonical import canonical_json
from verifier.case_view import case_json
from verifier.records import CaseState

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Case, Store
    from verifier.store.report_store import ExceptionReview

FORMAT: Final = "custody-open-exceptions/1"
NO_SECTION: Final = "no section of the written supervisory procedures is configured"


@dataclass(frozen=True, slots=True)
class OpenException:
    """A case that was open at an as-of, with the explanation that stands now."""

    case: Case
    """As it stands now."""

    @property
    def is_unexplained(self) -> bool:
        """Whether it is open still and nobody said what it is; what was closed needs no explanation any more."""
        return self.case.explanation is None and self.case.state is not CaseState.CLOSED

    def to_dict(self) -> dict[str, object]:
        """For a document."""
        case, explanation = self.case, self.case.explanation
        return case_json(case.case_id, case.finding) | {
            "state": case.state.value,
            "opened_at": utc_text(case.opened_at),
            "is_seen": case.is_seen,
            "explanation": explanation.text if explanation is not None else None,
            "maker": explanation.maker if explanation is not None else None,
            "explained_at": utc_text(explanation.recorded_at) if explanation is not None else None,
            "unexplained": self.is_unexplained,
        }


def close_of(settings: Settings, day: date) -> datetime:
    """The end of a civil day at the banks, in UTC: what was open before it was open at that day's as-of."""
    zone = ZoneInfo(settings.reserve.bank_zone)
    return datetime.combine(day + timedelta(days=1), time_of_day(), zone).astimezone(UTC)


def open_at(store: Store, moment: datetime, known_at: datetime) -> list[OpenException]:
    """Every case that was open at a moment, as it stands at a later one."""
    then = {each.case_id for each in store.cases(known_at=moment)}
    now = store.cases(include_closed=True, known_at=known_at)
    return [OpenException(each) for each in now if each.case_id in then]


def unexplained(listed: Sequence[OpenException]) -> list[str]:
    """Ids of those that nobody explained."""
    return [each.case.case_id for each in listed if each.is_unexplained]


def review_exceptions(
    store: Store, settings: Settings, run_id: str, as_of: date, actor: str, now: datetime
) -> ExceptionReview:
    """List what was open at a run's as-of, mark the run, and escalate what nobody explained."""
    moment = min(close_of(settings, as_of), store.book_time(now))
    listed = open_at(store, moment, store.book_time(now))
    section = settings.supervision.wsp_section
    document = canonical_json(
        {
            "format": FORMAT,
            "run_id": run_id,
            "as_of": as_of.isoformat(),
            "open_at": utc_text(moment),
            "wsp_section": section,
            "exceptions": [each.to_dict() for each in listed],
        }
    )
    text = f"{run_id} lists it as of {as_of.isoformat()} without an explanation and a maker: {section or NO_SECTION}."
    return store.add_exception_review(
        run_id, as_of, moment, len(listed), unexplained(listed), document, section, text, actor, now
    )
