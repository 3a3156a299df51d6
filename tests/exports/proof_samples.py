"""The sample bundle with state proofs: a state that holds its balances, the header over it, and every node once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

import rlp

from chains.evm.addresses import address_bytes, checksum_address
from chains.evm.keccak import EMPTY_CODE_HASH, keccak256
from chains.evm.rlp_encoding import encode_bytes, encode_list, integer_bytes
from chains.evm.state_proof import state_root
from chains.evm.token_layout import SlotOrder, TokenLayout
from chains.evm.trie_root import EMPTY_ROOT
from chains.types import Address, AnchorEvidence, AssetId, BlockRef, ReadStatus, StateEvidence, overall_grade
from exports.bundle import Bundle
from exports.codec import from_object, to_object
from exports.proof_records import ProofGapRecord, ProofHeaderRecord, ProofNodeRecord, TokenLayoutRecord
from exports.records import RECORD_TYPES, BalanceRecord, WitnessRecord
from tests.chains.evm.tries import proof_of, trie_of
from tests.exports.sample import BLOCK_HASH, CHAIN, CREATED, ETH, PARENT_HASH, SWEEP_ID, USD, sample_bundle

CODE_HASH: Final = keccak256(b"the code of the token")
IMPLEMENTATION: Final = checksum_address(b"\x1f" * 20)
IMPLEMENTATION_HASH: Final = keccak256(b"the code behind the token")
IMPLEMENTATION_SLOT: Final = 7
LAYOUT: Final = TokenLayout(
    USD, SlotOrder.VYPER, 1, 0, 255, f"0x{CODE_HASH.hex()}",
    IMPLEMENTATION, IMPLEMENTATION_SLOT, f"0x{IMPLEMENTATION_HASH.hex()}",
)  # fmt: skip


def layout_record(layout: TokenLayout) -> TokenLayoutRecord:
    """A layout as two people reviewed it."""
    values = {name: getattr(layout, name) for name in TokenLayout.__slots__}
    return TokenLayoutRecord(**values, requested_by="ops.maker", approved_by="ops.checker", approved_at=CREATED)


class State:
    """A state of accounts with ether, and of one token with balances, as a chain would commit to it."""

    def __init__(self, native: dict[Address, int], token: dict[Address, int], layout: TokenLayout = LAYOUT) -> None:
        self.layout = layout
        # Bit 255 stands for something else than the balance, as it does in tokens that freeze accounts there.
        words = {layout.slot(holder): units | 1 << 255 for holder, units in token.items() if units}
        assert layout.implementation is not None
        assert layout.implementation_slot is not None
        words[layout.implementation_slot] = int(layout.implementation, 16)
        self.storage = trie_of({_slot_key(slot): encode_bytes(integer_bytes(word)) for slot, word in words.items()})
        accounts = {holder: _account(wei, EMPTY_ROOT, EMPTY_CODE_HASH) for holder, wei in native.items() if wei}
        accounts[layout.token] = _account(0, self.storage.root_hash, CODE_HASH)
        accounts[layout.implementation] = _account(0, EMPTY_ROOT, IMPLEMENTATION_HASH)
        self.accounts = trie_of({keccak256(address_bytes(each)): value for each, value in accounts.items()})

    def nodes(self, native: Iterable[Address], token: Iterable[Address]) -> dict[bytes, None]:
        """The distinct nodes that prove these balances."""
        holders = list(token)
        asked = [*native, *((self.layout.token, self.layout.implementation) if holders else ())]
        assert self.layout.implementation_slot is not None
        slots = [self.layout.implementation_slot, *(self.layout.slot(each) for each in holders)] if holders else []
        found = [proof_of(self.accounts, keccak256(address_bytes(Address(str(each))))) for each in asked]
        found += [proof_of(self.storage, _slot_key(slot)) for slot in slots]
        return dict.fromkeys(node for proof in found for node in proof)

    def header(self, block: BlockRef) -> bytes:
        """RLP of a header with this state, of the block's parent, height and time."""
        fields = [
            bytes.fromhex(block.parent_hash[2:]), b"\x01" * 32, b"\x02" * 20, self.accounts.root_hash, b"\x03" * 32,
            b"\x04" * 32, bytes(256), b"", integer_bytes(block.height), integer_bytes(30_000_000), b"",
            integer_bytes(int(block.timestamp.timestamp())), b"", b"\x05" * 32, bytes(8), b"\x07",
        ]  # fmt: skip
        return encode_list(fields)


