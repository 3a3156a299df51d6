"""Transactions, headers and blocks as they travel: written and read back, for making test chains.

Hashes are bytes in the order of the wire; `display` turns one into the hex that people see. The reading here trusts
its input, which a test made; the adapter's own reader does not.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from chains.bitcoin.hashes import sha256d

COINBASE_OUTPOINT: Final = (bytes(32), 0xFFFFFFFF)
SEQUENCE_FINAL: Final = 0xFFFFFFFF
SEQUENCE_REPLACEABLE: Final = 0xFFFFFFFD
"""Signals that the transaction may be replaced (BIP-125)."""


@dataclass(frozen=True, slots=True)
class TxInput:
    """One input: what it spends and with what."""

    txid: bytes
    vout: int
    sequence: int = SEQUENCE_REPLACEABLE
    script: bytes = b""
    witness: tuple[bytes, ...] = ()

    @property
    def outpoint(self) -> tuple[bytes, int]:
        """The output that is spent."""
        return self.txid, self.vout


@dataclass(frozen=True, slots=True)
class TxOutput:
    """One output: satoshis, and the script that locks them."""

    value: int
    script: bytes


@dataclass(frozen=True)
class Transaction:
    """A transaction; immutable, so that its id can be remembered."""

    inputs: tuple[TxInput, ...]
    outputs: tuple[TxOutput, ...]
    version: int = 2
    lock_time: int = 0

    @property
    def has_witness(self) -> bool:
        """Whether any input carries a witness."""
        return any(each.witness for each in self.inputs)

    @property
    def is_coinbase(self) -> bool:
        """Whether this makes new coins."""
        return len(self.inputs) == 1 and self.inputs[0].outpoint == COINBASE_OUTPOINT

    @cached_property
    def raw(self) -> bytes:
        """The whole transaction."""
        return self._written(with_witness=self.has_witness)

    @cached_property
    def stripped(self) -> bytes:
        """Without witnesses: what the txid is the hash of."""
        return self._written(with_witness=False)

    @cached_property
    def txid(self) -> bytes:
        """Hash of the transaction without witnesses."""
        return sha256d(self.stripped)

    @cached_property
    def wtxid(self) -> bytes:
        """Hash of the whole transaction."""
        return sha256d(self.raw)

    @property
    def weight(self) -> int:
        """Weight units (BIP-141): three times the stripped size and the whole size."""
        return 3 * len(self.stripped) + len(self.raw)

    @property
    def virtual_size(self) -> int:
        """Weight divided by four, rounded up: what fees are counted by."""
        return (self.weight + 3) // 4

    def with_input(self, index: int, **changes: object) -> Transaction:
        """The same with one input changed."""
        changed = replace(self.inputs[index], **changes)  # type: ignore[arg-type]
        return replace(self, inputs=(*self.inputs[:index], changed, *self.inputs[index + 1 :]))

    def _written(self, *, with_witness: bool) -> bytes:
        parts = [struct.pack("<i", self.version)]
        if with_witness:
            parts.append(b"\x00\x01")
        parts.append(compact_size(len(self.inputs)))
        for each in self.inputs:
            parts += [each.txid, struct.pack("<I", each.vout), with_length(each.script)]
            parts.append(struct.pack("<I", each.sequence))
        parts.append(compact_size(len(self.outputs)))
        parts += [written_output(each) for each in self.outputs]
        if with_witness:
            for each in self.inputs:
                parts.append(compact_size(len(each.witness)))
                parts += [with_length(item) for item in each.witness]
        parts.append(struct.pack("<I", self.lock_time))
        return b"".join(parts)


@dataclass(frozen=True)
class Header:
    """A block header."""

    version: int
    previous: bytes
    merkle_root: bytes
    time: int
    bits: int
    nonce: int

    @cached_property
    def raw(self) -> bytes:
        """The 80 bytes."""
        return struct.pack(
            "<i32s32sIII", self.version, self.previous, self.merkle_root, self.time, self.bits, self.nonce
        )

    @cached_property
    def hash(self) -> bytes:
        """The block's hash."""
        return sha256d(self.raw)

    @property
    def target(self) -> int:
        """What the hash may at most be."""
        exponent, mantissa = self.bits >> 24, self.bits & 0x7FFFFF
        return mantissa << (8 * (exponent - 3)) if exponent >= 3 else mantissa >> (8 * (3 - exponent))

    @property
    def work(self) -> int:
        """Expected number of hashes to find such a block."""
        return (1 << 256) // (self.target + 1)


