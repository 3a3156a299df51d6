"""The records of a bundle, read strictly: canonical lines, ascending, of the schema, and of the signed digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from chains.types import ChainId
from exports.acceptances import AcceptanceRecord
from exports.answer_records import NodeAnswerRecord
from exports.canonical import parse_canonical_object
from exports.codec import from_object
from exports.control_records import (
    ControlReviewRecord,
    ControlStateRecord,
    GrantRecord,
    KeyChallengeRecord,
    KeyProofRecord,
    RestrictionRecord,
)
from exports.errors import BundleError, ContainerInvalid, NotCanonical
from exports.inclusion import InclusionStatement
from exports.liability_records import LiabilityRecord, LiabilityRootRecord, LiabilityTotalRecord
from exports.manifest import LINE_BYTES_MAX, Manifest, Member
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
from exports.records import (
    RECORD_TYPES,
    AllocationRecord,
    AssetRecord,
    AuthorizationRecord,
    BalanceRecord,
    CaseRecord,
    PoolRecord,
    ReconciliationRecord,
    SweepRecord,
    TransferRecord,
    WalletRecord,
)
from exports.reserve_records import ReserveComputationRecord, ReservePositionRecord
from exports.securities_records import SecuritiesRunRecord
from exports.strictzip import StrictZip
from exports.superseded import SupersededBundleRecord
from exports.table_lines import TableDigest


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """How much of a bundle's content a reader is willing to hold."""

    line_bytes_max: int = LINE_BYTES_MAX
    records_max: int = 5_000_000
    problems_max: int = 1_000
    """Reading a member stops after this many bad records."""


@dataclass(frozen=True, slots=True)
class Contents:
    """Every record of a bundle, by kind, in the file's order."""

    manifest: Manifest
    acceptances: tuple[AcceptanceRecord, ...]
    allocations: tuple[AllocationRecord, ...]
    assets: tuple[AssetRecord, ...]
    authorizations: tuple[AuthorizationRecord, ...]
    balances: tuple[BalanceRecord, ...]
    bitcoin_headers: tuple[BitcoinHeadersRecord, ...]
    bitcoin_inclusions: tuple[BitcoinInclusionRecord, ...]
    bitcoin_outputs: tuple[BitcoinOutputRecord, ...]
    bitcoin_transactions: tuple[BitcoinTransactionRecord, ...]
    cases: tuple[CaseRecord, ...]
    control_reviews: tuple[ControlReviewRecord, ...]
    controls: tuple[ControlStateRecord, ...]
    grants: tuple[GrantRecord, ...]
    imported_evidence: tuple[ImportedEvidenceRecord, ...]
    inclusion_statements: tuple[InclusionStatement, ...]
    key_challenges: tuple[KeyChallengeRecord, ...]
    key_proofs: tuple[KeyProofRecord, ...]
    liabilities: tuple[LiabilityRecord, ...]
    liability_roots: tuple[LiabilityRootRecord, ...]
    liability_totals: tuple[LiabilityTotalRecord, ...]
    node_answers: tuple[NodeAnswerRecord, ...]
    pools: tuple[PoolRecord, ...]
    possession_reviews: tuple[PossessionReviewRecord, ...]
    proof_gaps: tuple[ProofGapRecord, ...]
    proof_headers: tuple[ProofHeaderRecord, ...]
    proof_nodes: tuple[ProofNodeRecord, ...]
    reconciliations: tuple[ReconciliationRecord, ...]
    reserve_computations: tuple[ReserveComputationRecord, ...]
    reserve_positions: tuple[ReservePositionRecord, ...]
    restrictions: tuple[RestrictionRecord, ...]
    securities_runs: tuple[SecuritiesRunRecord, ...]
    superseded_bundles: tuple[SupersededBundleRecord, ...]
    sweeps: tuple[SweepRecord, ...]
    token_layouts: tuple[TokenLayoutRecord, ...]
    transaction_proofs: tuple[TransactionProofRecord, ...]
    transfers: tuple[TransferRecord, ...]
    wallets: tuple[WalletRecord, ...]
    opened: tuple[str, ...] = ()
    """Kinds that the file itself only commits to, and that the reader was shown beside it."""

    def sweep_of(self, chain_id: ChainId) -> SweepRecord | None:
        """The sweep of a chain; a bundle holds at most one for each (check 6)."""
        return next((sweep for sweep in self.sweeps if sweep.chain_id == chain_id), None)


def split_lines(chunks: Iterable[bytes], line_bytes_max: int) -> Iterator[bytes]:
    """Lines without their line feed. Raises `ContainerInvalid` for one too long or a last one without line feed."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if len(line) > line_bytes_max:
                raise ContainerInvalid(f"a line is longer than {line_bytes_max} bytes")
            yield line
        if len(rest) > line_bytes_max:
            raise ContainerInvalid(f"a line is longer than {line_bytes_max} bytes")
    if rest:
        raise ContainerInvalid("the last line does not end with a line feed")


def read_member(
    container: StrictZip, member: Member, limits: ReadLimits, table: TableDigest | None = None
) -> tuple[list[object], list[str]]:
    """The records of one member, and every problem found with its name and line.

    `table` is given each record on the way, so that no second reading is needed to say what its table must be.
    """
    records: list[object] = []
    problems: list[str] = []
    digest = hashlib.sha256()

    def hashed() -> Iterator[bytes]:
        for chunk in container.chunks(member.name):
            digest.update(chunk)
            yield chunk

    record_type = RECORD_TYPES[member.kind]
    previous = b""
    try:
        for number, line in enumerate(split_lines(hashed(), limits.line_bytes_max), start=1):
            if number > limits.records_max or len(problems) >= limits.problems_max:
                raise ContainerInvalid(f"more than {limits.records_max} records, or too many problems")
            if line <= previous:
                problems.append(f"{member.name}:{number}: given twice, or not in ascending order")
            previous = line
            try:
                value = parse_canonical_object(line)
                records.append(from_object(record_type, value))
                if table is not None:
                    table.add(value)
            except BundleError as error:
                problems.append(f"{member.name}:{number}: {error}")
    except (ContainerInvalid, NotCanonical) as error:
        problems.append(f"{member.name}: {error}")
    if not problems:
        if len(records) != member.records:
            problems.append(f"{member.name}: {len(records)} records, the manifest says {member.records}")
        # The same bytes that were parsed, so that a file changed under the reader's hands is noticed.
        if digest.hexdigest() != member.sha256:
            problems.append(f"{member.name}: changed while it was read")
    return records, problems
