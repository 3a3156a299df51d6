"""Blocks read by a second library, bitcoinlib, where it is installed: two decoders must agree on every field."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from chains.bitcoin.block import read_block
from chains.bitcoin.transaction import id_text, outpoint_parts
from chains.devnet.bitcoin.bitcoinlib_roles import ask, is_installed
from tests.chains.bitcoin import recorded
from tests.chains.bitcoin.model import genesis, mine, random_block

pytestmark = pytest.mark.skipif(not is_installed(), reason="bitcoinlib, an optional extra, is not installed")


def told_by_bitcoinlib(raws: list[bytes], folder: Path) -> list[object]:
    return ask(folder, {"blocks": [raw.hex() for raw in raws]})["blocks"]


def told_by_us(raw: bytes) -> object:
    block = read_block(raw)
    return {
        "hash": block.header.block_hash,
        "merkle_root": id_text(block.header.merkle_root),
        "transactions": [
            {
                "txid": id_text(each.txid),
                "inputs": [
                    [id_text(txid), number, spent.script_sig.hex()]
                    for spent in each.inputs
                    for txid, number in (outpoint_parts(spent.outpoint),)
                ],
                "outputs": [[output.value, output.script.hex()] for output in each.outputs],
            }
            for each in block.transactions
        ],
    }


def generated() -> list[bytes]:
    chance = random.Random(4)
    scripts = [bytes.fromhex("0014") + bytes([number]) * 20 for number in range(1, 6)]
    scripts += [b"\x76\xa9\x14" + b"\x05" * 20 + b"\x88\xac", b"\xa9\x14" + b"\x06" * 20 + b"\x87"]
    chain = [genesis()]
    for number in range(130):
        chain.append(mine(chain[-1]) if number < 100 else random_block(chain[-1], scripts, chance))
    return [block.raw for block in chain[111:]]


def test_two_libraries_read_the_same(tmp_path: Path) -> None:
    raws = [each.raw for each in recorded.blocks().values() if each.transactions > 1] + generated()
    assert len(raws) > 20
    assert told_by_bitcoinlib(raws, tmp_path) == [told_by_us(raw) for raw in raws]


def test_a_difference_would_be_noticed(tmp_path: Path) -> None:
    raws = [each.raw for each in recorded.blocks().values() if each.transactions > 1][:2]
    assert told_by_bitcoinlib(raws[:1], tmp_path) != [told_by_us(raws[1])]
