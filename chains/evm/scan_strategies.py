"""Reading balances with the scanner program, by state override or as creation code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chains.errors import MalformedAnswer
from chains.evm import abi
from chains.evm.scanner import (
    CREATED_BYTES_MAX,
    HEADER_BYTES,
    SCANNER_ADDRESS,
    AccountKind,
    decode_output,
    record_bytes,
    scanner_program,
)
from chains.evm.strategy import (
    NO_CODE,
    REVERTED,
    WRONG_LENGTH,
    Chunk,
    ChunkResult,
    Value,
    check_echo,
    only_answer,
    pinned,
)
from chains.jsonrpc import RpcCall

ANSWER_BYTES_TARGET: Final = 2_000_000
"""Largest output a chunk is sized for; nodes and their proxies limit bodies."""
_GOOD: Final = 1
_KINDS: Final = {0x10 + kind: kind for kind in AccountKind}
_SCANNER_FAILURES: Final = {0xE0: REVERTED, 0xE1: WRONG_LENGTH, 0xE2: NO_CODE}


def _decode_scan(chunk: Chunk, output: bytes) -> ChunkResult:
    result = decode_output(output, len(chunk.holders), len(chunk.tokens))
    check_echo(result.echo, chunk.block)
    (kind_bytes, native), *token_columns = result.columns
    try:
        kinds = [_KINDS[kind] for kind in kind_bytes]
        tokens = tuple(_with_failures(statuses, words) for statuses, words in token_columns)
    except KeyError:
        raise MalformedAnswer("the scanner's output has an unknown account kind or status") from None
    return ChunkResult(
        done=result.done,
        native=native if chunk.native else (),
        tokens=tokens,
        kinds=kinds,
        # Four fifths of what would fit: another token or holder may need more, and a full chunk is asked twice.
        holders_fit=result.gas_start * result.done * 4 // (5 * result.gas_used) if result.gas_used else 0,
    )


def _with_failures(statuses: bytes, words: list[int]) -> Sequence[Value]:
    """The words of a column, a failure in the place of each whose status is not good."""
    if statuses.count(_GOOD) == len(statuses):
        return words
    return [
        word if status == _GOOD else _SCANNER_FAILURES[status] for status, word in zip(statuses, words, strict=True)
    ]


class StateOverride:
    """The scanner program put in the place of an account by the third parameter of eth_call."""

    name = "state-override"

    def holders_max(self, tokens: int) -> int:
        return max(1, min(4_000, ANSWER_BYTES_TARGET // record_bytes(tokens)))

    def holders_first(self, tokens: int) -> int:
        return min(2_000, self.holders_max(tokens))

    def requests(self, chunk: Chunk) -> list[RpcCall]:
        call = {"to": abi.hex_text(SCANNER_ADDRESS), "data": abi.hex_text(b"".join(chunk.holders))}
        override = {abi.hex_text(SCANNER_ADDRESS): {"code": abi.hex_text(scanner_program(chunk.tokens))}}
        return [RpcCall("eth_call", (call, pinned(chunk.block), override))]

    def decode(self, chunk: Chunk, answers: Sequence[object]) -> ChunkResult:
        return _decode_scan(chunk, only_answer(answers))


class Initcode:
    """The scanner program as the creation code of a call without receiver ("deployless")."""

    name = "initcode"

    def holders_max(self, tokens: int) -> int:
        return max(1, (CREATED_BYTES_MAX - HEADER_BYTES) // record_bytes(tokens))

    def holders_first(self, tokens: int) -> int:
        return self.holders_max(tokens)

    def requests(self, chunk: Chunk) -> list[RpcCall]:
        code = scanner_program(chunk.tokens, creation=True) + b"".join(chunk.holders)
        return [RpcCall("eth_call", ({"data": abi.hex_text(code)}, pinned(chunk.block)))]

    def decode(self, chunk: Chunk, answers: Sequence[object]) -> ChunkResult:
        return _decode_scan(chunk, only_answer(answers))
