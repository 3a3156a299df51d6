"""Reading balances with one plain request for each, in JSON-RPC batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chains.errors import ChainMoved, MalformedAnswer, ReadError
from chains.evm import abi
from chains.evm.quantity import data, quantity
from chains.evm.strategy import (
    REVERTED,
    WRONG_LENGTH,
    Chunk,
    ChunkResult,
    ReadFailure,
    Value,
    balance_question,
    is_contract_failure,
    pinned,
)
from chains.jsonrpc import RpcCall


class Batch:
    """One plain request per balance, in JSON-RPC batches. The pin by hash is all that ties it to the block."""

    name = "batch"

    def holders_max(self, tokens: int) -> int:
        return max(1, 3_000 // (tokens + 1))

    def holders_first(self, tokens: int) -> int:
        return max(1, 1_500 // (tokens + 1))

    def requests(self, chunk: Chunk) -> list[RpcCall]:
        block = pinned(chunk.block)
        calls: list[RpcCall] = []
        if chunk.native:
            calls.extend(RpcCall("eth_getBalance", (abi.hex_text(holder), block)) for holder in chunk.holders)
        for token in chunk.tokens:
            for holder in chunk.holders:
                contract, call_data = balance_question(token, abi.address_word(holder))
                call = {"to": abi.hex_text(contract), "data": abi.hex_text(call_data)}
                calls.append(RpcCall("eth_call", (call, block)))
        return calls

    def decode(self, chunk: Chunk, answers: Sequence[object]) -> ChunkResult:
        holders = len(chunk.holders)
        native: list[Value] = []
        if chunk.native:
            native = [_single_value(answer, quantity) for answer in answers[:holders]]
            answers = answers[holders:]
        tokens = tuple(
            [_single_value(answer, _call_word) for answer in answers[place : place + holders]]
            for place in range(0, len(answers), holders)
        )
        return ChunkResult(done=holders, native=native, tokens=tokens)


def _call_word(answer: object) -> int:
    returned = data(answer)
    if len(returned) != 32:
        raise _NotOneWord
    return int.from_bytes(returned, "big")


class _NotOneWord(Exception):
    """A contract answered with something else than one word."""


def _single_value(answer: object, decode: Callable[[object], int]) -> Value:
    if isinstance(answer, ChainMoved):
        raise answer  # every other value of this block is void too
    if isinstance(answer, ReadError):
        return REVERTED if is_contract_failure(answer) else ReadFailure(answer.code, str(answer))
    try:
        return decode(answer)
    except _NotOneWord:
        return WRONG_LENGTH
    except MalformedAnswer as error:
        return ReadFailure(error.code, str(error))
