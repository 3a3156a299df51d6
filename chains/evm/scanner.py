"""The balance scanner: a small EVM program that reads many balances inside one `eth_call`.

It is never deployed. It runs either in the place of an account (`eth_call` with a state override: input is the call
data, output of any length) or as the creation code of a call without receiver (`initcode`: input behind the code,
output at most 24,576 bytes). One call costs the node the reading alone, not a request per balance.

Input: packed 20-byte holder addresses. The tokens are constants of the program: a contract (ERC-20), or a contract
and the word of an id (ERC-1155). Output:

    word 0  CHAINID                         words 0 to 3 are what the EVM itself says about where it runs; they are
    word 1  NUMBER                          compared with the pin, so a node that reads at another block is noticed
    word 2  TIMESTAMP
    word 3  BLOCKHASH(NUMBER - 1)
    word 4  GAS at the start
    word 5  GAS at the end
    word 6  count of holders done: fewer than given when the gas ran low; the caller asks again for the rest
    then for each holder done
        1 byte   0x10 + account kind: 0 never used, 1 no code (EOA), 2 contract, 3 delegated EOA (EIP-7702)
        word     native balance
        then for each token
            1 byte   status: 1 good, 0xe0 reverted or used up its gas, 0xe1 not 32 bytes, 0xe2 no code there
            word     balanceOf(holder) or balanceOf(holder, id), meaningless unless the status is 1

A token call gets `TOKEN_GAS_MAX` and never more: by the 63/64 rule a token that burns everything would starve all
after it. Before each call there must be enough gas left that the cap is the cap, so that running low is never
mistaken for a revert; when it is not, the program ends early with what it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final

from chains.errors import MalformedAnswer
from chains.evm.abi import BALANCE_OF, BALANCE_OF_ID
from chains.evm.assembler import assemble
from chains.evm.keccak import EMPTY_CODE_HASH, keccak256

TOKEN_GAS_MAX: Final = 400_000
"""Most gas one balanceOf may use. Plain tokens need 3,000 to 10,000, the heaviest rebasing ones under 200,000."""
HEADER_WORDS: Final = 7
HEADER_BYTES: Final = HEADER_WORDS * 32
TOKENS_PER_PROGRAM_MAX: Final = 64
"""Keeps the program small against the limit of creation code (49,152 bytes, EIP-3860)."""
CONTRACT_BYTES: Final = 20
TOKEN_BYTES: Final = (CONTRACT_BYTES, CONTRACT_BYTES + 32)
CREATED_BYTES_MAX: Final = 24_576
"""Largest output of creation code (EIP-170)."""
SCANNER_ADDRESS: Final = keccak256(b"custody-verifier balance scanner")[12:]
"""Where the state override puts the program: an address nobody can have a key for."""


class AccountKind(IntEnum):
    """What stands at an address."""

    NEVER_USED = 0
    EOA = 1
    CONTRACT = 2
    DELEGATED = 3
    """An EOA whose code points to a contract (EIP-7702): others may move its funds while its nonce stands still."""


# Memory: 0x00-0x23 balanceOf call data (selector, holder word), 0x40 scratch for results, 0x80-0xc3 call data of
# balanceOf with an id (selector, holder word, id), 0x100… output.
_OUT: Final = 0x100
_INPUT_COPY: Final = _OUT + CREATED_BYTES_MAX + 64
"""Where creation code copies its input: behind the largest output it may have."""
_END_GAS: Final = 60_000
_DEPOSIT_GAS: Final = 200 * CREATED_BYTES_MAX
"""What a node charges for storing the output of creation code as if it were a contract."""

_START: Final = f"""
    CHAINID                   PUSH {_OUT} MSTORE
    NUMBER                    PUSH {_OUT + 32} MSTORE
    TIMESTAMP                 PUSH {_OUT + 64} MSTORE
    PUSH 1 NUMBER SUB BLOCKHASH PUSH {_OUT + 96} MSTORE
    GAS                       PUSH {_OUT + 128} MSTORE
    PUSH 0x{BALANCE_OF.hex()} PUSH 224 SHL PUSH 0 MSTORE
