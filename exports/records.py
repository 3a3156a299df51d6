"""The records of a bundle: what the auditor gets, independent of how the firm stores it.

Amounts are integers in base units, signed where they can be negative; times are aware and in UTC. Every record
checks itself when it is made, whether the firm writes it or the auditor reads it. The names of the fields are
the names in the file (docs/bundle-format.md); a change of any of them is a new format version.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from chains.errors import InvalidValue
from chains.types import (
    DECIMALS_MAX,
    Address,
    AnchorEvidence,
    AssetId,
    ChainId,
    Finality,
    LocationId,
    ReadStatus,
    StateEvidence,
    TransferKind,
    account_location,
    has_token_id,
)
from exports.acceptances import AcceptanceRecord
from exports.answer_records import NodeAnswerRecord
from exports.codec import (
    BaseUnits,
    BlockHash,
    Code,
    Digest,
    Identifier,
    OptionalIdentifier,
    PlainText,
)
from exports.control_records import (
    ControlReviewRecord,
    ControlStateRecord,
    GrantRecord,
    KeyChallengeRecord,
    KeyProofRecord,
    RestrictionRecord,
)
from exports.inclusion import InclusionStatement
from exports.liability_records import LiabilityRecord, LiabilityRootRecord, LiabilityTotalRecord
from exports.output_records import (
    BitcoinHeadersRecord,
    BitcoinInclusionRecord,
    BitcoinOutputRecord,
    BitcoinTransactionRecord,
)
from exports.outside_records import ImportedEvidenceRecord
from exports.possession_records import PossessionReviewRecord
from exports.proof_records import (
    ProofGapRecord,
    ProofHeaderRecord,
    ProofNodeRecord,
    TokenLayoutRecord,
    TransactionProofRecord,
)
from exports.reserve_records import ReserveComputationRecord, ReservePositionRecord
from exports.securities_records import SecuritiesRunRecord
from exports.superseded import SupersededBundleRecord
from exports.two_people import require_two_people


class Rail(StrEnum):
    """Which of the firm's rails a figure belongs to."""

    DIGITAL = "digital"
    SECURITIES = "securities"
    CONTROL = "control"
    CASH = "cash"


class Status(StrEnum):
    """The outcome of one comparison."""

    MATCHED = "matched"
    DIVERGED = "diverged"
    UNVERIFIED = "unverified"


class AccountClass(StrEnum):
    """Whose asset it is, in the terms of 17 CFR 240.15c3-3."""

    CUSTOMER = "customer"
    PAB = "pab"
    PROPRIETARY = "proprietary"


class Outcome(StrEnum):
    """What became of one outgoing transfer when it was held against the authorizations."""

    MATCHED = "matched"
    UNAUTHORIZED = "unauthorized"
    OVER_AMOUNT = "over_amount"
    WRONG_DESTINATION = "wrong_destination"
    WRONG_ASSET = "wrong_asset"
    EXPIRED = "expired"
    DUPLICATE = "duplicate"
    FEE_OVER_LIMIT = "fee_over_limit"
    CHANGE = "change"
    """No payment: what a transaction returned to the wallets that paid together."""


class CaseStatus(StrEnum):
    """Where a case stands. Only a second person closes it."""

    OPEN = "open"
    PROPOSED = "proposed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class FirmRecord:
    """Who issues the bundle."""

    name: PlainText
    identifier: OptionalIdentifier
    """An identifier others know, such as an LEI or a CRD number; empty when none is given."""


@dataclass(frozen=True, slots=True)
class AssetRecord:
    """An asset as the firm's reviewed asset table has it."""

    asset_id: AssetId
    symbol: PlainText
    """For display only; never compared."""
    decimals: int
    legal_class: Code
    legal_class_from: date
    legal_class_reference: PlainText
    dust_limit: BaseUnits
    """An unsolicited excess below this may share one case per chain, asset and day."""

    def __post_init__(self) -> None:
        if self.decimals > DECIMALS_MAX:
            raise InvalidValue(f"decimals must be 0 to {DECIMALS_MAX}")
        if has_token_id(self.asset_id) and self.decimals:
            raise InvalidValue("decimals of a token of a collection are 0")
        if self.dust_limit < 0:
            raise InvalidValue("dust_limit is negative")


@dataclass(frozen=True, slots=True)
class ShareHolder:
    """Who holds how many of the shares of a wallet's key."""

    holder: PlainText
    shares: int


