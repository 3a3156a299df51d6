"""What one test node is made of: the chain, the waiting transactions, the clock, and faults that a test switches on."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any, Final

from chains.devnet.bitcoin import describe
from chains.devnet.bitcoin.core_json import Fraction
from chains.devnet.bitcoin.kernel_chain import KernelChain
from chains.devnet.bitcoin.mempool import Mempool
from chains.devnet.bitcoin.wire import display

TIP_AGE_SECONDS_MAX: Final = 24 * 60 * 60
"""A node whose tip is older counts as still downloading, until it has once seen a newer one."""


class NodeState:
    """One node; whoever reads or changes it holds `lock`."""

    def __init__(self, directory: Path) -> None:
        self.lock = threading.RLock()
        self.chain = KernelChain(directory)
        self.mempool = Mempool(self.chain)
        self.mock_time: int | None = None
        """Unix seconds that the node takes for now; None for the machine's clock."""
        self.scanning = False
        """Pretend that somebody else's `scantxoutset` runs."""
        self.warming_up: str | None = None
        """Pretend that the node still starts, and say so with this text."""
        self.queue_full = False
        """Pretend that too many requests wait already."""
        self.pruned_height: int | None = None
        """Pretend that blocks below this height were deleted."""
        self.headers_ahead = 0
        """Pretend to know of so many headers whose blocks are not there yet."""
        self._caught_up = False

    def now(self) -> int:
        """Unix seconds."""
        return self.mock_time if self.mock_time is not None else int(time.time())

    @property
    def headers(self) -> int:
        """Height of the best known header."""
        return max(entry.height for entry in self.chain.tips() if not entry.invalid) + self.headers_ahead

    def submit(self, raw: bytes) -> str | None:
        """Take in a block and bring the waiting transactions after it; the answer of `submitblock`."""
        submitted = self.chain.submit(raw)
        self.mempool.follow(submitted)
        return submitted.verdict

    def downloading(self) -> bool:
        """Whether the node calls itself in initial block download; once over, it stays over."""
        self._caught_up = self._caught_up or self.chain.tip.block.header.time >= self.now() - TIP_AGE_SECONDS_MAX
        return not self._caught_up

    def progress(self) -> Any:
        """Share of the chain that is verified, as far as a node can guess."""
        return Fraction("2.125226877001334e-06") if self.downloading() or self.headers_ahead else 1

    def is_pruned(self, height: int) -> bool:
        """Whether a block's data count as deleted."""
        return self.pruned_height is not None and height < self.pruned_height

    def chain_info(self) -> dict[str, Any]:
        """`getblockchaininfo` without its warnings."""
        tip = self.chain.tip
        info: dict[str, Any] = {
            "chain": "regtest",
            "blocks": tip.height,
            "headers": self.headers,
            "bestblockhash": display(tip.hash),
            **describe.work_json(tip),
            "time": tip.block.header.time,
            "mediantime": tip.median_time,
            "verificationprogress": self.progress(),
            "initialblockdownload": self.downloading(),
            "chainwork": f"{tip.chain_work:064x}",
            "size_on_disk": self.chain.size_bytes,
            "pruned": self.pruned_height is not None,
        }
        if self.pruned_height is not None:
            info |= {"pruneheight": self.pruned_height, "automatic_pruning": False}
        return info
