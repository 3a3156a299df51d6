"""What a verification says: numbered checks with names, each with what became of it and how much it compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from exports.codec import time_text
from exports.holding_sample import HoldingSample
from exports.profiles import Profile
from exports.trust import RoleCount

PROBLEMS_SHOWN_MAX: Final = 20
"""Most problems one check lists; the number of all of them is always given."""


class CheckStatus(StrEnum):
    """What became of one check."""

    PASSED = "passed"
    FAILED = "failed"
    """The evidence contradicts."""
    NOT_POSSIBLE = "not_possible"
    """It could not be checked, or there was nothing to compare."""
    NOT_REQUESTED = "not_requested"
    """It needs something the reader did not give, such as a node of their own."""
    WITHHELD = "withheld"
    """It rests on what this bundle's profile leaves out: nothing was checked."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one check before it has a number: how much was compared, and everything that is wrong."""

    compared: int
    problems: Sequence[str] = ()
    """Contradictions: any makes the check fail."""
    obstacles: Sequence[str] = ()
    """Why something could not be compared: any keeps the check from passing."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a report."""

    number: int
    name: str
    subject: str
    """The chain, for checks made once for each chain; else empty."""
    status: CheckStatus
    compared: int
    """How many things were compared. A check that compared nothing has not passed."""
    detail: str
    problems: tuple[str, ...] = ()
    """The first problems, at most `PROBLEMS_SHOWN_MAX`."""
    problem_count: int = 0

    @staticmethod
    def of(number: int, name: str, outcome: Outcome, subject: str = "") -> Check:
        """Judge an outcome: contradictions fail; obstacles or nothing compared make the check not possible."""
        listed = (*outcome.problems, *outcome.obstacles)
        if outcome.problems:
            status, detail = CheckStatus.FAILED, f"{len(outcome.problems)} contradictions"
        elif outcome.obstacles:
            status, detail = CheckStatus.NOT_POSSIBLE, f"{len(outcome.obstacles)} could not be checked"
        elif outcome.compared == 0:
            status, detail = CheckStatus.NOT_POSSIBLE, "there was nothing to compare"
        else:
            status, detail = CheckStatus.PASSED, outcome.note
        shown = tuple(listed[:PROBLEMS_SHOWN_MAX])
        return Check(number, name, subject, status, outcome.compared, detail, shown, len(listed))

    @staticmethod
    def skipped(number: int, name: str, status: CheckStatus, detail: str, subject: str = "") -> Check:
        """A check that was not made, with the reason."""
        return Check(number, name, subject, status, 0, detail)

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "number": self.number,
            "name": self.name,
            "subject": self.subject,
            "status": str(self.status),
            "compared": self.compared,
            "detail": self.detail,
            "problems": list(self.problems),
            "problem_count": self.problem_count,
        }


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """What the manifest says about itself; shown with the verdict, worth no more than the verdict."""

    bundle_id: str
    digest: str
    """SHA-256 of the manifest bytes."""
    firm: str
    sequence: int
    previous_digest: str | None
    as_of: datetime
    created_at: datetime
    as_of_skew_seconds_max: int
    matched: int
    diverged: int
    unverified: int
    signed_by: tuple[str, ...]
    """Names of the reader's trusted keys whose signature counts."""
    roles: tuple[RoleCount, ...]
    """Role by role, how many different keys signed, and how many must."""
    withheld: tuple[str, ...]
    profile: Profile = Profile.FULL
    subject: str = ""
    """Whose own bundle it is; empty for one that is not one client's."""
    full_digest: str | None = None
    disclosure: tuple[str, ...] = ()
    """What a bundle that is not full leaves out: a line each."""
    blocks: tuple[str, ...] = ()
    """Each chain's block, whether it was final, and what of the balances there is immature: a line each."""
    superseded: tuple[str, ...] = ()
    """Which of the firm's earlier bundles no longer hold, because a reorganisation removed their block: a line each."""
    control: tuple[str, ...] = ()
    """Who else could move what is there, and how much stands at wallets whose keys were proven: a line each."""
    liabilities: tuple[str, ...] = ()
    """What is owed of each asset, what is there, and what the liabilities root proves: a line each."""
    reserve: tuple[str, ...] = ()
    """What the reserve computations in force require: a line each."""
    possession: tuple[str, ...] = ()
    """What the last review of possession or control says is short: a line each."""
    securities: tuple[str, ...] = ()
    """What of the comparison with custodians' statements matched and what did not."""
    liabilities_root: str | None = None
    """The digest that clients' inclusion statements lead to."""

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "bundle_id": self.bundle_id,
            "digest": self.digest,
            "firm": self.firm,
            "sequence": self.sequence,
            "previous_digest": self.previous_digest,
            "as_of": time_text(self.as_of),
            "created_at": time_text(self.created_at),
            "as_of_skew_seconds_max": self.as_of_skew_seconds_max,
            "reconciliations": {
                "matched": self.matched,
                "diverged": self.diverged,
                "unverified": self.unverified,
            },
            "signed_by": list(self.signed_by),
            "roles": [count.to_dict() for count in self.roles],
            "withheld": list(self.withheld),
            "profile": str(self.profile),
            "subject": self.subject,
            "full_digest": self.full_digest,
            "disclosure": list(self.disclosure),
            "blocks": list(self.blocks),
            "superseded": list(self.superseded),
            "control": list(self.control),
            "liabilities": list(self.liabilities),
            "reserve": list(self.reserve),
            "possession": list(self.possession),
            "securities": list(self.securities),
            "liabilities_root": self.liabilities_root,
        }


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """The verdict on one bundle: whether the file proves what it says, not whether what it says is good news."""

    checks: tuple[Check, ...]
    judged_at: datetime
    trusted_keys_version: int
    bundle: BundleFacts | None
    """None when the manifest could not be read."""
    sample: HoldingSample | None = None
    """The holdings drawn, where a sample was asked for and the records could be read."""
    expected: Profile | None = None
    """The profile that the reader says the bundle is to have."""

    def count(self, status: CheckStatus) -> int:
        """How many checks have a status."""
        return sum(check.status is status for check in self.checks)

    @property
    def exit_code(self) -> int:
        """0 verified; 1 the evidence contradicts; 2 something could not be checked. Contradiction leads.

        What is withheld could not be checked, unless the reader asked for a bundle of this profile.
        """
        if self.count(CheckStatus.FAILED):
            return 1
        if self.count(CheckStatus.NOT_POSSIBLE) or not self.count(CheckStatus.PASSED):
            return 2
        profile = self.bundle.profile if self.bundle else Profile.FULL
        if self.expected is not None:
            return 0 if profile is self.expected else 2
        return 2 if self.count(CheckStatus.WITHHELD) else 0

    @property
    def verified(self) -> bool:
        """Whether every check that was asked for passed."""
        return self.exit_code == 0

    def to_dict(self) -> dict[str, object]:
        """For `--json`: one object."""
        return {
            "verified": self.verified,
            "expected_profile": str(self.expected) if self.expected else None,
            "exit_code": self.exit_code,
            "judged_at": time_text(self.judged_at),
            "trusted_keys_version": self.trusted_keys_version,
            "counts": {str(status): self.count(status) for status in CheckStatus},
            "bundle": self.bundle.to_dict() if self.bundle else None,
            "sample": self.sample.to_dict() if self.sample else None,
            "checks": [check.to_dict() for check in self.checks],
        }
