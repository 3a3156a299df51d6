"""The network before a service of any protocol: bytes pass, wait, are lost, or end in the middle.

A node that speaks more than JSON-RPC (Bitcoin Core's REST, with a password on the other half) is behind this one; it
has the switches of `tests.chaos.gate.Gate`.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Final

PIECE_BYTES: Final = 65_536
CONNECT_SECONDS: Final = 10.0


class Channel:
    """Listens on loopback and passes every connection on to its target, piece by piece."""

    def __init__(self, delay_seconds: float = 0.0) -> None:
        self.delay_seconds = delay_seconds
        """Before each piece that is sent to the target."""
        self._target: int | None = None
        self._still_until = 0.0
        self._open = threading.Event()
        self._open.set()
        self._is_cut = False
        self._ended = False
        self._random = random.Random(1)
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]

    def start(self) -> Channel:
        """Begin to serve."""
        threading.Thread(target=self._serve, name="channel", daemon=True).start()
        return self

    def stop(self) -> None:
        """End all connections and stop serving."""
        self._ended = True
        self._open.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._hang_up()

    def __enter__(self) -> Channel:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def hold(self) -> None:
        """What is sent waits from now on."""
        self._open.clear()

    def release(self) -> None:
        """All that waits goes on."""
        self._open.set()

    def stand_still(self, seconds: float) -> None:
        """Nothing passes for so long, and then all of it."""
        self._still_until = time.monotonic() + seconds

    @property
    def is_cut(self) -> bool:
        """Whether connections are lost."""
        return self._is_cut

    @is_cut.setter
    def is_cut(self, cut: bool) -> None:
        self._is_cut = cut
        if cut:
            self._hang_up()

    def lose_target(self) -> None:
        """The service is gone, and every connection to it."""
        self._target = None
        self._hang_up()

    def find_target(self, port: int) -> None:
        """The service is back, perhaps at another port of this machine."""
        self._target = port

    def _hang_up(self) -> None:
        with self._lock:
            for each in self._sockets:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        while not self._ended:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._conversation, args=(client,), name="conversation", daemon=True).start()

    def _conversation(self, client: socket.socket) -> None:
        with client:
            port = self._target
            if port is None or self._is_cut:
                return
            try:
                target = socket.create_connection(("127.0.0.1", port), CONNECT_SECONDS)
            except OSError:
                return
            with target:
                target.settimeout(None)
                with self._lock:
                    self._sockets |= {client, target}
                try:
                    back = threading.Thread(target=self._pass, args=(target, client), name="answers", daemon=True)
                    back.start()
                    self._pass(client, target, self.delay_seconds)
                    back.join()
                finally:
                    with self._lock:
                        self._sockets -= {client, target}

    def _pass(self, giver: socket.socket, taker: socket.socket, delay_seconds: float = 0.0) -> None:
        """Until one of both ends."""
        with suppress(OSError):
            while piece := giver.recv(PIECE_BYTES):
                time.sleep(delay_seconds + max(0.0, self._still_until - time.monotonic()))
                self._open.wait()
                if self._is_cut:
                    taker.sendall(piece[: self._random.randint(0, len(piece) - 1)])
                    break
                taker.sendall(piece)
        for each in (giver, taker):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
