"""A bundle: the records of one as-of moment under one signed manifest, in one file.

The same records and manifest fields give the same unsigned bytes, on any machine: records are canonical JSON
lines in ascending order, members have fixed names, the container has one layout. Signatures lie outside the
manifest and so outside the bundle's digest.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections import ChainMap
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from exports.acceptances import AcceptanceRecord
from exports.answer_records import NodeAnswerRecord
from exports.canonical import canonical_record
from exports.codec import to_object
from exports.control_records import (
    ControlReviewRecord,
    ControlStateRecord,
    GrantRecord,
    KeyChallengeRecord,
    KeyProofRecord,
    RestrictionRecord,
)
from exports.errors import BundleError, BundleNotWritten, RecordInvalid
from exports.inclusion import InclusionStatement
from exports.liability_records import LiabilityRecord, LiabilityRootRecord, LiabilityTotalRecord
from exports.manifest import (
    ADDITION_BYTES_MAX,
    ANSWER_FOLDER,
    FORMAT,
    FORMAT_VERSION,
    LINE_BYTES_MAX,
    MANIFEST_BYTES_MAX,
    MANIFEST_NAME,
    FileMember,
    Manifest,
    Member,
    Scope,
    Withheld,
    digest_hex,
    is_addition,
    member_name,
)
from exports.member_spool import MemberSpool
from exports.output_records import (
    BitcoinHeadersRecord,
    BitcoinInclusionRecord,
    BitcoinOutputRecord,
    BitcoinTransactionRecord,
)
from exports.outside_records import ImportedEvidenceRecord
from exports.possession_records import PossessionReviewRecord
from exports.profiles import Disclosure, Profile, full_disclosure
from exports.proof_records import (
    ProofGapRecord,
    ProofHeaderRecord,
    ProofNodeRecord,
    TokenLayoutRecord,
    TransactionProofRecord,
)
from exports.records import (
    PROOF_KINDS,
    RECORD_TYPES,
    AllocationRecord,
    AssetRecord,
    AuthorizationRecord,
    BalanceRecord,
    CaseRecord,
    FirmRecord,
    JournalHeadRecord,
    PoolRecord,
    ReconciliationRecord,
    SweepRecord,
    TransferRecord,
    WalletRecord,
)
from exports.reserve_records import ReserveComputationRecord, ReservePositionRecord
from exports.securities_records import SecuritiesRunRecord
from exports.strictzip import StrictZip, ZipLimits, write_zip
from exports.superseded import SupersededBundleRecord
from exports.table_lines import MadeTable, header_line, table_line
from exports.views import PACKAGE_NAME, table_name, view_members

if TYPE_CHECKING:
    from securesystemslib.signer import Signer  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything that goes into a bundle, in memory. The order within a kind does not matter."""

    bundle_id: str
    sequence: int
    """1 for the firm's first bundle, then one more each."""
    previous_digest: str | None
    """Digest of the previous bundle; None for the first."""
    firm: FirmRecord
    as_of: datetime
    created_at: datetime
    """Chosen once and kept for a retry: it is part of what is signed."""
    as_of_skew_seconds_max: int
    journal: JournalHeadRecord
    scope_text: str
    withheld: tuple[Withheld, ...] = ()
    profile: Profile = Profile.FULL
    subject: str = ""
    """Whose own bundle it is; empty for one that is not one client's."""
    full_digest: str | None = None
    """Digest of the full bundle it was made from; None for a full one."""
    disclosure: tuple[Disclosure, ...] = ()
    """What is here of each kind, in the order of the members; empty for a full one, where it follows."""
    assets: Sequence[AssetRecord] = ()
    wallets: Sequence[WalletRecord] = ()
    pools: Sequence[PoolRecord] = ()
    balances: Sequence[BalanceRecord] = ()
    bitcoin_headers: Sequence[BitcoinHeadersRecord] = ()
    bitcoin_inclusions: Sequence[BitcoinInclusionRecord] = ()
    bitcoin_outputs: Sequence[BitcoinOutputRecord] = ()
    bitcoin_transactions: Sequence[BitcoinTransactionRecord] = ()
    allocations: Sequence[AllocationRecord] = ()
    reconciliations: Sequence[ReconciliationRecord] = ()
    transfers: Sequence[TransferRecord] = ()
    authorizations: Sequence[AuthorizationRecord] = ()
    cases: Sequence[CaseRecord] = ()
    sweeps: Sequence[SweepRecord] = ()
    control_reviews: Sequence[ControlReviewRecord] = ()
    controls: Sequence[ControlStateRecord] = ()
    grants: Sequence[GrantRecord] = ()
    imported_evidence: Sequence[ImportedEvidenceRecord] = ()
    inclusion_statements: Sequence[InclusionStatement] = ()
    key_challenges: Sequence[KeyChallengeRecord] = ()
    key_proofs: Sequence[KeyProofRecord] = ()
    restrictions: Sequence[RestrictionRecord] = ()
    acceptances: Sequence[AcceptanceRecord] = ()
    liabilities: Sequence[LiabilityRecord] = ()
    reserve_computations: Sequence[ReserveComputationRecord] = ()
    reserve_positions: Sequence[ReservePositionRecord] = ()
    possession_reviews: Sequence[PossessionReviewRecord] = ()
    securities_runs: Sequence[SecuritiesRunRecord] = ()
    superseded_bundles: Sequence[SupersededBundleRecord] = ()
    liability_roots: Sequence[LiabilityRootRecord] = ()
    liability_totals: Sequence[LiabilityTotalRecord] = ()
    node_answers: Sequence[NodeAnswerRecord] = ()
    answers: Mapping[str, bytes] = field(default_factory=dict)
    """What `node_answers` name: exchanges with nodes by their SHA-256 (`chains.kept_answers`)."""
    proof_gaps: Sequence[ProofGapRecord] = ()
    proof_headers: Sequence[ProofHeaderRecord] = ()
    proof_nodes: Sequence[ProofNodeRecord] = ()
    token_layouts: Sequence[TokenLayoutRecord] = ()
    transaction_proofs: Sequence[TransactionProofRecord] = ()


