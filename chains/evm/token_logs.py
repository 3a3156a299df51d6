"""Logs of watched tokens that name watched addresses: what to ask, in which portions, and what of it to believe.

A log is believed when it fits the question (contract, event, address) and stands in a block whose hash is already
covered. What it says moved is read by `chains.evm.token_events`. Logs of another shape than their event's are not
guessed at; they are counted, and any count is a finding. A Transfer whose addresses are not indexed fits no filter by
address, and is not seen here at all: the roll-forward finds what it moved, and the verified mode counts it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chains.errors import ChainMoved, MalformedAnswer, NodeUnavailable, RangeTooLarge, ReadError
from chains.evm.abi import (
    DEPOSIT_TOPIC,
    TRANSFER_BATCH_TOPIC,
    TRANSFER_SINGLE_TOPIC,
    TRANSFER_TOPIC,
    WITHDRAWAL_TOPIC,
    address_word,
    hex_text,
)
from chains.evm.addresses import TokenStandard
from chains.evm.balances import Transport
from chains.evm.header import JsonObject
from chains.evm.native import Placed
from chains.evm.quantity import data, encode_quantity, hash32, quantity
from chains.evm.receipts import Log
from chains.evm.token_events import TokenMovement, WatchedTokens, read_event, tell_once
from chains.jsonrpc import RpcCall
from chains.types import AssetId, BlockRef

ERC20, ERC721, ERC1155 = TokenStandard
ADDRESSES_PER_QUERY: Final = 1_000
"""Most entries in one topic position or address list; geth refuses more."""
BLOCKS_FIRST: Final = 2_000
BLOCKS_MAX: Final = 10_000
TIMEOUT_HALVINGS_MAX: Final = 3

_TRANSFERS: Final = (TRANSFER_TOPIC, DEPOSIT_TOPIC, WITHDRAWAL_TOPIC)
"""Events whose first address is the sender, the receiver of a deposit or the sender of a withdrawal."""
_COUNTED: Final = (TRANSFER_SINGLE_TOPIC, TRANSFER_BATCH_TOPIC)
"""Events of ERC-1155, which have the operator before sender and receiver."""


@dataclass(frozen=True, slots=True)
class _Query:
    """One eth_getLogs filter but for its blocks."""

    contracts: tuple[bytes, ...]
    events: tuple[bytes, ...]
    """What the first topic may be."""
    position: int
    """The topic that must be a watched address."""
    addresses: frozenset[bytes]
    """Watched addresses as topic words."""

    def parameters(self, blocks: Mapping[str, str]) -> dict[str, object]:
        events: object = hex_text(self.events[0]) if len(self.events) == 1 else list(map(hex_text, self.events))
        addresses = [hex_text(address) for address in sorted(self.addresses)]
        return {
            "address": [hex_text(contract) for contract in self.contracts],
            "topics": [events, *[None] * (self.position - 1), addresses],
            **blocks,
        }


@dataclass(frozen=True, slots=True)
class _Seen:
    """A log that fits its question, and what it tells."""

    block: BlockRef
    tx_id: str
    tx_index: int
    contract: bytes
    movements: tuple[TokenMovement, ...] | None
    """None when it cannot be read."""
    content: bytes
    """What an unreadable log says, so that two different ones are told apart."""


_Place = tuple[str, int]
"""Block hash and index of a log."""


class TokenLogs:
    """Collects the token transfers of one scan."""

    def __init__(
        self,
        transport: Transport,
        covered: Mapping[int, BlockRef],
        tokens: WatchedTokens,
        watched: frozenset[bytes],
    ) -> None:
        """`covered` are the blocks of the scan by height."""
        self._transport = transport
        self._covered = covered
        self._tokens = tokens
        self._queries = _queries(tokens, watched)

    def read(self, first_height: int, last_height: int) -> tuple[list[Placed], dict[AssetId, int]]:
        """All transfers in the range, and per asset how many logs had another shape.

        The range is asked for in portions that adapt to what the node takes. Raises `RangeTooLarge` when even one
        block is too much, and any other `ReadError`; then nothing of the range is known.
        """
        found: dict[_Place, _Seen] = {}
        width, growing, timeouts = BLOCKS_FIRST, True, 0
        height = first_height
        while self._queries and height <= last_height:
            end = min(height + width - 1, last_height)
            portion: dict[_Place, _Seen] = {}
            try:
                for query in self._queries:
                    self._read_query(query, height, end, portion)
            except (RangeTooLarge, NodeUnavailable) as error:
                timeouts += isinstance(error, NodeUnavailable)
                if end == height or timeouts > TIMEOUT_HALVINGS_MAX:
                    raise
                width, growing = max(1, (end - height + 1) // 2), False
                continue
            found.update(portion)
            height = end + 1
            # A width that failed once is not tried again in this scan: most nodes have a fixed limit.
            width = min(BLOCKS_MAX, width * 2) if growing else width
        return _told(found), dict(self._unread(found))

    def _unread(self, found: Mapping[_Place, _Seen]) -> Counter[AssetId]:
        odd = [seen.contract for seen in found.values() if seen.movements is None]
        return Counter(self._tokens.asset_of(contract).asset_id for contract in odd)

    def _read_query(self, query: _Query, height: int, end: int, portion: dict[_Place, _Seen]) -> None:
        if height == end:
            # By hash: the node must know this very block, or it refuses.
            blocks = {"blockHash": self._covered[end].block_hash}
        else:
            blocks = {"fromBlock": encode_quantity(height), "toBlock": encode_quantity(end)}
        # Both in one batch, so that the server that gives the logs is the one that shows it has the end block.
        header, logs = self._transport.batch(
            [
                RpcCall("eth_getBlockByNumber", (encode_quantity(end), False)),
                RpcCall("eth_getLogs", (query.parameters(blocks),)),
            ]
        )
        for answer in (header, logs):
            if isinstance(answer, ReadError):
                raise answer
        if not isinstance(header, Mapping) or hash32(header.get("hash")) != self._covered[end].block_hash:
            raise ChainMoved(f"the node that was asked for logs does not have {self._covered[end]}")
        if not isinstance(logs, list):
            raise MalformedAnswer("eth_getLogs did not answer with a list")
        for log in logs:
            self._add(query, log, height, end, portion)

    def _add(self, query: _Query, log: object, height: int, end: int, portion: dict[_Place, _Seen]) -> None:
        if not isinstance(log, Mapping):
            raise MalformedAnswer("a log is not a JSON object")
        if log.get("removed") is True:
            return  # the node itself says that a reorganisation took it back
        block = self._covered.get(quantity(log.get("blockNumber")))
        if block is None or not height <= block.height <= end:
            raise MalformedAnswer("a log stands in a block that was not asked for")
        if hash32(log.get("blockHash")) != block.block_hash:
            raise MalformedAnswer(f"a log stands in another block {block.height} than the one covered")
        entry = self._entry(query, log, block)
        key = (block.block_hash, quantity(log.get("logIndex")))
        # A transfer between two watched addresses answers both questions, and some nodes repeat logs.
        if portion.setdefault(key, entry) != entry:
            raise MalformedAnswer("two different logs have the same place in the same block")

    def _entry(self, query: _Query, log: JsonObject, block: BlockRef) -> _Seen:
        """What a log tells, when it fits the question."""
        contract, topics = data(log.get("address"), length=20), log.get("topics")
        if contract not in query.contracts or not isinstance(topics, list):
            raise MalformedAnswer("a log is of a contract that was not asked for")
        words = tuple([data(topic, length=32) for topic in topics])
        if len(words) <= query.position or words[0] not in query.events or words[query.position] not in query.addresses:
            raise MalformedAnswer("a log does not fit the filter it was asked with")
        content, index = data(log.get("data")), quantity(log.get("logIndex"))
        movements = read_event(Log(contract, words, content), index, self._tokens)
        return _Seen(
            block=block,
            tx_id=hash32(log.get("transactionHash")),
            tx_index=quantity(log.get("transactionIndex")),
            contract=contract,
            movements=movements,
            content=b"".join((*words, content)) if movements is None else b"",
        )


def _told(found: Mapping[_Place, _Seen]) -> list[Placed]:
    """The movements of all logs; what two events of one transaction tell counts once."""
    by_transaction: dict[tuple[str, str], list[tuple[TokenMovement, _Seen]]] = defaultdict(list)
    for _, seen in sorted(found.items()):
        for movement in seen.movements or ():
            by_transaction[seen.block.block_hash, seen.tx_id].append((movement, seen))
    return [
        Placed(seen.tx_index, movement.transfer(seen.block, seen.tx_id))
        for movements in by_transaction.values()
        for movement, seen in tell_once(movements)
    ]


def _queries(tokens: WatchedTokens, watched: frozenset[bytes]) -> list[_Query]:
    words = [address_word(address) for address in sorted(watched)]
    named = [contract for contract in tokens.contracts if tokens.speaks(contract, ERC20, ERC721)]
    counted = [contract for contract in tokens.contracts if tokens.speaks(contract, ERC1155)]
    return [
        _Query(
            tuple(contracts[first : first + ADDRESSES_PER_QUERY]),
            events,
            position,
            frozenset(words[place : place + ADDRESSES_PER_QUERY]),
        )
        for contracts, of_position in (
            (named, {1: _TRANSFERS, 2: (TRANSFER_TOPIC,)}),
            (counted, {2: _COUNTED, 3: _COUNTED}),
        )
        for first in range(0, len(contracts), ADDRESSES_PER_QUERY)
        for place in range(0, len(words), ADDRESSES_PER_QUERY)
        for position, events in of_position.items()
    ]
