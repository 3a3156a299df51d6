"""Transactions of types 0 to 4: bytes, hash and sender, against eth-account, geth and Ethereum mainnet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.errors import MalformedAnswer
from chains.evm.addresses import checksum_address
from chains.evm.envelopes import UnknownType
from chains.evm.signed_transaction import GAS_PER_BLOB, decode_transaction
from chains.evm.trie_root import ordered_root

Json = dict[str, Any]
KEY = "0x" + "11" * 32
OTHER_KEY = "0x" + "22" * 32
QUANTITIES = ("nonce", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "gas", "value", "chainId")

# The first transaction of Ethereum mainnet, alone in block 46147: bytes, hash and roots are public constants.
FIRST_OF_MAINNET: Json = {
    "hash": "0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060",
    "from": "0xa1e4380a3b1f749673e270229993ee55f35663b4",
    "type": "0x0",
    "nonce": "0x0",
    "gasPrice": "0x2d79883d2000",
    "gas": "0x5208",
    "to": "0x5df9b87991262f6ba471f09758cde1c0fc1de734",
    "value": "0x7a69",
    "input": "0x",
    "v": "0x1c",
    "r": "0x88ff6cf0fefd94db46111149ae4bfc179e9b94721fffd821d38d16464b3f71d0",
    "s": "0x45e0aff800961cfce805daef7016b9b675c137a6a41a548f7b60a3484c06a33a",
}
TRANSACTIONS_ROOT_OF_ITS_BLOCK = "4513310fcb9f6f616972a3b948dc5d547f280849a87ebb5af0191f98b87be598"


def test_the_first_transaction_of_mainnet() -> None:
    transaction = decode_transaction(FIRST_OF_MAINNET)
    assert transaction.tx_id == FIRST_OF_MAINNET["hash"]
    assert "0x" + transaction.sender().hex() == FIRST_OF_MAINNET["from"]
    assert ordered_root([transaction.encoded]).hex() == TRANSACTIONS_ROOT_OF_ITS_BLOCK
    changed = decode_transaction({**FIRST_OF_MAINNET, "value": "0x7a6a"})
    assert ordered_root([changed.encoded]).hex() != TRANSACTIONS_ROOT_OF_ITS_BLOCK
    assert "0x" + changed.sender().hex() != FIRST_OF_MAINNET["from"]


def signed(fields: Json) -> tuple[Json, str]:
    """What a node says of a transaction that eth-account signs, and its hash by eth-account."""
    made = Account.sign_transaction(fields, KEY)
    answer: Json = {name: hex(value) if name in QUANTITIES else value for name, value in fields.items()}
    answer["type"] = hex(fields.get("type", 0))
    answer["input"] = answer.pop("data")
    answer["to"] = answer.get("to") or None
    parity = {"v": hex(made.v)} if "type" not in fields else {"v": hex(made.v), "yParity": hex(made.v)}
    answer |= {"r": hex(made.r), "s": hex(made.s), **parity}
    if "authorizationList" in fields:
        answer["authorizationList"] = [
            {
                "chainId": hex(each.chain_id),
                "address": "0x" + each.address.hex(),
                "nonce": hex(each.nonce),
                "yParity": hex(each.y_parity),
                "r": hex(each.r),
                "s": hex(each.s),
            }
            for each in fields["authorizationList"]
        ]
    return answer, "0x" + made.hash.hex()


def authorization(chain_id: int, address: bytes, nonce: int) -> Any:
    return Account.sign_authorization(
        {"chainId": chain_id, "address": checksum_address(address), "nonce": nonce}, OTHER_KEY
    )


U64 = st.integers(0, 2**63)
ADDRESS = st.binary(min_size=20, max_size=20)
HEX_ADDRESS = ADDRESS.map(checksum_address)
WORD = st.binary(min_size=32, max_size=32).map(lambda raw: "0x" + raw.hex())
ACCESS_LIST = st.lists(
    st.fixed_dictionaries({"address": HEX_ADDRESS, "storageKeys": st.lists(WORD, max_size=3)}), max_size=3
)
COMMON: Json = {
    "nonce": U64,
    "gas": st.integers(21_000, 2**40),
    "value": st.integers(0, 2**200),
    "data": st.binary(max_size=80).map(lambda raw: "0x" + raw.hex()),
}
CHAIN = {"chainId": st.integers(1, 2**50)}
PRICE = {"gasPrice": U64}
FEES = {"maxFeePerGas": U64, "maxPriorityFeePerGas": U64}
MAYBE_TO = {"to": HEX_ADDRESS | st.just("")}
TO = {"to": HEX_ADDRESS}
TYPES = {
    "before EIP-155": st.fixed_dictionaries({**COMMON, **MAYBE_TO, **PRICE}),
    "legacy": st.fixed_dictionaries({**COMMON, **MAYBE_TO, **PRICE, **CHAIN}),
    "access list": st.fixed_dictionaries(
        {**COMMON, **MAYBE_TO, **PRICE, **CHAIN, "type": st.just(1), "accessList": ACCESS_LIST}
    ),
    "dynamic fee": st.fixed_dictionaries(
        {**COMMON, **MAYBE_TO, **FEES, **CHAIN, "type": st.just(2), "accessList": ACCESS_LIST}
    ),
    "set code": st.fixed_dictionaries(
        {
            **COMMON,
            **TO,
            **FEES,
            **CHAIN,
            "type": st.just(4),
            "accessList": ACCESS_LIST,
            "authorizationList": st.lists(
                st.builds(authorization, st.integers(0, 2**40), ADDRESS, st.integers(0, 2**40)), min_size=1, max_size=2
            ),
        }
    ),
}


@pytest.mark.parametrize("name", TYPES)
@settings(max_examples=25)
@given(data=st.data())
def test_hash_and_sender_are_those_of_eth_account(name: str, data: st.DataObject) -> None:
    answer, tx_id = signed(data.draw(TYPES[name]))
    transaction = decode_transaction(answer)
    assert transaction.tx_id == tx_id
    assert transaction.sender() == bytes.fromhex(Account.from_key(KEY).address[2:])
    assert transaction.nonce == int(answer["nonce"], 16)
    assert transaction.value == int(answer["value"], 16)
    field = data.draw(st.sampled_from([each for each in QUANTITIES if each in answer]))
    if field != "chainId" or "yParity" in answer:  # a legacy transaction has its chain id in v
        assert decode_transaction({**answer, field: hex(int(answer[field], 16) + 1)}).tx_id != tx_id


BLOB_TRANSACTION: Json = {
    "type": "0x3", "chainId": "0x1", "nonce": "0x5", "maxFeePerGas": "0x64", "maxPriorityFeePerGas": "0x2",
    "gas": "0x5208", "to": "0x" + "33" * 20, "value": "0x7", "input": "0x", "accessList": [],
    "maxFeePerBlobGas": "0x9", "blobVersionedHashes": ["0x01" + "44" * 31, "0x01" + "55" * 31],
    "r": "0x" + "66" * 32, "s": "0x" + "77" * 32, "yParity": "0x1",
}  # fmt: skip


OF_GETH: Json = json.loads(
    (Path(__file__).parent / "fixtures" / "execution_apis_transactions.json").read_text(encoding="utf-8")
)
"""The file names its source."""


@pytest.mark.parametrize("name", ["blob", "set_code"])
def test_the_newer_types_as_geth_gives_them(name: str) -> None:
    answer = OF_GETH[name]
    transaction = decode_transaction(answer)
    assert transaction.tx_id == answer["hash"]
    assert "0x" + transaction.sender().hex() == answer["from"]
    changed = decode_transaction({**answer, "to": "0x" + "33" * 20})
    assert changed.tx_id != answer["hash"]
    assert "0x" + changed.sender().hex() != answer["from"]


def test_blobs_are_counted_and_signed() -> None:
    transaction = decode_transaction(BLOB_TRANSACTION)
    assert transaction.blob_gas == 2 * GAS_PER_BLOB
    fewer = decode_transaction({**BLOB_TRANSACTION, "blobVersionedHashes": ["0x01" + "44" * 31]})
    assert fewer.signing_hash != transaction.signing_hash
    assert decode_transaction({**BLOB_TRANSACTION, "maxFeePerBlobGas": "0xa"}).tx_id != transaction.tx_id


@pytest.mark.parametrize(
    ("fields", "base_fee", "price"),
    [
        ({"maxFeePerGas": "0x64", "maxPriorityFeePerGas": "0x2"}, 50, 52),
        ({"maxFeePerGas": "0x64", "maxPriorityFeePerGas": "0x2"}, 99, 100),
        ({"maxFeePerGas": "0x64", "maxPriorityFeePerGas": "0x64"}, 0, 100),
    ],
)
def test_the_price_of_gas_follows_from_the_base_fee(fields: Json, base_fee: int, price: int) -> None:
    assert decode_transaction({**BLOB_TRANSACTION, **fields}).gas_price(base_fee) == price
    assert decode_transaction(FIRST_OF_MAINNET).gas_price(base_fee) == 0x2D79883D2000


@pytest.mark.parametrize("number", ["0x5", "0x7e", "0x7f", "0xff"])
def test_an_unknown_type_says_so(number: str) -> None:
    with pytest.raises(UnknownType, match=number):
        decode_transaction({**BLOB_TRANSACTION, "type": number})


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "3"}, {"nonce": None}, {"to": "0x"}, {"input": None}, {"yParity": "0x2"}, {"r": "0x"},
        {"accessList": None}, {"accessList": [None]}, {"accessList": [{"address": "0x" + "33" * 20}]},
        {"blobVersionedHashes": None}, {"blobVersionedHashes": ["0x01"]}, {"maxFeePerBlobGas": None},
        {"type": "0x4", "authorizationList": [None]}, {"type": "0x4"}, {"type": "0x0", "gasPrice": "0x1", "v": "0x1d"},
    ],
)  # fmt: skip
def test_what_is_no_transaction_is_refused(changes: Json) -> None:
    assert decode_transaction(BLOB_TRANSACTION).nonce == 5
    with pytest.raises(MalformedAnswer):
        decode_transaction({**BLOB_TRANSACTION, **changes})


@pytest.mark.parametrize("changes", [{"r": "0x0"}, {"s": "0x0"}, {"r": "0x" + "ff" * 32}])
def test_a_signature_that_nobody_can_have_made_is_refused(changes: Json) -> None:
    with pytest.raises(MalformedAnswer, match="signature"):
        decode_transaction({**FIRST_OF_MAINNET, **changes}).sender()
    assert decode_transaction(FIRST_OF_MAINNET).sender()
