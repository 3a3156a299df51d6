"""Transfers on a real Anvil: what is found, what covers it, and which answers are not believed."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from chains.devnet import lies
from chains.devnet.anvil import AnvilNode
from chains.devnet.deploy import deploy
from chains.devnet.lagging import lagging
from chains.devnet.lying_proxy import LyingProxy
from chains.devnet.pytest_plugin import DeployContract, DeployErc20
from chains.errors import ChainMoved, InvalidValue, MalformedAnswer, RangeTooLarge
from chains.evm import blocks, token_logs
from chains.evm.addresses import ZERO_ADDRESS, checksum_address
from chains.evm.native import created_address, fee_paid
from chains.types import Address, Holding, Transfer, TransferKind, TransferScan
from tests.chains.evm.conftest import EvmChain

pytestmark = pytest.mark.devnet
Lying = Callable[..., LyingProxy]
Json = dict[str, Any]
TRANSFER = bytes.fromhex("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")


def somebody() -> Address:
    return checksum_address(secrets.token_bytes(20))


def movements(scan: TransferScan, kind: TransferKind) -> list[tuple[Address | None, Address | None, int]]:
    return [(t.sender, t.receiver, t.base_units) for t in scan.transfers if t.kind is kind]


def net(transfers: tuple[Transfer, ...], holder: Address, asset_id: str) -> int:
    """What a holder's balance changed by, as the transfers have it."""
    of_asset = [t for t in transfers if t.asset.asset_id == asset_id]
    received = sum(t.base_units for t in of_asset if t.receiver == holder)
    return received - sum(t.base_units for t in of_asset if t.sender == holder)


def test_everything_that_moves_at_the_top_is_found(
    chain: EvmChain, anvil: AnvilNode, deploy_erc20: DeployErc20, holders: list[Address]
) -> None:
    """Opening + movements = closing, to the base unit, for each watched address and asset."""
    token, other = deploy_erc20("T", 6, 10**9), deploy_erc20("O", 6, 10**9)
    token.transact("transfer", holders[1], 10**6)
    reader = chain.reader()
    opening_pin = chain.pin(reader)
    a, b, outside = holders[1], holders[2], holders[8]
    chain.pay(a, b, 10**18)
    chain.pay(a, a, 10**17)  # to itself: only the fee remains
    chain.pay(outside, a, 5)
    chain.pay(outside, somebody(), 6)
    token.transact("transfer", b, 250, sender=a)
    token.transact("transfer", b, 250, sender=b)
    token.transact("transfer", a, 7)
    token.transact("burn", 11, sender=a)
    other.transact("transfer", a, 1)
    anvil.mine(3)
    created = deploy(anvil, "Erc20", ["x", "X", 6], sender=b)
    pin = chain.pin(reader)
    assets = [chain.native, chain.token(token, 6)]
    scan = reader.scan_transfers(opening_pin.block.height + 1, pin.block, [a, b], assets)
    assert [block.height for block in scan.blocks] == list(range(opening_pin.block.height + 1, pin.block.height + 1))
    assert scan.blocks[-1] == pin.block
    assert movements(scan, TransferKind.NATIVE) == [(a, b, 10**18), (a, a, 10**17), (outside, a, 5)]
    assert movements(scan, TransferKind.TOKEN) == [
        (a, b, 250),
        (b, b, 250),
        (holders[0], a, 7),
        (a, ZERO_ADDRESS, 11),
    ]
    assert Counter(sender for sender, _, _ in movements(scan, TransferKind.FEE)) == {a: 4, b: 2}
    assert {(t.receiver, t.index) for t in scan.transfers if t.kind is TransferKind.FEE} == {(None, -1)}
    assert len({t.transfer_id for t in scan.transfers}) == len(scan.transfers)
    assert scan.unparsed == {}
    assert scan.node_id == "node-1"
    holdings = [Holding(holder, asset) for holder in (a, b) for asset in assets]
    opening = reader.read_balances(opening_pin, holdings)
    closing = reader.read_balances(pin, holdings)
    for before, after in zip(opening, closing, strict=True):
        moved = net(scan.transfers, before.holding.address, before.holding.asset.asset_id)
        assert (before.base_units or 0) + moved == after.base_units
    assert created == checksum_address(created_address(bytes.fromhex(b[2:]), 1))


