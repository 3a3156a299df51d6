"""The transport against real servers on the loopback, which misbehave below HTTP."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chains.errors import MalformedAnswer, NodeUnavailable
from chains.node_url import is_link_local, is_public
from chains.reader import NodeConfig, ReadLimits
from chains.transport import JsonRpcTransport

Serve = Callable[[socket.socket], None]

BODY = b'{"jsonrpc":"2.0","id":1,"result":"0x5"}'
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"


class Server:
    """Accepts connections on the loopback one after the other and lets `serve` treat each; the last serves the rest."""

    def __init__(self, *serve: Serve, tls: ssl.SSLContext | None = None) -> None:
        self._serve = list(serve)
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self._stopped.is_set():
                connection.close()
                return
            self.connections += 1
            serve = self._serve.pop(0) if len(self._serve) > 1 else self._serve[0]
            connection.settimeout(600.0)
            with contextlib.suppress(OSError), connection:
                if self._tls is None:
                    serve(connection)
                else:
                    with self._tls.wrap_socket(connection, server_side=True) as secured:
                        serve(secured)

    def stop(self) -> None:
        """Wake the accepting thread, and wait for it."""
        self._stopped.set()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=60.0).close()
        self._thread.join(timeout=120.0)
        self._listener.close()
        assert not self._thread.is_alive()


StartServer = Callable[..., Server]


@pytest.fixture
def start() -> Iterator[StartServer]:
    started: list[Server] = []

    def begin(*serve: Serve, tls: ssl.SSLContext | None = None) -> Server:
        started.append(Server(*serve, tls=tls))
        return started[-1]

    yield begin
    for server in started:
        server.stop()


@contextlib.contextmanager
def transport_to(
    port: int, scheme: str = "http", host: str = "127.0.0.1", **limits: float
) -> Iterator[JsonRpcTransport]:
    settings = ReadLimits(**{"attempts_max": 2, "retry_wait_seconds_max": 0.05, **limits})  # type: ignore[arg-type]
    transport = JsonRpcTransport(NodeConfig("n1", "operator-1", f"{scheme}://{host}:{port}/"), settings)
    try:
        yield transport
    finally:
        transport.close()


def take_request(connection: socket.socket) -> bytes:
    """The body of one whole request; empty where the client has gone."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            return b""
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
    return body


def answer(connection: socket.socket) -> None:
    """A well-behaved node that keeps its connection open, and repeats the id it was asked with."""
    while request := take_request(connection):
        request_id = request.split(b'"id":')[1].split(b",")[0]
        body = BODY.replace(b'"id":1', b'"id":' + request_id)
        connection.sendall(HEAD % len(body) + body)


def drip_body(connection: socket.socket) -> None:
    take_request(connection)
    connection.sendall(HEAD % 1_000_000)
    drip(connection)


def drip_head(connection: socket.socket) -> None:
    take_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nx-slow: ")
    drip(connection)


def drip(connection: socket.socket) -> None:
    for _ in range(12_000):  # until the client hangs up, which ends the thread by an OSError
        connection.sendall(b" ")
        time.sleep(0.05)


def silent(connection: socket.socket) -> None:
    take_request(connection)
    connection.recv(1)


def truncate(connection: socket.socket) -> None:
    take_request(connection)
    connection.sendall(HEAD % len(BODY) + BODY[:-5])


def reset(connection: socket.socket) -> None:
    take_request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def hang_up(connection: socket.socket) -> None:
    take_request(connection)


def gibberish(connection: socket.socket) -> None:
    take_request(connection)
    connection.sendall(b"SSH-2.0-server\r\n\r\n")


def endless(connection: socket.socket) -> None:
    take_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")


def test_many_calls_share_one_connection(start: StartServer) -> None:
    server = start(answer)
    with transport_to(server.port) as transport:
        assert [transport.call("eth_chainId") for _ in range(5)] == ["0x5"] * 5
    assert server.connections == 1


@pytest.mark.fault("A3")
@pytest.mark.parametrize("serve", [drip_head, drip_body])
def test_a_slow_drip_ends_at_the_deadline(start: StartServer, serve: Serve) -> None:
    with transport_to(start(serve).port, call_deadline_seconds=0.4) as transport:
        began = time.monotonic()
        with pytest.raises(NodeUnavailable, match=r"within 0\.4 seconds"):
            transport.call("eth_chainId")
        assert 0.3 < time.monotonic() - began < 120, "it drips for ten minutes"
        assert transport.requests_sent == 1


@pytest.mark.fault("A3", "A2")
def test_silence_ends_at_the_deadline_though_a_read_may_last_longer(start: StartServer) -> None:
    with transport_to(start(silent).port, read_timeout_seconds=300.0, call_deadline_seconds=0.3) as transport:
        began = time.monotonic()
        with pytest.raises(NodeUnavailable, match=r"within 0\.3 seconds"):
            transport.call("eth_chainId")
        assert time.monotonic() - began < 120


@pytest.mark.fault("A3", "A2")
def test_a_slow_drip_ends_with_the_budget(start: StartServer) -> None:
    with transport_to(start(drip_body).port) as transport:
        transport.start_budget(0.3)
        began = time.monotonic()
        with pytest.raises(NodeUnavailable, match="budget"):
            transport.call("eth_chainId")
        assert time.monotonic() - began < 120


