"""What tests hold: the node by its URL, on the library and on a real `bitcoind` where there is one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

import pytest

from chains.bitcoin.networks import COIN
from chains.devnet.bitcoin.bitcoind import BitcoindProcess
from chains.devnet.bitcoin.front import SeenRequest, User
from chains.devnet.bitcoin.kernel_node import KernelNode
from chains.devnet.bitcoin.keys import Kind, Lock
from chains.devnet.bitcoin.node import NotRegtest, RegtestNode
from chains.devnet.bitcoin.rest import HttpReply
from chains.devnet.bitcoin.wallet import TestWallet
from chains.devnet.bitcoin.wire import block_of
from chains.errors import ChainConfigError, NodeRefused, NodeUnavailable
from tests.devnet.bitcoin.standin import write_standin

SHOP = Lock.of("shop").address

# On every node --------------------------------------------------------------------------------------------------------


def test_a_fresh_node_has_a_past_that_ends_now(bitcoin_regtest: RegtestNode) -> None:
    info = bitcoin_regtest.rpc("getblockchaininfo")
    assert (info["chain"], info["blocks"], info["initialblockdownload"]) == ("regtest", 101, False)
    assert 0 <= time.time() - info["time"] < 600
    times = [bitcoin_regtest.block(bitcoin_regtest.block_hash(height)).header.time for height in (1, 2, 101)]
    assert (times[1] - times[0], times[2] - times[0]) == (600, 60_000)


def test_mining_never_leaves_the_present(bitcoin_regtest: RegtestNode) -> None:
    hashes = bitcoin_regtest.mine(12)
    newest = bitcoin_regtest.block(hashes[-1]).header.time
    assert newest <= time.time() + 12
    assert bitcoin_regtest.height == 113


def test_the_clock_can_be_set(bitcoin_nodes: Callable[..., RegtestNode]) -> None:
    node = bitcoin_nodes(history=0)
    node.set_time(1_800_000_000)
    # A library that is asked to accept the future goes by the machine's clock, so the past is chosen.
    node.set_time(1_700_000_000)
    node.mine(2)
    assert node.rpc("getblockchaininfo")["initialblockdownload"] is False
    node.set_time(None)
    assert node.block(node.block_hash(1)).header.time == 1_700_000_000
    assert 0 <= time.time() - node.now() < 600


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_of_address_is_paid_and_pays(bitcoin_wallet: TestWallet, kind: Kind) -> None:
    node = bitcoin_wallet.node
    lock = bitcoin_wallet.new_lock(kind)
    bitcoin_wallet.pay(lock.address, 3 * COIN)
    node.mine()
    assert node.balance(lock.address) == 3 * COIN
    coins = [coin for coin in bitcoin_wallet.coins() if coin.lock == lock]
    bitcoin_wallet.pay(SHOP, 2 * COIN, coins=coins, change_to=SHOP, fee=1_000)
    node.mine()
    assert (node.balance(lock.address), node.balance(SHOP)) == (0, 3 * COIN - 1_000)


def test_raw_blocks_and_spent_outputs_over_rest(bitcoin_wallet: TestWallet) -> None:
    node = bitcoin_wallet.node
    payment = bitcoin_wallet.pay(SHOP, COIN)
    (block_hash,) = node.mine()
    block = block_of(node.rest(f"/rest/block/{block_hash}.bin"))
    assert block == node.block(block_hash)
    spent = node.rest(f"/rest/spenttxouts/{block_hash}.bin")
    assert spent.startswith(b"\x02\x00\x01")
    assert spent.endswith(payment.coins[0].coin.script)
    with pytest.raises(NodeRefused, match="not found"):
        node.rest(f"/rest/block/{'00' * 32}.bin")


def test_a_reorganisation_brings_payments_back_and_keeps_the_old_block(bitcoin_wallet: TestWallet) -> None:
    node = bitcoin_wallet.node
    payment = bitcoin_wallet.pay(SHOP, COIN)
    (stale,) = node.mine()
    spent = node.rest(f"/rest/spenttxouts/{stale}.bin")
    new = node.reorg(1)
    assert (node.tip, node.height, node.waiting(), node.balance(SHOP)) == (new[-1], 103, [payment.txid], 0)
    assert node.rpc("getblockheader", stale)["confirmations"] == -1
    assert node.rest(f"/rest/spenttxouts/{stale}.bin") == spent
    tips = {tip["hash"]: tip["status"] for tip in node.rpc("getchaintips")}
    assert tips == {new[-1]: "active", stale: "valid-fork"}
    with pytest.raises(ValueError, match="at least one block"):
        node.reorg(0)


def test_two_nodes_meet(bitcoin_nodes: Callable[..., RegtestNode]) -> None:
    one, other = bitcoin_nodes(), bitcoin_nodes(history=0)
    assert not other.knows(one.tip)
    one.copy_blocks_to(other)
    assert (other.tip, other.height) == (one.tip, 101)
    one.mine()
    other.mine(2)
    assert one.tip != other.block_hash(102)  # each found a block of its own
    other.copy_blocks_to(one)
    assert one.tip == other.tip


def test_an_unknown_method_and_a_wrong_password(bitcoin_regtest: RegtestNode) -> None:
    with pytest.raises(NodeRefused, match="Method not found") as refused:
        bitcoin_regtest.rpc("listunspentt")
    assert refused.value.rpc_code == -32601
    password = bitcoin_regtest.url.rpartition("@")[0].rpartition(":")[2]
    with pytest.raises(NodeUnavailable, match="401") as unauthorised:
        RegtestNode(bitcoin_regtest.url.replace(password, "0" * 32))
    assert password not in str(unauthorised.value)


def test_scanned_descriptors(bitcoin_wallet: TestWallet) -> None:
    node, lock = bitcoin_wallet.node, bitcoin_wallet.new_lock()
    bitcoin_wallet.pay(lock.address, 5_000)
    node.mine()
    key = lock.keys[0].public.hex()
    for descriptor in (f"addr({lock.address})", f"raw({lock.script.hex()})", f"wpkh({key})"):
        found = node.rpc("scantxoutset", "start", [descriptor])
        assert [each["scriptPubKey"] for each in found["unspents"]] == [lock.script.hex()], descriptor
    named = node.rpc("scantxoutset", "start", [f"raw({lock.script.hex()})"])["unspents"][0]["desc"]
    assert node.rpc("scantxoutset", "start", [named])["unspents"][0]["desc"] == named
    for wrong in (f"addr({SHOP[:-1]}q)", "raw(zz)", f"{named[:-1]}{'q' if named[-1] != 'q' else 'p'}", "wpkh(00)"):
        with pytest.raises(NodeRefused) as refused:
            node.rpc("scantxoutset", "start", [wrong])
        assert refused.value.rpc_code == -5


# On the library -------------------------------------------------------------------------------------------------------


def test_faults_that_are_switched_on(bitcoin_kernel: KernelNode) -> None:
    node, state = bitcoin_kernel.node, bitcoin_kernel.state
    hashes = node.mine(5)
    state.scanning = True
    with pytest.raises(NodeRefused, match="Scan already in progress"):
        node.balance(SHOP)
    state.scanning = False
    assert node.balance(SHOP) == 0
    state.pruned_height = 3
    assert node.rpc("getblockchaininfo")["pruneheight"] == 3
    with pytest.raises(NodeRefused, match="pruned data"):
        node.rpc("getblock", hashes[0], 1)
    with pytest.raises(NodeRefused, match="pruned data"):
        node.rest(f"/rest/block/{hashes[0]}.bin")
    assert node.rpc("getblock", hashes[3], 1)["height"] == 4
    state.headers_ahead = 7
    info = node.rpc("getblockchaininfo")
    assert (info["headers"], info["blocks"]) == (12, 5)
    assert info["verificationprogress"] < 1
    state.queue_full = True
    with pytest.raises(NodeUnavailable, match="503"):
        node.rpc("getblockcount")


def test_answers_can_be_changed_and_requests_are_seen(bitcoin_kernel: KernelNode) -> None:
    node = bitcoin_kernel.node
    (block_hash,) = node.mine()

    def cut(request: SeenRequest, reply: HttpReply) -> HttpReply:
        return HttpReply(200, reply.body[:-1]) if request.target.startswith("/rest/block/") else reply

    bitcoin_kernel.front.changes.append(cut)
    path = f"/rest/block/{block_hash}.bin"
    with pytest.raises(ValueError, match="ends too early"):
        block_of(node.rest(path))
    assert bitcoin_kernel.front.seen[-1].target == path
    bitcoin_kernel.front.changes[:] = [lambda request, reply: 1 // 0]  # type: ignore[list-item, return-value]
    with pytest.raises(NodeUnavailable, match="500"):
        node.rpc("getblockcount")
    assert [type(error) for error in bitcoin_kernel.front.errors] == [ZeroDivisionError]


def test_many_clients_at_once(bitcoin_kernel: KernelNode) -> None:
    bitcoin_kernel.node.mine(20)
    heights: list[int] = []

    def ask() -> None:
        node = RegtestNode(bitcoin_kernel.node.url)
        heights.extend(node.rpc("getblock", node.block_hash(height), 2)["height"] for height in range(1, 21))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(heights) == sorted(list(range(1, 21)) * 8)
    assert bitcoin_kernel.front.errors == []


def test_nothing_is_left_behind() -> None:
    before = threading.active_count()
    kernel = KernelNode(users={"someone": User("of-tests")})
    with pytest.raises(RuntimeError, match="not running"):
        _ = kernel.node
    with kernel:
        folder = Path(kernel._folder.name) if kernel._folder else None
        connection = HTTPConnection("127.0.0.1", kernel.front.port)
        connection.request("GET", "/rest/chaininfo.json")
        assert connection.getresponse().read()  # and stays open
        url = kernel.node.url
    connection.close()
    assert folder is not None
    assert not folder.exists()
    with pytest.raises(NodeUnavailable):
        RegtestNode(url, timeout_seconds=60)
    deadline = time.monotonic() + 120
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before
    kernel.stop()


def test_another_chain_is_left_alone(bitcoin_kernel: KernelNode) -> None:
    def lie(request: SeenRequest, reply: HttpReply) -> HttpReply:
        return HttpReply(200, reply.body.replace(b'"regtest"', b'"main"'))

    bitcoin_kernel.front.changes.append(lie)
    bitcoin_kernel.front.seen.clear()
    with pytest.raises(NotRegtest, match="'main'"):
        RegtestNode(bitcoin_kernel.node.url)
    assert len(bitcoin_kernel.front.seen) == 1
    for url in ("https://u:p@127.0.0.1:1", "http://127.0.0.1", "ftp://x:1"):
        with pytest.raises(ChainConfigError):
            RegtestNode(url)


# Processes ------------------------------------------------------------------------------------------------------------


def test_a_bitcoind_is_started_and_ended(tmp_path: Path) -> None:
    with BitcoindProcess(write_standin(tmp_path)) as process:
        node = process.node
        assert process._folder is not None
        settings = Path(process._folder.name) / "bitcoin.conf"
        assert settings.stat().st_mode & 0o077 == 0
        assert node.mine(3, SHOP)
        assert node.height == 3
        assert process._process is not None
        number = process._process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
    with pytest.raises(NodeUnavailable):
        node.rpc("getblockcount")
    assert not settings.parent.exists()


def test_a_bitcoind_that_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(NodeUnavailable, match="the disk is full"), BitcoindProcess(write_standin(tmp_path, fails=True)):
        pass


def test_a_node_started_by_hand() -> None:
    command = [
        sys.executable,
        "-m",
        "chains.devnet.bitcoin",
        "--port",
        "0",
        "--history",
        "3",
        "--block-seconds",
        "0.05",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        try:
            assert said.startswith("regtest node at height 3: http://tester:")
            node = RegtestNode(said.rpartition(" ")[2].strip())
            deadline = time.monotonic() + 120
            while node.height < 5 and time.monotonic() < deadline:
                time.sleep(0.02)
            assert node.height >= 5
        finally:
            process.terminate()
        assert process.wait(120) == 0


def test_a_node_by_hand_that_cannot_start(bitcoin_kernel: KernelNode, capsys: pytest.CaptureFixture[str]) -> None:
    from chains.devnet.bitcoin.__main__ import main

    assert main(["--port", str(bitcoin_kernel.front.port)]) == 2
    assert "cannot be used" in capsys.readouterr().err
    assert main(["--port", "99999"]) == 2
    assert "cannot be used" in capsys.readouterr().err
    assert main(["--port", "0", "--to", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"]) == 2
    assert "is an address of main, not of regtest (" in capsys.readouterr().err
