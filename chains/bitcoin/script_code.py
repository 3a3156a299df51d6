"""Reading scripts instruction by instruction, as far as rules about them need. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from chains.bitcoin.proof_types import refuse

OP_PUSHDATA1: Final = 0x4C
OP_PUSHDATA4: Final = 0x4E
OP_1NEGATE: Final = 0x4F
OP_1: Final = 0x51
OP_16: Final = 0x60
OP_CODESEPARATOR: Final = 0xAB
OP_CHECKMULTISIG: Final = 0xAE
MULTISIG_KEYS_MAX: Final = 20


class Instruction(NamedTuple):
    """An opcode, and the bytes that it pushes."""

    opcode: int
    data: bytes | None
    """None for what is no push."""
    is_minimal: bool
    """Whether a push is written in its shortest form."""


class Multisig(NamedTuple):
    """A script that asks for so many of these keys."""

    required: int
    keys: tuple[bytes, ...]


def instructions(script: bytes) -> list[Instruction]:
    """The instructions of a script. Raises `ProofRefused` where it ends within a push."""
    found = []
    at = 0
    while at < len(script):
        opcode = script[at]
        at += 1
        if opcode > OP_16 or opcode == 0x50:
            found.append(Instruction(opcode, None, True))
            continue
        if opcode >= OP_1NEGATE:
            found.append(Instruction(opcode, b"\x81" if opcode == OP_1NEGATE else bytes([opcode - OP_1 + 1]), True))
            continue
        size = opcode
        if opcode >= OP_PUSHDATA1:
            width = 1 << (opcode - OP_PUSHDATA1)
            size = int.from_bytes(script[at : at + width], "little")
            at += width
        data = script[at : at + size]
        at += size
        if at > len(script):
            refuse("signature-form", "a script ends within a push")
        found.append(Instruction(opcode, data, opcode == _shortest(data)))
    return found


def _shortest(data: bytes) -> int:
    """The opcode with which BIP-62's minimal pushes write the data."""
    if len(data) == 1 and data[0] in (*range(1, 17), 0x81):
        return OP_1NEGATE if data[0] == 0x81 else OP_1 + data[0] - 1
    if len(data) < OP_PUSHDATA1:
        return len(data)
    return OP_PUSHDATA1 if len(data) < 0x100 else OP_PUSHDATA1 + 1 if len(data) < 0x10000 else OP_PUSHDATA4


def multisig_of(script: bytes) -> Multisig | None:
    """Threshold and keys of a plain multisig script; None for every other."""
    if len(script) < 3 or script[-1] != OP_CHECKMULTISIG:
        return None
    parts = instructions(script)
    keys = tuple(part.data for part in parts[1:-2] if part.data is not None and len(part.data) in (33, 65))
    required, total = parts[0], parts[-2]
    if not (OP_1 <= required.opcode <= OP_16 and OP_1 <= total.opcode <= OP_16):
        return None
    threshold, count = required.opcode - OP_1 + 1, total.opcode - OP_1 + 1
    if not threshold <= count == len(keys) == len(parts) - 3 <= MULTISIG_KEYS_MAX:
        return None
    return Multisig(threshold, keys) if all(part.is_minimal for part in parts) else None
