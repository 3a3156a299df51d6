"""A Bitcoin chain from custody.toml to the verified bundle, as an operator does it, before a regtest node."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chains.bitcoin import chain_plugin
from chains.bitcoin.networks import MAIN, REGTEST
from chains.devnet.bitcoin.front import SeenRequest
from chains.devnet.bitcoin.kernel_node import KernelNode
from chains.devnet.bitcoin.mining import COINBASE_MATURITY
from chains.devnet.bitcoin.rest import HttpReply
from chains.devnet.bitcoin.wallet import TestWallet
from chains.types import utc_text
from tests.chains.bitcoin.recorded import RECORDINGS, RecordedCore, serving, state
from tests.chains.bitcoin.test_reader import ADDRESSES
from tests.cli.command import Firm, custody
from tests.mapping.desk import csv_text
from verifier.config import load_settings

pytestmark = pytest.mark.devnet

CHAIN = REGTEST.chain_id
BITCOIN = 100_000_000


def configure(firm: Firm, *urls: str, more: str = "") -> None:
    """Replace the chain that `custody init` wrote; what is not said is the default of Bitcoin chains."""
    path = firm.path("custody.toml")
    nodes = "".join(
        f'\n[[chains.nodes]]\nnode_id = "core-{n}"\noperator = "operator-{n}"\nurl = "{url}"\n'
        for n, url in enumerate(urls, 1)
    )
    chain = (
        f'[[chains]]\nchain_id = "{CHAIN}"\nname = "Bitcoin regtest"\ngenesis_hash = "{REGTEST.genesis_hash}"\n{more}\n'
        f'native_asset = {{ asset_id = "{REGTEST.asset_id}", symbol = "BTC", decimals = 8 }}\n'
    )
    path.write_text(path.read_text().partition("[[chains]]")[0] + chain + nodes)


def take_books(firm: Firm, addresses: list[str], base_units: int, as_of: str) -> None:
    """One client who owns everything at the addresses, which are a pool."""
    folder = firm.path("books")
    folder.mkdir()
    quantity = f"{base_units // BITCOIN}.{base_units % BITCOIN:08d}"
    rows: dict[str, list[dict[str, str]]] = {
        "clients": [{}],
        "assets": [{"asset_id": REGTEST.asset_id, "symbol": "BTC", "decimals": "8", "dust_limit": "0"}],
        "wallets": [{"chain_id": CHAIN, "address": address, "gas_float_limit": ""} for address in addresses],
        "pools": [{"pool_id": "P-1", "chain_id": CHAIN, "address": address} for address in addresses],
        "allocations": [{"location": "pool:P-1", "asset_id": REGTEST.asset_id, "quantity": quantity, "as_of": as_of}],
    }
    for table, content in rows.items():
        (folder / f"{table}.csv").write_text(csv_text(table, tuple(content)))
    answer = firm("import", folder, "--json")
    assert answer.code == 0, answer


@pytest.fixture
def funded(firm: Firm, bitcoin_kernel: KernelNode) -> tuple[Firm, KernelNode, list[str]]:
    """A firm with two addresses that hold three bitcoins, six blocks deep."""
    node = bitcoin_kernel.node
    rich, cold = TestWallet(node, "rich"), TestWallet(node, "cold")
    node.mine_history(COINBASE_MATURITY + 1, to=rich.new_address())
    addresses = [cold.new_address(), cold.new_address()]
    rich.pay_many({addresses[0]: BITCOIN, addresses[1]: 2 * BITCOIN})
    node.mine(6)
    configure(firm, node.url)
    pinned = node.block(node.block_hash(node.height - 5)).header.time
    take_books(firm, addresses, 3 * BITCOIN, utc_text(datetime.fromtimestamp(pinned, UTC)))
    return firm, bitcoin_kernel, addresses


def test_from_the_configuration_to_the_verified_bundle(funded: tuple[Firm, KernelNode, list[str]]) -> None:
    firm, kernel, _ = funded
    assert "core-1" in firm("doctor").out
    probed = firm("chain", "probe", CHAIN, "--json")
    assert probed.code == 0
    assert probed.json["nodes"]["core-1"]["blocks-by"] == "rest"
    swept = firm("sweep", "--json")
    assert swept.code == 0, swept
    assert firm.path("ledgers").is_dir()
    bundle = firm.path("audit.zip")
    exported = firm("export", "--out", bundle, "--json")
    assert exported.code == 0, exported
    keys = firm.path("trusted-keys.json")
    verified = custody("verify", bundle, "--trusted-keys", keys, "--rpc", f"{CHAIN}={kernel.node.url}", "--json")
    assert verified.code == 0, verified.out
    password = kernel.node.url.partition("@")[0].rpartition(":")[2]
    shown = firm("config", "show", "--json") if firm("config", "--help").code == 0 else verified
    assert password not in shown.out


def test_the_second_source_agrees_or_opens_a_case(funded: tuple[Firm, KernelNode, list[str]]) -> None:
    firm, kernel, addresses = funded
    agreed = firm("chain", "second-source", CHAIN, "--json")
    assert agreed.code == 0, agreed
    (node,) = agreed.json["nodes"]
    assert (node["source"], node["addresses"], node["coins"], node["differences"]) == ("scan", 2, 2, [])
    assert agreed.json["nodes_compared"] == 1
    assert agreed.json["digests"]["agree"] is None
    assert "1 of 1 node compared" in firm("chain", "second-source", CHAIN).out

    def without_a_coin(request: SeenRequest, reply: HttpReply) -> HttpReply:
        if b'"scantxoutset"' not in request.body:
            return reply
        answer = json.loads(reply.body)
        gone = answer["result"]["unspents"].pop()
        answer["result"]["total_amount"] = round(answer["result"]["total_amount"] - gone["amount"], 8)
        return replace(reply, body=json.dumps(answer).encode())

    kernel.front.changes.append(without_a_coin)
    contradicted = firm("chain", "second-source", CHAIN, "--json")
    assert contradicted.code == 1
    ((difference,),) = [each["differences"] for each in contradicted.json["nodes"]]
    assert difference["address"] in addresses
    assert int(difference["by_blocks"]) > int(difference["by_set"])
    assert "contradicts" in firm("chain", "second-source", CHAIN).out
    swept = firm("sweep", "--json")
    assert swept.code == 1
    (case,) = [case for found in swept.json["sweeps"] for case in found["cases"]]
    assert case["kind"] == "node_disagreement"
    assert difference["address"] in case["text"]
    kernel.front.changes.clear()
    kernel.state.queue_full = True
    assert firm("chain", "second-source", CHAIN, "--json").code == 2


def test_dump_and_digests_of_recorded_nodes(firm: Firm) -> None:
    """Not run live: no stand-in writes dumps or keeps digests, so the answers of a recorded Core are used."""
    limits = 'finality = "latest"\nhead_age_seconds_max = 99999999'
    with serving(RecordedCore()) as first, serving(RecordedCore(stage="after_reorg")) as second:
        configure(firm, first.url, second.url, more=limits)
        of_tip = f'gettxoutsetinfo ["muhash", "{state("after_reorg")["block_hash"]}"]'
        honest = first.outcome("gettxoutsetinfo", ["muhash"])[0]
        first.overrides[of_tip] = second.overrides[of_tip] = honest
        take_books(firm, list(ADDRESSES.values()), 1, "2026-01-01T20:30:00Z")
        dump = RECORDINGS / "main" / "utxo-before-spends.dat"
        answer = firm("chain", "second-source", CHAIN, "--dump", dump, "--json")
        assert answer.code == 0, answer
        assert {node["block_hash"] for node in answer.json["nodes"]} == {state("before_spends")["block_hash"]}
        assert {node["source"] for node in answer.json["nodes"]} == {"dump"}
        assert (answer.json["nodes_compared"], answer.json["digests"]["agree"]) == (2, True)
        second.overrides[of_tip] = honest.replace(state("after_reorg")["utxo_set"]["muhash"], "11" * 32)
        assert firm("chain", "second-source", CHAIN, "--dump", dump).code == 1
        damaged = firm.path("damaged.dat")
        damaged.write_bytes(dump.read_bytes()[:-1])
        assert firm("chain", "second-source", CHAIN, "--dump", damaged, "--json").code == 1  # the digests still differ
        second.overrides[of_tip] = honest
        assert firm("chain", "second-source", CHAIN, "--dump", damaged, "--json").code == 2
        assert firm("chain", "second-source", CHAIN, "--dump", Path("missing.dat"), "--json").code == 2


def test_what_a_sweep_may_not_read_is_loaded(funded: tuple[Firm, KernelNode, list[str]]) -> None:
    firm, kernel, _ = funded
    configure(firm, kernel.node.url, more="catch_up_blocks_max = 50")
    swept = firm("sweep", "--json")
    assert swept.code == 2
    assert "not-onboarded" in swept.out
    kernel.state.queue_full = True
    failed = firm("chain", "load", CHAIN, "--json")
    assert (failed.code, failed.json["nodes"][0]["height"]) == (2, None)
    assert failed.json["nodes"][0]["failure"].startswith("node-unavailable: ")
    kernel.state.queue_full = False
    loaded = firm("chain", "load", CHAIN, "--json")
    assert loaded.code == 0, loaded
    (node,) = loaded.json["nodes"]
    assert node["height"] == kernel.node.height - 5 == node["blocks_read"]
    assert "0 blocks read" in firm("chain", "load", CHAIN).out
    assert firm("sweep", "--json").code == 0
    assert firm("chain", "load", "eip155:1", "--json").code == 2


@pytest.mark.fault("A41")
def test_what_is_immature_or_not_final_is_shown_apart(funded: tuple[Firm, KernelNode, list[str]]) -> None:
    firm, kernel, addresses = funded
    kernel.node.mine(6, to=addresses[0])
    kernel.node.mine(1, to=addresses[1])
    shown = firm("chain", "coins", CHAIN, "--json")
    assert shown.code == 0, shown
    assert shown.json["height"] == kernel.node.height - 5
    found = {row["address"]: row for row in shown.json["addresses"]}
    coin = 50 * BITCOIN
    first, second = (found[address] for address in addresses)
    assert (first["base_units"], first["immature"]) == (str(BITCOIN + 2 * coin), str(2 * coin))
    assert (first["newer_received"], first["newer_spent"]) == (str(4 * coin), "0")
    assert (second["base_units"], second["immature"]) == (str(2 * BITCOIN), "0")
    assert (second["newer_received"], second["newer_spent"]) == (str(coin), "0")
    assert "101.00000000" in firm("chain", "coins", CHAIN).out
    assert firm("chain", "coins", "eip155:1", "--json").code == 2


def test_the_example_that_init_writes_is_good(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    path = firm.path("custody.toml")
    before, mark, after = path.read_text().partition("# [[chains]]")
    path.write_text(before + re.sub(r"(?m)^# ?", "", mark + after))
    monkeypatch.setenv("BITCOIN_RPC_URL", "http://verifier:secret@127.0.0.1:1/")
    section = load_settings(path).chain(MAIN.chain_id)
    config = section.resolve()
    assert (config.genesis_hash, config.native_asset.asset_id) == (MAIN.genesis_hash, MAIN.asset_id)
    chain_plugin.open(config, config.nodes[0]).close()


def test_nothing_to_compare_is_a_failure(firm: Firm, bitcoin_kernel: KernelNode) -> None:
    configure(firm, bitcoin_kernel.node.url)
    for what in ("second-source", "load", "coins"):
        assert firm("chain", what, CHAIN, "--json").code == 2
        assert firm("chain", what, "eip155:1", "--json").code == 2
