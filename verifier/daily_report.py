"""The daily segregation report: what both rails, the reserve and possession or control said of one day.

The report is a canonical document, signed, journalled and archived; another run for the same day is a new version that
names the one before. It speaks of a day's close (`open_at`) as known when it is made (`known_at`), and keeps the two
apart. What was not verified is listed, and nothing that is absent is left out in silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chains.types import utc_text
from exports.canonical import canonical_json
from exports.daily_report import REPORT_FORMAT, REPORT_TYPE, report_page, report_text
from exports.reserve.errors import ScheduleRefused
from exports.signed_document import sign_document
from verifier.archive import add_record
from verifier.case_view import case_json
from verifier.daily_sections import control_section, digital_section, reserve_section, securities_section
from verifier.open_exceptions import close_of, open_at, review_exceptions, unexplained
from verifier.overview import overview
from verifier.reserve_movements import civil_day
from verifier.rules.status import FirmStatus
from verifier.store.records import ArchiveKind

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer

    from verifier.config import Settings
    from verifier.store import Store
    from verifier.store.report_store import StoredReport


@dataclass(frozen=True, slots=True)
class MadeReport:
    """A report that was made, where it lies, and what it says at its top."""

    stored: StoredReport
    value: Mapping[str, Any]
    place: Path

    @property
    def exit_code(self) -> int:
        """1: the evidence contradicts the books, or an exception is not explained. 2: something is unverified."""
        statuses = set(self.value["status"]["statuses"])
        if statuses - {"compliant", "unverified"} or self.value["exceptions"]["exceptions_unexplained"]:
            return 1
        return 2 if self.value["not_verified"] else 0


def make_report(
    store: Store, settings: Settings, as_of: date, signers: Sequence[Signer], actor: str, now: datetime
) -> MadeReport:
    """Make, record, sign and archive the report of a day that has closed.

    Raises `ScheduleRefused` for a day that has not closed, and what signers and archive raise; a report that is on
    record and not archived is archived by `archive_reports`.
    """
    if civil_day(settings, now) <= as_of:
        raise ScheduleRefused(f"{as_of.isoformat()} has not closed yet", advice="Make the report on the next day.")
    report_id, version, before = store.next_report(as_of)
    known_at = store.book_time(now)
    value = report_value(store, settings, as_of, actor, now)
    value |= {
        "report_id": report_id,
        "version": version,
        "replaces": {"report_id": before.report_id, "sha256": before.digest} if before is not None else None,
    }
    document = canonical_json(value)
    files = _files(document, signers)  # a signer that is down is known before anything is recorded
    stored = store.add_daily_report(as_of, version, known_at, document, actor, now)
    review_exceptions(store, settings, stored.report_id, as_of, actor, now)
    place = _archive(store, settings, stored, files, actor, now)
    return MadeReport(stored, value, place)


def archive_reports(
    store: Store, settings: Settings, signers: Sequence[Signer], actor: str, now: datetime
) -> list[str]:
    """Sign and archive every report on record that the archive lacks; returns their ids."""
    kept = {each.subject_id for each in store.archived()}
    missing = [each for each in store.daily_reports() if each.report_id not in kept]
    for each in missing:
        _archive(store, settings, each, _files(each.document, signers), actor, now)
    return [each.report_id for each in missing]


def _files(document: bytes, signers: Sequence[Signer]) -> dict[str, bytes]:
    """A report as it is archived."""
    return {
        "report.json": document,
        "report.dsse.json": sign_document(document, REPORT_TYPE, signers),
        "report.html": report_page(document),
        "report.txt": report_text(document).encode("utf-8"),
    }


def _archive(
    store: Store, settings: Settings, stored: StoredReport, files: Mapping[str, bytes], actor: str, now: datetime
) -> Path:
    return add_record(store, settings, ArchiveKind.DAILY_REPORT, stored.report_id, stored.as_of, files, actor, now)


def report_value(store: Store, settings: Settings, as_of: date, actor: str, now: datetime) -> dict[str, Any]:
    """Everything the report says but its own id and version."""
    moment, known_at = close_of(settings, as_of), store.book_time(now)
    seen = overview(store, settings, now)
    head = store.head()
    gaps: list[str] = []
    listed = open_at(store, moment, known_at)
    known = {each.case.case_id for each in listed}
    since = [each for each in store.cases(known_at=known_at) if each.case_id not in known]
    open_ids = unexplained(listed)
    sections = {
        "reserve": reserve_section(store, settings, as_of, now, gaps),
        "control": control_section(store, settings, as_of, now, gaps),
        "digital": digital_section(store, settings, moment, gaps),
        "securities": securities_section(store, as_of, known_at, gaps),
    }
    if FirmStatus.UNVERIFIED in seen.statuses and not gaps:
        gaps.append("the status is unverified for the reasons given with it")
    return {
        "format": REPORT_FORMAT,
        "firm": settings.firm.name,
        "as_of": as_of.isoformat(),
        "open_at": utc_text(moment),
        "known_at": utc_text(known_at),
        "made_at": utc_text(now),
        "made_by": actor,
        "journal": {"sequence": head.sequence, "entry_digest": head.entry_digest} if head is not None else None,
        "status": {"statuses": [each.value for each in seen.statuses], "reasons": list(seen.reasons)},
        **sections,
        "exceptions": {
            "listed": len(listed),
            "unexplained": len(open_ids),
            "exceptions_unexplained": bool(open_ids),
            "wsp_section": settings.supervision.wsp_section,
            "cases": [each.to_dict() for each in listed],
            "opened_since": [case_json(each.case_id, each.finding) for each in since],
        },
        "not_verified": gaps,
    }
