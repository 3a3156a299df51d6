"""What goes into and comes out of the store besides the records of other packages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from chains.types import AssetId, BlockRef, ChainId, Finality, LocationId
from verifier.records import CaseState, Finding, FindingKind, Reconciliation, TransferMatch
from verifier.rules.rollforward import RollForward


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


class InstructionAct(StrEnum):
    """How an instruction about a reserve account was decided; nothing else ends one but its last day."""

    APPROVED = "approved"
    """By another person than its maker."""
    REFUSED = "refused"
    """By anybody; by its maker it is taken back."""


class ArchiveKind(StrEnum):
    """What is archived."""

    COMPUTATION = "computation"
    DAILY_REPORT = "daily_report"


class Judged(Protocol):
    """What the rules made of a sweep (see `verifier.judgement`)."""

    @property
    def reconciliations(self) -> Sequence[Reconciliation]:
        """One for each planned holding."""

    @property
    def matches(self) -> Sequence[TransferMatch]:
        """One for each outgoing transfer that was not judged before."""

    @property
    def roll_forwards(self) -> Sequence[RollForward]:
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
