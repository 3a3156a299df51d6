"""What people do about control deficits: acts and substitutions by a maker, decided by another person, and receipts."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from chains.types import Asset, AssetId, require_utc
from exports.possession.document import NOT_STATED, stated_figures
from exports.possession.review import IssueReview, Review
from exports.possession.sources import source_kind
from exports.possession.types import Move
from verifier.control_cases import quantity as quantity_text
from verifier.control_history import live_acts
from verifier.control_rail import firm_day, full_inputs, require_issue
from verifier.errors import InputError, InstructionConflict, SubstitutionRefused
from verifier.possession.cures import SOURCES, CureAct, CureKind, CureState, ProofKind
from verifier.possession.substitution import Verdict, digests, judge, propose
from verifier.store.records import InstructionAct

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store
    from verifier.store.possession_store import StoredSubstitution

NOT_YET: Final = "proposed"
"""Name of a substitution that has no id."""


def issue_of(review: Review, security_id: str) -> IssueReview:
    """One issue of a review; raises `InputError` when it is none."""
    found = review.of(require_issue(review, security_id))
    assert found is not None
    return found


def units_of(issue: IssueReview, quantity: str) -> int:
    """Base units of a quantity in whole units as text; raises `InvalidValue`."""
    return Asset(issue.issue.security_id, "", issue.issue.decimals).parse_quantity(quantity)


def record_act(
    store: Store,
    settings: Settings,
    security_id: str,
    kind: CureKind,
    quantity: str,
    line_id: str,
    instructed_at: datetime,
    text: str,
    maker: str,
    now: datetime,
) -> CureAct:
    """Record an act on a deficit of the last review.

    Raises `InputError` for an issue that is not short, an instruction in the future, or a line that is no location of
    that kind, holds less, or is asked for it by other acts.
    """
    last = store.last_review()
    if last is None:
        raise InputError("possession or control was never reviewed", advice="Review it first.")
    issue = issue_of(last.review(), security_id)
    if not issue.deficit:
        raise InputError(f"{security_id} is not short by {last.review_id}: there is nothing to cure")
    units = units_of(issue, quantity)
    if units <= 0:
        raise InputError("the quantity of an act is more than zero")
    if require_utc(instructed_at, "instructed_at") > now:
        raise InputError("an instruction cannot be of a later time than now")
    _require_line(issue, kind, line_id, units, _asked_for(store, settings, issue, line_id, now))
    return store.add_cure_act(
        last.review_id, issue.issue.security_id, kind, units, line_id, instructed_at, text, maker, now
    )


def _asked_for(store: Store, settings: Settings, issue: IssueReview, line_id: str, now: datetime) -> int:
    """Base units that acts which are proposed or under way ask of a line."""
    name = issue.issue.security_id
    return sum(
        each.act.base_units
        for each in live_acts(store, settings, (), firm_day(settings, now)).acts
        if (each.act.security_id, each.act.line_id) == (name, line_id)
        and each.state is not CureState.REFUSED
        and not each.seen_in
    )


def _require_line(issue: IssueReview, kind: CureKind, line_id: str, units: int, asked_for: int) -> None:
    wanted = SOURCES.get(kind)
    if not line_id:
        if wanted is not None:
            raise InputError(f"a {kind.replace('_', ' ')} names the line it gets back from: --line ID")
        return
    line = next((each.line for each in issue.counted if each.line.line_id == line_id), None)
    if line is None or (wanted is not None and source_kind(line) is not wanted):
        lines = [each.line for each in issue.counted]
        fitting = [each.line_id for each in lines if wanted is None or source_kind(each) is wanted]
        raise InputError(f"{line_id} is no such line of {issue.issue.security_id}; there are: {', '.join(fitting)}")
    if units > line.base_units:
        raise InputError(f"the line {line_id} holds less than that")
    if units + asked_for > line.base_units:
        asked, held = (quantity_text(issue, each) for each in (asked_for, line.base_units))
        raise InputError(
            f"other acts ask {line_id} for {asked} of its {held}",
            advice="Refuse those first, or ask for the rest.",
        )


def record_receipt(
    store: Store,
    settings: Settings,
    act_id: str,
    kind: ProofKind,
    reference: str,
    document: bytes,
    received_on: date,
    actor: str,
    now: datetime,
) -> CureAct:
    """Record a proof of receipt with the SHA-256 digest of its document.

    Raises `InputError` for a document of nothing, and for a day to come or before the instruction.
    """
    instructed_on = firm_day(settings, store.cure_act(act_id).instructed_at)
    if not document:
        raise InputError("the document has no content: it proves nothing")
    if not instructed_on <= received_on <= firm_day(settings, now):
        raise InputError(
            f"what {act_id} asked for on {instructed_on.isoformat()} cannot have arrived on {received_on.isoformat()}"
        )
    digest = hashlib.sha256(document).hexdigest()
    return store.add_receipt(act_id, kind, reference, digest, received_on, actor, now)


def judge_substitution(
    store: Store, settings: Settings, from_id: str, to_id: str, quantity: str, holder_id: str, now: datetime
) -> Verdict:
    """Compute every issue again with a substitution; without `to_id`, with the first that is accepted.

    Raises `InputError` for a security not in the books, `SubstitutionRefused` when no other security will do. Nothing
    is recorded.
    """
    last, inputs = full_inputs(store, settings, now)
    issue = issue_of(last.review(), from_id)
    units = units_of(issue, quantity) if quantity else issue.deficit
    if units <= 0:
        raise InputError(f"{from_id} is not short, and no quantity is given")
    source = issue.issue.security_id
    if to_id == source:
        raise InputError(f"{to_id} cannot take its own place")
    if to_id:
        return judge(inputs, Move(NOT_YET, holder_id, source, AssetId(to_id), units))
    found = propose(inputs, NOT_YET, holder_id, source, units)
    if found is None:
        raise SubstitutionRefused(
            f"no other security can take the place of {from_id} without making another issue short"
        )
    return found


def propose_substitution(store: Store, verdict: Verdict, text: str, maker: str, now: datetime) -> StoredSubstitution:
    """Record a substitution that was judged; raises `SubstitutionRefused` for one that is not accepted."""
    if not verdict.accepted:
        raise SubstitutionRefused(verdict.refusal)
    last = store.last_review()
    assert last is not None  # it was judged on one
    return store.add_substitution(last.review_id, verdict.move, digests(verdict), text, maker, now)


def decide(
    store: Store, settings: Settings, decided_id: str, act: InstructionAct, text: str, checker: str, now: datetime
) -> None:
    """Approve or refuse an act or a substitution. A substitution is judged again on the books as known now.

    Raises `SubstitutionRefused` when it would make an issue short by now, `InstructionConflict` when it was decided,
    its maker would approve it, or its review was replaced by one in which the issue is not short.
    """

    def check() -> tuple[str, str]:
        if not decided_id.startswith("CS-"):
            _require_deficit(store, store.cure_act(decided_id))
            return "", ""
        move = store.substitution(decided_id).move
        verdict = judge(full_inputs(store, settings, now)[1], move)
        if not verdict.accepted:
            raise SubstitutionRefused(verdict.refusal)
        return digests(verdict)

    store.decide_control(decided_id, act, text, checker, now, check)


def _require_deficit(store: Store, act: CureAct) -> None:
    """An act on a review that was replaced needs a deficit in the one that stands."""
    standing = store.standing_review(store.possession_review(act.review_id).as_of)
    assert standing is not None  # there is a review of that day
    if standing.review_id == act.review_id:
        return
    if not stated_figures(standing.document).get(act.security_id, NOT_STATED).deficit:
        raise InstructionConflict(
            f"{act.review_id} was replaced by {standing.review_id}, in which {act.security_id} is not short"
        )
