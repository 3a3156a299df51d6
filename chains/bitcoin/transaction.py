"""Reading raw transactions strictly, as they stand in blocks and on the wire (BIP-144).

Whatever the format does not allow is refused: a size that could be written shorter, a witness without content, money
beyond the supply, a transaction without inputs or outputs. Scripts are bytes here and are not looked into.

Ids are 32 bytes in the order of the wire; people and nodes write them backwards (`id_text`, `id_bytes`). Pure.
"""

from __future__ import annotations

from struct import Struct, error
from typing import Final, NamedTuple, NoReturn

from chains.bitcoin.hashes import sha256d
from chains.errors import InvalidValue, MalformedAnswer

MONEY_MAX: Final = 21_000_000 * 100_000_000
"""More satoshis than this never exist (`MAX_MONEY` of Bitcoin Core)."""
NO_OUTPOINT: Final = bytes(32) + b"\xff\xff\xff\xff"
"""What a coinbase names in the place of a coin."""
BLOCK_BYTES_MAX: Final = 4_000_000
"""No block, and so nothing in one, is longer (`MAX_BLOCK_SERIALIZED_SIZE` of Bitcoin Core)."""

_U32: Final = Struct("<I")
_I32: Final = Struct("<i")
_VALUE_AND_SIZE: Final = Struct("<QB")
_new = tuple.__new__  # a named tuple made without its Python-level constructor: a block has tens of thousands


class Output(NamedTuple):
    """So many satoshis under a script; of a transaction, or of a coin that an input spends."""

    value: int
    script: bytes


class Input(NamedTuple):
    """The coin that is spent, and what is brought forward for it outside the witness."""

    outpoint: bytes
    """36 bytes: the id of the transaction that made the coin, and the number of its output (`outpoint`)."""
    script_sig: bytes
    sequence: int


class Transaction(NamedTuple):
    """One transaction with its bytes."""

    txid: bytes
    """Hash without the witness, which commits to every input and output; 32 bytes in the order of the wire."""
    raw: bytes
    """All its bytes, witness included."""
    version: int
    inputs: list[Input]
    outputs: list[Output]
    witnesses: list[list[bytes]]
    """Per input; empty when the transaction has none at all."""
    lock_time: int

    @property
    def is_coinbase(self) -> bool:
        """Whether it makes new coins instead of spending some."""
        return len(self.inputs) == 1 and self.inputs[0].outpoint == NO_OUTPOINT

    @property
    def wtxid(self) -> bytes:
        """Hash with the witness; 32 bytes in the order of the wire."""
        return sha256d(self.raw) if self.witnesses else self.txid


def id_text(wire: bytes) -> str:
    """A transaction or block id as people write it: 64 lower-case hex digits, last byte first."""
    return wire[::-1].hex()


def id_bytes(text: str) -> bytes:
    """The 32 bytes of a transaction or block id in the order of the wire; raise `InvalidValue` when it is none."""
    try:
        wire = bytes.fromhex(text)[::-1]
    except ValueError:
        wire = b""
    if len(text) != 64 or len(wire) != 32:
        raise InvalidValue(f"{text[:80]!r} is not an id of 64 hex digits")
    return wire


def outpoint(txid: bytes, number: int) -> bytes:
    """The 36 bytes that name a coin: the transaction that made it, and the number of its output."""
    return txid + _U32.pack(number)


def outpoint_parts(name: bytes) -> tuple[bytes, int]:
    """The transaction id and output number that an outpoint names."""
    return name[:32], int(_U32.unpack_from(name, 32)[0])


def decode_transaction(raw: bytes) -> Transaction:
    """Read one transaction with nothing behind it. Raises `MalformedAnswer`."""
    transaction, end = read_transaction(raw, 0)
    if end != len(raw):
        raise MalformedAnswer(f"{len(raw) - end} bytes follow the transaction")
    return transaction


def read_transaction(data: bytes, start: int) -> tuple[Transaction, int]:
    """Read the transaction that begins at `start`; returns it and where it ends. Raises `MalformedAnswer`."""
    try:
        return _read_transaction(data, start)
    except (IndexError, error):
        raise MalformedAnswer("a transaction ends before it should") from None


