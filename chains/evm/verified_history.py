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

from chains.errors import ChainConfigError, InvalidValue, MalformedAnswer, ProofFailed
from chains.evm.addresses import address_bytes
from chains.evm.balances import Transport
from chains.evm.block_credits import mined_by
from chains.evm.block_movements import Watch, block_movements
from chains.evm.blocks import BlockSource
from chains.evm.native import Placed, in_order
from chains.evm.receipt_source import ReceiptSource
from chains.evm.token_events import watched_tokens
from chains.evm.verified_block import check_block
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
        tokens=watched_tokens(assets),
    )
    source.require_known(last)
    try:
        result = _scan(transport, source, config, node_id, first_height, last, watch, progress)
    except (MalformedAnswer, ProofFailed):
        # An answer from a chain that moved under the scan looks wrong too; ask which it was.
        source.require_known(last)
        raise
    source.require_known(last)
    return result


def _scan(
    transport: Transport,
    source: BlockSource,
    config: ChainConfig,
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
    receipts = ReceiptSource(transport)
    for batch in source.cover(first_height, last, full=True):
        if watch.native is not None and (mined := mined_by(transport, batch, watch.addresses, config.header_format)):
            unparsed[watch.native.asset_id] += mined
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
    placed.sort(key=in_order)
    return TransferScan(
        blocks=tuple(blocks),
        transfers=tuple(item.transfer for item in placed),
        unparsed={str(asset_id): count for asset_id, count in unparsed.items()},
        node_id=node_id,
        mode=LOGS if mode_note else VERIFIED,
        mode_note=mode_note,
    )
