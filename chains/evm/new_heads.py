"""A bell that rings when a node announces a new block (`eth_subscribe` newHeads over a WebSocket).

Nothing that comes over the socket is believed or kept: a message only says that it is worth looking now, and the look
asks through the strict transport. So a silent or lying socket costs time, and nothing else; whoever listens polls as
well. The URL and its secrets are in no log and no error.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Callable
from dataclasses import replace
from threading import Event
from typing import Final
from urllib.parse import urlsplit

import orjson
import structlog
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from chains.errors import ChainConfigError
from chains.node_url import is_link_local, is_loopback, parse_node_url
from chains.reader import NodeConfig

log = structlog.get_logger(__name__)

logging.getLogger("websockets").setLevel(logging.WARNING)  # below that it writes hosts and headers

_SCHEMES: Final = {"wss": "https", "ws": "http", "ws+insecure": "http+insecure"}
_SUBSCRIBE: Final = orjson.dumps(
    {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}
).decode()
MESSAGE_BYTES_MAX: Final = 1 << 20
CONNECT_SECONDS_MAX: Final = 5.0
LISTEN_SECONDS: Final = 0.5
"""How long one wait for a message lasts: what stopping can cost."""
PAUSE_SECONDS: Final = 1.0
PAUSE_SECONDS_MAX: Final = 60.0
"""Between two tries to connect the pause grows from the first to the second."""


class NewHeads:
    """Listens to one node's announcements until it is told to stop. Run it in a thread of its own."""

    def __init__(self, node: NodeConfig, ring: Callable[[], None], stop: Event) -> None:
        """`ring` is called for every announcement. Raises `ChainConfigError` for a URL that is not allowed."""
        scheme, separator, rest = node.ws_url.partition("://")
        if scheme not in _SCHEMES or not separator:
            raise ChainConfigError(
                f"node {node.node_id}: ws_url must begin with wss://, ws:// (this machine only) or ws+insecure://"
            )
        # The same rules as for the node's HTTP URL: where it may lead, and what of it is secret.
        self._target = parse_node_url(replace(node, url=f"{_SCHEMES[scheme]}://{rest}"))
        self._node_id = node.node_id
        self._ring = ring
        self._stop = stop
        self.announced = 0
        """How many blocks were announced so far."""

    def run(self) -> None:
        """Connect and listen, again and again, until stopped."""
        pause = PAUSE_SECONDS
        while not self._stop.is_set():
            heard = self.announced
            try:
                self._listen()
            except (OSError, TimeoutError, WebSocketException, ValueError) as error:
                log.info("subscription ended", node=self._node_id, kind=type(error).__name__)
            pause = PAUSE_SECONDS if self.announced > heard else min(2 * pause, PAUSE_SECONDS_MAX)
            self._stop.wait(pause)

    def _listen(self) -> None:
        parts = urlsplit(self._target.url)
        url = parts._replace(scheme="wss" if parts.scheme == "https" else "ws").geturl()
        port = parts.port or (443 if parts.scheme == "https" else 80)
        with socket.create_connection((parts.hostname or "", port), CONNECT_SECONDS_MAX) as peer:
            address = ipaddress.ip_address(str(peer.getpeername()[0]).partition("%")[0])
            if is_link_local(address) or (self._target.loopback_only and not is_loopback(address)):
                raise ValueError("its name resolves to an address that is not allowed")
            with connect(
                url,
                sock=peer,
                additional_headers=list(self._target.headers),
                user_agent_header="custody-verifier",
                compression=None,
                proxy=None,
                open_timeout=CONNECT_SECONDS_MAX,
                close_timeout=1.0,
                max_size=MESSAGE_BYTES_MAX,
            ) as connection:
                self._subscribe(connection)

    def _subscribe(self, connection: ClientConnection) -> None:
        connection.send(_SUBSCRIBE)
        while not self._stop.is_set():
            try:
                message = orjson.loads(connection.recv(timeout=LISTEN_SECONDS))
            except TimeoutError:
                continue
            if not isinstance(message, dict) or "error" in message:
                raise ValueError("the node does not offer the subscription")
            if message.get("method") == "eth_subscription":
                self.announced += 1
                self._ring()
