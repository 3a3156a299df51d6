"""Very many plain Transfer logs at once, column by column: all their contracts, all their amounts, all their places.

Nearly every log of a scan is a Transfer of an ERC-20 token. What such logs share (contract, event, block, transaction,
addresses) is checked once for each different text, and the rest in one go. Whatever is not plain, or not right in any
way, is left to `chains.evm.token_logs`, which judges log by log and names what is wrong: nothing is refused here.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

from chains.errors import MalformedAnswer
from chains.evm.abi import TRANSFER_TOPIC
from chains.evm.addresses import checksum_addresses
from chains.evm.making import made_transfers, placed_transfers
from chains.evm.native import Placed
from chains.evm.quantity import data, hash32, quantity
from chains.evm.token_events import PART_STEP
from chains.types import Address, Asset, BlockRef

BlockOf = Callable[[object, object], BlockRef]
"""The covered block that a log's number and hash name; raises `MalformedAnswer`."""
_MEMBERS: Final[Callable[[Any], tuple[Any, ...]]] = itemgetter(
    "address", "topics", "data", "blockHash", "blockNumber", "transactionHash", "transactionIndex", "logIndex"
)
_WORD_TEXT: Final = 66
_ADDRESS_WORD: Final = "0x" + "0" * 24
_ADDRESS_POSITIONS: Final = (1, 2)


@dataclass(frozen=True, slots=True)
class PlainQuestion:
    """What was asked, when Transfer events can answer it."""

    coins: Mapping[bytes, Asset]
    """The ERC-20 assets among the contracts asked for."""
    position: int
    """The topic that must be a watched address."""
    addresses: frozenset[bytes]
    """Watched addresses as topic words."""


def log_place(height: int, index: int) -> int:
    """One number for a log's place in the covered chain. Raises `MalformedAnswer` for an index no block reaches."""
    if index >= PART_STEP:
        raise MalformedAnswer("a log has an index beyond what any block can hold")
    return height * PART_STEP + index


def has_plain_form(log: object) -> bool:
    """Whether a log may be a plain transfer, by its sizes alone."""
    if type(log) is not dict:
        return False
    topics, content = log.get("topics"), log.get("data")
    return type(topics) is list and len(topics) == 3 and type(content) is str and len(content) == _WORD_TEXT


def plain_transfers(logs: Sequence[object], asked: PlainQuestion, block_of: BlockOf) -> dict[int, Placed] | None:
    """The transfers of logs by `log_place`, when every log is a plain transfer, right, and at a place of its own.

    None otherwise.
    """
    if not logs:
        return {}
    try:
        return _columns(logs, asked, block_of)
    except (MalformedAnswer, LookupError, TypeError, ValueError):
        return None  # an odd log somewhere: which and why is said by whoever looks at each


def _columns(logs: Sequence[Any], asked: PlainQuestion, block_of: BlockOf) -> dict[int, Placed]:
    _require(set(map(type, logs)) == {dict} and True not in [log.get("removed") for log in logs])
    contracts, topics, contents, hashes, numbers, tx_hashes, tx_places, log_places = zip(
        *map(_MEMBERS, logs), strict=True
    )
    _require(set(map(type, topics)) == {list} and set(map(len, topics)) == {3})
    columns = tuple(zip(*topics, strict=True))
    _require({data(text, length=32) for text in set(columns[0])} == {TRANSFER_TOPIC})
    _require(asked.position in _ADDRESS_POSITIONS)
    _require(asked.addresses.issuperset([data(text, length=32) for text in set(columns[asked.position])]))
    spelt = _addresses({*columns[1], *columns[2]})

    assets = {text: asked.coins[data(text, length=20)] for text in set(contracts)}
    named = list(zip(numbers, hashes, strict=True))
    blocks = {pair: block_of(*pair) for pair in set(named)}
    of_log = [blocks[pair] for pair in named]
    tx_ids = {text: hash32(text) for text in set(tx_hashes)}
    indexes_of = {text: quantity(text) for text in set(log_places)}
    tx_indexes_of = {text: quantity(text) for text in set(tx_places)}
    _require(max(indexes_of.values()) < PART_STEP)
    indexes = [indexes_of[text] for text in log_places]

    transfers = made_transfers(
        of_log,
        [tx_ids[text] for text in tx_hashes],
        indexes,
        [assets[text] for text in contracts],
        [spelt[text] for text in columns[1]],
        [spelt[text] for text in columns[2]],
        _amounts(contents),
    )
    placed = placed_transfers([tx_indexes_of[text] for text in tx_places], transfers)
    keys = [block.height * PART_STEP + index for block, index in zip(of_log, indexes, strict=True)]
    found = dict(zip(keys, placed, strict=True))
    _require(len(found) == len(logs))
    return found


def _addresses(words: Collection[str]) -> dict[str, Address]:
    """The addresses of topic words, by their texts."""
    texts = list(words)
    return dict(zip(texts, checksum_addresses(_split(texts, _ADDRESS_WORD)), strict=True))


def _amounts(contents: Sequence[str]) -> list[int]:
    """The amounts of contents of one word each."""
    # Decoded all at once; blanks, which `fromhex` skips, would leave fewer bytes.
    words = bytes.fromhex("".join(_split(contents, "0x")))
    _require(len(words) == 32 * len(contents))
    from_bytes = int.from_bytes
    return [from_bytes(words[place : place + 32], "big") for place in range(0, len(words), 32)]


def _split(words: Sequence[str], head: str) -> list[str]:
    """What follows the head in each word's text: every one must begin with it, and have the length of a word."""
    tails = "".join(words).split(head)
    # Nothing before the first head and one length between all: so the heads are where the texts begin.
    _require(set(map(len, words)) == {_WORD_TEXT} == {len(head) + length for length in set(map(len, tails[1:]))})
    _require(not tails[0] and len(tails) == len(words) + 1)
    return tails[1:]


def _require(holds: bool) -> None:
    if not holds:
        raise ValueError
