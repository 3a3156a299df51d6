"""`custody watch` on a Bitcoin chain: looks and sweeps take turns at one ledger file."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from chains.devnet.bitcoin.kernel_node import KernelNode
from chains.devnet.bitcoin.mining import COINBASE_MATURITY
from chains.devnet.bitcoin.wallet import TestWallet
from chains.types import utc_text
from tests.cli.command import Firm
from tests.cli.test_bitcoin import BITCOIN, configure, take_books

pytestmark = pytest.mark.devnet


def test_a_theft_is_seen_at_the_head_and_again_when_it_is_final(firm: Firm, bitcoin_kernel: KernelNode) -> None:
    node = bitcoin_kernel.node
    rich, cold = TestWallet(node, "rich"), TestWallet(node, "cold")
    node.mine_history(COINBASE_MATURITY + 1, to=rich.new_address())
    addresses = [cold.new_address(), cold.new_address()]
    rich.pay_many({addresses[0]: BITCOIN, addresses[1]: 2 * BITCOIN})
    node.mine(6)
    configure(firm, node.url)
    path = firm.path("custody.toml")
    path.write_text(path.read_text() + "\n[watch]\nsweep_seconds_min = 0\n")
    pinned = node.block(node.block_hash(node.height - 5)).header.time
    take_books(firm, addresses, 3 * BITCOIN, utc_text(datetime.fromtimestamp(pinned, UTC)))

    first = [json.loads(line) for line in firm("watch", "--once", "--json").out.splitlines()]
    assert [each["event"] for each in first] == ["swept", "stopped"]  # nothing was covered yet to look beyond
    assert first[0]["exit_code"] == 0

    theft = cold.pay(rich.new_address(), BITCOIN // 2)
    node.mine(1)
    answer = firm("watch", "--once", "--json")
    looks = [json.loads(line) for line in answer.out.splitlines()]
    look = next(each for each in looks if each["event"] == "provisional" and each["cases"])
    assert answer.code == 1
    stolen = [case for case in look["cases"] if case["kind"] == "unauthorized_transfer"]
    assert {case["tx_id"] for case in stolen} == {theft.txid}
    assert all(case["provisional"] for case in stolen)

    node.mine(5)
    final = [json.loads(line) for line in firm("watch", "--once", "--json").out.splitlines()]
    swept = next(each for each in final if each["event"] == "swept")
    assert swept["exit_code"] == 1
    confirmed = [case for case in swept["cases"] if case["kind"] == "unauthorized_transfer"]
    assert [case["case_id"] for case in confirmed] == [case["case_id"] for case in stolen]
    assert not any(case["is_new"] or case["provisional"] for case in confirmed)
