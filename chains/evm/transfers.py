"""All movements touching watched addresses in a run of blocks: what tokens' logs, transactions and blocks show.

1. the node has the last block by hash, and on its canonical chain
2. every block is fetched, its header re-hashed, chained to the one before; the last is the one named
3. receipts of the watched transactions give native values and fees
4. the blocks give withdrawals; where a watched address gets the tips, all receipts of the block give them
5. logs of the tokens, each bound to a covered block by hash
6. the node still has the last block: otherwise all of it is void
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from chains.errors import InvalidValue, MalformedAnswer
from chains.evm.addresses import address_bytes
from chains.evm.balances import Transport
from chains.evm.block_credits import block_credits, fee_recipient, mined_by, tip
from chains.evm.blocks import Block, BlockSource
from chains.evm.native import Placed, WatchedTransaction, in_order, native_transfers, watched_transactions
from chains.evm.quantity import hash32, quantity
from chains.evm.receipt_source import ReceiptSource
from chains.evm.token_events import watched_tokens
from chains.evm.token_logs import TokenLogs
from chains.evm.withdrawals import decode_withdrawals
from chains.garbage import rare_collections
from chains.reader import ChainConfig, Progress
from chains.types import Address, Asset, AssetId, BlockRef, TransferScan

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
        with rare_collections():
            result = _scan(transport, source, config, node_id, first_height, last, watched, assets, progress)
    except MalformedAnswer:
        # An answer from a chain that moved under the scan looks malformed; ask which it was.
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
    watched: Iterable[Address],
    assets: Sequence[Asset],
    progress: Progress | None,
) -> TransferScan:
    addresses = frozenset(map(address_bytes, watched))
    native = next((asset for asset in assets if asset.is_native), None)
    if not addresses:
        native = None
    placed: list[Placed] = []
    unparsed: Counter[AssetId] = Counter()
    waiting: list[WatchedTransaction] = []
    blocks: list[BlockRef] = []
    for batch in source.cover(first_height, last, full=native is not None):
        blocks.extend(header.block for header, _ in batch)
        if native is not None:
            waiting.extend(each for block in batch for each in watched_transactions(block, addresses))
            placed.extend(_credits(transport, batch, addresses, native))
            unparsed[native.asset_id] += mined_by(transport, batch, addresses, config.header_format)
            if len(waiting) >= RECEIPTS_PER_BATCH:
                placed.extend(native_transfers(transport, waiting, native))
                unparsed[native.asset_id] += sum(each.unread for each in waiting)
                waiting.clear()
        if progress is not None:
            progress(len(batch))
    if native is not None:
        placed.extend(native_transfers(transport, waiting, native))
        unparsed[native.asset_id] += sum(each.unread for each in waiting)
    covered = {block.height: block for block in blocks}
    found, odd = TokenLogs(transport, covered, watched_tokens(assets), addresses).read(first_height, last.height)
    placed.extend(found)
    placed.sort(key=in_order)
    return TransferScan(
        blocks=tuple(blocks),
        transfers=tuple(item.transfer for item in placed),
        unparsed={str(asset_id): count for asset_id, count in (unparsed + Counter(odd)).items()},
        node_id=node_id,
    )


def _credits(
    transport: Transport, blocks: Sequence[Block], watched: frozenset[bytes], native: Asset
) -> Iterator[Placed]:
    """Withdrawals and tips of watched accounts, as the node gives the blocks and their receipts."""
    tipping = [block for block in blocks if fee_recipient(block) in watched]
    receipts = iter(ReceiptSource(transport).of(tipping) if tipping else [])
    for block in blocks:
        header, raw = block
        count, tips = _transaction_count(raw), 0
        if fee_recipient(block) in watched:
            of_block = next(receipts)
            if len(of_block) != count:
                raise MalformedAnswer(f"a block of {count} transactions got {len(of_block)} receipts")
            base_fee = quantity(raw["baseFeePerGas"]) if raw.get("baseFeePerGas") is not None else 0
            tips = sum(_tip(receipt, header.block, base_fee) for receipt in of_block)
        withdrawals = decode_withdrawals(raw.get("withdrawals"))
        credited = block_credits(
            header.block, native, watched, recipient=fee_recipient(block), tips=tips, withdrawals=withdrawals
        )
        yield from (Placed(count, transfer) for transfer in credited)


def _tip(receipt: object, block: BlockRef, base_fee: int) -> int:
    if not isinstance(receipt, Mapping) or hash32(receipt.get("blockHash")) != block.block_hash:
        raise MalformedAnswer("a receipt belongs to another block")
    return tip(quantity(receipt.get("gasUsed")), quantity(receipt.get("effectiveGasPrice")), base_fee)


def _transaction_count(raw: Mapping[str, object]) -> int:
    transactions = raw.get("transactions")
    if not isinstance(transactions, list):
        raise MalformedAnswer("a block has no list of transactions")
    return len(transactions)
