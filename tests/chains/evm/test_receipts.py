"""Receipts: their bytes and roots against the `rlp` and `trie` packages, blooms against their definition."""

from __future__ import annotations

from typing import Any

import pytest
import rlp
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import MalformedAnswer
from chains.evm.envelopes import UnknownType
from chains.evm.receipts import BloomFilter, Log, Receipt, decode_receipt, encode_receipt
from chains.evm.trie_root import ordered_root

Json = dict[str, Any]

# Of the transaction that stands alone in block 46147 of Ethereum mainnet; a receipt from before Byzantium.
FIRST_OF_MAINNET: Json = {
    "root": "0x96a8e009d2b88b1483e6941e6812e32263b05683fac202abc622a3e31aed1957",
    "cumulativeGasUsed": "0x5208",
    "logs": [],
}
RECEIPTS_ROOT_OF_ITS_BLOCK = "fe2bf2a941abf41d72637e5b91750332a30283efd40c424dc522b77e6f0ed8c4"

LOG = st.builds(
    Log,
    st.binary(min_size=20, max_size=20),
    st.lists(st.binary(min_size=32, max_size=32), max_size=4).map(tuple),
    st.binary(max_size=100),
)
RECEIPT = st.builds(
    Receipt, st.sampled_from([b"", b"\x01"]), st.integers(0, 2**60), st.lists(LOG, max_size=4).map(tuple)
)


def answer_of(receipt: Receipt, number: int) -> Json:
    return {
        "type": hex(number),
        "status": hex(len(receipt.outcome)),
        "cumulativeGasUsed": hex(receipt.cumulative_gas_used),
        "logs": [
            {
                "address": "0x" + log.address.hex(),
                "topics": ["0x" + topic.hex() for topic in log.topics],
                "data": "0x" + log.data.hex(),
            }
            for log in receipt.logs
        ],
    }


def bloom_by_definition(receipt: Receipt) -> bytes:
    """Byte by byte, as the Yellow Paper numbers the bits."""
    bloom = bytearray(256)
    for log in receipt.logs:
        for item in (log.address, *log.topics):
            digest = keccak(item)
            for place in (0, 2, 4):
                bit = (digest[place] * 256 + digest[place + 1]) % 2048
                bloom[255 - bit // 8] |= 1 << (bit % 8)
    return bytes(bloom)


def encoded_by_rlp(receipt: Receipt, number: int) -> bytes:
    logs = [[log.address, list(log.topics), log.data] for log in receipt.logs]
    fields = [receipt.outcome, receipt.cumulative_gas_used, bloom_by_definition(receipt), logs]
    body: bytes = rlp.encode(fields)
    return bytes([number]) + body if number else body


@given(st.lists(st.tuples(RECEIPT, st.integers(0, 4)), max_size=5))
def test_bytes_and_blooms_are_those_of_the_definition(items: list[tuple[Receipt, int]]) -> None:
    blooms = BloomFilter()
    total = 0
    for receipt, number in items:
        answer = answer_of(receipt, number)
        decoded = decode_receipt(answer)
        assert decoded == receipt
        assert encode_receipt(answer, decoded, blooms) == encoded_by_rlp(receipt, number)
        total |= int.from_bytes(bloom_by_definition(receipt), "big")
    assert blooms.total == total.to_bytes(256, "big")


def test_the_first_receipt_of_mainnet() -> None:
    receipt = decode_receipt(FIRST_OF_MAINNET)
    assert ordered_root([encode_receipt(FIRST_OF_MAINNET, receipt, BloomFilter())]).hex() == RECEIPTS_ROOT_OF_ITS_BLOCK
    with pytest.raises(MalformedAnswer, match="Byzantium"):
        _ = receipt.status
    other = {**FIRST_OF_MAINNET, "cumulativeGasUsed": "0x5209"}
    changed = encode_receipt(other, decode_receipt(other), BloomFilter())
    assert ordered_root([changed]).hex() != RECEIPTS_ROOT_OF_ITS_BLOCK


def test_an_unknown_type_says_so() -> None:
    answer = answer_of(Receipt(b"\x01", 21_000, ()), 0x7E)
    with pytest.raises(UnknownType, match="0x7e"):
        encode_receipt(answer, decode_receipt(answer), BloomFilter())


GOOD_LOG: Json = {"address": "0x" + "11" * 20, "topics": [], "data": "0x"}


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "0x2"},
        {"status": "0x01"},
        {"status": None},
        {"root": "0x11", "status": None},
        {"cumulativeGasUsed": None},
        {"logs": None},
        {"logs": [None]},
        {"logs": [{**GOOD_LOG, "topics": None}]},
        {"logs": [{**GOOD_LOG, "topics": ["0x" + "11" * 32] * 5}]},
        {"logs": [{**GOOD_LOG, "topics": ["0x11"]}]},
        {"logs": [{**GOOD_LOG, "address": "0x11"}]},
        {"logs": [{**GOOD_LOG, "data": None}]},
    ],
)
def test_what_is_no_receipt_is_refused(changes: Json) -> None:
    good = {"status": "0x1", "cumulativeGasUsed": "0x5208", "logs": [GOOD_LOG]}
    assert decode_receipt(good).status == 1
    with pytest.raises(MalformedAnswer):
        decode_receipt({**good, **changes})
    with pytest.raises(MalformedAnswer):
        decode_receipt(None)
