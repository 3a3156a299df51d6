"""bitcoinlib where it is installed, in its roles: it signs for the test node and derives keys as we do.

And what it may not tell. As a second parser of blocks it is in `test_second_parser`.
"""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path

import pytest

from chains.bitcoin.bip32 import parse_extended_key
from chains.bitcoin.networks import MAIN, REGTEST, Network
from chains.bitcoin.script import address_of_script, canonical_address, script_of_address
from chains.devnet.bitcoin.bitcoinlib_roles import SecondOpinionFailed, ask, is_installed
from chains.devnet.bitcoin.keys import Kind, Lock
from chains.devnet.bitcoin.node import RegtestNode
from chains.devnet.bitcoin.wallet import OwnCoin, TestWallet
from chains.devnet.bitcoin.wire import TxOutput, transaction_of
from chains.errors import InvalidValue, NodeRefused

pytestmark = pytest.mark.skipif(not is_installed(), reason="bitcoinlib, an optional extra, is not installed")

VERSION_2 = "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs"
UPPER_CASE = "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4"
OF_REGTEST = "mocN65DyFWcxk6gKmRJna7cQ4sJeYYRRyb"
OF_MAIN = "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH"
BARE_KEY = "2102" + "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798" + "ac"
BARE_MULTISIG = "51" + "2102" + "11" * 32 + "2103" + "22" * 32 + "52ae"


def test_it_signs_payments_that_the_consensus_library_accepts(bitcoin_wallet: TestWallet, tmp_path: Path) -> None:
    node: RegtestNode = bitcoin_wallet.node
    kinds = (Kind.P2PKH, Kind.P2WPKH, Kind.P2SH_P2WPKH)
    locks = {kind: bitcoin_wallet.new_lock(kind) for kind in kinds}
    bitcoin_wallet.pay_many({lock.address: 100_000 for lock in locks.values()})
    node.mine()
    shop = Lock.of("shop")
    coins: list[OwnCoin] = [coin for coin in bitcoin_wallet.coins() if coin.lock in locks.values()]
    payments = [
        {
            "kind": str(coin.lock.kind),
            "secret": coin.lock.keys[0].secret.hex(),
            "txid": coin.txid,
            "vout": coin.vout,
            "value": coin.value,
            "outputs": [[70_000, shop.script.hex()], [29_000, coin.lock.script.hex()]],
        }
        for coin in coins
    ]
    signed = [transaction_of(bytes.fromhex(raw)) for raw in ask(tmp_path, {"signed": payments})["signed"]]
    assert len(signed) == len(kinds)
    for transaction in signed:
        cheaper = replace(transaction, outputs=(TxOutput(69_999, shop.script), transaction.outputs[1]))
        with pytest.raises(NodeRefused, match="script-verify-flag-failed"):
            node.send(cheaper)
        node.send(transaction)
    node.mine()
    assert node.balance(shop.address) == 3 * 70_000
    assert [node.balance(lock.address) for lock in locks.values()] == [29_000] * 3


def test_what_it_would_get_wrong_and_ours_does_not(tmp_path: Path) -> None:
    """Should a new release mend these, this test says so, and the decision can be looked at again."""
    asked = [[VERSION_2, "bitcoin"], [UPPER_CASE, "bitcoin"], [OF_REGTEST, "regtest"], [OF_MAIN, "regtest"]]
    told = ask(tmp_path, {"scripts": asked, "addresses": [BARE_KEY, BARE_MULTISIG]})
    right = script_of_address(MAIN, VERSION_2).hex()
    assert right == "5210751e76e8199196d454941c45d1b3a323"
    assert told["scripts"] == [
        right.replace("52", "51", 1),  # money would be looked for at another script
        "TransactionError",
        "BKeyError",
        script_of_address(MAIN, OF_MAIN).hex(),  # an address of the main network, taken on regtest
    ]
    assert canonical_address(MAIN, UPPER_CASE) == UPPER_CASE.lower()
    assert address_of_script(REGTEST, script_of_address(REGTEST, OF_REGTEST)) == OF_REGTEST
    refused_on: Network = REGTEST
    with pytest.raises(InvalidValue, match="not of regtest"):
        script_of_address(refused_on, OF_MAIN)
    assert told["addresses"][0] == OF_MAIN
    assert told["addresses"][1].startswith("bc1q")  # of the first key alone, though either key may spend
    for script in (BARE_KEY, BARE_MULTISIG):
        assert address_of_script(MAIN, bytes.fromhex(script)) is None


XPUB = "xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1D3tgFxHmwMkQTPH"


def test_it_derives_the_keys_that_we_derive(tmp_path: Path) -> None:
    chance = random.Random(32)
    paths = [[chance.randrange(2**31) for _ in range(chance.randint(1, 4))] for _ in range(25)]
    paths += [[0], [2**31 - 1], [1, 2, 0]]
    tpub = parse_extended_key(MAIN, XPUB).spelled(REGTEST)
    asked = [{"key": XPUB, "network": "bitcoin", "steps": steps} for steps in paths]
    asked += [{"key": tpub, "network": "testnet", "steps": steps} for steps in paths]
    told = ask(tmp_path, {"keys": asked})["keys"]
    ours = []
    for network, text in ((MAIN, XPUB), (REGTEST, tpub)):
        for steps in paths:
            key = parse_extended_key(network, text)
            for step in steps:
                key = key.child(step)
            ours.append({"key": key.spelled(network), "public_key": key.public_key.hex()})
    assert told == ours
    assert told[0] != ours[1]


def test_it_is_cut_off_from_the_network_and_writes_into_its_own_folder(tmp_path: Path) -> None:
    with pytest.raises(SecondOpinionFailed, match="may not use the network"):
        ask(tmp_path, {"lookup": [""]})
    ask(tmp_path, {"keys": []})
    ask(tmp_path, {"addresses": [BARE_KEY]})
    assert {path.name for path in tmp_path.iterdir()} == {"bitcoinlib"}


def test_nothing_but_its_roles_imports_it() -> None:
    """What the import contracts say, by the letter: not even inside a function."""
    root = Path(__file__).parents[3]
    found = {
        str(path.relative_to(root))
        for package in ("chains", "mapping", "exports", "verifier")
        for path in (root / package).rglob("*.py")
        if re.search(r"^\s*(import|from) bitcoinlib", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert found == {"chains/devnet/bitcoin/bitcoinlib_roles.py"}