@dataclass(frozen=True, slots=True)
class WrittenBundle:
    """What was written: the figures to journal and to tell the auditor by another way."""

    path: Path
    digest: str
    """SHA-256 of the manifest bytes. The next bundle names it as its previous digest."""
    manifest: Manifest
    size_bytes: int
    signed_by: tuple[str, ...]
    """Key ids, ascending."""
    liabilities_root: str | None
    """What clients' inclusion statements lead to; to be published. None for a bundle without liabilities."""


def record_lines(records: Iterable[object]) -> bytes:
    """Canonical JSON lines in ascending order. Raises `RecordInvalid` for one too long or given twice."""
    lines = sorted([canonical_record(to_object(record)) + b"\n" for record in records])
    _require_lines(lines)
    return b"".join(lines)


def lines_and_table(kind: str, records: Iterable[object]) -> tuple[bytes, bytes]:
    """The lines of `record_lines`, and the kind's table, whose rows follow each other as the lines do."""
    made = []
    for record in records:
        value = to_object(record)
        # No object's text begins another's, so the line ends do not change the order.
        made.append((canonical_record(value) + b"\n", table_line(kind, value)))
    made.sort()
    lines = [line for line, _ in made]
    _require_lines(lines)
    rows = [row for _, row in made]
    return b"".join(lines), b"".join([header_line(kind), *rows])


def _require_lines(lines: Sequence[bytes]) -> None:
    before = b""
    for line in lines:
        if len(line) > LINE_BYTES_MAX + 1:  # the line end is not counted
            raise RecordInvalid(f"a record is longer than {LINE_BYTES_MAX} bytes")
        if before == line:
            raise RecordInvalid("the same record is given twice")
        before = line


Payload = tuple[Manifest, MutableMapping[str, bytes]]
"""A bundle's manifest and the content of every unsigned member by its name."""


def payload_members(bundle: Bundle) -> tuple[Manifest, dict[str, bytes]]:
    """The manifest and the content of every unsigned member, the manifest included."""
    contents: dict[str, bytes] = {}
    return _fill(bundle, contents), contents


def spooled_members(bundle: Bundle, folder: Path | None = None) -> Payload:
    """The same, in a temporary file in the folder. Raises `BundleNotWritten` when there is no room for it."""
    contents = MemberSpool(folder)
    try:
        return _fill(bundle, contents), contents
    except OSError as error:
        raise BundleNotWritten(f"temporary file: {error.strerror or type(error).__name__}") from error