def _read_transaction(data: bytes, start: int) -> tuple[Transaction, int]:
    # One plain loop: this is where the time of a historic load goes. A slice beyond the end is short without an
    # error; the comparison with the length at the end, and the index of every further size, notice it.
    at = start + 4
    has_witness = data[at] == 0
    if has_witness:
        if data[at + 1] != 1:
            _refuse("a transaction has no inputs, or an unknown kind of extension")
        at += 2
    body = at
    inputs: list[Input] = []
    outputs: list[Output] = []
    count, at = read_size(data, at)
    if not count:
        _refuse("a transaction has no inputs")
    for _ in range(count):
        size = data[at + 36]
        script_at = at + 37
        if size > 252:
            size, script_at = read_size(data, at + 36)
        end = script_at + size
        inputs.append(_new(Input, (data[at : at + 36], data[script_at:end], _U32.unpack_from(data, end)[0])))
        at = end + 4
    count, at = read_size(data, at)
    if not count:
        _refuse("a transaction has no outputs")
    total = 0
    for _ in range(count):
        value, size = _VALUE_AND_SIZE.unpack_from(data, at)
        at += 9
        if size > 252:
            size, at = read_size(data, at - 1)
        total += value
        outputs.append(_new(Output, (value, data[at : at + size])))
        at += size
    if total > MONEY_MAX:
        _refuse("a transaction pays more than all bitcoins there are")
    body_end = at
    witnesses: list[list[bytes]] = []
    if has_witness:
        witnesses, at = _read_witnesses(data, at, len(inputs))
    lock_time = _U32.unpack_from(data, at)[0]
    end = at + 4
    raw = data[start:end]
    txid = sha256d(data[start : start + 4] + data[body:body_end] + data[at:end] if has_witness else raw)
    version = _I32.unpack_from(data, start)[0]
    return _new(Transaction, (txid, raw, version, inputs, outputs, witnesses, lock_time)), end


def _read_witnesses(data: bytes, at: int, inputs: int) -> tuple[list[list[bytes]], int]:
    witnesses: list[list[bytes]] = []
    for _ in range(inputs):
        count = data[at]
        at += 1
        if count > 252:
            count, at = read_size(data, at - 1)
        stack: list[bytes] = []
        for _ in range(count):
            size = data[at]
            at += 1
            if size > 252:
                size, at = read_size(data, at - 1)
            stack.append(data[at : at + size])
            at += size
        witnesses.append(stack)
    if not any(witnesses):
        _refuse("a transaction has the form for witnesses and none")
    return witnesses, at


def read_size(data: bytes, at: int) -> tuple[int, int]:
    """Read a compact size at `at`; returns it and where it ends. Raises `MalformedAnswer`, `IndexError` at the end.

    One that could be written shorter, or that no block could hold, is refused.
    """
    first = data[at]
    if first < 0xFD:
        return first, at + 1
    length = 1 << (first - 0xFC)
    end = at + 1 + length
    if end > len(data):
        raise IndexError
    size = int.from_bytes(data[at + 1 : end], "little")
    if size < (0xFD if length == 2 else 1 << (4 * length)):
        _refuse("a size is written longer than needed")
    if size > BLOCK_BYTES_MAX:
        _refuse("a size is larger than any block")
    return size, end


def write_size(size: int) -> bytes:
    """A compact size in its one shortest form."""
    if size < 0xFD:
        return bytes((size,))
    for marker, length in ((0xFD, 2), (0xFE, 4), (0xFF, 8)):
        if size < 1 << (8 * length):
            return bytes((marker,)) + size.to_bytes(length, "little")
    raise InvalidValue(f"{size} is no size")


def _refuse(why: str) -> NoReturn:
    raise MalformedAnswer(why)


__all__ = [
    "BLOCK_BYTES_MAX",
    "MONEY_MAX",
    "NO_OUTPOINT",
    "Input",
    "Output",
    "Transaction",
    "decode_transaction",
    "id_bytes",
    "id_text",
    "outpoint",
    "outpoint_parts",
    "read_size",
    "read_transaction",
    "write_size",
]