def test_failed_transactions_cost_their_fee_and_move_nothing(chain: EvmChain, holders: list[Address]) -> None:
    contract = Address(deploy(chain.node, "OddBalance", [0, 1]))  # takes no ether
    reader = chain.reader()
    before = chain.node.balance(holders[1])
    transaction = {"from": holders[1], "to": contract, "value": "0x9", "gas": "0x186a0"}
    chain.node.rpc("eth_sendTransaction", transaction)
    chain.node.mine()
    pin = chain.pin(reader)
    scan = reader.scan_transfers(0, pin.block, [holders[1], contract], [chain.native])
    assert movements(scan, TransferKind.NATIVE) == []
    ((sender, receiver, fee),) = movements(scan, TransferKind.FEE)
    assert (sender, receiver) == (holders[1], None)
    assert chain.node.balance(holders[1]) == before - fee


def test_value_given_to_a_contract_at_its_creation(chain: EvmChain, anvil: AnvilNode, holders: list[Address]) -> None:
    reader = chain.reader()
    payable_creation = "0x6000600060006000"  # creation code that stores an empty contract
    receipt = chain.pay(holders[1], None, 77, data=payable_creation)
    created = checksum_address(bytes.fromhex(str(receipt["contractAddress"])[2:]))
    pin = chain.pin(reader)
    scan = reader.scan_transfers(0, pin.block, [created], [chain.native])
    assert [(t.sender, t.receiver, t.base_units, t.kind) for t in scan.transfers] == [
        (holders[1], created, 77, TransferKind.NATIVE)
    ]
    assert anvil.balance(created) == 77


def test_nobody_watched_and_nothing_asked_is_still_covered(
    chain: EvmChain, anvil: AnvilNode, deploy_erc20: DeployErc20, holders: list[Address]
) -> None:
    token = chain.token(deploy_erc20("T", 6, 5), 6)
    anvil.mine(600)
    reader = chain.reader()
    pin = chain.pin(reader)
    counted: list[int] = []
    scan = reader.scan_transfers(1, pin.block, [], [chain.native, token], counted.append)
    assert len(scan.blocks) == sum(counted) == pin.block.height
    assert scan.transfers == ()
    only_token = reader.scan_transfers(1, pin.block, holders[:1], [token])
    assert [t.base_units for t in only_token.transfers] == [5]
    only_native = reader.scan_transfers(1, pin.block, holders[:1], [chain.native])
    assert {t.kind for t in only_native.transfers} == {TransferKind.FEE}
    with pytest.raises(InvalidValue):
        reader.scan_transfers(pin.block.height + 1, pin.block, [], [])


def test_more_watched_addresses_than_one_query_takes(
    chain: EvmChain, deploy_erc20: DeployErc20, holders: list[Address], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_logs, "ADDRESSES_PER_QUERY", 3)
    token = deploy_erc20("T", 6, 10**6)
    for number, holder in enumerate(holders[1:]):
        token.transact("transfer", holder, 10 + number)
    token.transact("transfer", holders[1], 5, sender=holders[9])
    reader = chain.reader()
    pin = chain.pin(reader)
    scan = reader.scan_transfers(0, pin.block, holders, [chain.token(token, 6)])
    assert [t.base_units for t in scan.transfers] == [10**6, *range(10, 19), 5]


@pytest.mark.parametrize("topics", [4, 2])
def test_logs_of_another_shape_are_counted(
    chain: EvmChain, deploy_contract: DeployContract, holders: list[Address], topics: int
) -> None:
    """ERC-721 has the token id as a fourth topic; a token may leave the receiver unindexed."""
    token = deploy_contract("OddLogs")
    word = bytes(12) + bytes.fromhex(holders[0][2:])
    odd = [TRANSFER, word, word, bytes(31) + b"\x07"][:topics]
    token.transact("emit", odd, b"" if topics == 4 else word + bytes(32))
    token.transact("emit", [TRANSFER, word, word], bytes(31))
    token.transact("emit", [TRANSFER, b"\x01" + word[1:], word], bytes(32))
    token.transact("emit", [TRANSFER, word, word], bytes(31) + b"\x09")
    reader = chain.reader()
    asset = chain.token(token)
    scan = reader.scan_transfers(0, chain.pin(reader).block, holders[:1], [asset])
    assert [t.base_units for t in scan.transfers] == [9]
    assert scan.unparsed == {asset.asset_id: 3}


