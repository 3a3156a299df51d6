"""Decisions about who else may move something: approved by now, and anew for every version."""

from __future__ import annotations

from chains.types import utc_text
from mapping.accepted_control import AcceptedControl
from mapping.checks.scope import Scope
from mapping.types import Sourced


def check_acceptances(scope: Scope) -> None:
    """Refuse an approval from the future, and a new version that is about something else or was not approved anew."""
    rows: list[Sourced[AcceptedControl]] = scope.of("accepted_control")
    known = scope.known.records("accepted_control", [(row.record.acceptance_id,) for row in rows])
    for row in rows:
        record = row.record
        if scope.now is not None and record.approved_at > scope.now:
            reason = "this moment has not come yet: an approval is recorded after it was given"
            scope.problem(row, "approved_at", utc_text(record.approved_at), reason)
        before = known.get((record.acceptance_id,))
        if not isinstance(before, AcceptedControl) or before == record:
            continue
        if before.about != record.about:
            reason = "this decision is recorded about another wallet, kind, asset or subject; give this one its own id"
            scope.problem(row, "acceptance_id", record.acceptance_id, reason)
        elif record.approved_at <= before.approved_at:
            reason = f"a new version is approved anew, after {utc_text(before.approved_at)}"
            scope.problem(row, "approved_at", utc_text(record.approved_at), reason)
