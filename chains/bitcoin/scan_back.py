"""Balances as of a past block from a node's own set of unspent outputs, gone back block by block.

`scantxoutset` speaks of the node's tip alone. What the blocks since a past one paid to the scripts is taken off, and
what they spent is put back; each of those blocks is held against its header. So whoever has a node and no ledger, an
auditor for one, can ask for a balance of yesterday without reading the whole chain. It rests on the node's set,
which no header commits to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from chains.bitcoin.block import check_block
from chains.bitcoin.block_source import BlockSource
from chains.bitcoin.core import CoreNode
from chains.bitcoin.header_chain import header_run
from chains.bitcoin.ledger import match_block
from chains.bitcoin.networks import Network
from chains.errors import ChainMoved, ProofFailed
from chains.types import BlockRef

BLOCKS_BACK_MAX = 2_000
"""Two weeks of blocks."""


class TooFarBack(Exception):
    """More blocks lie between the block and the tip than are read."""


def balances_by_scan(
    node: CoreNode, source: BlockSource, network: Network, block: BlockRef, scripts: Sequence[bytes]
) -> dict[bytes, int]:
    """Satoshis of each script as of a block. Raises `TooFarBack`, `ChainMoved` when the block is not on the chain,
    `ProofFailed` when the set and the blocks contradict each other."""
    asked = frozenset(scripts)
    scan = node.scan_coins(sorted(asked))
    if scan.height - block.height > BLOCKS_BACK_MAX:
        raise TooFarBack(f"block {block.height} lies {scan.height - block.height:,} blocks below the node's tip")
    headers = header_run(node, network, block.height, scan.height)
    if not headers or (headers[0].block_hash, headers[-1].block_hash) != (block.block_hash, scan.block_hash):
        raise ChainMoved(f"{block} and the scanned block are not on one chain")
    held: dict[bytes, int] = defaultdict(int)
    for coin in scan.coins:
        held[coin.script] += coin.value
    for number, header in enumerate(headers[1:], block.height + 1):
        newer, spent = source.read(header)
        check_block(newer, network, number)
        events = match_block(newer, spent, asked)
        for credit in events.credits:
            held[credit.script] -= credit.value
        for debit in events.debits:
            held[debit.script] += debit.value
    if any(value < 0 for value in held.values()):
        raise ProofFailed("the node's set of unspent outputs and its blocks contradict each other")
    return {script: held[script] for script in asked}
