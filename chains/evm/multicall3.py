"""Reading balances through the deployed Multicall3 contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chains.errors import MalformedAnswer
from chains.evm import abi
from chains.evm.scanner import Echo
from chains.evm.strategy import (
    REVERTED,
    WRONG_LENGTH,
    Chunk,
    ChunkResult,
    Value,
    balance_question,
    check_echo,
    only_answer,
    pinned,
)
from chains.jsonrpc import RpcCall

MULTICALL3_ADDRESS: Final = bytes.fromhex("ca11bde05977b3631167028862be2a173976ca11")
"""Where Multicall3 stands on almost every chain (it was deployed by a transaction that is valid on all of them)."""


_ARGUMENT_BYTES: Final = 36
"""Call data of a function with one argument."""


def _multicall_data(calls: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Call data of aggregate3 for (target, call data) pairs, each call data padded to the room of the longest.

    Equal room makes every tuple equally long, so that all offsets are a multiplication. A getter without arguments
    ignores that it is called with an argument's length.
    """
    count = len(calls)
    room = -(-max(len(call_data) for _, call_data in calls) // 32) * 32
    step = 128 + room
    parts = [abi.AGGREGATE3, abi.word(32), abi.word(count)]
    parts.extend(abi.word(32 * count + step * number) for number in range(count))
    allow_failure, offset = abi.word(1), abi.word(96)
    for target, call_data in calls:
        length = abi.word(max(_ARGUMENT_BYTES, len(call_data)))
        parts.extend((abi.address_word(target), allow_failure, offset, length, call_data.ljust(room, b"\0")))
    return b"".join(parts)


def _multicall_results(output: bytes, count: int) -> list[bytes | None]:
    """The returned bytes of each call of an aggregate3, None for a failed one; `MalformedAnswer` for another form."""

    def word_at(place: int) -> int:
        if not 0 <= place <= len(output) - 32:
            raise MalformedAnswer("the aggregate3 output points beyond its end")
        return int.from_bytes(output[place : place + 32], "big")

    if word_at(0) != 32 or word_at(32) != count:
        raise MalformedAnswer(f"the aggregate3 output does not hold {count} results")
    results: list[bytes | None] = []
    for number in range(count):
        start = 64 + word_at(64 + 32 * number)
        success, offset, length = word_at(start), word_at(start + 32), word_at(start + 64)
        if success > 1 or offset != 64 or start + 96 + length > len(output):
            raise MalformedAnswer("a result of aggregate3 is malformed")
        results.append(output[start + 96 : start + 96 + length] if success else None)
    return results


def _word_value(returned: bytes | None) -> Value:
    if returned is None:
        return REVERTED
    return int.from_bytes(returned, "big") if len(returned) == 32 else WRONG_LENGTH


class Multicall3:
    """The deployed Multicall3 contract, which also tells block and chain by its own getters."""

    name = "multicall3"

    def holders_max(self, tokens: int) -> int:
        return max(1, 1_500 // (tokens + 1))

    def holders_first(self, tokens: int) -> int:
        return max(1, 500 // (tokens + 1))

    def requests(self, chunk: Chunk) -> list[RpcCall]:
        this, height = MULTICALL3_ADDRESS, chunk.block.height
        calls = [
            (this, abi.GET_CHAIN_ID),
            (this, abi.GET_BLOCK_NUMBER),
            (this, abi.GET_TIMESTAMP),
            # The first block has no parent to ask for; another getter keeps its place.
            (this, abi.GET_BLOCK_HASH + abi.word(height - 1) if height else abi.GET_CHAIN_ID),
        ]
        words = [abi.address_word(holder) for holder in chunk.holders]
        if chunk.native:
            calls.extend((this, abi.GET_ETH_BALANCE + holder) for holder in words)
        for token in chunk.tokens:
            calls.extend(balance_question(token, holder) for holder in words)
        call = {"to": abi.hex_text(this), "data": abi.hex_text(_multicall_data(calls))}
        return [RpcCall("eth_call", (call, pinned(chunk.block)))]

    def decode(self, chunk: Chunk, answers: Sequence[object]) -> ChunkResult:
        holders = len(chunk.holders)
        columns = len(chunk.tokens) + chunk.native
        values = [_word_value(result) for result in _multicall_results(only_answer(answers), 4 + holders * columns)]
        echoed = [value for value in values[:4] if isinstance(value, int)]
        if len(echoed) != 4:
            raise MalformedAnswer("Multicall3 does not answer its own getters")
        chain_number, height, timestamp, parent = echoed
        if chunk.block.height == 0:
            parent = int(chunk.block.parent_hash, 16)
        check_echo(Echo(chain_number, height, timestamp, f"0x{parent:064x}"), chunk.block)
        by_column = [values[place : place + holders] for place in range(4, len(values), holders)]
        return ChunkResult(
            done=holders,
            native=by_column.pop(0) if chunk.native else (),
            tokens=tuple(by_column),
        )
