"""The network between the product and its node: it can be held, cut, or slow."""

from __future__ import annotations

import random
import threading

from chains.devnet.lying_proxy import LyingProxy, Reply
from chains.devnet.post import PostFailed

LOST = Reply(503, b"")


class Gate(LyingProxy):
    """Passes requests on while it is open; keeps them waiting while it is held; loses them while it is cut."""

    def __init__(self, target_url: str, delay_seconds: float = 0.0) -> None:
        super().__init__(target_url)
        self.delay_seconds = delay_seconds
        self.is_cut = False
        self.lost = 0
        self._open = threading.Event()
        self._open.set()
        self._random = random.Random(1)

    def hold(self) -> None:
        """Requests wait from now on."""
        self._open.clear()

    def release(self) -> None:
        """Those that wait and all others go on."""
        self._open.set()

    def reply_to(self, body: bytes) -> Reply:
        """What comes back of a request: the node's answer, a part of it, or nothing."""
        self._open.wait()
        self.wait(self.delay_seconds)
        if self.is_cut:
            self.lost += 1
            return self._lost()
        try:
            return super().reply_to(body)
        except PostFailed:
            return LOST

    def _lost(self) -> Reply:
        if self._random.random() < 0.5:
            return LOST
        return Reply(200, b'{"jsonrpc":"2.0","id":1,"result":', cut_after_bytes=self._random.randint(0, 20))

    def stop(self) -> None:
        """Let everybody go, then stop serving."""
        self._open.set()
        super().stop()
