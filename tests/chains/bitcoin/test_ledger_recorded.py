"""The ledger over blocks of a real Bitcoin Core: its balances, unspent outputs, movements and reorganisation."""

from __future__ import annotations

import base64
from collections import Counter
from functools import cache
from typing import Any

import pytest

from chains.bitcoin.block import Block, read_block, read_header, read_spent
from chains.bitcoin.ledger import match_block
from chains.bitcoin.ledger_file import LedgerFile
from chains.bitcoin.networks import REGTEST
from chains.bitcoin.script import script_of_address
from chains.bitcoin.transaction import Output, id_text
from chains.errors import ProofFailed
from tests.chains.bitcoin import recorded

Pair = tuple[Block, list[list[Output]]]


def scripts() -> dict[str, bytes]:
    """The watched scripts by label; their addresses stand for the very bytes."""
    found = {}
    for label, row in recorded.expected()["scripts"].items():
        found[label] = bytes.fromhex(row["script_hex"])
        assert script_of_address(REGTEST, row["address"]) == found[label]
    return found


@cache
def undo_data() -> dict[str, bytes]:
    """What the node served as spent outputs, by block hash."""
    found = {}
    for stage in ("before_reorg", "after_reorg"):
        for name in recorded.expected()["blocks"]:
            try:
                row = recorded.recorded(f"{stage}/spenttxouts-{name}.bin")
            except LookupError:
                continue
            block_hash = row["request"]["path"].rsplit("/", maxsplit=1)[-1].removesuffix(".bin")
            found[block_hash] = base64.b64decode(row["response"]["body_base64"])
    return found


def pair(block_hash: str) -> Pair:
    """A block and what it spends."""
    recorded_block = recorded.blocks()[block_hash]
    only_coinbase = recorded_block.transactions == 1
    return read_block(recorded_block.raw), read_spent(b"\x01\x00" if only_coinbase else undo_data()[block_hash])


def path_to(block_hash: str) -> list[str]:
    """All blocks of a chain, genesis first."""
    path = []
    while block_hash:
        path.append(block_hash)
        block_hash = recorded.blocks()[block_hash].previous
    return path[::-1]


def require_state(ledger: LedgerFile, state: dict[str, Any]) -> None:
    """Balances and coins as the node's own set of coins had them when that block was its tip."""
    block_hash, height = state["block_hash"], state["height"]
    found = ledger.balances(scripts().values(), block_hash)
    for label, script in scripts().items():
        wanted = state["scripts"][label]
        balance = found[script]
        assert balance is not None
        assert balance.base_units == wanted["balance_sat"], label
        coins = ledger.coins([script], block_hash)
        assert sorted(
            (id_text(coin.outpoint[:32]), int.from_bytes(coin.outpoint[32:], "little"), coin.value, coin.height)
            for coin in coins
        ) == sorted((each["txid"], each["vout"], each["value_sat"], each["height"]) for each in wanted["unspent"])
        assert [coin.is_coinbase for coin in coins].count(True) == [
            each["coinbase"] for each in wanted["unspent"]
        ].count(True)
        young = [each for each in wanted["unspent"] if each["coinbase"] and height + 1 - each["height"] < 100]
        assert balance.immature == sum(each["value_sat"] for each in young)


@pytest.mark.fault("A41")
def test_balances_are_those_of_the_node_before_and_after_its_reorganisation() -> None:
    blocks = recorded.expected()["blocks"]
    states = {state["stage"]: state for state in recorded.expected()["states"]}
    stale, new = path_to(blocks["stale2"]), path_to(blocks["new3"])
    with LedgerFile(None, REGTEST) as ledger:
        ledger.begin(read_header(recorded.blocks()[REGTEST.genesis_hash].raw[:80]), 0)
        assert ledger.add_scripts(scripts().values(), 1) == len(scripts())
        ledger.apply(map(pair, stale[1:]))
        require_state(ledger, states["before_reorg"])
        fork = blocks["fork_point"]
        assert ledger.rewind(fork) == 2
        ledger.apply(map(pair, new[new.index(fork) + 1 :]))
        assert not ledger.is_active(blocks["stale2"])
        for state in states.values():
            require_state(ledger, state)


def test_movements_are_those_of_the_node() -> None:
    labels = {script: label for label, script in scripts().items()}
    wanted: Counter[tuple[str, str, str]] = Counter()
    for row in recorded.expected()["movements"]:
        wanted[row["block_hash"], row["txid"], row["label"]] += row["delta_sat"]
    found: Counter[tuple[str, str, str]] = Counter()
    for block_hash in {row["block_hash"] for row in recorded.expected()["movements"]}:
        block, spent = pair(block_hash)
        events = match_block(block, spent, labels)
        for credit in events.credits:
            txid = id_text(block.transactions[credit.position].txid)
            found[block_hash, txid, labels[credit.script]] += credit.value
        for debit in events.debits:
            txid = id_text(block.transactions[debit.position].txid)
            found[block_hash, txid, labels[debit.script]] -= debit.value
    assert len(wanted) > 20
    assert found == wanted


def test_undo_data_of_another_block_is_refused() -> None:
    blocks = recorded.expected()["blocks"]
    path = path_to(blocks["spend1"])
    with LedgerFile(None, REGTEST) as ledger:
        ledger.begin(read_header(recorded.blocks()[REGTEST.genesis_hash].raw[:80]), 0)
        ledger.add_scripts(scripts().values(), 1)
        ledger.apply(map(pair, path[1:-1]))
        block, spent = pair(path[-1])
        lied = [[Output(coin.value, b"\x51") for coin in coins] for coins in spent]
        with pytest.raises(ProofFailed, match="other than the block that made it"):
            ledger.apply([(block, lied)])
        ledger.apply([(block, spent)])
