"""A small bundle with one of everything: two wallets, a pool, a match, a shortfall, a failed read, four transfers."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from securesystemslib.signer import Signer  # type: ignore[attr-defined]

from chains.errors import InvalidValue
from chains.evm.addresses import checksum_address
from chains.evm.encumbrance_types import PERMIT2_ADDRESS, AccountRole, GrantKind
from chains.types import (
    Address,
    AnchorEvidence,
    AssetId,
    ChainId,
    LocationId,
    ReadStatus,
    StateEvidence,
    TransferKind,
    account_location,
)
from exports.bundle import Bundle, payload_members, write_bundle
from exports.canonical import canonical_json, parse_canonical
from exports.control_records import (
    ControlReviewRecord,
    ControlStateRecord,
    FactRecord,
    GrantRecord,
    ReviewStatus,
)
from exports.envelope import sign_manifest
from exports.errors import BundleError
from exports.keys import create_key_pair, load_signer
from exports.liabilities import LiabilityContext
from exports.liability_checks import Moment, make_liabilities
from exports.manifest import MANIFEST_NAME, VIEW_FOLDER, Manifest, Withheld, digest_hex, member_name
from exports.records import (
    AccountClass,
    AllocationRecord,
    AssetRecord,
    AuthorizationRecord,
    BalanceRecord,
    CaseRecord,
    CaseStatus,
    CoverRecord,
    FirmRecord,
    JournalHeadRecord,
    Outcome,
    PoolRecord,
    Rail,
    ReconciliationRecord,
    ShareHolder,
    StatementRecord,
    Status,
    SweepRecord,
    TransferRecord,
    UseRecord,
    WalletRecord,
    WitnessRecord,
)
from exports.strictzip import write_zip
from exports.table_lines import KINDS, header_line, table_line
from exports.trust import TrustedKeys, trusted_key, trusted_keys
from exports.verdict import Check, CheckStatus, VerificationReport
from exports.verify import verify_bundle
from exports.views import packaged

CHAIN = ChainId("eip155:31337")
OMNIBUS, SEGREGATED, POOLED_A, POOLED_B, OUTSIDE = (checksum_address(bytes([n]) * 20) for n in (1, 2, 3, 4, 0xAB))
ETH = AssetId("eip155:31337/slip44:60")
USD = AssetId("eip155:31337/erc20:" + checksum_address(bytes([0xC0]) * 20))
POOL = LocationId("pool:main")
BLOCK_TIME = datetime(2026, 1, 31, 23, 59, 48, tzinfo=UTC)
CREATED = datetime(2026, 2, 1, 0, 5, tzinfo=UTC)
NOW = datetime(2026, 2, 2, tzinfo=UTC)
BLOCK_HASH, PARENT_HASH = "0x" + "aa" * 32, "0x" + "bb" * 32
SWEEP_ID = "sweep-1"


def wallet(address: Address, structure: str = "omnibus") -> WalletRecord:
    return WalletRecord(
        chain_id=CHAIN,
        address=address,
        structure=structure,
        titling="Example Securities LLC for the exclusive benefit of customers",
        custodian="Example Custody",
        mpc_vault="vault-1",
        key_scheme="mpc-cmp-ecdsa",
        threshold=2,
        share_count=3,
        share_holders=(ShareHolder("firm", 2), ShareHolder("custodian", 1)),
        firm_alone_can_sign=True,
        others_can_sign_without_firm=False,
        opened_on=date(2025, 1, 2),
        closed_on=None,
        gas_float_limit=10**17,
    )


def balance(address: Address, asset_id: AssetId, base_units: int | None) -> BalanceRecord:
    return BalanceRecord(
        sweep_id=SWEEP_ID,
        chain_id=CHAIN,
        address=address,
        asset_id=asset_id,
        base_units=base_units,
        status=ReadStatus.FAILED if base_units is None else ReadStatus.OK,
        reason="malformed-answer: 64 bytes instead of 32" if base_units is None else "",
        height=100,
        block_hash=BLOCK_HASH,
        parent_hash=PARENT_HASH,
        block_time=BLOCK_TIME,
        finality="finalized",
        method="batch",
        node_id="node-a",
        operator="Operator A",
        state=StateEvidence.READ,
        anchor=AnchorEvidence.SINGLE,
        grade=StateEvidence.READ,
        header_checked=True,
    )


def reconciliation(
    location: LocationId, asset_id: AssetId, claimed: int, observed: int | None, status: Status, **changes: Any
) -> ReconciliationRecord:
    record = ReconciliationRecord(
        sweep_id=SWEEP_ID,
        rail=Rail.DIGITAL,
        location=location,
        asset_id=asset_id,
        claimed=claimed,
        gas_float_recorded=0,
        gas_float_observed=0,
        observed=observed,
        difference=None if observed is None else observed - claimed,
        status=status,
        reason="malformed-answer: 64 bytes instead of 32" if status is Status.UNVERIFIED else "",
        claimed_as_of=BLOCK_TIME,
        known_at=CREATED,
        observed_as_of=BLOCK_TIME,
        statement=None,
    )
    return replace(record, **changes)


def transfer(tx_id: str, kind: TransferKind, base_units: int, **changes: Any) -> TransferRecord:
    record = TransferRecord(
        chain_id=CHAIN,
        height=90,
        block_hash="0x" + "cc" * 32,
        block_time=BLOCK_TIME - timedelta(minutes=2),
        tx_id=tx_id,
        index=0,
        kind=kind,
        asset_id=USD,
        sender=OMNIBUS,
        receiver=OUTSIDE,
        base_units=base_units,
        outcome=None,
        authorization_id="",
        uses=(),
        commingling=False,
        for_review=False,
        reason="",
        trace=None,
    )
    return replace(record, **changes)


def case(case_id: str, kind: str, location: LocationId, asset_id: AssetId, **changes: Any) -> CaseRecord:
    record = CaseRecord(
        case_id=case_id,
        kind=kind,
        status=CaseStatus.OPEN,
        rail=Rail.DIGITAL,
        location=location,
        asset_id=asset_id,
        base_units=None,
        opened_at=CREATED,
        text="See the reconciliation.",
        tx_ids=(),
        height=100,
        block_hash=BLOCK_HASH,
        covers=(CoverRecord(location, asset_id),),
        maker="",
        proposed_at=None,
        checkers=(),
        decided_at=None,
    )
    return replace(record, **changes)


def allocation(client: str, location: LocationId, asset_id: AssetId, base_units: int) -> AllocationRecord:
    return AllocationRecord(client, AccountClass.CUSTOMER, location, asset_id, base_units, is_gas_float=False)


def control(address: Address, **facts: str) -> ControlStateRecord:
    """A wallet with a key, unless told otherwise."""
    said = {"account_kind": "key", "code_hash": "none", **facts}
    named = tuple(FactRecord(name, text) for name, text in sorted(said.items()))
    return ControlStateRecord(SWEEP_ID, CHAIN, address, AccountRole.WALLET, named, (), 3)


def review(wallets: int, grants: int = 0) -> ControlReviewRecord:
    """Who else could move it was asked for all wallets."""
    return ControlReviewRecord(
        sweep_id=SWEEP_ID, chain_id=CHAIN, status=ReviewStatus.ANSWERED, reason="", node_id="node-a",
        permit2=PERMIT2_ADDRESS, approvals_first=0, approvals_last=100, approvals_late=0, wallets_asked=wallets,
        pairs_asked=wallets + grants, restrictions_asked=0, grants=grants, controls=wallets, restrictions=0, accepted=0,
    )  # fmt: skip


FIRM_SECRET = bytes(range(100, 132))
"""What the sample firm salts its liabilities with."""


def with_liabilities(bundle: Bundle) -> Bundle:
    """The bundle with the trees that its own allocations and reconciliations make."""
    moment = Moment(LiabilityContext(bundle.firm.name, bundle.bundle_id, bundle.as_of), bundle.as_of_skew_seconds_max)
    made = make_liabilities(bundle.assets, bundle.allocations, bundle.reconciliations, moment, FIRM_SECRET)
    return replace(
        bundle,
        liabilities=made.liabilities,
        liability_totals=made.liability_totals,
        liability_roots=made.liability_roots,
    )


def sample_bundle() -> Bundle:
    """Six reconciliations: four matched (one of a pool, one with gas float and statement), one short, one unread."""
    omnibus, segregated = account_location(CHAIN, OMNIBUS), account_location(CHAIN, SEGREGATED)
    statement = StatementRecord(1_000 * 10**6, BLOCK_TIME, "Example Custody", "st-1", Status.MATCHED, "")
    bundle = Bundle(
        bundle_id="bundle-0001",
        sequence=1,
        previous_digest=None,
        firm=FirmRecord("Example Securities LLC", "CRD-000000"),
        as_of=BLOCK_TIME,
        created_at=CREATED,
        as_of_skew_seconds_max=900,
        journal=JournalHeadRecord(42, "0" * 63 + "7"),
        scope_text="Customer digital assets of Example Securities LLC",
        withheld=(Withheld("client names", "clients appear by id"),),
        assets=(
            AssetRecord(ETH, "ETH", 18, "non_security_crypto", date(2025, 1, 2), "memo-1", 10**12),
            AssetRecord(USD, "USDX", 6, "payment_stablecoin", date(2025, 1, 2), "memo-2", 10**4),
        ),
        wallets=(wallet(OMNIBUS), wallet(SEGREGATED, "fully_segregated"), wallet(POOLED_A), wallet(POOLED_B)),
        pools=(
            PoolRecord("main", CHAIN, POOLED_A, date(2025, 1, 2), None),
            PoolRecord("main", CHAIN, POOLED_B, date(2025, 1, 2), None),
        ),
        balances=(
            balance(OMNIBUS, ETH, 3 * 10**18 + 10**16),
            balance(OMNIBUS, USD, 1_000 * 10**6),
            balance(SEGREGATED, ETH, 2 * 10**18),
            balance(SEGREGATED, USD, None),
            balance(POOLED_A, ETH, 5),
            balance(POOLED_B, ETH, 7),
            balance(POOLED_A, USD, 0),
            balance(POOLED_B, USD, 90 * 10**6),
        ),
        allocations=(
            allocation("client-1", omnibus, ETH, 10**18),
            allocation("client-2", omnibus, ETH, 2 * 10**18),
            AllocationRecord("house", AccountClass.PROPRIETARY, omnibus, ETH, 2 * 10**16, is_gas_float=True),
            allocation("client-1", omnibus, USD, 400 * 10**6),
            allocation("client-2", omnibus, USD, 600 * 10**6),
            allocation("client-3", segregated, ETH, 2 * 10**18),
            allocation("client-3", segregated, USD, 50 * 10**6),
            allocation("client-1", POOL, ETH, 12),
            allocation("client-2", POOL, USD, 100 * 10**6),
        ),
        reconciliations=(
            reconciliation(
                omnibus,
                ETH,
                3 * 10**18,
                3 * 10**18 + 10**16,
                Status.MATCHED,
                gas_float_recorded=2 * 10**16,
                gas_float_observed=10**16,
                difference=0,
            ),
            reconciliation(omnibus, USD, 1_000 * 10**6, 1_000 * 10**6, Status.MATCHED, statement=statement),
            reconciliation(segregated, ETH, 2 * 10**18, 2 * 10**18, Status.MATCHED),
            reconciliation(segregated, USD, 50 * 10**6, None, Status.UNVERIFIED),
            reconciliation(POOL, ETH, 12, 12, Status.MATCHED),
            reconciliation(POOL, USD, 100 * 10**6, 90 * 10**6, Status.DIVERGED),
        ),
        transfers=(
            transfer(
                "0x" + "d1" * 32,
                TransferKind.TOKEN,
                25,
                outcome=Outcome.MATCHED,
                authorization_id="auth-1",
                uses=(UseRecord("auth-1", 25),),
            ),
            transfer("0x" + "d1" * 32, TransferKind.FEE, 21_000, index=-1, asset_id=ETH, receiver=None),
            transfer("0x" + "d2" * 32, TransferKind.TOKEN, 10 * 10**6, outcome=Outcome.UNAUTHORIZED, reason="none"),
            transfer("0x" + "d3" * 32, TransferKind.NATIVE, 9, asset_id=ETH, sender=OUTSIDE, receiver=SEGREGATED),
        ),
        authorizations=(
            AuthorizationRecord(
                authorization_id="auth-1",
                chain_id=CHAIN,
                wallet=OMNIBUS,
                asset_id=USD,
                base_units_max=25,
                destination=OUTSIDE,
                fee_max=30_000,
                valid_from=BLOCK_TIME - timedelta(hours=1),
                valid_until=BLOCK_TIME,
                purpose="client_withdrawal",
                requested_by="ops.maker",
                approved_by="ops.checker",
                approved_at=BLOCK_TIME - timedelta(hours=1),
                reference="ticket 17",
                client_id="client-1",
            ),
        ),
        cases=(
            case("case-1", "unverified", segregated, USD),
            case("case-2", "shortfall", POOL, USD, base_units=-10 * 10**6),
            case("case-3", "unauthorized_transfer", omnibus, USD, tx_ids=("0x" + "d2" * 32,)),
            case("case-4", "encumbrance", omnibus, USD, base_units=70, covers=()),
        ),
        sweeps=(
            SweepRecord(
                sweep_id=SWEEP_ID,
                chain_id=CHAIN,
                height=100,
                block_hash=BLOCK_HASH,
                parent_hash=PARENT_HASH,
                block_time=BLOCK_TIME,
                finality="finalized",
                header_checked=True,
                witnesses=(WitnessRecord("node-a", "Operator A"),),
                expected=6,
                matched=4,
                diverged=1,
                unverified=1,
                coverage_first=80,
                coverage_last=100,
                started_at=BLOCK_TIME + timedelta(seconds=20),
                finished_at=BLOCK_TIME + timedelta(seconds=40),
            ),
        ),
        control_reviews=(review(4, grants=1),),
        controls=tuple(control(each) for each in (OMNIBUS, SEGREGATED, POOLED_A, POOLED_B)),
        grants=(GrantRecord(SWEEP_ID, CHAIN, GrantKind.ALLOWANCE, OMNIBUS, USD, OUTSIDE, 70, None, 70, ""),),
    )
    return with_liabilities(bundle)


@dataclass(frozen=True)
class Firm:
    """A firm with one signing key, and what its auditor trusts."""

    signer: Signer
    trusted: TrustedKeys
    public_key_pem: str
    private_path: Path


def make_firm(folder: Path, name: str = "operations") -> Firm:
    private_path = folder / f"{name}.pem"
    public_key_pem = create_key_pair(private_path)
    trusted = trusted_keys((trusted_key(name, public_key_pem, name),), expires=NOW + timedelta(days=90))
    return Firm(load_signer(f"file2:{private_path}"), trusted, public_key_pem, private_path)


def evm_spelling(chain_id: ChainId, what: str, text: str) -> str | None:
    """The rule of the EVM adapter for addresses, without loading adapters."""
    from chains.evm.addresses import parse_address

    try:
        return None if what != "address" or parse_address(text) == text else "not canonical"
    except InvalidValue as error:
        return str(error)


def verify(path: Path, trusted: TrustedKeys, **changes: Any) -> VerificationReport:
    return verify_bundle(path, trusted, **{"now": NOW, "spelling": evm_spelling, **changes})


def check(report: VerificationReport, number: int) -> Check:
    return next(check for check in report.checks if check.number == number)


def not_passed(report: VerificationReport) -> list[int]:
    """Numbers of the checks that failed."""
    return [check.number for check in report.checks if check.status is CheckStatus.FAILED]


def write(folder: Path, firm: Firm, bundle: Bundle, name: str = "bundle.zip") -> Path:
    return write_bundle(bundle, [firm.signer], folder / name).path


Edit = Callable[[dict[str, Any]], None]


def signed_members(bundle: Bundle, signers: Sequence[Signer]) -> dict[str, bytes]:
    """All members of a bundle, for tests that pack them in other ways."""
    contents = payload_members(bundle)[1]
    return {**contents, **sign_manifest(contents[MANIFEST_NAME], signers).members}


def forge(
    members: dict[str, bytes],
    kind: str,
    wanted: Callable[[dict[str, Any]], bool],
    edit: Edit,
    signers: Sequence[Signer],
) -> bytes:
    """A container whose maker changed one record and signed the result properly: only its content is wrong."""
    name = f"records/{kind}.jsonl"
    values: list[Any] = [parse_canonical(text) for text in members[name].splitlines()]
    edit(next(value for value in values if wanted(value)))
    data = b"".join(text + b"\n" for text in sorted(canonical_json(value) for value in values))
    return resign({**members, name: data}, signers)


def resign(members: dict[str, bytes], signers: Sequence[Signer], edit: Edit | None = None) -> bytes:
    """A container with a manifest that fits its members, signed anew."""
    manifest: Any = parse_canonical(members[MANIFEST_NAME])
    for member in manifest["members"]:
        data = members[member["name"]]
        member.update(size_bytes=len(data), sha256=digest_hex(data), records=data.count(b"\n"))
        for told in manifest["disclosure"]:
            if told["kind"] == member["kind"]:
                told["published"] = member["records"]
    files = [dict(file) for file in manifest["files"]]
    if edit is not None:
        edit(manifest)
    views = remade_views(manifest, members) if manifest.get("files") == files else {}
    payload = canonical_json(manifest)
    kept = {name: data for name, data in members.items() if not name.startswith("signatures/")}
    return pack({**kept, **views, MANIFEST_NAME: payload, **sign_manifest(payload, signers).members})


def remade_views(manifest: dict[str, Any], members: dict[str, bytes]) -> dict[str, bytes]:
    """The tables of changed records, entered in their manifest; none where a record cannot be read."""
    try:
        told = Manifest.parse(canonical_json(manifest))
        tables = {
            kind: header_line(kind)
            + b"".join(table_line(kind, json.loads(line)) for line in members[member_name(kind)].splitlines())
            for kind in KINDS
        }
    except (BundleError, ValueError, LookupError, TypeError, AttributeError):
        return {}
    views = {VIEW_FOLDER + name: data for name, data in packaged(told, tables).items()}
    made = [{"name": name, "size_bytes": len(data), "sha256": digest_hex(data)} for name, data in sorted(views.items())]
    manifest["files"] = [file for file in manifest["files"] if not file["name"].startswith(VIEW_FOLDER)] + made
    return views


def pack(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    write_zip(file, members)
    return file.getvalue()


def small_bundle() -> Bundle:
    """The least that verifies: one wallet, one asset, one allocation, one match. For exhaustive tests."""
    bundle = sample_bundle()
    small = replace(
        bundle,
        withheld=(),
        assets=bundle.assets[:1],
        wallets=(wallet(SEGREGATED, "fully_segregated"),),
        pools=(),
        balances=(balance(SEGREGATED, ETH, 7),),
        allocations=(allocation("client-1", account_location(CHAIN, SEGREGATED), ETH, 7),),
        reconciliations=(reconciliation(account_location(CHAIN, SEGREGATED), ETH, 7, 7, Status.MATCHED),),
        transfers=(),
        authorizations=(),
        cases=(),
        sweeps=(replace(bundle.sweeps[0], expected=1, matched=1, diverged=0, unverified=0),),
        control_reviews=(review(1),),
        controls=(control(SEGREGATED),),
        grants=(),
    )
    return with_liabilities(small)
