"""Who paid whom in transactions that do not say it: change, batches, several payers, scripts without an address."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import pytest

from chains.bitcoin.block import read_block
from chains.bitcoin.ledger import TouchedTransaction, match_block
from chains.bitcoin.movements import movements, piece_index, pieces
from chains.bitcoin.networks import REGTEST
from chains.bitcoin.script import address_of_script
from chains.bitcoin.transaction import Output, decode_transaction, outpoint
from chains.types import Address, Asset, Transfer, TransferKind
from tests.chains.bitcoin.model import ModelBlock, genesis, mine, pay

A, B, X, Y = (bytes.fromhex("0014") + bytes([number]) * 20 for number in range(1, 5))
KEY_ALONE = b"\x21" + b"\x02" * 33 + b"\xac"
NOTE = Output(0, b"\x6a\x04note")
COIN = Asset(REGTEST.asset_id, "BTC", 8)
SPEND = 1_000_000


def address(script: bytes) -> Address:
    found = address_of_script(REGTEST, script)
    assert found is not None
    return found


def funded(*coins: Output) -> tuple[ModelBlock, list[bytes]]:
    """A chain in which these coins can be spent."""
    block = genesis()
    names = []
    for coin in coins:
        block = mine(block, coinbase_outputs=[coin])
        names.append(outpoint(decode_coinbase(block), 0))
    for _ in range(100):
        block = mine(block)
    return block, names


def decode_coinbase(block: ModelBlock) -> bytes:
    return read_block(block.raw).transactions[0].txid


def told(block: ModelBlock, watched: Sequence[bytes]) -> list[Transfer]:
    read, spent = block.pair
    scripts = frozenset(watched)
    return movements(match_block(read, spent, scripts), read.header.ref(REGTEST, block.height), REGTEST, COIN, scripts)


def spend(coins: Sequence[Output], outputs: Sequence[Output], watched: Sequence[bytes]) -> list[tuple[object, ...]]:
    """What is told of one transaction: kind, sender, receiver, satoshis, index."""
    block, names = funded(*coins)
    found = told(mine(block, [pay(names, outputs)]), watched)
    return [(each.kind, each.sender, each.receiver, each.base_units, each.index) for each in found]


NATIVE, FEE = TransferKind.NATIVE, TransferKind.FEE


def test_change_is_no_transfer() -> None:
    assert spend([Output(SPEND, A)], [Output(600_000, X), Output(399_000, A)], [A]) == [
        (NATIVE, address(A), address(X), 600_000, 0),
        (FEE, address(A), None, 1_000, -1),
    ]


def test_change_to_another_address_is_a_transfer() -> None:
    """Whether that address is one of the firm's is not for the chain to know."""
    assert spend([Output(SPEND, A)], [Output(600_000, X), Output(399_000, B)], [A]) == [
        (NATIVE, address(A), address(X), 600_000, 0),
        (NATIVE, address(A), address(B), 399_000, 100_000),
        (FEE, address(A), None, 1_000, -1),
    ]


def test_a_transfer_to_oneself_leaves_the_fee() -> None:
    assert spend([Output(SPEND, A)], [Output(SPEND - 7, A)], [A]) == [(FEE, address(A), None, 7, -1)]


def test_one_transaction_with_many_withdrawals_is_each_of_them() -> None:
    found = spend([Output(SPEND, A)], [Output(100, X), Output(200, Y), Output(300, X), Output(SPEND - 700, A)], [A])
    assert [each[2:] for each in found] == [
        (address(X), 100, 0),
        (address(Y), 200, 100_000),
        (address(X), 300, 200_000),
        (None, 100, -1),
    ]


def test_several_payers_fund_the_outputs_in_order_and_the_last_the_fee() -> None:
    found = spend([Output(500, A), Output(500, B)], [Output(700, X), Output(200, Y)], [A, B])
    assert found == [
        (NATIVE, address(A), address(X), 500, 0),
        (NATIVE, address(B), address(X), 200, 1),
        (NATIVE, address(B), address(Y), 200, 100_001),
        (FEE, address(B), None, 100, -2),
    ]


def test_each_payers_change_is_its_own() -> None:
    found = spend([Output(500, A), Output(500, B)], [Output(600, X), Output(390, A)], [A, B])
    assert found == [
        (NATIVE, address(A), address(X), 110, 0),
        (NATIVE, address(B), address(X), 490, 1),
        (FEE, address(B), None, 10, -2),
    ]


def test_one_that_gets_more_than_it_put_in_is_a_receiver() -> None:
    found = spend([Output(500, A), Output(500, X)], [Output(900, A)], [A])
    assert found == [(NATIVE, address(X), address(A), 400, 1)]


def test_a_deposit_has_its_senders_and_the_fee_is_theirs() -> None:
    assert spend([Output(500, X), Output(500, Y)], [Output(800, A), Output(100, X)], [A]) == [
        (NATIVE, address(X), address(A), 400, 0),
        (NATIVE, address(Y), address(A), 400, 1),
    ]


@pytest.mark.parametrize("script", [KEY_ALONE, b"\x51", b"\x6a\x04burn"])
def test_what_goes_to_a_script_without_an_address_is_not_lost(script: bytes) -> None:
    name = f"script-{sha256(script).hexdigest()}"
    assert spend([Output(SPEND, A)], [NOTE, Output(SPEND, script)], [A]) == [
        (NATIVE, address(A), name, SPEND, 100_000),
    ]


def test_what_comes_from_a_script_without_an_address() -> None:
    ((kind, sender, receiver, value, _),) = spend([Output(500, KEY_ALONE)], [Output(500, A)], [A])
    assert (kind, receiver, value) == (NATIVE, address(A), 500)
    assert sender == f"script-{sha256(KEY_ALONE).hexdigest()}"


def test_a_coinbase_has_no_sender() -> None:
    block = mine(genesis(), coinbase_outputs=[Output(10, X), Output(20, A), Output(0, A), Output(30, A)])
    found = told(block, [A])
    assert [(each.kind, each.sender, each.receiver, each.base_units, each.index) for each in found] == [
        (TransferKind.COINBASE, None, address(A), 20, 100_000),
        (TransferKind.COINBASE, None, address(A), 30, 300_000),
    ]
    assert told(block, [B]) == []


def test_nothing_is_told_of_strangers() -> None:
    assert spend([Output(SPEND, X)], [Output(SPEND - 5, Y)], [A, B]) == []


def test_every_satoshi_is_in_one_piece_or_is_change() -> None:
    _, names = funded(Output(500, A), Output(300, B), Output(200, A))
    raw = pay(names, [Output(250, B), Output(450, X), Output(100, A)])
    touched = TouchedTransaction(1, decode_transaction(raw), [Output(500, A), Output(300, B), Output(200, A)])
    found = list(pieces(touched))
    change = 250 + 100
    assert sum(piece.value for piece in found) + change == 1_000
    assert touched.fee == sum(piece.value for piece in found if piece.output is None) == 200
    assert len({piece_index(piece) for piece in found}) == len(found)
