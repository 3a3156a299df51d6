"""What is told twice must be told alike: undo data, ledgers, balances and coins, difficulty; and two that read."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from chains.bitcoin import chain_plugin
from chains.bitcoin.block import read_block, read_header
from chains.bitcoin.core import CoreNode
from chains.bitcoin.header_chain import header_run
from chains.bitcoin.ledger_file import LedgerFile
from chains.bitcoin.networks import REGTEST
from chains.bitcoin.proof_of_work import target_of
from chains.bitcoin.transaction import id_text
from chains.errors import ChainConfigError, ChainError, ChainMoved, ProofFailed, ReadError
from chains.jsonrpc import RpcCall
from chains.reader import NodeConfig
from chains.transport import HttpAnswer
from tests.chains.bitcoin.recorded import RecordedCore, blocks, expected
from tests.chains.bitcoin.test_ledger_file import BRANCH, CHAIN, LATE, OURS, apply, held, load_all
from tests.chains.bitcoin.test_reader import (
    ADDRESSES,
    COIN,
    CONFIG,
    HOLDINGS,
    Open,
    balances_of,
    core,
    now_of,
    open_reader,
    told,
)

__all__ = ["core", "open_reader"]

EVERYBODY = list(ADDRESSES.values())


# Undo data --------------------------------------------------------------------------------------------------------


def hide_a_spend(core: RecordedCore) -> None:
    """From now on the node says that a stranger spent a coin of ours."""
    spend = expected()["blocks"]["spend1"]
    _, honest = core.resource(f"/rest/spenttxouts/{spend}.bin")
    script = bytes.fromhex(expected()["scripts"]["p2wpkh_a"]["script_hex"])
    assert script in honest
    core.rest_overrides[f"/rest/spenttxouts/{spend}.bin"] = honest.replace(script, script[:-1] + b"\x00")


def invent_a_spend(core: RecordedCore) -> None:
    """From now on the node says that we spent a coin of a stranger, or of another wallet."""
    spend = expected()["blocks"]["spend1"]
    _, honest = core.resource(f"/rest/spenttxouts/{spend}.bin")
    script, ours = (bytes.fromhex(expected()["scripts"][name]["script_hex"]) for name in ("p2wpkh_a", "p2wpkh_b"))
    assert script in honest
    core.rest_overrides[f"/rest/spenttxouts/{spend}.bin"] = honest.replace(script, ours)


@pytest.mark.parametrize("lie", [hide_a_spend, invent_a_spend])
@pytest.mark.parametrize("addresses", [EVERYBODY, [*EVERYBODY, "mfWxJ45yp2SFn7UciZyNpvDKrzbhyfKrY8"]])
def test_a_spend_is_not_told_otherwise_for_the_movements(
    core: RecordedCore, open_reader: Open, lie: Callable[[RecordedCore], None], addresses: list[str]
) -> None:
    """The second list has an address that the ledger does not follow, for which every block is read again."""
    reader = open_reader()
    pin = reader.pin(now=now_of(core))
    reader.read_balances(pin, HOLDINGS)
    honest = reader.scan_transfers(1, pin.block, EVERYBODY, [COIN])
    assert honest.transfers
    lie(core)
    with pytest.raises(ProofFailed, match="told otherwise than when the ledger read it"):
        reader.scan_transfers(1, pin.block, addresses, [COIN])  # type: ignore[arg-type]


def test_who_spent_a_coin_is_read_from_a_block_that_holds_against_its_header(
    core: RecordedCore, open_reader: Open
) -> None:
    reader = open_reader()
    reader.read_balances(reader.pin(now=now_of(core)), HOLDINGS)
    spend = expected()["blocks"]["spend1"]
    honest = blocks()[spend].raw
    transaction = read_block(honest).transactions[1]
    names = [each.outpoint for each in transaction.inputs]
    found = reader.spent_by(names)
    assert {(tx_id, block.block_hash) for tx_id, block in found.values()} == {(id_text(transaction.txid), spend)}
    lock_time = honest[-1] ^ 1  # of the last transaction
    core.rest_overrides[f"/rest/block/{spend}.bin"] = honest[:-1] + bytes([lock_time])
    with pytest.raises(ProofFailed, match="merkle root"):
        reader.spent_by(names)


@pytest.mark.parametrize("shift", [1, -1])
def test_a_block_has_one_height(core: RecordedCore, open_reader: Open, shift: int) -> None:
    """Movements are looked for by height, so that a block at another one would hide what it moved."""
    reader = open_reader()
    pin = reader.pin(now=now_of(core))
    reader.read_balances(pin, HOLDINGS)
    elsewhere = replace(pin, block=replace(pin.block, height=pin.block.height + shift))
    core.overrides[f"getblockhash [{elsewhere.block.height}]"] = f'"{pin.block.block_hash}"'
    for read in (reader.prepare, reader.coins, reader.load):
        with pytest.raises(ProofFailed, match=f"is at height {elsewhere.block.height}; it is at {pin.block.height}"):
            read(elsewhere, EVERYBODY)


# The file ---------------------------------------------------------------------------------------------------------


def test_the_ledger_of_another_node_is_refused(core: RecordedCore, tmp_path: Path) -> None:
    """A copy of it would make one witness two."""

    def read_as(node_id: str) -> None:
        reader = chain_plugin.open(
            replace(CONFIG, state_directory=tmp_path), NodeConfig(node_id, f"operator of {node_id}", core.url)
        )
        try:
            pin = reader.pin(now=now_of(core))
            assert [each.base_units for each in reader.read_balances(pin, HOLDINGS)] == [*told("after_reorg").values()]
        finally:
            reader.close()

    read_as("node-1")
    read_as("node-1")
    (file,) = tmp_path.glob("*.sqlite")
    file.rename(tmp_path / file.name.replace("node-1", "node-2"))
    with pytest.raises(ChainConfigError, match="node 'node-1', not 'node-2'; move it away"):
        read_as("node-2")


def test_balances_that_are_not_the_sums_of_the_coins_are_noticed(
    core: RecordedCore, open_reader: Open, tmp_path: Path
) -> None:
    """Otherwise the second source would agree with the coins, while sweeps tell the balances."""
    reader = open_reader(state_directory=tmp_path)
    pin = reader.pin(now=now_of(core))
    reader.read_balances(pin, HOLDINGS)
    assert sum(coin.value for coin in reader.coins(pin, EVERYBODY)) == sum(told("after_reorg").values())
    (file,) = tmp_path.glob("*.sqlite")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE balance SET base_units = base_units + 1 WHERE base_units > 0")
        connection.commit()
    with pytest.raises(ReadError, match="not the sums of its coins; move it away"):
        reader.coins(pin, EVERYBODY)


# Two processes ----------------------------------------------------------------------------------------------------


def test_two_that_read_the_same_blocks_write_them_once(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with LedgerFile(path, REGTEST) as one, LedgerFile(path, REGTEST) as two:
        one.begin(read_header(CHAIN[0].raw), 0)
        one.add_scripts([OURS], 1)
        apply(one, CHAIN[1:60])
        apply(two, CHAIN[1:100])
        apply(one, CHAIN[60:])
        assert held(one, OURS, CHAIN[-1]) == held(two, OURS, CHAIN[-1]) == CHAIN[-1].balance(OURS)
        two.add_scripts([LATE], 1)
        (load,) = one.loads()
        one.apply_load(load.load_id, [block.pair for block in CHAIN[1:70]])
        two.apply_load(load.load_id, [block.pair for block in CHAIN[1:80]])
        load_all(two, CHAIN)
        with pytest.raises(ChainMoved, match="another process"):
            one.apply_load(load.load_id, [block.pair for block in CHAIN[70:]])
        assert held(one, LATE, CHAIN[-1]) == CHAIN[-1].balance(LATE) != 0


def test_two_on_two_branches_are_no_proof_against_the_node(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with LedgerFile(path, REGTEST) as one, LedgerFile(path, REGTEST) as two:
        one.begin(read_header(CHAIN[0].raw), 0)
        one.add_scripts([OURS], 1)
        apply(one, CHAIN[1:110])
        two.rewind(CHAIN[107].block_hash)
        apply(two, BRANCH[108:])
        with pytest.raises(ChainMoved, match="another process"):
            apply(one, CHAIN[110:])
        assert held(one, OURS, BRANCH[-1]) == BRANCH[-1].balance(OURS)


def test_two_readers_begin_one_ledger(
    core: RecordedCore, open_reader: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = threading.Barrier(2, timeout=120)
    begin = LedgerFile.begin

    def begin_together(ledger: LedgerFile, *what: object) -> None:
        both.wait()
        begin(ledger, *what)  # type: ignore[arg-type]

    monkeypatch.setattr(LedgerFile, "begin", begin_together)
    found: list[object] = []

    def load() -> None:
        reader = open_reader(state_directory=tmp_path)
        try:
            reader.load(reader.pin(now=now_of(core)), EVERYBODY)
            found.append(balances_of(reader, core))
        except ChainError as error:
            found.append(error)

    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [told("after_reorg")] * 2


# Difficulty -------------------------------------------------------------------------------------------------------

HARD, CHEAP = 0x1F7FFFFF, 0x207FFFFF
"""Bits of 512 tries a block, and of 2."""
LIKE_MAIN = replace(REGTEST, name="main")
"""Difficulty follows the rules of main, and is affordable."""


class Headers:
    """A node that has these headers, from a height on, and nothing else."""

    def __init__(self, first: int, bits: Sequence[int]) -> None:
        self._first = first
        self._raw: list[bytes] = []
        before = bytes(32)
        for each in bits:
            target = target_of(each)
            assert target is not None
            for nonce in range(1 << 32):
                raw = b"".join(
                    [(4).to_bytes(4, "little"), before, bytes(32)]
                    + [number.to_bytes(4, "little") for number in (1_700_000_000, each, nonce)]
                )
                before_next = read_header(raw).hash
                if int.from_bytes(before_next, "little") <= target:
                    break
            self._raw.append(raw)
            before = before_next

    def call(self, method: str, *params: object) -> object:
        raise AssertionError(f"headers are asked for in batches, not by {method} alone")

    def get(self, path: str) -> HttpAnswer:
        raise AssertionError(f"headers are asked for in batches, not at {path}")

    def batch(self, calls: Sequence[RpcCall]) -> list[object]:
        by_hash = {read_header(raw).block_hash: raw.hex() for raw in self._raw}
        names = list(by_hash)
        found: list[object] = []
        for call in calls:
            (asked, *_) = call.params
            found.append(names[asked - self._first] if isinstance(asked, int) else by_hash[str(asked)])
        return found


@pytest.mark.parametrize(
    ("first", "bits", "follows"),
    [
        (10_000, [HARD, HARD, HARD], True),
        (10_000, [HARD, CHEAP, CHEAP], False),
        (10_000, [CHEAP, HARD], False),
        (2016 * 5 - 1, [HARD, 0x2001FFFF], True),  # a new period may be easier, by a factor of four
        (2016 * 5 - 1, [HARD, CHEAP], False),
    ],
)
def test_cheap_headers_confirm_nothing(first: int, bits: list[int], follows: bool) -> None:
    """A stale block that cost work, with headers of no cost above it, would be final otherwise."""
    node = CoreNode(Headers(first, bits))
    if follows:
        assert [header.bits for header in header_run(node, LIKE_MAIN, first, first + len(bits) - 1)] == bits
    else:
        with pytest.raises(ProofFailed, match="cannot follow"):
            header_run(node, LIKE_MAIN, first, first + len(bits) - 1)
