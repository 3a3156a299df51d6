"""Code of tokens that know `balanceOf` and nothing else, whatever they are asked: one for each way of keeping it."""

from __future__ import annotations

from typing import Final

from chains.evm.abi import word

_ARGUMENT: Final = bytes.fromhex("600435")
_SLOT_OF_64_BYTES: Final = bytes.fromhex("6040600020")
_RETURN: Final = bytes.fromhex("60005260206000f3")
SLOAD, MUL, AND = b"\x54", b"\x02", b"\x16"


def push(value: int) -> bytes:
    return b"\x7f" + word(value)


def store(offset: int) -> bytes:
    return bytes((0x60, offset, 0x52))


def field(first_bit: int, bits: int) -> bytes:
    """Cut a field out of the word on the stack."""
    return push(first_bit) + b"\x1c" + push((1 << bits) - 1) + AND


def solidity_token(slot: int, then: bytes = b"") -> bytes:
    """A mapping of Solidity at this slot; `then` is done with the stored word."""
    return _ARGUMENT + store(0) + push(slot) + store(32) + _SLOT_OF_64_BYTES + SLOAD + then + _RETURN


def vyper_token(slot: int) -> bytes:
    return _ARGUMENT + store(32) + push(slot) + store(0) + _SLOT_OF_64_BYTES + SLOAD + _RETURN


def seeded_token(seed: int) -> bytes:
    return push(seed) + store(12) + _ARGUMENT + store(0) + bytes.fromhex("6020600c20") + SLOAD + _RETURN


def times_word(slot: int) -> bytes:
    """Multiply by the word in another slot: an index."""
    return push(slot) + SLOAD + MUL


def proxy(slot: int) -> bytes:
    """Runs the code of the contract whose address stands in a slot, in its own storage."""
    call = bytes.fromhex("60006000366000") + push(slot) + SLOAD + bytes.fromhex("5af4")
    return bytes.fromhex("366000600037") + call + bytes.fromhex("503d600060003e3d6000f3")


def asks_elsewhere(contract: bytes) -> bytes:
    """Passes the question on to another contract, in that one's storage."""
    call = bytes.fromhex("60206000366000") + b"\x73" + contract + bytes.fromhex("5afa50")
    return bytes.fromhex("366000600037") + call + bytes.fromhex("60206000f3")
