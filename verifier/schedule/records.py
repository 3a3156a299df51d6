"""One run by the clock, as it is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class RunOutcome(StrEnum):
    """What became of a run that was due."""

    DONE = "done"
    LATE = "late"
    """Done, but begun well after it was due."""
    FAILED = "failed"
    """Begun and not done; the text says why."""
    SKIPPED = "skipped"
    """Not begun, because the run before it had not ended."""
    MISSED = "missed"
    """Not begun, because no clock ran when it was due."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One time at which a job is due. There is one run of it, whatever happens."""

    job: str
    key: str
    """What the run is unique by within its job: the business date of a daily job, else the moment."""
    business_date: date
    """The day whose close a daily job is about; of other jobs the civil day it is due on."""
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ScheduledRun:
    """One run as recorded. A run without an outcome is under way, or the process that ran it ended."""

    slot: Slot
    started_at: datetime | None
    """None for a run that was never begun: skipped or missed."""
    ended_at: datetime | None = None
    outcome: RunOutcome | None = None
    exit_code: int | None = None
    """As of the command that does the same; 2 where nothing was begun."""
    text: str = ""


@dataclass(frozen=True, slots=True)
class PulledFile:
    """One content of a file that a source gave, and what its import gave."""

    source: str
    name: str
    digest: str
    validator: str
    """The source's own name for this content; empty when it gave none."""
    accepted: bool
    """Whether its statements are on record, now or from before."""
    text: str
    """The statements, or the first problem."""
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class FolderFile:
    """One content of a file of the watched folder, and what its import gave."""

    name: str
    digest: str
    accepted: bool
    """Whether its statements are on record, now or from before."""
    text: str
    """The statements, or the first problem."""
    seen_at: datetime
