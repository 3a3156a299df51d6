"""The sockets below HTTP: a wall-clock deadline on every operation, and a check of the address a name resolved to.

An HTTP client's timeouts are per read, so a node that sends one byte a second holds a caller for ever, in the headers
as well as in the body. Here every socket operation is given what is left until one deadline. Only the resolver of
host names, which knows no timeout, is beyond its reach.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Callable, Iterable
from typing import Any

import httpcore2

from chains.node_url import is_link_local, is_loopback, is_public

SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


class DeadlinePassed(Exception):
    """The wall-clock limit was reached during a socket operation."""


class RefusedPeer(Exception):
    """The name resolved to an address that the configuration does not allow."""


class GuardedBackend(httpcore2.SyncBackend):
    """Opens connections whose every operation ends by the current deadline.

    `seconds_left` is asked before each operation, so one connection serves many exchanges, each with its own deadline.
    """

    def __init__(
        self, seconds_left: Callable[[], float], *, loopback_only: bool = False, public_only: bool = False
    ) -> None:
        self._seconds_left = seconds_left
        self._loopback_only = loopback_only
        self._public_only = public_only

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect, then check the peer before anything is sent to it."""
        limit = _clamped(timeout, self._seconds_left)
        stream = super().connect_tcp(host, port, limit, local_address, socket_options)
        address = ipaddress.ip_address(str(stream.get_extra_info("server_addr")[0]).partition("%")[0])
        refused = is_link_local(address) or address.is_unspecified or address.is_multicast
        if refused or (self._loopback_only and not is_loopback(address)):
            stream.close()
            raise RefusedPeer
        if self._public_only and not is_public(address):
            stream.close()
            raise RefusedPeer
        return _GuardedStream(stream, self._seconds_left)


class _GuardedStream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, seconds_left: Callable[[], float]) -> None:
        self._stream = stream
        self._seconds_left = seconds_left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _clamped(timeout, self._seconds_left))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _clamped(timeout, self._seconds_left))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        limit = _clamped(timeout, self._seconds_left)
        return _GuardedStream(self._stream.start_tls(ssl_context, server_hostname, limit), self._seconds_left)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _clamped(timeout: float | None, seconds_left: Callable[[], float]) -> float:
    left = seconds_left()
    if left <= 0:
        raise DeadlinePassed
    return left if timeout is None else min(timeout, left)
