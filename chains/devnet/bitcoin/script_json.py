"""Scripts as the JSON of Bitcoin Core describes them: in words, by kind, as a descriptor with its checksum."""

from __future__ import annotations

from typing import Any, Final

from chains.bitcoin.networks import REGTEST
from chains.bitcoin.script import address_of_script, witness_program

_NAMES_TEXT: Final = (
    "OP_NOP OP_VER OP_IF OP_NOTIF OP_VERIF OP_VERNOTIF OP_ELSE OP_ENDIF OP_VERIFY OP_RETURN OP_TOALTSTACK "
    "OP_FROMALTSTACK OP_2DROP OP_2DUP OP_3DUP OP_2OVER OP_2ROT OP_2SWAP OP_IFDUP OP_DEPTH OP_DROP OP_DUP OP_NIP "
    "OP_OVER OP_PICK OP_ROLL OP_ROT OP_SWAP OP_TUCK OP_CAT OP_SUBSTR OP_LEFT OP_RIGHT OP_SIZE OP_INVERT OP_AND "
    "OP_OR OP_XOR OP_EQUAL OP_EQUALVERIFY OP_RESERVED1 OP_RESERVED2 OP_1ADD OP_1SUB OP_2MUL OP_2DIV OP_NEGATE "
    "OP_ABS OP_NOT OP_0NOTEQUAL OP_ADD OP_SUB OP_MUL OP_DIV OP_MOD OP_LSHIFT OP_RSHIFT OP_BOOLAND OP_BOOLOR "
    "OP_NUMEQUAL OP_NUMEQUALVERIFY OP_NUMNOTEQUAL OP_LESSTHAN OP_GREATERTHAN OP_LESSTHANOREQUAL "
    "OP_GREATERTHANOREQUAL OP_MIN OP_MAX OP_WITHIN OP_RIPEMD160 OP_SHA1 OP_SHA256 OP_HASH160 OP_HASH256 "
    "OP_CODESEPARATOR OP_CHECKSIG OP_CHECKSIGVERIFY OP_CHECKMULTISIG OP_CHECKMULTISIGVERIFY OP_NOP1 "
    "OP_CHECKLOCKTIMEVERIFY OP_CHECKSEQUENCEVERIFY OP_NOP4 OP_NOP5 OP_NOP6 OP_NOP7 OP_NOP8 OP_NOP9 OP_NOP10 "
    "OP_CHECKSIGADD"
)
_NAMES: Final = tuple(_NAMES_TEXT.split())
_FIRST_NAMED: Final = 0x61
_HASH_TYPES: Final = {
    1: "ALL",
    2: "NONE",
    3: "SINGLE",
    0x81: "ALL|ANYONECANPAY",
    0x82: "NONE|ANYONECANPAY",
    0x83: "SINGLE|ANYONECANPAY",
}
_OP_RETURN: Final = 0x6A
_OP_CHECKSIG: Final = 0xAC
_OP_CHECKMULTISIG: Final = 0xAE


def operations(script: bytes) -> list[tuple[int, bytes | None]] | None:
    """Opcodes with what they push; None where the script ends inside a push."""
    found: list[tuple[int, bytes | None]] = []
    position = 0
    while position < len(script):
        opcode = script[position]
        position += 1
        if opcode > 0x4E:
            found.append((opcode, None))
            continue
        length = opcode
        if opcode >= 0x4C:
            width = {0x4C: 1, 0x4D: 2, 0x4E: 4}[opcode]
            length = int.from_bytes(script[position : position + width], "little")
            position += width
        data = script[position : position + length]
        if len(data) != length:
            return None
        position += length
        found.append((opcode, data))
    return found


def assembly(script: bytes, *, signatures: bool = False) -> str:
    """The script in words; with `signatures`, what a signature covers is written after it."""
    known = operations(script)
    words = []
    unspendable = bool(script) and script[0] == _OP_RETURN
    for opcode, data in known if known is not None else operations(_whole_part(script)) or []:
        if data is None:
            words.append(_name(opcode))
        elif len(data) <= 4:
            words.append(str(_number(data)))
        elif signatures and not unspendable and _is_signature(data):
            words.append(f"{data[:-1].hex()}[{_HASH_TYPES[data[-1]]}]")
        else:
            words.append(data.hex())
    return " ".join(words if known is not None else [*words, "[error]"])


def script_json(script: bytes) -> dict[str, Any]:
    """A `scriptPubKey`."""
    address = address_of_script(REGTEST, script)
    kind = script_type(script)
    described: dict[str, Any] = {"asm": assembly(script), "desc": descriptor(script), "hex": script.hex()}
    if address is not None:
        described["address"] = str(address)
    return described | {"type": kind}


