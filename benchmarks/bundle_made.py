"""The bundle that the benchmark writes and verifies: made alike every time, right in itself, with or without proofs."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from benchmarks.evm_proofs import FULL_LEVELS_OF_ACCOUNTS, FULL_LEVELS_OF_SLOTS, Trie, make_trie
from chains.evm.addresses import address_bytes, checksum_address
from chains.evm.encumbrance_types import PERMIT2_ADDRESS, AccountRole
from chains.evm.keccak import EMPTY_CODE_HASH, keccak256
from chains.evm.rlp_encoding import encode_bytes, encode_list, integer_bytes
from chains.evm.token_layout import SlotOrder, TokenLayout
from chains.evm.trie_root import EMPTY_ROOT
from chains.types import Address, AnchorEvidence, AssetId, ChainId, ReadStatus, StateEvidence, account_location
from exports.bundle import Bundle
from exports.control_records import ControlReviewRecord, ControlStateRecord, FactRecord, ReviewStatus
from exports.liabilities import LiabilityContext
from exports.liability_checks import Moment, make_liabilities
from exports.proof_records import ProofHeaderRecord, ProofNodeRecord, TokenLayoutRecord
from exports.records import (
    AccountClass,
    AllocationRecord,
    AssetRecord,
    BalanceRecord,
    FirmRecord,
    JournalHeadRecord,
    Rail,
    ReconciliationRecord,
    ShareHolder,
    Status,
    SweepRecord,
    WalletRecord,
    WitnessRecord,
)

CHAIN: Final = ChainId("eip155:1")
ETH: Final = AssetId("eip155:1/slip44:60")
TOKEN: Final = checksum_address(b"\xc0" * 20)
USD: Final = AssetId(f"eip155:1/erc20:{TOKEN}")
ASSETS: Final = (ETH, USD)
HEIGHT: Final = 21_000_000
BLOCK_TIME: Final = datetime(2026, 1, 31, 23, 59, 48, tzinfo=UTC)
CREATED: Final = BLOCK_TIME + timedelta(minutes=5)
SINCE: Final = date(2025, 1, 2)
SWEEP: Final = "sweep-1"
PARENT_HASH: Final = "0x" + "bb" * 32
SECRET: Final = bytes(range(32))
CODE_HASH: Final = keccak256(b"the code of the token")
WITNESSES: Final = (WitnessRecord("node-a", "Operator A"), WitnessRecord("node-b", "Operator B"))
LAYOUT: Final = TokenLayout(USD, SlotOrder.SOLIDITY, 0, 0, 256, f"0x{CODE_HASH.hex()}")

Owed = dict[tuple[Address, AssetId], int]
"""What all owners together own in a wallet, in base units."""


def make_bundle(addresses: int, owners: int, *, proven: bool) -> Bundle:
    """Every owner owns ether and a token in one wallet; every wallet holds what its owners own."""
    wallets = [checksum_address(keccak256(b"wallet %d" % number)[:20]) for number in range(addresses)]
    allocations = [
        AllocationRecord(
            f"client-{number:07}",
            AccountClass.CUSTOMER,
            account_location(CHAIN, wallets[number % addresses]),
            asset_id,
            10**9 + number * 7919,
            is_gas_float=False,
        )
        for number in range(owners)
        for asset_id in ASSETS
    ]
    owed: Owed = {(wallet, asset_id): 0 for wallet in wallets for asset_id in ASSETS}
    for place, allocation in enumerate(allocations):
        owed[wallets[place // len(ASSETS) % addresses], allocation.asset_id] += allocation.base_units
    header, nodes = _state(wallets, owed) if proven else (b"no header", set())
    block_hash = f"0x{keccak256(header).hex()}"
    bundle = Bundle(
        bundle_id="bundle-000001",
        sequence=1,
        previous_digest=None,
        firm=FirmRecord("Example Brokerage LLC", ""),
        as_of=BLOCK_TIME,
        created_at=CREATED,
        as_of_skew_seconds_max=900,
        journal=JournalHeadRecord(42, "0" * 64),
        scope_text="Customer digital assets of Example Brokerage LLC",
        assets=[
            AssetRecord(ETH, "ETH", 18, "non_security_crypto", SINCE, "memo-1", 10**12),
            AssetRecord(USD, "USDX", 6, "payment_stablecoin", SINCE, "memo-2", 10**4),
        ],
        wallets=[_wallet(each) for each in wallets],
        balances=[_balance(*key, units, block_hash, proven=proven) for key, units in owed.items()],
        allocations=allocations,
        reconciliations=[_reconciliation(*key, units) for key, units in owed.items()],
        sweeps=[_sweep(len(owed), block_hash)],
        control_reviews=[_review(addresses)],
        controls=[_control(each) for each in wallets],
        proof_headers=[ProofHeaderRecord(CHAIN, block_hash, f"0x{header.hex()}")] if proven else [],
        proof_nodes=[ProofNodeRecord(f"0x{node.hex()}") for node in nodes],
        token_layouts=[_layout()] if proven else [],
    )
    moment = Moment(LiabilityContext(bundle.firm.name, bundle.bundle_id, bundle.as_of), bundle.as_of_skew_seconds_max)
    made = make_liabilities(bundle.assets, bundle.allocations, bundle.reconciliations, moment, SECRET)
    return replace(
        bundle,
        liabilities=made.liabilities,
        liability_totals=made.liability_totals,
        liability_roots=made.liability_roots,
    )


def _state(wallets: Sequence[Address], owed: Owed) -> tuple[bytes, set[bytes]]:
    """A header over a state with these balances, and the trie nodes to them, as deep as on mainnet."""
    chance = random.Random(20_261_123)
    slots = [LAYOUT.slot(wallet).to_bytes(32, "big") for wallet in wallets]
    words = [encode_bytes(integer_bytes(owed[wallet, USD])) for wallet in wallets]
    storage = make_trie(chance, slots, words, FULL_LEVELS_OF_SLOTS)
    accounts = [_account(owed[wallet, ETH], EMPTY_ROOT, EMPTY_CODE_HASH) for wallet in wallets]
    accounts.append(_account(0, storage.root, CODE_HASH))
    keys = [address_bytes(each) for each in (*wallets, TOKEN)]
    state: Trie = make_trie(chance, keys, accounts, FULL_LEVELS_OF_ACCOUNTS)
    header = encode_list(
        [
            bytes.fromhex(PARENT_HASH[2:]), b"\x01" * 32, b"\x02" * 20, state.root, b"\x03" * 32, b"\x04" * 32,
            bytes(256), b"", integer_bytes(HEIGHT), integer_bytes(30_000_000), b"",
            integer_bytes(int(BLOCK_TIME.timestamp())), b"", b"\x05" * 32, bytes(8), b"\x07",
        ]
    )  # fmt: skip
    return header, state.distinct_nodes | storage.distinct_nodes


def _account(wei: int, storage_root: bytes, code_hash: bytes) -> bytes:
    return encode_list([b"\x01", integer_bytes(wei), storage_root, code_hash])


def _wallet(address: Address) -> WalletRecord:
    return WalletRecord(
        chain_id=CHAIN,
        address=address,
        structure="omnibus",
        titling="Example Brokerage LLC for the exclusive benefit of customers",
        custodian="Example Custody",
        mpc_vault="vault-1",
        key_scheme="mpc-cmp-ecdsa",
        threshold=2,
        share_count=3,
        share_holders=(ShareHolder("firm", 2), ShareHolder("custodian", 1)),
        firm_alone_can_sign=True,
        others_can_sign_without_firm=False,
        opened_on=SINCE,
        closed_on=None,
        gas_float_limit=0,
    )


def _balance(address: Address, asset_id: AssetId, base_units: int, block_hash: str, *, proven: bool) -> BalanceRecord:
    state = StateEvidence.PROVEN if proven else StateEvidence.READ
    return BalanceRecord(
        sweep_id=SWEEP,
        chain_id=CHAIN,
        address=address,
        asset_id=asset_id,
        base_units=base_units,
        status=ReadStatus.OK,
        reason="",
        height=HEIGHT,
        block_hash=block_hash,
        parent_hash=PARENT_HASH,
        block_time=BLOCK_TIME,
        finality="finalized",
        method="state-override",
        node_id="node-a",
        operator="Operator A",
        state=state,
        anchor=AnchorEvidence.AGREED,
        grade=state,
        header_checked=True,
    )


def _reconciliation(address: Address, asset_id: AssetId, base_units: int) -> ReconciliationRecord:
    return ReconciliationRecord(
        sweep_id=SWEEP,
        rail=Rail.DIGITAL,
        location=account_location(CHAIN, address),
        asset_id=asset_id,
        claimed=base_units,
        gas_float_recorded=0,
        gas_float_observed=0,
        observed=base_units,
        difference=0,
        status=Status.MATCHED,
        reason="",
        claimed_as_of=BLOCK_TIME,
        known_at=CREATED,
        observed_as_of=BLOCK_TIME,
        statement=None,
    )


def _sweep(holdings: int, block_hash: str) -> SweepRecord:
    return SweepRecord(
        sweep_id=SWEEP,
        chain_id=CHAIN,
        height=HEIGHT,
        block_hash=block_hash,
        parent_hash=PARENT_HASH,
        block_time=BLOCK_TIME,
        finality="finalized",
        header_checked=True,
        witnesses=WITNESSES,
        expected=holdings,
        matched=holdings,
        diverged=0,
        unverified=0,
        coverage_first=HEIGHT - 100,
        coverage_last=HEIGHT,
        started_at=BLOCK_TIME + timedelta(seconds=20),
        finished_at=BLOCK_TIME + timedelta(seconds=40),
    )


def _review(wallets: int) -> ControlReviewRecord:
    return ControlReviewRecord(
        sweep_id=SWEEP,
        chain_id=CHAIN,
        status=ReviewStatus.ANSWERED,
        reason="",
        node_id="node-a",
        permit2=PERMIT2_ADDRESS,
        approvals_first=0,
        approvals_last=HEIGHT,
        approvals_late=0,
        wallets_asked=wallets,
        pairs_asked=wallets,
        restrictions_asked=0,
        grants=0,
        controls=wallets,
        restrictions=0,
        accepted=0,
    )


def _control(address: Address) -> ControlStateRecord:
    facts = (FactRecord("account_kind", "key"), FactRecord("code_hash", "none"))
    return ControlStateRecord(SWEEP, CHAIN, address, AccountRole.WALLET, facts, (), 3)


def _layout() -> TokenLayoutRecord:
    values = {name: getattr(LAYOUT, name) for name in TokenLayout.__slots__}
    return TokenLayoutRecord(**values, requested_by="ops.maker", approved_by="ops.checker", approved_at=CREATED)
