"""The server of the pages on a real socket."""

from __future__ import annotations

import contextlib
import http.client
import socket
from types import SimpleNamespace
from typing import cast

import pytest

from verifier.config import MetricsSettings
from verifier.errors import ConfigError
from verifier.telemetry.pages import Page, Telemetry
from verifier.telemetry.serving import CONNECTIONS_MAX, listen_address, serving

CANARY = "canary2277fe"


def pages(path: str, accept: str = "") -> Page | None:
    if path == "/broken":
        raise RuntimeError(CANARY)
    return Page(200, "text/plain", f"{path} {accept}".encode()) if path == "/metrics" else None


TELEMETRY = cast("Telemetry", SimpleNamespace(page=pages))


def ask(port: int, path: str, method: str = "GET") -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request(method, path, headers={"accept": "text/x"})
        answer = connection.getresponse()
        return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
    finally:
        connection.close()


def test_pages_and_nothing_else() -> None:
    with serving(TELEMETRY, "0") as port:
        status, body, headers = ask(port, "/metrics?x=1")
        assert (status, body) == (200, b"/metrics text/x")
        assert headers["cache-control"] == "no-store"
        assert "python" not in headers["server"].lower()
        assert ask(port, "/metrics", "HEAD")[:2] == (200, b"")
        assert ask(port, "/")[0] == 404
        assert ask(port, "/metrics", "POST")[0] == 501
        status, body, _ = ask(port, "/broken")
        assert (status, CANARY.encode() in body) == (500, False)
    with pytest.raises(OSError):
        ask(port, "/metrics")


def test_it_listens_on_this_machine_alone_unless_told_otherwise() -> None:
    assert listen_address("9464") == ("127.0.0.1", 9464)
    assert listen_address("0.0.0.0:9464") == ("0.0.0.0", 9464)
    assert listen_address("[::1]:9464") == ("::1", 9464)
    with pytest.raises(ConfigError, match="no port 70000"):
        listen_address("70000")
    for wrong in ("http://127.0.0.1:1", "127.0.0.1:", "host name:1", "1:2:3"):
        with pytest.raises(ValueError, match="listen"):
            MetricsSettings(listen=wrong)


def test_a_port_that_is_taken_is_said() -> None:
    with (
        serving(TELEMETRY, "0") as port,
        pytest.raises(ConfigError, match=f"127.0.0.1 port {port}"),
        serving(TELEMETRY, str(port)),
    ):
        pass


@pytest.mark.fault("C20")
def test_clients_that_say_nothing_do_not_pile_up() -> None:
    """Connections are taken in the order in which they were made, so the last one is the one too many."""
    held: list[socket.socket] = []
    with serving(TELEMETRY, "0") as port:
        try:
            for _ in range(CONNECTIONS_MAX):
                held.append(socket.create_connection(("127.0.0.1", port), timeout=60))  # noqa: PERF401 - closed below
            late = socket.create_connection(("127.0.0.1", port), timeout=60)
            with late, contextlib.suppress(ConnectionResetError):
                assert late.recv(1) == b"", "hung up on"
            held[0].sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            assert held[0].recv(12) == b"HTTP/1.0 200", "who was there first is answered"
        finally:
            for each in held:
                each.close()
