"""The network between the product and its node: it can be held, cut, or slow."""

from __future__ import annotations

import random
import threading
import time

from chains.devnet.lying_proxy import LyingProxy, Reply

LOST = Reply(503, b"")


class Gate(LyingProxy):
    """Passes requests on while it is open; keeps them waiting while it is held; loses them while it is cut."""

    def __init__(self, delay_seconds: float = 0.0) -> None:
        super().__init__("")
        self.delay_seconds = delay_seconds
        self.is_cut = False
        self._still_until = 0.0
        self._open = threading.Event()
        self._open.set()
        self._random = random.Random(1)

    def hold(self) -> None:
        """Requests wait from now on."""
        self._open.clear()

    def release(self) -> None:
        """Those that wait and all others go on."""
        self._open.set()

    def stand_still(self, seconds: float) -> None:
        """Nothing passes for so long, and then all of it."""
        self._still_until = time.monotonic() + seconds

    def lose_target(self) -> None:
        """The node is gone."""
        self._target_url = ""

    def find_target(self, url: str) -> None:
        """The node is back, perhaps at another port."""
        self._target_url = url

    def reply_to(self, body: bytes) -> Reply:
        """What comes back of a request: the node's answer, a part of it, or nothing."""
        self.wait(self.delay_seconds + max(0.0, self._still_until - time.monotonic()))
        self._open.wait()
        if self.is_cut or not self._target_url:
            return self._lost()
        return super().reply_to(body)

    def _lost(self) -> Reply:
        if self._random.random() < 0.5:
            return LOST
        return Reply(200, b'{"jsonrpc":"2.0","id":1,"result":', cut_after_bytes=self._random.randint(0, 20))

    def stop(self) -> None:
        """Let everybody go, then stop serving."""
        self._open.set()
        super().stop()
