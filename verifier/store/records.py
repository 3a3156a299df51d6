"""What goes into and comes out of the store besides the records of other packages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from chains.types import AssetId, BlockRef, ChainId, Finality, LocationId
from verifier.records import CaseState, Finding, FindingKind, TransferMatch
from verifier.rules.reconcile import Comparisons
from verifier.rules.rollforward import RollForwards


@dataclass(frozen=True, slots=True)
class JournalHead:
    """The newest entry of the journal."""

    sequence: int
    entry_digest: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class SweepStart:
    """A sweep that was started: everything needed to take it up again after a crash."""

    sweep_key: int
    """The store's own short key."""
    sweep_id: str
    chain_id: ChainId
    block: BlockRef
    finality: Finality
    node_id: str
    header_checked: bool
    known_at: datetime
    """The book as known at this time is compared."""
    started_at: datetime
    expected: int


@dataclass(frozen=True, slots=True)
class ShardFailure:
    """That a shard of a sweep could not be read, once."""

    node_id: str
    """The last node that was asked."""
    code: str
    """Stable code of the error."""
    reason: str


class Sighted(Protocol):
    """A finding with the holdings it covers (see `verifier.case_book`)."""

    @property
    def finding(self) -> Finding:
        """The finding."""

    @property
    def covers(self) -> Sequence[tuple[LocationId, AssetId]]:
        """The holdings it speaks of."""


class CaseAct(StrEnum):
    """What can happen to a case."""

    OPENED = "opened"
    SEEN_AGAIN = "seen_again"
    NO_LONGER_SEEN = "no_longer_seen"
    WITHDRAWN = "withdrawn"
    """Only looks at blocks that were not final saw it, and the final blocks do not show it: the end of the case."""
    COMMENTED = "commented"
    PROPOSED = "proposed"
    APPROVED = "approved"
    RETURNED = "returned"
    EXPLAINED = "explained"
    """Somebody said what it is and stands by it; the case stays as it is."""
    ESCALATED = "escalated"
    """A run listed it without an explanation and a maker."""
    ENDORSED = "endorsed"
    """The first of two approvals, where the amount needs two; the case stays proposed."""
    REOPENED = "reopened"
    """New data came after a resolution was proposed: the proposal does not stand any more."""
    ASSIGNED = "assigned"
    """Somebody is to work on it; the detail names them."""
    ATTACHED = "attached"
    """A document belongs to it; the detail names it by its SHA-256."""
    CAUSE_NAMED = "cause_named"
    """Somebody said which of the known causes it has."""
    TRADE_BREAK = "trade_break"
    """Unresolved at the end of its settlement session or at the next formula run: it is in the trade-break queue."""


class RootCause(StrEnum):
    """Why something did not fit. A text says more of it."""

    BOOKED_LATE = "booked_late"
    BOOKED_WRONG = "booked_wrong"
    MAPPING_WRONG = "mapping_wrong"
    """Wallet, pool, class or asset were not as the mapping said."""
    CUSTODIAN_ERROR = "custodian_error"
    SETTLEMENT_FAIL = "settlement_fail"
    """A counterparty did not deliver or receive."""
    UNSOLICITED_DEPOSIT = "unsolicited_deposit"
    """Somebody outside sent what nobody expected, dust included."""
    UNAUTHORIZED_ACT = "unauthorized_act"
    """Somebody moved or granted something without an approval."""
    CHAIN_EVENT = "chain_event"
    """A reorganisation, an issuer's freeze, an upgrade."""
    NODE_FAULT = "node_fault"
    """A node answered wrongly or not at all."""
    SOFTWARE_FAULT = "software_fault"
    FUNDING = "funding"
    """Cash or securities were not moved in time."""
    OTHER = "other"


class InstructionAct(StrEnum):
    """How an instruction about a reserve account was decided; nothing else ends one but its last day."""

    APPROVED = "approved"
    """By another person than its maker."""
    REFUSED = "refused"
    """By anybody; by its maker it is taken back."""


class ChangeKind(StrEnum):
    """What a proposed change is of."""

    MAPPING = "mapping"
    """Rows of the mapping: clients, assets, wallets, pools, the firm's addresses, who else may move something."""
    POLICIES = "policies"
    """What judges: reserve policies, thresholds, finality, quorums, approvals."""


class ArchiveKind(StrEnum):
    """What is archived."""

    COMPUTATION = "computation"
    DAILY_REPORT = "daily_report"


class Judged(Protocol):
    """What the rules made of a sweep (see `verifier.judgement`)."""

    @property
    def reconciliations(self) -> Comparisons:
        """One for each planned holding."""

    @property
    def matches(self) -> Sequence[TransferMatch]:
        """One for each outgoing transfer that was not judged before."""

    @property
    def roll_forwards(self) -> RollForwards:
        """Those to keep; at least every one that does not add up."""

    @property
    def sightings(self) -> Sequence[Sighted]:
        """One for each case to open or see again."""

    @property
    def transfers_scanned(self) -> int:
        """Transfers that were looked at."""


