"""What blocks give to accounts by themselves, and what rollups mint and charge: read by both modes, or counted.

Beacon withdrawals are geth's, of a recorded block that names its source. Anvil has no withdrawals, uncles, mining or
deposits: blocks with those are made up here from the recorded one, and no chain's history has them.
"""

from __future__ import annotations

import copy
import hashlib
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from chains.devnet import lies
from chains.devnet.anvil import AnvilNode
from chains.devnet.lying_proxy import LyingProxy
from chains.errors import MalformedAnswer, ProofFailed
from chains.evm.addresses import checksum_address
from chains.evm.block_credits import WITHDRAWALS_IN_A_TOKEN, block_credits, tip
from chains.evm.header import decode_header, encode_ethereum
from chains.evm.keccak import keccak256
from chains.evm.native import MINT_INDEX, fee_paid
from chains.evm.rlp_encoding import encode_list, wrap_list
from chains.evm.transfers import scan
from chains.evm.verified_history import scan_verified
from chains.evm.withdrawals import decode_withdrawals
from chains.jsonrpc import RpcCall
from chains.reader import ChainConfig, NodeConfig
from chains.types import (
    UINT256_MAX,
    Address,
    Asset,
    AssetId,
    BlockRef,
    ChainId,
    Finality,
    Holding,
    Transfer,
    TransferKind,
    TransferScan,
)
from tests.chains.evm.conftest import EvmChain

Json = dict[str, Any]
Change = Callable[[Json, list[Json]], object]
Lying = Callable[..., LyingProxy]

FIXTURE = json.loads((Path(__file__).parent / "fixtures" / "execution_apis_block_20.json").read_text(encoding="utf-8"))
CHAIN = ChainId("eip155:3503995874084926")
NATIVE = Asset(AssetId(f"{CHAIN}/slip44:60"), "ETH", 18)
SENDER = checksum_address(bytes.fromhex("7435ed30a8b4aeb0877cef0c6e8cffe834eb865f"))
VALIDATOR = checksum_address(bytes.fromhex("1f5bde34b4afc686f136c7a3cb6ec376f7357759"))
MINER, OTHER = (checksum_address(bytes.fromhex(f"{number:040x}")) for number in (0xA1, 0xB2))


class RecordedNode:
    """A transport that knows one block, its receipts and its uncles."""

    def __init__(self, block: Json, receipts: list[Json], uncles: Sequence[Json] = ()) -> None:
        self.block, self.receipts, self.uncles = block, receipts, uncles

    def call(self, method: str, *params: object) -> object:
        """One answer."""
        match method, params:
            case (("eth_getBlockByHash" | "eth_getBlockByNumber"), (str(), _)):
                return self.block
            case "eth_getBlockReceipts", _:
                return self.receipts
            case "eth_getTransactionReceipt", (tx_id,):
                return next((each for each in self.receipts if each["transactionHash"] == tx_id), None)
            case "eth_getUncleByBlockHashAndIndex", (_, str() as place):
                return self.uncles[int(place, 16)] if int(place, 16) < len(self.uncles) else None
        raise AssertionError(f"nobody asks for {method}")

    def batch(self, calls: Sequence[RpcCall]) -> list[object]:
        """All answers."""
        return [self.call(each.method, *each.params) for each in calls]


def sealed(block: Json) -> Json:
    """The block under the hash that its fields give."""
    block = {**block, "hash": "0x" + keccak256(encode_ethereum(block)[0]).hex()}
    transactions = [{**each, "blockHash": block["hash"]} for each in block["transactions"]]
    return {**block, "transactions": transactions}


def read(
    change: Change | None = None,
    *,
    uncles: Sequence[Json] = (),
    watched: Sequence[Address] = (SENDER, VALIDATOR, MINER),
    chain: ChainId = CHAIN,
    verified: bool = False,
) -> TransferScan:
    """Scan a changed copy of the recorded block, under a hash of its own when its header was changed."""
    block, receipts = copy.deepcopy(FIXTURE["block"]), copy.deepcopy(FIXTURE["receipts"])
    if change is not None:
        change(block, receipts)
        block = sealed(block)
        receipts = [{**each, "blockHash": block["hash"]} for each in receipts]
    native = replace(NATIVE, asset_id=AssetId(f"{chain}/slip44:60"))
    config = ChainConfig(chain, "x", "", (NodeConfig("n", "o", "http://127.0.0.1"),), Finality.parse("latest"), native)
    last = decode_header(block, chain, "ethereum").block
    read_history = scan_verified if verified else scan
    node = RecordedNode(block, receipts, uncles)
    return read_history(node, config, "node-1", first_height=last.height, last=last, watched=watched, assets=[native])


