"""What stops a reserve computation. It is then unverified: nothing is ever computed from a guess.

ReserveError                   every error of this package; has a stable `code` and an `advice`
├── ItemsRefused               the fifteen lines are not complete, or one of them is wrong
├── CalendarUnknown            a date in a year whose bank holidays are not known
├── RuleSetUnknown             a date before the oldest version of the rule that is known here
├── PolicyRefused              a policy has no value at that date, or one that is not allowed
└── ScheduleRefused            the method and the frequency exclude each other, or filings are missing
"""

from __future__ import annotations


class ReserveError(Exception):
    """Base of all errors of the reserve computations."""

    code = "reserve"
    """Stable name of the kind of error, for programs."""
    advice = "Correct the named input; the computation stays unverified until then."
    """One sentence on what a person can do."""

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        if advice:
            self.advice = advice


class ItemsRefused(ReserveError):
    """The lines of a computation are not complete, or one of them is wrong."""

    code = "reserve-items"
    advice = "Give every line exactly once, an explicit zero where there is nothing."


class CalendarUnknown(ReserveError):
    """A date in a year whose bank holidays are not known."""

    code = "calendar-unknown"
    advice = "Extend the calendar by a published holiday schedule for that year; deadlines are never guessed."


class RuleSetUnknown(ReserveError):
    """A date before the oldest version of the rule that is known here."""

    code = "rule-set-unknown"
    advice = "Choose an as-of date on or after the first rule set of docs/rules.md."


class PolicyRefused(ReserveError):
    """A policy has no value at that date, or one that is not allowed."""

    code = "policy"
    advice = "Use a policy name and value from docs/rules.md, with its source and date."


class ScheduleRefused(ReserveError):
    """The method and the frequency exclude each other, or the filings it follows from are missing."""

    code = "reserve-schedule"
    advice = "Correct the firm's method, its notices or its FOCUS history."
