"""The sample bundle whose unauthorized transfer is proven to stand in its block: a block of three transactions."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from eth_account import Account

from chains.evm.abi import TRANSFER_TOPIC, address_word, word
from chains.evm.addresses import address_bytes
from chains.evm.inclusion import prove_inclusion
from chains.evm.keccak import keccak256
from chains.evm.receipts import BloomFilter, Log, Receipt, encode_receipt
from chains.evm.rlp_encoding import encode_list, integer_bytes
from chains.evm.trie_root import ordered_root
from chains.types import Address
from exports.bundle import Bundle
from exports.codec import from_object, to_object
from exports.proof_records import TransactionProofRecord
from exports.records import RECORD_TYPES
from tests.exports.sample import BLOCK_TIME, CHAIN, OMNIBUS, OUTSIDE, USD, sample_bundle

KEY: Final = b"\x0b" * 32
UNAUTHORIZED: Final = "0x" + "d2" * 32
"""The transaction's id in the sample, which the proven block gives another."""
OLD_HASH: Final = "0x" + "cc" * 32
HEIGHT, UNITS, PLACE = 90, 10 * 10**6, 1
TOKEN: Final = Address(USD.rpartition(":")[2])


def _transaction(nonce: int) -> bytes:
    content = {
        "to": TOKEN, "value": 0, "gas": 100_000, "nonce": nonce, "chainId": 31337, "data": b"\x01" * 68,
        "maxFeePerGas": 10**10, "maxPriorityFeePerGas": 10**9,
    }  # fmt: skip
    return bytes(Account.sign_transaction(content, KEY).raw_transaction)


def _receipt(place: int) -> bytes:
    log = Log(
        address_bytes(TOKEN),
        (TRANSFER_TOPIC, address_word(address_bytes(OMNIBUS)), address_word(address_bytes(OUTSIDE))),
        word(UNITS if place == PLACE else place + 1),
    )
    return encode_receipt({"type": "0x2"}, Receipt(b"\x01", 50_000 * (place + 1), (log,)), BloomFilter())


def with_transaction_proof(bundle: Bundle | None = None) -> Bundle:
    """The bundle with a proof of its unauthorized transfer, under the block's and the transaction's real hashes."""
    transactions = [_transaction(nonce) for nonce in range(3)]
    receipts = [_receipt(place) for place in range(3)]
    fields = [
        b"\x01" * 32, b"\x01" * 32, b"\x02" * 20, b"\x03" * 32, ordered_root(transactions), ordered_root(receipts),
        bytes(256), b"", integer_bytes(HEIGHT), integer_bytes(30_000_000), integer_bytes(150_000),
        integer_bytes(int((BLOCK_TIME - timedelta(minutes=2)).timestamp())), b"", b"\x05" * 32, bytes(8), b"\x07",
    ]  # fmt: skip
    header = encode_list(fields)
    block_hash = f"0x{keccak256(header).hex()}"
    proof = prove_inclusion(header, transactions, receipts, PLACE)
    changed: dict[str, Any] = {}
    made = bundle or sample_bundle()
    for kind, record_type in RECORD_TYPES.items():
        texts = (json.dumps(to_object(record)) for record in getattr(made, kind))
        texts = (text.replace(OLD_HASH, block_hash).replace(UNAUTHORIZED, proof.tx_id) for text in texts)
        changed[kind] = [from_object(record_type, json.loads(text)) for text in texts]
    record = TransactionProofRecord(
        chain_id=CHAIN,
        block_hash=block_hash,
        tx_id=proof.tx_id,
        place=PLACE,
        header=f"0x{header.hex()}",
        transaction_nodes=tuple(f"0x{node.hex()}" for node in proof.transaction_nodes),
        receipt_nodes=tuple(f"0x{node.hex()}" for node in proof.receipt_nodes),
    )
    return replace(made, **{**changed, "transaction_proofs": (record,)})
