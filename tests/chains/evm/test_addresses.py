"""Spelling of addresses and assets; the adapter and where it is found."""

from __future__ import annotations

import subprocess
import sys

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import ChainConfigError, InvalidValue, UnknownChain
from chains.evm import chain_plugin
from chains.evm.abi import (
    AGGREGATE3,
    BALANCE_OF,
    BALANCE_OF_ID,
    DECIMALS,
    DEPOSIT_TOPIC,
    GET_BLOCK_HASH,
    GET_BLOCK_NUMBER,
    GET_CHAIN_ID,
    GET_ETH_BALANCE,
    GET_TIMESTAMP,
    OWNER_OF,
    SUPPORTS_INTERFACE,
    TRANSFER_BATCH_TOPIC,
    TRANSFER_SINGLE_TOPIC,
    TRANSFER_TOPIC,
    WITHDRAWAL_TOPIC,
    selector,
)
from chains.evm.addresses import UncheckedSpelling, checksum_address, evm_chain_number, parse_address
from chains.evm.keccak import EMPTY_CODE_HASH, keccak256
from chains.reader import ChainConfig, NodeConfig
from chains.registry import installed_namespaces, open_reader, plugin_for
from chains.types import Asset, AssetId, ChainId, Finality

# The test vectors of EIP-55.
VECTORS = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]
GOOD = VECTORS[2]


@pytest.mark.parametrize("text", VECTORS)
def test_the_vectors_of_eip55(text: str) -> None:
    assert parse_address(text) == text


@given(st.binary(min_size=20, max_size=20))
def test_checksums_as_eth_utils_makes_them(raw: bytes) -> None:
    assert str(checksum_address(raw)) == str(to_checksum_address(raw))


