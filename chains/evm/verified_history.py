"""All movements touching watched addresses in a run of blocks, from whole blocks held against their own headers.

1. the node has the last block by hash, and on its canonical chain
2. every block is fetched whole, its header re-hashed, chained to the one before; the last is the one named
3. all receipts of each block are fetched and held against its header (`chains.evm.verified_block`)
4. movements are read from what was checked (`chains.evm.block_movements`)
5. the node still has the last block: otherwise all of it is void

So one node, even a lying one, cannot leave a log, a receipt, a transaction or a withdrawal out of a block whose hash
is right. Whether the hash is right is the anchor's question: other operators, or the reader's own node.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from chains.errors import (
    ChainConfigError,
    InvalidValue,
    MalformedAnswer,
    NodeUnavailable,
    ProofFailed,
    RangeTooLarge,
    ReadError,
    UnsupportedByNode,
)
from chains.evm.addresses import address_bytes, token_address
from chains.evm.balances import Transport
from chains.evm.block_movements import Watch, block_movements
from chains.evm.blocks import Block, BlockSource
from chains.evm.native import Placed
from chains.evm.quantity import hash32
from chains.evm.verified_block import check_block
from chains.jsonrpc import RpcCall
from chains.reader import ChainConfig, Progress
from chains.types import Address, Asset, AssetId, BlockRef, TransferScan

VERIFIED: Final = "verified"
LOGS: Final = "logs"
HISTORY_MODES: Final = (LOGS, VERIFIED)
"""What `ChainConfig.history_mode` may be: what the node filters out of its logs, or whole blocks checked here."""


def require_history_mode(name: str) -> None:
    """Raise `ChainConfigError` unless there is this way of reading history."""
    if name not in HISTORY_MODES:
        raise ChainConfigError(f"there is no history mode {name!r} (known: {', '.join(HISTORY_MODES)})")


def scan_verified(
    transport: Transport,
    config: ChainConfig,
    node_id: str,
    *,
    first_height: int,
    last: BlockRef,
    watched: Iterable[Address],
    assets: Sequence[Asset],
    progress: Progress | None = None,
) -> TransferScan:
    """Scan blocks first_height to `last`, both included, every one of them verified. `progress` counts blocks.

    When a block has something that this version cannot recompute, the scan's mode is `logs` and `mode_note` says why.
    Raises `ProofFailed` when the node left out, added or changed something, `ChainMoved` when its chain changed
    meanwhile, any other `ReadError` when something could not be read: there are no partial scans.
    """
    if not 0 <= first_height <= last.height:
        raise InvalidValue(f"blocks {first_height} to {last.height} are not a range")
    source = BlockSource(transport, config.chain_id, config.header_format)
    watch = Watch(
        addresses=frozenset(map(address_bytes, watched)),
        native=next((asset for asset in assets if asset.is_native), None),
        tokens={token: asset for asset in assets if (token := token_address(asset.asset_id)) is not None},
    )
    source.require_known(last)
    try:
        result = _scan(source, ReceiptSource(transport), node_id, first_height, last, watch, progress)
    except (MalformedAnswer, ProofFailed):
        # An answer from a chain that moved under the scan looks wrong too; ask which it was.
        source.require_known(last)
        raise
    source.require_known(last)
    return result


def _scan(
    source: BlockSource,
    receipts: ReceiptSource,
    node_id: str,
    first_height: int,
    last: BlockRef,
    watch: Watch,
    progress: Progress | None,
) -> TransferScan:
    blocks: list[BlockRef] = []
    placed: list[Placed] = []
    unparsed: Counter[AssetId] = Counter()
    mode_note = ""
    for batch in source.cover(first_height, last, full=True):
        for block, block_receipts in zip(batch, receipts.of(batch), strict=True):
            checked = check_block(block, block_receipts)
            if checked.notes and not mode_note:
                mode_note = f"{checked.block} is not verified: {'; '.join(checked.notes)}"
            movements, odd = block_movements(checked, watch)
            blocks.append(checked.block)
            placed.extend(movements)
            unparsed.update(odd)
        if progress is not None:
            progress(len(batch))
    placed.sort(key=lambda item: item.order)
    return TransferScan(
        blocks=tuple(blocks),
        transfers=tuple(item.transfer for item in placed),
        unparsed={str(asset_id): count for asset_id, count in unparsed.items()},
        node_id=node_id,
        mode=LOGS if mode_note else VERIFIED,
        mode_note=mode_note,
    )


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
