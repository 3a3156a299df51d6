"""Writing what `transaction` and `block` read: transactions, headers, blocks and undo data, byte for byte. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct

from chains.bitcoin.block import Spent
from chains.bitcoin.transaction import Input, Output, write_size

_HEADER = Struct("<i32s32sIII")


def encode_transaction(
    inputs: Sequence[Input],
    outputs: Sequence[Output],
    witnesses: Sequence[Sequence[bytes]] = (),
    *,
    version: int = 2,
    lock_time: int = 0,
) -> bytes:
    """A transaction; with one stack of witnesses for each input where there is any."""
    parts = [version.to_bytes(4, "little", signed=True)]
    if any(witnesses):
        parts.append(b"\x00\x01")
    parts.append(write_size(len(inputs)))
    for name, script_sig, sequence in inputs:
        parts += (name, _sized(script_sig), sequence.to_bytes(4, "little"))
    parts.append(write_size(len(outputs)))
    parts += [encode_output(output) for output in outputs]
    if any(witnesses):
        for stack in witnesses:
            parts.append(write_size(len(stack)))
            parts += [_sized(item) for item in stack]
    parts.append(lock_time.to_bytes(4, "little"))
    return b"".join(parts)


def encode_output(output: Output) -> bytes:
    """An output of a transaction, and a coin of undo data."""
    return output.value.to_bytes(8, "little") + _sized(output.script)


def encode_header(version: int, previous: bytes, merkle_root: bytes, time: int, bits: int, nonce: int) -> bytes:
    """The 80 bytes of a header; hashes in the order of the wire."""
    return _HEADER.pack(version, previous, merkle_root, time, bits, nonce)


def encode_block(header: bytes, transactions: Sequence[bytes]) -> bytes:
    """A block of a written header and written transactions."""
    return b"".join((header, write_size(len(transactions)), *transactions))


def encode_spent(spent: Spent) -> bytes:
    """Undo data as `/rest/spenttxouts` gives it."""
    parts = [write_size(len(spent))]
    for coins in spent:
        parts.append(write_size(len(coins)))
        parts += [encode_output(coin) for coin in coins]
    return b"".join(parts)


def _sized(data: bytes) -> bytes:
    return write_size(len(data)) + data
