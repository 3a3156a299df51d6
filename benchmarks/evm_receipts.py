"""Checking one block against its own header: receipts root, logs bloom, transactions root and senders.

Blocks are made as large as Ethereum mainnet's (200 transactions, 400 token logs) and are decoded JSON already, as the
checks get them. The peer is py-trie with the `rlp` package, and eth-account for senders. The floor is what no check can
do without: keccak256 over the same bytes (each value, the inner nodes, each distinct item of the blooms), and for
senders the recovery of the public keys alone, by the library's backend that is installed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import rlp
from eth_account import Account
from eth_keys.datatypes import Signature
from eth_utils.crypto import keccak
from trie.hexary import HexaryTrie

from benchmarks.measure import Result, Side, check_then_time
from chains.evm.abi import TRANSFER_TOPIC, hex_text
from chains.evm.addresses import checksum_address
from chains.evm.keccak import keccak256
from chains.evm.receipts import BloomFilter, decode_receipt, encode_receipt
from chains.evm.signed_transaction import SignedTransaction, decode_transaction
from chains.evm.trie_root import ordered_root

UNIT: Final = "blocks/s"
TRANSACTIONS: Final = 200
LOGS_PER_RECEIPT: Final = 2
KEYS: Final = 8
ROUNDS: Final = 5
OURS: Final = "ours"
QUICK_TRANSACTIONS: Final = 20

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class BlockContent:
    """What a node gives of one block, and the values behind it."""

    transactions: list[Json]
    receipts: list[Json]


def run(*, quick: bool = False) -> Iterator[Result]:
    """Measure each check at one block size. Raises `ResultsDiffer` before anything is timed."""
    content = make_block(QUICK_TRANSACTIONS if quick else TRANSACTIONS)
    rounds = 2 if quick else ROUNDS
    decoded = [decode_transaction(answer) for answer in content.transactions]
    encoded = [transaction.encoded for transaction in decoded]
    senders = [transaction.sender() for transaction in decoded]
    trie = "py-trie and rlp"
    yield _measure(
        "receipts root and logs bloom",
        content,
        rounds,
        Side(OURS, lambda: our_receipts(content), 1, _same, peer_receipts(content), 3),
        Side(trie, lambda: peer_receipts(content), 1, _same, peer_receipts(content)),
        _keccak_floor(_hashed_of_receipts(content)),
    )
    yield _measure(
        "transactions root",
        content,
        rounds,
        Side(OURS, lambda: our_transactions(content), 1, _same, peer_transactions(content), 3),
        Side(trie, lambda: peer_transactions(content), 1, _same, peer_transactions(content)),
        _keccak_floor([*encoded, *_inner_nodes(len(encoded))]),
    )
    backend = type(_signature(decoded[0]).backend).__name__
    result = _measure(
        "transactions root and senders",
        content,
        2,
        Side(OURS, lambda: our_senders(content), 1, _same, peer_senders(content)),
        Side("py-trie, rlp and eth-account", lambda: peer_senders(content), 1, _same, peer_senders(content)),
        Side(f"recovery by {backend}", lambda: [_recover(each) for each in decoded], 1, _same, senders),
    )
    yield replace(result, notes={**result.notes, "signature_backend": backend})


def make_block(count: int) -> BlockContent:
    """Signed dynamic fee transactions with token transfers; the same for every run of the benchmark."""
    chance = random.Random(20_260_131)
    keys = [chance.randbytes(32) for _ in range(KEYS)]
    tokens = [checksum_address(chance.randbytes(20)) for _ in range(20)]
    transactions: list[Json] = []
    receipts: list[Json] = []
    for number in range(count):
        fields: Json = {
            "type": 2, "chainId": 1, "nonce": number, "maxFeePerGas": 10**11, "maxPriorityFeePerGas": 10**9,
            "gas": 100_000, "to": tokens[number % len(tokens)], "value": 0, "data": hex_text(chance.randbytes(68)),
            "accessList": [],
        }  # fmt: skip
        signed = Account.sign_transaction(fields, keys[number % KEYS])
        quantities = ("type", "chainId", "nonce", "maxFeePerGas", "maxPriorityFeePerGas", "gas", "value")
        transaction = {**fields, **{name: hex(fields[name]) for name in quantities}, "input": fields["data"]}
        transaction |= {"r": hex(signed.r), "s": hex(signed.s), "yParity": hex(signed.v), "v": hex(signed.v)}
        transactions.append(transaction)
        topics = [[TRANSFER_TOPIC, *(bytes(12) + chance.randbytes(20) for _ in range(2))] for _ in range(2)]
        logs = [
            {
                "address": chance.choice(tokens),
                "topics": list(map(hex_text, topics[place % 2])),
                "data": hex_text(chance.randbytes(32)),
            }
            for place in range(LOGS_PER_RECEIPT)
        ]
        receipts.append({"type": "0x2", "status": "0x1", "cumulativeGasUsed": hex(60_000 * (number + 1)), "logs": logs})
    return BlockContent(transactions, receipts)


def our_receipts(content: BlockContent) -> tuple[bytes, bytes]:
    """Receipts root and logs bloom as the reader computes them."""
    blooms = BloomFilter()
    root = ordered_root([encode_receipt(answer, decode_receipt(answer), blooms) for answer in content.receipts])
    return root, blooms.total


def our_transactions(content: BlockContent) -> bytes:
    """The transactions root as the reader computes it."""
    return ordered_root([decode_transaction(answer).encoded for answer in content.transactions])


def our_senders(content: BlockContent) -> tuple[bytes, list[bytes]]:
    """The transactions root, and who signed."""
    decoded = [decode_transaction(answer) for answer in content.transactions]
    return ordered_root([each.encoded for each in decoded]), [each.sender() for each in decoded]


def peer_receipts(content: BlockContent) -> tuple[bytes, bytes]:
    """The same with py-trie and rlp, the bloom by its definition with eth-utils' keccak."""
    total = 0
    values = []
    for answer in content.receipts:
        bloom = 0
        logs = []
        for log in answer["logs"]:
            address, topics = bytes.fromhex(log["address"][2:]), [bytes.fromhex(each[2:]) for each in log["topics"]]
            for item in (address, *topics):
                digest = keccak(item)
                for place in (0, 2, 4):
                    bloom |= 1 << (int.from_bytes(digest[place : place + 2], "big") & 2047)
            logs.append([address, topics, bytes.fromhex(log["data"][2:])])
        total |= bloom
        fields = [int(answer["status"], 16), int(answer["cumulativeGasUsed"], 16), bloom.to_bytes(256, "big"), logs]
        values.append(b"\x02" + rlp.encode(fields))
    return _root_by_trie(values), total.to_bytes(256, "big")


