"""A small HTTP server for the pages of a process that is no web server itself: plain HTTP, on this machine."""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore, Thread
from typing import TYPE_CHECKING, Any, Final

import structlog

from verifier.errors import ConfigError
from verifier.telemetry.pages import Page, Telemetry

IDLE_SECONDS: Final = 10.0
"""How long a client may take with its request."""
CONNECTIONS_MAX: Final = 16
"""Requests answered at once; more are hung up on."""

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.telemetry.process import ProcessMetrics

log = structlog.get_logger(__name__)


def listen_address(listen: str) -> tuple[str, int]:
    """Host and port of `[metrics] listen`: a port alone is on 127.0.0.1. Raises `ConfigError`."""
    host, _, port = listen.rpartition(":")
    if int(port) > 65535:
        raise ConfigError(f"metrics.listen: there is no port {port}")
    return host.strip("[]") or "127.0.0.1", int(port)


@contextmanager
def served(
    settings: Settings,
    clock: Callable[[], datetime],
    *,
    chain_ids: Collection[str] = (),
    leases: Collection[str] = (),
) -> Iterator[ProcessMetrics | None]:
    """Serve the pages of this process where the configuration says so; gives what is to be told of what it does."""
    if not settings.metrics.listen:
        yield None
        return
    telemetry = Telemetry(settings, clock, chain_ids=chain_ids, leases=leases)
    with serving(telemetry, settings.metrics.listen):
        yield telemetry.process


@contextmanager
def serving(telemetry: Telemetry, listen: str) -> Iterator[int]:
    """Serve in a thread until the block ends; gives the port. Raises `ConfigError` for an address that is taken."""
    host, port = listen_address(listen)
    try:
        server = _Server((host, port), telemetry)
    except OSError as error:
        raise ConfigError(
            f"metrics.listen: {host} port {port} cannot be listened on ({error.strerror})",
            advice="Give another port, or stop the process that has it.",
        ) from None
    thread = Thread(target=server.serve_forever, args=(0.1,), name="metrics", daemon=True)
    thread.start()
    log.info("metrics are served", host=host, port=server.server_port)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(IDLE_SECONDS)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], telemetry: Telemetry) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.telemetry = telemetry
        self._room = BoundedSemaphore(CONNECTIONS_MAX)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._room.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("a client of the metrics went away")


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "custody"
    sys_version = ""
    timeout = IDLE_SECONDS

    def do_HEAD(self) -> None:
        """As GET, without the text."""
        self.do_GET()

    def do_GET(self) -> None:
        """One of the pages, or 404."""
        try:
            page = self.server.telemetry.page(self.path.partition("?")[0], self.headers.get("accept", ""))
        except Exception as error:  # noqa: BLE001 - its text could hold anything
            log.error("a page of the metrics broke", error=type(error).__name__)
            page = Page(500, "text/plain; charset=utf-8", b"a fault of this program\n")
        page = page or Page(404, "text/plain; charset=utf-8", b"not found\n")
        self.send_response(page.status)
        self.send_header("content-type", page.media)
        self.send_header("content-length", str(len(page.body)))
        self.send_header("cache-control", "no-store")
        self.send_header("x-content-type-options", "nosniff")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page.body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing: what was asked is no business of the log."""
