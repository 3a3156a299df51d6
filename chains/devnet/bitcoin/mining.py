"""Making valid regtest blocks: coinbase, witness commitment, and the few hashes that regtest asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from chains.bitcoin.hashes import sha256d
from chains.bitcoin.networks import COIN
from chains.devnet.bitcoin.wire import (
    COINBASE_OUTPOINT,
    SEQUENCE_FINAL,
    Block,
    Header,
    Transaction,
    TxInput,
    TxOutput,
    compact_size,
    merkle_root,
)

REGTEST_BITS: Final = 0x207FFFFF
HALVING_INTERVAL: Final = 150
"""Blocks until the subsidy halves on regtest; 210,000 on the main network."""
COINBASE_MATURITY: Final = 100
MEDIAN_BLOCKS: Final = 11
"""A block's time must be above the median of so many before it."""
WITNESS_RESERVED: Final = bytes(32)
BLOCK_VERSION: Final = 0x20000000


def subsidy(height: int) -> int:
    """New satoshis of a block on regtest."""
    halvings = height // HALVING_INTERVAL
    return (50 * COIN) >> halvings if halvings < 64 else 0


def script_number(number: int) -> bytes:
    """A number pushed in a script, as BIP-34 wants the height in a coinbase."""
    if 1 <= number <= 16:
        return bytes([0x50 + number])
    raw = number.to_bytes((number.bit_length() + 8) // 8, "little")
    return bytes([len(raw)]) + raw


def build_coinbase(
    height: int, outputs: Sequence[TxOutput], commitment: bytes | None, extra: bytes = b""
) -> Transaction:
    """The coinbase of a block; `extra` tells blocks apart that would be the same otherwise."""
    script = script_number(height) + compact_size(len(extra)) + extra
    paid = tuple(outputs)
    witness: tuple[bytes, ...] = ()
    if commitment is not None:
        paid += (TxOutput(0, bytes.fromhex("6a24aa21a9ed") + commitment),)
        witness = (WITNESS_RESERVED,)
    txid, vout = COINBASE_OUTPOINT
    return Transaction((TxInput(txid, vout, SEQUENCE_FINAL, script, witness),), paid)


def build_block(
    previous: bytes,
    height: int,
    time: int,
    outputs: Sequence[TxOutput],
    transactions: Sequence[Transaction] = (),
    *,
    extra: bytes = b"",
    bits: int = REGTEST_BITS,
) -> Block:
    """A mined block on top of `previous`, its coinbase paying the outputs (the caller adds subsidy and fees)."""
    # The coinbase's own witness hash counts as zero in the commitment, since it contains the commitment.
    witness_root = merkle_root([bytes(32), *(tx.wtxid for tx in transactions)])
    commitment = sha256d(witness_root + WITNESS_RESERVED)
    coinbase = build_coinbase(height, outputs, commitment, extra)
    everything = (coinbase, *transactions)
    header = Header(BLOCK_VERSION, previous, merkle_root([tx.txid for tx in everything]), time, bits, 0)
    return Block(mined(header), everything)


def mined(header: Header) -> Header:
    """The header with a nonce that meets its target."""
    candidate = header
    while int.from_bytes(candidate.hash, "little") > candidate.target:
        candidate = replace(candidate, nonce=candidate.nonce + 1)
    return candidate
