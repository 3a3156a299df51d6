"""Signatures: the vectors of BIP-143 and BIP-341, and what the consensus library says of each kind of address."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chains.devnet.bitcoin.kernel_chain import Coin, KernelChain
from chains.devnet.bitcoin.keys import Kind, Lock, TestKey
from chains.devnet.bitcoin.signing import HashType, legacy_digest, segwit_digest, taproot_digest
from chains.devnet.bitcoin.wire import Transaction, TxInput, TxOutput, transaction_of

DATA = Path(__file__).parents[2] / "data" / "bitcoin"
BIP143: dict[str, Any] = json.loads((DATA / "bip143.json").read_text(encoding="utf-8"))
BIP341: dict[str, Any] = json.loads((DATA / "bip341.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KernelChain]:
    chain = KernelChain(tmp_path_factory.mktemp("kernel"))
    yield chain
    chain.close()


@pytest.mark.parametrize("case", BIP143["cases"], ids=lambda case: str(case["name"]))
def test_the_vectors_of_bip143(case: dict[str, Any]) -> None:
    transaction = transaction_of(bytes.fromhex(case["transaction"]))
    script_code = bytes.fromhex(case["script_code"])
    digest = segwit_digest(transaction, case["input"], script_code, case["value"], case["hash_type"])
    assert digest.hex() == case["digest"]
    assert TestKey(bytes.fromhex(case["private_key"])).sign(digest).hex() == case["signature"]
    assert segwit_digest(transaction, case["input"], script_code, case["value"] + 1, case["hash_type"]) != digest


@pytest.mark.parametrize("case", BIP341["inputs"], ids=lambda case: str(case["input"]))
def test_the_vectors_of_bip341(case: dict[str, Any]) -> None:
    transaction = transaction_of(bytes.fromhex(BIP341["unsigned_transaction"]))
    coins = [Coin(value, bytes.fromhex(script), 1, coinbase=False) for script, value in BIP341["spent"]]
    key = TestKey(bytes.fromhex(case["private_key"])).tweaked(bytes.fromhex(case["merkle_root"]))
    assert key.secret.hex() == case["tweaked_key"]
    digest = taproot_digest(transaction, case["input"], coins, case["hash_type"])
    assert digest.hex() == case["digest"]
    ending = bytes([case["hash_type"]]) if case["hash_type"] else b""
    assert (key.sign_schnorr(digest) + ending).hex() == case["witness"]


def test_the_vectors_are_all_there() -> None:
    assert (len(BIP143["cases"]), len(BIP341["inputs"]), len(BIP341["spent"])) == (4, 7, 9)


def unsigned(coins: int) -> Transaction:
    inputs = tuple(TxInput(bytes([place + 1]) * 32, place) for place in range(coins))
    return Transaction(inputs, (TxOutput(10_000, Lock.of("receiver").script), TxOutput(5_000, b"\x51")))


def coins_of(locks: list[Lock]) -> list[Coin]:
    return [Coin(20_000 + place, lock.script, 1, coinbase=False) for place, lock in enumerate(locks)]


@pytest.mark.parametrize("kind", Kind)
def test_the_library_accepts_each_kind_and_nothing_that_was_altered(chain: KernelChain, kind: Kind) -> None:
    locks = [Lock.of("first", kind), Lock.of("second", kind)]
    coins = coins_of(locks)
    transaction = unsigned(2)
    for index, lock in enumerate(locks):
        assert not chain.verify_input(transaction, index, coins)
        transaction = lock.signed(transaction, index, coins)
    assert [chain.verify_input(transaction, index, coins) for index in (0, 1)] == [True, True]
    dearer = replace(transaction, outputs=(TxOutput(10_001, transaction.outputs[0].script), transaction.outputs[1]))
    assert not chain.verify_input(dearer, 0, coins)
    elsewhere = replace(transaction, outputs=(TxOutput(10_000, b"\x52"), transaction.outputs[1]))
    assert not chain.verify_input(elsewhere, 1, coins)
    stranger = Lock.of("stranger", kind).signed(unsigned(2), 0, coins)
    assert not chain.verify_input(stranger, 0, coins)
    if kind is not Kind.P2PKH:  # before segwit a signature did not cover what is spent
        worth_more = [replace(coins[0], value=coins[0].value + 1), coins[1]]
        assert not chain.verify_input(transaction, 0, worth_more)


@pytest.mark.parametrize(
    "hash_type",
    [
        HashType.ALL,
        HashType.NONE,
        HashType.SINGLE,
        *(HashType.ANYONE_CAN_PAY | each for each in (HashType.ALL, HashType.NONE, HashType.SINGLE)),
    ],
)
def test_older_signatures_of_every_hash_type(chain: KernelChain, hash_type: int) -> None:
    lock = Lock.of("older", Kind.P2PKH)
    coins = coins_of([lock, lock])
    transaction = unsigned(2)
    key = lock.keys[0]
    signature = key.sign(legacy_digest(transaction, 1, lock.script, hash_type)) + bytes([hash_type])
    script = bytes([len(signature)]) + signature + bytes([len(key.public)]) + key.public
    signed = transaction.with_input(1, script=script)
    assert chain.verify_input(signed, 1, coins)
    covers_no_output = hash_type & 0x1F == HashType.NONE
    burnt = replace(signed, outputs=(signed.outputs[0], TxOutput(1, b"\x6a")))
    assert chain.verify_input(burnt, 1, coins) == covers_no_output


def test_multisig_needs_two_different_keys(chain: KernelChain) -> None:
    lock = Lock.of("pool", Kind.P2WSH_MULTISIG)
    coins = coins_of([lock])
    signed = lock.signed(unsigned(1), 0, coins)
    empty, first, _, script = signed.inputs[0].witness
    twice = signed.with_input(0, witness=(empty, first, first, script))
    assert chain.verify_input(signed, 0, coins)
    assert not chain.verify_input(twice, 0, coins)
    assert not chain.verify_input(signed.with_input(0, witness=(empty, first, script)), 0, coins)


def test_labels_give_the_same_keys_and_different_ones() -> None:
    addresses = {Lock.of(label, kind).address for label in ("one", "two") for kind in Kind}
    assert len(addresses) == 2 * len(Kind)
    assert Lock.of("one").address == Lock.of("one").address
    assert all(address.startswith(("bcrt1", "m", "n", "2")) for address in addresses)
