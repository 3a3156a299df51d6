"""Transfer logs of 1,000 watched addresses in a run of blocks on a real Anvil: from heights to transfers.

Ours is `EvmReader.scan_transfers`: every header re-hashed and chained, every log held against the question and the
block it stands in. The peer is web3.py's `events.Transfer.get_logs` with the same filter, in portions of 1,000 blocks,
which checks none of it; it reads a part of the blocks, since its cost per log does not depend on their number. The
floor is the very requests that ours sends, posted over one kept loopback connection, the replies read and dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import requests
from web3 import HTTPProvider, Web3

from benchmarks.evm_log_story import SPACING, LogStory, empty_story
from benchmarks.http_recording import RecordingTransport, post_all
from benchmarks.measure import CpuClock, Result, Side, check_then_time, process_cpu_clock
from chains.devnet.anvil import AnvilProcess
from chains.evm.reader import EvmReader
from chains.transport import JsonRpcTransport
from chains.types import BlockRef, TransferScan

UNIT: Final = "logs/s"
OURS: Final = "ours"
PEER: Final = "web3 events.get_logs"
FLOOR: Final = "same requests, replies dropped"
PEER_BLOCKS_PER_CALL: Final = 1_000
TARGET_BLOCKS: Final = 10_000
TARGET_RATIO_TO_FLOOR: Final = 0.6
_ABI: Final = [
    {
        "type": "event",
        "name": "Transfer",
        "anonymous": False,
        "inputs": [
            {"name": "from", "type": "address", "indexed": True},
            {"name": "to", "type": "address", "indexed": True},
            {"name": "value", "type": "uint256", "indexed": False},
        ],
    }
]

Row = tuple[int, str, str, int]


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    blocks: int
    rounds: int
    peer_blocks: int


QUICK: Final = (Size(30, 2, 10),)
FULL: Final = (Size(1_000, 5, 200), Size(TARGET_BLOCKS, 5, 500))


def run(*, quick: bool = False) -> Iterator[Result]:
    """Start an Anvil of its own and measure at each size, the same chain growing."""
    with AnvilProcess() as process:
        story = empty_story(process.node)
        for size in QUICK if quick else FULL:
            story.grow(size.blocks)
            yield measure(story, size, process_cpu_clock(process.process_id))


def measure(story: LogStory, size: Size, node_cpu: CpuClock | None = None) -> Result:
    """All sides over every block of the story. Raises `ResultsDiffer` before anything is timed."""
    expected = story.expected
    with ExitStack() as stack:
        recording = RecordingTransport()
        recorded = _reader(story, recording)
        stack.callback(recorded.close)
        last = recorded.pin(now=_now(story)).block
        recording.recording.requests.clear()
        recording.recording.replies.clear()
        _scan(recorded, story, last)
        exchanged = recording.recording
        reader = _reader(story)
        stack.callback(reader.close)
        peer = stack.enter_context(closing(_Peer(story)))
        peer_rows = expected[: min(size.peer_blocks, size.blocks) // SPACING * story.transfers_per_group]
        timings = check_then_time(
            [
                Side(OURS, lambda: _scan(reader, story, last), len(expected), _rows, expected),
                Side(PEER, lambda: peer.read(size.peer_blocks), len(peer_rows), lambda rows: rows, peer_rows),
                Side(
                    FLOOR,
                    lambda: post_all(story.node.url, exchanged.requests),
                    len(expected),
                    lambda replies: replies,
                    exchanged.replies,
                ),
            ],
            size.rounds,
            node_cpu,
        )
    ours, floor = timings[OURS], timings[FLOOR]
    notes: dict[str, object] = {
        "seconds": round(ours.seconds, 4),
        "ours_per_log": ours.where_time_goes,
        "floor_per_log": floor.where_time_goes,
        "peer_per_log": timings[PEER].where_time_goes,
        "peer_logs_sampled": timings[PEER].work,
        "wire": exchanged.summary,
    }
    ratio = ours.per_second / floor.per_second
    if size.blocks == TARGET_BLOCKS:
        met = "met" if ratio >= TARGET_RATIO_TO_FLOOR else "NOT met"
        notes["targets"] = {f"{TARGET_RATIO_TO_FLOOR:.0%} of the floor": met}
    return Result(
        case=f"evm_logs {size.blocks:,} blocks, {len(expected):,} transfers, {story.watched_count:,} addresses",
        value=ours.per_second,
        unit=UNIT,
        peer=PEER,
        peer_value=timings[PEER].per_second,
        floor=FLOOR,
        floor_value=floor.per_second,
        peak_rss_bytes=ours.peak_rss_bytes,
        notes=notes,
    )


class _Peer:
    """web3.py on a kept connection."""

    def __init__(self, story: LogStory) -> None:
        self._session = requests.Session()
        self._web3 = Web3(HTTPProvider(story.node.url, session=self._session))
        address = Web3.to_checksum_address(story.token.asset_id.rpartition(":")[2])
        self._event: Any = self._web3.eth.contract(address, abi=_ABI).events.Transfer
        self._story = story

    def read(self, blocks: int) -> list[Row]:
        """What left and what came in, sorted by place."""
        watched = [Web3.to_checksum_address(address) for address in self._story.watched]
        first, last = self._story.first_height, self._story.first_height + min(blocks, self._story.blocks) - 1
        found: list[tuple[int, int, Row]] = []
        for begin in range(first, last + 1, PEER_BLOCKS_PER_CALL):
            end = min(begin + PEER_BLOCKS_PER_CALL - 1, last)
            for end_of in ("from", "to"):
                for log in self._event.get_logs(from_block=begin, to_block=end, argument_filters={end_of: watched}):
                    values = log["args"]
                    row = (log["blockNumber"], values["from"], values["to"], values["value"])
                    found.append((log["blockNumber"], log["logIndex"], row))
        return [row for _, _, row in sorted(found)]

    def close(self) -> None:
        """Close the connection."""
        self._session.close()


def _reader(story: LogStory, http: RecordingTransport | None = None) -> EvmReader:
    node = story.config.nodes[0]
    return EvmReader(story.config, node.node_id, JsonRpcTransport(node, story.config.limits, http=http))


def _scan(reader: EvmReader, story: LogStory, last: BlockRef) -> TransferScan:
    return reader.scan_transfers(story.first_height, last, story.watched, [story.token])


def _rows(scan: TransferScan) -> list[Row]:
    return [(each.block.height, str(each.sender), str(each.receiver), each.base_units) for each in scan.transfers]


def _now(story: LogStory) -> datetime:
    """A moment just after the newest block: Anvil's clock may run ahead of ours."""
    return datetime.fromtimestamp(int(story.node.block()["timestamp"], 16), UTC) + timedelta(seconds=1)
