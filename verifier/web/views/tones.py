"""How good or bad something is, in one word for people and one for form and colour."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from verifier.records import Status
from verifier.rules.status import FirmStatus
from verifier.schedule.records import RunOutcome


class Tone(StrEnum):
    """Which form and colour a page gives; the word beside it always says the same."""

    GOOD = "good"
    BAD = "bad"
    OPEN = "open"
    """Not known: neither good nor bad."""
    IDLE = "idle"
    """Not in use."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A word with its tone."""

    word: str
    tone: Tone


FIRM = {
    FirmStatus.COMPLIANT: Mark("Compliant", Tone.GOOD),
    FirmStatus.SEGREGATION_EXCEPTION: Mark("Segregation exception", Tone.BAD),
    FirmStatus.UNDER_FUNDED: Mark("Under-funded", Tone.BAD),
    FirmStatus.CONTROL_DEFICIT: Mark("Control deficit", Tone.BAD),
    FirmStatus.UNVERIFIED: Mark("Unverified", Tone.OPEN),
}
STATUS = {
    Status.MATCHED: Mark("matched", Tone.GOOD),
    Status.DIVERGED: Mark("diverged", Tone.BAD),
    Status.UNVERIFIED: Mark("unverified", Tone.OPEN),
}
RUN = {
    RunOutcome.DONE: Mark("done", Tone.GOOD),
    RunOutcome.LATE: Mark("late", Tone.OPEN),
    RunOutcome.FAILED: Mark("failed", Tone.BAD),
    RunOutcome.SKIPPED: Mark("skipped", Tone.OPEN),
    RunOutcome.MISSED: Mark("missed", Tone.BAD),
}


def counted(number: int, word: str) -> str:
    """`1 case`, `1,234 cases`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def age_words(seconds: int) -> str:
    """An age in its largest whole unit: `3 d`, `5 h`, `12 min`, `9 s`."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size:,} {unit}"
    return f"{max(0, seconds)} s"