def peer_transactions(content: BlockContent) -> bytes:
    """The transactions root with py-trie over what rlp encodes."""
    return _root_by_trie([_raw_by_rlp(answer) for answer in content.transactions])


def peer_senders(content: BlockContent) -> tuple[bytes, list[bytes]]:
    """The same, and who signed by eth-account."""
    values = [_raw_by_rlp(answer) for answer in content.transactions]
    return _root_by_trie(values), [bytes.fromhex(Account.recover_transaction(value)[2:]) for value in values]


def _raw_by_rlp(answer: Json) -> bytes:
    names = ("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas")
    fields: list[Any] = [int(answer[name], 16) for name in names]
    fields += [bytes.fromhex(answer["to"][2:]), int(answer["value"], 16), bytes.fromhex(answer["input"][2:]), []]
    encoded: bytes = rlp.encode([*fields, *(int(answer[name], 16) for name in ("yParity", "r", "s"))])
    return b"\x02" + encoded


def _root_by_trie(values: list[bytes]) -> bytes:
    trie = HexaryTrie({})
    for index, value in enumerate(values):
        trie[rlp.encode(index)] = value
    root: bytes = trie.root_hash
    return root


def _same(found: object) -> object:
    return found


def _signature(transaction: SignedTransaction) -> Signature:
    return Signature(vrs=(transaction.y_parity, transaction.r, transaction.s))


def _recover(transaction: SignedTransaction) -> bytes:
    return bytes(
        _signature(transaction).recover_public_key_from_msg_hash(transaction.signing_hash).to_canonical_address()
    )


def _keccak_floor(pieces: list[bytes]) -> Side:
    return Side("bare keccak256", lambda: list(map(keccak256, pieces)), 1, len, len(pieces), 3)


def _inner_nodes(values: int) -> list[bytes]:
    """As many bytes as the branches above that many values have."""
    return [bytes(532)] * (values // 15 + 1)


def _hashed_of_receipts(content: BlockContent) -> list[bytes]:
    blooms = BloomFilter()
    decoded = list(map(decode_receipt, content.receipts))
    values = [encode_receipt(answer, each, blooms) for answer, each in zip(content.receipts, decoded, strict=True)]
    items = {item for each in decoded for log in each.logs for item in (log.address, *log.topics)}
    return [*values, *_inner_nodes(len(values)), *items]


def _measure(what: str, content: BlockContent, rounds: int, ours: Side, peer: Side, floor: Side) -> Result:
    timings = check_then_time([ours, peer, floor], rounds)
    own, other, least = timings[ours.name], timings[peer.name], timings[floor.name]
    return Result(
        case=f"evm_receipts {len(content.transactions)} transactions, {what}",
        value=own.per_second,
        unit=UNIT,
        peer=peer.name,
        peer_value=other.per_second,
        floor=floor.name,
        floor_value=least.per_second,
        peak_rss_bytes=own.peak_rss_bytes,
        notes={
            "milliseconds_per_block": round(1e3 * own.seconds, 2),
            "peer_milliseconds_per_block": round(1e3 * other.seconds, 2),
            "floor_milliseconds_per_block": round(1e3 * least.seconds, 2),
        },
    )
