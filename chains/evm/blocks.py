"""Contiguous coverage: every block of a range, each header re-hashed, each chained to the one before by parent hash.

The last block must be the one the caller named by hash. So what is covered is one chain and has no hole, whatever
the node did between two answers; anything else is `ChainMoved` (try again) or `MalformedAnswer` (do not trust it).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final

from chains.errors import ChainMoved, MalformedAnswer, NodeUnavailable, RangeTooLarge, ReadError
from chains.evm.balances import Transport
from chains.evm.header import Header, decode_header
from chains.evm.quantity import encode_quantity
from chains.jsonrpc import RpcCall
from chains.types import BlockRef, ChainId

TRANSACTIONS_PER_BATCH: Final = 5_000
"""How many transactions a batch of full blocks is sized for, about 5 MB of JSON."""
BLOCKS_FIRST: Final = 16
BLOCKS_MAX: Final = 250

Block = tuple[Header, Mapping[str, object]]
"""The checked header, and the JSON object it came in."""


class BlockSource:
    """Blocks of one chain through one node, as `chains.evm.transfers` needs them."""

    def __init__(self, transport: Transport, chain_id: ChainId, header_format: str) -> None:
        self._transport = transport
        self._chain_id = chain_id
        self._header_format = header_format

    def decode(self, answer: object) -> Block | None:
        """The block of an answer, its hash recomputed; None when the node has none."""
        if answer is None:
            return None
        header = decode_header(answer, self._chain_id, self._header_format)
        assert isinstance(answer, Mapping)
        return header, answer

    def require_known(self, block: BlockRef) -> None:
        """Raise `ChainMoved` unless the node has this block by hash and on its canonical chain.

        A node that lags behind the block answers ranges up to it with silence, which must not be taken for
        "nothing happened".
        """
        known, canonical = self._transport.batch(
            [
                RpcCall("eth_getBlockByHash", (block.block_hash, False)),
                RpcCall("eth_getBlockByNumber", (encode_quantity(block.height), False)),
            ]
        )
        for answer in (known, canonical):
            if isinstance(answer, ReadError):
                raise answer
            found = self.decode(answer)
            if found is None or found[0].block != block:
                raise ChainMoved(f"the node does not have {block} on its chain")

    def cover(self, first_height: int, last: BlockRef, *, full: bool) -> Iterator[list[Block]]:
        """All blocks from first_height to `last` in ascending batches, with whole transactions when `full`."""
        previous: BlockRef | None = None
        height, count = first_height, BLOCKS_FIRST if full else BLOCKS_MAX
        with ThreadPoolExecutor(1) as ahead:
            asked: tuple[range, Future[list[object]]] | None = None
            while height <= last.height:
                heights = range(height, min(height + count, last.height + 1))
                try:
                    if asked is not None and asked[0] == heights:
                        answers = asked[1].result()
                    else:
                        answers = self._ask(heights, full)
                    asked = None
                    if not full and heights.stop <= last.height:
                        # While these headers are checked the next ones come. Not with whole blocks: whoever reads
                        # those asks the same transport for receipts meanwhile.
                        following = range(heights.stop, min(heights.stop + count, last.height + 1))
                        asked = (following, ahead.submit(self._ask, following, full))
                    blocks = self._decode_all(heights, answers)
                except (RangeTooLarge, NodeUnavailable, MalformedAnswer):
                    if asked is not None:
                        wait([asked[1]])
                        asked = None
                    # A body over a limit has many faces; asking for less tells it from a node that is down or wrong.
                    if len(heights) <= 1:
                        raise
                    count = max(1, len(heights) // 4)
                    continue
                for header, _ in blocks:
                    block = header.block
                    if previous is not None and block.parent_hash != previous.block_hash:
                        raise ChainMoved(
                            f"block {block.height} does not follow the block {previous.height} seen before"
                        )
                    previous = block
                height = heights.stop
                if full:
                    count = _next_count(blocks)
                if height > last.height and previous != last:
                    raise ChainMoved(f"the scan ended at another block than {last}")
                yield blocks

    def _ask(self, heights: range, full: bool) -> list[object]:
        return self._transport.batch(
            [RpcCall("eth_getBlockByNumber", (encode_quantity(height), full)) for height in heights]
        )

    def _decode_all(self, heights: range, answers: list[object]) -> list[Block]:
        blocks: list[Block] = []
        for height, answer in zip(heights, answers, strict=True):
            if isinstance(answer, ReadError):
                raise answer
            block = self.decode(answer)
            if block is None:
                raise ChainMoved(f"the node has no block {height}, below a block it had")
            if block[0].block.height != height:
                raise MalformedAnswer(f"asked for block {height}, the node gave block {block[0].block.height}")
            blocks.append(block)
        return blocks


def _next_count(blocks: list[Block]) -> int:
    lists = [raw.get("transactions") for _, raw in blocks]
    transactions = sum(len(each) for each in lists if isinstance(each, list))
    return max(1, min(BLOCKS_MAX, TRANSACTIONS_PER_BATCH * len(blocks) // (transactions + 1)))
