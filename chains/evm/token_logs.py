"""Logs of watched tokens that name watched addresses: what to ask, in which portions, and what of it to believe.

A log is believed when it fits the question (contract, event, address) and stands in a block whose hash is already
covered. What it says moved is read by `chains.evm.token_events`. Logs of another shape than their event's are not
guessed at; they are counted, and any count is a finding. A Transfer whose addresses are not indexed fits no filter by
address, and is not seen here at all: the roll-forward finds what it moved, and the verified mode counts it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cached_property
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
from chains.evm.addresses import TokenStandard, address_bytes, checksum_address
from chains.evm.balances import Transport
from chains.evm.log_columns import PlainQuestion, has_plain_form, log_place, plain_transfers
from chains.evm.making import made_transfer
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


@dataclass(frozen=True)
class _Query:
    """One eth_getLogs filter but for its blocks."""

    contracts: tuple[bytes, ...]
    events: tuple[bytes, ...]
    """What the first topic may be."""
    position: int
    """The topic that must be a watched address."""
    addresses: frozenset[bytes]
    """Watched addresses as topic words."""
    plain: PlainQuestion | None = field(default=None, compare=False)
    """By which plain transfers are read; None when none can come."""

    @cached_property
    def known(self) -> Mapping[str, bytes]:
        """What its answers repeat, by the text in which nodes write it: contracts, events, watched addresses."""
        return {hex_text(value): value for value in (*self.contracts, *self.events, *self.addresses)}

    def parameters(self, blocks: Mapping[str, str]) -> dict[str, object]:
        events: object = hex_text(self.events[0]) if len(self.events) == 1 else list(map(hex_text, self.events))
        addresses = [hex_text(address) for address in sorted(self.addresses)]
        return {
            "address": [hex_text(contract) for contract in self.contracts],
            "topics": [events, *[None] * (self.position - 1), addresses],
            **blocks,
        }


@dataclass(slots=True)
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


_ZEROS: Final = bytes(12)
_Found = dict[int, "_Seen | Placed"]
"""What was found, by `log_place`: the height names the block, since only logs of covered blocks are taken."""
_Question = tuple[int, int, int]
"""Number of the query, first and last block."""


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
        if not self._queries:
            return [], {}
        found: _Found = {}
        width, growing, timeouts = BLOCKS_FIRST, True, 0
        height = first_height
        with ThreadPoolExecutor(1) as ahead:
            asked: dict[_Question, Future[list[object]]] = {}
            while height <= last_height:
                end = min(height + width - 1, last_height)
                wider = min(BLOCKS_MAX, width * 2) if growing else width
                after = (0, end + 1, min(end + wider, last_height)) if end < last_height else None
                portion: _Found = {}
                try:
                    self._read_portion(height, end, after, portion, ahead, asked)
                except (RangeTooLarge, NodeUnavailable) as error:
                    wait(asked.values())  # what was asked ahead is of no use, and the transport is one thread's
                    asked.clear()
                    timeouts += isinstance(error, NodeUnavailable)
                    if end == height or timeouts > TIMEOUT_HALVINGS_MAX:
                        raise
                    width, growing = max(1, (end - height + 1) // 2), False
                    continue
                found.update(portion)
                height = end + 1
                # A width that failed once is not tried again in this scan: most nodes have a fixed limit.
                width = wider
        return _told(found), dict(self._unread(found))

    def _read_portion(
        self,
        height: int,
        end: int,
        after: _Question | None,
        portion: _Found,
        ahead: ThreadPoolExecutor,
        asked: dict[_Question, Future[list[object]]],
    ) -> None:
        """Read all queries of a run of blocks. While one answer is decoded, the next is on its way already."""
        for number, query in enumerate(self._queries):
            question = (number, height, end)
            answers = (asked.pop(question, None) or ahead.submit(self._ask, question)).result()
            following = (number + 1, height, end) if number + 1 < len(self._queries) else after
            if following is not None:
                asked[following] = ahead.submit(self._ask, following)
            self._take(query, answers, height, end, portion)

    def _unread(self, found: _Found) -> Counter[AssetId]:
        odd = [seen.contract for seen in _seen(found) if seen.movements is None]
        return Counter(self._tokens.asset_of(contract).asset_id for contract in odd)

    def _ask(self, question: _Question) -> list[object]:
        """The header of the last block and the logs of one query, in one batch."""
        number, height, end = question
        if height == end:
            # By hash: the node must know this very block, or it refuses.
            blocks = {"blockHash": self._covered[end].block_hash}
        else:
            blocks = {"fromBlock": encode_quantity(height), "toBlock": encode_quantity(end)}
        # Both in one batch, so that the server that gives the logs is the one that shows it has the end block.
        return self._transport.batch(
            [
                RpcCall("eth_getBlockByNumber", (encode_quantity(end), False)),
                RpcCall("eth_getLogs", (self._queries[number].parameters(blocks),)),
            ]
        )

    def _take(self, query: _Query, answers: list[object], height: int, end: int, portion: _Found) -> None:
        header, logs = answers
        for answer in (header, logs):
            if isinstance(answer, ReadError):
                raise answer
        if not isinstance(header, Mapping) or hash32(header.get("hash")) != self._covered[end].block_hash:
            raise ChainMoved(f"the node that was asked for logs does not have {self._covered[end]}")
        if not isinstance(logs, list):
            raise MalformedAnswer("eth_getLogs did not answer with a list")
        self._add_all(query, logs, range(height, end + 1), portion)

    def _add_all(self, query: _Query, logs: list[object], heights: range, portion: _Found) -> None:
        """Take the logs of one answer: plain transfers all at once, and each by itself that is not, or is not right."""

        def block_of(number: object, block_hash: object) -> BlockRef:
            return self._block(number, block_hash, heights)

        if query.plain is not None:
            plain = plain_transfers(logs, query.plain, block_of)
            if plain is not None:
                logs = []
            else:
                may_be = [log for log in logs if has_plain_form(log)]
                plain = plain_transfers(may_be, query.plain, block_of) if 0 < len(may_be) < len(logs) else None
                if plain is not None:
                    logs = [log for log in logs if not has_plain_form(log)]
            if plain and portion.keys().isdisjoint(plain):
                portion.update(plain)
            for place, entry in (plain or {}).items():
                _add(portion, place, entry)
        self._add_each(query, logs, heights, portion)

    def _add_each(self, query: _Query, logs: list[object], heights: range, portion: _Found) -> None:
        """Judge log by log. What many of them share (block, transaction) is decoded and checked once."""
        if not logs:
            return
        number: object = None
        block_hash: object = None
        transaction: object = None
        block: BlockRef | None = None
        tx_id = ""
        known, contracts, coins = query.known, frozenset(query.contracts), self._tokens.coins
        for log in logs:
            if not isinstance(log, Mapping):
                raise MalformedAnswer("a log is not a JSON object")
            if log.get("removed") is True:
                continue  # the node itself says that a reorganisation took it back
            if block is None or log.get("blockNumber") != number or log.get("blockHash") != block_hash:
                number, block_hash = log.get("blockNumber"), log.get("blockHash")
                block = self._block(number, block_hash, heights)
            if not tx_id or log.get("transactionHash") != transaction:
                transaction = log.get("transactionHash")
                tx_id = hash32(transaction)
            topics = log.get("topics")
            if not isinstance(topics, list) or not all(type(topic) is str for topic in topics):
                raise MalformedAnswer("a log has no list of topics")
            address = log.get("address")
            contract = known[address] if type(address) is str and address in known else data(address, length=20)
            words = tuple([known[topic] if topic in known else data(topic, length=32) for topic in topics])
            if contract not in contracts:
                raise MalformedAnswer("a log is of a contract that was not asked for")
            if (
                len(words) <= query.position
                or words[0] not in query.events
                or words[query.position] not in query.addresses
            ):
                raise MalformedAnswer("a log does not fit the filter it was asked with")
            content, index = data(log.get("data")), quantity(log.get("logIndex"))
            tx_index = quantity(log.get("transactionIndex"))
            entry: _Seen | Placed
            if (
                words[0] == TRANSFER_TOPIC
                and len(words) == 3
                and len(content) == 32
                and contract in coins
                and words[1][:12] == words[2][:12] == _ZEROS
            ):
                # What nearly every log is; `read_event` says the same of it (the tests compare them), more slowly.
                ends = checksum_address(words[1][12:]), checksum_address(words[2][12:])
                units = int.from_bytes(content, "big")
                entry = Placed(tx_index, made_transfer(block, tx_id, index, coins[contract], *ends, units))
            else:
                movements = read_event(Log(contract, words, content), index, self._tokens)
                unread = b"".join((*words, content)) if movements is None else b""
                entry = _Seen(block, tx_id, tx_index, contract, movements, unread)
            _add(portion, log_place(block.height, index), entry)

    def _block(self, number: object, block_hash: object, heights: range) -> BlockRef:
        """The covered block that a log says it stands in."""
        block = self._covered.get(quantity(number))
        if block is None or block.height not in heights:
            raise MalformedAnswer("a log stands in a block that was not asked for")
        if hash32(block_hash) != block.block_hash:
            raise MalformedAnswer(f"a log stands in another block {block.height} than the one covered")
        return block


def _add(portion: _Found, place: int, entry: _Seen | Placed) -> None:
    # A transfer between two watched addresses answers both questions, and some nodes repeat logs.
    stored = portion.setdefault(place, entry)
    if stored is not entry and stored != entry:
        raise MalformedAnswer("two different logs have the same place in the same block")


def _seen(found: _Found) -> list[_Seen]:
    """What is not a plain transfer."""
    if set(map(type, found.values())) <= {Placed}:  # nearly always, and quickly seen
        return []
    return [entry for entry in found.values() if isinstance(entry, _Seen)]


def _told(found: _Found) -> list[Placed]:
    """The movements of all logs; what two events of one transaction tell counts once."""
    others = [seen for seen in _seen(found) if seen.movements]
    told = [entry for entry in found.values() if isinstance(entry, Placed)]
    if not others:
        return told
    by_transaction: dict[tuple[str, str], list[tuple[TokenMovement, Placed]]] = defaultdict(list)
    for seen in others:
        for movement in seen.movements or ():
            placed = Placed(seen.tx_index, movement.transfer(seen.block, seen.tx_id))
            by_transaction[seen.block.block_hash, seen.tx_id].append((movement, placed))
    alone: list[Placed] = []
    for placed in told:
        same = by_transaction.get((placed.transfer.block.block_hash, placed.transfer.tx_id))
        if same is None:
            alone.append(placed)
        else:
            same.append((_movement(placed), placed))
    for movements in by_transaction.values():
        movements.sort(key=lambda each: each[0].index)
        alone += [placed for _, placed in tell_once(movements)]
    return alone


def _movement(placed: Placed) -> TokenMovement:
    """The movement that a plain transfer was made from."""
    moved = placed.transfer
    assert moved.sender is not None
    assert moved.receiver is not None
    ends = address_bytes(moved.sender), address_bytes(moved.receiver)
    return TokenMovement(moved.index, moved.asset, *ends, moved.base_units)


def _queries(tokens: WatchedTokens, watched: frozenset[bytes]) -> list[_Query]:
    words = [address_word(address) for address in sorted(watched)]
    named = [contract for contract in tokens.contracts if tokens.speaks(contract, ERC20, ERC721)]
    counted = [contract for contract in tokens.contracts if tokens.speaks(contract, ERC1155)]
    return [
        _query(
            tokens,
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


def _query(
    tokens: WatchedTokens,
    contracts: tuple[bytes, ...],
    events: tuple[bytes, ...],
    position: int,
    addresses: frozenset[bytes],
) -> _Query:
    coins = {contract: tokens.coins[contract] for contract in contracts if contract in tokens.coins}
    plain = PlainQuestion(coins, position, addresses) if coins and TRANSFER_TOPIC in events else None
    return _Query(contracts, events, position, addresses, plain)
