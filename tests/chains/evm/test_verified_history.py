"""Verified history on a real Anvil: the same movements as from logs and more, and every lie of the node refused."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account

from chains.devnet import lies
from chains.devnet.anvil import AnvilNode
from chains.devnet.lying_proxy import LyingProxy
from chains.devnet.pytest_plugin import DeployContract, DeployErc20
from chains.errors import ChainConfigError, ChainMoved, InvalidValue, MalformedAnswer, ProofFailed, RangeTooLarge
from chains.evm.addresses import ZERO_ADDRESS, checksum_address
from chains.types import Address, AssetId, Holding, Transfer, TransferKind, TransferScan
from tests.chains.evm.conftest import EvmChain

pytestmark = pytest.mark.devnet
Lying = Callable[..., LyingProxy]
Json = dict[str, Any]
BY_BLOCK, BY_TRANSACTION = "eth_getBlockReceipts", "eth_getTransactionReceipt"
TRANSFER = bytes.fromhex("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")


@pytest.fixture
def verified(chain: EvmChain) -> EvmChain:
    """The chain, configured to be read by whole blocks."""
    return replace(chain, config=replace(chain.config, history_mode="verified"))


def of_kind(scan: TransferScan, kind: TransferKind) -> list[Transfer]:
    return [transfer for transfer in scan.transfers if transfer.kind is kind]


def net(transfers: tuple[Transfer, ...], holding: Holding) -> int:
    """What a balance changed by, as the transfers have it."""
    of_asset = [t for t in transfers if t.asset.asset_id == holding.asset.asset_id]
    received = sum(t.base_units for t in of_asset if t.receiver == holding.address)
    return received - sum(t.base_units for t in of_asset if t.sender == holding.address)


def signed_by(anvil: AnvilNode, key: bytes, **fields: object) -> str:
    """Send a transaction that eth-account signs; its hash once it is mined."""
    sender = Account.from_key(key).address
    fees = {} if "gasPrice" in fields else {"maxFeePerGas": 10**11, "maxPriorityFeePerGas": 10**9}
    common = {"chainId": anvil.chain_id, "gas": 200_000, "data": "0x"}
    nonce = int(anvil.rpc("eth_getTransactionCount", sender, "latest"), 16)
    signed = Account.sign_transaction({**common, **fees, "nonce": nonce, **fields}, key)
    tx_id = str(anvil.rpc("eth_sendRawTransaction", "0x" + signed.raw_transaction.hex()))
    deadline = time.monotonic() + 120
    while anvil.rpc(BY_TRANSACTION, tx_id) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return tx_id


@pytest.mark.fault("A22")
def test_transactions_of_every_type_are_verified_and_balance(
    verified: EvmChain, anvil: AnvilNode, holders: list[Address], deploy_erc20: DeployErc20
) -> None:
    """Opening + movements = closing to the base unit, with legacy, access list, dynamic fee and set code.

    Blobs are not tried here: Anvil 1.7.1 hashes them into its transactions root, which no other client does
    (foundry issue 15132). A block with one is tried in test_verified_block.
    """
    key = secrets.token_bytes(32)
    wallet, other = Address(Account.from_key(key).address), holders[2]
    anvil.set_balance(wallet, 10**20)
    token = deploy_erc20("T", 6, 10**6)
    token.transact("transfer", wallet, 10**3)
    reader = verified.reader()
    opening_pin = verified.pin(reader)
    plain = {"to": other, "value": 11}
    authorization = Account.sign_authorization(
        {"chainId": 0, "address": ZERO_ADDRESS, "nonce": 4}, secrets.token_bytes(32)
    )
    for fields in (
        {**plain, "gasPrice": 10**11},
        {**plain, "gasPrice": 10**11, "type": 1, "accessList": [{"address": other, "storageKeys": ["0x" + "11" * 32]}]},
        {**plain, "type": 2},
        {**plain, "type": 4, "authorizationList": [authorization]},
    ):
        signed_by(anvil, key, **fields)
    token.transact("transfer", wallet, 7)
    pin = verified.pin(reader)
    assets = [verified.native, verified.token(token, 6)]
    scan = reader.scan_transfers(opening_pin.block.height + 1, pin.block, [wallet, other], assets)
    assert (scan.mode, scan.mode_note) == ("verified", "")
    assert [t.base_units for t in of_kind(scan, TransferKind.NATIVE)] == [11] * 4
    assert [t.base_units for t in of_kind(scan, TransferKind.TOKEN)] == [7]
    types = [anvil.rpc("eth_getTransactionByHash", t.tx_id)["type"] for t in of_kind(scan, TransferKind.FEE)]
    assert types == ["0x0", "0x1", "0x2", "0x4"]
    holdings = [Holding(holder, asset) for holder in (wallet, other) for asset in assets]
    opening = reader.read_balances(opening_pin, holdings)
    closing = reader.read_balances(pin, holdings)
    for before, after in zip(opening, closing, strict=True):
        assert (before.base_units or 0) + net(scan.transfers, before.holding) == after.base_units


def test_both_modes_find_the_same_transfers(
    chain: EvmChain,
    verified: EvmChain,
    anvil: AnvilNode,
    holders: list[Address],
    deploy_erc20: DeployErc20,
    deploy_contract: DeployContract,
) -> None:
    """Under the same ids, so that a chain whose mode is changed gets no movement twice."""
    token, odd = deploy_erc20("T", 6, 10**6), deploy_contract("OddLogs")
    word = bytes(12) + bytes.fromhex(holders[1][2:])
    for number in range(4):
        token.transact("transfer", holders[1], 10 + number)
        chain.pay(holders[1], holders[2], 5)
        chain.pay(holders[2], None, 7, data="0x6000600060006000")
        odd.transact("emit", [TRANSFER, word, word, bytes(32)], b"")
    anvil.mine(40)
    assets = [chain.native, chain.token(token, 6), chain.token(odd)]
    pin = chain.pin(chain.reader())
    counted: list[int] = []
    logs = chain.reader().scan_transfers(0, pin.block, holders[1:3], assets)
    whole = verified.reader().scan_transfers(0, pin.block, holders[1:3], assets, counted.append)
    assert (logs.mode, whole.mode) == ("logs", "verified")
    assert whole.transfers == logs.transfers
    assert whole.blocks == logs.blocks
    assert whole.unparsed == logs.unparsed == {assets[2].asset_id: 4}
    assert sum(counted) == len(whole.blocks)
    assert len(whole.transfers) >= 16


def test_failed_transactions_cost_their_fee_and_move_nothing(
    verified: EvmChain, deploy_contract: DeployContract, holders: list[Address]
) -> None:
    contract = Address(deploy_contract("OddBalance", 0, 1).address)  # takes no ether
    before = verified.node.balance(holders[1])
    verified.node.rpc("eth_sendTransaction", {"from": holders[1], "to": contract, "value": "0x9", "gas": "0x186a0"})
    verified.node.mine()
    reader = verified.reader()
    scan = reader.scan_transfers(0, verified.pin(reader).block, [holders[1], contract], [verified.native])
    assert [(t.kind, verified.node.balance(holders[1]) + t.base_units) for t in scan.transfers] == [
        (TransferKind.FEE, before)
    ]


# Movements that no Transfer event tells


@pytest.mark.fault("A24")
def test_wrapped_ether_comes_and_goes_without_a_transfer_event(
    chain: EvmChain, verified: EvmChain, deploy_contract: DeployContract, holders: list[Address]
) -> None:
    weth = deploy_contract("Weth")
    asset, wallet = chain.token(weth), holders[1]
    weth.transact("deposit", sender=wallet, value_wei=1_000)
    weth.transact("withdraw", 300, sender=wallet)
    weth.transact("deposit", sender=holders[2], value_wei=5)
    reader = verified.reader()
    pin = verified.pin(reader)
    scan = reader.scan_transfers(0, pin.block, [wallet], [asset])
    assert [(t.sender, t.receiver, t.base_units, t.kind) for t in scan.transfers] == [
        (weth.address, wallet, 1_000, TransferKind.TOKEN),
        (wallet, weth.address, 300, TransferKind.TOKEN),
    ]
    (balance,) = reader.read_balances(pin, [Holding(wallet, asset)])
    assert balance.base_units == net(scan.transfers, balance.holding) == 700
    assert chain.reader().scan_transfers(0, pin.block, [wallet], [asset]).transfers == scan.transfers


def test_a_deposit_that_is_told_by_a_transfer_too_counts_once(
    verified: EvmChain, deploy_contract: DeployContract, holders: list[Address]
) -> None:
    """Each log in a transaction of its own here, but for the pair, which one transaction emits."""
    from chains.evm.abi import DEPOSIT_TOPIC
    from chains.evm.block_movements import Watch, block_movements
    from chains.evm.receipts import Log, Receipt
    from chains.evm.token_events import watched_tokens
    from chains.evm.verified_block import CheckedBlock, Executed

    token = bytes.fromhex("11" * 20)
    asset = replace(verified.native, asset_id=AssetId(f"{verified.config.chain_id}/erc20:{checksum_address(token)}"))
    holder = bytes.fromhex(holders[1][2:])
    word, amount = bytes(12) + holder, (7).to_bytes(32, "big")
    transfer = Log(token, (TRANSFER, bytes(32), word), amount)
    deposit = Log(token, (DEPOSIT_TOPIC, word), amount)

    def moved(*logs: Log) -> list[int]:
        receipt = Receipt(b"\x01", 21_000, logs)
        executed = Executed("0x" + "22" * 32, bytes(20), token, 0, receipt, 21_000, 1, 21_000, 3)
        block = CheckedBlock(verified.pin(verified.reader()).block, (executed,), (), bytes(20), 1, ())
        found, unparsed = block_movements(block, Watch(frozenset({holder}), None, watched_tokens([asset])))
        assert not unparsed
        assert all(item.transfer.receiver == holders[1] for item in found)
        return [item.transfer.index for item in found]

    assert moved(transfer, deposit) == [3]
    assert moved(deposit, transfer) == [4]
    assert moved(deposit) == [3]
    assert moved(deposit, deposit, transfer) == [4, 5]
    assert moved(transfer, replace(deposit, data=(8).to_bytes(32, "big"))) == [3, 4]
    assert moved(replace(deposit, address=bytes(20))) == []


@pytest.mark.fault("A24")
def test_tips_of_a_watched_fee_recipient_are_found(
    verified: EvmChain, anvil: AnvilNode, holders: list[Address]
) -> None:
    recipient = checksum_address(secrets.token_bytes(20))
    anvil.rpc("anvil_setCoinbase", recipient)
    try:
        verified.pay(holders[1], holders[2], 5)
        anvil.mine()
    finally:
        anvil.rpc("anvil_setCoinbase", "0x" + "00" * 20)
    reader = verified.reader()
    pin = verified.pin(reader)
    scan = reader.scan_transfers(0, pin.block, [recipient], [verified.native])
    (tip,) = scan.transfers
    assert (tip.kind, tip.sender, tip.receiver) == (TransferKind.COINBASE, None, recipient)
    assert tip.base_units == anvil.balance(recipient) > 0


def test_a_transfer_with_unindexed_arguments_is_counted(
    chain: EvmChain, verified: EvmChain, deploy_contract: DeployContract, holders: list[Address]
) -> None:
    """A filter by topic never shows it; whole blocks do."""
    token = deploy_contract("OddLogs")
    word, stranger = bytes(12) + bytes.fromhex(holders[1][2:]), bytes(12) + secrets.token_bytes(20)
    token.transact("emit", [TRANSFER], stranger + word + bytes(32))
    token.transact("emit", [TRANSFER], stranger + stranger + bytes(32))
    token.transact("emit", [secrets.token_bytes(32), word], bytes(32))
    asset = chain.token(token)
    pin = chain.pin(chain.reader())
    assert verified.reader().scan_transfers(0, pin.block, holders[1:2], [asset]).unparsed == {asset.asset_id: 1}
    assert chain.reader().scan_transfers(0, pin.block, holders[1:2], [asset]).unparsed == {}


# What is not believed


def change_receipts(change: Callable[[list[Json]], list[Json]]) -> Any:
    def lie(params: list[Any], result: Any) -> Any:
        return change([dict(each) for each in result]) if result else result

    return lies.change_result(BY_BLOCK, lie)


def without_logs(receipt: Json) -> Json:
    return {**receipt, "logs": receipt["logs"][:-1]} if receipt["logs"] else receipt


def amount_changed(receipt: Json) -> Json:
    return {**receipt, "logs": [{**log, "data": "0x" + "00" * 31 + "01"} for log in receipt["logs"]]}


def log_added(receipt: Json) -> Json:
    return {**receipt, "logs": [*receipt["logs"], *receipt["logs"]]}


LIES = {
    "one log left out": change_receipts(lambda all_: list(map(without_logs, all_))),
    "another amount": change_receipts(lambda all_: list(map(amount_changed, all_))),
    "a log twice": change_receipts(lambda all_: list(map(log_added, all_))),
    "one receipt left out": change_receipts(lambda all_: all_[:-1]),
    "another status": change_receipts(lambda all_: [{**each, "status": "0x0"} for each in all_]),
    "another price": change_receipts(lambda all_: [{**each, "effectiveGasPrice": "0x1"} for each in all_]),
    "no transactions": lies.change_block(lambda block: {**block, "transactions": []}),
    "another value": lies.change_block(
        lambda block: {
            **block,
            "transactions": [
                {**each, "value": "0x1"} if isinstance(each, dict) else each for each in block["transactions"]
            ],
        }
    ),
    "another sender": lies.change_block(
        lambda block: {
            **block,
            "transactions": [
                {**each, "from": "0x" + "11" * 20} if isinstance(each, dict) else each for each in block["transactions"]
            ],
        }
    ),
    "a withdrawal made up": lies.change_block(
        lambda block: {
            **block,
            "withdrawals": [{"index": "0x0", "validatorIndex": "0x0", "address": "0x" + "11" * 20, "amount": "0x1"}],
        }
    ),
}


@pytest.mark.fault("A22")
@pytest.mark.parametrize("name", LIES)
def test_one_thing_left_out_added_or_changed_is_refused(
    verified: EvmChain, lying_node: Lying, deploy_erc20: DeployErc20, holders: list[Address], name: str
) -> None:
    token = deploy_erc20("T", 6, 10**6)
    token.transact("transfer", holders[1], 40)
    verified.pay(holders[0], holders[1], 5)
    proxy = lying_node()
    reader = verified.reader(proxy.url)
    pin = verified.pin(reader)
    assets = [verified.native, verified.token(token, 6)]
    assert reader.scan_transfers(1, pin.block, holders[1:2], assets).mode == "verified"
    proxy.lies.append(LIES[name])
    with pytest.raises(ProofFailed, match=r"node node-1: .* block "):
        reader.scan_transfers(1, pin.block, holders[1:2], assets)


@pytest.mark.fault("A22")
def test_a_log_that_the_other_mode_cannot_miss_is_missed_there(
    chain: EvmChain, verified: EvmChain, lying_node: Lying, deploy_erc20: DeployErc20, holders: list[Address]
) -> None:
    """Why the mode exists: a node that filters a log away is believed when it is asked for logs."""
    token = chain.token(deploy_erc20("T", 6, 5), 6)
    url = lying_node(lies.drop_logs(), LIES["one log left out"]).url
    reader = chain.reader(url)
    pin = chain.pin(reader)
    assert reader.scan_transfers(0, pin.block, holders[:1], [token]).transfers == ()
    with pytest.raises(ProofFailed, match="receipts root"):
        verified.reader(url).scan_transfers(0, pin.block, holders[:1], [token])


def test_receipts_one_by_one_where_the_node_gives_none_by_block(
    verified: EvmChain, lying_node: Lying, deploy_erc20: DeployErc20, holders: list[Address]
) -> None:
    token = deploy_erc20("T", 6, 10**6)
    for number in range(3):
        token.transact("transfer", holders[1], 40 + number)
    asset = verified.token(token, 6)
    proxy = lying_node(lies.fail(BY_BLOCK, -32601, "the method eth_getBlockReceipts does not exist"))
    reader = verified.reader(proxy.url)
    pin = verified.pin(reader)
    scan = reader.scan_transfers(0, pin.block, holders[1:2], [asset])
    assert ([t.base_units for t in scan.transfers], scan.mode) == ([40, 41, 42], "verified")
    assert BY_TRANSACTION in {call.method for call in proxy.seen}
    proxy.lies.append(lies.change_result(BY_TRANSACTION, lambda params, receipt: without_logs(receipt)))
    with pytest.raises(ProofFailed, match="receipts root"):
        reader.scan_transfers(0, pin.block, holders[1:2], [asset])


@pytest.mark.fault("A21")
def test_receipts_of_many_blocks_are_asked_for_in_parts(
    verified: EvmChain, lying_node: Lying, holders: list[Address]
) -> None:
    for _ in range(9):
        verified.pay(holders[0], holders[1], 5)

    def limited(calls: list[Json], reply: Any) -> Any:
        asked = [call for call in calls if call["method"] == BY_BLOCK]
        return reply if len(asked) <= 2 else replace(reply, body=b"<html>too much</html>")

    reader = verified.reader(lying_node(reply_lies=[limited]).url)
    scan = reader.scan_transfers(0, verified.pin(reader).block, holders[1:2], [verified.native])
    assert len(scan.transfers) == 9
    refused = lying_node(lies.fail(BY_BLOCK, -32005, "response too large"))
    scan = verified.reader(refused.url).scan_transfers(0, scan.blocks[-1], holders[1:2], [verified.native])
    assert len(scan.transfers) == 9
    refused.lies.append(lies.fail(BY_TRANSACTION, -32005, "response too large"))
    with pytest.raises(RangeTooLarge):
        verified.reader(refused.url).scan_transfers(0, scan.blocks[-1], holders[1:2], [verified.native])


@pytest.mark.parametrize(
    "lie",
    [
        lies.set_result(BY_BLOCK, None),
        lies.set_result(BY_BLOCK, {}),
        change_receipts(lambda all_: [{**each, "blockHash": "0x" + "11" * 32} for each in all_]),
    ],
)
def test_an_answer_that_is_no_receipts_of_the_block_is_refused(
    verified: EvmChain, lying_node: Lying, holders: list[Address], lie: Any
) -> None:
    verified.pay(holders[0], holders[1], 5)
    reader = verified.reader(lying_node(lie).url)
    pin = verified.pin(reader)
    with pytest.raises(MalformedAnswer):
        reader.scan_transfers(0, pin.block, holders[1:2], [verified.native])


@pytest.mark.fault("A33")
def test_a_chain_that_moves_under_the_scan_gives_nothing(
    verified: EvmChain, anvil: AnvilNode, holders: list[Address]
) -> None:
    verified.pay(holders[0], holders[1], 5)
    reader = verified.reader()
    pin = verified.pin(reader)
    moved: list[int] = []

    def reorganise_once(count: int) -> None:
        if not moved:
            moved.append(count)
            anvil.reorg(1)

    with pytest.raises(ChainMoved):
        reader.scan_transfers(0, pin.block, holders[1:2], [verified.native], reorganise_once)
    assert moved
    again = verified.pin(reader)
    assert reader.scan_transfers(0, again.block, holders[1:2], [verified.native]).blocks[-1] == again.block


# What cannot be verified says so


def test_an_unknown_type_of_transaction_lowers_the_mode(
    verified: EvmChain, lying_node: Lying, holders: list[Address]
) -> None:
    verified.pay(holders[0], holders[1], 5)

    def newer(block: Json) -> Json:
        transactions = [{**each, "type": "0x7e"} if isinstance(each, dict) else each for each in block["transactions"]]
        return {**block, "transactions": transactions}

    receipts = change_receipts(lambda all_: [{**each, "type": "0x7e"} for each in all_])
    reader = verified.reader(lying_node(lies.change_block(newer), receipts).url)
    pin = verified.pin(reader)
    scan = reader.scan_transfers(0, pin.block, holders[1:2], [verified.native])
    assert scan.mode == "logs"
    assert f"{pin.block} is not verified: transactions of type 0x7e" in scan.mode_note
    assert [t.base_units for t in scan.transfers] == [5]


def test_a_chain_of_unknown_header_format_is_read_and_not_verified(verified: EvmChain, holders: list[Address]) -> None:
    verified.pay(holders[0], holders[1], 5)
    reader = verified.reader(header_format="unknown")
    scan = reader.scan_transfers(0, verified.pin(reader).block, holders[1:2], [verified.native])
    assert (scan.mode, len(scan.transfers)) == ("logs", 1)
    assert "header format" in scan.mode_note


def test_a_mode_that_does_not_exist_and_a_range_that_is_none_are_refused(chain: EvmChain, verified: EvmChain) -> None:
    with pytest.raises(ChainConfigError, match="known: logs, verified"):
        chain.reader(history_mode="traces")
    reader = verified.reader()
    pin = verified.pin(reader)
    with pytest.raises(InvalidValue):
        reader.scan_transfers(pin.block.height + 1, pin.block, [], [])