# What is not believed


@pytest.mark.fault("A20")
def test_silence_of_a_node_that_lags_is_not_taken_for_nothing(
    chain: EvmChain, anvil: AnvilNode, lying_node: Lying, deploy_erc20: DeployErc20, holders: list[Address]
) -> None:
    token = chain.token(deploy_erc20("T", 6, 5), 6)
    anvil.mine(3)
    honest = chain.reader()
    pin = chain.pin(honest)
    assert len(honest.scan_transfers(0, pin.block, holders[:1], [token]).transfers) == 1
    behind = lying_node(lagging(anvil.url, 4))
    with pytest.raises(ChainMoved):
        chain.reader(behind.url).scan_transfers(0, pin.block, holders[:1], [token])
    # A balancer that shows the head on every other question: the logs come with their own end block.
    behind_from_the_third = lies.after(2, lies.change_block(lambda block: anvil.block(1), height=pin.block.height))
    by_number = lies.only("eth_getBlockByNumber", behind_from_the_third)
    proxy = lying_node(by_number, lies.drop_logs())
    with pytest.raises(ChainMoved, match="asked for logs"):
        chain.reader(proxy.url).scan_transfers(0, pin.block, holders[:1], [token])


@pytest.mark.fault("A21")
@pytest.mark.parametrize(("limit", "message"), [(7, "query returned more than 10000 results"), (1, "range too large")])
def test_a_range_over_the_limit_is_halved(
    chain: EvmChain,
    anvil: AnvilNode,
    lying_node: Lying,
    deploy_erc20: DeployErc20,
    holders: list[Address],
    limit: int,
    message: str,
) -> None:
    token = deploy_erc20("T", 6, 10**6)
    for number in range(6):
        token.transact("transfer", holders[1], 10 + number)
        anvil.mine(3)

    def limited(asked: str, params: list[Any], answer: Json) -> Json:
        if asked != "eth_getLogs" or "blockHash" in params[0]:
            return answer
        width = int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) + 1
        if width <= limit:
            return answer
        return {"jsonrpc": "2.0", "id": answer["id"], "error": {"code": -32005, "message": message}}

    reader = chain.reader(lying_node(limited).url)
    scan = reader.scan_transfers(0, chain.pin(reader).block, holders[1:2], [chain.token(token, 6)])
    assert [t.base_units for t in scan.transfers] == list(range(10, 16))


@pytest.mark.fault("A21")
def test_a_single_block_over_the_limit_gives_no_scan(
    chain: EvmChain, lying_node: Lying, deploy_erc20: DeployErc20, holders: list[Address]
) -> None:
    token = chain.token(deploy_erc20("T", 6, 5), 6)
    proxy = lying_node(lies.fail("eth_getLogs", -32005, "query returned more than 10000 results"))
    reader = chain.reader(proxy.url)
    pin = chain.pin(reader)
    with pytest.raises(RangeTooLarge):
        reader.scan_transfers(0, pin.block, holders[:1], [token])
    proxy.lies.clear()
    assert len(reader.scan_transfers(0, pin.block, holders[:1], [token]).transfers) == 1


def changed(**changes: object) -> Any:
    return lies.change_logs(lambda log: {**log, **changes})


def all_logs(change: Callable[[list[Json]], list[Json]]) -> Any:
    return lies.change_result("eth_getLogs", lambda params, result: change(result))


@pytest.mark.fault("A23")
@pytest.mark.parametrize(
    "harmless",
    [
        all_logs(lambda logs: logs + logs),
        all_logs(lambda logs: logs[::-1]),
        all_logs(lambda logs: [*logs, *({**log, "removed": True, "logIndex": "0x63"} for log in logs)]),
    ],
    ids=["repeated", "out of order", "removed ones added"],
)
def test_repeated_unordered_and_removed_logs_change_nothing(
    chain: EvmChain, lying_node: Lying, deploy_erc20: DeployErc20, holders: list[Address], harmless: Any
) -> None:
    token = deploy_erc20("T", 6, 100)
    token.transact("transfer", holders[1], 40)
    token.transact("transfer", holders[0], 15, sender=holders[1])
    reader = chain.reader(lying_node(harmless).url)
    scan = reader.scan_transfers(0, chain.pin(reader).block, holders[:2], [chain.token(token, 6)])
    assert [t.base_units for t in scan.transfers] == [100, 40, 15]


