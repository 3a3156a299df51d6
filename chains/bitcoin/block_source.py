"""Whole blocks with what they spend, by the fastest way that a node serves.

`blocks`      /rest/block and /rest/spenttxouts, raw bytes (Core 30 and later, with -rest)
`getblock-3`  the same block by JSON-RPC, and what it spends as JSON: twenty times the cost, and where the coins of
              others are concerned the node's own arithmetic in decimals

Either way a block is held against its header, and every coin of a watched script against the block that made it. What
is not checked in either: the coins of others that a transaction spends beside ours, which no header commits to.
"""

from __future__ import annotations

from typing import Final

from chains.bitcoin.block import Block, Header, Spent, read_block, read_spent
from chains.bitcoin.core import CoreNode
from chains.errors import MalformedAnswer, UnsupportedByNode

BY_REST: Final = "blocks"
BY_RPC: Final = "getblock-3"
BY_RPC_NOTE: Final = "the node serves no raw undo data over REST (Core 30 and later, -rest): what blocks spend is JSON"


class BlockSource:
    """Reads blocks of one node. Raises `chains.errors.ReadError`."""

    def __init__(self, node: CoreNode) -> None:
        self._node = node
        self._has_blocks = self._has_spent = True

    @property
    def mode(self) -> str:
        """The way of reading, as it turned out so far."""
        return BY_REST if self._has_blocks and self._has_spent else BY_RPC

    @property
    def mode_note(self) -> str:
        """Why it is the weaker one; empty when it is not."""
        return "" if self.mode == BY_REST else BY_RPC_NOTE

    def read(self, header: Header) -> tuple[Block, Spent]:
        """The block of a header and the coins that it spends; nothing but the header's hash is checked yet."""
        name = header.block_hash
        block = read_block(self._raw_block(name))
        if block.header.hash != header.hash:
            raise MalformedAnswer("asked for a block by hash, the node gave another")
        return block, self._spent(name)

    def _raw_block(self, name: str) -> bytes:
        if self._has_blocks:
            try:
                return self._node.block(name)
            except UnsupportedByNode:
                self._has_blocks = False
        return self._node.block_by_rpc(name)

    def _spent(self, name: str) -> Spent:
        if self._has_blocks and self._has_spent:
            try:
                return read_spent(self._node.spent_outputs(name))
            except UnsupportedByNode:
                self._has_spent = False
        return self._node.spent_outputs_by_rpc(name)
