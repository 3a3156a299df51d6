"""Reading many balances at one pinned block: which requests, how large, and what to do when one fails.

Holdings are grouped into rectangles (addresses that hold the same assets), each read chunk by chunk with the best
strategy the node is known to have. A chunk that is too large is halved; a strategy that fails gives way to the next
for what is still unread. Tokens that have one owner are asked for the owner instead, once a token. What fails for one
balance is that balance's failure alone. Only an answer that voids the whole block (`ChainMoved`, `WrongBlock`) stops
everything, as does having read nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
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
from chains.evm.addresses import Token, TokenStandard, address_bytes, token_of
from chains.evm.owners import METHOD as OWNER_METHOD
from chains.evm.owners import TOKENS_PER_BATCH, Owner, read_owners
from chains.evm.scanner import TOKENS_PER_PROGRAM_MAX, AccountKind
from chains.evm.strategies import STRATEGIES
from chains.evm.strategy import Chunk, ChunkResult, ReadFailure, Strategy, Value, WrongBlock
from chains.jsonrpc import RpcCall
from chains.kept_answers import NOT_TO_BE_KEPT, AnswerKeeper, KeptExchange, KeptRead
from chains.types import Address, AssetId, BlockRef, Holding

HALVINGS_MAX: Final = 6
TIMEOUT_HALVINGS_MAX: Final = 2
"""A timed-out call was already tried several times by the transport."""
HEAD_START_SECONDS: Final = 0.001
"""How long decoding waits for the next chunk's request to leave: it would keep the interpreter from sending it."""


class Transport(Protocol):
    """What is used of `chains.transport.JsonRpcTransport`."""

    def call(self, method: str, *params: object) -> object:
        """One call's result, or a raised `ReadError`."""

    def batch(self, calls: Sequence[RpcCall]) -> list[object]:
        """The results in order, a `ReadError` in the place of each that failed."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Holders that all have the same assets, and where each answer belongs in the caller's sequence."""

    addresses: tuple[Address, ...]
    tokens: tuple[bytes, ...]
    native_places: Sequence[int]
    """For each holder the place of its native holding; empty when native balances are not asked for."""
    token_places: tuple[Sequence[int], ...]
    """For each token, for each holder, the place of the holding. A range where the places are evenly spaced."""
    asset_ids: tuple[AssetId, ...]
    """What is asked about, in the order of the columns: the native coin first."""

    def chunk(self, block: BlockRef, first: int, size: int) -> Chunk:
        """The holders from `first` on, at most `size` of them."""
        holders = tuple([bytes.fromhex(address[2:]) for address in self.addresses[first : first + size]])
        return Chunk(block, holders, self.tokens, bool(self.native_places))


@dataclass(frozen=True, slots=True)
class PlacedValues:
    """Some values, where they belong, and how they were read."""

    method: str
    columns: list[tuple[Sequence[int], Sequence[Value]]]
    """Places in the caller's sequence, and the value or failure of each."""
    kinds: Mapping[Address, AccountKind]
    """What stands at the addresses read, where the strategy can tell."""
    kept: tuple[KeptRead, ...] = ()
    """The answers they were decoded from, where answers are kept."""

    @property
    def count(self) -> int:
        """How many values these are."""
        return sum(len(places) for places, _ in self.columns)


@dataclass(frozen=True, slots=True)
class OwnedToken:
    """A token that has one owner, and where each answer belongs in the caller's sequence."""

    token: Token
    holders: tuple[tuple[bytes, int], ...]
    """Address and place of each holding of the token."""
    asset_id: AssetId
    addresses: tuple[Address, ...]
    """The holders' addresses as they are written."""


@dataclass(frozen=True, slots=True)
class Grouped:
    """Holdings in the order in which they are read."""

    rectangles: list[Rectangle]
    owned: list[OwnedToken]


def rectangles(holdings: Sequence[Holding]) -> list[Rectangle]:
    """The rectangles of `group_holdings`."""
    return group_holdings(holdings).rectangles


def group_holdings(holdings: Sequence[Holding]) -> Grouped:
    """Group holdings so that few calls read them all; a holding given twice keeps both its places.

    Assets with the very same holders are read together, so there are never more rectangles than assets (but for
    repetitions). In practice a firm's wallets hold a few sets of assets, and this finds them without sorting.
    """
    places_of: dict[AssetId, dict[Address, int]] = {}
    repeated: list[tuple[AssetId, Address, int]] = []
    for place, holding in enumerate(holdings):
        asset_id, address = holding.asset.asset_id, holding.address
        places = places_of.get(asset_id)
        if places is None:
            places_of[asset_id] = {address: place}
        elif address in places:
            repeated.append((asset_id, address, place))
        else:
            places[address] = place
    groups: list[list[tuple[AssetId, dict[Address, int]]]] = []
    owned: dict[AssetId, tuple[Token, list[tuple[bytes, int]]]] = {}
    for asset_id, places in places_of.items():
        token = token_of(asset_id)
        if token is not None and token.standard is TokenStandard.ERC721:
            owned[asset_id] = (token, [(address_bytes(address), place) for address, place in places.items()])
            continue
        for group in groups:
            if group[0][1].keys() == places.keys():
                group.append((asset_id, places))
                break
        else:
            groups.append([(asset_id, places)])
    for asset_id, address, place in repeated:
        if asset_id in owned:
            owned[asset_id][1].append((address_bytes(address), place))
        else:
            groups.append([(asset_id, {address: place})])
    return Grouped(
        [rectangle for group in groups for rectangle in _rectangles_of_group(group)],
        [
            OwnedToken(token, tuple(holders), asset_id, tuple(holdings[place].address for _, place in holders))
            for asset_id, (token, holders) in owned.items()
        ],
    )


