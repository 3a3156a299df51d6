"""All movements touching watched addresses in a run of blocks: token transfers, top-level native values, fees.

1. the node has the last block by hash, and on its canonical chain
2. every block is fetched, its header re-hashed, chained to the one before; the last is the one named
3. receipts of the watched transactions give native values and fees
4. Transfer logs of the tokens, each bound to a covered block by hash
5. the node still has the last block: otherwise all of it is void
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from chains.errors import InvalidValue, MalformedAnswer
from chains.evm.addresses import address_bytes, token_address
from chains.evm.balances import Transport
from chains.evm.blocks import BlockSource
from chains.evm.native import Placed, WatchedTransaction, native_transfers, watched_transactions
from chains.evm.token_logs import TokenLogs
from chains.reader import ChainConfig, Progress
from chains.types import Address, Asset, BlockRef, TransferScan

RECEIPTS_PER_BATCH: Final = 200


def scan(
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
    """Scan blocks first_height to `last`, both included. `progress` counts blocks.

    Raises `ChainMoved` when the node's chain changed meanwhile, `MalformedAnswer` when an answer does not fit the
    covered blocks, any other `ReadError` when something could not be read: there are no partial scans.
    """
    if not 0 <= first_height <= last.height:
        raise InvalidValue(f"blocks {first_height} to {last.height} are not a range")
    source = BlockSource(transport, config.chain_id, config.header_format)
    source.require_known(last)
    try:
        result = _scan(transport, source, node_id, first_height, last, watched, assets, progress)
    except MalformedAnswer:
        # An answer from a chain that moved under the scan looks malformed; ask which it was.
        source.require_known(last)
        raise
    source.require_known(last)
    return result


def _scan(
    transport: Transport,
    source: BlockSource,
    node_id: str,
    first_height: int,
    last: BlockRef,
    watched: Iterable[Address],
    assets: Sequence[Asset],
    progress: Progress | None,
) -> TransferScan:
    addresses = frozenset(map(address_bytes, watched))
    native = next((asset for asset in assets if asset.is_native), None)
    tokens = {token: asset for asset in assets if (token := token_address(asset.asset_id)) is not None}
    placed: list[Placed] = []
    waiting: list[WatchedTransaction] = []
    blocks: list[BlockRef] = []
    for batch in source.cover(first_height, last, full=native is not None and bool(addresses)):
        for block in batch:
            blocks.append(block[0].block)
            if native is not None and addresses:
                waiting.extend(watched_transactions(block, addresses))
        if native is not None and len(waiting) >= RECEIPTS_PER_BATCH:
            placed.extend(native_transfers(transport, waiting, native))
            waiting.clear()
        if progress is not None:
            progress(len(batch))
    if native is not None:
        placed.extend(native_transfers(transport, waiting, native))
    covered = {block.height: block for block in blocks}
    found, unparsed = TokenLogs(transport, covered, tokens, addresses).read(first_height, last.height)
    placed.extend(found)
    placed.sort(key=lambda item: item.order)
    return TransferScan(
        blocks=tuple(blocks),
        transfers=tuple(item.transfer for item in placed),
        unparsed={str(asset_id): count for asset_id, count in unparsed.items()},
        node_id=node_id,
    )
