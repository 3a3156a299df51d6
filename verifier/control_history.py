"""What the reviews on record saw of each issue, day by day, and how far people's acts got by them.

Texts of reviews are large: each is read once, and only as far back as an issue that is short now was short.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from chains.types import AssetId
from exports.possession.document import NOT_STATED, StatedFigures, stated_figures
from verifier.possession.clocks import settlement_calendar
from verifier.possession.cures import CureAct, DatedAct, Determined, Due, Progress, Seen, Uninstructed, all_progress
from verifier.possession.cures import uninstructed as uninstructed_of

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store
    from verifier.store.possession_store import ReviewHeader

SHOWN: Final = timedelta(days=14)
"""Acts recorded on a review of so many days before the last one are shown, also when possession was seen since."""


@dataclass(frozen=True, slots=True)
class LiveActs:
    """What people did about what is short now, and about what was short lately."""

    acts: tuple[Progress, ...]
    uninstructed: dict[AssetId, Uninstructed]
    """Of issues that are short: what has no approved instruction."""


@dataclass(slots=True)
class _History:
    """The reviews' figures, each text read once."""

    store: Store
    headers: list[ReviewHeader]
    _read: dict[str, dict[AssetId, StatedFigures]] = field(default_factory=dict)

    def of(self, review_id: str, security_id: AssetId) -> StatedFigures:
        """What a review states of an issue."""
        if review_id not in self._read:
            self._read[review_id] = stated_figures(self.store.possession_review(review_id).document)
        return self._read[review_id].get(security_id, NOT_STATED)

    def standing(self) -> list[ReviewHeader]:
        """The reviews that stand, the newest day first."""
        return [each for each in reversed(self.headers) if not each.replaced]

    def determined(self, security_id: AssetId) -> Iterator[Determined]:
        """The days on which the issue was determined to be short without a break, the newest first."""
        for day in self.standing():
            if not (figures := self.of(day.review_id, security_id)).deficit:
                return
            of_day = [each for each in self.headers if each.as_of == day.as_of]
            short = [each.act_by for each in of_day if self.of(each.review_id, security_id).deficit]
            due = Due(figures.deficit, figures.due_from_loans, figures.due_promptly)
            yield Determined(day.as_of, min(short), due)

    def short_since(self, security_ids: Collection[AssetId]) -> date:
        """The newest day on which none of the issues lacked anything, or the first day on record."""
        left = set(security_ids)
        for day in self.standing():
            left = {each for each in left if self.of(day.review_id, each).gap}
            if not left:
                return day.as_of
        return self.headers[0].as_of

    def seen(self, security_id: AssetId, since: date) -> list[Seen]:
        """What the standing reviews of a day and later saw of an issue."""
        found = []
        for day in self.standing():
            if day.as_of < since:
                break
            figures = self.of(day.review_id, security_id)
            found.append(Seen(day.review_id, day.as_of, day.recorded_at, figures.control, figures.gap))
        return found


def live_acts(store: Store, settings: Settings, short: Iterable[AssetId], on: date) -> LiveActs:
    """The acts that matter on the firm's day `on`, and what of the issues that are short has no instruction.

    An act on an issue that lacked nothing in a later review was seen by that one at the latest: those of before are
    left out once they are older than `SHOWN`.
    """
    history = _History(store, store.review_headers())
    days = history.standing()
    if not days:
        return LiveActs((), {})
    acts = _dated(store, settings, history)
    lacking = {name for each in acts if history.of(days[0].review_id, name := each.act.security_id).gap}
    since = min(history.short_since(lacking), days[0].as_of - SHOWN)
    found = _progress(history, [each for each in acts if each.as_of >= since])
    left = {}
    for name in short:
        own = [each for each in found if each[0].act.security_id == name]
        if (lacks := uninstructed_of(history.determined(name), own, on)) is not None:
            left[name] = lacks
    return LiveActs(tuple(progress for _, progress in found), left)


def every_act(store: Store, settings: Settings) -> list[Progress]:
    """Every act with its state and its clock, the oldest first; reads every review since the first act's."""
    history = _History(store, store.review_headers())
    return [progress for _, progress in _progress(history, _dated(store, settings, history))]


def _dated(store: Store, settings: Settings, history: _History) -> list[DatedAct]:
    days = {each.review_id: each.as_of for each in history.headers}
    zone = ZoneInfo(settings.reserve.bank_zone)

    def dated(act: CureAct) -> DatedAct:
        return DatedAct(act, days[act.review_id], act.instructed_at.astimezone(zone).date())

    return [dated(each) for each in store.cure_acts()]


def _progress(history: _History, acts: Sequence[DatedAct]) -> list[tuple[DatedAct, Progress]]:
    """The acts in their order, each with how far it got."""
    of_issue: defaultdict[AssetId, list[DatedAct]] = defaultdict(list)
    for each in acts:
        of_issue[each.act.security_id].append(each)
    found: dict[str, Progress] = {}
    for name, own in of_issue.items():
        reviews = history.seen(name, min(each.as_of for each in own))
        found |= {each.act.act_id: each for each in all_progress(own, reviews, settlement_calendar())}
    return [(each, found[each.act.act_id]) for each in acts]
