"""What follows every run and never delays it: the open exceptions are listed, and computations are archived."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from verifier.archive import archive_computations
from verifier.case_clock import escalate_cases
from verifier.errors import ArchiveError, CaseConflict, StoreError
from verifier.open_exceptions import close_of, open_at, review_exceptions

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store


def finish_runs(store: Store, settings: Settings, actor: str, now: datetime) -> list[str]:
    """List the open exceptions of every run that has no list yet, and archive the computations that are not archived.

    Returns the ids of what was archived. Whatever a killed or failed run left undone is done by the next one.
    """
    reviewed = {each.run_id for each in store.exception_reviews()}
    runs = [(each.computation_id, each.as_of) for each in store.reserve_computations()]
    runs += [(each.review_id, each.as_of) for each in store.possession_reviews()]
    runs += [(each.report_id, each.as_of) for each in store.daily_reports()]
    for run_id, as_of in runs:
        if run_id not in reviewed:
            review_exceptions(store, settings, run_id, as_of, actor, now)
            moment = min(close_of(settings, as_of), store.book_time(now))
            listed = {each.case.case_id for each in open_at(store, moment, store.book_time(now))}
            escalate_cases(store, settings, actor, now, formula_run=run_id, among=listed)
    return archive_computations(store, settings, actor, now)


def try_finish_runs(store: Store, settings: Settings, actor: str, now: datetime) -> str:
    """`finish_runs`; what went wrong is returned as one sentence, because the computation stands all the same."""
    try:
        finish_runs(store, settings, actor, now)
    except (ArchiveError, StoreError, CaseConflict) as error:
        return f"{error.code}: {error}; run `custody archive write` when the cause is gone"
    return ""