@dataclass(frozen=True, slots=True)
class WalletRecord:
    """One address on one chain that holds client assets, and how its key is governed."""

    chain_id: ChainId
    address: Address
    structure: Code
    """`omnibus` or `fully_segregated`."""
    titling: PlainText
    custodian: PlainText
    mpc_vault: PlainText
    key_scheme: PlainText
    threshold: int
    share_count: int
    share_holders: tuple[ShareHolder, ...]
    firm_alone_can_sign: bool
    others_can_sign_without_firm: bool
    opened_on: date
    closed_on: date | None
    gas_float_limit: BaseUnits

    def __post_init__(self) -> None:
        if self.structure not in ("omnibus", "fully_segregated"):
            raise InvalidValue("structure is omnibus or fully_segregated")
        if not 1 <= self.threshold <= self.share_count:
            raise InvalidValue("the threshold is not 1 to share_count")

    @property
    def location(self) -> LocationId:
        """The wallet as a location."""
        return account_location(self.chain_id, self.address)


@dataclass(frozen=True, slots=True)
class PoolRecord:
    """A membership of a wallet in an omnibus pool that was in force at the reconciliation."""

    pool_id: Identifier
    chain_id: ChainId
    address: Address
    from_date: date
    to_date: date | None
    """Last day of membership; null when it lasts."""


@dataclass(frozen=True, slots=True)
class BalanceRecord:
    """What a chain said about one balance at one block, or why it could not be learnt."""

    sweep_id: Identifier
    chain_id: ChainId
    address: Address
    asset_id: AssetId
    base_units: BaseUnits | None
    status: ReadStatus
    reason: PlainText
    height: int
    block_hash: BlockHash
    parent_hash: BlockHash
    block_time: datetime
    finality: PlainText
    method: PlainText
    node_id: Identifier
    operator: PlainText
    state: StateEvidence
    anchor: AnchorEvidence
    grade: StateEvidence
    """What the figure may be shown with: `proven` only with a state proof and an anchor of `agreed` or better."""
    header_checked: bool
    """Whether the firm recomputed the block hash from the header's fields."""

    def __post_init__(self) -> None:
        if (self.status is ReadStatus.OK) != (self.base_units is not None):
            raise InvalidValue("a balance has base_units exactly when the read succeeded")
        if (self.status is ReadStatus.FAILED) != bool(self.reason):
            raise InvalidValue("a failed read has a reason, a good one has none")
        if self.base_units is not None and self.base_units < 0:
            raise InvalidValue("a balance is negative")
        Finality.parse(self.finality)


@dataclass(frozen=True, slots=True)
class AllocationRecord:
    """What one beneficial owner owned at one location, as of the reconciliation's `claimed_as_of`."""

    client_id: Identifier
    account_class: AccountClass
    location: LocationId
    asset_id: AssetId
    base_units: BaseUnits
    is_gas_float: bool

    def __post_init__(self) -> None:
        if self.is_gas_float and self.account_class is not AccountClass.PROPRIETARY:
            raise InvalidValue("a gas float is proprietary")


@dataclass(frozen=True, slots=True)
class StatementRecord:
    """The custodian's own statement of the same position, compared with what the chain showed.

    For a pool the statements may be about each wallet; the figure is then their sum, and each was compared alone.
    """

    base_units: BaseUnits
    as_of: datetime
    stated_by: PlainText
    statement_id: PlainText
    """Id of the statement; several, separated by commas, where several were compared."""
    status: Status
    reason: PlainText


@dataclass(frozen=True, slots=True)
class ReconciliationRecord:
    """Two statements about one position at one moment, and the signed difference between them."""

    sweep_id: Identifier
    rail: Rail
    location: LocationId
    asset_id: AssetId
    claimed: BaseUnits
    """Sum of the client allocations."""
    gas_float_recorded: BaseUnits
    gas_float_observed: BaseUnits
    """min(max(observed - claimed, 0), max(gas_float_recorded, 0)); 0 when nothing was observed."""
    observed: BaseUnits | None
    difference: BaseUnits | None
    """observed - claimed - gas_float_observed."""
    status: Status
    reason: PlainText
    """Why sub-ledger and chain could not be compared; empty when they could."""
    claimed_as_of: datetime
    known_at: datetime
    """The book as known at this time was used."""
    observed_as_of: datetime
    statement: StatementRecord | None

    def __post_init__(self) -> None:
        if (self.observed is None) != (self.difference is None):
            raise InvalidValue("a difference exists exactly when something was observed")


@dataclass(frozen=True, slots=True)
class UseRecord:
    """What a transfer took from one of the authorizations it executes."""

    authorization_id: Identifier
    base_units: BaseUnits

    def __post_init__(self) -> None:
        if self.base_units <= 0:
            raise InvalidValue("a transfer takes something from each authorization it executes")


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """Whose word an internal transfer is: nodes ran the transaction again; no root or balance shows the other side."""

    method: Code
    """The tracer: `call-tracer` or `trace-block`."""
    evidence: AnchorEvidence
    """`agreed` where nodes of two operators or more traced the same, else `single`."""
    witnesses: tuple[WitnessRecord, ...]
    """Every node that gave this trace."""

    def __post_init__(self) -> None:
        if not self.witnesses:
            raise InvalidValue("a trace names the node that gave it")


