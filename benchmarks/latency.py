"""From a new block to a case: an unapproved payment is mined, and the case that a watch opens for it is awaited.

Ours is `ChainWatch` as `custody watch` runs it, on SQLite, woken by polling and by a subscription: the time from the
node's answer that the block is mined to the event that names the new case, its transaction committed. The floor is the
least that a look must ask of the node: the balances of all wallets and the logs of one block, read and dropped. The
peer is the way to the same answer without a watch: a whole sweep at the head, started once the block is mined.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread
from typing import Final

from benchmarks.http_recording import RecordingTransport, post_all
from benchmarks.latency_firm import Firm, firm_before
from benchmarks.measure import Result, ResultsDiffer, peak_rss_bytes
from chains.devnet.anvil import AnvilProcess
from chains.evm import chain_plugin
from chains.evm.new_heads import NewHeads
from chains.evm.reader import EvmReader
from chains.transport import JsonRpcTransport
from chains.types import Finality, Holding
from verifier.config import SweepSettings, WatchSettings
from verifier.head_look import HeadLook
from verifier.records import FindingKind
from verifier.store import open_store
from verifier.sweep import ChainSweep
from verifier.watch import ChainWatch, WatchEvent

UNIT: Final = "cases/s"
WALLETS: Final = 1_000
QUICK_WALLETS: Final = 20
EVENTS: Final = 20
QUICK_EVENTS: Final = 3
TARGET_SECONDS: Final = 1.0
WAIT_SECONDS_MAX: Final = 30.0
PEER: Final = "a whole sweep after the block"
FLOOR: Final = "balances and logs of one block, dropped"


def run(*, quick: bool = False) -> Iterator[Result]:
    """Measure polling and the subscription. Raises `ResultsDiffer` when a payment gets no case."""
    wallets, events = (QUICK_WALLETS, QUICK_EVENTS) if quick else (WALLETS, EVENTS)
    for subscribed in (False, True):
        with AnvilProcess() as process, tempfile.TemporaryDirectory(prefix="custody-latency-") as folder:
            firm = firm_before(process.node, f"sqlite:///{Path(folder) / 'custody.db'}", wallets)
            yield measure(firm, events, subscribed=subscribed)


def measure(firm: Firm, events: int, *, subscribed: bool) -> Result:
    """Payments one after the other, each awaited until its case is there."""
    latencies = _latencies(firm, events, subscribed=subscribed)
    floor = min(_floor(firm) for _ in range(events))
    peer = statistics.median(_swept_after(firm) for _ in range(min(5, events)))
    middle = statistics.median(latencies)
    how = "subscription" if subscribed else "polling"
    target = "met" if max(latencies) < TARGET_SECONDS else "NOT met"
    return Result(
        case=f"latency {len(firm.wallets):,} wallets, block to provisional case, {how}",
        value=1 / middle,
        unit=UNIT,
        peer=PEER,
        peer_value=1 / peer,
        floor=FLOOR,
        floor_value=1 / floor,
        peak_rss_bytes=peak_rss_bytes(),
        notes={
            "milliseconds": {
                "min": round(1000 * min(latencies), 1),
                "median": round(1000 * middle, 1),
                "max": round(1000 * max(latencies), 1),
                "events": len(latencies),
            },
            "floor_milliseconds": round(1000 * floor, 1),
            "peer_milliseconds": round(1000 * peer, 1),
            "targets": {f"every case within {TARGET_SECONDS:g} s": target},
        },
    )


def _latencies(firm: Firm, events: int, *, subscribed: bool) -> list[float]:
    seen: Queue[tuple[float, WatchEvent]] = Queue()
    stop, bell = Event(), Event()

    def follow() -> None:
        with closing(open_store(firm.database)) as store:
            watch = ChainWatch(
                store,
                firm.config,
                chain_plugin,
                ChainSweep(store, firm.config, chain_plugin, SweepSettings(), history_from_height=None, clock=_clock),
                HeadLook(
                    store,
                    replace(firm.config, finality=Finality.parse("latest")),
                    chain_plugin,
                    SweepSettings(),
                    history_from_height=None,
                    clock=_clock,
                ),
                WatchSettings(sweep_seconds_min=86_400, poll_seconds_max=30 if subscribed else 0.25),
                heartbeat_limit_seconds=86_400,
                clock=_clock,
                stop=stop,
                bell=bell,
                emit=lambda event: seen.put((time.perf_counter(), event)),
                actor="benchmark",
            )
            watch.run()

    threads = [Thread(target=follow)]
    if subscribed:
        node = replace(firm.config.nodes[0], ws_url=firm.node.url.replace("http://", "ws://"))
        threads.append(Thread(target=NewHeads(node, bell.set, stop).run))
    for thread in threads:
        thread.start()
    try:
        _await(seen, lambda event: event.kind == "swept")
        time.sleep(0.5)  # a subscription is on its way
        latencies = []
        for number in range(events):
            tx_id, mined_at = firm.steal(number)
            at = _await(seen, lambda event, tx_id=tx_id: _names(event, tx_id))  # type: ignore[misc]
            latencies.append(at - mined_at)
        return latencies
    finally:
        stop.set()
        bell.set()
        for thread in threads:
            thread.join(WAIT_SECONDS_MAX)


def _names(event: WatchEvent, tx_id: str) -> bool:
    return any(
        seen.is_new and seen.finding.tx_id == tx_id and seen.finding.kind is FindingKind.UNAUTHORIZED_TRANSFER
        for seen in event.cases
    )


def _await(seen: Queue[tuple[float, WatchEvent]], is_it: Callable[[WatchEvent], bool]) -> float:
    deadline = time.perf_counter() + WAIT_SECONDS_MAX
    while True:
        try:
            at, event = seen.get(timeout=max(0.0, deadline - time.perf_counter()))
        except Empty:
            raise ResultsDiffer("latency: a payment got no case in time; nothing was measured") from None
        if is_it(event):
            return at


def _floor(firm: Firm) -> float:
    """Seconds to post what a look asks for at least, prebuilt, and to drop the replies."""
    with ExitStack() as stack:
        http = RecordingTransport()
        node = firm.config.nodes[0]
        reader = EvmReader(
            replace(firm.config, finality=Finality.parse("latest")),
            node.node_id,
            JsonRpcTransport(node, firm.config.limits, http=http),
        )
        stack.callback(reader.close)
        pin = reader.pin(now=_clock())
        holdings = [Holding(address, asset) for address in firm.wallets for asset in firm.assets]
        reader.read_balances(pin, holdings[:1])  # the probe is kept between looks
        http.recording.requests.clear()
        reader.read_balances(pin, holdings)
        reader.scan_transfers(pin.block.height, pin.block, firm.wallets, firm.assets)
        begun = time.perf_counter()
        post_all(firm.node.url, http.recording.requests)
        return time.perf_counter() - begun


def _swept_after(firm: Firm) -> float:
    firm.node.mine()
    begun = time.perf_counter()
    with closing(open_store(firm.database)) as store:
        config = replace(firm.config, finality=Finality.parse("latest"))
        outcome = ChainSweep(store, config, chain_plugin, SweepSettings(), history_from_height=None, clock=_clock).run()
    if outcome.summary is None or outcome.exit_code != 1:
        raise ResultsDiffer(f"latency: the sweep did not see the thefts: {outcome.failure}")
    return time.perf_counter() - begun


def _clock() -> datetime:
    return datetime.now(UTC)
