"""A review of possession or control as of a close, 15c3-3(d): required, in control, deficit, sources; issue by issue.

Quantities of different issues are never added and never netted. What is not known counts nothing, and an issue is
unverified and not in deficit as long as what is not known could cover it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date

from chains.types import AssetId
from exports.possession.errors import ReviewRefused
from exports.possession.locations import Counted, NotControl, counted
from exports.possession.margin import Locks, Scale, all_locks
from exports.possession.sources import CloseOut, Source, close_outs, sources
from exports.possession.types import Holder, Issue, IssueKind, Line, Move
from exports.reserve.policies import PolicySet
from exports.reserve.rulesets import rule_set_at


@dataclass(frozen=True, slots=True)
class Need:
    """What must be in possession or control of one issue."""

    security_id: AssetId
    fully_paid: int
    excess_margin: int

    def __post_init__(self) -> None:
        if self.fully_paid < 0 or self.excess_margin < 0:
            raise ReviewRefused(f"less than nothing is required of {self.security_id}")

    @property
    def required(self) -> int:
        """Base units."""
        return self.fully_paid + self.excess_margin


@dataclass(frozen=True, slots=True)
class Owed:
    """The needs of all issues as sums over owners, with a digest of the owners they were made from."""

    holders: int
    holdings: int
    digest: str
    """SHA-256 of the owners' lines and of the substitutions, see `condense.holders_digest`."""
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class InControl:
    """Of issues without a deficit whose lines are not written out: what their lines count."""

    lines: int
    digest: str
    """SHA-256 of the lines, see `condense.lines_digest`."""
    units: tuple[tuple[AssetId, int], ...]
    """In possession or control, by issue."""

    def __post_init__(self) -> None:
        ids = [name for name, _ in self.units]
        if ids != sorted(set(ids)) or any(units < 0 for _, units in self.units):
            raise ReviewRefused("the sums in control are not in order, one is there twice, or below zero")


@dataclass(frozen=True, slots=True)
class ReviewInputs:
    """Everything a review follows from."""

    as_of: date
    policies: PolicySet
    issues: tuple[Issue, ...]
    """By id."""
    owners: tuple[Holder, ...] | Owed
    """Every owner, or sums over them where there are too many to be written out."""
    moves: tuple[Move, ...]
    """Substitutions in force, in the order they were accepted."""
    lines: tuple[Line, ...]
    """By id; all, or those of issues that `rest` does not sum up."""
    rest: InControl | None = None

    def __post_init__(self) -> None:
        for what, ids in (
            ("issue", [each.security_id for each in self.issues]),
            ("line", [each.line_id for each in self.lines]),
            ("owner", [each.holder_id for each in self.owners] if isinstance(self.owners, tuple) else []),
        ):
            if ids != sorted(set(ids)):
                raise ReviewRefused(f"an {what} is not in order, or there twice")
        known = {each.security_id for each in self.issues}
        named = {each.security_id for each in self.lines}
        if isinstance(self.owners, tuple):
            named |= {holding.security_id for each in self.owners for holding in each.holdings}
        else:
            ids = [each.security_id for each in self.owners.needs]
            if ids != sorted(set(ids)):
                raise ReviewRefused("the needs are not in order, or one is there twice")
            named |= set(ids)
        if unknown := sorted(named - known):
            raise ReviewRefused(f"there is no price and no legal class of {unknown[0]}")
        summed = {name for name, _ in self.rest.units} if self.rest is not None else set()
        if summed - known or summed & {each.security_id for each in self.lines}:
            raise ReviewRefused("an issue is summed up that is not there, or whose lines are")

    def needs(self) -> dict[AssetId, Need]:
        """What is required of every issue that anybody is owed."""
        if isinstance(self.owners, Owed):
            return {each.security_id: each for each in self.owners.needs}
        fully_paid: defaultdict[AssetId, int] = defaultdict(int)
        excess: defaultdict[AssetId, int] = defaultdict(int)
        for holder, locked in zip(self.owners, self.locks(), strict=True):
            for holding in holder.holdings:
                fully_paid[holding.security_id] += holding.fully_paid
            for name, units in locked.items():
                excess[name] += units
        return {name: Need(name, fully_paid[name], excess[name]) for name in sorted({*fully_paid, *excess})}

    def locks(self) -> list[Locks]:
        """What is locked up of each owner; raises `ReviewRefused` where only sums are there."""
        if isinstance(self.owners, Owed):
            raise ReviewRefused("the owners are not in this text, only sums over them")
        selection = self.policies.text("excess_margin_selection")
        return all_locks(self.owners, Scale.of(self.issues), selection, self.moves)