@dataclass(frozen=True, slots=True)
class TransferRecord:
    """One movement of one asset into or out of a wallet, and what became of the match where one is due."""

    chain_id: ChainId
    height: int
    block_hash: BlockHash
    block_time: datetime
    tx_id: Identifier
    index: BaseUnits
    """Log index for tokens, 0 for a top-level value, -1 for the fee. Signed, hence a string."""
    kind: TransferKind
    asset_id: AssetId
    sender: Address | None
    receiver: Address | None
    base_units: BaseUnits
    outcome: Outcome | None
    """null for a movement that needs no authorization: incoming, and fees."""
    authorization_id: OptionalIdentifier
    """The first authorization it executes, or the nearest to it; empty when there is none."""
    uses: tuple[UseRecord, ...]
    """The authorizations it executes; what it takes from each adds up to its amount."""
    commingling: bool
    for_review: bool
    reason: PlainText
    trace: TraceRecord | None
    """Who saw it inside a transaction; null exactly for movements that the chain itself records."""

    def __post_init__(self) -> None:
        if (self.kind is TransferKind.INTERNAL) != (self.trace is not None):
            raise InvalidValue("an internal transfer, and no other, says who traced it")
        if self.base_units < 0:
            raise InvalidValue("a transfer moves zero or more")
        if self.sender is None and self.receiver is None:
            raise InvalidValue("a transfer has a sender or a receiver")
        if self.uses and self.outcome not in (Outcome.MATCHED, Outcome.FEE_OVER_LIMIT):
            raise InvalidValue("only a matched transfer executes authorizations")
        if self.uses and sum(use.base_units for use in self.uses) != self.base_units:
            raise InvalidValue("what a transfer takes from its authorizations is not its amount")
        if len({use.authorization_id for use in self.uses}) < len(self.uses):
            raise InvalidValue("a transfer takes from an authorization once")
        if self.uses and self.uses[0].authorization_id != self.authorization_id:
            raise InvalidValue("a matched transfer names the first authorization it executes")


@dataclass(frozen=True, slots=True)
class AuthorizationRecord:
    """Approval of an outgoing transfer."""

    authorization_id: Identifier
    chain_id: ChainId
    wallet: Address
    asset_id: AssetId
    base_units_max: BaseUnits
    destination: Address
    fee_max: BaseUnits | None
    valid_from: datetime
    valid_until: datetime
    purpose: Code
    requested_by: PlainText
    approved_by: PlainText
    approved_at: datetime
    reference: PlainText
    client_id: OptionalIdentifier

    def __post_init__(self) -> None:
        if self.base_units_max <= 0:
            raise InvalidValue("an authorization allows a positive quantity")
        if self.valid_until <= self.valid_from:
            raise InvalidValue("valid_until is not after valid_from")
        require_two_people(self.requested_by, self.approved_by)


@dataclass(frozen=True, slots=True)
class CoverRecord:
    """A holding that a case speaks of."""

    location: LocationId
    asset_id: AssetId


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """One discrepancy that somebody owns."""

    case_id: Identifier
    kind: Code
    status: CaseStatus
    rail: Rail
    location: LocationId
    """A wallet, a pool, or the chain itself for cases shared by many small deposits."""
    asset_id: AssetId | None
    base_units: BaseUnits | None
    opened_at: datetime
    text: PlainText
    tx_ids: tuple[Identifier, ...]
    height: int | None
    block_hash: BlockHash | None
    covers: tuple[CoverRecord, ...]
    """The reconciled holdings it stands for: one, or many where small deposits or failed reads share a case.

    A surplus of the asset's dust limit or more is not covered by a case whose location is the whole chain.
    """
    maker: PlainText
    """Who proposed the resolution that waits or was approved; empty where none was."""
    proposed_at: datetime | None
    checkers: tuple[PlainText, ...]
    """Who approved it, two where the firm asks for two; none in a case that the machine withdrew."""
    decided_at: datetime | None

    def __post_init__(self) -> None:
        proposed, decided = self.proposed_at is not None, self.decided_at is not None
        if proposed != bool(self.maker) or decided != bool(self.checkers):
            raise InvalidValue("a proposal has a maker and a time, a decision checkers and a time")
        if self.status is CaseStatus.PROPOSED and (decided or not proposed):
            raise InvalidValue("a proposed case has a proposal, and no decision yet")
        if self.status is CaseStatus.OPEN and (decided or proposed):
            raise InvalidValue("an open case has neither proposal nor decision that stands")
        if decided and not proposed:
            raise InvalidValue("nobody decides what was not proposed")
        for checker in self.checkers:
            require_two_people(self.maker, checker)
        if len({" ".join(each.split()).casefold() for each in self.checkers}) < len(self.checkers):
            raise InvalidValue("one person approved it twice")
        if self.proposed_at is not None and self.proposed_at < self.opened_at:
            raise InvalidValue("it was proposed before it was opened")
        if self.decided_at is not None and self.proposed_at is not None and self.decided_at < self.proposed_at:
            raise InvalidValue("it was decided before it was proposed")

    @property
    def seconds_to_decision(self) -> int | None:
        """Whole seconds from the proposal to its approval; None where nobody approved."""
        if self.decided_at is None or self.proposed_at is None:
            return None
        return int((self.decided_at - self.proposed_at).total_seconds())

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to act."""
        return self.status is not CaseStatus.CLOSED


@dataclass(frozen=True, slots=True)
class WitnessRecord:
    """A node that vouched for something: the pinned block's hash, or a trace."""

    node_id: Identifier
    operator: PlainText


