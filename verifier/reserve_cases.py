"""From the reserve view to cases: one per purpose and kind, however often it is seen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from chains.errors import ChainError
from chains.types import LocationId, utc_text
from exports.reserve.computation import Occasion
from exports.reserve.errors import ReserveError
from exports.reserve.money import DOLLAR, dollars
from verifier.case_book import Sighting
from verifier.errors import StoredNotJudged, VerifierError
from verifier.records import Finding, FindingKind, Rail
from verifier.reserve.reclassified import reclassifications
from verifier.reserve_movements import movement_findings
from verifier.reserve_rail import PurposeView, ReserveView, reserve_view

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import CaseSeen, Store

DAYS_COMPARED: Final = 6
"""Closed days that are compared where no computation is on record: a week's, and the one before."""
LOOKS: Final = 4
"""How often a look is made anew because somebody acted meanwhile; the last one is written in any case."""
NOTICE_DUTY: Final = "Notify the Commission and the examining authority immediately, and confirm in writing: 15c3-3(i)."


def reserve_findings(view: ReserveView) -> list[Finding]:
    """Everything a person has to look at on this rail; empty when all is funded and nothing is missing."""
    return [finding for purpose in view.purposes for finding in _of_purpose(purpose)]


def _of_purpose(view: PurposeView) -> Iterator[Finding]:
    if view.funding is not None and view.deposit is not None and view.computation is not None and view.shortfall:
        required, computation_id = dollars(view.funding.requirement.cents), view.computation.computation_id
        text = (
            f"{computation_id} as of {view.funding.requirement.as_of.isoformat()} requires {required} US dollars, "
            f"{dollars(view.held.cents)} count: short by {dollars(view.shortfall)}. "
            f"The deposit is due by {utc_text(view.deposit.deposit_by)}."
        )
        yield _finding(view, FindingKind.RESERVE_DEFICIT, -view.shortfall, "", text)
        if view.missed:
            yield _finding(
                view, FindingKind.MISSED_RESERVE_DEPOSIT, -view.shortfall, computation_id, f"{text} {NOTICE_DUTY}"
            )
    if view.projected is not None and view.projected_shortfall and not _is_fixed(view):
        drivers = f" What moved most: {'; '.join(view.drivers)}." if view.drivers else ""
        by = ""
        if view.projected_by is not None:
            by = f" If the next one does, the deposit is due by {utc_text(view.projected_by)}."
        text = (
            f"The lines stated as of {view.projected.as_of.isoformat()} would require "
            f"{dollars(view.projected.cents)} US dollars, {dollars(view.held.cents)} count: short by "
            f"{dollars(view.projected_shortfall)}. No computation has fixed it yet.{by}{drivers}"
        )
        yield _finding(view, FindingKind.PROJECTED_RESERVE_DEFICIT, -view.projected_shortfall, "", text)
    if view.gaps:
        text = f"The {view.purpose} reserve is not verified: {'; '.join(view.gaps)}."
        yield _finding(view, FindingKind.UNVERIFIED, None, "reserve", text)


def _is_fixed(view: PurposeView) -> bool:
    """Whether a computation of the same day requires what is projected: it is a deficit then, and no projection."""
    return (
        view.funding is not None
        and view.projected is not None
        and (view.funding.requirement.as_of, view.funding.requirement.cents)
        == (view.projected.as_of, view.projected.cents)
    )


def _finding(view: PurposeView, kind: FindingKind, cents: int | None, subject: str, text: str) -> Finding:
    place = LocationId(f"bank:reserve-{view.purpose}")
    return Finding(kind, Rail.CASH, place, DOLLAR if cents is not None else None, cents, subject, text)


def reclassification_findings(store: Store, on: date, now: datetime) -> list[Finding]:
    """Accounts that the books put into another class since the closed day before the newest computation's, up to `on`.

    Each import looks, so a change is seen before a computation rests on it; its case stays open until two close it.
    """
    known_at = store.book_time(now)
    closed = [day for day in store.closed_days(known_at) if day <= on]
    if not closed:
        return []
    fixed = max(
        (each.as_of for each in store.standing_computations() if each.occasion is not Occasion.TEST), default=None
    )
    before = [day for day in closed if fixed is not None and day < fixed]
    first = before[-1] if before else closed[-DAYS_COMPARED:][0]
    place = LocationId("bank:reserve-customer")
    return [
        Finding(FindingKind.UNVERIFIED, Rail.CASH, place, None, None, each.subject, each.text())
        for each in reclassifications(store.account_versions(first, on, known_at))
    ]


def look(store: Store, settings: Settings, actor: str, now: datetime) -> tuple[ReserveView, list[CaseSeen]]:
    """Judge the reserve accounts as recorded now, and open or see again their cases.

    Judging takes time, many seconds for large books. What was judged before somebody's newer row is judged again, so
    that an older look never says of a newer one's case that it is gone.
    """
    for attempt in range(LOOKS, 0, -1):
        known_at = store.book_time(now)
        view = reserve_view(store, settings, now)
        findings = [
            *reserve_findings(view),
            *movement_findings(store, settings, now),
            *reclassification_findings(store, view.on, now),
        ]
        sightings = [Sighting(each, ()) for each in findings]
        seen = store.see_reserve(sightings, actor, now, known_at if attempt > 1 else None)
        if seen is not None:
            return view, seen
    raise AssertionError("the last look is written")  # pragma: no cover


def look_after(
    what: str, store: Store, settings: Settings, actor: str, now: datetime
) -> tuple[ReserveView, list[CaseSeen]]:
    """`look` after `what` was stored, which stays stored; raises `StoredNotJudged` when it cannot be done."""
    try:
        return look(store, settings, actor, now)
    except (VerifierError, ChainError, ReserveError) as error:
        raise StoredNotJudged(
            f"{what} is stored, but the reserve could not be judged after it: {error.code}: {error}"
        ) from error
