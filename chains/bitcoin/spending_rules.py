"""What BIP-322 asks of a spend beyond the rules of consensus: its required and its upgradeable rules. Pure.

    required (else invalid)          SIGHASH_ALL, or in taproot DEFAULT; no OP_CODESEPARATOR; strict DER and low S;
                                     minimal pushes; a clean stack; minimal OP_IF; failed signatures are empty
    upgradeable (else inconclusive)  no NOP reserved for upgrades, no witness version above 1, no unknown kind of
                                     taproot leaf or key, no annex

Single keys and plain multisig are known by their form, in which stack and pushes can only be one way. Other witness
scripts are judged by what they consist of; an instruction not in the list below makes a proof inconclusive, and so
does a bare P2SH script that is no multisig: its stack cannot be judged without running it by these rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chains.bitcoin.proof_types import inconclusive, refuse
from chains.bitcoin.script import witness_program
from chains.bitcoin.script_code import OP_CODESEPARATOR, Instruction, instructions, multisig_of

CURVE_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SIGHASH_ALL: Final = 1
_TAPSCRIPT: Final = 0xC0
_ANNEX: Final = 0x50
_HAS_IF: Final = frozenset({0x63, 0x64})
_CHECKS_SIGNATURE: Final = frozenset({0xAC, 0xAD, 0xBA})
_KNOWN: Final = frozenset(
    {
        *(0x63, 0x64, 0x67, 0x68, 0x69),  # IF NOTIF ELSE ENDIF VERIFY
        *(0x6B, 0x6C, 0x73, 0x74, 0x75, 0x76, 0x78, 0x7C, 0x82),  # alt stack, IFDUP DEPTH DROP DUP OVER SWAP SIZE
        *(0x87, 0x88, 0x91, 0x92, 0x93, 0x9A, 0x9B, 0x9C, 0x9D, 0xA0, 0xA2),  # EQUAL NOT 0NOTEQUAL ADD BOOLAND >=
        *(0xA6, 0xA8, 0xA9, 0xAA),  # RIPEMD160 SHA256 HASH160 HASH256
        *(0xAC, 0xAD, 0xB1, 0xB2),  # CHECKSIG CHECKSIGVERIFY CHECKLOCKTIMEVERIFY CHECKSEQUENCEVERIFY
    }
)
_KNOWN_V0: Final = _KNOWN | {0xAE, 0xAF}
_KNOWN_TAPROOT: Final = _KNOWN | {0xBA}


def check_spend(script: bytes, script_sig: bytes, witness: Sequence[bytes]) -> None:
    """Raise `ProofRefused` unless a spend that consensus accepts keeps the rules of BIP-322 too."""
    program = witness_program(script)
    if program is not None:
        _check_program(*program, witness)
    elif len(script) == 23 and script[:2] == b"\xa9\x14" and script[22] == 0x87:
        _check_p2sh(script_sig, witness)
    elif len(script) == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac":
        _check_one_key(_pushes(script_sig))
    else:
        inconclusive("the script has no address, and its kind is not known here")


def optional_signatures(script: bytes, script_sig: bytes, witness: Sequence[bytes]) -> list[int]:
    """The places in a witness whose signatures the form of the script does not show to be needed.

    BIP-322 forbids signatures that fail their check (NULLFAIL), and consensus does not. One that could as well be empty
    may have failed, or be good and one too many: a proof with one is inconclusive.
    """
    program = witness_program(script) or witness_program(_last(script_sig))
    if program is None or program[0] != 0 or len(program[1]) != 32 or multisig_of(witness[-1]) is not None:
        return []  # the other forms have none, and in taproot consensus itself forbids it
    return [place for place, item in enumerate(witness[:-1]) if _is_der(item)]


def _check_program(version: int, program: bytes, witness: Sequence[bytes]) -> None:
    if version == 0 and len(program) == 20:
        _check_one_key(witness)
    elif version == 0:
        _check_witness_script(witness)
    elif version == 1 and len(program) == 32:
        _check_taproot(witness)
    else:
        inconclusive(f"witness programs of version {version} with {len(program)} bytes have no rules yet")


def _check_p2sh(script_sig: bytes, witness: Sequence[bytes]) -> None:
    pushes = _pushes(script_sig)
    redeem = pushes[-1] if pushes else b""
    program = witness_program(redeem)
    if program is not None:
        if program[0] != 0:
            inconclusive("a wrapped witness program of a version above 0 has no rules")
        _check_program(*program, witness)
        return
    multisig = multisig_of(redeem)
    if multisig is None:
        inconclusive("the script behind the address is neither segwit nor a plain multisig")
    _check_multisig(pushes[:-1], multisig.required)


def _check_one_key(stack: Sequence[bytes]) -> None:
    if len(stack) != 2:
        refuse("signature-rule", f"a signature and a key are expected, not {len(stack)} items")
    _check_der(stack[0])
    if not (len(stack[1]) == 33 and stack[1][0] in (2, 3)) and not (len(stack[1]) == 65 and stack[1][0] == 4):
        refuse("signature-rule", "the public key is not written in one of the two forms")


def _check_multisig(stack: Sequence[bytes], required: int) -> None:
    if len(stack) != required + 1 or stack[0]:
        refuse("signature-rule", f"an empty item and {required} signatures are expected, and nothing else")
    for signature in stack[1:]:
        _check_der(signature)


def _check_witness_script(witness: Sequence[bytes]) -> None:
    script, stack = witness[-1], witness[:-1]
    multisig = multisig_of(script)
    if multisig is not None:
        _check_multisig(stack, multisig.required)
        return
    parts = _known(script, _KNOWN_V0)
    for item in (*stack, *(part.data for part in parts if part.data is not None)):
        if _is_der(item):
            _check_der(item)
    if any(part.opcode in _HAS_IF for part in parts):
        for item in stack:
            if item not in (b"", b"\x01") and len(item) < 20:
                refuse("signature-rule", "the argument of a condition is neither empty nor 1")


def _check_taproot(witness: Sequence[bytes]) -> None:
    if len(witness) > 1 and witness[-1][:1] == bytes([_ANNEX]):
        inconclusive("an annex has no rules yet")
    if len(witness) == 1:
        _check_schnorr(witness[0])
        return
    *stack, script, control = witness
    if control[0] & 0xFE != _TAPSCRIPT:
        inconclusive("a taproot leaf of this version has no rules yet")
    parts = _known(script, _KNOWN_TAPROOT)
    for before, part in zip([None, *parts], parts, strict=False):
        if part.data is not None and len(part.data) not in (*range(6), 20, 32):
            inconclusive("a key of this length has no rules in taproot yet")
        is_number = before is not None and before.data is not None and len(before.data) < 20
        if part.opcode in _CHECKS_SIGNATURE and is_number:
            inconclusive("a key of this length has no rules in taproot yet")
    for item in stack:
        if len(item) in (64, 65):
            _check_schnorr(item)


def _known(script: bytes, known: frozenset[int]) -> list[Instruction]:
    """The instructions of a script when all are known and their pushes minimal."""
    parts = instructions(script)
    if any(part.opcode == OP_CODESEPARATOR for part in parts):
        refuse("signature-rule", "OP_CODESEPARATOR is forbidden in a proof")
    if not all(part.is_minimal for part in parts):
        refuse("signature-rule", "a push is longer than it need be")
    strange = next((part.opcode for part in parts if part.data is None and part.opcode not in known), None)
    if strange is not None:
        inconclusive(f"the script has the instruction {strange:#04x}, which is not judged here")
    return parts


def _pushes(script_sig: bytes) -> list[bytes]:
    """What a scriptSig brings; it may do nothing else."""
    pushed = []
    for part in instructions(script_sig):
        if part.data is None or not part.is_minimal:
            refuse("signature-rule", "a scriptSig holds something else than shortest pushes")
        pushed.append(part.data)
    return pushed


def _last(script_sig: bytes) -> bytes:
    parts = instructions(script_sig)
    return parts[-1].data or b"" if parts else b""


def _check_schnorr(signature: bytes) -> None:
    if len(signature) not in (64, 65):
        refuse("signature-rule", "a taproot signature has 64 bytes, or 65 with its kind")
    if len(signature) == 65 and signature[64] != SIGHASH_ALL:
        refuse("signature-rule", "the signature does not cover the whole proof (not SIGHASH_ALL or DEFAULT)")


def _check_der(signature: bytes) -> None:
    if not _is_der(signature):
        refuse("signature-rule", "a signature is not strict DER")
    if signature[-1] != SIGHASH_ALL:
        refuse("signature-rule", "the signature does not cover the whole proof (not SIGHASH_ALL)")
    s_at = 4 + signature[3]
    if int.from_bytes(signature[s_at + 2 : -1], "big") > CURVE_ORDER // 2:
        refuse("signature-rule", "S is in the upper half of the curve's order: the mirror image of another signature")


def _is_der(item: bytes) -> bool:
    """Whether bytes are an ECDSA signature in strict DER with its kind behind (BIP-66); no other passes consensus."""
    if not 9 <= len(item) <= 73 or item[0] != 0x30 or item[1] != len(item) - 3 or item[2] != 2:
        return False
    r_size = item[3]
    if not r_size or 5 + r_size >= len(item) or item[4 + r_size] != 2:
        return False
    s_size = item[5 + r_size]
    if not s_size or r_size + s_size + 7 != len(item):
        return False
    return all(_is_der_number(item[at : at + size]) for at, size in ((4, r_size), (6 + r_size, s_size)))


def _is_der_number(number: bytes) -> bool:
    if number[0] & 0x80:
        return False
    return len(number) == 1 or number[0] != 0 or bool(number[1] & 0x80)