"""
_START_ID: Final = f"PUSH 0x{BALANCE_OF_ID.hex()} PUSH 224 SHL PUSH 0x80 MSTORE"

# What follows keeps three things on the stack, bottom to top: end of input, place in input, place in output.
_INPUT_CALLDATA: Final = f"CALLDATASIZE PUSH 0 PUSH {_OUT + HEADER_BYTES}"
_LOAD_CALLDATA: Final = "DUP2 CALLDATALOAD"
_INPUT_BEHIND_CODE: Final = f"""
    PUSH @@end CODESIZE SUB                     ; length
    DUP1 PUSH @@end PUSH {_INPUT_COPY} CODECOPY
    PUSH {_INPUT_COPY} ADD
    PUSH {_INPUT_COPY}
    PUSH {_OUT + HEADER_BYTES}
"""
_LOAD_BEHIND_CODE: Final = "DUP2 MLOAD"

_HOLDER: Final = f"""
    @holder
    DUP3 DUP3 LT ISZERO PUSH @done JUMPI        ; place = end: done
    %GAS_CHECK%
    %LOAD% PUSH 96 SHR                          ; … out holder
    DUP1 PUSH 4 MSTORE                          ; behind the selector
    %HOLDER_ID%
    DUP1 BALANCE                                ; … out holder balance
    DUP2 EXTCODEHASH                            ; … out holder balance codehash
    DUP1 PUSH 0x{EMPTY_CODE_HASH.hex()} EQ
    PUSH 0x10 ADD                               ; … codehash kind: 0x11 no code, 0x10 never used or code
    DUP2 ISZERO DUP2 PUSH 0x11 EQ OR
    PUSH @kind JUMPI                            ; no code hash at all, or that of no code: decided
    POP                                         ; it has code: a contract or a delegated account
    PUSH 0 PUSH 0x40 MSTORE
    PUSH 3 PUSH 0 PUSH 0x40 DUP6 EXTCODECOPY    ; its first three bytes
    PUSH 0x40 MLOAD PUSH 232 SHR PUSH 0xef0100 EQ
    DUP4 EXTCODESIZE PUSH 23 EQ AND             ; 1 when delegated
    PUSH 0x12 ADD
    @kind
    DUP5 MSTORE8 POP                            ; … out holder balance
    DUP3 PUSH 1 ADD MSTORE POP                  ; … out
    PUSH 33 ADD
"""

_GAS_CHECK: Final = "PUSH %RESERVE% GAS LT PUSH @done JUMPI"

_HOLDER_ID: Final = "DUP1 PUSH 0x84 MSTORE"
_SET_ID: Final = "PUSH 0x%NUMBER% PUSH 0xa4 MSTORE"

_TOKEN: Final = f"""
    {_GAS_CHECK}
    %SET_ID%
    PUSH 32 PUSH 0x40 %DATA% PUSH 0x%TOKEN% PUSH {TOKEN_GAS_MAX} STATICCALL
    DUP1 PUSH 32 RETURNDATASIZE EQ AND          ; … out success status: 1 succeeded with exactly one word
    DUP1 PUSH @store%N% JUMPI
    POP DUP1 PUSH @returned%N% JUMPI
    PUSH 0xe0 PUSH @store%N% JUMP
    @returned%N%
    PUSH 0x%TOKEN% EXTCODESIZE ISZERO PUSH 0xe1 ADD
    @store%N%
    DUP3 MSTORE8 POP                            ; … out
    PUSH 0x40 MLOAD DUP2 PUSH 1 ADD MSTORE
    PUSH 33 ADD
"""

_NEXT_HOLDER: Final = "SWAP1 PUSH 20 ADD SWAP1 PUSH @holder JUMP"

_DONE: Final = f"""
    @done                                       ; also when the gas ran low in the middle of a holder
    PUSH %INPUT_START% DUP3 SUB PUSH 20 SWAP1 DIV
    DUP1 PUSH {_OUT + 192} MSTORE               ; holders done
    GAS PUSH {_OUT + 160} MSTORE
    PUSH %RECORD% MUL PUSH {HEADER_BYTES} ADD PUSH {_OUT} RETURN