def script_type(script: bytes) -> str:
    """Bitcoin Core's name for the kind of script."""
    program = witness_program(script)
    if program is not None:
        version, raw = program
        if version == 0:
            return {20: "witness_v0_keyhash", 32: "witness_v0_scripthash"}.get(len(raw), "nonstandard")
        if version == 1 and len(raw) == 32:
            return "witness_v1_taproot"
        return "anchor" if script == bytes.fromhex("51024e73") else "witness_unknown"
    known = operations(script)
    if known is None:
        return "nonstandard"
    if len(script) == 25 and address_of_script(REGTEST, script):
        return "pubkeyhash"
    if len(script) == 23 and address_of_script(REGTEST, script):
        return "scripthash"
    if script and script[0] == _OP_RETURN and all(opcode <= 0x60 for opcode, _ in known[1:]):
        return "nulldata"
    if _bare_key(script) is not None:
        return "pubkey"
    return "nonstandard" if _bare_multisig(script) is None else "multisig"


def descriptor(script: bytes) -> str:
    """The descriptor that Bitcoin Core infers without keys, with its checksum."""
    kind = script_type(script)
    if kind == "witness_v1_taproot":
        text = f"rawtr({script[2:].hex()})"
    elif (address := address_of_script(REGTEST, script)) is not None:
        text = f"addr({address})"
    elif kind == "pubkey":
        key = _bare_key(script)
        assert key is not None, "a script of this kind has a key"
        text = f"pk({key.hex()})"
    elif kind == "multisig":
        found = _bare_multisig(script)
        assert found is not None, "a script of this kind has keys"
        text = f"multi({','.join([str(found[0]), *(key.hex() for key in found[1])])})"
    else:
        text = f"raw({script.hex()})"
    return f"{text}#{descriptor_checksum(text)}"


_INPUT_CHARSET: Final = (
    "0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#\"\\ "
)
_CHECKSUM_CHARSET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS: Final = (0xF5DEE51989, 0xA9FDCA3312, 0x1BAB10E32D, 0x3706B1677A, 0x644D626FFD)


def descriptor_checksum(text: str) -> str:
    """The eight characters after the `#` of a descriptor (BIP-380); raise `ValueError` for a foreign character."""
    symbols = []
    groups: list[int] = []
    for character in text:
        value = _INPUT_CHARSET.index(character)
        symbols.append(value & 31)
        groups.append(value >> 5)
        if len(groups) == 3:
            symbols.append(groups[0] * 9 + groups[1] * 3 + groups[2])
            groups = []
    if groups:
        symbols.append(groups[0] if len(groups) == 1 else groups[0] * 3 + groups[1])
    state = 1
    for value in [*symbols, 0, 0, 0, 0, 0, 0, 0, 0]:
        top = state >> 35
        state = ((state & 0x7FFFFFFFF) << 5) ^ value
        for bit, generator in enumerate(_GENERATORS):
            state ^= generator if (top >> bit) & 1 else 0
    state ^= 1
    return "".join(_CHECKSUM_CHARSET[(state >> (5 * (7 - place))) & 31] for place in range(8))


def _name(opcode: int) -> str:
    if opcode == 0x4F:
        return "-1"
    if 0x51 <= opcode <= 0x60:
        return str(opcode - 0x50)
    if _FIRST_NAMED <= opcode < _FIRST_NAMED + len(_NAMES):
        return _NAMES[opcode - _FIRST_NAMED]
    return {0x50: "OP_RESERVED", 0xFF: "OP_INVALIDOPCODE"}.get(opcode, "OP_UNKNOWN")


def _number(data: bytes) -> int:
    if not data:
        return 0
    magnitude = int.from_bytes(data, "little")
    sign_bit = 1 << (8 * len(data) - 1)
    return -(magnitude & ~sign_bit) if magnitude & sign_bit else magnitude


def _is_signature(data: bytes) -> bool:
    return 9 <= len(data) <= 73 and data[0] == 0x30 and data[1] == len(data) - 3 and data[-1] in _HASH_TYPES


def _whole_part(script: bytes) -> bytes:
    """The operations before the one that is cut short."""
    return max((script[:length] for length in range(len(script)) if operations(script[:length]) is not None), key=len)


def _bare_key(script: bytes) -> bytes | None:
    key = script[1:-1]
    fits = len(script) in (35, 67) and script[0] == len(key) and script[-1] == _OP_CHECKSIG
    return key if fits and key[0] in ((2, 3) if len(key) == 33 else (4, 6, 7)) else None


def _bare_multisig(script: bytes) -> tuple[int, list[bytes]] | None:
    known = operations(script)
    if known is None or len(known) < 4 or known[-1][0] != _OP_CHECKMULTISIG:
        return None
    (required, _), *middle, (total, _), _ = known
    keys = [data for _, data in middle if data is not None and len(data) in (33, 65)]
    fits = 0x51 <= required <= total <= 0x60 and len(keys) == len(middle) == total - 0x50
    return (required - 0x50, keys) if fits else None
