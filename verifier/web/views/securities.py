"""The books beside custodians' statements: the last comparison, position by position, what differs first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from exports.records import Status as StatedStatus
from exports.securities.document import read_comparison
from verifier.records import Status
from verifier.securities_show import line_cells
from verifier.web.views.listing import Listing, listing
from verifier.web.views.tones import STATUS, Mark

if TYPE_CHECKING:
    from exports.securities.comparison import SecuritiesComparison
    from verifier.securities_rail import SecuritiesView
    from verifier.store import Store


@dataclass(frozen=True, slots=True)
class PositionRow:
    """One security at one location."""

    location: str
    asset_id: str
    owned: str
    recorded: str
    stated: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class RunRow:
    """One comparison on record."""

    run_id: str
    as_of: str
    recorded_at: datetime
    expected: int
    matched: int
    diverged: int
    unverified: int


@dataclass(frozen=True, slots=True)
class SecuritiesPage:
    """Everything about the rail."""

    run: RunRow | None
    waiting: tuple[str, ...]
    missing: tuple[str, ...]
    positions: Listing[PositionRow]
    runs: tuple[RunRow, ...]


RUNS_SHOWN = 20


def securities_page(store: Store, view: SecuritiesView | None, text: str, number: int) -> SecuritiesPage | None:
    """The page; None for a firm with nothing at custodians outside any chain."""
    if view is None:
        return None
    found: SecuritiesComparison | None = read_comparison(view.run.document) if view.run is not None else None
    lines = [] if found is None else [each for each in found.lines if _mentions(line_cells(each), text)]
    order = [StatedStatus.DIVERGED, StatedStatus.UNVERIFIED, StatedStatus.MATCHED]
    lines.sort(key=lambda line: (order.index(line.status), line.location_id, line.asset.asset_id))
    page = listing(lines, number)
    rows = []
    for line in page.items:
        location, asset_id, owned, recorded, stated, status = line_cells(line)
        rows.append(PositionRow(location, asset_id, owned, recorded, stated, STATUS[Status(status)]))
    runs = [
        RunRow(
            each.run_id,
            each.as_of.isoformat(),
            each.recorded_at,
            each.expected,
            each.matched,
            each.diverged,
            each.unverified,
        )
        for each in reversed(store.securities_runs())
    ]
    newest = next((each for each in runs if view.run is not None and each.run_id == view.run.run_id), None)
    missing = tuple(f"{each.location_id}: no statement of {each.custodian}" for each in found.missing) if found else ()
    return SecuritiesPage(
        newest, view.waiting, missing, Listing(rows, page.number, page.total, page.size), tuple(runs[:RUNS_SHOWN])
    )


def _mentions(cells: list[str], text: str) -> bool:
    return not text or any(text.casefold() in cell.casefold() for cell in cells)
