"""Reading raw blocks, beside bitcoinlib and the double SHA-256 of the same bytes alone.

The block has the shape of a busy one of main: 3,000 transactions of one to three inputs and outputs, with witnesses,
about one megabyte. Each side must find every transaction id. The floor hashes each transaction once, which nobody who
learns the ids can leave out. A second case adds the check of the block against its header and its undo data.
"""

from __future__ import annotations

import atexit
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any, Final

from benchmarks.bitcoin_made import SEQUENCE, MadeBlock, make_block
from benchmarks.measure import Result, Side, check_then_time
from chains.bitcoin.block import check_block, read_block, read_spent
from chains.bitcoin.encoding import encode_transaction
from chains.bitcoin.hashes import sha256d
from chains.bitcoin.ledger import match_block
from chains.bitcoin.networks import REGTEST
from chains.bitcoin.transaction import Input, Output, decode_transaction, id_text

UNIT: Final = "kB/s"
TRANSACTIONS: Final = 3_000
QUICK_TRANSACTIONS: Final = 50
ROUNDS: Final = 3
OURS, PEER, FLOOR = "ours", "bitcoinlib Block.parse", "double SHA-256"


def run(*, quick: bool = False) -> Iterator[Result]:
    """Measure both. Raises `ResultsDiffer` before anything is timed, `ImportError` without the peer."""
    block_type = _peer_block()
    made, payments = busy_block(QUICK_TRANSACTIONS if quick else TRANSACTIONS)
    ids = [id_text(each.txid) for each in read_block(made.raw).transactions]
    work = len(made.raw) // 1_000
    count = len(ids)
    stripped = [_without_witness(raw) for raw in payments]

    def read() -> list[str]:
        return [id_text(each.txid) for each in read_block(made.raw).transactions]

    def follow() -> list[str]:
        block = read_block(made.raw)
        check_block(block, REGTEST, 1)
        match_block(block, read_spent(made.raw_spent), frozenset())
        return [id_text(each.txid) for each in block.transactions]

    peer = Side(PEER, lambda: block_type.parse(made.raw, parse_transactions=True), work, _ids_of_peer, ids)
    floor = Side(FLOOR, lambda: [id_text(sha256d(raw)) for raw in stripped], work, _same, ids[1:], 5)
    for what, ours in (("read", read), ("read, checked and matched", follow)):
        yield _measure(f"{count:,} transactions {what}", Side(OURS, ours, work, _same, ids, 3), peer, floor)


def busy_block(transactions: int) -> tuple[MadeBlock, list[bytes]]:
    """A block as on main, and its transactions without the coinbase; the same for every run."""
    chance = random.Random(20_260_401)
    payments = []
    spent = []
    for _ in range(transactions):
        inputs = [Input(chance.randbytes(36), b"", SEQUENCE) for _ in range(chance.choice((1, 1, 2, 3)))]
        outputs = [
            Output(chance.randrange(10**8), b"\x00\x14" + chance.randbytes(20)) for _ in range(chance.choice((1, 2, 3)))
        ]
        witnesses = [[b"\x30\x44\x02\x20" + chance.randbytes(67), b"\x02" + chance.randbytes(32)] for _ in inputs]
        payments.append(encode_transaction(inputs, outputs, witnesses))
        spent.append([Output(10**9, b"\x00\x14" + chance.randbytes(20)) for _ in inputs])
    return make_block(bytes(range(32)), 1, payments, spent), payments


def _without_witness(raw: bytes) -> bytes:
    made = decode_transaction(raw)
    return encode_transaction(made.inputs, made.outputs, version=made.version, lock_time=made.lock_time)


def _measure(case: str, ours: Side, peer: Side, floor: Side) -> Result:
    timings = check_then_time([ours, peer, floor], ROUNDS)
    own = timings[OURS]
    return Result(
        case=f"bitcoin_blocks {case}",
        value=own.per_second,
        unit=UNIT,
        peer=PEER,
        peer_value=timings[PEER].per_second,
        floor=FLOOR,
        floor_value=timings[FLOOR].per_second,
        peak_rss_bytes=own.peak_rss_bytes,
        notes={
            "kilobytes": ours.work,
            "milliseconds": round(1e3 * own.seconds, 2),
            "cpu_milliseconds": round(1e3 * own.client_cpu_seconds, 2),
            "peer_cpu_milliseconds": round(1e3 * timings[PEER].client_cpu_seconds, 2),
            "floor_cpu_milliseconds": round(1e3 * timings[FLOOR].client_cpu_seconds, 2),
        },
    )


def _ids_of_peer(block: Any) -> list[str]:
    return [str(each.txid) for each in block.transactions]


def _peer_block() -> Any:
    """bitcoinlib's `Block`; the package writes into a folder of its own when it is imported, so it is given one."""
    if "BCL_DATA_DIR" not in os.environ:
        os.environ["BCL_DATA_DIR"] = tempfile.mkdtemp(prefix="benchmark-bitcoinlib-")
        atexit.register(shutil.rmtree, os.environ["BCL_DATA_DIR"], ignore_errors=True)
    from bitcoinlib.blocks import Block

    return Block


def _same(found: object) -> object:
    return found
