"""Headers: recomputed hashes, forks, unknown fields, lies."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import rlp
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import ChainConfigError, MalformedAnswer, ProofFailed
from chains.evm.header import decode_header, encode_ethereum, register_header_format, require_header_format
from chains.evm.keccak import keccak256
from chains.evm.rlp_encoding import encode_list, integer_bytes
from chains.types import ChainId

CHAIN = ChainId("eip155:1")
Json = dict[str, object]

# Ethereum mainnet's first block, a public constant of the network.
MAINNET_GENESIS: Json = {
    "parentHash": "0x" + "00" * 32,
    "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
    "miner": "0x" + "00" * 20,
    "stateRoot": "0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544",
    "transactionsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "receiptsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "logsBloom": "0x" + "00" * 256,
    "difficulty": "0x400000000",
    "number": "0x0",
    "gasLimit": "0x1388",
    "gasUsed": "0x0",
    "timestamp": "0x0",
    "extraData": "0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa",
    "mixHash": "0x" + "00" * 32,
    "nonce": "0x0000000000000042",
    "hash": "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
    "totalDifficulty": "0x400000000",
    "size": "0x21c",
    "transactions": [],
    "uncles": [],
}
FORKS: dict[str, Json] = {
    "london": {"baseFeePerGas": "0x3b9aca00"},
    "shanghai": {"withdrawalsRoot": "0x" + "11" * 32},
    "cancun": {"blobGasUsed": "0x0", "excessBlobGas": "0x20000", "parentBeaconBlockRoot": "0x" + "22" * 32},
    "prague": {"requestsHash": "0x" + "33" * 32},
}


def header_of(*forks: str, **changes: object) -> Json:
    """A header with the fields of these forks, its hash made by the rlp package and not by ours."""
    header = dict(MAINNET_GENESIS)
    for fork in forks:
        header.update(FORKS[fork])
    names = [name for name in header if name not in ("hash", "totalDifficulty", "size", "transactions", "uncles")]
    integers = {"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas"}
    integers |= {"blobGasUsed", "excessBlobGas"}
    values = [int(str(header[n]), 16) if n in integers else bytes.fromhex(str(header[n])[2:]) for n in names]
    header["hash"] = "0x" + keccak256(rlp.encode(values)).hex()
    return {**header, **changes}


def test_the_first_block_of_mainnet() -> None:
    header = decode_header(MAINNET_GENESIS, CHAIN, "ethereum")
    assert header.checked
    assert header.note == ""
    assert header.block.block_hash == MAINNET_GENESIS["hash"]


def test_a_height_that_cannot_be_kept_is_refused() -> None:
    assert decode_header(header_of(number=hex(2**53 - 1)), CHAIN, "unknown").block.height == 2**53 - 1
    with pytest.raises(MalformedAnswer):
        decode_header(header_of(number=hex(2**53)), CHAIN, "unknown")


@pytest.mark.parametrize("count", range(1, 5))
def test_every_fork_is_told_by_its_fields(count: int) -> None:
    header = decode_header(header_of(*list(FORKS)[:count]), CHAIN, "ethereum")
    assert header.checked
    assert header.encoded is not None


@pytest.mark.fault("A30")
@pytest.mark.parametrize("field", ["stateRoot", "receiptsRoot", "parentHash", "withdrawalsRoot", "requestsHash"])
def test_a_changed_field_is_a_lie(field: str) -> None:
    with pytest.raises(ProofFailed, match="do not give its hash"):
        decode_header(header_of(*FORKS, **{field: "0x" + "99" * 32}), CHAIN, "ethereum")


@pytest.mark.fault("A30")
@pytest.mark.parametrize("field", ["timestamp", "number", "gasUsed", "baseFeePerGas", "excessBlobGas"])
def test_a_changed_number_is_a_lie(field: str) -> None:
    with pytest.raises(ProofFailed):
        decode_header(header_of(*FORKS, **{field: "0x7"}), CHAIN, "ethereum")


def test_a_newer_fork_is_used_unchecked_and_says_so() -> None:
    newer = header_of(*FORKS, blockAccessListHash="0x" + "44" * 32, hash="0x" + "55" * 32)
    header = decode_header(newer, CHAIN, "ethereum")
    assert not header.checked
    assert "blockAccessListHash" in header.note
    assert header.encoded is None


def test_a_further_field_that_is_not_hashed_changes_nothing() -> None:
    assert decode_header(header_of(*FORKS, l1BlockNumber="0x1"), CHAIN, "ethereum").checked


def test_the_unknown_format_says_so() -> None:
    header = decode_header(header_of(hash="0x" + "55" * 32), CHAIN, "unknown")
    assert not header.checked
    assert "unknown" in header.note


def without(header: Json, name: str) -> Json:
    return {key: value for key, value in header.items() if key != name}


@pytest.mark.parametrize(
    "broken",
    [
        lambda: None,
        list,
        lambda: without(header_of(*FORKS), "hash"),
        lambda: without(header_of(*FORKS), "stateRoot"),
        lambda: without(header_of(*FORKS), "extraData"),
        lambda: without(header_of(*FORKS), "baseFeePerGas"),
        lambda: without(header_of(*FORKS), "excessBlobGas"),
        lambda: header_of(*FORKS, number="1"),
        lambda: header_of(*FORKS, timestamp="0x" + "f" * 20),
        lambda: header_of(*FORKS, logsBloom="0x00"),
        lambda: header_of(*FORKS, miner="0x00"),
    ],
)
def test_a_malformed_header_is_refused(broken: Callable[[], object]) -> None:
    with pytest.raises(MalformedAnswer):
        decode_header(broken(), CHAIN, "ethereum")


def test_formats_are_registered_once_by_name() -> None:
    def reversed_format(header: object) -> tuple[bytes, tuple[str, ...]]:
        return b"", ()

    register_header_format("test-reversed", reversed_format)
    register_header_format("test-reversed", reversed_format)
    require_header_format("test-reversed")
    require_header_format("unknown")
    with pytest.raises(ChainConfigError, match="registered already"):
        register_header_format("test-reversed", encode_ethereum)
    with pytest.raises(ChainConfigError, match="no header format"):
        require_header_format("etherium")


@given(st.lists(st.binary(max_size=300), max_size=30))
def test_rlp_lists_as_the_rlp_package_encodes_them(items: list[bytes]) -> None:
    assert encode_list(items) == rlp.encode(items)


@given(st.integers(0, 2**256 - 1))
def test_integers_as_the_rlp_package_encodes_them(number: int) -> None:
    assert encode_list([integer_bytes(number)]) == rlp.encode([number])