def _account(wei: int, storage_root: bytes, code_hash: bytes) -> bytes:
    encoded: bytes = rlp.encode([b"\x01", integer_bytes(wei), storage_root, code_hash])
    return encoded


def _slot_key(slot: int) -> bytes:
    return keccak256(slot.to_bytes(32, "big"))


def is_provable(balance: BalanceRecord) -> bool:
    """Whether the state of these samples is about a balance."""
    return balance.status is ReadStatus.OK and balance.asset_id in (ETH, USD)


Figures = dict[AssetId, dict[Address, int]]
"""Balances in base units, by asset and holder."""


def with_state_proofs(
    bundle: Bundle | None = None,
    *,
    agreed: bool = True,
    state: Callable[[dict[AssetId, dict[Address, int]]], State] | None = None,
) -> Bundle:
    """The bundle with every balance proven, under a header that hashes to the sweep's new block hash.

    `state` makes the state out of the balances, to commit to others than the bundle says.
    """
    bundle = bundle or sample_bundle()
    figures: Figures = {ETH: {}, USD: {}}
    for each in bundle.balances:
        if is_provable(each) and each.base_units is not None:
            figures[each.asset_id][each.address] = each.base_units
    made = state(figures) if state is not None else State(figures[ETH], figures[USD])
    (sweep,) = bundle.sweeps
    block = BlockRef(CHAIN, sweep.height, BLOCK_HASH, PARENT_HASH, sweep.block_time)
    header = made.header(block)
    block_hash = f"0x{keccak256(header).hex()}"
    assert state_root(header, replace(block, block_hash=block_hash)) == made.accounts.root_hash
    bundle = with_block_hash(bundle, block_hash)
    anchor = AnchorEvidence.AGREED if agreed else AnchorEvidence.SINGLE
    witnesses = (WitnessRecord("node-a", "Operator A"), WitnessRecord("node-b", "Operator B"))
    return replace(
        bundle,
        balances=[
            replace(each, state=StateEvidence.PROVEN, anchor=anchor, grade=overall_grade(StateEvidence.PROVEN, anchor))
            if is_provable(each)
            else each
            for each in bundle.balances
        ],
        sweeps=[replace(bundle.sweeps[0], witnesses=witnesses if agreed else witnesses[:1])],
        proof_headers=(ProofHeaderRecord(CHAIN, block_hash, f"0x{header.hex()}"),),
        proof_nodes=tuple(ProofNodeRecord(f"0x{node.hex()}") for node in made.nodes(figures[ETH], figures[USD])),
        token_layouts=(layout_record(made.layout),),
        proof_gaps=(ProofGapRecord(SWEEP_ID, USD, "no-layout: for show", 1),),
    )


def with_block_hash(bundle: Bundle, block_hash: str) -> Bundle:
    """The bundle with another hash of its pinned block in every record."""
    changed: dict[str, Any] = {}
    for kind, record_type in RECORD_TYPES.items():
        texts = [json.dumps(to_object(record)).replace(BLOCK_HASH, block_hash) for record in getattr(bundle, kind)]
        changed[kind] = [from_object(record_type, json.loads(text)) for text in texts]
    return replace(bundle, **changed)


@lru_cache(maxsize=1)
def proven_bundle() -> Bundle:
    """The sample, every balance of it proven under a block that two operators agree on."""
    return with_state_proofs()
