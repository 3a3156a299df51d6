"""Logs read by columns are what they are log by log: the same transfers, or the same refusal."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import InvalidValue, MalformedAnswer, ReadError
from chains.evm import token_logs
from chains.evm.abi import DEPOSIT_TOPIC, TRANSFER_TOPIC, address_word, hex_text
from chains.evm.addresses import checksum_address, checksum_addresses
from chains.evm.log_columns import PlainQuestion, log_place, plain_transfers
from chains.evm.native import Placed, in_order
from chains.evm.quantity import hash32, quantity
from chains.evm.token_events import PART_STEP, watched_tokens
from chains.evm.token_logs import TokenLogs
from chains.jsonrpc import RpcCall
from chains.types import Asset, AssetId, BlockRef, ChainId

CHAIN = ChainId("eip155:1")
CONTRACT = bytes.fromhex("70c0" * 10)
ASSET = Asset(AssetId(f"{CHAIN}/erc20:{checksum_address(CONTRACT)}"), "MANY", 6)
WATCHED = bytes.fromhex("ab" * 20)
STRANGER = bytes.fromhex("cd" * 20)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BLOCKS = {
    height: BlockRef(CHAIN, height, f"0x{height + 1:064x}", f"0x{height:064x}", NOON) for height in range(100, 104)
}
JsonLog = dict[str, Any]


def log(height: int = 100, index: int = 0, **changed: object) -> JsonLog:
    """A plain transfer out of the watched address."""
    return {
        "address": hex_text(CONTRACT),
        "topics": [hex_text(TRANSFER_TOPIC), hex_text(address_word(WATCHED)), hex_text(address_word(STRANGER))],
        "data": f"0x{index + 7:064x}",
        "blockHash": BLOCKS[height].block_hash,
        "blockNumber": hex(height),
        "transactionHash": "0x" + "EF" * 32,
        "transactionIndex": "0x3",
        "logIndex": hex(index),
        "removed": False,
        **changed,
    }


@dataclass(slots=True)
class Node:
    """Gives the same logs to the question of who sent, and none to that of who received."""

    logs: Sequence[object]
    asked: list[RpcCall] = field(default_factory=list)

    def batch(self, calls: Sequence[RpcCall]) -> list[object]:
        self.asked += calls
        positions = [len(call.params[0]["topics"]) for call in calls if call.method == "eth_getLogs"]  # type: ignore[index]
        return [{"hash": BLOCKS[103].block_hash}, list(self.logs) if positions == [2] else []]

    def call(self, method: str, *params: object) -> object:
        raise AssertionError(method)


Outcome = tuple[list[Placed], dict[AssetId, int]] | str


def read(logs: Sequence[object]) -> Outcome:
    reader = TokenLogs(Node(copy.deepcopy(logs)), BLOCKS, watched_tokens([ASSET]), frozenset({WATCHED}))
    try:
        return reader.read(100, 103)
    except ReadError as error:
        return str(error)


def read_one_by_one(logs: Sequence[object], monkeypatch: pytest.MonkeyPatch) -> Outcome:
    with monkeypatch.context() as patch:
        patch.setattr(token_logs, "plain_transfers", lambda *_: None)
        return read(logs)


def by_columns(logs: Sequence[object]) -> bool:
    """Whether all of them are read at once."""
    asked = PlainQuestion({CONTRACT: ASSET}, 1, frozenset({address_word(WATCHED)}))

    def block_of(number: object, block_hash: object) -> BlockRef:
        block = BLOCKS.get(quantity(number))
        if block is None or hash32(block_hash) != block.block_hash:
            raise MalformedAnswer("another block")
        return block

    return plain_transfers(logs, asked, block_of) is not None


PLAIN = [log(100, 0), log(100, 1), log(101, 0), log(103, 5, transactionIndex="0x0", transactionHash="0x" + "01" * 32)]


def test_plain_logs_are_read_at_once_and_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert by_columns(PLAIN)
    found = read(PLAIN)
    assert found == read_one_by_one(PLAIN, monkeypatch)
    assert not isinstance(found, str)
    placed, odd = found
    assert [in_order(each)[:3] for each in placed] == [
        (100, 3, 0),
        (100, 3, 1),
        (101, 3, 0),
        (103, 0, 5),
    ]
    assert not odd


TOPICS = PLAIN[0]["topics"]
ODD: dict[str, Callable[[], object]] = {
    "not an object": lambda: "log",
    "a list": lambda: [1],
    "taken back": lambda: log(101, 9, removed=True),
    "removed by a word": lambda: log(101, 9, removed="yes"),
    "removed by a number": lambda: log(101, 9, removed=1),
    "no removed": lambda: {name: value for name, value in log(101, 9).items() if name != "removed"},
    "a member missing": lambda: {name: value for name, value in log(101, 9).items() if name != "logIndex"},
    "another contract": lambda: log(101, 9, address="0x" + "11" * 20),
    "a short contract": lambda: log(101, 9, address="0x1111"),
    "a contract that is a number": lambda: log(101, 9, address=5),
    "a contract that is a list": lambda: log(101, 9, address=[]),
    "a contract in capitals": lambda: log(101, 9, address="0x" + CONTRACT.hex().upper()),
    "a deposit": lambda: log(101, 9, topics=[hex_text(DEPOSIT_TOPIC), TOPICS[1]]),
    "another event": lambda: log(101, 9, topics=["0x" + "77" * 32, *TOPICS[1:]]),
    "an event in capitals": lambda: log(101, 9, topics=["0x" + TRANSFER_TOPIC.hex().upper(), *TOPICS[1:]]),
    "topics as text": lambda: log(101, 9, topics="abc"),
    "topics as an object": lambda: log(101, 9, topics={"a": 1, "b": 2, "c": 3}),
    "a topic that is a number": lambda: log(101, 9, topics=[TOPICS[0], TOPICS[1], 7]),
    "four topics": lambda: log(101, 9, topics=[*TOPICS, TOPICS[1]]),
    "two topics": lambda: log(101, 9, topics=TOPICS[:2]),
    "another sender": lambda: log(101, 9, topics=[TOPICS[0], TOPICS[2], TOPICS[2]]),
    "more than an address": lambda: log(101, 9, topics=[*TOPICS[:2], "0x" + "01" * 32]),
    "a blank in a topic": lambda: log(101, 9, topics=[*TOPICS[:2], TOPICS[2][:-2] + " c"]),
    "a topic shifted": lambda: log(101, 9, topics=[*TOPICS[:2], "0" + TOPICS[2][:-1]]),
    "a topic of other digits": lambda: log(101, 9, topics=[*TOPICS[:2], TOPICS[2][:-2] + "\u0664\u0664"]),
    "a receiver in capitals": lambda: log(101, 9, topics=[*TOPICS[:2], "0x" + "0" * 24 + "CD" * 20]),
    "a big X": lambda: log(101, 9, topics=[*TOPICS[:2], "0X" + TOPICS[2][2:]]),
    "no content": lambda: log(101, 9, data="0x"),
    "two words of content": lambda: log(101, 9, data="0x" + "00" * 64),
    "content without 0x": lambda: log(101, 9, data="00" * 33),
    "content shifted": lambda: log(101, 9, data="00x" + "1" * 63),
    "content with blanks": lambda: log(101, 9, data="0x" + "1" * 60 + " 1 1"),
    "content with an underscore": lambda: log(101, 9, data="0x" + "1" * 31 + "_" + "1" * 32),
    "content that is a number": lambda: log(101, 9, data=12),
    "another block": lambda: log(101, 9, blockHash="0x" + "99" * 32),
    "the hash of another height": lambda: log(101, 9, blockNumber="0x66"),
    "a block not asked for": lambda: log(101, 9, blockNumber="0x1"),
    "a height with zeros": lambda: log(101, 9, blockNumber="0x065"),
    "a height that is a number": lambda: log(101, 9, blockNumber=101),
    "a height that is true": lambda: log(101, 9, blockNumber=True),
    "a block hash in capitals": lambda: log(101, 9, blockHash="0x" + BLOCKS[101].block_hash[2:].upper()),
    "a short transaction": lambda: log(101, 9, transactionHash="0x12"),
    "no transaction": lambda: log(101, 9, transactionHash=None),
    "a place that is a number": lambda: log(101, 9, transactionIndex=1),
    "a place with zeros": lambda: log(101, 9, transactionIndex="0x01"),
    "an index that is none": lambda: log(101, 9, logIndex=None),
    "an index with zeros": lambda: log(101, 9, logIndex="0x00"),
    "an index no block reaches": lambda: log(101, 9, logIndex=hex(PART_STEP)),
    "the last index": lambda: log(101, 9, logIndex=hex(PART_STEP - 1)),
    "told twice": lambda: log(100, 1),
    "another at the same place": lambda: log(100, 1, data="0x" + "44" * 32),
}
STILL_PLAIN = {
    "removed by a word", "no removed", "a contract in capitals", "an event in capitals",
    "a receiver in capitals", "a block hash in capitals", "the last index",
}  # fmt: skip
STILL_FOUND = STILL_PLAIN | {"removed by a number", "taken back", "a deposit", "told twice"}
COUNTED = {"four topics", "two topics", "more than an address", "no content", "two words of content"}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("place", [0, 2, 4])
def test_whatever_is_odd_is_judged_as_one_by_one(name: str, place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = [*PLAIN[:place], ODD[name](), *PLAIN[place:]]
    found = read(logs)
    expected = read_one_by_one(logs, monkeypatch)
    if isinstance(expected, str) or isinstance(found, str):
        assert found == expected
        assert name not in STILL_FOUND | COUNTED
    else:
        assert sorted(found[0], key=in_order) == sorted(expected[0], key=in_order)
        assert found[1] == expected[1] == ({ASSET.asset_id: 1} if name in COUNTED else {})
        assert name in STILL_FOUND | COUNTED
    assert by_columns(logs) == (name in STILL_PLAIN)


def test_with_a_few_others_among_them_the_plain_ones_are_still_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read_at_once: list[int] = []

    def watched(logs: Sequence[object], *others: Any) -> dict[int, Placed] | None:
        found = plain_transfers(logs, *others)
        read_at_once.append(len(found or ()))
        return found

    monkeypatch.setattr(token_logs, "plain_transfers", watched)
    read([*PLAIN, ODD["a deposit"]()])
    assert read_at_once[:2] == [0, len(PLAIN)]


@pytest.mark.parametrize("last", [log(101, 9), log(101, 9, data="0x" + "44" * 32)])
def test_an_answer_to_one_question_is_held_against_that_to_another(
    last: JsonLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both ends watched, so both questions are answered with it; the second time from another node's memory."""
    own = [TOPICS[0], TOPICS[1], TOPICS[1]]
    first = log(101, 9, topics=own)

    def batch(node: Node, calls: Sequence[RpcCall]) -> list[object]:
        position = len(calls[1].params[0]["topics"])  # type: ignore[index]
        return [{"hash": BLOCKS[103].block_hash}, [first] if position == 2 else [{**last, "topics": own}]]

    monkeypatch.setattr(Node, "batch", batch)
    found = read([])
    assert found == read_one_by_one([], monkeypatch)
    assert isinstance(found, str) == (last["data"] != first["data"])


@given(st.lists(st.binary(min_size=20, max_size=20), max_size=20))
def test_many_addresses_are_spelt_as_each_one_is(addresses: list[bytes]) -> None:
    expected = [checksum_address(address) for address in addresses]
    assert checksum_addresses([address.hex() for address in addresses]) == expected
    assert checksum_addresses([address.hex().upper() for address in addresses]) == expected


@pytest.mark.parametrize("odd", ["", "ab" * 19, "ab" * 21, " " + "a" * 39, "g" * 40, "\u0664" * 40, "0x" + "a" * 38])
def test_what_is_no_address_is_not_spelt(odd: str) -> None:
    with pytest.raises(InvalidValue):
        checksum_addresses(["ab" * 20, odd])
    with pytest.raises(InvalidValue):
        checksum_addresses([odd, "ab" * 20])


def test_lengths_that_only_together_are_right_are_no_addresses() -> None:
    with pytest.raises(InvalidValue):
        checksum_addresses(["ab" * 19, "ab" * 21])


def test_an_index_that_no_block_reaches_is_refused() -> None:
    with pytest.raises(MalformedAnswer, match="beyond what any block can hold"):
        log_place(1, PART_STEP)
