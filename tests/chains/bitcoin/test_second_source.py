"""Our ledger against the recorded node's own set of unspent outputs, asked in three ways.

Only a real Bitcoin Core scans, dumps and digests its set; here its recorded answers stand in, so these tests say
nothing of a live one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from chains.bitcoin import chain_plugin
from chains.bitcoin.answers import Coin, CoinScan, CoinSetDigest
from chains.bitcoin.coin_dump import read_dump
from chains.bitcoin.networks import MAIN, REGTEST
from chains.bitcoin.reader import BitcoinReader
from chains.bitcoin.second_source import compare_digests, compare_scan
from chains.errors import ChainMoved, InvalidValue, MalformedAnswer, UnsupportedByNode
from chains.reader import NodeConfig
from tests.chains.bitcoin.recorded import RECORDINGS, RecordedCore, expected, recorded, serving, state
from tests.chains.bitcoin.test_reader import ADDRESSES, CONFIG, now_of

PEOPLE = list(ADDRESSES.values())
SCRIPTS = [bytes.fromhex(one["script_hex"]) for one in expected()["scripts"].values()]


@pytest.fixture
def core() -> Iterator[RecordedCore]:
    with serving(RecordedCore()) as served:
        yield served


@pytest.fixture
def reader(core: RecordedCore) -> Iterator[BitcoinReader]:
    opened = chain_plugin.open(CONFIG, NodeConfig("node-1", "operator-1", core.url))
    yield opened
    opened.close()


def people_as_asked() -> list[str]:
    """The scripts in the order in which the recorded node was asked for them."""
    asked = json.loads(recorded("after_reorg/scantxoutset-all+v2")["request"]["body"])
    return [text[4:-1] for text in asked["params"][1]]


def test_a_scan_of_the_tip_agrees(core: RecordedCore, reader: BitcoinReader) -> None:
    by_script = {one["script_hex"]: one["address"] for one in expected()["scripts"].values()}
    people = [by_script[script] for script in people_as_asked()]
    opinion = reader.second_opinion(reader.pin(now=now_of(core)), people)
    unspent = [coin for one in state("after_reorg")["scripts"].values() for coin in one["unspent"]]
    assert opinion.agrees
    assert (opinion.scripts, opinion.coins) == (len(ADDRESSES), len(unspent))


def test_a_scan_that_holds_another_coin_is_a_difference(core: RecordedCore, reader: BitcoinReader) -> None:
    pin = reader.pin(now=now_of(core))
    ours = reader.coins(pin, PEOPLE)
    by_node = reader._node.scan_coins([bytes.fromhex(script) for script in people_as_asked()])
    assert compare_scan(pin.block, SCRIPTS, ours, by_node).agrees
    gone = by_node.coins[0]
    (difference,) = compare_scan(pin.block, SCRIPTS, ours, replace(by_node, coins=by_node.coins[1:])).differences
    assert difference.script == gone.script
    assert difference.ours - difference.theirs == gone.value
    assert difference.only_ours == (f"{gone.tx_id}:{gone.output}",)
    assert difference.only_theirs == ()
    moved = replace(gone, tx_id="11" * 32)
    (difference,) = compare_scan(
        pin.block, SCRIPTS, ours, replace(by_node, coins=(moved, *by_node.coins[1:]))
    ).differences
    assert difference.ours == difference.theirs
    assert difference.only_theirs == (f"{'11' * 32}:{gone.output}",)


def test_a_scan_of_another_block_is_no_opinion(core: RecordedCore, reader: BitcoinReader) -> None:
    scan = reader._node.scan_coins([bytes.fromhex(script) for script in people_as_asked()])
    older = reader.pin(height=115, now=now_of(core))
    with pytest.raises(ChainMoved):
        compare_scan(older.block, SCRIPTS, [], scan)
    with pytest.raises(InvalidValue):
        compare_scan(reader.pin(now=now_of(core)).block, [], [], scan)


@pytest.mark.parametrize(
    ("file", "stage", "row"),
    [
        ("utxo-latest.dat", "after_reorg", "dumptxoutset-latest"),
        ("utxo-before-spends.dat", "before_spends", "dumptxoutset-rollback"),
    ],
)
def test_a_dump_agrees(core: RecordedCore, reader: BitcoinReader, file: str, stage: str, row: str) -> None:
    data = (RECORDINGS / "main" / file).read_bytes()
    pin = reader.pin(height=state(stage)["height"], now=now_of(core))
    opinion = reader.dump_opinion(pin, PEOPLE, data)
    assert opinion.agrees
    assert opinion.coins == sum(len(one["unspent"]) for one in state(stage)["scripts"].values())
    found = read_dump(data, REGTEST, frozenset())
    answer = recorded(f"after_reorg/{row}")["response"]["body"]
    assert f'"txoutset_hash":"{found.digest}"' in answer
    assert f'"coins_written":{found.coins_counted}' in answer
    other = reader.pin(height=state(stage)["height"] - 1, now=now_of(core))
    with pytest.raises(ChainMoved):
        reader.dump_opinion(other, PEOPLE, data)


def test_a_dump_that_was_changed_is_found() -> None:
    data = (RECORDINGS / "main" / "utxo-latest.dat").read_bytes()
    honest = read_dump(data, REGTEST, frozenset(SCRIPTS))
    with pytest.raises(MalformedAnswer):
        read_dump(data, MAIN, frozenset())
    for broken in (b"", data[:-1], data + b"\0", b"x" + data[1:], data[:5] + b"\x03" + data[6:], data[:60]):
        with pytest.raises(MalformedAnswer):
            read_dump(broken, REGTEST, frozenset())
    for place in range(51, len(data), 97):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        try:
            found = read_dump(changed, REGTEST, frozenset(SCRIPTS))
        except MalformedAnswer:
            continue
        assert found.digest != honest.digest


@pytest.mark.parametrize(
    ("output", "code"),
    [
        (b"\xff" + (2**32).to_bytes(8, "little"), b"\x02"),  # no transaction has such an output
        (b"\x00", b"\x8e\xfe\xfe\xff\x00"),  # 2**32: no height is so large
    ],
)
def test_numbers_of_a_dump_that_nothing_can_have_are_damage(output: bytes, code: bytes) -> None:
    head = (RECORDINGS / "main" / "utxo-latest.dat").read_bytes()[:43] + (1).to_bytes(8, "little")
    coin = b"\x01" + bytes(20)  # worth 0 under the hash of a script

    def dump(output: bytes, code: bytes) -> bytes:
        return head + bytes(32) + b"\x01" + output + code + b"\x00" + coin

    assert read_dump(dump(b"\x00", b"\x02"), REGTEST, frozenset()).coins_counted == 1
    with pytest.raises(MalformedAnswer):
        read_dump(dump(output, code), REGTEST, frozenset())


def test_very_many_differences_are_told_in_one_pass(core: RecordedCore, reader: BitcoinReader) -> None:
    """Nodes whose sets have nothing in common: each script's coins are looked at once."""
    block = reader.pin(now=now_of(core)).block
    scripts = [number.to_bytes(22, "big") for number in range(20_000)]
    coins = tuple(Coin(f"{n:064x}", 1, script, n, 5, is_coinbase=False) for n, script in enumerate(scripts))
    opinion = compare_scan(block, scripts, [], CoinScan(block.block_hash, block.height, coins))
    assert len(opinion.differences) == opinion.coins == 20_000
    assert [each.theirs for each in opinion.differences] == list(range(20_000))
    assert opinion.differences[7].only_theirs == (f"{7:064x}:1",)
    assert opinion.differences[7].only_ours == ()