def of_kind(found: TransferScan, kind: TransferKind) -> list[Transfer]:
    return [transfer for transfer in found.transfers if transfer.kind is kind]


def header(**fields: object) -> Change:
    return lambda block, receipts: block.update(fields)


# Withdrawals


@pytest.mark.fault("A24")
@pytest.mark.parametrize("verified", [False, True])
def test_a_beacon_withdrawal_is_a_movement_in_both_modes(verified: bool) -> None:
    (withdrawal,) = of_kind(read(verified=verified), TransferKind.WITHDRAWAL)
    assert (withdrawal.sender, withdrawal.receiver, withdrawal.base_units) == (None, VALIDATOR, 100 * 10**9)
    assert read(verified=verified).transfers == read().transfers
    assert of_kind(read(watched=[SENDER], verified=verified), TransferKind.WITHDRAWAL) == []
    for chain in WITHDRAWALS_IN_A_TOKEN:
        assert of_kind(read(chain=chain, verified=verified), TransferKind.WITHDRAWAL) == []


@pytest.mark.parametrize("withdrawals", ["none", [7], [{"index": "0x1"}]])
def test_withdrawals_that_are_none_are_refused(withdrawals: object) -> None:
    with pytest.raises(MalformedAnswer):
        read(header(withdrawals=withdrawals))


# Tips


@pytest.mark.devnet
@pytest.mark.fault("A24")
@pytest.mark.parametrize("mode", ["logs", "verified"])
def test_tips_of_a_watched_fee_recipient_close_the_equation(
    chain: EvmChain, anvil: AnvilNode, holders: list[Address], mode: str
) -> None:
    recipient = checksum_address(secrets.token_bytes(20))
    reader = chain.reader(history_mode=mode)
    opening = chain.pin(reader)
    anvil.rpc("anvil_setCoinbase", recipient)
    try:
        chain.pay(holders[1], holders[2], 5)
        chain.pay(holders[1], recipient, 7)
        anvil.mine()
    finally:
        anvil.rpc("anvil_setCoinbase", "0x" + "00" * 20)
    chain.pay(holders[1], holders[2], 5)
    pin = chain.pin(reader)
    found = reader.scan_transfers(opening.block.height + 1, pin.block, [recipient], [chain.native])
    assert [t.kind for t in found.transfers] == [TransferKind.COINBASE, TransferKind.NATIVE, TransferKind.COINBASE]
    (closing,) = reader.read_balances(pin, [Holding(recipient, chain.native)])
    assert sum(t.base_units for t in found.transfers) == closing.base_units
    nobody = reader.scan_transfers(opening.block.height + 1, pin.block, [holders[5]], [chain.native])
    assert nobody.transfers == ()
    assert found.unparsed == nobody.unparsed == {}


@pytest.mark.devnet
@pytest.mark.parametrize(
    "change",
    [
        lambda receipts: receipts[:-1],
        lambda receipts: [{**each, "blockHash": "0x" + "11" * 32} for each in receipts],
        lambda receipts: [{**each, "gasUsed": None} for each in receipts],
        lambda receipts: ["receipt"] * len(receipts),
    ],
)
def test_tips_are_not_summed_over_receipts_of_something_else(
    chain: EvmChain, anvil: AnvilNode, holders: list[Address], lying_node: Lying, change: Callable[[list[Json]], object]
) -> None:
    anvil.rpc("anvil_setCoinbase", holders[5])
    try:
        chain.pay(holders[1], holders[2], 5)
    finally:
        anvil.rpc("anvil_setCoinbase", "0x" + "00" * 20)
    proxy = lying_node()
    reader = chain.reader(proxy.url)
    pin = chain.pin(reader)
    assert len(reader.scan_transfers(1, pin.block, holders[5:6], [chain.native]).transfers) == 1
    proxy.lies.append(lies.change_result("eth_getBlockReceipts", lambda params, result: change(result)))
    with pytest.raises(MalformedAnswer):
        reader.scan_transfers(1, pin.block, holders[5:6], [chain.native])


def test_tips_before_and_after_london() -> None:
    assert tip(21_000, 5, 0) == 105_000
    assert tip(21_000, 5, 4) == 21_000
    assert tip(21_000, 0, 4) == 0


# Rewards of mining: seen and counted, never left out


@pytest.mark.fault("A24")
@pytest.mark.parametrize("verified", [False, True])
def test_a_block_that_a_watched_address_mined_is_counted(verified: bool) -> None:
    mined = header(difficulty="0x20000", miner=MINER.lower())
    assert read(mined, verified=verified).unparsed == {NATIVE.asset_id: 1}
    assert read(mined, watched=[SENDER], verified=verified).unparsed == {}
    assert read(header(miner=MINER.lower()), verified=verified).unparsed == {}, "proposers get tips alone"


