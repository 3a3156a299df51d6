"""Typed envelopes (EIP-2718): transactions and receipts of types 0 to 4, and how an unknown type is said.

A type newer than this code cannot be encoded, so nothing about its block can be recomputed. That lowers what the
history of the block is worth; it is never skipped over.
"""

from __future__ import annotations

from typing import Final

from chains.evm.header import JsonObject
from chains.evm.quantity import quantity
from chains.evm.rlp_encoding import wrap_list

LEGACY: Final = 0
ACCESS_LIST: Final = 1
"""EIP-2930"""
DYNAMIC_FEE: Final = 2
"""EIP-1559"""
BLOB: Final = 3
"""EIP-4844"""
SET_CODE: Final = 4
"""EIP-7702"""
DEPOSIT: Final = 0x7E
"""Of rollups of the OP family: sent on layer 1; it may mint coins for its sender, and pays no fee."""


class UnknownType(Exception):
    """A transaction or receipt of a type that this version cannot encode. Caught where blocks are checked."""

    def __init__(self, number: int) -> None:
        super().__init__(f"type {number:#x}")
        self.number = number


def envelope_type(item: JsonObject) -> int:
    """The type of a transaction or receipt. Nodes from before EIP-2718 give none, which means legacy."""
    value = item.get("type")
    return LEGACY if value is None else quantity(value)


def known_envelope_type(item: JsonObject) -> int:
    """The type of a transaction or receipt, one of 0 to 4; raises `UnknownType` for others."""
    number = envelope_type(item)
    if number > SET_CODE:
        raise UnknownType(number)
    return number


def envelope(number: int, body: bytes) -> bytes:
    """The bytes that are hashed: the type, then the RLP of the list; legacy has no type byte."""
    return wrap_list(body) if number == LEGACY else bytes((number,)) + wrap_list(body)
