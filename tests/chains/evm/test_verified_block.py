"""One block against its own header: what geth answered for a public test chain, and every way to change it."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chains.errors import MalformedAnswer, ProofFailed
from chains.evm.blob_price import UPDATE_FRACTIONS, blob_price, known_blob_prices
from chains.evm.block_credits import WITHDRAWALS_IN_A_TOKEN
from chains.evm.block_movements import Watch, block_movements
from chains.evm.header import decode_header, encode_ethereum
from chains.evm.keccak import keccak256
from chains.evm.receipts import BloomFilter, decode_receipt, encode_receipt
from chains.evm.signed_transaction import decode_transaction
from chains.evm.token_events import WatchedTokens
from chains.evm.trie_root import ordered_root
from chains.evm.verified_block import CheckedBlock, check_block
from chains.types import Asset, AssetId, ChainId, TransferKind

Json = dict[str, Any]
Change = Callable[[Json, list[Json]], object]

FIXTURE = json.loads((Path(__file__).parent / "fixtures" / "execution_apis_block_20.json").read_text(encoding="utf-8"))
"""Transactions of types 2, 1 and 0 and a withdrawal; the file names its source."""
CHAIN = ChainId("eip155:3503995874084926")
NATIVE = Asset(AssetId(f"{CHAIN}/slip44:60"), "ETH", 18)
SENDER = bytes.fromhex("7435ed30a8b4aeb0877cef0c6e8cffe834eb865f")
VALIDATOR = bytes.fromhex("1f5bde34b4afc686f136c7a3cb6ec376f7357759")


def check(change: Change | None = None, *, header_format: str = "ethereum", chain: ChainId = CHAIN) -> CheckedBlock:
    """Check the block, its header taken before the change: the lie is about the content, not the header."""
    block, receipts = copy.deepcopy(FIXTURE["block"]), copy.deepcopy(FIXTURE["receipts"])
    header = decode_header(block, chain, header_format)
    if change is not None:
        change(block, receipts)
    return check_block((header, block), receipts)


def test_a_block_of_geth_is_verified_whole() -> None:
    block = check()
    assert block.verified
    assert [(each.sender, each.value, each.gas_used, each.fee) for each in block.transactions] == [
        (SENDER, 1, 21_000, 21_000 * 0x44103F3)
    ] * 3
    assert [(each.index, each.receiver, each.wei) for each in block.withdrawals] == [(6, VALIDATOR, 100 * 10**9)]


def test_its_movements() -> None:
    found, unparsed = block_movements(
        check(), Watch(frozenset({SENDER, VALIDATOR, bytes(20)}), NATIVE, WatchedTokens())
    )
    assert not unparsed
    kinds = [(item.transfer.kind, item.transfer.base_units) for item in found]
    one = [(TransferKind.FEE, 21_000 * 0x44103F3), (TransferKind.NATIVE, 1)]
    # The zero address is the block's fee recipient: one base unit of tip per gas.
    last = [(TransferKind.COINBASE, 3 * 21_000), (TransferKind.WITHDRAWAL, 100 * 10**9)]
    assert kinds == [*one, *one, *one, *last]
    assert len({item.transfer.transfer_id for item in found}) == len(found)
    assert block_movements(check(), Watch(frozenset({b"\x01" * 20}), NATIVE, WatchedTokens()))[0] == []
    assert block_movements(check(), Watch(frozenset({SENDER, VALIDATOR}), None, WatchedTokens()))[0] == []


def test_withdrawals_that_credit_a_token_are_no_native_movement() -> None:
    watch = Watch(frozenset({VALIDATOR}), NATIVE, WatchedTokens())
    assert len(block_movements(check(), watch)[0]) == 1
    for chain in WITHDRAWALS_IN_A_TOKEN:
        assert block_movements(check(chain=chain), watch)[0] == []


def receipt(number: int, **fields: object) -> Change:
    return lambda block, receipts: receipts[number].update(fields)


def transaction(number: int, **fields: object) -> Change:
    return lambda block, receipts: block["transactions"][number].update(fields)


def withdrawal(**fields: object) -> Change:
    return lambda block, receipts: block["withdrawals"][0].update(fields)


def both(number: int, **fields: object) -> Change:
    def change(block: Json, receipts: list[Json]) -> None:
        block["transactions"][number].update(fields)
        receipts[number].update(fields)

    return change


def several(*changes: Change) -> Change:
    return lambda block, receipts: [change(block, receipts) for change in changes]


def no_withdrawals(block: Json, receipts: list[Json]) -> None:
    block["withdrawals"].clear()


def leave_out(block: Json, receipts: list[Json]) -> None:
    del block["transactions"][1]
    del receipts[1]


def add(block: Json, receipts: list[Json]) -> None:
    block["transactions"].append(block["transactions"][0])
    receipts.append(receipts[0])


def swap(block: Json, receipts: list[Json]) -> None:
    for items in (block["transactions"], receipts):
        items[0], items[1] = items[1], items[0]


def fake_log(block: Json, receipts: list[Json]) -> None:
    receipts[0]["logs"] = [{"address": "0x" + "11" * 20, "topics": ["0x" + "22" * 32], "data": "0x"}]


def shift_gas(block: Json, receipts: list[Json]) -> None:
    receipts[0].update(gasUsed="0x5209")
    receipts[1].update(gasUsed="0x5207")


LIES: dict[str, tuple[Change, str]] = {
    "a transaction left out": (leave_out, "transactions root"),
    "a transaction added": (add, "transactions root"),
    "two transactions swapped": (swap, "transactions root"),
    "another value": (transaction(0, value="0x2"), "transactions root"),
    "another receiver": (transaction(2, to="0x" + "11" * 20), "transactions root"),
    "another nonce": (transaction(1, nonce="0x1"), "transactions root"),
    "another sender": (both(1, **{"from": "0x" + "11" * 20}), "sender of transaction 1"),
    "a receipt left out": (lambda block, receipts: receipts.pop(), "number of its receipts"),
    "a receipt twice": (lambda block, receipts: receipts.append(receipts[0]), "number of its receipts"),
    "a failed one that succeeded": (receipt(0, status="0x0"), "receipts root"),
    "another cumulative gas": (receipt(2, cumulativeGasUsed="0xf619"), "receipts root"),
    "another type": (receipt(2, type="0x1"), "receipts root"),
    "a log put in": (fake_log, "receipts root"),
    "gas used beside the roots": (receipt(1, gasUsed="0x5209"), "gas used of transaction 1"),
    "gas used shifted": (shift_gas, "gas used of transaction 0"),
    "another gas price": (receipt(1, effectiveGasPrice="0x44103f4"), "gas price of transaction 1"),
    "blobs that are not there": (receipt(1, blobGasUsed="0x20000", blobGasPrice="0x1"), "blob gas used"),
    "a withdrawal left out": (no_withdrawals, "withdrawals root"),
    "all withdrawals left out": (lambda block, receipts: block.update(withdrawals=None), "withdrawals root"),
    "another withdrawal amount": (withdrawal(amount="0x65"), "withdrawals root"),
    "another withdrawal receiver": (withdrawal(address="0x" + "11" * 20), "withdrawals root"),
}


@pytest.mark.fault("A22")
@pytest.mark.parametrize("name", LIES)
def test_a_block_with_something_left_out_added_or_changed_is_refused(name: str) -> None:
    change, differs = LIES[name]
    with pytest.raises(ProofFailed, match=differs) as caught:
        check(change)
    assert f"{CHAIN} block 20 (0x8f64c443…)" in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        receipt(0, transactionHash="0x" + "11" * 32),
        receipt(0, blockHash="0x" + "11" * 32),
        receipt(0, status="0x2"),
        receipt(0, gasUsed=None),
        transaction(0, hash=None),
        lambda block, receipts: block.update(transactions=None),
        lambda block, receipts: block.update(withdrawals=[None]),
        lambda block, receipts: block.update(withdrawals={}),
        lambda block, receipts: receipts.__setitem__(0, None),
        lambda block, receipts: block["transactions"].__setitem__(0, "0x" + "11" * 32),
    ],
)
def test_what_is_no_block_is_refused(change: Change) -> None:
    with pytest.raises(MalformedAnswer):
        check(change)


def test_the_hash_of_a_transaction_is_its_own() -> None:
    with pytest.raises(ProofFailed, match="hash of transaction 0"):
        check(several(transaction(0, hash="0x" + "11" * 32), receipt(0, transactionHash="0x" + "11" * 32)))


# What cannot be recomputed is read, and said


def test_an_unknown_type_lowers_the_mode_and_is_still_read() -> None:
    """As on a rollup, whose deposits have a type of their own."""
    unknown = check(both(0, type="0x7e"))
    assert not unknown.verified
    assert unknown.notes == (
        "transactions of type 0x7e cannot be recomputed by this version",
        "receipts of type 0x7e cannot be recomputed by this version",
    )
    assert [each.value for each in unknown.transactions] == [1, 1, 1]
    # The rest is still held against the header.
    with pytest.raises(ProofFailed, match="withdrawals root"):
        check(several(both(0, type="0x7e"), no_withdrawals))
    with pytest.raises(ProofFailed, match="logs bloom"):
        check(several(both(0, type="0x7e"), fake_log))


def test_an_unchecked_header_proves_nothing() -> None:
    block = check(header_format="unknown")
    assert not block.verified
    assert "unknown" in block.notes[0]
    assert len(block.transactions) == 3
    assert not check(transaction(0, value="0x2"), header_format="unknown").verified


def test_a_fee_for_layer_1_is_paid_and_not_proven() -> None:
    block = check(receipt(0, l1Fee="0x64"))
    assert block.notes == ("the fee for data on layer 1 stands in no root",)
    assert block.transactions[0].fee == block.transactions[1].fee + 100


BLOBS = json.loads(
    (Path(__file__).parent / "fixtures" / "execution_apis_transactions.json").read_text(encoding="utf-8")
)
"""A transaction with a blob, and its receipt, as geth gave them; the file names its source."""


def blob_block(excess: int = 0, **claims: object) -> tuple[Json, list[Json]]:
    """A block made here around geth's transaction: the roots by ours, the header's hash by the registered format."""
    block: Json = copy.deepcopy(FIXTURE["block"])
    transaction, receipt = dict(BLOBS["blob"]), {**BLOBS["blob_receipt"], **claims}
    committed = decode_receipt(BLOBS["blob_receipt"])
    blooms = BloomFilter()
    receipts_root = ordered_root([encode_receipt(BLOBS["blob_receipt"], committed, blooms)])
    block |= {
        "transactions": [transaction],
        "transactionsRoot": "0x" + ordered_root([decode_transaction(transaction).encoded]).hex(),
        "receiptsRoot": "0x" + receipts_root.hex(),
        "logsBloom": "0x" + blooms.total.hex(),
        "baseFeePerGas": hex(int(transaction["gasPrice"], 16) - 1),
        "excessBlobGas": hex(excess),
    }
    block["hash"] = receipt["blockHash"] = "0x" + keccak256(encode_ethereum(block)[0]).hex()
    return block, [receipt]


def check_whole(block: Json, receipts: list[Json]) -> CheckedBlock:
    """As the reader does: what was changed is in the header too when it stands there."""
    return check_block((decode_header(block, CHAIN, "ethereum"), block), receipts)


def check_blobs(*, excess: int = 0, **claims: object) -> CheckedBlock:
    return check_whole(*blob_block(excess, **claims))


def test_a_transaction_with_blobs_pays_for_them() -> None:
    block = check_blobs()
    assert block.verified
    assert block.transactions[0].fee == 0xCA9C * 0x281D620E + 0x20000
    assert [log.data[-1] for log in block.transactions[0].receipt.logs] == [2]


def test_blobs_are_held_against_the_transaction_and_their_price_against_the_header() -> None:
    with pytest.raises(ProofFailed, match="blob gas used of transaction 0"):
        check_blobs(blobGasUsed="0x40000")
    with pytest.raises(MalformedAnswer, match="blob gas price"):
        check_blobs(blobGasPrice=None)
    excess = 10 * UPDATE_FRACTIONS[1]
    assert check_blobs(excess=excess, blobGasPrice=hex(blob_price(excess, UPDATE_FRACTIONS[1]))).verified
    unknown = check_blobs(excess=excess, blobGasPrice="0x2")
    assert unknown.notes == ("the blob gas price fits no fork this version knows",)


def places_in(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place below a JSON value, the containers too."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places_in(inner, (*path, key))


def leave_it_out(parent: Any, key: str | int) -> None:
    del parent[key]


def count_up(parent: Any, key: str | int) -> None:
    if isinstance(parent[key], str):
        digit = parent[key][-1:]
        parent[key] = parent[key][:-1] + f"{(int(digit, 16) + 1) % 16:x}" if digit != "x" else "0x01"


def lengthen(parent: Any, key: str | int) -> None:
    parent[key] = parent[key] + "00" if isinstance(parent[key], str) else parent[key] * 2 if parent[key] else [{}]


def make_zero(parent: Any, key: str | int) -> None:
    parent[key] = "0x0" if isinstance(parent[key], str) else []


def make_null(parent: Any, key: str | int) -> None:
    parent[key] = None


NOT_COMMITTED = {
    # No root covers these, and nothing is read from them: what they repeat is derived instead.
    *("contractAddress", "to", "from", "logIndex", "removed", "blockNumber", "transactionIndex", "transactionHash"),
    *("v", "gasPrice", "size", "totalDifficulty", "uncles", "chainId", "blockHash", "blobGasPrice"),
    "yParity",  # where it is missing, v says the same
}


@pytest.mark.parametrize("change", [leave_it_out, count_up, lengthen, make_zero, make_null])
def test_no_change_of_any_one_value_goes_unnoticed(change: Callable[[Any, str | int], None]) -> None:
    """Refused, or not verified any more, or without any effect on what is read."""
    honest = check_whole(*blob_block())
    assert honest.verified
    whole = {"block": (made := blob_block())[0], "receipts": made[1]}
    outcomes: Counter[str] = Counter()
    for path in places_in(whole):
        if path in {("block",), ("receipts",)}:
            continue
        changed: Any = copy.deepcopy(whole)
        parent = changed
        for key in path[:-1]:
            parent = parent[key]
        before = copy.deepcopy(parent)
        try:
            change(parent, path[-1])
        except TypeError:
            continue  # nothing of this kind to change here
        if parent == before:
            continue
        try:
            found = check_whole(changed["block"], changed["receipts"])
        except (ProofFailed, MalformedAnswer):
            outcomes["refused"] += 1
            continue
        if not found.verified:
            outcomes["not verified"] += 1
            continue
        assert found == honest, path
        assert path[-1] in NOT_COMMITTED, path
        outcomes["without effect"] += 1
    assert outcomes["refused"] >= 40, outcomes


def test_blob_prices_by_the_formula() -> None:
    """Values of the function are those that EIP-4844 gives by its definition, near e ** (excess / fraction)."""
    assert [blob_price(0, fraction) for fraction in UPDATE_FRACTIONS] == [1] * len(UPDATE_FRACTIONS)
    fraction = UPDATE_FRACTIONS[0]
    assert [blob_price(times * fraction, fraction) for times in (1, 2, 5, 10)] == [2, 7, 148, 22_026]
    assert blob_price(10 * fraction, fraction) in known_blob_prices(10 * fraction)
    assert known_blob_prices(2**33) == frozenset()
