"""Possession or control on what is recorded: reviews kept with their inputs, and where it stands at any moment.

The last review is what 15c3-3(d) determined; "projected" is what the books would give if they were reviewed now. The
two are kept apart, and only the first starts clocks. Decision 0024.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from chains.garbage import rare_collections
from chains.types import AssetId
from exports.possession.condense import ROWS_IN_FULL_MAX, condensed
from exports.possession.document import document
from exports.possession.review import Review, ReviewInputs, compute
from exports.reserve.errors import ReserveError, ScheduleRefused
from exports.reserve.policies import Policy, PolicySet, review_policies_at
from mapping.books import Books
from verifier.control_facts import chain_facts, stated_facts
from verifier.control_history import live_acts
from verifier.errors import InputError
from verifier.open_exceptions import close_of
from verifier.possession.clocks import act_by, determine_by, settlement_calendar
from verifier.possession.cures import Progress, Uninstructed
from verifier.possession.inputs import review_inputs
from verifier.reserve.calendar import BankCalendar

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store
    from verifier.store.possession_store import StoredReview

ONE_DAY: Final = timedelta(days=1)


def review_policies(settings: Settings, as_of: date) -> PolicySet:
    """The policies of a review in effect on a day, the firm's own before the defaults."""
    own = [Policy(p.name, p.value, p.effective_from, p.source, p.reason) for p in settings.reserve.policies]
    return review_policies_at(as_of, own)


def firm_day(settings: Settings, now: datetime) -> date:
    """The firm's civil date at a moment: that of its banks."""
    return now.astimezone(ZoneInfo(settings.reserve.bank_zone)).date()


def in_use(store: Store, now: datetime) -> bool:
    """Whether the firm keeps books here that possession or control is judged on."""
    return bool(store.books_closes(store.book_time(now)) or store.has_reviews())


def inputs_of(store: Store, settings: Settings, books: Books, known_at: datetime, now: datetime) -> ReviewInputs:
    """The inputs of a review of some books, with what the chain showed at their close, or now if it is yet to come."""
    close = close_of(settings, books.as_of)
    policies = review_policies(settings, books.as_of)
    hours = policies.integer("observation_age_hours_max")
    facts = chain_facts(store, books, known_at, min(close, now), hours)
    days = settlement_calendar().business_days_between
    return review_inputs(books, policies, facts, store.moves_in_force(known_at), days)


def review_and_record(
    store: Store, settings: Settings, as_of: date, actor: str, now: datetime, reason: str = ""
) -> StoredReview:
    """Review possession or control as of a day's close from what is known now, and keep it with its inputs.

    Raises `ScheduleRefused` for a day that has not closed or is no business day, `InputError` for books that are not
    complete, `ReviewRefused` for books that contradict themselves.
    """
    calendar, on = settlement_calendar(), firm_day(settings, now)
    if on <= as_of:
        raise ScheduleRefused(f"{as_of.isoformat()} has not closed yet", advice="Review on the next business day.")
    if not calendar.is_business_day(as_of):
        raise ScheduleRefused(
            f"{as_of.isoformat()} is no business day, so nothing is determined as of its close",
            advice="Choose a business day; the books of its close are needed.",
        )
    known_at = store.book_time(now)
    with rare_collections():  # a holding for each position, none of which is garbage
        kept = condensed(compute(inputs_of(store, settings, store.books(as_of, known_at), known_at, now)))
    return store.add_possession_review(kept, document(kept), on, act_by(on, calendar), known_at, actor, now, reason)


def rebuilt(store: Store, stored: StoredReview) -> bytes:
    """The text of a stored review from the firm's books as they were known, with the facts and policies it states.

    It is the document to the byte unless the books of that time were changed. Raises what `review_and_record` does.
    """
    found = stored.review()
    books = store.books(stored.as_of, stored.known_at)
    days = settlement_calendar().business_days_between
    rows_max = ROWS_IN_FULL_MAX if found.inputs.rest is None else 0
    with rare_collections():
        inputs = review_inputs(books, found.inputs.policies, stated_facts(found), found.inputs.moves, days)
        return document(condensed(compute(inputs), rows_max))


