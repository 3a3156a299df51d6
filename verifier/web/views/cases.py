"""The queue of cases, and one case with its whole history and what may be done with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from chains.types import AssetId, LocationId
from verifier.case_clock import clock_of_case
from verifier.case_view import age_text, amount_text, case_details, state_text
from verifier.records import CaseState, FindingKind
from verifier.reserve_show import remaining_text
from verifier.rules.case_clocks import Business
from verifier.rules.statements import figure
from verifier.store.records import UNVERIFIED_KINDS, Case, CaseAct, CaseEvent, CaseStanding
from verifier.web.views.listing import Listing, listing
from verifier.web.views.signal import wallet_href
from verifier.web.views.tones import Mark, Tone

if TYPE_CHECKING:
    from verifier.store import Store

State = Literal["waiting", "open", "proposed", "closed", "all"]
Sort = Literal["oldest", "newest", "kind"]
COVERS_SHOWN: Final = 50
ACTS: Final = {
    CaseAct.OPENED: "opened",
    CaseAct.SEEN_AGAIN: "seen again",
    CaseAct.NO_LONGER_SEEN: "no longer seen",
    CaseAct.RETURNED: "returned to its maker",
}


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case of the queue."""

    case_id: str
    kind: str
    mark: Mark
    state: str
    rail: str
    location: str
    amount: str
    text: str
    age: str
    opened_at: datetime
    assignee: str
    in_trade_breaks: bool
    due: str
    """Time left to its limit, or since it passed; empty where none is known or it is closed."""
    due_tone: Tone


@dataclass(frozen=True, slots=True)
class Queue:
    """A page of the queue and what it can be narrowed by."""

    rows: Listing[CaseRow]
    kinds: tuple[tuple[str, str, int], ...]
    """Value, words and number of each kind that there is, in the state asked for."""


@dataclass(frozen=True, slots=True)
class EventShown:
    """One thing that happened to a case."""

    at: datetime
    actor: str
    what: str
    text: str
    amount: str
    detail: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DocumentShown:
    """One document of a case."""

    name: str
    media_type: str
    size: str
    sha256: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CaseShown:
    """One case with everything about it."""

    case_id: str
    kind: str
    mark: Mark
    state: str
    text: str
    age: str
    details: tuple[tuple[str, str], ...]
    location_href: str
    covers: tuple[tuple[LocationId, AssetId], ...]
    covers_more: int
    events: tuple[EventShown, ...]
    """The newest first."""
    version: int
    seen_digest: str
    proposal: str
    maker: str
    is_closed: bool
    waits: bool
    """Whether a proposal waits for its decision."""
    approvals: str
    documents: tuple[DocumentShown, ...]


def mark_of(case: Case) -> Mark:
    """Its state in form and words."""
    if case.state is CaseState.CLOSED:
        return Mark("closed", Tone.GOOD)
    if case.finding.kind in UNVERIFIED_KINDS:
        return Mark(case.state.value, Tone.OPEN)
    return Mark(case.state.value, Tone.BAD)


def queue(
    store: Store,
    business: Business,
    now: datetime,
    *,
    state: State,
    kind: FindingKind | None,
    text: str,
    sort: Sort,
    number: int,
) -> Queue:
    """A page of the cases that fit."""
    found = [
        case
        for case in store.cases(include_closed=state in ("closed", "all"))
        if (state in ("waiting", "all") or case.state == state) and _mentions(case, text)
    ]
    kinds = Counter(case.finding.kind for case in found)
    wanted = [case for case in found if kind in (None, case.finding.kind)]
    orders: dict[Sort, tuple[Callable[[Case], tuple[str, ...]], bool]] = {
        "oldest": (lambda case: (case.opened_at.isoformat(), case.case_id), False),
        "newest": (lambda case: (case.opened_at.isoformat(), case.case_id), True),
        "kind": (lambda case: (case.finding.kind.value, case.case_id), False),
    }
    key, downwards = orders[sort]
    wanted.sort(key=key, reverse=downwards)
    page = listing(wanted, number)
    rows = [_row(case, business, now) for case in page.items]
    return Queue(
        Listing(rows, page.number, page.total, page.size),
        tuple((each.value, words(each), count) for each, count in sorted(kinds.items())),
    )


