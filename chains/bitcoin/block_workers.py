"""Blocks fetched, checked and looked into by several processes; one process writes what they found, in order.

Reading a block is fetching it, its hashes and the search for scripts, none of which needs the ledger. Whether it spends
the coins that the ledger holds is for the one that writes. Each process has a connection of its own; a node has few.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import Final

from chains.bitcoin.block import Header
from chains.bitcoin.block_source import BlockSource
from chains.bitcoin.core import CoreNode
from chains.bitcoin.ledger import BlockLook, examine
from chains.bitcoin.networks import Network, network_of
from chains.errors import ReadError
from chains.garbage import rare_collections
from chains.reader import ChainConfig, NodeConfig

BLOCKS_PER_TASK: Final = 25
TASKS_AHEAD: Final = 3
"""Tasks that are given out for each process before the first of them is taken back: what is held in memory."""
WORKERS_MAX: Final = 8


class BlockWorkers:
    """Processes that look into the blocks of one node."""

    def __init__(self, config: ChainConfig, node: NodeConfig, count: int) -> None:
        """`count` processes, started when they are needed. Raises `ValueError` when it is not 1 to `WORKERS_MAX`."""
        if not 1 <= count <= WORKERS_MAX:
            raise ValueError(f"1 to {WORKERS_MAX} processes, not {count}")
        self._config = config
        self._node = node
        self._count = count

    def looks(self, headers: Sequence[Header], first_height: int, scripts: frozenset[bytes]) -> Iterator[BlockLook]:
        """Every block of a run of headers, looked into for scripts, in order. Raises what reading them raises."""
        runs = deque(
            (first_height + at, headers[at : at + BLOCKS_PER_TASK]) for at in range(0, len(headers), BLOCKS_PER_TASK)
        )
        with ProcessPoolExecutor(
            max_workers=min(self._count, len(runs)) or 1,
            mp_context=get_context("spawn"),  # nothing of this process is shared: neither its threads nor its files
            initializer=_begin,
            initargs=(self._config, self._node, scripts),
        ) as pool:
            given: deque[Future[list[BlockLook]]] = deque()
            try:
                while runs or given:
                    while runs and len(given) < self._count * TASKS_AHEAD:
                        given.append(pool.submit(_look, *runs.popleft()))
                    yield from given.popleft().result()
            except BrokenProcessPool:
                raise ReadError("a process that read blocks was ended; run the load again, it goes on") from None
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


class _Worker:
    """What one process keeps between its tasks."""

    source: BlockSource
    network: Network
    scripts: frozenset[bytes]


def _begin(config: ChainConfig, node: NodeConfig, scripts: frozenset[bytes]) -> None:
    from chains.bitcoin.failures import BITCOIN_CORE
    from chains.transport import JsonRpcTransport

    threading.Thread(target=_end_with_parent, daemon=True).start()
    transport = JsonRpcTransport(node, config.limits, dialect=BITCOIN_CORE)
    transport.start_budget(config.limits.sweep_budget_seconds)
    _Worker.source = BlockSource(CoreNode(transport))
    _Worker.network = network_of(config.chain_id)
    _Worker.scripts = scripts


def _look(first_height: int, headers: Sequence[Header]) -> list[BlockLook]:
    worker = _Worker
    with rare_collections():
        return [
            examine(*worker.source.read(header), worker.network, first_height + number, worker.scripts)
            for number, header in enumerate(headers)
        ]


def _end_with_parent() -> None:
    """A process whose parent was killed would wait for work for ever."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
