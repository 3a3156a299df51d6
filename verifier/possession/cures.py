"""What people do about a deficit, and how far it got. Nothing cures before possession is seen in the books."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    """What one review saw of the act's issue."""

    review_id: str
    as_of: date
    recorded_at: datetime
    control: int
    deficit: int


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


def progress(act: CureAct, instructed_on: date, reviews: Iterable[Seen], calendar: BankCalendar) -> Progress:
    """How far an act got by the reviews of its issue, of all days, in any order."""
    if not act.checker:
        return Progress(act, CureState.PROPOSED, None, "")
    if not act.approved:
        return Progress(act, CureState.REFUSED, None, "")
    kind = SOURCES.get(act.kind)
    limit = possession_by(kind, instructed_on, calendar) if kind is not None else None
    ordered = sorted(reviews, key=lambda each: (each.as_of, each.recorded_at))
    before = next((each for each in ordered if each.review_id == act.review_id), None)
    seen_in = ""
    if before is not None:
        for each in ordered:
            later = each.as_of > before.as_of and each.recorded_at > act.recorded_at
            if later and (not each.deficit or each.control >= before.control + act.base_units):
                seen_in = each.review_id
                break
    if seen_in:
        return Progress(act, CureState.POSSESSED if act.receipts else CureState.SEEN, limit, seen_in)
    return Progress(act, CureState.RECEIVED if act.receipts else CureState.INSTRUCTED, limit, "")
