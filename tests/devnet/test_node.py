"""What one can do to an Anvil node, and that nothing else is mistaken for one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from chains.devnet import lies
from chains.devnet.anvil import AnvilNode, NotAnvil
from chains.devnet.deploy import send
from chains.devnet.isolation import CannotRestore, isolated
from chains.devnet.lying_proxy import Lie, LyingProxy, ReplyLie
from chains.devnet.pytest_plugin import DeployErc20
from chains.errors import ChainConfigError, MalformedAnswer, NodeRefused, NodeUnavailable, ReadError

pytestmark = pytest.mark.devnet

SOMEBODY = "0x1111111111111111111111111111111111111111"


def test_mining(anvil: AnvilNode) -> None:
    before = anvil.block_number()
    anvil.mine()
    anvil.mine(4, interval_seconds=12)
    assert anvil.block_number() == before + 5
    times = [int(anvil.block(height)["timestamp"], 16) for height in range(before + 2, before + 6)]
    assert [later - earlier for earlier, later in pairwise(times)] == [12, 12, 12]


def test_next_timestamp(anvil: AnvilNode) -> None:
    then = int(anvil.block()["timestamp"], 16) + 86_400
    anvil.set_next_block_timestamp(then)
    anvil.mine()
    assert int(anvil.block()["timestamp"], 16) == then
    with pytest.raises(NodeRefused):
        anvil.set_next_block_timestamp(then - 1)


def test_balance_code_storage_and_nonce(anvil: AnvilNode, deploy_erc20: DeployErc20) -> None:
    token = deploy_erc20("USDX", 6)
    anvil.set_balance(SOMEBODY, 2**255)
    anvil.set_code(SOMEBODY, "0x6001")
    anvil.set_nonce(SOMEBODY, 7)
    anvil.set_storage_at(token.address, 4, 18)  # decimals are overwritten, without any event
    assert anvil.balance(SOMEBODY) == 2**255
    assert anvil.balance(SOMEBODY, anvil.block_number()) == 2**255
    assert anvil.rpc("eth_getCode", SOMEBODY, "latest") == "0x6001"
    assert anvil.rpc("eth_getTransactionCount", SOMEBODY, "latest") == "0x7"
    assert int(anvil.rpc("eth_getStorageAt", token.address, "0x4", "latest"), 16) == 18


def test_impersonation(anvil: AnvilNode, accounts: list[str]) -> None:
    anvil.set_balance(SOMEBODY, 10**18)
    with pytest.raises(NodeRefused):
        send(anvil, SOMEBODY, accounts[1], value_wei=1)
    anvil.impersonate(SOMEBODY)
    assert send(anvil, SOMEBODY, accounts[1], value_wei=1)["from"] == SOMEBODY
    anvil.stop_impersonating(SOMEBODY)
    with pytest.raises(NodeRefused):
        send(anvil, SOMEBODY, accounts[1], value_wei=1)


def test_automine_and_dropping(anvil: AnvilNode, accounts: list[str]) -> None:
    anvil.set_automine(False)
    transfer = {"from": accounts[0], "to": SOMEBODY, "value": "0x5"}
    dropped = anvil.rpc("eth_sendTransaction", transfer)
    assert anvil.balance(SOMEBODY) == 0
    assert anvil.drop_transaction(dropped)
    assert not anvil.drop_transaction(dropped)
    anvil.mine()
    assert anvil.balance(SOMEBODY) == 0
    anvil.rpc("eth_sendTransaction", transfer)
    anvil.mine()
    assert anvil.balance(SOMEBODY) == 5


def test_snapshot_and_revert(anvil: AnvilNode, accounts: list[str]) -> None:
    snapshot_id = anvil.snapshot()
    height = anvil.block_number()
    send(anvil, accounts[0], SOMEBODY, value_wei=5)
    assert anvil.revert(snapshot_id)
    assert (anvil.block_number(), anvil.balance(SOMEBODY)) == (height, 0)
    assert not anvil.revert(snapshot_id), "a snapshot is for one revert"


@pytest.mark.anvil(private=True)
def test_reorg_replaces_blocks_and_what_they_held(anvil: AnvilNode, accounts: list[str]) -> None:
    anvil.mine(3)
    stays = anvil.block_hash(2)
    send(anvil, accounts[0], SOMEBODY, value_wei=5)
    anvil.mine()
    before = {height: anvil.block_hash(height) for height in (3, 4, 5)}
    anvil.reorg(3, [({"from": accounts[0], "to": SOMEBODY, "value": "0x7"}, 1)])
    assert anvil.block_number() == 5
    assert anvil.block_hash(2) == stays
    assert all(anvil.block_hash(height) != before[height] for height in before)
    assert anvil.balance(SOMEBODY) == 7
    assert anvil.balance(SOMEBODY, 3) == 0
    with pytest.raises(NodeRefused, match="depth"):
        anvil.reorg(99)


@pytest.mark.anvil(private=True)
def test_rollback_takes_the_head_back(anvil: AnvilNode) -> None:
    anvil.mine(5)
    second = anvil.block_hash(2)
    anvil.rollback(3)
    assert (anvil.block_number(), anvil.block_hash()) == (2, second)


def test_chain_id(anvil: AnvilNode) -> None:
    anvil.set_chain_id(5)
    assert anvil.chain_id == 5


def test_a_block_that_is_not_there_is_an_error(anvil: AnvilNode) -> None:
    assert anvil.block_hash(0) == anvil.block("earliest")["hash"]
    with pytest.raises(MalformedAnswer, match="no block 999"):
        anvil.block_hash(999)


def test_isolation_gives_everything_back(anvil: AnvilNode, accounts: list[str]) -> None:
    before = (anvil.block_hash(), anvil.chain_id, anvil.automine(), anvil.interval_mining())
    anvil.set_balance(SOMEBODY, 10**18)
    with isolated(anvil, restart=None):
        anvil.set_balance(SOMEBODY, 0)
        anvil.impersonate(SOMEBODY)
        anvil.set_interval_mining(1_000)
        anvil.mine(2)
        anvil.rpc("eth_sendTransaction", {"from": accounts[0], "to": accounts[1], "value": "0x1"})
        anvil.set_chain_id(5)
    assert (anvil.block_hash(), anvil.chain_id, anvil.automine(), anvil.interval_mining()) == before
    assert anvil.balance(SOMEBODY) == 10**18
    with pytest.raises(NodeRefused):
        send(anvil, SOMEBODY, accounts[1], value_wei=1)
    anvil.mine()
    assert anvil.block()["transactions"] == []


@pytest.mark.anvil(private=True)
def test_isolation_restarts_after_a_reorg_below_its_snapshot_or_says_that_it_cannot(anvil: AnvilNode) -> None:
    restarts: list[int] = []
    anvil.mine(5)
    with isolated(anvil, restart=lambda: restarts.append(1)):
        anvil.mine()
        anvil.reorg(1)
    assert restarts == [], "a reorganisation above the snapshot needs no restart"
    with isolated(anvil, restart=lambda: restarts.append(1)):
        anvil.reorg(2)
    assert restarts == [1]
    with pytest.raises(CannotRestore), isolated(anvil, restart=None):
        anvil.reorg(2)


def test_only_anvil_is_accepted(anvil: AnvilNode, lying_node: Callable[..., LyingProxy]) -> None:
    assert AnvilNode(lying_node().url).client_version.startswith("anvil/")
    for version in ("Geth/v1.15.0-stable", "not-anvil/v1", "", None, 5):
        proxy = lying_node(lies.set_result("web3_clientVersion", version))
        with pytest.raises(NotAnvil) as caught:
            AnvilNode(proxy.url)
        assert [call.method for call in proxy.seen] == ["web3_clientVersion"], "nothing else is sent"
        assert proxy.url not in str(caught.value)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1", "127.0.0.1:8545", ""])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ChainConfigError):
        AnvilNode(url)


@pytest.mark.parametrize(
    ("lie", "reply_lie", "error"),
    [
        (lies.omit("eth_blockNumber"), None, MalformedAnswer),
        (lies.change_id("eth_blockNumber", lambda _: 99), None, MalformedAnswer),
        (lies.duplicate("eth_blockNumber"), None, MalformedAnswer),
        (lies.fail("eth_blockNumber", -32005, "x" * 999), None, NodeRefused),
        (None, lies.html_page(), MalformedAnswer),
        (None, lies.http_status(500), NodeUnavailable),
        (None, lies.cut(5), NodeUnavailable),
        (None, lies.redirect("http://127.0.0.1:1"), NodeUnavailable),
        (None, lies.delay(5), NodeUnavailable),
    ],
)
def test_a_bad_answer_is_an_error_without_a_url(
    anvil: AnvilNode, lie: Lie | None, reply_lie: ReplyLie | None, error: type[ReadError]
) -> None:
    with LyingProxy(anvil.url) as proxy:
        node = AnvilNode(proxy.url, timeout_seconds=1.0)
        assert node.block_number() == anvil.block_number()
        proxy.lies += [lie] if lie else []
        proxy.reply_lies += [reply_lie] if reply_lie else []
        with pytest.raises(error) as caught:
            node.block_number()
        assert proxy.errors == []
    assert "127.0.0.1" not in str(caught.value)
    assert len(str(caught.value)) < 300