def uncle(miner: Address) -> Json:
    plain = {key: value for key, value in FIXTURE["block"].items() if key not in ("withdrawals", "transactions")}
    return {**sealed({**plain, "number": "0x13", "miner": miner.lower(), "transactions": []}), "transactions": None}


def with_uncles(*uncles: Json) -> Change:
    root = keccak256(wrap_list(b"".join(encode_ethereum(each)[0] for each in uncles)))
    return header(sha3Uncles="0x" + root.hex(), uncles=[each["hash"] for each in uncles], difficulty="0x1")


@pytest.mark.fault("A24")
@pytest.mark.parametrize("verified", [False, True])
def test_an_uncle_that_a_watched_address_mined_is_counted(verified: bool) -> None:
    mine, other = uncle(MINER), uncle(OTHER)
    assert read(with_uncles(other, mine), uncles=[other, mine], verified=verified).unparsed == {NATIVE.asset_id: 1}
    assert read(with_uncles(other), uncles=[other], verified=verified).unparsed == {}


@pytest.mark.fault("A30")
@pytest.mark.parametrize("verified", [False, True])
def test_uncles_that_are_not_the_blocks_are_refused(verified: bool) -> None:
    mine, other = uncle(MINER), uncle(OTHER)

    def silent(block: Json, receipts: list[Json]) -> None:
        with_uncles(mine)(block, receipts)
        block["uncles"] = []

    def fewer(block: Json, receipts: list[Json]) -> None:
        with_uncles(mine, other)(block, receipts)
        block["uncles"] = [other["hash"]]

    with pytest.raises(ProofFailed, match="does not name"):
        read(silent, verified=verified)
    with pytest.raises(ProofFailed, match="other uncles"):
        read(fewer, uncles=[other], verified=verified)
    with pytest.raises(MalformedAnswer, match="another uncle"):
        read(with_uncles(mine), uncles=[other], verified=verified)
    with pytest.raises(MalformedAnswer):
        read(with_uncles(mine), uncles=[], verified=verified)
    with pytest.raises(MalformedAnswer, match="not a list"):
        read(header(uncles="0x"), verified=verified)


# What rollups mint and charge


def deposit(status: str = "0x1", **fields: object) -> Change:
    """The first transaction becomes a deposit from layer 1, with a receipt as nodes give it."""

    def change(block: Json, receipts: list[Json]) -> None:
        block["transactions"][0].update({"type": "0x7e", "mint": "0x64", "value": "0x1e", "gasPrice": "0x0", **fields})
        receipts[0].update(type="0x7e", status=status, effectiveGasPrice="0x0", depositNonce="0x0")

    return change


@pytest.mark.parametrize(("status", "sent"), [("0x1", [30]), ("0x0", [])])
def test_a_deposit_mints_for_its_sender_whether_it_succeeds_or_not(status: str, sent: list[int]) -> None:
    found = read(deposit(status), watched=[SENDER])
    first = [t for t in found.transfers if t.tx_id == FIXTURE["block"]["transactions"][0]["hash"]]
    minted, *rest = first
    assert (minted.sender, minted.receiver, minted.base_units, minted.index) == (None, SENDER, 100, MINT_INDEX)
    assert [t.base_units for t in rest] == sent, "no fee, and what the transaction itself did"
    assert found.unparsed == {}
    assert len({t.transfer_id for t in found.transfers}) == len(found.transfers)
    without = read(deposit(mint=None), watched=[SENDER])
    assert MINT_INDEX not in {t.index for t in without.transfers}


@pytest.mark.parametrize("number", ["0x64", "0x68", "0x69", "0x71", "0x5"])
def test_a_transaction_of_an_unknown_type_is_counted(number: str) -> None:
    """Arbitrum's deposits and retries, for example, move more than their value."""

    def change(block: Json, receipts: list[Json]) -> None:
        block["transactions"][0]["type"] = receipts[0]["type"] = number

    receiver = checksum_address(bytes.fromhex(FIXTURE["block"]["transactions"][0]["to"][2:]))
    assert read(change).unparsed == {NATIVE.asset_id: 1}
    assert read(change, watched=[receiver]).unparsed == {NATIVE.asset_id: 1}
    assert read(change, watched=[VALIDATOR]).unparsed == {}
    assert read().unparsed == {}


