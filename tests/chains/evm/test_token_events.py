"""Token events against what eth-abi encodes, and against anything at all."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from chains.evm.abi import (
    DEPOSIT_TOPIC,
    TRANSFER_BATCH_TOPIC,
    TRANSFER_SINGLE_TOPIC,
    TRANSFER_TOPIC,
    WITHDRAWAL_TOPIC,
    address_word,
    word,
)
from chains.evm.addresses import Token, TokenStandard, checksum_address, token_of
from chains.evm.receipts import Log
from chains.evm.token_events import PART_STEP, TokenMovement, WatchedTokens, read_event, tell_once, watched_tokens
from chains.types import Asset, AssetId

COIN, UNIQUE, COUNTED = (bytes([number]) * 20 for number in (1, 2, 3))
A, B = b"\xaa" * 20, b"\xbb" * 20
IDS: Final = (0, 7, 2**256 - 1)


def asset(standard: str, contract: bytes, number: int | None = None) -> Asset:
    name = f"eip155:1/{standard}:{checksum_address(contract)}"
    return Asset(AssetId(name if number is None else f"{name}/{number}"), "T", 0)


ASSETS = [
    asset("erc20", COIN),
    *(asset("erc721", UNIQUE, number) for number in IDS),
    *(asset("erc1155", COUNTED, number) for number in IDS),
    Asset(AssetId("eip155:1/slip44:60"), "ETH", 18),
]
TOKENS: WatchedTokens = watched_tokens(ASSETS)
UINTS = st.one_of(st.sampled_from(IDS), st.integers(0, 2**256 - 1))
EVENTS = (TRANSFER_TOPIC, DEPOSIT_TOPIC, WITHDRAWAL_TOPIC, TRANSFER_SINGLE_TOPIC, TRANSFER_BATCH_TOPIC)


def test_tokens_by_their_ids() -> None:
    assert token_of(ASSETS[0].asset_id) == Token(TokenStandard.ERC20, COIN, None)
    assert token_of(ASSETS[3].asset_id) == Token(TokenStandard.ERC721, UNIQUE, 2**256 - 1)
    assert token_of(ASSETS[-1].asset_id) is None
    assert TOKENS.contracts.keys() == {COIN, UNIQUE, COUNTED}
    assert TOKENS.asset_of(COUNTED).asset_id == min(each.asset_id for each in ASSETS if "erc1155" in each.asset_id)


@given(st.lists(st.tuples(UINTS, UINTS), max_size=8), st.integers(0, 10_000))
def test_batches_as_eth_abi_encodes_them(parts: list[tuple[int, int]], index: int) -> None:
    content = encode(["uint256[]", "uint256[]"], [[number for number, _ in parts], [units for _, units in parts]])
    log = Log(COUNTED, (TRANSFER_BATCH_TOPIC, address_word(A), address_word(A), address_word(B)), content)
    found = read_event(log, index, TOKENS)
    assert found is not None
    expected = [(index + place * PART_STEP, *part) for place, part in enumerate(parts) if part[0] in IDS]
    assert [(each.index, int(each.asset.asset_id.rpartition("/")[2]), each.base_units) for each in found] == expected
    assert {(each.sender, each.receiver) for each in found} <= {(A, B)}


@given(st.lists(st.tuples(UINTS, UINTS), min_size=1, max_size=4), st.data())
def test_a_batch_with_one_word_more_less_or_other_is_not_read_as_another(
    parts: list[tuple[int, int]], data: st.DataObject
) -> None:
    content = encode(["uint256[]", "uint256[]"], [[number for number, _ in parts], [units for _, units in parts]])
    topics = (TRANSFER_BATCH_TOPIC, address_word(A), address_word(A), address_word(B))
    cut = data.draw(st.integers(0, len(content) - 1), "cut at")
    assert read_event(Log(COUNTED, topics, content[:cut]), 0, TOKENS) is None
    assert read_event(Log(COUNTED, topics, content + bytes(data.draw(st.integers(1, 64)))), 0, TOKENS) is None
    heads = (0, 1, 2, 3 + len(parts))  # both offsets and both lengths
    place = data.draw(st.sampled_from(heads), "word")
    other = word(data.draw(UINTS.filter(lambda value: word(value) != content[32 * place : 32 * place + 32])))
    changed = content[: 32 * place] + other + content[32 * place + 32 :]
    assert read_event(Log(COUNTED, topics, changed), 0, TOKENS) is None


@given(
    st.sampled_from([COIN, UNIQUE, COUNTED, b"\x09" * 20]),
    st.lists(
        st.one_of(st.sampled_from(EVENTS), st.just(address_word(A)), st.binary(min_size=32, max_size=32)), max_size=4
    ),
    st.one_of(st.binary(max_size=200), st.lists(UINTS, max_size=8).map(lambda words: b"".join(map(word, words)))),
)
def test_any_log_is_movements_or_is_not(contract: bytes, topics: list[bytes], content: bytes) -> None:
    """Nothing raises; what is read is of the contract's own assets, and a foreign contract says nothing."""
    found = read_event(Log(contract, tuple(topics), content), 5, TOKENS)
    if contract not in TOKENS.contracts or not topics or topics[0] not in EVENTS:
        assert found == ()
    for movement in found or ():
        token = token_of(movement.asset.asset_id)
        assert token is not None
        assert token.contract == contract
        assert 0 <= movement.base_units < 2**256