@pytest.mark.fault("B8")
@pytest.mark.parametrize(
    "text",
    [
        GOOD.swapcase().replace("0X", "0x"),  # every letter's case wrong
        GOOD.replace("A", "a", 1),  # one letter's case wrong
        GOOD[:-1] + "e",  # one digit wrong
        GOOD[2:],
        GOOD.replace("0x", "0X"),
        GOOD + "0",
        GOOD + "\n",
        " " + GOOD,
        GOOD[:-1],
        GOOD[:-1] + "٣",
        "0x" + "0" * 40,
        "vitalik.eth",
        "",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_address(text)
    assert not isinstance(caught.value, UncheckedSpelling)


@pytest.mark.fault("B8")
@pytest.mark.parametrize("text", [GOOD.lower(), "0x" + GOOD[2:].upper()])
def test_an_address_without_checksum_is_told_apart(text: str) -> None:
    with pytest.raises(UncheckedSpelling) as caught:
        parse_address(text)
    assert caught.value.canonical == GOOD


@pytest.mark.parametrize(
    "text",
    [
        "eip155:1/slip44:60",
        "eip155:137/slip44:966",
        f"eip155:1/erc20:{GOOD}",
        f"eip155:1/erc721:{GOOD}/0",
        f"eip155:1/erc1155:{GOOD}/{2**256 - 1}",
    ],
)
def test_assets(text: str) -> None:
    assert chain_plugin.parse_asset_id(text) == text


@pytest.mark.parametrize(
    "text",
    [
        f"eip155:1/erc20:{GOOD.lower()}",
        f"eip155:1/erc20:{GOOD[:-1]}",
        f"eip155:1/erc20:{GOOD}/7",
        f"eip155:1/erc721:{GOOD}",
        f"eip155:1/erc721:{GOOD}/",
        f"eip155:1/erc721:{GOOD}/07",
        f"eip155:1/erc721:{GOOD}/0x7",
        f"eip155:1/erc721:{GOOD}/7/7",
        f"eip155:1/erc721:{GOOD}/-1",
        f"eip155:1/erc721:{GOOD}/{2**256}",
        f"eip155:1/erc1155:{GOOD.lower()}/7",
        f"eip155:1/erc404:{GOOD}/7",
        "eip155:1/slip44:060",
        "eip155:01/slip44:60",
        "bip122:000000000019d6689c085ae165831e93/slip44:0",
        "cusip:037833100",
        "iso4217:USD",
        "eip155:1",
    ],
)
def test_other_assets_are_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        chain_plugin.parse_asset_id(text)


def test_chain_numbers() -> None:
    assert evm_chain_number(ChainId("eip155:31337")) == 31337
    for wrong in ("eip155:0", "eip155:1x", "bip122:1"):
        with pytest.raises(InvalidValue):
            evm_chain_number(ChainId(wrong))


def test_the_constants_are_hashes_of_their_names() -> None:
    for constant, signature in (
        (BALANCE_OF, "balanceOf(address)"),
        (DECIMALS, "decimals()"),
        (AGGREGATE3, "aggregate3((address,bool,bytes)[])"),
        (GET_ETH_BALANCE, "getEthBalance(address)"),
        (GET_BLOCK_NUMBER, "getBlockNumber()"),
        (GET_BLOCK_HASH, "getBlockHash(uint256)"),
        (GET_CHAIN_ID, "getChainId()"),
        (GET_TIMESTAMP, "getCurrentBlockTimestamp()"),
        (BALANCE_OF_ID, "balanceOf(address,uint256)"),
        (OWNER_OF, "ownerOf(uint256)"),
        (SUPPORTS_INTERFACE, "supportsInterface(bytes4)"),
    ):
        assert constant == selector(signature)
    for topic, signature in (
        (TRANSFER_TOPIC, "Transfer(address,address,uint256)"),
        (TRANSFER_SINGLE_TOPIC, "TransferSingle(address,address,address,uint256,uint256)"),
        (TRANSFER_BATCH_TOPIC, "TransferBatch(address,address,address,uint256[],uint256[])"),
        (DEPOSIT_TOPIC, "Deposit(address,uint256)"),
        (WITHDRAWAL_TOPIC, "Withdrawal(address,uint256)"),
    ):
        assert keccak256(signature.encode()) == topic
    assert keccak256(b"") == EMPTY_CODE_HASH


def test_both_keccak_implementations_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    from chains.evm import keccak

    fast = keccak._load()
    monkeypatch.setitem(sys.modules, "sha3", None)
    plain = keccak._load()
    for length in (0, 1, 135, 136, 137, 1000):
        assert fast(b"\x07" * length).digest() == plain(b"\x07" * length).digest()


def test_the_adapter_is_found_by_namespace() -> None:
    assert "eip155" in installed_namespaces()
    assert plugin_for(ChainId("eip155:1")) is chain_plugin
    assert plugin_for(ChainId("eip155:8453")).parse_address(ChainId("eip155:8453"), GOOD) == GOOD


@pytest.mark.fault("B9")
def test_a_chain_nobody_reads_is_named() -> None:
    with pytest.raises(UnknownChain, match="cosmos"):
        plugin_for(ChainId("cosmos:cosmoshub-4"))


def test_a_configuration_that_cannot_work_is_refused() -> None:
    node = NodeConfig("n", "o", "http://127.0.0.1:1")
    good = Asset(AssetId("eip155:1/slip44:60"), "ETH", 18)
    finality = Finality.parse("finalized")
    config = ChainConfig(ChainId("eip155:1"), "x", "0x" + "11" * 32, (node,), finality, good, header_format="nope")
    with pytest.raises(ChainConfigError, match="header format"):
        open_reader(config, node)
    with pytest.raises(ChainConfigError, match="eip155"):
        open_reader(ChainConfig(ChainId("eip155:x"), "x", "0x" + "11" * 32, (node,), finality, good), node)


def test_spelling_loads_neither_web3_nor_http() -> None:
    asked = "import chains.evm, sys; print(*sorted({'web3', 'httpx2', 'eth_utils'} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""
