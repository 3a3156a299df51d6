"""Proofs that a transaction and its receipt stand in a block: made from the whole block, checked by the header alone.

Both tries map RLP(index) to the bytes of a transaction or receipt. From these bytes the check reads whom the
transaction pays what, who signed it, whether it did what it should, and which events it left: nothing beside the proof
is believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from chains.errors import MalformedAnswer, ProofFailed
from chains.evm.addresses import checksum_address
from chains.evm.envelopes import BLOB, DYNAMIC_FEE, SET_CODE
from chains.evm.keccak import keccak256
from chains.evm.native import created_address
from chains.evm.receipts import BLOOM_BYTES, Log, Receipt
from chains.evm.rlp_decoding import scalar_of, split_list, string_of
from chains.evm.rlp_encoding import encode_bytes, integer_bytes, wrap_list
from chains.evm.signed_transaction import SignedTransaction
from chains.evm.token_events import TokenMovement, read_event, tell_once, watched_tokens
from chains.evm.trie_proof import NodePool
from chains.evm.trie_root import ordered_proof
from chains.types import Asset

_TRANSACTIONS_ROOT, _RECEIPTS_ROOT, _NUMBER, _TIMESTAMP = 4, 5, 8, 11
"""Places in the header (Yellow Paper, section 4.4)."""
_PRICES: Final = {0: 1, 1: 1, DYNAMIC_FEE: 2, BLOB: 2, SET_CODE: 2}
"""For each known type of transaction, how many fields say what is paid for gas."""


@dataclass(frozen=True, slots=True)
class TransactionProof:
    """That a transaction stands in a block, with its receipt."""

    header: bytes
    """RLP."""
    tx_id: str
    index: int
    """Its place in the block."""
    transaction_nodes: tuple[bytes, ...]
    """The trie nodes on the way to it, in order."""
    receipt_nodes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class IncludedTransaction:
    """What a proof shows of a transaction."""

    height: int
    timestamp: datetime
    transaction: SignedTransaction | None
    """None for a type that this version does not know."""
    receipt: Receipt

    def pays(self, sender: str, receiver: str, base_units: int) -> bool:
        """Whether it moves this much of the native coin at its top level, signed by the sender."""
        signed = self.transaction
        if signed is None or self.receipt.status != 1 or signed.value != base_units:
            return False
        raw = signed.sender()
        to = signed.receiver if signed.receiver is not None else created_address(raw, signed.nonce)
        return (checksum_address(raw), checksum_address(to)) == (sender, receiver)

    def movements(self, asset: Asset) -> list[TokenMovement]:
        """What its events say was moved of a token, each movement once; the places count from its own first log."""
        if self.receipt.status != 1:
            return []
        tokens = watched_tokens([asset])
        told = [
            (movement, None)
            for place, log in enumerate(self.receipt.logs)
            for movement in read_event(log, place, tokens) or ()
            if movement.asset == asset
        ]
        return [movement for movement, _ in tell_once(told)]


def prove_inclusion(
    header: bytes, transactions: Sequence[bytes], receipts: Sequence[bytes], index: int
) -> TransactionProof:
    """The proof of one transaction of a block, out of all its transactions and receipts as the tries hold them."""
    return TransactionProof(
        header,
        f"0x{keccak256(transactions[index]).hex()}",
        index,
        tuple(ordered_proof(transactions, index)),
        tuple(ordered_proof(receipts, index)),
    )


def check_inclusion(proof: TransactionProof, block_hash: str) -> IncludedTransaction:
    """What the block's hash commits to. Raises `ProofFailed` or `MalformedAnswer` when it does not lead there."""
    if f"0x{keccak256(proof.header).hex()}" != block_hash:
        raise ProofFailed(f"the header does not hash to {block_hash}")
    fields = split_list(proof.header)
    if len(fields) < 15:
        raise MalformedAnswer(f"a header has at least 15 fields, not {len(fields)}")
    key = encode_bytes(integer_bytes(proof.index))
    found = []
    for name, place, nodes in (
        ("transaction", _TRANSACTIONS_ROOT, proof.transaction_nodes),
        ("receipt", _RECEIPTS_ROOT, proof.receipt_nodes),
    ):
        what = f"proof of {name} {proof.index}"
        value = NodePool().prove(string_of(fields[place]), key, nodes, what)
        if value is None:
            raise ProofFailed(f"{what}: the block has none there")
        found.append(value)
    transaction, receipt = found
    if f"0x{keccak256(transaction).hex()}" != proof.tx_id:
        raise ProofFailed(f"transaction {proof.index} of the block is not {proof.tx_id}")
    try:
        moment = datetime.fromtimestamp(scalar_of(fields[_TIMESTAMP]), UTC)
    except (OverflowError, ValueError, OSError):
        raise MalformedAnswer("the header's time is beyond any calendar") from None
    return IncludedTransaction(
        scalar_of(fields[_NUMBER], bits=53), moment, _transaction(transaction), _receipt(receipt)
    )