def _rectangles_of_group(group: Sequence[tuple[AssetId, dict[Address, int]]]) -> Iterator[Rectangle]:
    """One rectangle, or several when there are more tokens than a program takes."""
    addresses = tuple(group[0][1])
    native: Sequence[int] = ()
    native_ids: tuple[AssetId, ...] = ()
    tokens: list[tuple[bytes, Sequence[int], AssetId]] = []
    for asset_id, places in group:
        token = token_of(asset_id)
        in_order = _evenly(
            list(places.values()) if tuple(places) == addresses else [places[address] for address in addresses]
        )
        if token is None:
            native, native_ids = in_order, (asset_id,)
        else:
            number = token.number.to_bytes(32, "big") if token.number is not None else b""
            tokens.append((token.contract + number, in_order, asset_id))
    for first in range(0, max(1, len(tokens)), TOKENS_PER_PROGRAM_MAX):
        part = tokens[first : first + TOKENS_PER_PROGRAM_MAX]
        yield Rectangle(
            addresses=addresses,
            tokens=tuple(token for token, _, _ in part),
            native_places=native if first == 0 else (),
            token_places=tuple(places for _, places, _ in part),
            asset_ids=(native_ids if first == 0 else ()) + tuple(asset_id for _, _, asset_id in part),
        )


def _evenly(places: Sequence[int]) -> Sequence[int]:
    """The places as a range where they are evenly spaced and ascend: a whole column is then put in place at once."""
    if len(places) > 1 and (step := places[1] - places[0]) > 0:
        spaced = range(places[0], places[-1] + 1, step)
        if list(spaced) == places:
            return spaced
    return tuple(places)


def send(transport: Transport, requests: Sequence[RpcCall]) -> list[object]:
    """Send a chunk's requests: one alone as a plain call, several as a batch. A lone failure is raised."""
    if len(requests) == 1:
        return [transport.call(requests[0].method, *requests[0].params)]
    return transport.batch(requests)


