"""Possession or control: issue by issue what is required and what is in control, and the acts on what is short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exports.possession.review import IssueReview
from verifier.control_cases import quantity
from verifier.control_show import view_lines
from verifier.web.views.listing import Listing, listing
from verifier.web.views.tones import Mark, Tone

if TYPE_CHECKING:
    from verifier.control_rail import PossessionView
    from verifier.store import Store


@dataclass(frozen=True, slots=True)
class IssueRow:
    """One issue by the last review."""

    security_id: str
    kind: str
    required: str
    control: str
    deficit: str
    share: int
    """In control, in 1/1000 of what is required; at most all of it."""
    mark: Mark


@dataclass(frozen=True, slots=True)
class ActRow:
    """One act or substitution."""

    name: str
    what: str
    people: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class ControlPage:
    """Everything about the rail."""

    mark: Mark
    lines: tuple[tuple[str, str], ...]
    issues: Listing[IssueRow]
    acts: tuple[ActRow, ...]


def control_page(store: Store, view: PossessionView | None, text: str, number: int) -> ControlPage | None:
    """The page; None for a firm that keeps no books here."""
    if view is None:
        return None
    mark = Mark("in control", Tone.GOOD)
    if view.in_deficit:
        mark = Mark("deficit", Tone.BAD)
    elif view.gaps:
        mark = Mark("not verified", Tone.OPEN)
    every: Sequence[IssueReview] = view.review.issues if view.review is not None else ()
    fit = [each for each in every if text.casefold() in each.issue.security_id.casefold()]
    fit.sort(key=lambda each: (not each.deficit, not each.unverified, each.issue.security_id))
    page = listing(fit, number)
    acts = [
        ActRow(
            each.act.act_id,
            f"{each.act.kind.replace('_', ' ')} of {each.act.security_id}",
            f"{each.act.maker}{f', {each.act.checker}' if each.act.checker else ''}",
            Mark(each.state.value.replace("_", " "), Tone.BAD if each.overdue(view.on) else Tone.IDLE),
        )
        for each in view.acts
    ]
    acts += [
        ActRow(
            each.substitution_id,
            f"substitution of {each.move.base_units} from {each.move.from_id} to {each.move.to_id}",
            f"{each.maker}{f', {each.checker}' if each.checker else ''}",
            Mark(each.state, Tone.IDLE),
        )
        for each in store.substitutions()
    ]
    rows = [_issue(each) for each in page.items]
    return ControlPage(mark, tuple(view_lines(view)), Listing(rows, page.number, page.total, page.size), tuple(acts))


def _issue(each: IssueReview) -> IssueRow:
    mark = Mark("in control", Tone.GOOD)
    if each.deficit:
        mark = Mark("short", Tone.BAD)
    elif each.unverified:
        mark = Mark(each.unverified, Tone.OPEN)
    required = each.need.required
    return IssueRow(
        each.issue.security_id,
        each.issue.kind.value.replace("_", " "),
        quantity(each, required),
        quantity(each, each.control),
        quantity(each, each.deficit) if each.deficit else "",
        min(1000, each.control * 1000 // required) if required else 1000,
        mark,
    )
