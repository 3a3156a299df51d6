"""What people do about a deficit, and how far it got. Nothing cures before possession is seen in the books."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from chains.types import AssetId
from exports.possession.sources import SourceKind
from verifier.possession.clocks import possession_by
from verifier.reserve.calendar import BankCalendar


class CureKind(StrEnum):
    """What is done."""

    RECALL = "recall"
    """Of securities lent: possession within five business days of the instruction."""
    BANK_LOAN_RELEASE = "bank_loan_release"
    """Possession within two business days of the instruction."""
    BUY_IN = "buy_in"
    MARKET_PURCHASE = "market_purchase"
    BORROW = "borrow"
    NSCC_RECEIPT = "nscc_receipt"
    CUSTODIAN_TRANSFER = "custodian_transfer"


SOURCES: Final[Mapping[CureKind, SourceKind]] = {
    CureKind.RECALL: SourceKind.STOCK_LOAN,
    CureKind.BANK_LOAN_RELEASE: SourceKind.BANK_LOAN,
}
"""Kinds that get back what one kind of location holds, and whose possession has a limit."""


STEPS: Final = frozenset({CureKind.BUY_IN, CureKind.MARKET_PURCHASE, CureKind.BORROW, CureKind.NSCC_RECEIPT})
"""Kinds that are steps to get what is not received, distributed or sold short; they need no line."""


class ProofKind(StrEnum):
    """What shows that securities were received."""

    STATEMENT = "statement"
    TRANSACTION = "transaction"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A proof of receipt."""

    kind: ProofKind
    reference: str
    """Id of the statement or of the transaction."""
    digest: str
    """SHA-256 of the document."""
    received_on: date
    actor: str
    recorded_at: datetime


class CureState(StrEnum):
    """How far an act got."""

    PROPOSED = "proposed"
    REFUSED = "refused"
    INSTRUCTED = "instructed"
    """A second person approved it."""
    RECEIVED = "received"
    """There is a proof of receipt, and no review saw it in possession or control yet: nothing is cured."""
    SEEN = "seen"
    """A later review saw it in possession or control, and a proof of receipt is missing."""
    POSSESSED = "possessed"
    """Seen by a later review, with a proof of receipt."""


