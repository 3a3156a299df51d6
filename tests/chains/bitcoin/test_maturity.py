"""Coinbases mature: at which depth exactly, and of whom."""

from __future__ import annotations

import pytest

from chains.bitcoin.maturity import CoinbasePayment, immature_by_address, youngest_immature
from chains.types import Address

A, B = Address("a"), Address("b")


@pytest.mark.parametrize(("height", "youngest"), [(0, 0), (98, 0), (99, 1), (100, 2), (1_000, 902)])
def test_the_youngest_block_whose_coinbase_is_immature(height: int, youngest: int) -> None:
    assert youngest_immature(height) == youngest


@pytest.mark.fault("A41")
def test_a_coinbase_is_immature_up_to_99_confirmations() -> None:
    """One of block 10 has 99 confirmations in block 108 and cannot be spent in 109; it can in 110."""
    paid = [CoinbasePayment(10, A, 50)]
    assert immature_by_address(paid, 9) == {}
    assert immature_by_address(paid, 10) == immature_by_address(paid, 108) == {A: 50}
    assert immature_by_address(paid, 109) == {}


def test_each_receiver_has_its_own() -> None:
    paid = [CoinbasePayment(10, A, 50), CoinbasePayment(11, A, 7), CoinbasePayment(11, B, 1), CoinbasePayment(12, B, 0)]
    assert immature_by_address(paid, 12) == {A: 57, B: 1}
    assert immature_by_address(paid, 109) == {A: 7, B: 1}
    assert immature_by_address(paid[3:], 12) == {}