@pytest.mark.fault("A2")
def test_silence_is_a_timeout_and_tried_again(start: StartServer) -> None:
    server = start(silent, answer)
    with transport_to(server.port, read_timeout_seconds=0.2, attempts_max=100) as transport:
        assert transport.call("eth_chainId") == "0x5"
        assert transport.requests_sent >= 2, "on a busy machine an answer may be late, too"


@pytest.mark.fault("A2", "A6")
@pytest.mark.parametrize("serve", [truncate, reset, hang_up, gibberish])
def test_a_broken_exchange_is_tried_again_then_given_up(start: StartServer, serve: Serve) -> None:
    server = start(serve)
    with transport_to(server.port) as transport:
        with pytest.raises(NodeUnavailable, match="node n1"):
            transport.call("eth_chainId")
        assert transport.requests_sent == 2
    with transport_to(start(serve, answer).port) as transport:
        assert transport.call("eth_chainId") == "0x5"


@pytest.mark.fault("A6")
def test_an_endless_body_stops_at_the_limit(start: StartServer) -> None:
    with transport_to(start(endless).port, body_bytes_max=1_000_000) as transport:
        with pytest.raises(MalformedAnswer, match="more than 1000000 bytes"):
            transport.call("eth_chainId")
        assert transport.bytes_received < 2_000_000


@pytest.mark.fault("A1")
def test_a_refused_connection_and_an_unknown_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with transport_to(port) as transport, pytest.raises(NodeUnavailable, match="no connection"):
        transport.call("eth_chainId")
    with (
        transport_to(port, "https", "no-such-host.invalid", connect_timeout_seconds=2.0) as transport,
        pytest.raises(NodeUnavailable, match="no connection") as caught,
    ):
        transport.call("eth_chainId")
    assert "invalid" not in str(caught.value)


# Certificates and addresses ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate that nobody vouches for, and the file of it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path: Path = tmp_path_factory.mktemp("tls") / "server.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, path


@pytest.mark.fault("A14")
@pytest.mark.parametrize("variable", [None, "SSL_CERT_FILE"])
def test_a_self_signed_certificate_is_refused_at_once(
    start: StartServer, self_signed: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch, variable: str | None
) -> None:
    """Also where an environment variable vouches for it: the environment is not configuration."""
    tls, certificate = self_signed
    if variable:
        monkeypatch.setenv(variable, str(certificate))
    server = start(answer, tls=tls)
    with transport_to(server.port, "https") as transport:
        with pytest.raises(NodeUnavailable, match="certificate"):
            transport.call("eth_chainId")
        assert transport.requests_sent == 1


@pytest.mark.fault("A14")
def test_plain_http_behind_an_https_url_is_refused(start: StartServer) -> None:
    def plain(connection: socket.socket) -> None:
        connection.recv(10)
        connection.sendall(HEAD % len(BODY) + BODY)

    with transport_to(start(plain).port, "https") as transport, pytest.raises(NodeUnavailable):
        transport.call("eth_chainId")


@pytest.mark.fault("A14")
def test_proxy_variables_are_not_used(start: StartServer, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = start(answer)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    server = start(answer)
    with transport_to(server.port) as transport:
        assert transport.call("eth_chainId") == "0x5"
    assert (server.connections, proxy.connections) == (1, 0)


def resolving_to(address: str, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every host name resolve to one address and port, as a hostile or mistaken name server would."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET

    def resolve(*_: object, **__: object) -> list[object]:
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.mark.fault("F13", "A14")
def test_an_opted_in_name_may_be_plain_http(start: StartServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start(answer)
    resolving_to("127.0.0.1", server.port, monkeypatch)
    with transport_to(server.port, "http+insecure", "anvil") as transport:
        assert transport.call("eth_chainId") == "0x5"


@pytest.mark.fault("F13", "A14")
@pytest.mark.parametrize("refused", ["loopback", "link-local"])
def test_the_resolved_address_decides_not_the_name(
    start: StartServer, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    """No other address is at hand on every machine, so the loopback address is made to look like one of those."""
    received: list[bytes] = []
    server = start(lambda connection: received.append(connection.recv(10)))
    if refused == "loopback":
        monkeypatch.setattr("chains.network.is_loopback", lambda _: False)
    else:
        monkeypatch.setattr("chains.network.is_link_local", lambda _: True)
    with transport_to(server.port, host="localhost") as transport:
        with pytest.raises(NodeUnavailable, match="not allowed"):
            transport.call("eth_chainId")
        assert transport.requests_sent == 1
    until = time.monotonic() + 120.0
    while not received and time.monotonic() < until:
        time.sleep(0.01)
    assert received == [b""]


@pytest.mark.fault("F13")
@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("169.254.169.254", True),
        ("::ffff:169.254.169.254", True),
        ("fe80::1", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("2001:db8::1", False),
    ],
)
def test_where_clouds_serve_credentials(address: str, expected: bool) -> None:
    assert is_link_local(ipaddress.ip_address(address)) is expected


@pytest.mark.fault("F13")
@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.215.14", True),
        ("2606:4700::1", True),
        ("::ffff:93.184.215.14", True),
        ("127.0.0.1", False),
        ("::ffff:127.0.0.1", False),
        ("::127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b:1::7f00:1", False),
        ("2002:a00:1::", False),
        ("10.1.2.3", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("fd00::1", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
    ],
)
def test_what_is_public_whatever_way_it_is_written(address: str, expected: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is expected
