"""What a token's event says moved: ERC-20, ERC-721 and ERC-1155 transfers, deposits and withdrawals of wrapped coins.

An event is read in the one shape its standard gives it. One that has the name of a movement and another shape is not
guessed at: it is `None` here, and counted by whoever asked. Both ways of reading history decide by this module, so
that they find the same movements.

Deposit and Withdrawal are taken for movements by their shape, on any ERC-20 asset: an event is the contract's own
word, as Transfer is, and the roll-forward holds both against the balances. The coins come from the contract itself, or
go to it, so that an approval can name whom they go to; nobody can approve a destination of zero.

Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from chains.evm.abi import (
    DEPOSIT_TOPIC,
    TRANSFER_BATCH_TOPIC,
    TRANSFER_SINGLE_TOPIC,
    TRANSFER_TOPIC,
    WITHDRAWAL_TOPIC,
)
from chains.evm.addresses import ZERO_ADDRESS, TokenStandard, checksum_address, token_of
from chains.evm.receipts import Log
from chains.types import Address, Asset, BlockRef, Transfer, TransferKind

PART_STEP: Final = 2**32
"""Added to the log's index for each further part of a batch: a block has fewer logs, a batch far fewer parts."""

_ZEROS: Final = bytes(12)
_ZERO: Final = bytes(20)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WatchedTokens:
    """The assets that are looked for, by what the events of their contracts can name."""

    coins: Mapping[bytes, Asset] = field(default_factory=dict)
    """ERC-20 assets by contract."""
    unique: Mapping[tuple[bytes, int], Asset] = field(default_factory=dict)
    """ERC-721 assets by contract and id."""
    counted: Mapping[tuple[bytes, int], Asset] = field(default_factory=dict)
    """ERC-1155 assets by contract and id."""
    contracts: Mapping[bytes, tuple[Asset, frozenset[TokenStandard]]] = field(default_factory=dict)
    """For each contract its first asset, by which unreadable events are counted, and the standards of its assets."""

    def speaks(self, contract: bytes, *standards: TokenStandard) -> bool:
        """Whether an asset of the contract has one of the standards."""
        known = self.contracts.get(contract)
        return known is not None and not known[1].isdisjoint(standards)

    def asset_of(self, contract: bytes) -> Asset:
        """The asset by which an unreadable event of the contract is counted: the first one in order."""
        return self.contracts[contract][0]


def watched_tokens(assets: Iterable[Asset]) -> WatchedTokens:
    """The tokens among some assets."""
    coins: dict[bytes, Asset] = {}
    by_id: dict[TokenStandard, dict[tuple[bytes, int], Asset]] = {standard: {} for standard in TokenStandard}
    contracts: dict[bytes, tuple[Asset, frozenset[TokenStandard]]] = {}
    for asset in sorted(assets, key=lambda asset: asset.asset_id):
        token = token_of(asset.asset_id)
        if token is None:
            continue
        if token.number is None:
            coins[token.contract] = asset
        else:
            by_id[token.standard][token.contract, token.number] = asset
        first, standards = contracts.get(token.contract, (asset, frozenset()))
        contracts[token.contract] = (first, standards | {token.standard})
    return WatchedTokens(coins, by_id[TokenStandard.ERC721], by_id[TokenStandard.ERC1155], contracts)


@dataclass(frozen=True, slots=True)
class TokenMovement:
    """One movement of one asset by one event."""

    index: int
    """Place of the log in its block; further parts of a batch are `PART_STEP` apart."""
    asset: Asset
    sender: bytes
    receiver: bytes
    base_units: int
    wrapper: bytes = b""
    """The wrapping contract that a deposit came from, or that a withdrawal went to: it stands for the zero address."""

    @property
    def is_transfer(self) -> bool:
        """Whether a transfer event tells it; else it is the deposit or withdrawal of a wrapping token."""
        return not self.wrapper

    @property
    def what(self) -> tuple[str, bytes, bytes, int]:
        """What moved, whichever event says so."""
        return self.asset.asset_id, self.sender, self.receiver, self.base_units

    @property
    def sender_address(self) -> Address:
        """The sender as it is recorded."""
        return self._address(self.sender)

    @property
    def receiver_address(self) -> Address:
        """The receiver as it is recorded."""
        return self._address(self.receiver)

    def transfer(self, block: BlockRef, tx_id: str) -> Transfer:
        """The movement as it is recorded."""
        return Transfer(
            block,
            tx_id,
            self.index,
            self.asset,
            self._address(self.sender),
            self._address(self.receiver),
            self.base_units,
            TransferKind.TOKEN,
        )

    def _address(self, raw: bytes) -> Address:
        if raw != _ZERO:
            return checksum_address(raw)
        return checksum_address(self.wrapper) if self.wrapper else ZERO_ADDRESS


