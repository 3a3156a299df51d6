"""What a signature covers: the digests of BIP-143 (version 0), BIP-341 (taproot key path) and the older kind."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace
from enum import IntEnum
from hashlib import sha256
from typing import Final

from chains.bitcoin.hashes import sha256d, tagged_hash
from chains.devnet.bitcoin.kernel_chain import Coin
from chains.devnet.bitcoin.wire import Transaction, TxInput, TxOutput, with_length, written_output


class HashType(IntEnum):
    """Which parts of a transaction a signature covers."""

    DEFAULT = 0
    """All, in taproot, without a byte for it."""
    ALL = 1
    NONE = 2
    SINGLE = 3
    ANYONE_CAN_PAY = 0x80


_OUTPUT_MASK: Final = 0x1F
_TAPROOT_OUTPUT_MASK: Final = 3


def legacy_digest(transaction: Transaction, index: int, script_code: bytes, hash_type: int) -> bytes:
    """The digest before segwit, for scripts without OP_CODESEPARATOR."""
    outputs_kind = hash_type & _OUTPUT_MASK
    if outputs_kind == HashType.SINGLE and index >= len(transaction.outputs):
        return (1).to_bytes(32, "little")  # a flaw of the first release that is part of the rules
    inputs = [replace(each, script=b"", witness=()) for each in transaction.inputs]
    inputs[index] = replace(inputs[index], script=script_code)
    outputs = transaction.outputs
    if outputs_kind in (HashType.NONE, HashType.SINGLE):
        inputs = [each if place == index else replace(each, sequence=0) for place, each in enumerate(inputs)]
        blank = TxOutput(-1, b"")
        outputs = () if outputs_kind == HashType.NONE else (blank,) * index + (outputs[index],)
    if hash_type & HashType.ANYONE_CAN_PAY:
        inputs = [inputs[index]]
    covered = replace(transaction, inputs=tuple(inputs), outputs=tuple(outputs))
    return sha256d(covered.stripped + struct.pack("<I", hash_type))


def segwit_digest(transaction: Transaction, index: int, script_code: bytes, value: int, hash_type: int) -> bytes:
    """The digest of BIP-143, for witness version 0."""
    one_input = bool(hash_type & HashType.ANYONE_CAN_PAY)
    outputs_kind = hash_type & _OUTPUT_MASK
    nothing = bytes(32)
    all_sequences = not one_input and outputs_kind not in (HashType.NONE, HashType.SINGLE)
    outputs = nothing
    if outputs_kind == HashType.SINGLE:
        if index < len(transaction.outputs):
            outputs = sha256d(written_output(transaction.outputs[index]))
    elif outputs_kind != HashType.NONE:
        outputs = sha256d(_outputs(transaction))
    spending = transaction.inputs[index]
    message = (
        struct.pack("<i", transaction.version),
        nothing if one_input else sha256d(_outpoints(transaction)),
        sha256d(_sequences(transaction)) if all_sequences else nothing,
        _outpoint(spending),
        with_length(script_code),
        struct.pack("<q", value),
        struct.pack("<I", spending.sequence),
        outputs,
        struct.pack("<II", transaction.lock_time, hash_type),
    )
    return sha256d(b"".join(message))


def taproot_digest(transaction: Transaction, index: int, coins: Sequence[Coin], hash_type: int) -> bytes:
    """The digest of BIP-341 for the key path, without an annex; `coins` are those of all inputs."""
    one_input = bool(hash_type & HashType.ANYONE_CAN_PAY)
    outputs_kind = hash_type & _TAPROOT_OUTPUT_MASK
    parts = [b"\x00", bytes([hash_type]), struct.pack("<iI", transaction.version, transaction.lock_time)]
    if not one_input:
        parts += [
            sha256(_outpoints(transaction)).digest(),
            sha256(b"".join(struct.pack("<q", coin.value) for coin in coins)).digest(),
            sha256(b"".join(with_length(coin.script) for coin in coins)).digest(),
            sha256(_sequences(transaction)).digest(),
        ]
    if outputs_kind not in (HashType.NONE, HashType.SINGLE):
        parts.append(sha256(_outputs(transaction)).digest())
    parts.append(b"\x00")  # spend type: key path, no annex
    if one_input:
        coin, spending = coins[index], transaction.inputs[index]
        parts += [_outpoint(spending), struct.pack("<q", coin.value), with_length(coin.script)]
        parts.append(struct.pack("<I", spending.sequence))
    else:
        parts.append(struct.pack("<I", index))
    if outputs_kind == HashType.SINGLE:
        parts.append(sha256(written_output(transaction.outputs[index])).digest())
    return tagged_hash("TapSighash", b"".join(parts))


def _outpoint(spending: TxInput) -> bytes:
    return spending.txid + struct.pack("<I", spending.vout)


def _outpoints(transaction: Transaction) -> bytes:
    return b"".join(_outpoint(each) for each in transaction.inputs)


def _sequences(transaction: Transaction) -> bytes:
    return b"".join(struct.pack("<I", each.sequence) for each in transaction.inputs)


def _outputs(transaction: Transaction) -> bytes:
    return b"".join(written_output(each) for each in transaction.outputs)