@pytest.mark.parametrize(
    ("contract", "topics", "content", "found"),
    [
        (COIN, (TRANSFER_TOPIC, address_word(A), address_word(B)), word(5), [(A, B, 5)]),
        (COIN, (TRANSFER_TOPIC, address_word(A), address_word(B), word(7)), b"", None),
        (COIN, (TRANSFER_TOPIC, address_word(A), b"\1" + address_word(B)[1:]), word(5), None),
        (COIN, (TRANSFER_TOPIC, address_word(A)), word(5) + word(5), None),
        (COIN, (TRANSFER_TOPIC,), address_word(A) + address_word(B) + word(5), None),
        (COIN, (DEPOSIT_TOPIC, address_word(A)), word(5), [(bytes(20), A, 5)]),
        (COIN, (WITHDRAWAL_TOPIC, address_word(A)), word(5), [(A, bytes(20), 5)]),
        (COIN, (DEPOSIT_TOPIC, address_word(A), address_word(B)), word(5), []),
        (COIN, (DEPOSIT_TOPIC, address_word(A)), word(5) + word(5), []),
        (COIN, (TRANSFER_SINGLE_TOPIC, *[address_word(A)] * 3), word(7) + word(5), []),
        (UNIQUE, (TRANSFER_TOPIC, address_word(A), address_word(B), word(7)), b"", [(A, B, 1)]),
        (UNIQUE, (TRANSFER_TOPIC, address_word(A), address_word(B), word(8)), b"", []),
        (UNIQUE, (TRANSFER_TOPIC, address_word(A), address_word(B), word(7)), word(1), None),
        (UNIQUE, (TRANSFER_TOPIC, address_word(A), address_word(B)), word(7), None),
        (UNIQUE, (DEPOSIT_TOPIC, address_word(A)), word(5), []),
        (COUNTED, (TRANSFER_TOPIC, address_word(A), address_word(B)), word(7), []),
        (COUNTED, (TRANSFER_SINGLE_TOPIC, address_word(A), address_word(A)), address_word(B) + word(7) + word(5), None),
    ],
)
def test_each_shape(
    contract: bytes, topics: tuple[bytes, ...], content: bytes, found: list[tuple[bytes, bytes, int]] | None
) -> None:
    read = read_event(Log(contract, topics, content), 5, TOKENS)
    assert (None if read is None else [(each.sender, each.receiver, each.base_units) for each in read]) == found


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 2)), max_size=8))
def test_what_two_events_tell_counts_once(told: list[tuple[bool, int]]) -> None:
    """As many movements of an amount as the more talkative of the two kinds of events tells."""
    movements = [
        (TokenMovement(place, ASSETS[0], bytes(20), A, units, wrapper=b"" if is_transfer else COIN), place)
        for place, (is_transfer, units) in enumerate(told)
    ]
    kept = list(tell_once(movements))
    counts = Counter(told)
    for units in (1, 2):
        expected = max(counts[True, units], counts[False, units])
        assert sum(movement.base_units == units for movement, _ in kept) == expected
    assert all(movement.index == companion for movement, companion in kept)
