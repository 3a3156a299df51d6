"""Balances of many addresses x (ETH and two ERC-20 tokens) at one pinned block on a real Anvil.

Ours is the whole way: from holdings to one observation each, the block checked again at the end. Each strategy is a
case of its own. The peer is web3.py; the floor is the same requests prebuilt, posted over loopback, the replies
dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from benchmarks.evm_holders import Crowd, empty_crowd
from benchmarks.evm_peers import Web3Peer
from benchmarks.http_recording import Recording, RecordingTransport, post_all
from benchmarks.measure import CpuClock, Result, Side, Timing, check_then_time, process_cpu_clock
from chains.devnet.anvil import AnvilProcess
from chains.evm.probe import Capabilities
from chains.evm.reader import EvmReader
from chains.evm.strategies import STRATEGIES
from chains.reader import Pin
from chains.transport import JsonRpcTransport
from chains.types import BalanceObservation, Holding

UNIT: Final = "balances/s"
ONE_BY_ONE: Final = "web3 one by one"
BATCHED: Final = "web3 batch_requests"
FASTEST: Final = next(iter(STRATEGIES))
TARGET_ADDRESSES: Final = 10_000
TARGET_RATIO_TO_FLOOR: Final = 0.6
TARGET_RATIO_TO_PEER: Final = 500


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    addresses: int
    rounds: int
    one_by_one_addresses: int
    batched_addresses: int


QUICK: Final = (Size(50, 2, 10, 50),)
FULL: Final = (Size(1_000, 5, 100, 300), Size(10_000, 5, 100, 300), Size(50_000, 3, 100, 300))


def run(*, quick: bool = False) -> Iterator[Result]:
    """Start an Anvil of its own and measure at each size, the same chain growing."""
    with AnvilProcess() as process:
        crowd = empty_crowd(process.node)
        for size in QUICK if quick else FULL:
            crowd.grow(size.addresses)
            yield from measure(crowd, size, process_cpu_clock(process.process_id))


def measure(crowd: Crowd, size: Size, node_cpu: CpuClock | None = None) -> Iterator[Result]:
    """All sides at the newest block. Raises `ResultsDiffer` before anything is timed."""
    with ExitStack() as stack:
        readings = Readings(crowd, stack)
        peer = stack.enter_context(closing(Web3Peer(crowd.node.url, readings.pin.block.height, crowd.assets)))
        sides: list[Side] = []
        recordings: dict[str, Recording] = {}
        for name in readings.strategies:
            recordings[name] = readings.record(name)
            sides += [readings.ours(name), readings.floor(name, recordings[name])]
        sides += _peer_sides(peer, crowd, size)
        timings = check_then_time(sides, size.rounds, node_cpu)
    for name, recording in recordings.items():
        yield _result(crowd, name, recording, timings, ONE_BY_ONE)
        if name == FASTEST:
            yield _result(crowd, name, recording, timings, BATCHED)


class Readings:
    """Our side, and the floor made of what it sends."""

    def __init__(self, crowd: Crowd, stack: ExitStack) -> None:
        self._url = crowd.node.url
        self._config = crowd.config
        self._stack = stack
        self._holdings: Sequence[Holding] = crowd.holdings
        self._expected = crowd.expected
        self._capabilities: Capabilities | None = None
        reader = self._reader(None)
        self.pin: Final[Pin] = reader.pin(now=_now(crowd))
        # The probe is kept between sweeps, so it is no part of one.
        reader.read_balances(self.pin, self._holdings[:1])
        self._capabilities = reader.capabilities
        assert self._capabilities is not None
        self.strategies: Final = self._capabilities.strategies

    def record(self, strategy: str) -> Recording:
        """What a reader with this strategy sends and gets."""
        http = RecordingTransport()
        reader = self._reader(strategy, http)
        reader.read_balances(self.pin, self._holdings)
        return http.recording

    def ours(self, strategy: str) -> Side:
        """The reader with this strategy."""
        reader = self._reader(strategy)

        def values(observations: list[BalanceObservation]) -> list[int | None]:
            # A fall-back to another strategy would be timed under the wrong name.
            return [seen.base_units if seen.method == strategy else None for seen in observations]

        return Side(
            strategy,
            lambda: reader.read_balances(self.pin, self._holdings),
            len(self._holdings),
            values,
            self._expected,
            _runs_per_round(strategy),
        )

    def floor(self, strategy: str, recording: Recording) -> Side:
        """The same requests again; the replies must be those from which the reader got its balances."""
        return Side(
            _floor_name(strategy),
            lambda: post_all(self._url, recording.requests),
            len(self._holdings),
            lambda replies: replies,
            recording.replies,
            _runs_per_round(strategy),
        )

    def _reader(self, strategy: str | None, http: RecordingTransport | None = None) -> EvmReader:
        node = self._config.nodes[0]
        transport = JsonRpcTransport(node, self._config.limits, http=http)
        reader = EvmReader(self._config, node.node_id, transport, capabilities=self._capabilities, strategy=strategy)
        self._stack.enter_context(closing(reader))
        return reader


def _peer_sides(peer: Web3Peer, crowd: Crowd, size: Size) -> list[Side]:
    sides = []
    for name, read, count in (
        (ONE_BY_ONE, peer.one_by_one, size.one_by_one_addresses),
        (BATCHED, peer.batched, size.batched_addresses),
    ):
        sample = crowd.addresses[:count]
        expected = crowd.expected[: count * len(crowd.assets)]
        sides.append(
            Side(name, lambda read=read, sample=sample: read(sample), len(expected), lambda found: found, expected)  # type: ignore[misc]
        )
    return sides


def _result(crowd: Crowd, name: str, recording: Recording, timings: dict[str, Timing], peer: str) -> Result:
    ours, floor = timings[name], timings[_floor_name(name)]
    result = Result(
        case=f"evm_balances {len(crowd.addresses)} addresses x {len(crowd.assets)} assets, {name}",
        value=ours.per_second,
        unit=UNIT,
        peer=peer,
        peer_value=timings[peer].per_second,
        floor=_floor_name(name),
        floor_value=floor.per_second,
        peak_rss_bytes=ours.peak_rss_bytes,
        notes={
            "seconds": round(ours.seconds, 4),
            "ours_per_balance": ours.where_time_goes,
            "floor_per_balance": floor.where_time_goes,
            "peer_per_balance": timings[peer].where_time_goes,
            "peer_balances_sampled": timings[peer].work,
            "wire": recording.summary,
        },
    )
    if name == FASTEST and peer == ONE_BY_ONE and len(crowd.addresses) == TARGET_ADDRESSES:
        targets = {
            f"{TARGET_RATIO_TO_FLOOR:.0%} of the floor": _met(result.ratio_to_floor >= TARGET_RATIO_TO_FLOOR),
            f"{TARGET_RATIO_TO_PEER} x {ONE_BY_ONE}": _met(result.ratio_to_peer >= TARGET_RATIO_TO_PEER),
        }
        result = replace(result, notes={**result.notes, "targets": targets})
    return result


def _met(target_met: bool) -> str:
    return "met" if target_met else "NOT met"


def _floor_name(strategy: str) -> str:
    return f"floor of {strategy}"


def _runs_per_round(strategy: str) -> int:
    return 3 if strategy in ("state-override", "initcode") else 1


def _now(crowd: Crowd) -> datetime:
    """A moment just after the newest block: Anvil's clock may run ahead of ours."""
    return datetime.fromtimestamp(int(crowd.node.block()["timestamp"], 16), UTC) + timedelta(seconds=1)
