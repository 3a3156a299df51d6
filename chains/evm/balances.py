"""Reading many balances at one pinned block: which requests, how large, and what to do when one fails.

Holdings are grouped into rectangles (addresses that hold the same assets), each read chunk by chunk with the best
strategy the node is known to have. A chunk that is too large is halved; a strategy that fails gives way to the next
for what is still unread. What fails for one balance is that balance's failure alone. Only an answer that voids the
whole block (`ChainMoved`, `WrongBlock`) stops everything, as does having read nothing at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from chains.errors import (
    ChainMoved,
    MalformedAnswer,
    NodeRefused,
    NodeUnavailable,
    RangeTooLarge,
    ReadError,
    StateUnavailable,
    UnsupportedByNode,
)
from chains.evm.addresses import address_bytes, token_address
from chains.evm.scanner import TOKENS_PER_PROGRAM_MAX, AccountKind
from chains.evm.strategies import STRATEGIES
from chains.evm.strategy import Chunk, ChunkResult, ReadFailure, Strategy, Value, WrongBlock
from chains.jsonrpc import RpcCall
from chains.types import BlockRef, Holding

RECTANGLES_MAX: Final = 32
"""More distinct sets of assets than this are read asset by asset: each rectangle costs at least one call."""
HALVINGS_MAX: Final = 6
TIMEOUT_HALVINGS_MAX: Final = 2
"""A timed-out call was already tried several times by the transport."""


class Transport(Protocol):
    """What is used of `chains.transport.JsonRpcTransport`."""

    def call(self, method: str, *params: object) -> object:
        """One call's result, or a raised `ReadError`."""

    def batch(self, calls: Sequence[RpcCall]) -> list[object]:
        """The results in order, a `ReadError` in the place of each that failed."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Holders that all have the same assets, and where each answer belongs in the caller's sequence."""

    holders: tuple[bytes, ...]
    tokens: tuple[bytes, ...]
    native_places: tuple[int, ...]
    """For each holder the place of its native holding; empty when native balances are not asked for."""
    token_places: tuple[tuple[int, ...], ...]
    """For each token, for each holder, the place of the holding."""


@dataclass(frozen=True, slots=True)
class PlacedValues:
    """Some values, where they belong, and how they were read."""

    method: str
    values: list[tuple[int, Value]]
    """Place in the caller's sequence, and the value or its failure."""
    kinds: list[tuple[bytes, AccountKind]]


def rectangles(holdings: Sequence[Holding]) -> list[Rectangle]:
    """Group holdings so that few calls read them all. A holding given twice keeps both its places."""
    # For each address: its assets (None is the native coin) and the place of each.
    by_address: dict[str, dict[bytes | None, int]] = defaultdict(dict)
    repeated: list[tuple[str, bytes | None, int]] = []
    token_of: dict[str, bytes | None] = {}
    for place, holding in enumerate(holdings):
        asset_id = holding.asset.asset_id
        if asset_id not in token_of:
            token_of[asset_id] = token_address(holding.asset.asset_id)
        token = token_of[asset_id]
        places = by_address[holding.address]
        if token in places:
            repeated.append((holding.address, token, place))
        else:
            places[token] = place
    groups: dict[tuple[bytes | None, ...], list[tuple[str, dict[bytes | None, int]]]] = defaultdict(list)
    for address, places in by_address.items():
        # Most addresses list their assets in the same order; sorting only when a new order is seen keeps this cheap.
        groups[tuple(places)].append((address, places))
    merged: dict[tuple[bytes | None, ...], list[tuple[str, dict[bytes | None, int]]]] = defaultdict(list)
    for order, members in groups.items():
        merged[tuple(sorted(order, key=lambda token: token or b""))].extend(members)
    if len(merged) > RECTANGLES_MAX:
        merged = defaultdict(list)
        for address, places in by_address.items():
            for token, place in places.items():
                merged[(token,)].append((address, {token: place}))
    result = [part for assets, members in merged.items() for part in _rectangle_parts(assets, members)]
    for address, token, place in repeated:
        result.extend(_rectangle_parts((token,), [(address, {token: place})]))
    return result


def _rectangle_parts(
    assets: tuple[bytes | None, ...], members: list[tuple[str, dict[bytes | None, int]]]
) -> Iterator[Rectangle]:
    """One rectangle, or several when there are more tokens than a program takes."""
    holders = tuple([bytes.fromhex(address[2:]) for address, _ in members])
    tokens = [token for token in assets if token is not None]
    native = None in assets
    for first in range(0, max(1, len(tokens)), TOKENS_PER_PROGRAM_MAX):
        part = tuple(tokens[first : first + TOKENS_PER_PROGRAM_MAX])
        yield Rectangle(
            holders=holders,
            tokens=part,
            native_places=tuple([places[None] for _, places in members]) if native and first == 0 else (),
            token_places=tuple(tuple([places[token] for _, places in members]) for token in part),
        )


def send(transport: Transport, strategy: Strategy, requests: Sequence[RpcCall]) -> list[object]:
    """Send a chunk's requests: one alone as a plain call, several as a batch. A lone failure is raised."""
    if len(requests) == 1:
        return [transport.call(requests[0].method, *requests[0].params)]
    return transport.batch(requests)


