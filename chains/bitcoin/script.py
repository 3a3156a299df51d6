"""Addresses and the output scripts they stand for, strictly per network.

What a chain holds is locked by scripts; an address is only a way to write one. The ledger matches scripts, byte by
byte, so two spellings of an address are one holding, and an output that has no address is nobody's by mistake.

    P2PKH, P2SH            Base58Check (BIP-13)
    witness version 0      Bech32 (BIP-173): P2WPKH of 20 bytes, P2WSH of 32
    witness version 1-16   Bech32m (BIP-350): taproot is version 1 with 32 bytes; the others are valid to pay to,
                           2 to 40 bytes, whoever may spend them (pay-to-anchor is version 1 with 2 bytes)
"""

from __future__ import annotations

from typing import Final

from chains.bitcoin import base58, bech32
from chains.bitcoin.bech32 import Encoding
from chains.bitcoin.networks import NETWORKS, Network
from chains.errors import InvalidValue
from chains.types import Address

OP_0: Final = 0x00
OP_1: Final = 0x51
OP_16: Final = 0x60
PROGRAM_BYTES_MIN: Final = 2
PROGRAM_BYTES_MAX: Final = 40


class WrongNetwork(InvalidValue):
    """A good address, of another network."""

    code = "wrong-network"
    advice = "Give the address that the wallet has on this chain; test addresses hold nothing of value."


def script_of_address(network: Network, text: str) -> bytes:
    """The output script that an address of this network stands for.

    Raises `WrongNetwork` for an address of another network and `InvalidValue` for what is no address at all.
    """
    if _looks_like_segwit(text):
        return _script_of_segwit(network, text)
    payload = base58.decode(text)
    version, program = payload[0], payload[1:]
    if len(program) != 20:
        raise InvalidValue(f"{text!r} holds {len(program)} bytes; an address holds 20")
    if version == network.p2pkh_version:
        return p2pkh_script(program)
    if version == network.p2sh_version:
        return p2sh_script(program)
    others = [each.name for each in NETWORKS if version in (each.p2pkh_version, each.p2sh_version)]
    raise _not_of(network, text, others)


def address_of_script(network: Network, script: bytes) -> Address | None:
    """The address of an output script; None where it has none (bare keys and multisig, OP_RETURN, anything odd)."""
    length = len(script)
    if length == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac":
        return Address(base58.encode(bytes([network.p2pkh_version]) + script[3:23]))
    if length == 23 and script[:2] == b"\xa9\x14" and script[22] == 0x87:
        return Address(base58.encode(bytes([network.p2sh_version]) + script[2:22]))
    program = witness_program(script)
    if program is None or not _is_addressable(*program):
        return None
    version, raw = program
    encoding = Encoding.BECH32M if version else Encoding.BECH32
    return Address(bech32.encode(network.bech32_prefix, bech32.ALPHABET[version] + bech32.data_of(raw), encoding))


def canonical_address(network: Network, text: str) -> Address:
    """The one spelling of an address: lower case for segwit, unchanged otherwise. Raises as `script_of_address`."""
    address = address_of_script(network, script_of_address(network, text))
    assert address is not None, "the script of an address has an address"
    return address


def witness_program(script: bytes) -> tuple[int, bytes] | None:
    """Version and program of a witness output script (BIP-141); None for every other script."""
    if not 4 <= len(script) <= 42 or script[1] != len(script) - 2:
        return None
    if script[0] == OP_0:
        return 0, script[2:]
    if OP_1 <= script[0] <= OP_16:
        return script[0] - OP_1 + 1, script[2:]
    return None


def p2pkh_script(key_hash: bytes) -> bytes:
    """Pay to the HASH160 of a key."""
    return b"\x76\xa9\x14" + key_hash + b"\x88\xac"


def p2sh_script(script_hash: bytes) -> bytes:
    """Pay to the HASH160 of a script."""
    return b"\xa9\x14" + script_hash + b"\x87"


def witness_script(version: int, program: bytes) -> bytes:
    """The output script of a witness program; raise `InvalidValue` where BIP-141 knows none such."""
    if not 0 <= version <= 16 or not PROGRAM_BYTES_MIN <= len(program) <= PROGRAM_BYTES_MAX:
        raise InvalidValue(f"no witness program of version {version} with {len(program)} bytes")
    return bytes([OP_1 + version - 1 if version else OP_0, len(program)]) + program


def _looks_like_segwit(text: str) -> bool:
    """Whether the part before the last `1` is a network's prefix; Base58 has no such texts of 25 bytes."""
    prefix, separator, _ = text.lower().rpartition("1")
    return bool(separator) and (prefix in _PREFIXES or len(text) > 35)


_PREFIXES: Final = frozenset(network.bech32_prefix for network in NETWORKS)


def _script_of_segwit(network: Network, text: str) -> bytes:
    prefix, data, encoding = bech32.decode(text)
    if prefix != network.bech32_prefix:
        raise _not_of(network, text, [each.name for each in NETWORKS if each.bech32_prefix == prefix])
    if not data:
        raise InvalidValue(f"{text!r} has no witness version")
    version = bech32.value_of(data[0])
    program = bech32.bytes_of(data[1:])
    if version > 16 or not _is_addressable(version, program):
        raise InvalidValue(f"{text!r}: no witness program of version {version} with {len(program)} bytes")
    if encoding is not (Encoding.BECH32M if version else Encoding.BECH32):
        wanted = "Bech32m" if version else "Bech32"
        raise InvalidValue(f"{text!r} has the wrong kind of checksum; version {version} is written in {wanted}")
    return witness_script(version, program)


def _is_addressable(version: int, program: bytes) -> bool:
    if version == 0:
        return len(program) in (20, 32)
    return PROGRAM_BYTES_MIN <= len(program) <= PROGRAM_BYTES_MAX


def _not_of(network: Network, text: str, others: list[str]) -> InvalidValue:
    if not others:
        return InvalidValue(f"{text!r} is no Bitcoin address: its prefix belongs to no network known here")
    return WrongNetwork(f"{text!r} is an address of {', '.join(others)}, not of {network.name}")
