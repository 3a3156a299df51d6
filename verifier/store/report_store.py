"""What daily runs leave behind: lists of open exceptions, daily reports in versions, and what was archived."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from verifier.errors import InputError, StoreError
from verifier.store.case_reading import CASE, EVENT, load_cases
from verifier.store.case_seeing import add_event, tell_case
from verifier.store.case_store import CaseStore
from verifier.store.records import ArchiveKind, CaseAct
from verifier.store.tables import ArchivedRow, DailyReportRow, ExceptionReviewRow, table

REVIEW, REPORT, ARCHIVED = table(ExceptionReviewRow), table(DailyReportRow), table(ArchivedRow)


@dataclass(frozen=True, slots=True)
class ExceptionReview:
    """The exceptions that one run listed."""

    run_id: str
    as_of: date
    open_at: datetime
    listed: int
    unexplained: int
    wsp_section: str
    document: bytes
    digest: str
    recorded_at: datetime

    @property
    def exceptions_unexplained(self) -> bool:
        """The mark: something was open that nobody had explained."""
        return self.unexplained > 0


@dataclass(frozen=True, slots=True)
class StoredReport:
    """One version of a daily report."""

    report_id: str
    as_of: date
    version: int
    known_at: datetime
    document: bytes
    digest: str
    replaces: str
    """Id of the version before; empty for the first."""
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class ArchivedRecord:
    """What the archive must hold: the digest of the list of a record's files."""

    kind: ArchiveKind
    subject_id: str
    digest: str
    retain_until: date
    recorded_at: datetime