@dataclass(frozen=True, slots=True)
class SweepRecord:
    """One finished sweep of one chain at one block."""

    sweep_id: Identifier
    chain_id: ChainId
    height: int
    block_hash: BlockHash
    parent_hash: BlockHash
    block_time: datetime
    finality: PlainText
    header_checked: bool
    witnesses: tuple[WitnessRecord, ...]
    """Every node that gave this block hash; an anchor of `agreed` needs two operators among them."""
    expected: int
    matched: int
    diverged: int
    unverified: int
    coverage_first: int | None
    """First height of the contiguous blocks scanned for transfers up to the pin; null when none was scanned."""
    coverage_last: int | None
    started_at: datetime
    finished_at: datetime

    def __post_init__(self) -> None:
        Finality.parse(self.finality)
        if (self.coverage_first is None) != (self.coverage_last is None):
            raise InvalidValue("coverage has both heights or none")
        if (
            self.coverage_first is not None
            and self.coverage_last is not None
            and self.coverage_first > self.coverage_last
        ):
            raise InvalidValue("coverage ends before it begins")


@dataclass(frozen=True, slots=True)
class JournalHeadRecord:
    """The last entry of the firm's hash-chained journal when the bundle was made."""

    sequence: int
    entry_digest: Digest

    def __post_init__(self) -> None:
        if self.sequence < 1:
            raise InvalidValue("a journal sequence counts from 1")


RECORD_TYPES: Final[dict[str, type]] = {
    "acceptances": AcceptanceRecord,
    "allocations": AllocationRecord,
    "assets": AssetRecord,
    "authorizations": AuthorizationRecord,
    "balances": BalanceRecord,
    "bitcoin_headers": BitcoinHeadersRecord,
    "bitcoin_inclusions": BitcoinInclusionRecord,
    "bitcoin_outputs": BitcoinOutputRecord,
    "bitcoin_transactions": BitcoinTransactionRecord,
    "cases": CaseRecord,
    "control_reviews": ControlReviewRecord,
    "controls": ControlStateRecord,
    "grants": GrantRecord,
    "imported_evidence": ImportedEvidenceRecord,
    "inclusion_statements": InclusionStatement,
    "key_challenges": KeyChallengeRecord,
    "key_proofs": KeyProofRecord,
    "liabilities": LiabilityRecord,
    "liability_roots": LiabilityRootRecord,
    "liability_totals": LiabilityTotalRecord,
    "node_answers": NodeAnswerRecord,
    "pools": PoolRecord,
    "possession_reviews": PossessionReviewRecord,
    "proof_gaps": ProofGapRecord,
    "proof_headers": ProofHeaderRecord,
    "proof_nodes": ProofNodeRecord,
    "reconciliations": ReconciliationRecord,
    "reserve_computations": ReserveComputationRecord,
    "reserve_positions": ReservePositionRecord,
    "restrictions": RestrictionRecord,
    "securities_runs": SecuritiesRunRecord,
    "superseded_bundles": SupersededBundleRecord,
    "sweeps": SweepRecord,
    "token_layouts": TokenLayoutRecord,
    "transaction_proofs": TransactionProofRecord,
    "transfers": TransferRecord,
    "wallets": WalletRecord,
}
"""The member kinds of format version 1. All of them are always present, empty or not.

Later versions may add kinds; a reader refuses a version it does not know, so that nothing signed is ever skipped in
silence.
"""

PROOF_KINDS: Final = frozenset(
    {"bitcoin_headers", "bitcoin_transactions", "node_answers", "proof_headers", "proof_nodes", "transaction_proofs"}
)
"""Kinds that stand in the folder `proofs/` and not in `records/`: bytes that prove records."""