UNVERIFIED_KINDS = frozenset(
    {
        FindingKind.UNVERIFIED,
        FindingKind.COVERAGE_GAP,
        FindingKind.STALE_OBSERVATION,
        FindingKind.UNPARSED_EVENTS,
        FindingKind.APPROVED_NOT_EXECUTED,
    }
)
"""Kinds that say that something is not known or was not done, rather than that the evidence contradicts the books."""


@dataclass(frozen=True, slots=True)
class CaseSeen:
    """A case that a sweep opened or saw again."""

    case_id: str
    finding: Finding
    is_new: bool

    @property
    def contradicts(self) -> bool:
        """Whether the evidence contradicts the books, rather than something being unknown."""
        return self.finding.kind not in UNVERIFIED_KINDS


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One thing that happened to a case."""

    act: CaseAct
    actor: str
    recorded_at: datetime
    text: str
    base_units: int | None
    block: BlockRef | None
    tx_id: str
    provisional: bool
    person_id: str = ""
    """The account behind the actor; empty for the machine and for names without an account."""
    detail: dict[str, str] = field(default_factory=dict)
    """What the act says besides its text: the assignee, the cause, the attachment, the context of an escalation."""
    facts_digest: str = ""
    """Of a proposal or decision: SHA-256 of what the resolution is about."""
    seen_digest: str = ""
    """Of a proposal or decision: SHA-256 of everything that was before whoever acted."""


@dataclass(frozen=True, slots=True)
class CaseAttachment:
    """A document that belongs to a case; its bytes are stored once, whatever it is attached to."""

    sha256: str
    name: str
    """As cleaned of everything that is no file name."""
    media_type: str
    byte_count: int
    actor: str
    attached_at: datetime


@dataclass(frozen=True, slots=True)
class NamedCause:
    """Why it did not fit, as somebody said."""

    cause: RootCause
    text: str
    actor: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """The resolution that waits for its decision, or that was decided last."""

    text: str
    maker: str
    person_id: str
    made_at: datetime
    facts_digest: str
    approved_by: tuple[str, ...]
    """Who approved it so far."""


@dataclass(frozen=True, slots=True)
class CaseStanding:
    """Everything about one case at one moment, and the digests that a decision is bound to."""

    case: Case
    covers: tuple[tuple[LocationId, AssetId], ...]
    events: tuple[CaseEvent, ...]
    facts_digest: str
    """SHA-256 of what a resolution is about."""
    seen_digest: str
    """SHA-256 of everything a checker has before them: approve with this one."""
    approvals_needed: int
    """How many people approve a resolution of it: one, or two above the amount that is configured."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What somebody said a case is."""

    text: str
    maker: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it stands now."""

    case_id: str
    finding: Finding
    """As last seen."""
    occurrence: int
    state: CaseState
    opened_at: datetime
    seen_at: datetime
    """When `finding` was recorded."""
    last_act: CaseAct
    last_at: datetime
    is_seen: bool
    """False when the last sweep of its chain did not see the finding any more."""
    maker: str
    """Who proposed the resolution that stands; empty when nothing is proposed."""
    superseded: bool
    """Its block left the canonical chain."""
    explanation: Explanation | None = None
    """What stands: the newest explanation or proposal that was not returned since."""
    only_looked: bool = False
    """Only looks at blocks that are not final saw it so far; a sweep will confirm it or withdraw it."""
    version: int = 0
    """How many things happened to it: an act may name the version it was made on."""
    assignee: str = ""
    """Who is to work on it; empty while nobody is."""
    root_cause: NamedCause | None = None
    attachments: tuple[CaseAttachment, ...] = ()
    proposal: Proposal | None = None
    """The newest one; whether it waits, was approved or returned is in the state and the events."""
    trade_break_at: datetime | None = None
    """Since when it is in the trade-break queue; None when it is not."""
    decided_at: datetime | None = None
    """When the proposal that stands last was approved or returned."""
    checkers: tuple[str, ...] = ()
    """Who approved it, when it is closed by people."""


@dataclass(frozen=True, slots=True)
class IssuedBundle:
    """A bundle that was written."""

    bundle_id: str
    sequence: int
    digest: str
    as_of: datetime
    path: str
    head: JournalHead
    blocks: tuple[tuple[ChainId, int, str], ...] = ()
    """Chain, height and hash of the blocks it speaks of."""


@dataclass(frozen=True, slots=True)
class SupersededBundle:
    """A bundle that was issued, and a block of it that left its chain since."""

    bundle: IssuedBundle
    chain_id: ChainId
    height: int
    block_hash: str
    found_at: datetime
    """When it was recorded that the block had left the chain."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease on a piece of work that was taken."""

    name: str
    """What is worked on, such as `chain:eip155:1`."""
    token: int
    """The fencing number."""
    holder: str
    """The process, as `verifier.process_identity` writes it."""