def test_digests_of_two_nodes(core: RecordedCore, reader: BitcoinReader) -> None:
    before = reader.pin(height=state("before_spends")["height"], now=now_of(core)).block
    digest = reader.coin_set_digest(before)
    assert digest.muhash == state("before_spends")["utxo_set"]["muhash"]
    assert compare_digests(before, {"node-1": digest, "node-2": digest}).agrees
    other = CoinSetDigest(digest.block_hash, digest.height, "11" * 32, digest.coins, digest.total)
    assert not compare_digests(before, {"node-1": digest, "node-2": other}).agrees
    with pytest.raises(InvalidValue):
        compare_digests(before, {"node-1": digest})
    with pytest.raises(ChainMoved):
        compare_digests(before, {"node-1": digest, "node-2": replace(digest, block_hash="11" * 32)})
    core.overrides["gettxoutsetinfo"] = (
        '{"code":-8,"message":"Querying specific block heights requires coinstatsindex"}'
    )
    with pytest.raises(UnsupportedByNode):
        reader.coin_set_digest(before)


def test_bare_keys_of_a_dump() -> None:
    """Both forms of the key of a bare script; no recorded coin has one."""
    from chains.bitcoin.coin_dump import _bare_key

    x = bytes.fromhex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
    y = bytes.fromhex("483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8")
    assert _bare_key(2, x) == b"\x21\x02" + x + b"\xac"
    assert _bare_key(4, x) == b"\x41\x04" + x + y + b"\xac"
    assert _bare_key(5, x) != _bare_key(4, x)
    with pytest.raises(MalformedAnswer):
        _bare_key(4, bytes(31) + b"\x05")
