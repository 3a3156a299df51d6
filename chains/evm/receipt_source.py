"""All receipts of whole blocks, by block where the node offers that, else one by one; in parts that it can give."""

from __future__ import annotations

from collections.abc import Sequence

from chains.errors import MalformedAnswer, NodeUnavailable, RangeTooLarge, ReadError, UnsupportedByNode
from chains.evm.balances import Transport
from chains.evm.blocks import Block
from chains.evm.quantity import hash32
from chains.jsonrpc import RpcCall


class ReceiptSource:
    """All receipts of whole blocks, by block where the node offers that, else one by one."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._by_block = True

    def of(self, blocks: Sequence[Block]) -> list[list[object]]:
        """The receipts of each block, in the order of its transactions; asked for in parts that the node can give."""
        try:
            return self._fetch(blocks)
        except (RangeTooLarge, NodeUnavailable, MalformedAnswer):
            # A body over a limit has many faces; asking for less tells it from a node that is down or wrong.
            if len(blocks) <= 1:
                raise
            middle = len(blocks) // 2
            return self.of(blocks[:middle]) + self.of(blocks[middle:])

    def _fetch(self, blocks: Sequence[Block]) -> list[list[object]]:
        if self._by_block:
            try:
                return self._fetch_by_block(blocks)
            except UnsupportedByNode:
                self._by_block = False
            except RangeTooLarge:
                if len(blocks) > 1:
                    raise
        return self._fetch_one_by_one(blocks)

    def _fetch_by_block(self, blocks: Sequence[Block]) -> list[list[object]]:
        full = [header.block for header, raw in blocks if raw.get("transactions")]
        # By hash: the node must know this very block. One without transactions has no receipts, as its root shows.
        calls = [RpcCall("eth_getBlockReceipts", (block.block_hash,)) for block in full]
        answers = dict(zip([block.block_hash for block in full], self._ask(calls), strict=True))
        found: list[list[object]] = []
        for header, _ in blocks:
            receipts = answers.get(header.block.block_hash, [])
            if not isinstance(receipts, list):
                raise MalformedAnswer(f"the node has no receipts of {header.block}")
            found.append(receipts)
        return found

    def _fetch_one_by_one(self, blocks: Sequence[Block]) -> list[list[object]]:
        tx_ids: list[str] = []
        counts: list[int] = []
        for _, raw in blocks:
            transactions = raw.get("transactions")
            if not isinstance(transactions, list) or not all(isinstance(each, dict) for each in transactions):
                raise MalformedAnswer("a block has no list of transactions")
            tx_ids.extend(hash32(each.get("hash")) for each in transactions)
            counts.append(len(transactions))
        receipts = iter(self._ask([RpcCall("eth_getTransactionReceipt", (tx_id,)) for tx_id in tx_ids]))
        return [[next(receipts) for _ in range(count)] for count in counts]

    def _ask(self, calls: Sequence[RpcCall]) -> list[object]:
        answers = self._transport.batch(calls) if calls else []
        for answer in answers:
            if isinstance(answer, ReadError):
                raise answer
        return answers
