"""What the comparison produced: reconciliations, discrepancies, matched transfers, cases and sweeps.

Every difference is observed minus claimed, signed, in base units. Every status is one of three: matched,
diverged, unverified. A failed read is never a zero.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chains.errors import InvalidValue
from chains.types import (
    AnchorEvidence,
    Asset,
    BlockRef,
    ChainId,
    Finality,
    LocationId,
    StateEvidence,
    Transfer,
    require_utc,
)


class Rail(StrEnum):
    """Which of the firm's rails a figure belongs to."""

    DIGITAL = "digital"
    SECURITIES = "securities"
    CONTROL = "control"
    CASH = "cash"


class Status(StrEnum):
    """The outcome of one comparison, best first."""

    MATCHED = "matched"
    DIVERGED = "diverged"
    UNVERIFIED = "unverified"


def worst(statuses: list[Status]) -> Status:
    """Roll up by the worst: diverged before unverified before matched; of nothing, unverified.

    A known contradiction leads, because it holds whatever the unread rest would say.
    """
    if not statuses:
        return Status.UNVERIFIED
    for status in (Status.DIVERGED, Status.UNVERIFIED):
        if status in statuses:
            return status
    return Status.MATCHED


@dataclass(frozen=True, slots=True)
class StatementCheck:
    """The custodian's own statement of the same position, compared with what the chain showed."""

    base_units: int
    as_of: datetime
    stated_by: str
    statement_id: str
    status: Status
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Two statements about one position at one moment, and the signed difference between them."""

    sweep_id: str
    rail: Rail
    location_id: LocationId
    asset: Asset
    claimed: int
    """Base units that clients own here according to the sub-ledger; may be negative when the book is wrong."""
    gas_float_recorded: int
    """Base units of the firm's own gas float recorded here; 0 for tokens."""
    gas_float_observed: int
    """The part of the observed balance that the recorded float explains: 0 to gas_float_recorded."""
    observed: int | None
    """Base units on chain; None when any read behind it failed."""
    difference: int | None
    """observed - claimed - gas_float_observed; None when unverified."""
    status: Status
    """Over the sub-ledger, the chain and, where there is one, the custodian's statement."""
    claimed_as_of: datetime
    known_at: datetime
    """The book as known at this time was used."""
    observed_as_of: datetime
    block: BlockRef
    state: StateEvidence
    anchor: AnchorEvidence
    statement: StatementCheck | None = None
    reason: str = ""
    """Why it is unverified: a stable code, then one sentence."""

    def __post_init__(self) -> None:
        for name in ("claimed_as_of", "known_at", "observed_as_of"):
            require_utc(getattr(self, name), name)
        if (self.observed is None) != (self.difference is None):
            raise InvalidValue("a difference exists exactly when something was observed")
        if self.status is Status.MATCHED and self.difference != 0:
            raise InvalidValue("matched means a difference of zero")
        if self.observed is None and self.status is Status.MATCHED:
            raise InvalidValue("nothing observed is never matched")


class FindingKind(StrEnum):
    """What kind of discrepancy a finding is."""

    SHORTFALL = "shortfall"
    EXCESS = "excess"
    UNALLOCATED_BALANCE = "unallocated_balance"
    UNMAPPED_BALANCE = "unmapped_balance"
    UNMAPPED_ADDRESS = "unmapped_address"
    """On the custodian's inventory and not in the mapping, or the other way round."""
    NEGATIVE_ALLOCATION = "negative_allocation"
    UNAUTHORIZED_TRANSFER = "unauthorized_transfer"
    APPROVED_NOT_EXECUTED = "approved_not_executed"
    """An approval ended with something left of it: what was to leave did not."""
    COMMINGLING = "commingling"
    STRUCTURE_BREACH = "structure_breach"
    UNEXPLAINED_CHANGE = "unexplained_change"
    CUSTODIAN_MISMATCH = "custodian_mismatch"
    UNVERIFIED = "unverified"
    """A holding could not be compared: what is not verified is owned by somebody too."""
    ASSET_CHANGED = "asset_changed"
    """Decimals or code of an asset on chain differ from the reviewed asset table."""
    UNPARSED_EVENTS = "unparsed_events"
    COVERAGE_GAP = "coverage_gap"
    STALE_OBSERVATION = "stale_observation"
    """The newest observation of a chain is older than the firm allows: the chain, its finality or the sweeps stand."""
    NODE_DISAGREEMENT = "node_disagreement"
    FINALITY_REVERSED = "finality_reversed"
    ENCUMBRANCE = "encumbrance"
    """Somebody else could move or has stopped what is here: an allowance, a delegation, a module, an issuer."""
    CONTROL_CHANGE = "control_change"
    """Who decides over a wallet or token is not what it was, or not what the mapping says."""
    RESERVE_DEFICIT = "reserve_deficit"
    """A reserve computation requires more than what counts in the reserve accounts."""
    PROJECTED_RESERVE_DEFICIT = "projected_reserve_deficit"
    """The figures stated now would require more than what counts; no computation fixed it yet."""
    MISSED_RESERVE_DEPOSIT = "missed_reserve_deposit"
    """The deadline of a deposit passed with a deficit: notified immediately, 15c3-3(i)."""
    CONTROL_DEFICIT = "control_deficit"
    """Less of an issue of securities is in possession or control than 15c3-3(b) requires."""
    HYPOTHECATION = "hypothecation"
    """Client securities are pledged or lent without authority, or for more than customers owe: 8c-1, 15c2-1, 15c3-3."""