def _fill(bundle: Bundle, contents: MutableMapping[str, bytes]) -> Manifest:
    """Make every unsigned member, and return the manifest."""
    tables: dict[str, MadeTable] = {}
    members: list[Member] = []
    for kind in sorted(RECORD_TYPES, key=member_name):
        records = getattr(bundle, kind)
        if wrong := [record for record in records if type(record) is not RECORD_TYPES[kind]]:
            raise RecordInvalid(f"{kind} holds a {type(wrong[0]).__name__}")
        if kind in PROOF_KINDS:
            data = record_lines(records)
        else:
            data, table = lines_and_table(kind, records)
            contents[table_name(kind)] = table
            tables[kind] = MadeTable(len(table), digest_hex(table))
        name = member_name(kind)
        contents[name] = data
        members.append(Member(name, kind, len(records), len(data), digest_hex(data)))
    manifest = Manifest(
        format=FORMAT,
        format_version=FORMAT_VERSION,
        bundle_id=bundle.bundle_id,
        sequence=bundle.sequence,
        previous_digest=bundle.previous_digest,
        firm=bundle.firm,
        as_of=bundle.as_of,
        created_at=bundle.created_at,
        as_of_skew_seconds_max=bundle.as_of_skew_seconds_max,
        journal=bundle.journal,
        scope=Scope(
            rails=tuple(sorted({record.rail for record in bundle.reconciliations})),
            chains=tuple(sorted({sweep.chain_id for sweep in bundle.sweeps})),
            text=bundle.scope_text,
        ),
        withheld=tuple(bundle.withheld),
        profile=bundle.profile,
        subject=bundle.subject,
        full_digest=bundle.full_digest,
        disclosure=bundle.disclosure or full_disclosure({member.kind: member.records for member in members}),
        members=tuple(members),
        files=(),
    )
    package, files = view_members(manifest, tables)
    for name in sorted(set(map(table_name, tables)) - {file.name for file in files}):
        del contents[name]  # the profile shows nothing of this kind
    beside = {PACKAGE_NAME: package, **{ANSWER_FOLDER + digest: data for digest, data in bundle.answers.items()}}
    for name, data in beside.items():
        contents[name] = data
        if name != PACKAGE_NAME:
            files.append(FileMember(name, len(data), digest_hex(data)))
    manifest = replace(manifest, files=tuple(sorted(files, key=lambda file: file.name)))
    contents[MANIFEST_NAME] = manifest.to_bytes()
    return manifest


def bundle_digest(bundle: Bundle, payload: Payload | None = None) -> str:
    """The digest the bundle will have, before it is signed or written; `payload` as for `write_bundle`."""
    return digest_hex((payload or spooled_members(bundle))[1][MANIFEST_NAME])


def digest_of_file(path: Path) -> str | None:
    """The digest a bundle's file states by its manifest, unverified; None for anything that is no bundle."""
    try:
        with path.open("rb") as file:
            return digest_hex(StrictZip(file, ZipLimits()).read(MANIFEST_NAME, MANIFEST_BYTES_MAX))
    except (OSError, BundleError, KeyError):
        return None


def write_bundle(
    bundle: Bundle, signers: Sequence[Signer], path: Path, payload: Payload | None = None
) -> WrittenBundle:
    """Sign and write a bundle; the file appears whole or not at all. `payload` is what was made of this bundle before.

    Every signer signs before anything is written, so a signer that is down leaves nothing behind. The file is
    written beside its place, flushed to the disk, renamed, and the folder flushed. Where the very same bundle is
    written again, what others added to it, signatures and time stamps, stays. Raises `SignerUnavailable`,
    `RecordInvalid`, `ContainerInvalid` and `BundleNotWritten`.
    """
    from exports.envelope import sign_manifest

    manifest, contents = payload or spooled_members(bundle)
    unsigned = contents[MANIFEST_NAME]
    envelopes = sign_manifest(unsigned, signers)
    size_bytes = write_whole(path, ChainMap(envelopes.members, contents, _additions(path, unsigned)))
    root = next((record.root for record in bundle.liability_roots), None)
    return WrittenBundle(path, digest_hex(unsigned), manifest, size_bytes, envelopes.key_ids, root)


def _additions(path: Path, manifest: bytes) -> dict[str, bytes]:
    """Signatures and time stamps of the same bundle that stands at this path already; nothing of any other file."""
    try:
        with path.open("rb") as file:
            container = StrictZip(file, ZipLimits())
            if container.read(MANIFEST_NAME, MANIFEST_BYTES_MAX) != manifest:
                return {}
            names = [name for name in container.entries if is_addition(name)]
            return {name: container.read(name, ADDITION_BYTES_MAX) for name in names}
    except (OSError, BundleError, KeyError):
        return {}


def write_whole(path: Path, contents: Mapping[str, bytes]) -> int:
    """Write a container in one step, durably, and return its size. Raises `BundleNotWritten`."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.partial")
    try:
        # O_EXCL: a name somebody prepared, or a link, is never written through.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        try:
            with os.fdopen(descriptor, "wb") as file:
                write_zip(file, contents)
                file.flush()
                os.fsync(file.fileno())
                size_bytes = file.tell()
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise BundleNotWritten(f"{path.name}: {error.strerror or type(error).__name__}") from error
    return size_bytes


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable; a system without folder handles has nothing to flush."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
