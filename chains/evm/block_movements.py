"""What moved in a checked block: all kinds that its transactions, receipts and withdrawals show with certainty.

Beyond what the scan of logs reads: withdrawals, tips of a watched fee recipient, and the deposits and withdrawals of
wrapped coins that emit no Transfer. What moves inside a transaction without an event stays for the comparison of
balances, as do block rewards from before the merge.

Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from chains.evm.abi import TRANSFER_TOPIC
from chains.evm.addresses import ZERO_ADDRESS, checksum_address
from chains.evm.native import FEE_INDEX, Placed
from chains.evm.receipts import Log
from chains.evm.verified_block import CheckedBlock, Executed
from chains.types import Address, Asset, AssetId, BlockRef, ChainId, Transfer, TransferKind

DEPOSIT_TOPIC: Final = bytes.fromhex("e1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c")
"""Deposit(address,uint256): coins given to a wrapping token."""
WITHDRAWAL_TOPIC: Final = bytes.fromhex("7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65")
"""Withdrawal(address,uint256): coins taken out of a wrapping token."""

WITHDRAWALS_IN_A_TOKEN: Final = frozenset({ChainId("eip155:100"), ChainId("eip155:10200")})
"""Gnosis chains: the withdrawals of a block are claims on a token contract there, and credit no native coin."""

_ZEROS: Final = bytes(12)
_ZERO: Final = bytes(20)


@dataclass(frozen=True, slots=True)
class Watch:
    """What is looked for."""

    addresses: frozenset[bytes]
    native: Asset | None
    """None when native movements are not asked for."""
    tokens: Mapping[bytes, Asset]
    """Assets by contract."""


def block_movements(block: CheckedBlock, watch: Watch) -> tuple[list[Placed], Counter[AssetId]]:
    """The movements of a block, and per asset how many Transfer events of another shape name a watched address."""
    found: list[Placed] = []
    unparsed: Counter[AssetId] = Counter()
    for place, executed in enumerate(block.transactions):
        if watch.native is not None:
            found.extend(Placed(place, each) for each in _top_level(block.block, executed, watch, watch.native))
        if watch.tokens:
            found.extend(Placed(place, each) for each in _token_movements(block.block, executed, watch, unparsed))
    if watch.native is not None:
        last = len(block.transactions)
        found.extend(Placed(last, each) for each in _block_level(block, watch, watch.native))
    return found, unparsed


def _top_level(block: BlockRef, executed: Executed, watch: Watch, native: Asset) -> Iterator[Transfer]:
    """The fee and the value of a transaction."""
    pays, gets = executed.sender in watch.addresses, executed.receiver in watch.addresses
    if not pays and (not gets or executed.value == 0):
        return
    sender = checksum_address(executed.sender)
    if pays and executed.fee > 0:
        yield Transfer(block, executed.tx_id, FEE_INDEX, native, sender, None, executed.fee, TransferKind.FEE)
    if executed.value > 0 and executed.receipt.status == 1:
        receiver = checksum_address(executed.receiver)
        yield Transfer(block, executed.tx_id, 0, native, sender, receiver, executed.value, TransferKind.NATIVE)


def _block_level(block: CheckedBlock, watch: Watch, native: Asset) -> Iterator[Transfer]:
    """What no transaction moves: named by the block's hash in the place of a transaction's."""
    ref = block.block
    if block.fee_recipient in watch.addresses:
        # Deposits of rollups have a gas price of zero, below the base fee: they give no tip and take none.
        tips = sum(each.gas_used * max(0, each.gas_price - block.base_fee) for each in block.transactions)
        if tips > 0:
            receiver = checksum_address(block.fee_recipient)
            yield Transfer(ref, ref.block_hash, 0, native, None, receiver, tips, TransferKind.COINBASE)
    if ref.chain_id in WITHDRAWALS_IN_A_TOKEN:
        return
    for each in block.withdrawals:
        if each.receiver in watch.addresses and each.gwei > 0:
            receiver = checksum_address(each.receiver)
            yield Transfer(ref, ref.block_hash, each.index, native, None, receiver, each.wei, TransferKind.WITHDRAWAL)


@dataclass(frozen=True, slots=True)
class _TokenEvent:
    """A movement of a token by one event."""

    token: bytes
    index: int
    sender: bytes
    receiver: bytes
    base_units: int
    is_transfer: bool
    """Whether the event is Transfer; else it is the deposit or withdrawal of a wrapping token."""

    @property
    def movement(self) -> tuple[bytes, bytes, bytes, int]:
        """What moved, whichever event says so."""
        return self.token, self.sender, self.receiver, self.base_units


def _token_movements(
    block: BlockRef, executed: Executed, watch: Watch, unparsed: Counter[AssetId]
) -> Iterator[Transfer]:
    events: list[_TokenEvent] = []
    for index, log in enumerate(executed.receipt.logs, executed.first_log_index):
        if log.address not in watch.tokens or not log.topics:
            continue
        event = _token_event(log, index)
        if event is not None:
            events.append(event)
        elif log.topics[0] == TRANSFER_TOPIC and _names_any(log, watch.addresses):
            unparsed[watch.tokens[log.address].asset_id] += 1
    # Some wrapping tokens emit Transfer beside Deposit or Withdrawal: it is one movement, and Transfer tells it.
    told = Counter(event.movement for event in events if event.is_transfer)
    for event in events:
        if not event.is_transfer and told[event.movement] > 0:
            told[event.movement] -= 1
        elif event.sender in watch.addresses or event.receiver in watch.addresses:
            yield Transfer(
                block,
                executed.tx_id,
                event.index,
                watch.tokens[event.token],
                _address(event.sender),
                _address(event.receiver),
                event.base_units,
                TransferKind.TOKEN,
            )


def _token_event(log: Log, index: int) -> _TokenEvent | None:
    """The movement of a log in the one shape its event has; None for every other log."""
    topics, amount = log.topics, log.data
    if len(amount) != 32 or any(topic[:12] != _ZEROS for topic in topics[1:]):
        return None
    units = int.from_bytes(amount, "big")
    if topics[0] == TRANSFER_TOPIC and len(topics) == 3:
        return _TokenEvent(log.address, index, topics[1][12:], topics[2][12:], units, is_transfer=True)
    if topics[0] == DEPOSIT_TOPIC and len(topics) == 2:
        return _TokenEvent(log.address, index, _ZERO, topics[1][12:], units, is_transfer=False)
    if topics[0] == WITHDRAWAL_TOPIC and len(topics) == 2:
        return _TokenEvent(log.address, index, topics[1][12:], _ZERO, units, is_transfer=False)
    return None


def _names_any(log: Log, addresses: frozenset[bytes]) -> bool:
    """Whether an address stands in a topic or in a word of the data; the unindexed form of Transfer has it there."""
    words = [*log.topics[1:], *(log.data[place : place + 32] for place in range(0, len(log.data), 32))]
    return any(word[12:32] in addresses for word in words)


def _address(raw: bytes) -> Address:
    return ZERO_ADDRESS if raw == _ZERO else checksum_address(raw)