@dataclass(frozen=True, slots=True)
class CureAct:
    """One act on the deficit of one issue, as far as people recorded it."""

    act_id: str
    review_id: str
    """The review that determined the deficit."""
    security_id: AssetId
    kind: CureKind
    base_units: int
    line_id: str
    """The line it gets back from; empty where there is none."""
    instructed_at: datetime
    text: str
    maker: str
    recorded_at: datetime
    checker: str
    """Who approved or refused it; empty while nobody did."""
    approved: bool
    receipts: tuple[Receipt, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the review that stands for a day saw of one issue."""

    review_id: str
    as_of: date
    recorded_at: datetime
    control: int
    gap: int
    """Required and not known to be in control: what was not observed is no possession either."""


@dataclass(frozen=True, slots=True)
class Progress:
    """An act with its state and its clock."""

    act: CureAct
    state: CureState
    possession_by: date | None
    """Last day for possession, from the instruction; None where the rule gives no number or nothing was instructed."""
    seen_in: str
    """The review that first saw possession; empty while none did."""

    def overdue(self, today: date) -> bool:
        """Whether possession was due and is not seen."""
        return self.possession_by is not None and not self.seen_in and today > self.possession_by


@dataclass(frozen=True, slots=True)
class DatedAct:
    """An act of one issue, the day of the review it was recorded on, and the firm's civil day of its instruction."""

    act: CureAct
    as_of: date
    instructed_on: date


def all_progress(acts: Sequence[DatedAct], reviews: Iterable[Seen], calendar: BankCalendar) -> list[Progress]:
    """How far the acts of one issue got by the reviews that stand, one for each day, in any order.

    A review of a later day sees an act when nothing is short any more, or when as much more is in control than on the
    act's own day. What arrived for one act is not counted for another: the one instructed first has it.
    """
    days = sorted(reviews, key=lambda each: each.as_of)
    on = {each.as_of: each for each in days}
    approved = sorted((each for each in acts if each.act.approved), key=lambda each: each.act.instructed_at)
    seen: dict[str, Seen] = {}
    for day in days:
        for each in approved:
            before = on.get(each.as_of)
            later = day.as_of > each.as_of and day.recorded_at > each.act.recorded_at
            if before is None or not later or each.act.act_id in seen:
                continue
            taken = sum(
                other.act.base_units
                for other in approved
                if other.act.act_id in seen and seen[other.act.act_id].as_of > each.as_of
            )
            if not day.gap or day.control >= before.control + taken + each.act.base_units:
                seen[each.act.act_id] = day
    return [_progress(each, seen.get(each.act.act_id), calendar) for each in acts]


def _progress(dated: DatedAct, seen: Seen | None, calendar: BankCalendar) -> Progress:
    act = dated.act
    if not act.approved:
        return Progress(act, CureState.REFUSED if act.checker else CureState.PROPOSED, None, "")
    kind = SOURCES.get(act.kind)
    limit = possession_by(kind, dated.instructed_on, calendar) if kind is not None else None
    if seen is not None:
        return Progress(act, CureState.POSSESSED if act.receipts else CureState.SEEN, limit, seen.review_id)
    return Progress(act, CureState.RECEIVED if act.receipts else CureState.INSTRUCTED, limit, "")


@dataclass(frozen=True, slots=True)
class Due:
    """What of one issue was short, and from where it is due to be got back. Base units."""

    deficit: int
    from_loans: int
    """From bank and stock loans: by instructions to release or to return them, (d)(1)."""
    promptly: int
    """From fails, distributions and short positions: by a buy-in or other steps, (d)(2) to (4)."""

    def least(self, other: Due) -> Due:
        """What was as much in both."""
        return Due(
            min(self.deficit, other.deficit),
            min(self.from_loans, other.from_loans),
            min(self.promptly, other.promptly),
        )

    def without(self, acts: Iterable[CureAct]) -> int:
        """What no act covers: each counts for what its kind can do, and all of them together for the deficit.

        A transfer from another custodian is no step on a loan or a fail: it only makes the deficit smaller.
        """
        loans, steps, every = 0, 0, 0
        for act in acts:
            every += act.base_units
            loans += act.base_units if act.kind in SOURCES else 0
            steps += act.base_units if act.kind in STEPS else 0
        left = max(0, self.from_loans - loans) + max(0, self.promptly - steps)
        return min(left, max(0, self.deficit - every))


@dataclass(frozen=True, slots=True)
class Determined:
    """What a day's reviews determined of one issue."""

    as_of: date
    act_by: date
    """Last day for instructions, from the first of that day's reviews in which the issue was short."""
    due: Due
    """By the review that stands."""


@dataclass(frozen=True, slots=True)
class Uninstructed:
    """Base units that locations are due to give back and for which there is no approved instruction."""

    base_units: int
    act_by: date
    """Last day for it: that of the first determination since which it is due."""


def uninstructed(
    determined: Iterable[Determined], acts: Iterable[tuple[DatedAct, Progress]], on: date
) -> Uninstructed | None:
    """What of an issue has no instruction yet; None when all of it has.

    `determined` are the days on which it was short without a break, the newest first. A deficit that stays is not
    determined anew each day: its clock runs from the day since which as much was due. What is overdue on the day `on`
    comes before what is not.
    """
    every = list(acts)
    found, persisted = None, None
    for day in determined:
        persisted = day.due if persisted is None else persisted.least(day.due)
        counting = (
            dated.act
            for dated, progress in every
            if dated.act.approved and (not progress.seen_in or dated.as_of >= day.as_of)
        )
        if not (left := persisted.without(counting)):
            break
        found = Uninstructed(left, day.act_by)
        if day.act_by < on:
            break
    return found
