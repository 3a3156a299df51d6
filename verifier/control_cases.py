"""From the view of possession or control to cases: one for each issue that is short, and one for what is not known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from chains.errors import ChainError
from chains.types import Asset, LocationId
from exports.possession.review import IssueReview
from exports.possession.sources import TERMS, Source
from exports.possession.types import case_place
from exports.reserve.errors import ReserveError
from verifier.case_book import Sighting
from verifier.control_rail import PossessionView, possession_view
from verifier.errors import StoredNotJudged, VerifierError
from verifier.records import Finding, FindingKind, Rail

if TYPE_CHECKING:
    from datetime import datetime

    from verifier.config import Settings
    from verifier.store import CaseSeen, Store

LOOKS: Final = 4
"""How often what somebody acted on meanwhile is judged again; the last judgement is written whatever happened."""
PLACE: Final = LocationId("control:possession")
"""Where the case of what is not known on this rail lies."""


def quantity(issue: IssueReview, base_units: int) -> str:
    """A quantity in whole units of an issue, as text."""
    return Asset(issue.issue.security_id, "", issue.issue.decimals).format_quantity(base_units)


def possession_findings(view: PossessionView) -> list[Finding]:
    """Everything a person has to look at on this rail; empty when nothing is short, overdue or unknown."""
    return list(_findings(view))


def _findings(view: PossessionView) -> Iterator[Finding]:
    if view.review is not None:
        for issue in view.review.deficits:
            asset = Asset(issue.issue.security_id, issue.issue.security_id, issue.issue.decimals)
            place, text = case_place(issue.issue.security_id), deficit_text(view, issue)
            yield Finding(FindingKind.CONTROL_DEFICIT, Rail.CONTROL, place, asset, -issue.deficit, "", text)
    if view.gaps:
        text = f"Possession or control is not verified: {'; '.join(view.gaps)}."
        yield Finding(FindingKind.UNVERIFIED, Rail.CONTROL, PLACE, None, None, "possession", text)


def deficit_text(view: PossessionView, issue: IssueReview) -> str:
    """What is short, until when to act, from where it could be got back, and what was done, for a person."""
    assert view.last is not None
    last, lacks = view.last, view.uninstructed.get(issue.issue.security_id)
    act_by = lacks.act_by if lacks is not None else last.act_by
    first = (
        f"As of {last.as_of.isoformat()} {quantity(issue, issue.need.required)} of {issue.issue.security_id} must be "
        f"in possession or control and {quantity(issue, issue.control)} are: short by "
        f"{quantity(issue, issue.deficit)}. {last.review_id} determined it on {last.determined_on.isoformat()}; "
        f"instructions or steps are due by {act_by.isoformat()}."
    )
    parts = [first]
    due = [source_text(issue, each) for each in issue.sources if each.attributed]
    if due:
        parts.append(f"To be got back from {', '.join(due)}.")
    if issue.unattributed:
        parts.append(f"No location is due to give back {quantity(issue, issue.unattributed)} of it.")
    for each in view.acts:
        if each.act.security_id == issue.issue.security_id and not each.seen_in:
            by = f", possession due by {each.possession_by.isoformat()}" if each.possession_by is not None else ""
            late = ", overdue" if each.overdue(view.on) else ""
            parts.append(f"{each.act.act_id} ({each.act.kind.replace('_', ' ')}): {each.state.value}{by}{late}.")
    if lacks is not None and view.on > lacks.act_by:
        parts.append(f"Instructions for {quantity(issue, lacks.base_units)} are overdue.")
    return " ".join(parts)


def source_text(issue: IssueReview, source: Source) -> str:
    """One location with what it is to give back, and the paragraph."""
    kind = source.kind.value.replace("_", " ")
    return f"{kind} {source.line_id} {quantity(issue, source.attributed)} ({TERMS[source.kind].citation})"


def look(store: Store, settings: Settings, actor: str, now: datetime) -> tuple[PossessionView, list[CaseSeen]]:
    """Judge possession or control as recorded now, and open or see again its cases.

    What was judged before somebody's newer act is judged again, so that an older look, which takes long for large
    books, never says of a newer one's case that it is gone.
    """
    for attempt in range(LOOKS, 0, -1):
        known_at = store.book_time(now)
        view = possession_view(store, settings, now)
        sightings = [Sighting(each, ()) for each in possession_findings(view)]
        seen = store.see_possession(sightings, actor, now, known_at if attempt > 1 else None)
        if seen is not None:
            return view, seen
    raise AssertionError("the last look is written")  # pragma: no cover


def look_after(
    what: str, store: Store, settings: Settings, actor: str, now: datetime
) -> tuple[PossessionView, list[CaseSeen]]:
    """`look` after `what` was stored, which stays stored; raises `StoredNotJudged` when it cannot be done."""
    try:
        return look(store, settings, actor, now)
    except (VerifierError, ChainError, ReserveError) as error:
        raise StoredNotJudged(
            f"{what} is stored, but possession or control could not be judged after it: {error.code}: {error}"
        ) from error