def words(value: str) -> str:
    """A stable name for people."""
    return value.replace("_", " ")


def _mentions(case: Case, text: str) -> bool:
    finding = case.finding
    everything = (case.case_id, finding.location_id, finding.text, finding.tx_id, case.assignee)
    symbol = (finding.asset.asset_id, finding.asset.symbol) if finding.asset is not None else ()
    return not text or any(text.casefold() in part.casefold() for part in (*everything, *symbol))


def _due(case: Case, business: Business, now: datetime) -> tuple[str, Tone]:
    clock = clock_of_case(case, business) if case.state is not CaseState.CLOSED else None
    if clock is None:
        return "", Tone.IDLE
    return remaining_text(clock.cure_by, now), Tone.BAD if clock.is_overdue(now) else Tone.IDLE


def _row(case: Case, business: Business, now: datetime) -> CaseRow:
    finding = case.finding
    due, tone = _due(case, business, now)
    return CaseRow(
        case.case_id,
        words(finding.kind),
        mark_of(case),
        state_text(case),
        finding.rail.value,
        finding.location_id,
        amount_text(finding),
        finding.text,
        age_text(case, now),
        case.opened_at,
        case.assignee,
        case.trade_break_at is not None,
        due,
        tone,
    )


def case_shown(standing: CaseStanding, business: Business, now: datetime) -> CaseShown:
    """One case for its page."""
    case = standing.case
    left = [("rail", case.finding.rail.value), ("assigned to", case.assignee or "nobody")]
    if case.root_cause is not None:
        left.append(("root cause", f"{words(case.root_cause.cause)}: {case.root_cause.text}"))
    if case.trade_break_at is not None:
        left.append(("trade breaks", f"in the queue since {case.trade_break_at:%Y-%m-%d %H:%M} UTC"))
    if (clock := clock_of_case(case, business)) is not None:
        left = [("clock", f"cured by {clock.cure_by:%Y-%m-%d %H:%M} UTC ({clock.citation})"), *left]
        if case.state is not CaseState.CLOSED:
            left.insert(1, ("time", remaining_text(clock.cure_by, now)))
            left.insert(2, ("session", f"a trade break after {clock.session_ends:%Y-%m-%d %H:%M} UTC"))
    known = {name for name, _ in left} | {"found", "attached"}
    details = [(name, value) for name, value in case_details(case) if name not in known]
    return CaseShown(
        case.case_id,
        words(case.finding.kind),
        mark_of(case),
        state_text(case),
        case.finding.text,
        age_text(case, now),
        (*details, *left),
        wallet_href(case.finding.location_id),
        standing.covers[:COVERS_SHOWN],
        max(0, len(standing.covers) - COVERS_SHOWN),
        tuple(_event(case, event) for event in reversed(standing.events)),
        case.version,
        standing.seen_digest,
        case.proposal.text if case.state is CaseState.PROPOSED and case.proposal is not None else "",
        case.maker,
        case.state is CaseState.CLOSED,
        case.state is CaseState.PROPOSED,
        _approvals(standing),
        tuple(
            DocumentShown(
                each.name, each.media_type, f"{each.byte_count:,} bytes", each.sha256, each.actor, each.attached_at
            )
            for each in case.attachments
        ),
    )


def _approvals(standing: CaseStanding) -> str:
    if standing.approvals_needed == 1:
        return "another person than its maker approves it"
    done = len(standing.case.proposal.approved_by) if standing.case.proposal is not None else 0
    return f"{standing.approvals_needed} people other than its maker approve it; {done} did"


def _event(case: Case, event: CaseEvent) -> EventShown:
    asset = case.finding.asset
    amount = figure(event.base_units, asset) if asset is not None and event.base_units is not None else ""
    what = ACTS.get(event.act, words(event.act))
    return EventShown(event.recorded_at, event.actor, what, event.text, amount, tuple(sorted(event.detail.items())))
