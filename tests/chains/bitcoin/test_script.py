"""Addresses and scripts: the vectors of BIP-173 and BIP-350, networks kept apart, one spelling for one script."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.bitcoin import base58, bech32, hashes
from chains.bitcoin.bech32 import Encoding
from chains.bitcoin.networks import MAIN, NETWORKS, REGTEST, SIGNET, TEST, TESTNET4, Network, network_of
from chains.bitcoin.script import (
    WrongNetwork,
    address_of_script,
    canonical_address,
    p2pkh_script,
    p2sh_script,
    script_of_address,
    witness_program,
    witness_script,
)
from chains.errors import InvalidValue
from chains.types import ChainId, parse_asset_id, parse_chain_id

DATA = Path(__file__).parents[2] / "data" / "bitcoin"
BIP173: dict[str, Any] = json.loads((DATA / "bip173.json").read_text(encoding="utf-8"))
BIP350: dict[str, Any] = json.loads((DATA / "bip350.json").read_text(encoding="utf-8"))
RECORDED: dict[str, Any] = json.loads(
    (DATA.parent / "bitcoin-core-replies" / "main" / "scripts.json").read_text(encoding="utf-8")
)

KEY_HASH = bytes.fromhex("751e76e8199196d454941c45d1b3a323f1433bd6")
SCRIPTS = {
    "p2pkh": p2pkh_script(KEY_HASH),
    "p2sh": p2sh_script(KEY_HASH),
    "p2wpkh": witness_script(0, KEY_HASH),
    "p2wsh": witness_script(0, bytes(range(32))),
    "p2tr": witness_script(1, bytes(range(32))),
    "p2a": bytes.fromhex("51024e73"),
    "v2": witness_script(2, KEY_HASH),
    "v16": witness_script(16, bytes(40)),
}
networks = pytest.mark.parametrize("network", NETWORKS, ids=lambda network: str(network.name))


def network_of_prefix(address: str) -> Network:
    return MAIN if address.lower().startswith("bc1") else TEST


# The vectors of the standards -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", BIP173["valid_bech32"])
def test_valid_bech32(text: str) -> None:
    prefix, data, encoding = bech32.decode(text)
    assert encoding is Encoding.BECH32
    assert bech32.encode(prefix, data, encoding) == text.lower()


@pytest.mark.parametrize("text", BIP350["valid_bech32m"])
def test_valid_bech32m(text: str) -> None:
    prefix, data, encoding = bech32.decode(text)
    assert encoding is Encoding.BECH32M
    assert bech32.encode(prefix, data, encoding) == text.lower()


@pytest.mark.parametrize("text", BIP173["invalid_bech32"] + BIP350["invalid_bech32m"])
def test_invalid_bech32(text: str) -> None:
    with pytest.raises(InvalidValue):
        bech32.decode(text)


@pytest.mark.fault("A43")
@pytest.mark.parametrize(("text", "script"), BIP173["valid_addresses"] + BIP350["valid_addresses"])
def test_valid_addresses(text: str, script: str) -> None:
    network = network_of_prefix(text)
    assert script_of_address(network, text).hex() == script
    assert address_of_script(network, bytes.fromhex(script)) == text.lower()
    assert canonical_address(network, text) == text.lower()


@pytest.mark.fault("A43")
@pytest.mark.parametrize(
    "text",
    BIP173["invalid_addresses"] + BIP173["addresses_made_invalid_by_bip350"] + BIP350["invalid_addresses"],
)
@networks
def test_invalid_addresses(network: Network, text: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        script_of_address(network, text)
    assert raised.value.code in ("invalid-value", "wrong-network")


def test_the_vectors_are_all_there() -> None:
    counts = {name: len(value) for name, value in (BIP173 | BIP350).items() if isinstance(value, list)}
    assert counts == {
        "valid_bech32": 7,
        "invalid_bech32": 12,
        "valid_bech32m": 7,
        "invalid_bech32m": 14,
        "valid_addresses": 8,
        "addresses_made_invalid_by_bip350": 3,
        "invalid_addresses": 15,
    }
    assert (len(BIP173["valid_addresses"]), len(BIP173["invalid_addresses"])) == (3, 10)


# Real nodes -----------------------------------------------------------------------------------------------------------


def test_addresses_and_scripts_as_a_real_core_wrote_them() -> None:
    compared = 0
    for label, entry in (RECORDED["watched"] | RECORDED["not_watched"]).items():
        assert script_of_address(REGTEST, entry["address"]).hex() == entry["script_hex"], label
        assert address_of_script(REGTEST, bytes.fromhex(entry["script_hex"])) == entry["address"], label
        compared += 1
    assert compared >= 8


# Both ways ------------------------------------------------------------------------------------------------------------


@networks
@pytest.mark.parametrize("kind", SCRIPTS)
def test_each_kind_there_and_back(network: Network, kind: str) -> None:
    script = SCRIPTS[kind]
    address = address_of_script(network, script)
    assert address is not None
    assert script_of_address(network, address) == script
    assert canonical_address(network, address) == address


@given(version=st.integers(0, 16), program=st.binary(min_size=2, max_size=40))
def test_every_witness_program_there_and_back_or_without_address(version: int, program: bytes) -> None:
    script = witness_script(version, program)
    assert witness_program(script) == (version, program)
    address = address_of_script(MAIN, script)
    if version == 0 and len(program) not in (20, 32):
        assert address is None
    else:
        assert address is not None
        assert script_of_address(MAIN, address) == script
        assert script_of_address(MAIN, address.upper()) == script


@given(payload=st.binary(min_size=1, max_size=40))
def test_base58_there_and_back(payload: bytes) -> None:
    assert base58.decode(base58.encode(payload)) == payload


def test_known_addresses() -> None:
    assert address_of_script(MAIN, SCRIPTS["p2pkh"]) == "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH"
    assert address_of_script(TEST, SCRIPTS["p2pkh"]) == "mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r"
    genesis = bytes.fromhex("62e907b15cbf27d5425399ebf6f0fb50ebb88f18")
    assert address_of_script(MAIN, p2pkh_script(genesis)) == "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
    redeem = witness_script(0, KEY_HASH)
    assert address_of_script(MAIN, p2sh_script(hashes.hash160(redeem))) == "3JvL6Ymt8MVWiCNHC7oWU6nLeHNJKLZGLN"
    assert address_of_script(MAIN, SCRIPTS["p2a"]) == "bc1pfeessrawgf"
    assert address_of_script(REGTEST, SCRIPTS["p2a"]) == "bcrt1pfeesnyr2tx"


# Networks -------------------------------------------------------------------------------------------------------------


@pytest.mark.fault("A43")
@pytest.mark.parametrize("kind", SCRIPTS)
def test_a_good_address_of_another_network_is_refused_and_both_are_named(kind: str) -> None:
    for here in NETWORKS:
        for there in NETWORKS:
            address = address_of_script(there, SCRIPTS[kind])
            assert address is not None
            spelt_alike = address_of_script(here, SCRIPTS[kind]) == address
            if spelt_alike:
                assert script_of_address(here, address) == SCRIPTS[kind]
                continue
            with pytest.raises(WrongNetwork, match=f"of .*{there.name}.*, not of {here.name}$"):
                script_of_address(here, address)


@pytest.mark.fault("A43")
def test_main_shares_no_spelling_with_a_test_network() -> None:
    for script in SCRIPTS.values():
        spellings = {address_of_script(network, script) for network in (TEST, TESTNET4, SIGNET, REGTEST)}
        assert address_of_script(MAIN, script) not in spellings


@networks
def test_ids_are_well_formed_and_lead_back(network: Network) -> None:
    assert parse_chain_id(network.chain_id) == network.chain_id
    assert parse_asset_id(network.asset_id) == network.asset_id
    assert network_of(network.chain_id) is network


def test_the_chain_id_of_bitcoin_is_the_example_of_the_standard() -> None:
    assert MAIN.chain_id == "bip122:000000000019d6689c085ae165831e93"
    assert MAIN.asset_id == "bip122:000000000019d6689c085ae165831e93/slip44:0"
    assert len({network.chain_id for network in NETWORKS}) == len(NETWORKS)


@pytest.mark.parametrize(
    "chain_id",
    [
        "eip155:1",
        "bip122:000000000019d6689c085ae165831e9",
        "bip122:12a765e31ffd4059bada1e25190f6e98",  # litecoin
        "bip122:",
        "BIP122:000000000019d6689c085ae165831e93",
    ],
)
def test_another_chain_is_no_network(chain_id: str) -> None:
    with pytest.raises(InvalidValue, match="no Bitcoin network"):
        network_of(ChainId(chain_id))


# What is no address ---------------------------------------------------------------------------------------------------

GOOD_BASE58 = "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH"
GOOD_BECH32 = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "11111",
        " " + GOOD_BASE58,
        GOOD_BASE58 + " ",
        "1" + GOOD_BASE58,  # one zero byte more
        GOOD_BASE58[1:],
        GOOD_BASE58[:-1] + "J",
        GOOD_BASE58.replace("9", "0", 1),
        GOOD_BASE58.lower(),
        "\uff11" + GOOD_BASE58[1:],  # a full-width digit
        GOOD_BECH32 + "\n",
        "bitcoin:" + GOOD_BECH32,
        "\u212a" + GOOD_BECH32[1:],  # the Kelvin sign, whose lower case is a k
        "bc1",
        "1" * 500,
        base58.encode(b"\x00" + bytes(19)),
        base58.encode(b"\x00" + bytes(21)),
        base58.encode(b"\x80" + bytes(32)),  # a private key
        "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",
        "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8",
        "0x52908400098527886E0F7030069857D2E4169EE7",
    ],
)
@networks
def test_what_is_no_address(network: Network, text: str) -> None:
    with pytest.raises(InvalidValue):
        script_of_address(network, text)


def test_one_wrong_character_is_always_noticed() -> None:
    compared = 0
    for good, alphabet in ((GOOD_BASE58, base58.ALPHABET), (GOOD_BECH32, bech32.ALPHABET)):
        for position in range(len(good)):
            for character in alphabet:
                if character != good[position]:
                    with pytest.raises(InvalidValue):
                        script_of_address(MAIN, good[:position] + character + good[position + 1 :])
                    compared += 1
    assert compared > 3_000


@pytest.mark.parametrize(
    "script",
    [
        b"",
        bytes.fromhex("21" + "02" + "11" * 32 + "ac"),  # a bare key: bitcoinlib gives it a P2PKH address
        bytes.fromhex("51" + "21" + "02" + "11" * 32 + "21" + "03" + "11" * 32 + "52ae"),  # bare 1-of-2 multisig
        bytes.fromhex("6a04deadbeef"),
        SCRIPTS["p2pkh"] + b"\x00",
        SCRIPTS["p2pkh"][:-1] + b"\xad",
        SCRIPTS["p2sh"][:-1] + b"\x88",
        bytes.fromhex("0015") + bytes(21),
        bytes.fromhex("5101ff"),
        bytes.fromhex("5129") + bytes(41),
        bytes.fromhex("6102abcd"),
        bytes.fromhex("4f02abcd"),
        bytes.fromhex("514c02abcd"),  # the same program, not pushed as BIP-141 wants
    ],
)
@networks
def test_what_has_no_address(network: Network, script: bytes) -> None:
    assert address_of_script(network, script) is None


def test_version_0_has_two_lengths_alone() -> None:
    addressed = {length: address_of_script(MAIN, witness_script(0, bytes(length))) for length in range(2, 41)}
    assert [length for length, address in addressed.items() if address is not None] == [20, 32]
    for length in (16, 24, 40):
        text = bech32.encode("bc", "q" + bech32.data_of(bytes(length)), Encoding.BECH32)
        with pytest.raises(InvalidValue, match=f"version 0 with {length} bytes"):
            script_of_address(MAIN, text)


@pytest.mark.parametrize("script", [b"\x51\x29" + bytes(41), b"\x51\x01\xff", b"\x00\x14" + bytes(21), b"\x50\x02ab"])
def test_what_is_no_witness_program(script: bytes) -> None:
    assert witness_program(script) is None


@pytest.mark.parametrize("characters", [1, 3, 6])
def test_a_whole_character_of_padding_is_refused(characters: int) -> None:
    with pytest.raises(InvalidValue, match="a whole character too many"):
        bech32.bytes_of("q" * characters)
    assert bech32.bytes_of("q" * (characters + 1)) == bytes(5 * (characters + 1) // 8)


@pytest.mark.parametrize("payload", [b"", bytes(200)])
def test_base58_of_no_payload_or_an_endless_one(payload: bytes) -> None:
    with pytest.raises(InvalidValue):
        base58.decode(base58.encode(payload))


@pytest.mark.parametrize("text", [BIP173["invalid_addresses"][0], BIP350["invalid_addresses"][0]])
def test_an_unknown_prefix_is_said_to_be_one(text: str) -> None:
    with pytest.raises(InvalidValue, match="prefix belongs to no network known here"):
        script_of_address(MAIN, text)


@pytest.mark.parametrize(("version", "length"), [(17, 32), (-1, 32), (1, 1), (1, 41), (0, 0)])
def test_no_such_witness_program(version: int, length: int) -> None:
    with pytest.raises(InvalidValue):
        witness_script(version, bytes(length))


# Hashes ---------------------------------------------------------------------------------------------------------------


def test_hashes() -> None:
    key = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
    assert hashes.hash160(key) == KEY_HASH
    assert hashes.sha256d(b"").hex() == "5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456"
    tag = hashlib.sha256(b"TapTweak").digest()
    assert hashes.tagged_hash("TapTweak", b"x") == hashlib.sha256(tag + tag + b"x").digest()


def test_ripemd160_without_openssl(monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds of OpenSSL 3 without the legacy provider do not know it."""
    asked: list[str] = []

    def refuse(name: str, data: bytes = b"") -> None:
        asked.append(name)
        raise ValueError(f"unsupported hash type {name}")

    monkeypatch.setattr(hashes, "new", refuse)
    hashes._ripemd160.cache_clear()
    try:
        assert hashes.hash160(b"abc").hex() == "bb1be98c142444d7a56aa3981c3942a978e4dc33"
        assert asked == ["ripemd160"]
    finally:
        hashes._ripemd160.cache_clear()
    assert hashes.hash160(b"abc").hex() == "bb1be98c142444d7a56aa3981c3942a978e4dc33"