class ReportStore(CaseStore):
    """The reports' side of the store."""

    def add_exception_review(
        self,
        run_id: str,
        as_of: date,
        open_at: datetime,
        listed: int,
        unexplained: Collection[str],
        document: bytes,
        wsp_section: str,
        text: str,
        actor: str,
        now: datetime,
    ) -> ExceptionReview:
        """Record what a run listed, and escalate every case of `unexplained` that was not escalated since it opened.

        A run is reviewed once: the same run again is the review that stands.
        """
        payload = {"run_id": run_id, "listed": listed, "unexplained": len(unexplained)}
        with self.record("exceptions.reviewed", actor, payload, now) as unit:
            if before := self._exception_reviews(REVIEW.c.run_id == run_id):
                return before[0]
            for case_id in sorted(unexplained):
                key = unit.connection.execute(sa.select(CASE.c.record_id).where(CASE.c.case_id == case_id)).scalar_one()
                acts = unit.connection.execute(
                    sa.select(EVENT.c.act).where(EVENT.c.case_key == key).order_by(EVENT.c.record_id.desc())
                ).scalars()
                since = next(act for act in acts if act in (CaseAct.ESCALATED, CaseAct.RETURNED, CaseAct.OPENED))
                if since is not CaseAct.ESCALATED:
                    add_event(unit, key, CaseAct.ESCALATED, actor, text)
                    finding = load_cases(unit.connection, CASE.c.case_id == case_id)[0].finding
                    tell_case(unit, CaseAct.ESCALATED, case_id, "", finding)
            unit.add(
                ExceptionReviewRow,
                run_id=run_id,
                as_of=as_of,
                open_at=open_at,
                listed=listed,
                unexplained=len(unexplained),
                wsp_section=wsp_section,
                document=document.decode(),
                digest=hashlib.sha256(document).hexdigest(),
            )
        return self.exception_review(run_id)

    def exception_reviews(self) -> list[ExceptionReview]:
        """Every review, in the order they were made."""
        return self._exception_reviews()

    def exception_review(self, run_id: str) -> ExceptionReview:
        """The review of one run. Raises `InputError` when it was not reviewed."""
        found = self.exception_review_of(run_id)
        if found is None:
            raise InputError(f"the open exceptions of {run_id} were not listed")
        return found

    def exception_review_of(self, run_id: str) -> ExceptionReview | None:
        """The review of one run; None when it was not reviewed."""
        return next(iter(self._exception_reviews(REVIEW.c.run_id == run_id)), None)

    def _exception_reviews(self, *conditions: sa.ColumnElement[bool]) -> list[ExceptionReview]:
        query = sa.select(REVIEW).where(*conditions).order_by(REVIEW.c.record_id)
        with self.read() as connection:
            return [_review(row) for row in connection.execute(query)]

    def daily_reports(self, as_of: date | None = None) -> list[StoredReport]:
        """Every version of every daily report, or of one day's, in the order they were made."""
        return self._daily_reports() if as_of is None else self._daily_reports(REPORT.c.as_of == as_of)

    def daily_report(self, report_id: str) -> StoredReport:
        """One version. Raises `InputError` when there is none of this id."""
        found = self._daily_reports(REPORT.c.report_id == report_id)
        if not found:
            raise InputError(f"there is no daily report {report_id}")
        return found[0]

    def _daily_reports(self, *conditions: sa.ColumnElement[bool]) -> list[StoredReport]:
        before = REPORT.alias("before")
        query = (
            sa.select(REPORT, before.c.report_id.label("replaced_id"))
            .join_from(REPORT, before, REPORT.c.replaces == before.c.record_id, isouter=True)
            .where(*conditions)
            .order_by(REPORT.c.record_id)
        )
        with self.read() as connection:
            return [_report(row) for row in connection.execute(query)]

    def next_report(self, as_of: date) -> tuple[str, int, StoredReport | None]:
        """Id and version of the next report of a day, and the one it replaces."""
        before = self.daily_reports(as_of)
        version = len(before) + 1
        return f"DR-{as_of.isoformat()}-{version}", version, before[-1] if before else None

    def add_daily_report(
        self, as_of: date, version: int, known_at: datetime, document: bytes, actor: str, now: datetime
    ) -> StoredReport:
        """Record a version. Raises `StoreError` when another one took its place meanwhile."""
        digest = hashlib.sha256(document).hexdigest()
        with self.record("report.daily", actor, {"as_of": as_of.isoformat(), "sha256": digest}, now) as unit:
            report_id, expected, before = self.next_report(as_of)
            if version != expected:
                raise StoreError(f"{report_id} is the next report of {as_of.isoformat()}, made in between")
            key = None
            if before is not None:
                query = sa.select(REPORT.c.record_id).where(REPORT.c.report_id == before.report_id)
                key = unit.connection.execute(query).scalar_one()
            unit.add(
                DailyReportRow,
                report_id=report_id,
                as_of=as_of,
                version=version,
                known_at=known_at,
                document=document.decode(),
                digest=digest,
                replaces=key,
            )
        return self.daily_report(report_id)

    def archived(self) -> list[ArchivedRecord]:
        """Everything that was archived, in order."""
        with self.read() as connection:
            rows = connection.execute(sa.select(ARCHIVED).order_by(ARCHIVED.c.record_id))
            return [
                ArchivedRecord(row.kind, row.subject_id, row.digest, row.retain_until, row.recorded_at) for row in rows
            ]

    def add_archived(
        self, kind: ArchiveKind, subject_id: str, digest: str, retain_until: date, actor: str, now: datetime
    ) -> None:
        """Record that the archive holds a record; the same again changes nothing."""
        payload = {"kind": kind.value, "subject_id": subject_id, "sha256": digest}
        with self.record("archive.added", actor, payload, now) as unit:
            known = next((each for each in self.archived() if (each.kind, each.subject_id) == (kind, subject_id)), None)
            if known is not None:
                if known.digest != digest:
                    raise StoreError(f"{subject_id} is in the archive with other files")
                return
            unit.add(ArchivedRow, kind=kind, subject_id=subject_id, digest=digest, retain_until=retain_until)


def _review(row: Any) -> ExceptionReview:
    return ExceptionReview(
        row.run_id,
        row.as_of,
        row.open_at,
        row.listed,
        row.unexplained,
        row.wsp_section,
        row.document.encode(),
        row.digest,
        row.recorded_at,
    )


def _report(row: Any) -> StoredReport:
    return StoredReport(
        row.report_id,
        row.as_of,
        row.version,
        row.known_at,
        row.document.encode(),
        row.digest,
        row.replaced_id or "",
        row.recorded_at,
    )
