"""Storage layouts of tokens: reviewed by now, and anew for every version."""

from __future__ import annotations

from chains.types import utc_text
from mapping.checks.scope import Scope
from mapping.token_layouts import ReviewedLayout
from mapping.types import Sourced


def check_layouts(scope: Scope) -> None:
    """Refuse a review from the future, and a new version that was not reviewed anew."""
    rows: list[Sourced[ReviewedLayout]] = scope.of("token_layouts")
    known = scope.known.records("token_layouts", [(row.record.layout.asset_id,) for row in rows])
    for row in rows:
        record = row.record
        if scope.now is not None and record.approved_at > scope.now:
            reason = "this moment has not come yet: a review is recorded after it was made"
            scope.problem(row, "approved_at", utc_text(record.approved_at), reason)
        before = known.get((record.layout.asset_id,))
        if not isinstance(before, ReviewedLayout) or before == record:
            continue
        if record.approved_at <= before.approved_at:
            reason = f"a new version is reviewed anew, after {utc_text(before.approved_at)}"
            scope.problem(row, "approved_at", utc_text(record.approved_at), reason)