class MatchOutcome(StrEnum):
    """What became of one outgoing transfer when it was held against the authorizations."""

    MATCHED = "matched"
    UNAUTHORIZED = "unauthorized"
    OVER_AMOUNT = "over_amount"
    WRONG_DESTINATION = "wrong_destination"
    WRONG_ASSET = "wrong_asset"
    EXPIRED = "expired"
    """Outside the validity of the only authorization that would fit, before it as well as after."""
    DUPLICATE = "duplicate"
    """Fits an authorization that another transfer already used up."""
    FEE_OVER_LIMIT = "fee_over_limit"
    CHANGE = "change"
    """Not a payment: on a chain of outputs, what a transaction returned to the wallets that paid together."""


USING_OUTCOMES = frozenset({MatchOutcome.MATCHED, MatchOutcome.FEE_OVER_LIMIT})
"""Outcomes of a transfer that uses up what its approvals allow."""

IN_ORDER_OUTCOMES = frozenset({MatchOutcome.MATCHED, MatchOutcome.CHANGE})
"""Outcomes that are no finding."""


@dataclass(frozen=True, slots=True)
class ApprovalUse:
    """What one transfer took from one approval."""

    authorization_id: str
    base_units: int
    """Above zero."""


@dataclass(frozen=True, slots=True)
class TransferMatch:
    """One outgoing transfer and the authorizations it executes, or why it executes none."""

    transfer: Transfer
    outcome: MatchOutcome
    authorization_id: str
    """The first authorization it executes, or the nearest to it; empty when there is none."""
    commingling: bool
    """Whether it went to one of the firm's own addresses without an approved purpose for that."""
    for_review: bool
    """Approved transfer to a firm address: listed for review."""
    reason: str
    uses: tuple[ApprovalUse, ...] = ()
    """The authorizations it executes and what it takes from each: together the whole amount. Empty when it executes
    none."""

    def __post_init__(self) -> None:
        if not self.uses:
            return
        if self.outcome not in USING_OUTCOMES:
            raise InvalidValue(f"a transfer that is {self.outcome} executes no authorization")
        taken = {use.authorization_id: use.base_units for use in self.uses}
        if len(taken) < len(self.uses) or min(taken.values()) <= 0:
            raise InvalidValue("a transfer takes something from each of its authorizations, once")
        if sum(taken.values()) != self.transfer.base_units:
            raise InvalidValue("what a transfer takes from its authorizations is not its amount")
        if self.uses[0].authorization_id != self.authorization_id:
            raise InvalidValue("a transfer names the first authorization that it executes")


@dataclass(frozen=True, slots=True)
class Finding:
    """One discrepancy, as the rules see it. It becomes one case, however often it is seen."""

    kind: FindingKind
    rail: Rail
    location_id: LocationId
    asset: Asset | None
    base_units: int | None
    """Signed amount in base units where there is one."""
    subject: str
    """What tells this finding from others of its kind, place and asset: a transfer id, a client id, a day."""
    text: str
    """One or two sentences for a person: both figures, where, what is expected."""
    block: BlockRef | None = None
    tx_id: str = ""
    provisional: bool = False
    """Seen at a finality below the configured one; confirmed or superseded later."""

    @property
    def finding_key(self) -> str:
        """SHA-256 over kind, rail, location, asset and subject: the same finding always has the same key."""
        parts = (self.kind, self.rail, self.location_id, self.asset.asset_id if self.asset else "", self.subject)
        digest = hashlib.sha256()
        for part in parts:
            data = part.encode()
            digest.update(len(data).to_bytes(4, "big") + data)
        return digest.hexdigest()


class CaseState(StrEnum):
    """Where a case stands. It stays open until a second person closes it."""

    OPEN = "open"
    PROPOSED = "proposed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class CoveredBlocks:
    """Blocks without a gap between them whose movements one node showed in one mode."""

    first_height: int
    last_height: int
    node_id: str
    mode: str
    began_at: datetime
    """Time of the first block."""
    ended_at: datetime
    """Time of the last block."""


@dataclass(frozen=True, slots=True)
class WeakerScan:
    """Blocks whose movements were read in a weaker mode than the configuration asked for."""

    first_height: int
    last_height: int
    mode: str
    """The mode that was reached."""
    reason: str


@dataclass(frozen=True, slots=True)
class SweepSummary:
    """One finished sweep of one chain at one block: what was expected and what became of it."""

    sweep_id: str
    chain_id: ChainId
    block: BlockRef
    finality: Finality
    node_id: str
    header_checked: bool
    known_at: datetime
    started_at: datetime
    finished_at: datetime
    expected: int
    matched: int
    diverged: int
    unverified: int
    transfers_scanned: int
    transfers_outgoing: int
    transfers_not_matched: int
    transfers_change: int = 0
    """What came back to the wallets that paid together; not among the outgoing ones."""

    def __post_init__(self) -> None:
        if self.matched + self.diverged + self.unverified != self.expected:
            raise InvalidValue("matched + diverged + unverified is not the expected number of holdings")
