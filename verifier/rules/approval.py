"""One state machine for whatever one person proposes and another decides. Pure.

A **proposal** names its maker and the digest of what the maker saw. It waits until somebody returns it, or until as
many people as it needs have approved it, none of them its maker and no two of them one person. An approval names the
digest of what the checker saw; when what is there now is not that, or is not what the maker proposed it on, nothing is
approved: the checker would approve what nobody looked at (time of check to time of use).

Cases, instructions to the reserve's banks, acts on control deficits, substitutions, changes of the mapping and of the
policies all ask `decide` and `require_unchanged` here; the database refuses the same on its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from verifier.errors import VerifierError, VersionConflict, WorkflowConflict
from verifier.persons import same_person


@dataclass(frozen=True, slots=True)
class Party:
    """Who acts: the name that is written into the journal and, where the firm keeps accounts, the person behind it."""

    name: str
    person_id: str = ""
    """Empty for a name that belongs to no account."""

    def is_same(self, other: Party) -> bool:
        """Whether two parties are one person: the same account, or names that differ in nothing but their spelling."""
        if self.person_id and self.person_id == other.person_id:
            return True
        return same_person(self.name, other.name)


class Verdict(StrEnum):
    """What a checker says of a proposal."""

    APPROVE = "approve"
    RETURN = "return"


class Standing(StrEnum):
    """Where a proposal stands after a decision."""

    WAITS = "waits"
    """Approved, and it needs another approval."""
    APPROVED = "approved"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A proposal that waits for its decision."""

    subject: str
    """What is decided, for messages: `CASE-000001`."""
    maker: Party
    digest: str
    """Of the facts that it was proposed on; empty where nothing else can change."""
    approved_by: tuple[Party, ...] = field(default=())
    """Who approved it so far."""
    approvals_needed: int = 1
    """More than one above the amount that the firm sets."""


def decide(
    waiting: Waiting,
    verdict: Verdict,
    checker: Party,
    facts_now: str = "",
    *,
    conflict: type[VerifierError] = WorkflowConflict,
) -> Standing:
    """Where a proposal stands once somebody said this of it.

    `facts_now` is the digest of the facts as they are at this moment. Raises `conflict` when the checker made it or
    approved it before, and `VersionConflict` when the facts are not those that it was proposed on.
    """
    if verdict is Verdict.RETURN:
        return Standing.RETURNED
    if waiting.maker.is_same(checker):
        raise conflict(f"{checker.name} proposed {waiting.subject} and cannot approve it")
    if any(each.is_same(checker) for each in waiting.approved_by):
        raise conflict(f"{checker.name} approved {waiting.subject} already; it needs another person")
    if waiting.digest != facts_now:
        raise VersionConflict(f"{waiting.subject} is not what its maker proposed it on any more")
    enough = len(waiting.approved_by) + 1 >= waiting.approvals_needed
    return Standing.APPROVED if enough else Standing.WAITS


def require_unchanged(subject: str, seen: str | None, now: str) -> None:
    """Raise `VersionConflict` when what somebody saw is not what is there now. None: nothing was said of it.

    What was seen may be given by its first twelve characters or more, as people copy them.
    """
    if seen is not None and not (len(seen) >= SHORTEST_DIGEST and now.startswith(seen.lower())):
        raise VersionConflict(f"{subject} has changed since it was looked at")


def require_version(subject: str, expected: int | None, now: int) -> None:
    """Raise `VersionConflict` when something happened since the version that somebody acts on. None: none was named."""
    if expected is not None and expected != now:
        raise VersionConflict(f"{subject} is at version {now}, not {expected}: somebody acted on it meanwhile")


SHORTEST_DIGEST = 12
"""Fewest characters by which a digest may be given."""
