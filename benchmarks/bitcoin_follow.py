"""Following blocks with 1,000,000 watched scripts: 800 blocks with 1,000,000 credits, from raw bytes into the ledger.

Ours reads each block and its undo data, holds the block against its header, matches it, and stores what it did in the
ledger's file on disk, in runs of 50 blocks; opening the file with all its scripts is part of it. The balances must then
be what was paid. Making the blocks and adding the scripts (told apart in the notes) are not timed.

The peer is bitcoinlib's parser with the same dict of scripts and nothing stored or checked, on a few of the blocks. The
floor reads the blocks with our parser and looks each output's script up, and stores nothing either: what the work
would cost without a memory.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from benchmarks.bitcoin_blocks import _peer_block
from benchmarks.bitcoin_made import SEQUENCE, MadeBlock, make_block
from benchmarks.measure import Result, Side, check_then_time
from chains.bitcoin.block import read_block, read_header, read_spent
from chains.bitcoin.encoding import encode_transaction
from chains.bitcoin.ledger_file import LedgerFile
from chains.bitcoin.networks import REGTEST
from chains.bitcoin.transaction import Input, Output

UNIT: Final = "credits/s"
SCRIPTS: Final = 1_000_000
BLOCKS: Final = 800
QUICK_SCRIPTS: Final = 2_000
QUICK_BLOCKS: Final = 8
BLOCKS_PER_RUN: Final = 50
PEER_BLOCKS: Final = 4
ROUNDS: Final = 2
TARGET_SECONDS: Final = 10.0
OURS, PEER, FLOOR = "ours", "bitcoinlib Block.parse and a dict", "our parser and a dict"
GENESIS: Final = bytes.fromhex(
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51"
    "323a9fb8aa4b1e5e4adae5494dffff7f2002000000"
)


@dataclass(frozen=True, slots=True)
class History:
    """Blocks that pay each watched script once, in an order of chance."""

    scripts: list[bytes]
    blocks: list[MadeBlock]

    @property
    def paid(self) -> int:
        """Satoshis in all."""
        return sum(range(1_000, 1_000 + len(self.scripts)))


def run(*, quick: bool = False) -> Iterator[Result]:
    """Measure at one size. Raises `ResultsDiffer` before anything is timed, `ImportError` without the peer."""
    block_type = _peer_block()
    history = make_history(QUICK_SCRIPTS if quick else SCRIPTS, QUICK_BLOCKS if quick else BLOCKS)
    watched = {script: number for number, script in enumerate(history.scripts)}
    few = history.blocks[: min(PEER_BLOCKS, len(history.blocks))]
    per_block = len(history.scripts) // len(history.blocks)
    with tempfile.TemporaryDirectory(prefix="benchmark-ledger-") as folder:
        template = Path(folder) / "template.sqlite"
        added_seconds = _begin(template, history)
        sides = [
            Side(
                OURS, lambda: _follow(template, history), len(watched), lambda path: _paid(path, history), history.paid
            ),
            Side(
                PEER,
                lambda: sum(_found_by_peer(block_type, block, watched) for block in few),
                per_block * len(few),
                lambda found: found,
                per_block * len(few),
            ),
            Side(
                FLOOR,
                lambda: sum(_found_by_floor(block, watched) for block in history.blocks),
                len(watched),
                lambda found: found,
                len(watched),
            ),
        ]
        timings = check_then_time(sides, 1 if quick else ROUNDS)
        size = template.stat().st_size
    own = timings[OURS]
    result = Result(
        case=f"bitcoin_follow {len(watched):,} scripts, {len(history.blocks):,} blocks, {len(watched):,} credits",
        value=own.per_second,
        unit=UNIT,
        peer=PEER,
        peer_value=timings[PEER].per_second,
        floor=FLOOR,
        floor_value=timings[FLOOR].per_second,
        peak_rss_bytes=own.peak_rss_bytes,
        notes={
            "seconds": round(own.seconds, 2),
            "client_cpu_seconds": round(own.client_cpu_seconds, 2),
            "megabytes_of_blocks": sum(len(block.raw) for block in history.blocks) // 1_000_000,
            "seconds_to_add_the_scripts": round(added_seconds, 2),
            "megabytes_of_file_with_scripts_alone": size // 1_000_000,
        },
    )
    if quick:
        yield result
        return
    met = {"target": f"under {TARGET_SECONDS:.0f} seconds", "met": own.seconds < TARGET_SECONDS}
    yield replace(result, notes={**result.notes, **met})


def make_history(scripts: int, blocks: int) -> History:
    """The same for every run."""
    chance = random.Random(20_260_402)
    watched = [b"\x00\x14" + number.to_bytes(4, "big") + b"\x07" * 16 for number in range(scripts)]
    order = list(range(scripts))
    chance.shuffle(order)
    per_block = scripts // blocks
    made: list[MadeBlock] = []
    previous = read_header(GENESIS).hash
    for height in range(1, blocks + 1):
        part = order[(height - 1) * per_block : height * per_block]
        outputs = [Output(1_000 + number, watched[number]) for number in part]
        inputs = [Input(chance.randbytes(36), b"", SEQUENCE)]
        payment = encode_transaction(inputs, outputs, [[b"\x30" * 71, b"\x02" * 33]])
        made.append(make_block(previous, height, [payment], [[Output(2 * 10**14, b"\x51")]]))
        previous = made[-1].hash
    return History(watched, made)


def _begin(path: Path, history: History) -> float:
    """A ledger with all scripts and no block; the seconds that adding them took."""
    start = time.perf_counter()
    with LedgerFile(path, REGTEST) as ledger:
        ledger.begin(read_header(GENESIS), 0)
        ledger.add_scripts(history.scripts, 1)
    return time.perf_counter() - start


def _follow(template: Path, history: History) -> Path:
    """All blocks into a copy of the ledger, opening it included."""
    path = template.with_name("ledger.sqlite")
    for old in path.parent.glob("ledger.sqlite*"):
        old.unlink()
    path.write_bytes(template.read_bytes())
    with LedgerFile(path, REGTEST) as ledger:
        for first in range(0, len(history.blocks), BLOCKS_PER_RUN):
            run_of_blocks = history.blocks[first : first + BLOCKS_PER_RUN]
            ledger.apply((read_block(each.raw), read_spent(each.raw_spent)) for each in run_of_blocks)
    return path


def _paid(path: Path, history: History) -> int:
    """The sum of all balances at the last block."""
    with LedgerFile(path, REGTEST) as ledger:
        tip = ledger.tip
        assert tip is not None
        found = ledger.balances(history.scripts, tip.block_hash)
    return sum(balance.base_units for balance in found.values() if balance is not None)


def _found_by_floor(block: MadeBlock, watched: dict[bytes, int]) -> int:
    return sum(output.script in watched for each in read_block(block.raw).transactions for output in each.outputs)


def _found_by_peer(block_type: Any, block: MadeBlock, watched: dict[bytes, int]) -> int:
    parsed = block_type.parse(block.raw, parse_transactions=True)
    return sum(output.lock_script in watched for each in parsed.transactions for output in each.outputs)