def _opened(encoded: bytes) -> tuple[int, list[bytes]]:
    """The type of an envelope and the items of its list, each still encoded."""
    if encoded[0] >= 0xC0:
        return 0, split_list(encoded)
    return encoded[0], split_list(encoded[1:])


def _transaction(encoded: bytes) -> SignedTransaction | None:
    number = 0 if encoded[0] >= 0xC0 else encoded[0]
    if number not in _PRICES:
        return None
    _, items = _opened(encoded)
    typed = int(number > 0)
    gas_at = typed + 1 + _PRICES[number]
    if len(items) < gas_at + 7:
        raise MalformedAnswer(f"a transaction of type {number} has {len(items)} fields")
    closing, r, s = scalar_of(items[-3]), scalar_of(items[-2]), scalar_of(items[-1])
    if typed:
        parity, signed = closing, bytes((number,)) + wrap_list(b"".join(items[:-3]))
    elif closing in (27, 28):
        parity, signed = closing - 27, wrap_list(b"".join(items[:6]))
    else:
        chain = encode_bytes(integer_bytes(max(0, closing - 35) // 2)) + b"\x80\x80"
        parity, signed = (closing - 35) % 2, wrap_list(b"".join(items[:6]) + chain)
    if parity > 1:
        raise MalformedAnswer(f"a transaction has the impossible parity {parity}")
    receiver = string_of(items[gas_at + 1])
    if len(receiver) not in (0, 20):
        raise MalformedAnswer("a transaction's receiver is no address")
    return SignedTransaction(
        encoded=encoded,
        signing_hash=keccak256(signed),
        y_parity=parity,
        r=r,
        s=s,
        nonce=scalar_of(items[typed]),
        receiver=receiver or None,
        value=scalar_of(items[gas_at + 2]),
        price_max=scalar_of(items[gas_at - 1]),
        tip_max=scalar_of(items[typed + 1]),
        blobs=0,
    )


def _receipt(encoded: bytes) -> Receipt:
    _, items = _opened(encoded)
    if len(items) != 4 or len(string_of(items[2])) != BLOOM_BYTES:
        raise MalformedAnswer("a receipt has an outcome, gas, a bloom and logs")
    outcome = string_of(items[0])
    if outcome not in (b"", b"\x01") and len(outcome) != 32:
        raise MalformedAnswer("a receipt's outcome is neither a status nor a state root")
    return Receipt(outcome, scalar_of(items[1]), tuple(_log(item) for item in split_list(items[3])))


def _log(item: bytes) -> Log:
    fields = split_list(item)
    if len(fields) != 3:
        raise MalformedAnswer("a log has an address, topics and data")
    address, topics = string_of(fields[0]), tuple(string_of(topic) for topic in split_list(fields[1]))
    if len(address) != 20 or any(len(topic) != 32 for topic in topics):
        raise MalformedAnswer("a log's address or topic has another length than it should")
    return Log(address, topics, string_of(fields[2]))
