"""Transfers that are made quickly are the ones that are made slowly."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.evm.abi import TRANSFER_TOPIC
from chains.evm.addresses import checksum_address
from chains.evm.keccak import keccak256
from chains.evm.making import made_transfer
from chains.evm.receipts import Log
from chains.evm.token_events import read_event, watched_tokens
from chains.types import Asset, AssetId, BlockRef, ChainId

CHAIN = ChainId("eip155:1")
CONTRACT = bytes.fromhex("70c0" * 10)
ASSET = Asset(AssetId(f"{CHAIN}/erc20:{checksum_address(CONTRACT)}"), "MANY", 6)
BLOCK = BlockRef(CHAIN, 7, "0x" + "11" * 32, "0x" + "22" * 32, datetime(2026, 3, 2, tzinfo=UTC))
TX = "0x" + "33" * 32
ends = st.binary(min_size=20, max_size=20)


@given(ends, ends, st.integers(0, 2**256 - 1), st.integers(0, 10_000))
def test_a_plain_transfer_is_what_the_event_says(sender: bytes, receiver: bytes, units: int, index: int) -> None:
    log = Log(CONTRACT, (TRANSFER_TOPIC, bytes(12) + sender, bytes(12) + receiver), units.to_bytes(32, "big"))
    movements = read_event(log, index, watched_tokens([ASSET]))
    assert movements is not None
    slow = movements[0].transfer(BLOCK, TX)
    quick = made_transfer(BLOCK, TX, index, ASSET, checksum_address(sender), checksum_address(receiver), units)
    assert (quick, hash(quick), type(quick), repr(quick)) == (slow, hash(slow), type(slow), repr(slow))
    assert pickle.loads(pickle.dumps(quick)) == slow


def test_it_is_as_frozen_as_any_other() -> None:
    made = made_transfer(BLOCK, TX, 0, ASSET, checksum_address(bytes(20)), checksum_address(bytes(20)), 1)
    with pytest.raises(FrozenInstanceError):
        made.base_units = 2  # type: ignore[misc]


@given(ends)
def test_an_address_is_spelt_by_the_letter_of_eip_55(raw: bytes) -> None:
    """Letter by letter, as the standard says it."""
    digits = raw.hex()
    nibbles = keccak256(digits.encode()).hex()
    expected = "".join(
        digit.upper() if nibble >= "8" else digit for digit, nibble in zip(digits, nibbles, strict=False)
    )
    assert checksum_address(raw) == f"0x{expected}"