def test_fees_of_rollups_have_the_operators_part() -> None:
    receipt = {"gasUsed": "0x5208", "effectiveGasPrice": "0xa", "l1Fee": "0x64", "type": "0x2"}
    operator = {"operatorFeeScalar": "0x1e8480", "operatorFeeConstant": "0x7"}
    assert fee_paid(receipt) == 210_100
    # Isthmus: gas used * scalar / 10**6 + constant
    assert fee_paid({**receipt, **operator}) == 210_100 + 42_000 + 7
    assert fee_paid({**receipt, "operatorFeeScalar": "0x1"}) == 210_100, "rounded down"
    assert fee_paid({**receipt, "operatorFeeConstant": "0x7"}) == 210_107
    # Jovian: gas used * scalar * 100 + constant, and the data's footprint where others have blob gas
    jovian = {"daFootprintGasScalar": "0x190", "blobGasUsed": "0x9c40", "blobGasPrice": "0x1"}
    assert fee_paid({**receipt, **operator, **jovian}) == 210_100 + 21_000 * 2_000_000 * 100 + 7
    assert fee_paid({**receipt, **operator, "type": "0x7e", "effectiveGasPrice": "0x0", "l1Fee": "0x0"}) == 0


def test_amounts_beyond_all_bounds_are_malformed_answers_and_no_programming_errors() -> None:
    """A sweep leaves a node that answers so; anything else than a `ReadError` would end the sweep itself."""
    most = {"gasUsed": "0x1", "effectiveGasPrice": hex(UINT256_MAX), "type": "0x2"}
    assert fee_paid(most) == UINT256_MAX
    with pytest.raises(MalformedAnswer):
        fee_paid({**most, "l1Fee": "0x1"})
    block = BlockRef(CHAIN, 1, "0x" + "11" * 32, "0x" + "22" * 32, datetime(2026, 1, 1, tzinfo=UTC))
    watched, somebody = frozenset({b"\x01" * 20}), b"\x01" * 20
    withdrawal = {"index": hex(2**53 - 1), "validatorIndex": "0x1", "address": "0x" + "01" * 20, "amount": "0x1"}

    def credited(tips: int, **changes: str) -> list[int]:
        withdrawals = decode_withdrawals([{**withdrawal, **changes}])
        found = block_credits(block, NATIVE, watched, recipient=somebody, tips=tips, withdrawals=withdrawals)
        return [each.base_units for each in found]

    assert credited(UINT256_MAX, amount=hex(2**53 - 1)) == [UINT256_MAX, (2**53 - 1) * 10**9]
    with pytest.raises(MalformedAnswer):
        credited(UINT256_MAX + 1)
    for name in ("index", "amount", "validatorIndex"):
        with pytest.raises(MalformedAnswer):
            credited(1, **{name: hex(2**53)})


INFINITY = b"\xc0" + bytes(47)
"""Commitment and proof of a blob of zeros: the point at infinity, so that no setup is needed to compute them."""
EMPTY_BLOB_HASH = "0x01" + hashlib.sha256(INFINITY).hexdigest()[2:]
"""Its versioned hash, as EIP-4844 makes it."""


@pytest.mark.devnet
def test_blobs_cost_what_the_balance_says(chain: EvmChain, anvil: AnvilNode, holders: list[Address]) -> None:
    """By logs: Anvil's own transactions root is wrong for blobs, so whole blocks of it are refused."""
    key = secrets.token_bytes(32)
    wallet = Address(Account.from_key(key).address)
    anvil.set_balance(wallet, 10**18)
    reader = chain.reader()
    opening = chain.pin(reader)
    fields = {
        "type": 3, "chainId": anvil.chain_id, "nonce": 0, "gas": 30_000, "to": holders[2], "value": 9, "data": "0x",
        "maxFeePerGas": 10**11, "maxPriorityFeePerGas": 10**9, "maxFeePerBlobGas": 10**11,
        "blobVersionedHashes": [EMPTY_BLOB_HASH],
    }  # fmt: skip
    signed = Account.sign_transaction(fields, key).raw_transaction
    carried = [encode_list([each]) for each in (bytes(131_072), INFINITY, INFINITY)]
    anvil.rpc("eth_sendRawTransaction", "0x03" + wrap_list(b"".join((bytes(signed)[1:], *carried))).hex())
    anvil.mine()
    pin = chain.pin(reader)
    found = reader.scan_transfers(opening.block.height + 1, pin.block, [wallet], [chain.native])
    fee, paid = found.transfers
    receipt = anvil.rpc("eth_getTransactionReceipt", fee.tx_id)
    assert int(receipt["blobGasUsed"], 16) == 131_072
    assert fee.base_units == int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16) + 131_072 * int(
        receipt["blobGasPrice"], 16
    )
    (closing,) = reader.read_balances(pin, [Holding(wallet, chain.native)])
    assert closing.base_units == 10**18 - fee.base_units - paid.base_units