@pytest.mark.fault("A23")
@pytest.mark.parametrize(
    "lie",
    [
        changed(blockHash="0x" + "11" * 32),
        changed(address="0x" + "11" * 20),
        changed(blockNumber="0xffff"),
        changed(blockNumber="0x0"),
        changed(topics=["0x" + "11" * 32] * 3),
        changed(topics=["0x" + TRANSFER.hex(), "0x" + "00" * 31 + "01", "0x" + "00" * 31 + "02"]),
        changed(topics=["0x" + TRANSFER.hex()]),
        changed(logIndex="0x0", data="0x" + "00" * 32 * 2),
        changed(data="0x0"),
        changed(logIndex=None),
        all_logs(lambda logs: [*logs, *({**log, "data": "0x" + "00" * 32} for log in logs)]),
        lies.change_result("eth_getLogs", lambda params, result: {}),
        all_logs(lambda logs: [*logs, "log"]),  # type: ignore[list-item]
    ],
    ids=[
        "other block hash",
        "other contract",
        "beyond the range",
        "height and hash differ",
        "other event",
        "not watched",
        "too few topics",
        "two at one place",
        "odd data",
        "no index",
        "same place, other amount",
        "no list",
        "no object",
    ],
)
def test_foreign_logs_are_refused(
    chain: EvmChain, lying_node: Lying, deploy_erc20: DeployErc20, holders: list[Address], lie: Any
) -> None:
    token = deploy_erc20("T", 6, 100)
    # Two transfers in one block, so that a place can be taken twice.
    chain.node.set_automine(False)
    for amount in (1, 2):
        chain.node.rpc(
            "eth_sendTransaction",
            {
                "from": holders[0],
                "to": token.address,
                "data": "0xa9059cbb" + holders[1][2:].lower().rjust(64, "0") + f"{amount:064x}",
            },
        )
    chain.node.mine()
    chain.node.set_automine(True)
    asset = chain.token(token, 6)
    proxy = lying_node()
    reader = chain.reader(proxy.url)
    pin = chain.pin(reader)
    honest = reader.scan_transfers(0, pin.block, holders[1:2], [asset])
    assert [t.base_units for t in honest.transfers] == [1, 2]
    proxy.lies.append(lie)
    with pytest.raises(MalformedAnswer) as caught:
        reader.scan_transfers(0, pin.block, holders[1:2], [asset])
    assert caught.value.node_id == "node-1"


@pytest.mark.fault("A31")
@pytest.mark.anvil(private=True)
def test_a_chain_that_moves_under_the_scan_gives_no_scan(
    chain: EvmChain, anvil: AnvilNode, deploy_erc20: DeployErc20, holders: list[Address]
) -> None:
    token = chain.token(deploy_erc20("T", 6, 5), 6)
    anvil.mine(40)
    reader = chain.reader()
    pin = chain.pin(reader)
    moved: list[int] = []

    def reorganise_once(count: int) -> None:
        if not moved:
            moved.append(count)
            anvil.reorg(3)

    with pytest.raises(ChainMoved):
        reader.scan_transfers(0, pin.block, holders[:1], [chain.native, token], reorganise_once)
    with pytest.raises(ChainMoved):
        reader.scan_transfers(0, pin.block, holders[:1], [chain.native, token])
    again = chain.pin(reader)
    assert reader.scan_transfers(0, again.block, holders[:1], [chain.native, token]).blocks[-1] == again.block


@pytest.mark.fault("A30")
def test_a_covered_block_that_lies_about_itself_is_refused(
    chain: EvmChain, anvil: AnvilNode, lying_node: Lying
) -> None:
    anvil.mine(5)
    from chains.errors import ProofFailed

    lie = lies.change_block(lambda block: {**block, "gasUsed": "0x7"}, height=3)
    reader = chain.reader(lying_node(lie).url)
    with pytest.raises(ProofFailed):
        reader.scan_transfers(1, chain.pin(reader).block, [], [])


