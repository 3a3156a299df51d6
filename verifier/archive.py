"""The archive: computations and daily reports as files for examiners, added and never changed.

Each record is a folder with its files and a list of them, `record.json`, which names the SHA-256 of each and until when
it is kept. The database keeps the digest of that list in the journal, so that a changed, missing or added file is
found: `verify_archive`. A folder is written beside its place and moved into it in one step.

Retention is six years by policy, longer than the rule asks for reserve computations; see docs/reserve-reports.md.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chains.types import utc_text
from exports.canonical import canonical_json, parse_canonical_object
from exports.errors import BundleError
from verifier.errors import ArchiveError
from verifier.reserve_export import computation_file
from verifier.store.records import ArchiveKind

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store
    from verifier.store.reserve_store import StoredComputation

FORMAT: Final = "custody-archive-record/1"
LIST_NAME: Final = "record.json"
BASIS: Final = (
    "kept by the firm's policy for as long as the longest time of 17 CFR 240.17a-4; the rule asks for less of reserve "
    "computations"
)
_LEAP_DAY: Final = (2, 29)


@dataclass(frozen=True, slots=True)
class ArchiveReport:
    """What a check of the archive found."""

    records: int
    files: int
    problems: tuple[str, ...]


def archive_folder(settings: Settings) -> Path:
    """Where the archive is; raises `ArchiveError` when no folder follows from the configuration."""
    if settings.archive.folder is None:
        raise ArchiveError("no archive folder is configured")
    return settings.archive.folder


def retain_until(day: date, years: int) -> date:
    """The same day years later; 1 March where that year has no 29 February."""
    if (day.month, day.day) == _LEAP_DAY:
        return date(day.year + years, 3, 1)
    return day.replace(year=day.year + years)


def archive_computations(store: Store, settings: Settings, actor: str, now: datetime) -> list[str]:
    """Archive every computation that is not there yet, test runs too; returns their ids."""
    known = {each.subject_id for each in store.archived() if each.kind is ArchiveKind.COMPUTATION}
    missing = [each for each in store.reserve_computations() if each.computation_id not in known]
    for each in missing:
        files = _computation_files(store, settings, each, now)
        add_record(store, settings, ArchiveKind.COMPUTATION, each.computation_id, each.as_of, files, actor, now)
    return [each.computation_id for each in missing]


def _computation_files(store: Store, settings: Settings, stored: StoredComputation, now: datetime) -> dict[str, bytes]:
    files = {
        "computation.json": stored.document,
        **{f"computation.{each}": computation_file(store, settings, stored, each, now) for each in ("csv", "html")},
        "focus.csv": computation_file(store, settings, stored, "focus", now),
    }
    review = store.exception_review_of(stored.computation_id)
    return files | ({"exceptions.json": review.document} if review is not None else {})


def add_record(
    store: Store,
    settings: Settings,
    kind: ArchiveKind,
    subject_id: str,
    as_of: date,
    files: Mapping[str, bytes],
    actor: str,
    now: datetime,
) -> Path:
    """Put a record into the archive and journal it. A folder that a killed run left is taken as it is, if it fits.

    Raises `ArchiveError` when the folder cannot be written, or holds something else.
    """
    until = retain_until(now.date(), settings.archive.retention_years)
    place = archive_folder(settings) / kind / subject_id
    if place.exists():
        listing, problems = _read_record(place)
        main = f"{'computation' if kind is ArchiveKind.COMPUTATION else 'report'}.json"
        if problems or (place / main).read_bytes() != files[main]:
            raise ArchiveError(f"the archive has another {subject_id} already")
        until = date.fromisoformat(str(parse_canonical_object(listing)["retain_until"]))
    else:
        listing = _listing(settings, kind, subject_id, as_of, files, until, now)
        _write(place, {**files, LIST_NAME: listing})
    store.add_archived(kind, subject_id, hashlib.sha256(listing).hexdigest(), until, actor, now)
    return place


def _listing(
    settings: Settings,
    kind: ArchiveKind,
    subject_id: str,
    as_of: date,
    files: Mapping[str, bytes],
    until: date,
    now: datetime,
) -> bytes:
    return canonical_json(
        {
            "format": FORMAT,
            "firm": settings.firm.name,
            "kind": kind.value,
            "subject_id": subject_id,
            "as_of": as_of.isoformat(),
            "archived_at": utc_text(now),
            "retain_until": until.isoformat(),
            "retention": f"{settings.archive.retention_years} years, {BASIS}",
            "files": [
                {"name": name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
                for name, data in sorted(files.items())
            ],
        }
    )


def _write(place: Path, files: Mapping[str, bytes]) -> None:
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        beside.mkdir(parents=True)
        for name, data in files.items():
            with (beside / name).open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            (beside / name).chmod(0o440)
        beside.rename(place)
        _flush_folder(place.parent)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise ArchiveError(f"{place.name} cannot be archived: {error.strerror or 'no space'}") from error


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_record(place: Path) -> tuple[bytes, list[str]]:
    """The list of a record, and every file that is not as it says."""
    try:
        listing = (place / LIST_NAME).read_bytes()
        entries = parse_canonical_object(listing)["files"]
        assert isinstance(entries, list)
        named = {str(each["name"]): str(each["sha256"]) for each in entries}
    except (OSError, BundleError, KeyError, TypeError, AssertionError):
        return b"", [f"{place.name}: its list of files cannot be read"]
    problems = []
    for name, digest in sorted(named.items()):
        try:
            found = hashlib.sha256((place / name).read_bytes()).hexdigest()
        except OSError:
            problems.append(f"{place.name}/{name} is missing or cannot be read")
            continue
        if found != digest:
            problems.append(f"{place.name}/{name} was changed")
    extra = sorted({each.name for each in place.iterdir()} - set(named) - {LIST_NAME})
    return listing, problems + [f"{place.name}/{name} is not in its list" for name in extra]


def verify_archive(store: Store, settings: Settings) -> ArchiveReport:
    """Hold every folder against the journalled digests, and the documents in it against the database."""
    folder = archive_folder(settings)
    documents = {each.computation_id: each.document for each in store.reserve_computations()}
    documents |= {each.report_id: each.document for each in store.daily_reports()}
    problems: list[str] = []
    files = 0
    recorded = store.archived()
    for each in recorded:
        place = folder / each.kind / each.subject_id
        if not place.is_dir():
            problems.append(f"{each.subject_id} is missing from the archive")
            continue
        listing, found = _read_record(place)
        problems += found
        if hashlib.sha256(listing).hexdigest() != each.digest:
            problems.append(f"{each.subject_id}: its list of files is not the one that was journalled")
        name = "computation.json" if each.kind is ArchiveKind.COMPUTATION else "report.json"
        if not found and (place / name).read_bytes() != documents.get(each.subject_id):
            problems.append(f"{each.subject_id}/{name} is not the document on record")
        files += sum(1 for _ in place.iterdir())
    known = {(each.kind.value, each.subject_id) for each in recorded}
    problems += [
        f"{place.name} is in the archive folder and not on record"
        for kind in ArchiveKind
        for place in sorted((folder / kind).glob("[!.]*"))
        if (kind.value, place.name) not in known
    ]
    kept = {each.subject_id for each in recorded}
    problems += [f"{subject_id} is on record and was never archived" for subject_id in sorted(set(documents) - kept)]
    return ArchiveReport(len(recorded), files, tuple(problems))
