"""A small EVM assembler: one instruction a line, labels, comments, so that the bytecode we send has a readable source.

Words are separated by white space; `;` starts a comment that ends with the line:

    PUSH 36             ; the shortest push that holds the number
    PUSH 0x70a08231     ; hex keeps its length: four bytes here
    @loop               ; a jump target; puts a JUMPDEST and names its place
    PUSH @loop          ; its address (always two bytes)
    PUSH @@end          ; the address behind the last byte of the program
    JUMPI               ; any other word is an instruction by its Yellow Paper name
"""

from __future__ import annotations

from typing import Final

OPCODES: Final[dict[str, int]] = {
    "STOP": 0x00, "ADD": 0x01, "MUL": 0x02, "SUB": 0x03, "DIV": 0x04, "MOD": 0x06, "LT": 0x10, "GT": 0x11, "EQ": 0x14,
    "ISZERO": 0x15, "AND": 0x16, "OR": 0x17, "XOR": 0x18, "SHL": 0x1B, "SHR": 0x1C, "BALANCE": 0x31,
    "CALLDATALOAD": 0x35, "CALLDATASIZE": 0x36, "CODESIZE": 0x38, "CODECOPY": 0x39, "EXTCODESIZE": 0x3B,
    "EXTCODECOPY": 0x3C, "RETURNDATASIZE": 0x3D, "EXTCODEHASH": 0x3F, "BLOCKHASH": 0x40, "TIMESTAMP": 0x42,
    "NUMBER": 0x43,
    "CHAINID": 0x46, "POP": 0x50, "MLOAD": 0x51, "MSTORE": 0x52, "MSTORE8": 0x53, "JUMP": 0x56, "JUMPI": 0x57,
    "GAS": 0x5A, "LOG3": 0xA3, "RETURN": 0xF3, "STATICCALL": 0xFA, "REVERT": 0xFD,
    **{f"DUP{n}": 0x7F + n for n in range(1, 17)},
    **{f"SWAP{n}": 0x8F + n for n in range(1, 17)},
}  # fmt: skip
_JUMPDEST: Final = 0x5B
_PUSH0: Final = 0x5F
_LABEL_BYTES: Final = 2


def _push_value(operand: str) -> bytes:
    if operand.startswith("0x"):
        value = bytes.fromhex(operand[2:])
    else:
        number = int(operand)
        # At least one byte: PUSH0 is newer than some chains (EIP-3855).
        value = number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")
    if not 1 <= len(value) <= 32:
        raise ValueError(f"PUSH {operand} does not fit 1 to 32 bytes")
    return value


def assemble(source: str) -> bytes:
    """Bytecode of the source. Raises ValueError for an unknown word, label or an operand that does not fit."""
    code = bytearray()
    labels: dict[str, int] = {}
    references: list[tuple[int, str]] = []
    words = iter([word for line in source.splitlines() for word in line.partition(";")[0].split()])
    for word in words:
        if word.startswith("@"):
            if word in labels:
                raise ValueError(f"label {word} is defined twice")
            labels[word] = len(code)
            code.append(_JUMPDEST)
        elif word == "PUSH":
            operand = next(words, "")
            if operand.startswith("@"):
                code.append(_PUSH0 + _LABEL_BYTES)
                references.append((len(code), operand))
                code.extend(bytes(_LABEL_BYTES))
            else:
                value = _push_value(operand)
                code.append(_PUSH0 + len(value))
                code.extend(value)
        elif word in OPCODES:
            code.append(OPCODES[word])
        else:
            raise ValueError(f"there is no instruction {word!r}")
    labels["@@end"] = len(code)
    for place, label in references:
        if label not in labels:
            raise ValueError(f"label {label} is not defined")
        code[place : place + _LABEL_BYTES] = labels[label].to_bytes(_LABEL_BYTES, "big")
    return bytes(code)
