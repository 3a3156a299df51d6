"""ERC-20 Transfer logs of watched addresses: what to ask, in which portions, and what of the answer to believe.

A log is believed when it fits the question (contract, event, address) and stands in a block whose hash is already
covered. Logs of another shape than ERC-20's are not guessed at; they are counted, and any count is a finding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chains.errors import ChainMoved, MalformedAnswer, NodeUnavailable, RangeTooLarge, ReadError
from chains.evm.abi import TRANSFER_TOPIC, address_word, hex_text
from chains.evm.addresses import checksum_address
from chains.evm.balances import Transport
from chains.evm.header import JsonObject
from chains.evm.native import Placed
from chains.evm.quantity import data, encode_quantity, hash32, quantity
from chains.jsonrpc import RpcCall
from chains.types import Asset, AssetId, BlockRef, Transfer, TransferKind

ADDRESSES_PER_QUERY: Final = 1_000
"""Most entries in one topic position or address list; geth refuses more."""
BLOCKS_FIRST: Final = 2_000
BLOCKS_MAX: Final = 10_000
TIMEOUT_HALVINGS_MAX: Final = 3

_SENDER, _RECEIVER = 1, 2
_TOPIC: Final = hex_text(TRANSFER_TOPIC)
_ZEROS: Final = bytes(12)


@dataclass(frozen=True, slots=True)
class _Query:
    """One eth_getLogs filter but for its blocks."""

    contracts: tuple[bytes, ...]
    position: int
    """The topic that must be a watched address: 1 sender, 2 receiver."""
    addresses: frozenset[bytes]
    """Watched addresses as topic words."""

    def parameters(self, blocks: Mapping[str, str]) -> dict[str, object]:
        topics: list[object] = [_TOPIC, None, None]
        topics[self.position] = [hex_text(address) for address in sorted(self.addresses)]
        return {
            "address": [hex_text(contract) for contract in self.contracts],
            "topics": topics[: self.position + 1],
            **blocks,
        }


@dataclass(frozen=True, slots=True)
class _Odd:
    """A log of a token that is not an ERC-20 transfer by its shape."""

    asset_id: AssetId
    tx_id: str
    topics: tuple[bytes, ...]
    content: bytes


class TokenLogs:
    """Collects the token transfers of one scan."""

    def __init__(
        self,
        transport: Transport,
        covered: Mapping[int, BlockRef],
        tokens: Mapping[bytes, Asset],
        watched: frozenset[bytes],
    ) -> None:
        """`covered` are the blocks of the scan by height; `tokens` the assets by contract."""
        self._transport = transport
        self._covered = covered
        self._tokens = tokens
        self._queries = _queries(tuple(tokens), watched)

    def read(self, first_height: int, last_height: int) -> tuple[list[Placed], dict[AssetId, int]]:
        """All transfers in the range, and per asset how many logs had another shape.

        The range is asked for in portions that adapt to what the node takes. Raises `RangeTooLarge` when even one
        block is too much, and any other `ReadError`; then nothing of the range is known.
        """
        found: dict[tuple[str, int], Placed | _Odd] = {}
        width, growing, timeouts = BLOCKS_FIRST, True, 0
        height = first_height
        while self._queries and height <= last_height:
            end = min(height + width - 1, last_height)
            portion: dict[tuple[str, int], Placed | _Odd] = {}
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
        unparsed = Counter(value.asset_id for value in found.values() if isinstance(value, _Odd))
        return [value for value in found.values() if isinstance(value, Placed)], dict(unparsed)

    def _read_query(self, query: _Query, height: int, end: int, portion: dict[tuple[str, int], Placed | _Odd]) -> None:
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

    def _add(
        self, query: _Query, log: object, height: int, end: int, portion: dict[tuple[str, int], Placed | _Odd]
    ) -> None:
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

    def _entry(self, query: _Query, log: JsonObject, block: BlockRef) -> Placed | _Odd:
        """The transfer of a log, or the log itself when it has another shape."""
        asset = self._tokens.get(data(log.get("address"), length=20))
        topics = log.get("topics")
        if asset is None or not isinstance(topics, list):
            raise MalformedAnswer("a log is of a contract that was not asked for")
        words = [data(topic, length=32) for topic in topics]
        if len(words) <= query.position or words[0] != TRANSFER_TOPIC or words[query.position] not in query.addresses:
            raise MalformedAnswer("a log does not fit the filter it was asked with")
        amount, tx_id = data(log.get("data")), hash32(log.get("transactionHash"))
        if len(words) != 3 or len(amount) != 32 or any(word[:12] != _ZEROS for word in words[1:]):
            return _Odd(asset.asset_id, tx_id, tuple(words), amount)
        return Placed(
            quantity(log.get("transactionIndex")),
            Transfer(
                block=block,
                tx_id=tx_id,
                index=quantity(log.get("logIndex")),
                asset=asset,
                sender=checksum_address(words[1][12:]),
                receiver=checksum_address(words[2][12:]),
                base_units=int.from_bytes(amount, "big"),
                kind=TransferKind.TOKEN,
            ),
        )


def _queries(tokens: Sequence[bytes], watched: frozenset[bytes]) -> list[_Query]:
    words = [address_word(address) for address in sorted(watched)]
    return [
        _Query(
            tuple(tokens[token : token + ADDRESSES_PER_QUERY]),
            position,
            frozenset(words[place : place + ADDRESSES_PER_QUERY]),
        )
        for token in range(0, len(tokens), ADDRESSES_PER_QUERY)
        for place in range(0, len(words), ADDRESSES_PER_QUERY)
        for position in (_SENDER, _RECEIVER)
    ]