"""


def record_bytes(token_count: int) -> int:
    """Output bytes for each holder."""
    return 33 * (1 + token_count)


def scanner_source(tokens: Sequence[bytes], *, creation: bool) -> str:
    """The program's source for these tokens, for a state override or as creation code."""
    reserve = _END_GAS + (_DEPOSIT_GAS if creation else 0)
    if tokens:
        # 63/64 of what is left must be at least the cap, or the cap would not be what the token really got.
        reserve += TOKEN_GAS_MAX * 64 // 63 + 1
    by_id = any(token[CONTRACT_BYTES:] for token in tokens)
    parts = [_START, _START_ID if by_id else "", _INPUT_BEHIND_CODE if creation else _INPUT_CALLDATA]
    holder = _HOLDER.replace("%GAS_CHECK%", "" if tokens else _GAS_CHECK)
    parts.append(holder.replace("%HOLDER_ID%", _HOLDER_ID if by_id else ""))
    parts.extend(_token_source(token, number) for number, token in enumerate(tokens))
    parts.extend((_NEXT_HOLDER, _DONE))
    return (
        "\n".join(parts)
        .replace("%LOAD%", _LOAD_BEHIND_CODE if creation else _LOAD_CALLDATA)
        .replace("%RESERVE%", str(reserve))
        .replace("%INPUT_START%", str(_INPUT_COPY if creation else 0))
        .replace("%RECORD%", str(record_bytes(len(tokens))))
    )


def _token_source(token: bytes, number: int) -> str:
    contract, token_id = token[:CONTRACT_BYTES], token[CONTRACT_BYTES:]
    return (
        _TOKEN.replace("%SET_ID%", _SET_ID.replace("%NUMBER%", token_id.hex()) if token_id else "")
        .replace("%DATA%", "PUSH 68 PUSH 0x80" if token_id else "PUSH 36 PUSH 0")
        .replace("%TOKEN%", contract.hex())
        .replace("%N%", str(number))
    )


@lru_cache(maxsize=64)
def scanner_program(tokens: tuple[bytes, ...], *, creation: bool = False) -> bytes:
    """The assembled program for these tokens. Raises ValueError for more than `TOKENS_PER_PROGRAM_MAX`."""
    if len(tokens) > TOKENS_PER_PROGRAM_MAX or any(len(token) not in TOKEN_BYTES for token in tokens):
        raise ValueError(
            f"a scanner program takes up to {TOKENS_PER_PROGRAM_MAX} tokens: addresses of 20 bytes, or with an id of 32"
        )
    return assemble(scanner_source(tokens, creation=creation))


@dataclass(frozen=True, slots=True)
class Echo:
    """Where the EVM itself says it ran."""

    chain_number: int
    height: int
    timestamp: int
    parent_hash: str


@dataclass(frozen=True, slots=True)
class ScannerOutput:
    """The decoded output of one scanner call."""

    echo: Echo
    gas_start: int
    gas_used: int
    done: int
    """Holders read; the rest must be asked for again."""
    columns: tuple[tuple[bytes, list[int]], ...]
    """First the native column, then one for each token: the kind or status byte and the word of each holder done."""


def decode_output(output: bytes, holder_count: int, token_count: int) -> ScannerOutput:
    """Decode the output of a scanner call for so many holders and tokens; `MalformedAnswer` when it cannot be one."""
    if len(output) < HEADER_BYTES:
        raise MalformedAnswer(f"the scanner's output has {len(output)} bytes, fewer than its header")
    words = [int.from_bytes(output[place : place + 32], "big") for place in range(0, HEADER_BYTES, 32)]
    chain_number, height, timestamp, parent_hash, gas_start, gas_end, done = words
    if done > holder_count or len(output) != HEADER_BYTES + done * record_bytes(token_count) or gas_end > gas_start:
        raise MalformedAnswer("the scanner's output does not have the form of its program")
    step, end = record_bytes(token_count), len(output)
    from_bytes = int.from_bytes
    columns = []
    for start in range(HEADER_BYTES, HEADER_BYTES + step, 33):
        # By column, and nothing but numbers: a tuple for each record would cost more than all else.
        words_of_column = [from_bytes(output[place : place + 32], "big") for place in range(start + 1, end, step)]
        columns.append((output[start::step], words_of_column))
    return ScannerOutput(
        echo=Echo(chain_number, height, timestamp, f"0x{parent_hash:064x}"),
        gas_start=gas_start,
        gas_used=gas_start - gas_end,
        done=done,
        columns=tuple(columns),
    )