@dataclass(frozen=True, slots=True)
class PossessionView:
    """Where possession or control stands at a moment."""

    at: datetime
    on: date
    """The firm's civil date at that moment."""
    last: StoredReview | None
    """The review of the newest day that stands; None when there is none."""
    review: Review | None
    """The same, computed again."""
    projected: Review | None
    """What the books as posted by now would give, on today's date; None when they cannot be reviewed."""
    acts: tuple[Progress, ...]
    """The acts on what is short, and on what was short lately, the oldest first; `every_act` has all."""
    uninstructed: Mapping[AssetId, Uninstructed]
    """Of issues that are short: what locations are due to give back and nobody has asked for, and by when."""
    gaps: tuple[str, ...]
    """Why the figures are not verified."""

    @property
    def in_deficit(self) -> bool:
        """Whether an issue is short, by the last review or by the books now."""
        return any(each is not None and each.deficits for each in (self.review, self.projected))

    @property
    def overdue(self) -> bool:
        """Whether the last day for instructions on a deficit has passed with none for part of it, or one for a
        possession."""
        return self.instructions_overdue or any(each.overdue(self.on) for each in self.acts)

    @property
    def instructions_overdue(self) -> bool:
        """Whether the last day for instructions has passed, and for part of what is due to be got back there is none.

        What cannot be got back from any location has no such day.
        """
        return any(self.on > each.act_by for each in self.uninstructed.values())


def possession_view(store: Store, settings: Settings, now: datetime) -> PossessionView:
    """Last review, projection, acts and what is missing, as recorded now. Nothing is written."""
    calendar, on = settlement_calendar(), firm_day(settings, now)
    known_at = store.book_time(now)
    last = store.last_review()
    review, gaps = None, []
    if last is None:
        gaps.append("possession or control was never reviewed")
    else:
        try:
            review = last.review()
        except ReserveError as error:
            gaps.append(f"{last.review_id}: {error}")
        if overdue := _overdue(last, calendar, on):
            gaps.append(overdue)
    projected, why_not = _projection(store, settings, known_at, on, now)
    if why_not:
        gaps.append(why_not)
    for what, found in (("by the last review", review), ("by the books now", projected)):
        if found is not None:
            gaps += [f"{each.issue.security_id}, {what}: {each.unverified}" for each in found.unverified]
    short = [each.issue.security_id for each in review.deficits] if review is not None else []
    live = live_acts(store, settings, short, on)
    return PossessionView(now, on, last, review, projected, live.acts, live.uninstructed, tuple(gaps))


def _projection(
    store: Store, settings: Settings, known_at: datetime, on: date, now: datetime
) -> tuple[Review | None, str]:
    try:
        found = store.projected_books(on, known_at, settings.reserve.bank_zone)
        if found is None:
            return None, "no day's books are closed"
        books, notes = found
        left_out = "; ".join(f"trade {note.trade_id} is not projected: {note.text}" for note in notes)
        with rare_collections():
            return compute(inputs_of(store, settings, replace(books, as_of=on), known_at, now)), left_out
    except (ReserveError, InputError) as error:
        return None, f"the books cannot be reviewed as they are now: {error}"


def _overdue(last: StoredReview, calendar: BankCalendar, on: date) -> str:
    """The newest day whose review was due by now and is not on record; empty otherwise."""
    try:
        day = calendar.on_or_before(on - ONE_DAY)
        while determine_by(day, calendar) >= on:
            day = calendar.on_or_before(day - ONE_DAY)
    except ReserveError as error:
        return str(error)
    return f"the review as of {day.isoformat()} was due and is not on record" if last.as_of < day else ""


def full_inputs(store: Store, settings: Settings, now: datetime) -> tuple[StoredReview, ReviewInputs]:
    """The last review, and its day's books as known now with every owner: what a substitution is judged on.

    Raises `InputError` when there is no review.
    """
    last = store.last_review()
    if last is None:
        raise InputError(
            "possession or control was never reviewed",
            advice="Review it first: `custody control review --as-of DATE`.",
        )
    known_at = store.book_time(now)
    return last, inputs_of(store, settings, store.books(last.as_of, known_at), known_at, now)


def require_issue(review: Review, security_id: str) -> AssetId:
    """The id of an issue of a review; raises `InputError` with those that are short when it is none."""
    found = review.of(security_id)
    if found is None:
        short = ", ".join(each.issue.security_id for each in review.deficits) or "none"
        raise InputError(f"{security_id} is not in the stock record of that review; short are: {short}")
    return found.issue.security_id
