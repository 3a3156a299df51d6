"""Where contracts keep a mapping's values: storage slots by the rules of Solidity and Vyper, and packed fields.

A slot is an integer of 256 bits. Keys are the 32-byte words of the ABI (`chains.evm.abi.address_word` for an address).
A mapping in a mapping: the slot of the outer entry is the slot of the inner mapping. Sources: Solidity documentation,
"Layout of State Variables in Storage"; Vyper hashes the same two words the other way round; ERC-7201.
"""

from __future__ import annotations

from chains.errors import InvalidValue
from chains.evm.abi import word
from chains.evm.keccak import keccak256


def solidity_mapping_slot(mapping_slot: int, key: bytes) -> int:
    """The slot of an entry of a Solidity mapping declared at this slot, under a value-type key."""
    return int.from_bytes(keccak256(_key_word(key) + _slot_word(mapping_slot)), "big")


def vyper_mapping_slot(mapping_slot: int, key: bytes) -> int:
    """The slot of an entry of a Vyper HashMap declared at this slot, under a value-type key."""
    return int.from_bytes(keccak256(_slot_word(mapping_slot) + _key_word(key)), "big")


def namespace_slot(namespace: str) -> int:
    """The first slot of a namespace of ERC-7201, such as `openzeppelin.storage.ERC20`."""
    inner = int.from_bytes(keccak256(namespace.encode()), "big") - 1
    return int.from_bytes(keccak256(word(inner)), "big") & ~0xFF


def packed_field(stored: int, first_bit: int, bits: int) -> int:
    """The unsigned field of so many bits in a storage word, counted from the lowest bit; the rest is masked away."""
    if not 0 <= stored < 1 << 256:
        raise InvalidValue("a storage word is 0 to 2**256 - 1")
    if first_bit < 0 or bits < 1 or first_bit + bits > 256:
        raise InvalidValue("a packed field lies within bits 0 to 255 and has at least one")
    return stored >> first_bit & ((1 << bits) - 1)


def _slot_word(slot: int) -> bytes:
    if not 0 <= slot < 1 << 256:
        raise InvalidValue("a storage slot is 0 to 2**256 - 1")
    return word(slot)


def _key_word(key: bytes) -> bytes:
    if len(key) != 32:
        raise InvalidValue("a mapping's key is one word of 32 bytes")
    return key
