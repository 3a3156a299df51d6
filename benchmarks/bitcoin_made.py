"""Bitcoin blocks made for benchmarks: real in all that a header commits to, with nothing signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chains.bitcoin.block import COMMITMENT_PREFIX, merkle_root, script_number
from chains.bitcoin.encoding import encode_block, encode_header, encode_spent, encode_transaction
from chains.bitcoin.hashes import sha256d
from chains.bitcoin.transaction import NO_OUTPOINT, Input, Output, Transaction, decode_transaction

BITS: Final = 0x207FFFFF
TARGET: Final = 0x7FFFFF << 232
START_TIME: Final = 1_600_000_000
SUBSIDY: Final = 5_000_000_000
MINER: Final = b"\x00\x14" + b"m" * 20
SEQUENCE: Final = 0xFFFFFFFD


@dataclass(frozen=True, slots=True)
class MadeBlock:
    """A block and its undo data as a node serves them."""

    hash: bytes
    raw: bytes
    raw_spent: bytes


def make_block(previous: bytes, height: int, payments: Sequence[bytes], spent: Sequence[Sequence[Output]]) -> MadeBlock:
    """A block of written transactions on top of another; `spent` has the coins of each of them."""
    transactions = [decode_transaction(raw) for raw in payments]
    coinbase = _coinbase(height, transactions)
    root = merkle_root([decode_transaction(coinbase).txid, *(each.txid for each in transactions)])
    assert root is not None
    for nonce in range(1 << 32):
        header = encode_header(4, previous, root, START_TIME + 600 * height, BITS, nonce)
        block_hash = sha256d(header)
        if int.from_bytes(block_hash, "little") <= TARGET:
            return MadeBlock(block_hash, encode_block(header, [coinbase, *payments]), encode_spent([[], *spent]))
    raise AssertionError("no nonce is left")


def _coinbase(height: int, others: Sequence[Transaction]) -> bytes:
    root = merkle_root([bytes(32), *(each.wtxid for each in others)])
    assert root is not None
    commitment = Output(0, COMMITMENT_PREFIX + sha256d(root + bytes(32)))
    inputs = [Input(NO_OUTPOINT, script_number(height) + b"made", SEQUENCE)]
    return encode_transaction(inputs, [Output(SUBSIDY, MINER), commitment], [[bytes(32)]])
