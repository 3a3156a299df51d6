"""What moved in a checked block: all kinds that its transactions, receipts and withdrawals show with certainty.

What moves inside a transaction without an event stays for the comparison of balances. What is known to credit a
watched address by an amount that is not read here (rewards of mining, transactions of an unknown type) is counted.

Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from chains.evm.addresses import checksum_address
from chains.evm.block_credits import block_credits, tip
from chains.evm.native import FEE_INDEX, MINT_INDEX, Placed
from chains.evm.receipts import Log
from chains.evm.token_events import TokenMovement, WatchedTokens, read_event, tell_once
from chains.evm.verified_block import CheckedBlock, Executed
from chains.types import Asset, AssetId, BlockRef, Transfer, TransferKind


@dataclass(frozen=True, slots=True)
class Watch:
    """What is looked for."""

    addresses: frozenset[bytes]
    native: Asset | None
    """None when native movements are not asked for."""
    tokens: WatchedTokens


def block_movements(block: CheckedBlock, watch: Watch) -> tuple[list[Placed], Counter[AssetId]]:
    """The movements of a block, and per asset how many sources that concern a watched address could not be read."""
    found: list[Placed] = []
    unparsed: Counter[AssetId] = Counter()
    for place, executed in enumerate(block.transactions):
        if watch.native is not None:
            found.extend(Placed(place, each) for each in _top_level(block.block, executed, watch, watch.native))
        if watch.tokens.contracts:
            found.extend(Placed(place, each) for each in _token_movements(block.block, executed, watch, unparsed))
    if watch.native is not None:
        found.extend(_block_level(block, watch, watch.native))
        if unread := sum(each.unread and _touches(each, watch.addresses) for each in block.transactions):
            unparsed[watch.native.asset_id] += unread
    return found, unparsed


def _top_level(block: BlockRef, executed: Executed, watch: Watch, native: Asset) -> Iterator[Transfer]:
    """The fee, the value and what is minted by a transaction."""
    pays, gets = executed.sender in watch.addresses, executed.receiver in watch.addresses
    if not pays and (not gets or executed.value == 0):
        return
    sender = checksum_address(executed.sender)
    if pays and executed.mint > 0:
        yield Transfer(block, executed.tx_id, MINT_INDEX, native, None, sender, executed.mint, TransferKind.NATIVE)
    if pays and executed.fee > 0:
        yield Transfer(block, executed.tx_id, FEE_INDEX, native, sender, None, executed.fee, TransferKind.FEE)
    if executed.value > 0 and executed.receipt.status == 1:
        receiver = checksum_address(executed.receiver)
        yield Transfer(block, executed.tx_id, 0, native, sender, receiver, executed.value, TransferKind.NATIVE)


def _block_level(block: CheckedBlock, watch: Watch, native: Asset) -> Iterator[Placed]:
    credited = block_credits(
        block.block,
        native,
        watch.addresses,
        recipient=block.fee_recipient,
        tips=sum(tip(each.gas_used, each.gas_price, block.base_fee) for each in block.transactions),
        withdrawals=block.withdrawals,
    )
    return (Placed(len(block.transactions), each) for each in credited)


def _touches(executed: Executed, addresses: frozenset[bytes]) -> bool:
    return executed.sender in addresses or executed.receiver in addresses


def _token_movements(
    block: BlockRef, executed: Executed, watch: Watch, unparsed: Counter[AssetId]
) -> Iterator[Transfer]:
    movements: list[tuple[TokenMovement, None]] = []
    for index, log in enumerate(executed.receipt.logs, executed.first_log_index):
        read = read_event(log, index, watch.tokens)
        if read is not None:
            movements.extend((movement, None) for movement in read)
        elif _names_any(log, watch.addresses):
            unparsed[watch.tokens.asset_of(log.address).asset_id] += 1
    for movement, _ in tell_once(movements):
        if movement.sender in watch.addresses or movement.receiver in watch.addresses:
            yield movement.transfer(block, executed.tx_id)


def _names_any(log: Log, addresses: frozenset[bytes]) -> bool:
    """Whether an address stands in a topic or in a word of the data; the unindexed form of Transfer has it there."""
    words = [*log.topics[1:], *(log.data[place : place + 32] for place in range(0, len(log.data), 32))]
    return any(word[12:32] in addresses for word in words)
