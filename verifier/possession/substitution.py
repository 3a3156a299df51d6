"""Substitutions: another security of the same owners is locked up as excess margin, and every issue is computed again.

A substitution is accepted only when it lowers a deficit and creates or deepens none, in any issue. What is not known
does not help: the comparison is of what is required and known to be in control.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from chains.types import AssetId
from exports.possession.document import document
from exports.possession.review import Review, ReviewInputs, compute
from exports.possession.types import IssueKind, Move


@dataclass(frozen=True, slots=True)
class Worse:
    """An issue of which less would be in control than is required, and more so than before."""

    security_id: AssetId
    before: int
    """Base units that are missing without the substitution."""
    after: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a substitution would do."""

    move: Move
    before: Review
    after: Review
    released: int
    """Base units of `from_id` that would not be locked up any more."""
    added: int
    """Base units of `to_id` that would be locked up in their place."""
    worse: tuple[Worse, ...]
    refusal: str
    """Why it is not accepted, for a person; empty when it is."""

    @property
    def accepted(self) -> bool:
        """Whether it may be made."""
        return not self.refusal


def judge(inputs: ReviewInputs, move: Move) -> Verdict:
    """Compute every issue again with one more substitution; raises `ReviewRefused` for a security not in the books."""
    before = compute(inputs)
    after = compute(replace(inputs, moves=(*inputs.moves, move)))
    old, new = before.of(move.from_id), after.of(move.from_id)
    added = after.of(move.to_id), before.of(move.to_id)
    missing = [name for name in (move.from_id, move.to_id) if before.of(name) is None]
    worse = tuple(
        Worse(was.issue.security_id, was.gap, now.gap)
        for was, now in zip(before.issues, after.issues, strict=True)
        if now.gap > was.gap and now.issue.kind is not IssueKind.NOT_SECURITY
    )
    released = old.need.excess_margin - new.need.excess_margin if old is not None and new is not None else 0
    gained = added[0].need.excess_margin - added[1].need.excess_margin if added[0] and added[1] else 0
    if missing:
        refusal = f"{missing[0]} is not in the stock record"
    elif not released:
        refusal = f"no owner has excess margin of {move.from_id} locked up that {move.to_id} could take the place of"
    elif worse:
        first = worse[0]
        more = f" (and {len(worse) - 1} more)" if len(worse) > 1 else ""
        refusal = f"{first.security_id} would be short by {first.after} instead of {first.before} base units{more}"
    elif old is not None and new is not None and not new.gap < old.gap:
        refusal = f"{move.from_id} is not short: nothing would be cured"
    else:
        refusal = ""
    return Verdict(move, before, after, released, gained, worse, refusal)


def propose(inputs: ReviewInputs, move_id: str, holder_id: str, from_id: AssetId, units: int) -> Verdict | None:
    """The first substitution that is accepted, over all other securities, the largest surplus of value first.

    None when there is none; its quantity is at most `units`.
    """
    values = {each.issue.security_id: each.issue.price.scaleb(-each.issue.decimals) for each in compute(inputs).issues}
    spare = [
        (values[each.issue.security_id] * (each.control - each.need.required), each.issue.security_id)
        for each in compute(inputs).issues
        if each.control > each.need.required and each.issue.kind is IssueKind.SECURITY
    ]
    for _, to_id in sorted(spare, reverse=True):
        if to_id != from_id:
            found = judge(inputs, Move(move_id, holder_id, from_id, to_id, units))
            if found.accepted:
                return found
    return None


def digests(verdict: Verdict) -> tuple[str, str]:
    """SHA-256 of the reviews' texts, before and after."""
    import hashlib

    before, after = (hashlib.sha256(document(each)).hexdigest() for each in (verdict.before, verdict.after))
    return before, after
