"""`custody chain load` before a regtest node: several processes, killed and taken up again; coins instead of a past."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chains.bitcoin.ledger_file import LedgerFile
from chains.bitcoin.networks import REGTEST
from chains.devnet.bitcoin.front import SeenRequest
from chains.devnet.bitcoin.kernel_node import KernelNode
from chains.devnet.bitcoin.mining import COINBASE_MATURITY
from chains.devnet.bitcoin.rest import HttpReply
from chains.devnet.bitcoin.wallet import TestWallet
from chains.types import utc_text
from tests.chains.bitcoin.recorded import RECORDINGS, RecordedCore, serving, state
from tests.chains.bitcoin.test_reader import ADDRESSES
from tests.cli.command import ROOT, Answer, Firm, custody
from tests.cli.test_bitcoin import BITCOIN, CHAIN, configure, take_books
from tests.verifier.sweep.test_bitcoin_descriptors import Branch

pytestmark = pytest.mark.devnet

CONFIRMATIONS = 6


def ledger(firm: Firm) -> Path:
    (found,) = firm.path("ledgers").glob("*.sqlite")
    return found


def events(path: Path) -> list[object]:
    """Everything a ledger says of its scripts: its coins at the tip, and each balance after every block."""
    with closing(sqlite3.connect(path)) as connection:
        scripts = sorted(script for (script,) in connection.execute("SELECT DISTINCT script FROM script"))
    with LedgerFile(path, REGTEST) as opened:
        tip, lowest = opened.tip, opened.first_height
        assert tip is not None
        assert lowest is not None
        blocks = [opened.active_at(height) for height in range(lowest + 1, tip.height + 1)]
        told: list[object] = [opened.balances(scripts, block.block_hash) for block in blocks if block is not None]
        touched = opened.touched(scripts, lowest + 1, tip.block_hash)
        return [*opened.coins(scripts, tip.block_hash), sorted(touched or ()), len(blocks), *told]


class Story:
    """A node on which a wallet is paid early and late, and a firm whose books know it."""

    def __init__(self, firm: Firm, kernel: KernelNode, blocks: int = COINBASE_MATURITY + 1) -> None:
        self.firm, self.kernel, self.node = firm, kernel, kernel.node
        self.rich, self.cold = TestWallet(self.node, "rich"), TestWallet(self.node, "cold")
        self.node.mine_history(blocks, to=self.rich.new_address())
        self.addresses = [self.cold.new_address(), self.cold.new_address()]
        self.rich.pay_many({self.addresses[0]: BITCOIN, self.addresses[1]: 2 * BITCOIN})
        self.node.mine(CONFIRMATIONS)
        self.paid_at = self.node.height - CONFIRMATIONS + 1

    def configure(self, more: str = "") -> None:
        """Point the firm's chain at the node."""
        configure(self.firm, self.node.url, more=more)

    def take_books(self, base_units: int) -> None:
        """The books claim so much from the block of the first payment on."""
        paid = self.node.block(self.node.block_hash(self.paid_at)).header.time
        take_books(self.firm, self.addresses, base_units, utc_text(datetime.fromtimestamp(paid, UTC)))

    def load(self, *options: object) -> Answer:
        """Load, and give the answer as JSON."""
        return self.firm("chain", "load", CHAIN, "--json", *options)


@pytest.fixture
def story(firm: Firm, bitcoin_kernel: KernelNode) -> Story:
    return Story(firm, bitcoin_kernel)


