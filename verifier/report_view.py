"""How lists of open exceptions, daily reports and the archive are shown to programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chains.types import utc_text
from verifier.open_exceptions import NO_SECTION

if TYPE_CHECKING:
    from verifier.store import Store
    from verifier.store.report_store import ArchivedRecord, StoredReport


def review_json(store: Store, run_id: str) -> dict[str, object] | None:
    """The exceptions that were open at a run's as-of, as counted then; None when they were not listed."""
    found = store.exception_review_of(run_id)
    if found is None:
        return None
    return {
        "open_at": utc_text(found.open_at),
        "listed": found.listed,
        "unexplained": found.unexplained,
        "exceptions_unexplained": found.exceptions_unexplained,
        "wsp_section": found.wsp_section or None,
        "goes_to": found.wsp_section or NO_SECTION,
        "digest": found.digest,
    }


def report_json(stored: StoredReport) -> dict[str, object]:
    """A version of a daily report, without its content."""
    return {
        "report_id": stored.report_id,
        "as_of": stored.as_of.isoformat(),
        "version": stored.version,
        "replaces": stored.replaces or None,
        "digest": stored.digest,
        "known_at": utc_text(stored.known_at),
        "recorded_at": utc_text(stored.recorded_at),
    }


def archived_json(record: ArchivedRecord) -> dict[str, object]:
    """One record of the archive."""
    return {
        "kind": record.kind.value,
        "subject_id": record.subject_id,
        "digest": record.digest,
        "archived_at": utc_text(record.recorded_at),
        "retain_until": record.retain_until.isoformat(),
    }