def read_event(log: Log, index: int, tokens: WatchedTokens) -> tuple[TokenMovement, ...] | None:
    """The movements of watched assets that a log tells, often none; None when it ought to tell one and is unreadable.

    `index` is the log's place in its block.
    """
    event = log.topics[0] if log.topics else b""
    if event == TRANSFER_TOPIC and tokens.speaks(log.address, TokenStandard.ERC20, TokenStandard.ERC721):
        return _read_transfer(log, index, tokens)
    if event in (DEPOSIT_TOPIC, WITHDRAWAL_TOPIC) and log.address in tokens.coins:
        return _read_wrapping(log, index, tokens.coins[log.address])
    if event in (TRANSFER_SINGLE_TOPIC, TRANSFER_BATCH_TOPIC) and tokens.speaks(log.address, TokenStandard.ERC1155):
        return _read_counted(log, index, tokens)
    return ()


def tell_once(movements: Sequence[tuple[TokenMovement, T]]) -> Iterator[tuple[TokenMovement, T]]:
    """The movements of one transaction, each with what belongs to it, those told by two events once.

    Some wrapping tokens emit Transfer beside Deposit or Withdrawal: then Transfer tells it.
    """
    if not any(movement.wrapper for movement, _ in movements):
        yield from movements
        return
    told = Counter(movement.what for movement, _ in movements if movement.is_transfer)
    for movement, companion in movements:
        if not movement.is_transfer and told[movement.what] > 0:
            told[movement.what] -= 1
        else:
            yield movement, companion


def _read_transfer(log: Log, index: int, tokens: WatchedTokens) -> tuple[TokenMovement, ...] | None:
    topics, content, contract = log.topics, log.data, log.address
    if any(topic[:12] != _ZEROS for topic in topics[1:3]):
        return None
    if len(topics) == 3 and len(content) == 32 and contract in tokens.coins:
        asset, units = tokens.coins[contract], int.from_bytes(content, "big")
        return (TokenMovement(index, asset, topics[1][12:], topics[2][12:], units),)
    if len(topics) == 4 and not content and tokens.speaks(contract, TokenStandard.ERC721):
        unique = tokens.unique.get((contract, int.from_bytes(topics[3], "big")))
        # An id that the mapping does not know is another asset, as a token of another contract would be.
        return (TokenMovement(index, unique, topics[1][12:], topics[2][12:], 1),) if unique is not None else ()
    return None


def _read_wrapping(log: Log, index: int, asset: Asset) -> tuple[TokenMovement, ...]:
    topics, content = log.topics, log.data
    if len(topics) != 2 or len(content) != 32 or topics[1][:12] != _ZEROS:
        return ()  # other contracts have events of these names too, for other things
    holder, units = topics[1][12:], int.from_bytes(content, "big")
    sender, receiver = (_ZERO, holder) if topics[0] == DEPOSIT_TOPIC else (holder, _ZERO)
    return (TokenMovement(index, asset, sender, receiver, units, wrapper=log.address),)


def _read_counted(log: Log, index: int, tokens: WatchedTokens) -> tuple[TokenMovement, ...] | None:
    topics = log.topics
    if len(topics) != 4 or any(topic[:12] != _ZEROS for topic in topics[1:]):
        return None
    amounts = _read_single(log.data) if topics[0] == TRANSFER_SINGLE_TOPIC else _read_batch(log.data)
    if amounts is None:
        return None
    return tuple(
        TokenMovement(index + part * PART_STEP, asset, topics[2][12:], topics[3][12:], units)
        for part, (number, units) in enumerate(amounts)
        if (asset := tokens.counted.get((log.address, number))) is not None
    )


def _read_single(content: bytes) -> list[tuple[int, int]] | None:
    words = _words(content)
    return [(words[0], words[1])] if words is not None and len(words) == 2 else None


def _read_batch(content: bytes) -> list[tuple[int, int]] | None:
    """Ids and amounts of two dynamic arrays, as ABI encoders write them: both offsets, then one after the other."""
    words = _words(content)
    if words is None or len(words) < 4 or words[0] != 64:
        return None
    count = words[2]
    if len(words) != 4 + 2 * count or words[1] != 64 + 32 * (1 + count) or words[3 + count] != count:
        return None
    return list(zip(words[3 : 3 + count], words[4 + count :], strict=True))


def _words(content: bytes) -> list[int] | None:
    if len(content) % 32:
        return None
    return [int.from_bytes(content[place : place + 32], "big") for place in range(0, len(content), 32)]
