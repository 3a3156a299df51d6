"""The clocks of the firm's cases, and what goes to the trade-break queue when they have run out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, time
from typing import TYPE_CHECKING

from chains.types import utc_text
from exports.reserve.errors import CalendarUnknown
from verifier.possession.clocks import settlement_calendar
from verifier.records import CaseState
from verifier.reserve_inputs import firm_calendar
from verifier.rules.case_clocks import Business, CaseClock, clock_of
from verifier.rules.case_requirements import expected_source, requirements_of

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Case, Store


def business_of(settings: Settings) -> Business:
    """The calendars and hours of the firm. Needs the `holidays` library (extra `server`)."""
    banking, hours = firm_calendar(settings)
    return Business(banking, settlement_calendar(), hours, time.fromisoformat(settings.custodians.closes))


def clock_of_case(case: Case, business: Business) -> CaseClock | None:
    """The clock of a case; None in a year whose holidays are not known: no deadline is guessed."""
    try:
        return clock_of(case.finding.kind, case.opened_at, business)
    except CalendarUnknown:
        return None


def escalate_cases(
    store: Store,
    settings: Settings,
    actor: str,
    now: datetime,
    *,
    formula_run: str = "",
    among: Collection[str] | None = None,
) -> list[str]:
    """Put every case that is past its settlement session into the trade-break queue, once, with its context.

    With `formula_run`, the id of a computation or review: everything of `among` that is open, whatever its session.
    A case whose calendar is not known is treated as past it. What was only seen in blocks that are not final waits for
    its sweep. Gives the ids of those that were moved.
    """
    business, overdue = business_of(settings), []
    for case in store.cases():
        if case.trade_break_at is not None or case.only_looked:
            continue
        clock = clock_of_case(case, business)
        if among is not None and case.case_id not in among:
            continue
        if formula_run or clock is None or clock.session_over(now):
            overdue.append((case.case_id, _reason(clock, formula_run), context_of(case, clock)))
    return store.to_trade_breaks(overdue, actor, now) if overdue else []


def _reason(clock: CaseClock | None, formula_run: str) -> str:
    if formula_run:
        return f"Unresolved when {formula_run} was made: it is a trade break."
    if clock is None:
        return "Unresolved, and the business calendar of its session is not known: it is a trade break."
    return f"Unresolved at the end of its settlement session, {utc_text(clock.session_ends)}: it is a trade break."


def context_of(case: Case, clock: CaseClock | None) -> dict[str, str]:
    """What whoever takes the trade break needs to know of it."""
    finding = case.finding
    return {
        "kind": finding.kind.value,
        "rail": finding.rail.value,
        "location": finding.location_id,
        "asset": finding.asset.asset_id if finding.asset is not None else "",
        "base_units": str(finding.base_units) if finding.base_units is not None else "",
        "tx_id": finding.tx_id,
        "state": CaseState(case.state).value,
        "assignee": case.assignee,
        "explanation": case.explanation.text if case.explanation is not None else "",
        "requirement": requirements_of(finding.kind, finding.rail)[0].code,
        "expected_source": expected_source(finding.kind),
        "opened_at": utc_text(case.opened_at),
        "cure_by": utc_text(clock.cure_by) if clock is not None else "",
    }


def trade_breaks(cases: Sequence[Case]) -> list[Case]:
    """The cases in the trade-break queue, those that are there longest first."""
    waiting = [each for each in cases if each.trade_break_at is not None and each.state is not CaseState.CLOSED]
    return sorted(waiting, key=lambda each: (each.trade_break_at, each.case_id))