def chunks(block: BlockRef, rectangle: Rectangle, holders_each: int) -> Iterator[Chunk]:
    """The rectangle cut into chunks of a fixed size: what a benchmark prepares before it measures sending."""
    for first in range(0, len(rectangle.holders), holders_each):
        yield Chunk(
            block,
            rectangle.holders[first : first + holders_each],
            rectangle.tokens,
            bool(rectangle.native_places),
        )


def prepare_requests(block: BlockRef, holdings: Sequence[Holding], strategy_name: str) -> list[list[RpcCall]]:
    """All requests a read of the holdings would send with this strategy at its first chunk size."""
    strategy = STRATEGIES[strategy_name]
    return [
        strategy.requests(chunk)
        for rectangle in rectangles(holdings)
        for chunk in chunks(block, rectangle, strategy.holders_first(len(rectangle.tokens)))
    ]


class BalanceRead:
    """One read of many balances at one block through one node."""

    def __init__(self, transport: Transport, block: BlockRef, strategies: Sequence[str]) -> None:
        """`strategies` are names of `STRATEGIES`, best first; at least one."""
        self._transport = transport
        self._block = block
        self._strategies = [STRATEGIES[name] for name in strategies]
        self._anything_read = False
        self._last_error: ReadError | None = None

    def read(self, holdings: Sequence[Holding]) -> Iterator[PlacedValues]:
        """The values of all holdings, in parts as they come, each place exactly once.

        Raises `ChainMoved` or `WrongBlock` when the block is void, and the node's own error when not one balance
        could be read.
        """
        for rectangle in rectangles(holdings):
            yield from self._read_rectangle(rectangle)

    def _read_rectangle(self, rectangle: Rectangle) -> Iterator[PlacedValues]:
        first = 0
        while first < len(rectangle.holders):
            if not self._strategies:
                yield self._all_failed(rectangle, first)
                return
            strategy = self._strategies[0]
            try:
                for result in self._read_with(strategy, rectangle, first):
                    self._anything_read = True
                    yield _placed(strategy.name, rectangle, first, result)
                    first += result.done
            except (ChainMoved, WrongBlock):
                raise
            except (NodeUnavailable, StateUnavailable) as error:
                # No other way of asking the same node will find what it does not have.
                self._last_error = error
                self._strategies.clear()
            except ReadError as error:
                self._last_error = error
                self._strategies.pop(0)
            if self._last_error is not None and not self._strategies and not self._anything_read:
                raise self._last_error

    def _read_with(self, strategy: Strategy, rectangle: Rectangle, first: int) -> Iterator[ChunkResult]:
        """The rest of a rectangle with one strategy, the chunk size fitted to what the node takes."""
        token_count = len(rectangle.tokens)
        size = strategy.holders_first(token_count)
        halvings = timeouts = 0
        while first < len(rectangle.holders):
            chunk = Chunk(
                self._block,
                rectangle.holders[first : first + size],
                rectangle.tokens,
                bool(rectangle.native_places),
            )
            try:
                requests = strategy.requests(chunk)
                result = strategy.decode(chunk, send(self._transport, strategy, requests))
                if result.done == 0:
                    raise RangeTooLarge("the gas the node allows does not suffice for one holder")
            except (ChainMoved, WrongBlock, StateUnavailable, UnsupportedByNode):
                raise
            except (NodeRefused, NodeUnavailable, MalformedAnswer) as error:
                # Out of gas, a body over a limit, or a timeout: less may work. Which of them it was is worded
                # differently by every node, so it is tried a few times rather than guessed.
                timeouts += isinstance(error, NodeUnavailable)
                halvings += 1
                if len(chunk.holders) == 1 or halvings > HALVINGS_MAX or timeouts > TIMEOUT_HALVINGS_MAX:
                    raise
                size = max(1, len(chunk.holders) // 2)
                continue
            yield result
            first += result.done
            if result.done < len(chunk.holders):
                size = max(1, result.done)
            elif result.holders_fit and not halvings:
                size = max(1, min(strategy.holders_max(token_count), result.holders_fit))

    def _all_failed(self, rectangle: Rectangle, first: int) -> PlacedValues:
        assert self._last_error is not None
        failure = ReadFailure(self._last_error.code, str(self._last_error))
        columns: Iterable[tuple[int, ...]] = (rectangle.native_places, *rectangle.token_places)
        return PlacedValues("none", [(place, failure) for column in columns for place in column[first:]], [])


def _placed(method: str, rectangle: Rectangle, first: int, result: ChunkResult) -> PlacedValues:
    last = first + result.done
    values = list(zip(rectangle.native_places[first:last], result.native, strict=True))
    for places, column in zip(rectangle.token_places, result.tokens, strict=True):
        values.extend(zip(places[first:last], column, strict=True))
    return PlacedValues(method, values, list(zip(rectangle.holders[first:last], result.kinds, strict=False)))


def holders_of(holdings: Iterable[Holding]) -> list[bytes]:
    """The distinct addresses of holdings, in order of first appearance."""
    return [address_bytes(address) for address in dict.fromkeys(holding.address for holding in holdings)]
