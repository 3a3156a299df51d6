"""Storage slots: known ones, and those that web3 and eth-abi compute."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import InvalidValue
from chains.evm.abi import address_word, word
from chains.evm.storage_slots import namespace_slot, packed_field, solidity_mapping_slot, vyper_mapping_slot

SLOTS = st.integers(0, 2**256 - 1)


@given(st.binary(min_size=20, max_size=20), SLOTS)
def test_an_entry_lies_where_each_language_puts_it(address: bytes, slot: int) -> None:
    key = address_word(address)
    assert solidity_mapping_slot(slot, key) == int.from_bytes(keccak(encode(["address", "uint256"], [address, slot])))
    assert vyper_mapping_slot(slot, key) == int.from_bytes(keccak(encode(["uint256", "address"], [slot, address])))
    same = key == word(slot)
    assert (solidity_mapping_slot(slot, key) == vyper_mapping_slot(slot, key)) is same


def test_a_mapping_in_a_mapping() -> None:
    owner, spender = address_word(b"\x01" * 20), address_word(b"\x02" * 20)
    inner = keccak(encode(["bytes32", "uint256"], [owner, 1]))
    expected = int.from_bytes(keccak(encode(["bytes32", "bytes32"], [spender, inner])))
    assert solidity_mapping_slot(solidity_mapping_slot(1, owner), spender) == expected
    assert solidity_mapping_slot(solidity_mapping_slot(1, spender), owner) != expected


def test_the_entry_of_zero_at_slot_zero_is_the_known_hash_of_64_zeros() -> None:
    known = 0xAD3228B676F7D3CD4284A5443F17F1962B36E491B30A40B2405849E597BA5FB5
    assert solidity_mapping_slot(0, word(0)) == vyper_mapping_slot(0, word(0)) == known


def test_namespaces_of_openzeppelin() -> None:
    erc20 = 0x52C63247E1F47DB19D5CE0460030C497F067CA4CEBF71BA98EEADABE20BACE00
    assert namespace_slot("openzeppelin.storage.ERC20") == erc20
    assert namespace_slot("openzeppelin.storage.ERC721") != erc20


def test_a_balance_packed_below_a_flag() -> None:
    """As a token whose highest bit says that the holder is stopped."""
    stored = 1 << 255 | 1_234_567
    assert packed_field(stored, 0, 255) == 1_234_567
    assert packed_field(stored, 255, 1) == 1
    assert packed_field(stored, 0, 256) == stored
    assert packed_field(0xAABBCC, 8, 8) == 0xBB


@given(SLOTS, st.integers(0, 255), st.data())
def test_fields_beside_each_other_give_the_word_again(stored: int, cut: int, data: st.DataObject) -> None:
    low = packed_field(stored, 0, cut) if cut else 0
    assert packed_field(stored, cut, 256 - cut) << cut | low == stored


@pytest.mark.parametrize(
    ("stored", "first_bit", "bits"), [(2**256, 0, 1), (-1, 0, 1), (0, -1, 8), (0, 0, 0), (0, 1, 256), (0, 256, 1)]
)
def test_a_field_outside_the_word_is_refused(stored: int, first_bit: int, bits: int) -> None:
    with pytest.raises(InvalidValue):
        packed_field(stored, first_bit, bits)


def test_keys_and_slots_have_their_size() -> None:
    for slot_of in (solidity_mapping_slot, vyper_mapping_slot):
        with pytest.raises(InvalidValue, match="32 bytes"):
            slot_of(0, b"\x01" * 20)
        for slot in (-1, 2**256):
            with pytest.raises(InvalidValue, match="slot"):
                slot_of(slot, bytes(32))