@dataclass(frozen=True)
class Block:
    """A block with its transactions, the coinbase first."""

    header: Header
    transactions: tuple[Transaction, ...]

    @cached_property
    def raw(self) -> bytes:
        """The whole block."""
        return b"".join((self.header.raw, compact_size(len(self.transactions)), *(tx.raw for tx in self.transactions)))

    @property
    def stripped_size(self) -> int:
        """Size without witnesses."""
        return 80 + len(compact_size(len(self.transactions))) + sum(len(tx.stripped) for tx in self.transactions)

    @property
    def hash(self) -> bytes:
        """The block's hash."""
        return self.header.hash

    @property
    def hash_text(self) -> str:
        """The block's hash as people write it."""
        return display(self.header.hash)


class Reader:
    """Reads the bytes of a message from front to back."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._position = 0

    @property
    def at_end(self) -> bool:
        """Whether everything was read."""
        return self._position == len(self._raw)

    def take(self, count: int) -> bytes:
        """So many bytes; raise `ValueError` where there are fewer."""
        taken = self._raw[self._position : self._position + count]
        if len(taken) != count:
            raise ValueError("the data ends too early")
        self._position += count
        return taken

    def number(self, count: int) -> int:
        """A little-endian number of so many bytes."""
        return int.from_bytes(self.take(count), "little")

    def signed_number(self, count: int) -> int:
        """A little-endian number that may be below zero, as amounts may be written."""
        return int.from_bytes(self.take(count), "little", signed=True)

    def compact_size(self) -> int:
        """A count or length."""
        first = self.number(1)
        return first if first < 0xFD else self.number({0xFD: 2, 0xFE: 4, 0xFF: 8}[first])

    def text(self) -> bytes:
        """Bytes with their length before them."""
        return self.take(self.compact_size())

    def transaction(self) -> Transaction:
        """A transaction, with or without witnesses."""
        version = struct.unpack("<i", self.take(4))[0]
        count = self.compact_size()
        witnesses = count == 0
        if witnesses:
            if self.number(1) != 1:
                raise ValueError("the transaction has no inputs or an unknown flag")
            count = self.compact_size()
        inputs = [
            TxInput(txid=self.take(32), vout=self.number(4), script=self.text(), sequence=self.number(4))
            for _ in range(count)
        ]
        outputs = tuple(TxOutput(self.signed_number(8), self.text()) for _ in range(self.compact_size()))
        if witnesses:
            inputs = [replace(each, witness=tuple(self.text() for _ in range(self.compact_size()))) for each in inputs]
        return Transaction(tuple(inputs), outputs, version, self.number(4))

    def header(self) -> Header:
        """A block header."""
        return Header(*struct.unpack("<i32s32sIII", self.take(80)))

    def block(self) -> Block:
        """A block."""
        header = self.header()
        return Block(header, tuple(self.transaction() for _ in range(self.compact_size())))


def transaction_of(raw: bytes) -> Transaction:
    """The transaction that the bytes are; raise `ValueError` where they are none or more than one."""
    reader = Reader(raw)
    transaction = reader.transaction()
    if not reader.at_end:
        raise ValueError("there is more than one transaction")
    return transaction


def block_of(raw: bytes) -> Block:
    """The block that the bytes are; raise `ValueError` where they are none or more than one."""
    reader = Reader(raw)
    block = reader.block()
    if not reader.at_end:
        raise ValueError("there is more than one block")
    return block


def compact_size(number: int) -> bytes:
    """A count or length as Bitcoin writes it."""
    if number < 0xFD:
        return bytes([number])
    if number <= 0xFFFF:
        return b"\xfd" + struct.pack("<H", number)
    if number <= 0xFFFFFFFF:
        return b"\xfe" + struct.pack("<I", number)
    return b"\xff" + struct.pack("<Q", number)


def with_length(raw: bytes) -> bytes:
    """The bytes with their length before them."""
    return compact_size(len(raw)) + raw


def written_output(output: TxOutput) -> bytes:
    """One output as in a transaction."""
    return struct.pack("<q", output.value) + with_length(output.script)


def display(hash_bytes: bytes) -> str:
    """A hash as people write it: hex, last byte first."""
    return hash_bytes[::-1].hex()


def from_display(text: str) -> bytes:
    """A hash in the order of the wire."""
    return bytes.fromhex(text)[::-1]


def merkle_root(hashes: list[bytes]) -> bytes:
    """The root of a list of hashes, the last one doubled where the number is odd."""
    level = list(hashes)
    while len(level) > 1:
        if len(level) % 2:
            level.append(level[-1])
        level = [sha256d(level[index] + level[index + 1]) for index in range(0, len(level), 2)]
    return level[0]
