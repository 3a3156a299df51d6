"""A stand-in for the deployed Multicall3 on a devnet, with the part of its interface that reading balances needs.

The project's Multicall3 in Vyper is made for tests: its fixed arrays cost 1.5 million gas in every call. This one is
lean, so that what is measured is the node and the codec; it was not compared with the deployed bytecode. It takes call
data of at most 64 bytes in the packed layout that `chains.evm.multicall3` sends, and refuses answers longer than a
word.
"""

from __future__ import annotations

from typing import Final

from chains.evm import abi
from chains.evm.assembler import assemble

_OUT: Final = 0x40
"""Where the output begins in memory; before it the call data of one inner call."""
_HEADS: Final = _OUT + 64
"""Where the offsets begin in memory; they count from here."""

_GETTERS: Final = {
    abi.GET_ETH_BALANCE: "PUSH 4 CALLDATALOAD BALANCE",
    abi.GET_BLOCK_NUMBER: "NUMBER",
    abi.GET_BLOCK_HASH: "PUSH 4 CALLDATALOAD BLOCKHASH",
    abi.GET_CHAIN_ID: "CHAINID",
    abi.GET_TIMESTAMP: "TIMESTAMP",
}

_AGGREGATE: Final = f"""
    @aggregate
    PUSH 32 PUSH {_OUT} MSTORE
    PUSH 36 CALLDATALOAD DUP1 PUSH {_OUT + 32} MSTORE
    PUSH 5 SHL                                      ; heads: length of all offsets
    PUSH 0 DUP2 PUSH {_HEADS} ADD                   ; heads place out
    @next
    DUP3 DUP3 LT ISZERO PUSH @done JUMPI
    PUSH {_HEADS} DUP2 SUB
    DUP3 PUSH {_HEADS} ADD MSTORE                   ; the offset of this result
    DUP2 PUSH 68 ADD CALLDATALOAD PUSH 68 ADD       ; heads place out call
    DUP1 PUSH 128 ADD CALLDATALOAD PUSH 0 MSTORE
    DUP1 PUSH 160 ADD CALLDATALOAD PUSH 32 MSTORE
    PUSH 32 DUP3 PUSH 96 ADD                        ; the answer goes straight into the output
    DUP3 PUSH 96 ADD CALLDATALOAD PUSH 0
    DUP5 CALLDATALOAD GAS STATICCALL                ; heads place out call success
    DUP1 DUP3 PUSH 32 ADD CALLDATALOAD OR ISZERO PUSH @refuse JUMPI
    PUSH 32 RETURNDATASIZE GT PUSH @refuse JUMPI
    DUP3 MSTORE POP                                 ; heads place out
    PUSH 64 DUP2 PUSH 32 ADD MSTORE
    RETURNDATASIZE DUP2 PUSH 64 ADD MSTORE
    RETURNDATASIZE ISZERO ISZERO PUSH 5 SHL PUSH 96 ADD ADD
    SWAP1 PUSH 32 ADD SWAP1 PUSH @next JUMP
    @done
    PUSH {_OUT} DUP2 SUB PUSH {_OUT} RETURN
    @word
    PUSH 0 MSTORE PUSH 32 PUSH 0 RETURN
    @refuse
    PUSH 0 PUSH 0 REVERT
"""


def lean_multicall3() -> bytes:
    """The program, to be placed as code."""
    selectors = {abi.AGGREGATE3: "@aggregate", **{name: f"@g{name.hex()}" for name in _GETTERS}}
    parts = ["PUSH 0 CALLDATALOAD PUSH 224 SHR"]
    parts += [f"DUP1 PUSH 0x{name.hex()} EQ PUSH {label} JUMPI" for name, label in selectors.items()]
    parts += ["PUSH @refuse JUMP"]
    parts += [f"@g{name.hex()} {source} PUSH @word JUMP" for name, source in _GETTERS.items()]
    return assemble("\n".join([*parts, _AGGREGATE]))