def test_a_block_left_out_or_put_in_the_place_of_another_is_refused(
    chain: EvmChain, anvil: AnvilNode, lying_node: Lying
) -> None:
    anvil.mine(5)
    other = anvil.block(2)
    proxy = lying_node(lies.change_block(lambda block: other, height=3))
    reader = chain.reader(proxy.url)
    pin = chain.pin(reader)
    with pytest.raises(MalformedAnswer, match="asked for block 3"):
        reader.scan_transfers(1, pin.block, [], [])
    proxy.lies[:] = [lies.change_result("eth_getBlockByNumber", lambda p, r: None if p[0] == "0x3" else r)]
    with pytest.raises(ChainMoved, match="no block 3"):
        reader.scan_transfers(1, pin.block, [], [])
    proxy.lies.clear()
    assert len(reader.scan_transfers(1, pin.block, [], []).blocks) == pin.block.height


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("eth_getTransactionReceipt", {"blockHash": "0x" + "11" * 32}),
        ("eth_getTransactionReceipt", {"transactionHash": "0x" + "11" * 32}),
        ("eth_getTransactionReceipt", {"from": "0x" + "11" * 20}),
        ("eth_getTransactionReceipt", {"status": "0x2"}),
        ("eth_getTransactionReceipt", {"status": None}),
        ("eth_getTransactionReceipt", {"gasUsed": None}),
        ("eth_getTransactionReceipt", {"effectiveGasPrice": "1"}),
        ("eth_getTransactionReceipt", {"contractAddress": "0x" + "11" * 20}),
        ("eth_getTransactionReceipt", None),
        ("eth_getBlockByNumber", {"blockHash": "0x" + "11" * 32}),
        ("eth_getBlockByNumber", {"transactionIndex": "0x1"}),
        ("eth_getBlockByNumber", {"value": "1"}),
        ("eth_getBlockByNumber", {"from": None}),
    ],
)
def test_receipts_and_transactions_that_do_not_fit_are_refused(
    chain: EvmChain, lying_node: Lying, holders: list[Address], method: str, changes: Json | None
) -> None:
    def change(params: list[Any], result: Json) -> Json | None:
        if method == "eth_getTransactionReceipt":
            return None if changes is None else {**result, **changes}
        transactions = [{**tx, **(changes or {})} for tx in result["transactions"] if isinstance(tx, dict)]
        return {**result, "transactions": transactions} if transactions else result

    chain.pay(holders[0], holders[1], 5)
    proxy = lying_node()
    reader = chain.reader(proxy.url)
    pin = chain.pin(reader)
    assert len(reader.scan_transfers(1, pin.block, holders[:1], [chain.native]).transfers) == 2
    proxy.lies.append(lies.change_result(method, change))
    with pytest.raises(MalformedAnswer):
        reader.scan_transfers(1, pin.block, holders[:1], [chain.native])


def test_fees_have_all_their_parts() -> None:
    receipt = {"gasUsed": "0x5208", "effectiveGasPrice": "0xa"}
    assert fee_paid(receipt) == 210_000
    assert fee_paid({**receipt, "blobGasUsed": "0x20000", "blobGasPrice": "0x3"}) == 210_000 + 3 * 131_072
    assert fee_paid({**receipt, "blobGasUsed": "0x0", "blobGasPrice": "0x3"}) == 210_000
    assert fee_paid({**receipt, "blobGasPrice": "0x3"}) == 210_000
    assert fee_paid({**receipt, "l1Fee": "0x64"}) == 210_100
    with pytest.raises(MalformedAnswer):
        fee_paid({"gasUsed": "0x5208"})


def test_a_long_range_of_full_blocks_is_fetched_in_portions(
    chain: EvmChain, anvil: AnvilNode, lying_node: Lying, holders: list[Address], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "TRANSACTIONS_PER_BATCH", 10)
    for _ in range(30):
        chain.pay(holders[0], holders[1], 5)
    anvil.mine(100)
    proxy = lying_node()
    reader = chain.reader(proxy.url)
    scan = reader.scan_transfers(0, chain.pin(reader).block, holders[1:2], [chain.native])
    assert len(scan.transfers) == 30
    assert len(scan.blocks) == anvil.block_number() + 1
    assert proxy.requests_received < 30