@dataclass(frozen=True, slots=True)
class IssueReview:
    """One issue. Base units."""

    issue: Issue
    need: Need
    control: int
    """In possession or control."""
    not_known: int
    """What would be if it were observed."""
    counted: tuple[Counted, ...]
    """Its lines one by one; empty where they are summed up."""
    sources: tuple[Source, ...]
    """From where it could be cured, only with a deficit."""
    close_outs: tuple[CloseOut, ...]

    @property
    def gap(self) -> int:
        """Required and not in control, whatever is known; zero or more."""
        return max(0, self.need.required - self.control)

    @property
    def deficit(self) -> int:
        """The gap of a security that nothing unknown could cover; zero for what 15c3-3(b) does not speak of."""
        is_subject = self.issue.kind is not IssueKind.NOT_SECURITY
        return self.gap if is_subject and self.gap > self.not_known else 0

    @property
    def unverified(self) -> str:
        """Why it is not verified; empty when it is."""
        if self.issue.kind is IssueKind.UNDETERMINED:
            return "its legal class is undetermined"
        if self.not_known and self.issue.kind is IssueKind.SECURITY:
            return "a balance on chain was not observed"
        return ""

    @property
    def unattributed(self) -> int:
        """What of the deficit no line is due to give back."""
        return self.deficit - sum(each.attributed for each in self.sources)


@dataclass(frozen=True, slots=True)
class Review:
    """All issues as of one close."""

    inputs: ReviewInputs
    rule_set_id: str
    issues: tuple[IssueReview, ...]
    """By id."""

    @property
    def deficits(self) -> tuple[IssueReview, ...]:
        """Issues of which less is in control than is required."""
        return tuple(each for each in self.issues if each.deficit)

    @property
    def unverified(self) -> tuple[IssueReview, ...]:
        """Issues of which something is not known."""
        return tuple(each for each in self.issues if each.unverified)

    def of(self, security_id: str) -> IssueReview | None:
        """One issue; None when the books have none of it."""
        return next((each for each in self.issues if each.issue.security_id == security_id), None)


def compute(inputs: ReviewInputs) -> Review:
    """The review of its inputs; raises `ReserveError` where they permit none."""
    needs = inputs.needs()
    summed = dict(inputs.rest.units) if inputs.rest is not None else {}
    of_issue: defaultdict[AssetId, list[Counted]] = defaultdict(list)
    for each in counted(inputs.lines, inputs.as_of, inputs.policies):
        of_issue[each.line.security_id].append(each)
    reviewed = []
    for issue in inputs.issues:
        name = issue.security_id
        found = of_issue[name]
        review = IssueReview(
            issue,
            needs.get(name, Need(name, 0, 0)),
            sum(each.base_units for each in found) + summed.get(name, 0),
            sum(each.not_known for each in found),
            tuple(found),
            (),
            close_outs([each.line for each in found], inputs.as_of, issue.exempted),
        )
        if review.deficit:
            lines = [each.line for each in found if each.cause is NotControl.NON_CONTROL_PLACE]
            review = replace(review, sources=sources(lines, review.deficit, inputs.as_of))
        reviewed.append(review)
    return Review(inputs, rule_set_at(inputs.as_of).rule_set_id, tuple(reviewed))
