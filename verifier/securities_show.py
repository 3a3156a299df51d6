"""How a comparison with custodians' statements is shown: to programs as JSON, to people as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chains.types import utc_text
from exports.securities.comparison import PositionLine, SecuritiesComparison
from verifier.rules.statements import figure

if TYPE_CHECKING:
    from verifier.securities_rail import SecuritiesView
    from verifier.store.custodian_store import StoredRun


def run_json(run: StoredRun) -> dict[str, object]:
    """A comparison on record, without its lines."""
    return {
        "run_id": run.run_id,
        "as_of": run.as_of.isoformat(),
        "known_at": utc_text(run.known_at),
        "recorded_at": utc_text(run.recorded_at),
        "expected": run.expected,
        "matched": run.matched,
        "diverged": run.diverged,
        "unverified": run.unverified,
        "sha256": run.digest,
    }


def view_json(view: SecuritiesView) -> dict[str, object]:
    """For `custody status --json`."""
    return {"last_run": run_json(view.run) if view.run is not None else None, "waiting": list(view.waiting)}


def securities_reasons(view: SecuritiesView) -> list[str]:
    """Why the rail is not in order; the open cases say the rest."""
    reasons = list(view.waiting)
    if view.run is not None and view.run.diverged:
        positions = "1 position" if view.run.diverged == 1 else f"{view.run.diverged} positions"
        reasons.append(f"{positions} diverged from custodians' statements of {view.run.as_of.isoformat()}")
    if view.run is not None and view.run.unverified:
        positions = "1 position is" if view.run.unverified == 1 else f"{view.run.unverified} positions are"
        reasons.append(f"{positions} not verified by custodians' statements of {view.run.as_of.isoformat()}")
    return reasons


def line_cells(line: PositionLine) -> list[str]:
    """Location, security, what the books claim, what is stated, status."""

    def shown(units: int | None) -> str:
        return "" if units is None else figure(units, line.asset)

    stated = "; ".join(f"{figure(each.base_units, line.asset)} ({each.stated_by})" for each in line.stated)
    owned = line.clients + line.firm if line.clients is not None and line.firm is not None else None
    return [line.location_id, line.asset.asset_id, shown(owned), shown(line.recorded), stated, line.status.value]


def lines_shown(found: SecuritiesComparison, limit: int, *, every: bool) -> list[PositionLine]:
    """The lines to show: what did not match first; all of them when asked for."""
    lines = sorted(found.lines, key=lambda line: (line.status.value == "matched", line.location_id))
    return [line for line in lines if every or line.status.value != "matched"][:limit]