class BalanceRead:
    """One read of many balances at one block through one node."""

    def __init__(
        self,
        transport: Transport,
        block: BlockRef,
        strategies: Sequence[str],
        *,
        keeper: AnswerKeeper | None = None,
        node_id: str = "",
    ) -> None:
        """`strategies` are names of `STRATEGIES`, best first; at least one. With a `keeper` of the transport's answers
        each part comes with those it was decoded from, under the name of the node.
        """
        self._transport = transport
        self._keeper, self._node_id = keeper, node_id
        self._block = block
        self._strategies = [STRATEGIES[name] for name in strategies]
        self._anything_read = False
        self._last_error: ReadError | None = None

    def read(self, holdings: Sequence[Holding]) -> Iterator[PlacedValues]:
        """The values of all holdings, in parts as they come, each place exactly once.

        Raises `ChainMoved` or `WrongBlock` when the block is void, and the node's own error when not one balance
        could be read.
        """
        grouped = group_holdings(holdings)
        for rectangle in grouped.rectangles:
            yield from self._read_rectangle(rectangle)
        for first in range(0, len(grouped.owned), TOKENS_PER_BATCH):
            yield self._read_owners(grouped.owned[first : first + TOKENS_PER_BATCH])

    def _read_owners(self, owned: Sequence[OwnedToken]) -> PlacedValues:
        """One for each holder that owns the token, zero for every other; all failed when the node does not answer."""
        owners: Sequence[Owner]
        try:
            if self._keeper is not None:
                self._keeper.start_keeping()
            owners = read_owners(self._transport, self._block, [each.token for each in owned])
            self._anything_read = True
        except ChainMoved:
            raise
        except ReadError as error:
            if not self._anything_read:
                raise
            owners = [ReadFailure(error.code, str(error))] * len(owned)
        columns: list[tuple[Sequence[int], Sequence[Value]]] = []
        for each, owner in zip(owned, owners, strict=True):
            places = [place for _, place in each.holders]
            columns.append((places, [_owned(owner, address) for address, _ in each.holders]))
        made = self._keeper.take_kept() if self._keeper is not None else ()
        kept = tuple(
            self._kept(OWNER_METHOD, each.addresses, (each.asset_id,), len(each.addresses), made)
            for each in owned
            if self._keeper is not None
        )
        return PlacedValues(OWNER_METHOD, columns, {}, kept)

    def _kept(
        self,
        method: str,
        addresses: tuple[Address, ...],
        asset_ids: tuple[AssetId, ...],
        decided: int,
        made: Sequence[KeptExchange | None],
    ) -> KeptRead:
        """The exchanges of one read, or that they are not kept: all of them, for half of them decide nothing."""
        whole = tuple(exchange for exchange in made if exchange is not None)
        if not made or len(whole) < len(made):
            return KeptRead(self._node_id, method, addresses, asset_ids, decided, (), NOT_TO_BE_KEPT)
        return KeptRead(self._node_id, method, addresses, asset_ids, decided, whole, "")

    def _send(self, requests: Sequence[RpcCall]) -> tuple[list[object], Sequence[KeptExchange | None]]:
        """Send a chunk's requests, and what was kept of it. Runs in the one thread that sends."""
        if self._keeper is None:
            return send(self._transport, requests), ()
        self._keeper.start_keeping()
        try:
            answers = send(self._transport, requests)
        finally:
            kept = self._keeper.take_kept()
        return answers, kept

    def _read_rectangle(self, rectangle: Rectangle) -> Iterator[PlacedValues]:
        first = 0
        while first < len(rectangle.addresses):
            if not self._strategies:
                yield self._all_failed(rectangle, first)
                return
            strategy = self._strategies[0]
            try:
                for result, asked, made in self._read_with(strategy, rectangle, first):
                    self._anything_read = True
                    placed = _placed(strategy.name, rectangle, first, result)
                    if self._keeper is not None:
                        addresses = rectangle.addresses[first : first + asked]
                        kept = self._kept(strategy.name, addresses, rectangle.asset_ids, result.done, made)
                        placed = replace(placed, kept=(kept,))
                    yield placed
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

    def _read_with(
        self, strategy: Strategy, rectangle: Rectangle, first: int
    ) -> Iterator[tuple[ChunkResult, int, Sequence[KeptExchange | None]]]:
        """The rest of a rectangle with one strategy, the chunk size fitted to what the node takes.

        With each result, how many holders were asked for and what was kept of it.

        While an answer is decoded the next chunk is already on its way. One thread does all the sending, in order.
        """
        token_count, total = len(rectangle.tokens), len(rectangle.addresses)
        size = strategy.holders_first(token_count)
        halvings = timeouts = 0
        with ThreadPoolExecutor(1, "balances") as sender:

            def ask(start: int) -> _Asked:
                chunk = rectangle.chunk(self._block, start, size)
                return _Asked(start, chunk, sender.submit(self._send, strategy.requests(chunk)))

            ahead: _Asked | None = None
            while first < total:
                asked = ahead if ahead is not None and ahead.first == first else ask(first)
                holders = len(asked.chunk.holders)
                ahead = None
                try:
                    answers, made = asked.answers.result()
                    if first + holders < total:
                        ahead = ask(first + holders)
                        wait([ahead.answers], HEAD_START_SECONDS)
                    result = strategy.decode(asked.chunk, answers)
                    if result.done == 0:
                        raise RangeTooLarge("the gas the node allows does not suffice for one holder")
                except (ChainMoved, WrongBlock, StateUnavailable, UnsupportedByNode):
                    raise
                except (NodeRefused, NodeUnavailable, MalformedAnswer) as error:
                    # Out of gas, a body over a limit, or a timeout: less may work. Which of them it was is worded
                    # differently by every node, so it is tried a few times rather than guessed.
                    timeouts += isinstance(error, NodeUnavailable)
                    halvings += 1
                    if holders == 1 or halvings > HALVINGS_MAX or timeouts > TIMEOUT_HALVINGS_MAX:
                        raise
                    size = max(1, holders // 2)
                    ahead = None  # it was asked with the size that may be too large
                    continue
                yield result, holders, made
                first += result.done
                if result.done < holders:
                    size = result.done
                elif result.holders_fit and not halvings:
                    size = max(1, min(strategy.holders_max(token_count), result.holders_fit))

    def _all_failed(self, rectangle: Rectangle, first: int) -> PlacedValues:
        assert self._last_error is not None
        failure = ReadFailure(self._last_error.code, str(self._last_error))
        columns = (rectangle.native_places, *rectangle.token_places)
        remaining = [places[first:] for places in columns]
        return PlacedValues("none", [(places, [failure] * len(places)) for places in remaining if places], {})


def _owned(owner: Owner, address: bytes) -> Value:
    return owner if isinstance(owner, ReadFailure) else int(owner == address)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A chunk that is on its way."""

    first: int
    chunk: Chunk
    answers: Future[tuple[list[object], Sequence[KeptExchange | None]]]


def _placed(method: str, rectangle: Rectangle, first: int, result: ChunkResult) -> PlacedValues:
    last = first + result.done
    columns: list[tuple[Sequence[int], Sequence[Value]]] = []
    if rectangle.native_places:
        columns.append((rectangle.native_places[first:last], result.native))
    for places, values in zip(rectangle.token_places, result.tokens, strict=True):
        columns.append((places[first:last], values))
    if any(len(places) != len(values) for places, values in columns):
        raise MalformedAnswer("a chunk's answer has another number of balances than were asked for")
    return PlacedValues(method, columns, dict(zip(rectangle.addresses[first:last], result.kinds, strict=False)))
