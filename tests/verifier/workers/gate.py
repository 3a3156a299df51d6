"""A door before a node: it lets requests through, or holds those that read balances until it is opened."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HELD = (b"eth_call", b"eth_getBalance")
"""Methods by which balances are read."""


class Gate:
    """One door. It is open at first."""

    def __init__(self, behind: str) -> None:
        self._behind = behind
        self._open = threading.Event()
        self._open.set()
        self._held = threading.Semaphore(0)
        self._free = 0
        self._counting = threading.Lock()
        self.url = ""

    def close(self, *, after: int = 0) -> None:
        """Hold whoever reads balances from now on, but let that many such requests pass before."""
        self._free = after
        self._open.clear()

    def open(self) -> None:
        """Let everybody through."""
        self._open.set()

    def wait_for_somebody(self, seconds: float) -> bool:
        """Wait until a request is held; whether one is."""
        return self._held.acquire(timeout=seconds)

    def answer(self, body: bytes) -> bytes:
        """The node's answer, when the door lets the request through."""
        if any(method in body for method in HELD) and not self._open.is_set() and not self._passes():
            self._held.release()
            self._open.wait(600)
        request = urllib.request.Request(self._behind, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=300) as answer:
            return bytes(answer.read())

    def _passes(self) -> bool:
        with self._counting:
            self._free -= 1
            return self._free >= 0


@contextmanager
def gate_before(node_url: str) -> Iterator[Gate]:
    """A door on a port of its own."""
    gate = Gate(node_url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = gate.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:  # whoever asked was killed
                return

        def log_message(self, *args: object) -> None:
            """Nothing is told."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    gate.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, name="gate", daemon=True)
    thread.start()
    try:
        yield gate
    finally:
        gate.open()
        server.shutdown()
        server.server_close()
        thread.join()
