"""What of the rule a case touches, and where the missing truth is expected to come from. Pure.

By kind and rail: the item of Exhibit A to 17 CFR 240.15c3-3 whose figure is wrong until the case is resolved, or the
paragraph of possession or control that it is about. What is not the rule's but this system's own demand says so. The
classification is the firm's in the end: this is where it looks first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from verifier.records import FindingKind, Rail


@dataclass(frozen=True, slots=True)
class Requirement:
    """A line of the formula or a paragraph that a case touches."""

    code: str
    """Citation or item: `15c3-3(b)(1)`, `Exhibit A, Item 8`, or `evidence` for what no rule names."""
    text: str


POSSESSION: Final = Requirement(
    "15c3-3(b)(1)", "possession or control of customers' fully paid and excess margin securities"
)
DAILY_DETERMINATION: Final = Requirement("15c3-3(d)", "the daily determination of what is in possession or control")
DEFICIT_STEPS: Final = Requirement("15c3-3(d)(1)-(4)", "steps by the business day after a deficit was determined")
GOOD_CONTROL: Final = Requirement("15c3-3(c)", "what is a good control location, free of anybody's claim")
ITEM_7: Final = Requirement("Exhibit A, Item 7", "short security differences over 30 calendar days old")
ITEM_8: Final = Requirement("Exhibit A, Item 8", "short securities and credits in suspense accounts over 30 days")
DEPOSIT: Final = Requirement("15c3-3(e)(1)", "what is held in the reserve account against what Exhibit A requires")
NOTICE: Final = Requirement("15c3-3(i)", "immediate notice and the deposit that was not made")
HYPOTHECATION: Final = Requirement("8c-1(a), 15c2-1(a)", "no pledge of customers' securities beyond what they owe")
FIRM_ASSETS: Final = Requirement("15c3-3(c), firm procedure", "customers' assets apart from the firm's own")
COUNTED: Final = Requirement("17a-13(b)", "verification of what is not in the firm's physical possession")
EVIDENCE: Final = Requirement("evidence", "no figure of the rule changes; what supports the figures is incomplete")

_BY_KIND: Final[dict[FindingKind, tuple[Requirement, ...]]] = {
    FindingKind.SHORTFALL: (POSSESSION, ITEM_7),
    FindingKind.EXCESS: (ITEM_8,),
    FindingKind.UNALLOCATED_BALANCE: (ITEM_8,),
    FindingKind.UNMAPPED_BALANCE: (GOOD_CONTROL, ITEM_8),
    FindingKind.UNMAPPED_ADDRESS: (GOOD_CONTROL,),
    FindingKind.NEGATIVE_ALLOCATION: (POSSESSION,),
    FindingKind.UNAUTHORIZED_TRANSFER: (POSSESSION,),
    FindingKind.APPROVED_NOT_EXECUTED: (EVIDENCE,),
    FindingKind.COMMINGLING: (FIRM_ASSETS,),
    FindingKind.STRUCTURE_BREACH: (GOOD_CONTROL,),
    FindingKind.UNEXPLAINED_CHANGE: (POSSESSION, ITEM_7),
    FindingKind.CUSTODIAN_MISMATCH: (POSSESSION, COUNTED),
    FindingKind.UNVERIFIED: (DAILY_DETERMINATION,),
    FindingKind.ASSET_CHANGED: (GOOD_CONTROL,),
    FindingKind.UNPARSED_EVENTS: (EVIDENCE,),
    FindingKind.COVERAGE_GAP: (EVIDENCE,),
    FindingKind.STALE_OBSERVATION: (DAILY_DETERMINATION,),
    FindingKind.NODE_DISAGREEMENT: (DAILY_DETERMINATION,),
    FindingKind.FINALITY_REVERSED: (DAILY_DETERMINATION,),
    FindingKind.ENCUMBRANCE: (GOOD_CONTROL,),
    FindingKind.CONTROL_CHANGE: (GOOD_CONTROL,),
    FindingKind.RESERVE_DEFICIT: (DEPOSIT,),
    FindingKind.PROJECTED_RESERVE_DEFICIT: (DEPOSIT,),
    FindingKind.MISSED_RESERVE_DEPOSIT: (NOTICE, DEPOSIT),
    FindingKind.CONTROL_DEFICIT: (POSSESSION, DEFICIT_STEPS),
    FindingKind.HYPOTHECATION: (HYPOTHECATION, GOOD_CONTROL),
}

_SOURCES: Final[dict[FindingKind, str]] = {
    FindingKind.SHORTFALL: "the transfer out that was not booked, or its return",
    FindingKind.EXCESS: "the deposit that was not booked, or its sender",
    FindingKind.UNALLOCATED_BALANCE: "the depositing client, or the sender of dust",
    FindingKind.UNMAPPED_BALANCE: "the wallet's line in the mapping, or a transfer out of it",
    FindingKind.UNMAPPED_ADDRESS: "the custodian's inventory, or the mapping",
    FindingKind.NEGATIVE_ALLOCATION: "the correcting ledger entry",
    FindingKind.UNAUTHORIZED_TRANSFER: "the authorization, or whoever holds the keys",
    FindingKind.APPROVED_NOT_EXECUTED: "the transfer, or the authorization's withdrawal",
    FindingKind.COMMINGLING: "the transfer back, or the approved purpose",
    FindingKind.STRUCTURE_BREACH: "the mapping, or the wallet's operations desk",
    FindingKind.UNEXPLAINED_CHANGE: "a trace of the block's transactions",
    FindingKind.CUSTODIAN_MISMATCH: "the custodian's corrected statement, or the correcting entry",
    FindingKind.UNVERIFIED: "the next complete reading or statement",
    FindingKind.ASSET_CHANGED: "the issuer, and a reviewed line of the asset table",
    FindingKind.UNPARSED_EVENTS: "a review of the transactions in those blocks",
    FindingKind.COVERAGE_GAP: "the blocks read as configured",
    FindingKind.STALE_OBSERVATION: "a sweep of a recent final block",
    FindingKind.NODE_DISAGREEMENT: "the operators of the nodes",
    FindingKind.FINALITY_REVERSED: "the chain's clients and a person's decision to resume",
    FindingKind.ENCUMBRANCE: "its revocation on chain, or the firm's acceptance",
    FindingKind.CONTROL_CHANGE: "the custodian's notice of the change, or the mapping",
    FindingKind.RESERVE_DEFICIT: "a deposit into the reserve account",
    FindingKind.PROJECTED_RESERVE_DEFICIT: "a deposit, or lines that are stated anew",
    FindingKind.MISSED_RESERVE_DEPOSIT: "the deposit, and the notice to Commission and examining authority",
    FindingKind.CONTROL_DEFICIT: "the return of the bank loan, stock loan, or the fail's delivery",
    FindingKind.HYPOTHECATION: "the release of the lien, or the client's agreement",
}


def requirements_of(kind: FindingKind, rail: Rail) -> tuple[Requirement, ...]:
    """What of the rule a case of this kind touches on this rail, the first most of all.

    On chains only what is a security falls under possession or control; the mapping says which legal class it has.
    """
    found = _BY_KIND[kind]
    if rail is Rail.CASH:
        return tuple(each for each in found if each not in (POSSESSION, COUNTED)) or (DEPOSIT,)
    return found


def expected_source(kind: FindingKind) -> str:
    """Where what is missing is expected to come from, for a person."""
    return _SOURCES[kind]