def test_several_processes_write_the_same_ledger_as_one(firm: Firm, bitcoin_kernel: KernelNode) -> None:
    story = Story(firm, bitcoin_kernel, blocks=260)
    story.configure()
    story.take_books(3 * BITCOIN)
    story.rich.pay(story.addresses[0], BITCOIN)
    story.cold.pay(story.rich.new_address(), BITCOIN // 2)
    story.node.mine(CONFIRMATIONS)
    alone = story.load("--workers", 1)
    assert alone.code == 0, alone
    one = events(ledger(firm))
    ledger(firm).unlink()
    together = story.load("--workers", 3)
    assert together.code == 0, together
    assert together.json["nodes"] == alone.json["nodes"]
    assert together.json["nodes"][0]["blocks_read"] == story.node.height - CONFIRMATIONS + 1
    assert events(ledger(firm)) == one
    assert len(one) > 260
    assert story.load("--workers", 3).json["nodes"][0]["blocks_read"] == 0
    assert firm("chain", "load", CHAIN, "--workers", 9).code == 2


def test_what_a_process_finds_wrong_ends_the_load(firm: Firm, bitcoin_kernel: KernelNode) -> None:
    story = Story(firm, bitcoin_kernel, blocks=160)
    story.configure()
    story.take_books(3 * BITCOIN)
    lie = story.node.block_hash(120)

    def damaged(request: SeenRequest, reply: HttpReply) -> HttpReply:
        if request.target != f"/rest/block/{lie}.bin":
            return reply
        return replace(reply, body=reply.body[:-6] + bytes([reply.body[-6] ^ 1]) + reply.body[-5:])

    story.kernel.front.changes.append(damaged)
    failed = story.load("--workers", 2)
    assert failed.code == 2
    assert failed.json["nodes"][0]["failure"].startswith("proof-failed: node core-1: ")
    story.kernel.front.changes.clear()
    assert story.load("--workers", 2).code == 0


def test_a_killed_load_leaves_no_process_and_goes_on_where_it_was(firm: Firm, bitcoin_kernel: KernelNode) -> None:
    story = Story(firm, bitcoin_kernel, blocks=220)
    story.configure()
    story.take_books(3 * BITCOIN)

    def slow(request: SeenRequest, reply: HttpReply) -> HttpReply:
        if "/rest/block/" in request.target:
            time.sleep(0.02)
        return reply

    story.kernel.front.changes.append(slow)
    code = "import sys; from verifier.cli import main; sys.argv[0] = 'custody'; main()"
    options = ["--config", str(firm.path("custody.toml")), "chain", "load", CHAIN, "--workers", "2", "--json"]
    running = subprocess.Popen(
        [sys.executable, "-c", code, *options],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        heights = wait_for_blocks(firm, running, 50)
        children = [int(pid) for pid in Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()]
    finally:
        running.send_signal(signal.SIGKILL)
        running.communicate(timeout=120)
    assert children
    story.kernel.front.changes.clear()
    deadline = time.monotonic() + 120
    while alive := [pid for pid in children if is_running(pid)]:
        assert time.monotonic() < deadline, f"processes of a killed load go on: {alive}"
        time.sleep(0.05)
    again = story.load("--workers", 2)
    assert again.code == 0, again
    (node,) = again.json["nodes"]
    assert 0 < node["blocks_read"] <= story.node.height - heights
    resumed = events(ledger(firm))
    ledger(firm).unlink()
    assert story.load("--workers", 1).code == 0
    assert events(ledger(firm)) == resumed


def wait_for_blocks(firm: Firm, running: subprocess.Popen[bytes], least: int) -> int:
    """Wait until the ledger of a running load has so many blocks; returns how many there are."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        assert running.poll() is None, running.stderr.read() if running.stderr else ""
        for path in firm.path("ledgers").glob("*.sqlite"):
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
                try:
                    (height,) = connection.execute("SELECT max(height) FROM block").fetchone()
                except sqlite3.Error:
                    continue
                if height is not None and height >= least:
                    return int(height)
        time.sleep(0.02)
    raise AssertionError("the load does not get on")


def is_running(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_first_balances_from_a_scan(story: Story) -> None:
    story.configure(more=f"history_from_height = {story.node.height - 2}")  # above what paid the wallets
    story.take_books(3 * BITCOIN)
    loaded = story.load("--coins", "scan")
    assert loaded.code == 0, loaded
    (node,) = loaded.json["nodes"]
    assert (node["coins_at"], node["addresses_begun"], node["addresses_begun_anew"]) == (story.node.height, 2, 0)
    too_early = story.load()
    assert (too_early.code, too_early.json["nodes"][0]["addresses_not_covered"]) == (2, 2)
    assert "2 addresses not known there yet" in story.firm("chain", "load", CHAIN).out
    early = story.firm("sweep", "--json")  # the block of the coins is not final yet
    assert early.code == 2
    assert (early.json["sweeps"][0]["matched"], early.json["sweeps"][0]["unverified"]) == (0, 1)
    story.node.mine(CONFIRMATIONS)
    swept = story.firm("sweep", "--json")
    assert swept.code == 0, swept
    assert swept.json["sweeps"][0]["matched"] == 1
    assert story.firm("chain", "second-source", CHAIN, "--json").code == 0
    now_final = story.load()
    assert (now_final.code, now_final.json["nodes"][0]["addresses_not_covered"]) == (0, 0)
    again = story.load("--coins", "scan")
    assert (again.code, again.json["nodes"][0]["addresses_begun"]) == (0, 0)
    bundle = story.firm.path("audit.zip")
    assert story.firm("export", "--out", bundle, "--json").code == 0
    verified = custody("verify", bundle, "--trusted-keys", story.firm.path("trusted-keys.json"), "--json")
    assert verified.code == 0, verified.out


def test_what_came_of_coins_is_said_of_each_balance(story: Story) -> None:
    story.configure(more='finality = "latest"')
    story.take_books(3 * BITCOIN)
    assert story.load("--coins", "scan").code == 0
    assert story.firm("sweep", "--json").code == 0
    with sqlite3.connect(story.firm.path("custody.db")) as connection:
        methods = {row[0] for row in connection.execute("SELECT DISTINCT method FROM reading")}
    assert methods == {"ledger-from-coins"}


@pytest.mark.fault("A31")
def test_coins_of_a_block_that_was_reorganised_are_no_balance(story: Story) -> None:
    """Not zero, and not what blocks above the first payment come to: nothing is known until the wallets begin again."""
    story.configure(more=f'finality = "latest"\nhistory_from_height = {story.node.height - 1}')
    story.take_books(3 * BITCOIN)
    assert story.load("--coins", "scan").code == 0
    assert story.firm("sweep", "--json").code == 0
    story.node.reorg(1, 3)
    swept = story.firm("sweep", "--json")
    assert swept.code == 2, swept
    assert (swept.json["sweeps"][0]["diverged"], swept.json["sweeps"][0]["unverified"]) == (0, 1)
    assert "a reorganisation removed" in swept.out
    without = story.load()
    assert without.code == 2
    assert without.json["nodes"][0]["failure"].startswith("not-onboarded: ")
    again = story.load("--coins", "scan")
    assert (again.code, again.json["nodes"][0]["addresses_begun"]) == (0, 2)
    assert story.firm("sweep", "--json").json["sweeps"][0]["matched"] == 1


@pytest.mark.fault("A49")
def test_a_missing_coin_names_its_cure_and_the_cure_works(story: Story) -> None:
    """The birth height is above the first payment: nothing is wrong until that coin is spent."""
    story.node.mine(CONFIRMATIONS)
    story.configure(more=f"history_from_height = {story.paid_at + 1}")
    story.take_books(3 * BITCOIN)
    assert story.load().code == 0
    story.rich.pay(story.addresses[1], BITCOIN)
    story.cold.pay(story.rich.new_address(), BITCOIN // 4, fee=1_000)
    story.node.mine(CONFIRMATIONS)
    stuck = story.load()
    assert stuck.code == 2
    failure = stuck.json["nodes"][0]["failure"]
    assert failure.startswith("proof-failed: ")
    for word in ("history_from_height", "custody chain load CHAIN --coins scan"):
        assert word in failure
    swept = story.firm("sweep", "--json")
    assert swept.code == 2
    assert "--coins scan" in swept.out
    cured = story.load("--coins", "scan")
    assert cured.code == 0, cured
    assert cured.json["nodes"][0]["addresses_begun_anew"] == 2
    story.node.mine(CONFIRMATIONS)
    shown = story.firm("chain", "coins", CHAIN, "--json").json["addresses"]
    held = {row["address"]: int(row["base_units"]) for row in shown}
    assert held == {address: story.node.balance(address) for address in story.addresses}
    assert story.firm("chain", "second-source", CHAIN, "--json").code == 0


@pytest.mark.fault("A49")
def test_what_is_refused(story: Story, tmp_path: Path) -> None:
    story.configure()
    story.take_books(3 * BITCOIN)
    for options in (("--coins", "guess"), ("--coins", "scan", "--dump", "x.dat"), ("--dump", "missing.dat")):
        assert story.load(*options).code == 2
    dump = (RECORDINGS / "main" / "utxo-latest.dat").read_bytes()
    of_main = tmp_path / "main.dat"
    of_main.write_bytes(dump[:7] + bytes.fromhex("f9beb4d9") + dump[11:])
    unknown = story.load("--dump", of_main)
    assert (unknown.code, "another network than regtest" in unknown.out) == (2, True)
    elsewhere = story.load("--dump", RECORDINGS / "main" / "utxo-latest.dat")
    assert elsewhere.code == 2
    assert "chain-moved" in elsewhere.json["nodes"][0]["failure"]
    assert story.load().code == 0


@pytest.mark.fault("A49")
def test_a_scan_of_a_block_that_is_not_on_the_chain_is_refused(story: Story) -> None:
    story.configure()
    story.take_books(3 * BITCOIN)

    def of_another_block(request: SeenRequest, reply: HttpReply) -> HttpReply:
        if b'"scantxoutset"' not in request.body:
            return reply
        answer = json.loads(reply.body)
        answer["result"]["bestblock"] = "11" * 32
        return replace(reply, body=json.dumps(answer).encode())

    story.kernel.front.changes.append(of_another_block)
    refused = story.load("--coins", "scan")
    assert refused.code == 2
    assert refused.json["nodes"][0]["failure"].startswith("chain-moved: ")


def test_first_balances_from_a_dump_of_a_recorded_node(firm: Firm) -> None:
    """Not run live: no stand-in writes dumps, so those of a recorded Core are used, with its own balances."""
    with serving(RecordedCore(stage="after_reorg")) as core:
        configure(firm, core.url, more='finality = "latest"\nhead_age_seconds_max = 99999999')
        take_books(firm, list(ADDRESSES.values()), 1, "2026-01-01T20:30:00Z")
        dump = RECORDINGS / "main" / "utxo-before-spends.dat"
        loaded = firm("chain", "load", CHAIN, "--dump", dump, "--json")
        assert loaded.code == 0, loaded
        (node,) = loaded.json["nodes"]
        assert node["coins_at"] == state("before_spends")["height"]
        assert node["block_hash"] == state("after_reorg")["block_hash"]
        shown = firm("chain", "coins", CHAIN, "--json")
        held = {row["address"]: int(row["base_units"]) for row in shown.json["addresses"]}
        wanted = state("after_reorg")["scripts"]
        assert held == {ADDRESSES[label]: one["balance_sat"] for label, one in wanted.items()}
        assert any(held.values())
        damaged = firm.path("damaged.dat")
        damaged.write_bytes(dump.read_bytes()[:-1])
        assert firm("chain", "load", CHAIN, "--dump", damaged, "--json").code == 2


def test_a_wallet_of_a_descriptor_from_its_row_to_the_sweep(story: Story) -> None:
    """The row and what is watched; the birth height above which no load begins; a private key that is shown nowhere."""
    branch = Branch("deposits")
    first, second = branch.lock(0), branch.lock(1)
    story.rich.pay_many({first.address: BITCOIN, second.address: 2 * BITCOIN})
    story.node.mine(CONFIRMATIONS)
    birth = story.node.height - CONFIRMATIONS + 1
    story.configure(more=f"history_from_height = {birth}")
    story.addresses, story.paid_at = [first.address], birth
    story.take_books(3 * BITCOIN)
    row = {"chain_id": CHAIN, "address": first.address, "role": "external"}
    secret = "L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1"

    def post(**columns: str) -> Answer:
        values = [f"{name}={text}" for name, text in {**row, **columns}.items()]
        return story.firm("post", "wallet_descriptors", *values, "--json")

    refused = post(descriptor=f"wpkh({secret})#00000000")
    assert refused.code == 2
    assert "private key" in refused.out
    assert secret not in refused.out + refused.err
    assert story.firm("map", "descriptors", "--json").code == 2
    assert post(descriptor=branch.descriptor, birth_height=str(birth - 1), look_ahead="5").code == 0
    high = story.load()
    assert (high.code, "history_from_height" in high.out) == (2, True)
    assert post(descriptor=branch.descriptor, birth_height=str(birth), look_ahead="5").code == 0
    loaded = story.load()
    assert (loaded.code, loaded.json["addresses"]) == (0, 5)
    swept = story.firm("sweep", "--json")
    assert swept.code == 0, swept
    (shown,) = story.firm("map", "descriptors", "--json").json["descriptors"]
    assert (shown["derived"], shown["look_ahead"], shown["birth_height"]) == (7, 5, birth)
    assert shown["descriptor"] == branch.descriptor
    plain = story.firm("map", "descriptors").out
    assert "external" in plain
    assert "tpub" not in plain
    assert secret.encode() not in story.firm.path("custody.db").read_bytes()
    assert story.firm("journal", "verify").code == 0
    bundle = story.firm.path("audit.zip")
    assert story.firm("export", "--out", bundle, "--json").code == 0
    assert b"tpub" not in bundle.read_bytes()  # whoever has it can tell all addresses, those to come too
