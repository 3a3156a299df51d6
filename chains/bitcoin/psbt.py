"""Reading a finalized PSBT of version 0 (BIP-174) strictly: the signed transaction, and the coins it names. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from chains.bitcoin.encoding import encode_transaction
from chains.bitcoin.proof_types import refuse
from chains.bitcoin.transaction import (
    Output,
    Transaction,
    decode_transaction,
    outpoint_parts,
    read_size,
)
from chains.errors import MalformedAnswer

PSBT_MAGIC: Final = b"psbt\xff"
_UNSIGNED_TX: Final = b"\x00"
_VERSION: Final = b"\xfb"
_NON_WITNESS_UTXO: Final = b"\x00"
_WITNESS_UTXO: Final = b"\x01"
_FINAL_SCRIPT_SIG: Final = b"\x07"
_FINAL_WITNESS: Final = b"\x08"

Map = dict[bytes, bytes]


class FinalizedPsbt(NamedTuple):
    """What a finalized PSBT holds."""

    transaction: Transaction
    """Signed."""
    coins: list[Output | None]
    """What it says of the coin that each input spends; None where it says nothing."""


def read_finalized_psbt(data: bytes) -> FinalizedPsbt:
    """The signed transaction of a PSBT and its coins. Raises `ProofRefused`."""
    try:
        return _read(data)
    except (IndexError, MalformedAnswer) as error:
        refuse("signature-form", f"it is no PSBT: {error if str(error) else 'it ends too early'}")


def _read(data: bytes) -> FinalizedPsbt:
    overall, at = _map(data, len(PSBT_MAGIC))
    if int.from_bytes(overall.get(_VERSION, b""), "little") != 0 or _UNSIGNED_TX not in overall:
        refuse("signature-form", "the PSBT is not of version 0")
    unsigned = decode_transaction(overall[_UNSIGNED_TX])
    if unsigned.witnesses or any(each.script_sig for each in unsigned.inputs):
        refuse("signature-form", "the unsigned transaction of the PSBT carries signatures")
    maps: list[Map] = []
    for _ in unsigned.inputs:
        found, at = _map(data, at)
        maps.append(found)
    for _ in unsigned.outputs:
        _, at = _map(data, at)
    if at != len(data):
        refuse("signature-form", "bytes follow the PSBT")
    inputs = [
        each._replace(script_sig=found.get(_FINAL_SCRIPT_SIG, b""))
        for each, found in zip(unsigned.inputs, maps, strict=True)
    ]
    witnesses = [_stack(found[_FINAL_WITNESS]) if _FINAL_WITNESS in found else [] for found in maps]
    raw = encode_transaction(
        inputs, unsigned.outputs, witnesses, version=unsigned.version, lock_time=unsigned.lock_time
    )
    return FinalizedPsbt(decode_transaction(raw), _coins(unsigned, maps))


def _coins(unsigned: Transaction, maps: list[Map]) -> list[Output | None]:
    """Of several inputs that spend one transaction, only the first need carry it."""
    before: dict[bytes, Transaction] = {}
    coins: list[Output | None] = []
    for each, found in zip(unsigned.inputs, maps, strict=True):
        txid, number = outpoint_parts(each.outpoint)
        said = _output(found[_WITNESS_UTXO]) if _WITNESS_UTXO in found else None
        if _NON_WITNESS_UTXO in found:
            whole = decode_transaction(found[_NON_WITNESS_UTXO])
            if whole.txid != txid:
                refuse("signature-form", "a transaction in the PSBT is not the one that its input spends")
            before[txid] = whole
        if txid in before:
            if number >= len(before[txid].outputs):
                refuse("signature-form", "an input of the PSBT spends an output that is not there")
            coin = before[txid].outputs[number]
            if said not in (None, coin):
                refuse("signature-form", "the PSBT says two things of one coin")
            said = coin
        coins.append(said)
    return coins


def _map(data: bytes, at: int) -> tuple[Map, int]:
    found: Map = {}
    while True:
        size, at = read_size(data, at)
        if not size:
            return found, at
        key, at = _taken(data, at, size)
        size, at = read_size(data, at)
        value, at = _taken(data, at, size)
        if key in found:
            refuse("signature-form", "a key stands twice in the PSBT")
        found[key] = value


def _taken(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    if at + size > len(data):
        raise IndexError
    return data[at : at + size], at + size


def _output(data: bytes) -> Output:
    size, at = read_size(data, 8)
    script, end = _taken(data, at, size)
    if end != len(data):
        raise MalformedAnswer("a coin is followed by something")
    return Output(int.from_bytes(data[:8], "little"), script)


def _stack(data: bytes) -> list[bytes]:
    count, at = read_size(data, 0)
    stack = []
    for _ in range(count):
        size, at = read_size(data, at)
        item, at = _taken(data, at, size)
        stack.append(item)
    if at != len(data):
        raise MalformedAnswer("a witness is followed by something")
    return stack
