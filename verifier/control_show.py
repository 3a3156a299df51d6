"""How possession or control is shown: to programs as JSON, to people as lines. Quantities are whole units."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chains.types import utc_text
from exports.possession.review import IssueReview, Review
from exports.possession.sources import TERMS, Source
from verifier.control_cases import quantity, source_text
from verifier.control_history import every_act
from verifier.control_rail import PossessionView
from verifier.possession.cures import Progress
from verifier.possession.substitution import Verdict
from verifier.store.possession_store import StoredReview, StoredSubstitution

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store


def stored_json(stored: StoredReview) -> dict[str, object]:
    """A stored review without its issues."""
    return {
        "review_id": stored.review_id,
        "as_of": stored.as_of.isoformat(),
        "rule_set": stored.rule_set,
        "determined_on": stored.determined_on.isoformat(),
        "act_by": stored.act_by.isoformat(),
        "digest": stored.digest,
        "inputs_digest": stored.inputs_digest,
        "known_at": utc_text(stored.known_at),
        "recorded_at": utc_text(stored.recorded_at),
        "replaces": stored.replaces or None,
        "reason": stored.reason or None,
    }


def issue_json(issue: IssueReview) -> dict[str, object]:
    """One issue with its lines; quantities are strings of base units."""
    return {
        "security_id": issue.issue.security_id,
        "kind": issue.issue.kind.value,
        "decimals": issue.issue.decimals,
        "fully_paid": str(issue.need.fully_paid),
        "excess_margin": str(issue.need.excess_margin),
        "required": str(issue.need.required),
        "control": str(issue.control),
        "not_known": str(issue.not_known),
        "deficit": str(issue.deficit),
        "unverified": issue.unverified or None,
        "lines": [
            {
                "line_id": each.line.line_id,
                "place": each.line.place.value,
                "location_id": each.line.location_id or None,
                "base_units": str(each.line.base_units),
                "counted": str(each.base_units),
                "cause": each.cause.value if each.cause is not None else None,
                "citation": each.citation,
            }
            for each in issue.counted
        ],
        "sources": [
            {
                "line_id": each.line_id,
                "kind": each.kind.value,
                "citation": TERMS[each.kind].citation,
                "base_units": str(each.base_units),
                "attributed": str(each.attributed),
                "counts_from": each.counts_from.isoformat() if each.counts_from is not None else None,
            }
            for each in issue.sources
        ],
        "unattributed": str(issue.unattributed),
        "close_outs": [
            {"line_id": each.line_id, "base_units": str(each.base_units), "citation": each.citation, "text": each.text}
            for each in issue.close_outs
        ],
    }


def act_json(progress: Progress) -> dict[str, object]:
    """One act with its state and its clock."""
    act = progress.act
    return {
        "act_id": act.act_id,
        "review_id": act.review_id,
        "security_id": act.security_id,
        "kind": act.kind.value,
        "base_units": str(act.base_units),
        "line_id": act.line_id or None,
        "state": progress.state.value,
        "maker": act.maker,
        "checker": act.checker or None,
        "instructed_at": utc_text(act.instructed_at),
        "recorded_at": utc_text(act.recorded_at),
        "possession_by": progress.possession_by.isoformat() if progress.possession_by is not None else None,
        "seen_in": progress.seen_in or None,
        "receipts": [
            {
                "kind": each.kind.value,
                "reference": each.reference,
                "digest": each.digest,
                "received_on": each.received_on.isoformat(),
                "actor": each.actor,
            }
            for each in act.receipts
        ],
        "text": act.text,
    }


def substitution_json(found: StoredSubstitution) -> dict[str, object]:
    """One substitution with its decision and the digests it was judged on."""
    return {
        "substitution_id": found.substitution_id,
        "review_id": found.review_id,
        "holder_id": found.move.holder_id or None,
        "from": found.move.from_id,
        "to": found.move.to_id,
        "base_units": str(found.move.base_units),
        "state": found.state,
        "maker": found.maker,
        "checker": found.checker or None,
        "before_digest": found.before_digest,
        "after_digest": found.after_digest,
        "text": found.text,
    }


def verdict_json(verdict: Verdict) -> dict[str, object]:
    """What a substitution would do, in base units."""
    return {
        "from": verdict.move.from_id,
        "to": verdict.move.to_id,
        "holder_id": verdict.move.holder_id or None,
        "released": str(verdict.released),
        "added": str(verdict.added),
        "accepted": verdict.accepted,
        "refusal": verdict.refusal or None,
        "worse": [
            {"security_id": each.security_id, "before": str(each.before), "after": str(each.after)}
            for each in verdict.worse
        ],
    }


def history_json(store: Store, settings: Settings) -> dict[str, list[dict[str, object]]]:
    """Every review, act and substitution on record, also reviews that a later one replaced."""
    return {
        "reviews": [stored_json(each) for each in store.possession_reviews()],
        "acts": [act_json(each) for each in every_act(store, settings)],
        "substitutions": [substitution_json(each) for each in store.substitutions()],
    }


def view_json(view: PossessionView) -> dict[str, object]:
    """The last review, what is projected, acts and gaps; of issues those that are short or unverified."""
    return {
        "at": utc_text(view.at),
        "on": view.on.isoformat(),
        "verified": not view.gaps,
        "gaps": list(view.gaps),
        "overdue": view.overdue,
        "not_instructed": [
            {"security_id": name, "base_units": str(each.base_units), "act_by": each.act_by.isoformat()}
            for name, each in sorted(view.uninstructed.items())
        ],
        "last": stored_json(view.last) | _open_json(view.review) if view.last is not None else None,
        "projected": _open_json(view.projected) if view.projected is not None else None,
        "acts": [act_json(each) for each in view.acts],
    }


def _open_json(review: Review | None) -> dict[str, object]:
    if review is None:
        return {"issues": None, "deficits": None, "unverified": None}
    return {
        "issues": len(review.issues),
        "deficits": [issue_json(each) for each in review.deficits],
        "unverified": [each.issue.security_id for each in review.unverified],
    }


def view_lines(view: PossessionView) -> Iterator[tuple[str, str]]:
    """Name and value of everything about this rail."""
    if view.last is None:
        yield "last review", "none"
    else:
        last = view.last
        yield "last review", f"{last.review_id} as of {last.as_of} ({last.rule_set})"
        yield "determined", f"{last.determined_on}; instructions or steps on what is new are due by {last.act_by}"
        yield from _deficit_lines("short", view.review)
        for issue in view.review.deficits if view.review is not None else ():
            yield from (("get back from", _source_line(issue, source)) for source in issue.sources if source.attributed)
            if (lacks := view.uninstructed.get(issue.issue.security_id)) is not None:
                late = ", overdue" if view.on > lacks.act_by else ""
                yield "to instruct", f"{quantity(issue, lacks.base_units)} by {lacks.act_by}{late}"
            if issue.unattributed:
                yield "no source", f"{quantity(issue, issue.unattributed)} of {issue.issue.security_id}"
    if view.projected is not None:
        yield "projected now", f"{len(view.projected.deficits)} of {len(view.projected.issues)} issues short"
        yield from _deficit_lines("projected", view.projected)
    for each in view.acts:
        by = f", possession by {each.possession_by}" if each.possession_by is not None else ""
        late = ", overdue" if each.overdue(view.on) else ""
        yield each.act.act_id, f"{each.act.kind.replace('_', ' ')} of {each.act.security_id}: {each.state}{by}{late}"
    for gap in view.gaps:
        yield "not verified", gap


def _deficit_lines(name: str, review: Review | None) -> Iterator[tuple[str, str]]:
    for each in review.deficits if review is not None else ():
        figures = f"required {quantity(each, each.need.required)}, in control {quantity(each, each.control)}"
        yield name, f"{quantity(each, each.deficit)} of {each.issue.security_id}: {figures}"


def _source_line(issue: IssueReview, source: Source) -> str:
    days = TERMS[source.kind].possession_business_days
    when = f"{days} business days after the instruction" if days is not None else "promptly"
    return f"{source_text(issue, source)}, {when}"


def possession_reasons(view: PossessionView) -> list[str]:
    """Why the firm is not compliant on this rail; empty when it is."""
    determined = view.review.deficits if view.review is not None else ()
    was_short = {each.issue.security_id for each in determined}
    projected = view.projected.deficits if view.projected is not None else ()
    reasons = [
        f"{each.issue.security_id} is short of possession or control by {quantity(each, each.deficit)}"
        for each in determined
    ]
    reasons += [
        f"{each.issue.security_id} is projected to be short of possession or control by {quantity(each, each.deficit)}"
        for each in projected
        if each.issue.security_id not in was_short
    ]
    if view.overdue:
        reasons.append("an instruction or a possession on a control deficit is overdue")
    return reasons + [f"possession or control: {gap}" for gap in view.gaps]
