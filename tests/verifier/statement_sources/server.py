"""A real HTTPS server of files on the loopback, under an authority of its own, that misbehaves as it is told."""

from __future__ import annotations

import contextlib
import ipaddress
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Authority:
    """Signs certificates."""

    key: Key
    certificate: x509.Certificate

    @staticmethod
    def new(name: str) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        built = _builder(subject, subject, key.public_key(), days=(-1, 30)).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        return Authority(key, built.sign(key, hashes.SHA256()))

    def issue(self, folder: Path, name: str, *, host: str = "127.0.0.1", days: tuple[int, int] = (-1, 30)) -> Path:
        """A PEM file with a key and its certificate for one host."""
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            entry: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            entry = x509.DNSName(host)
        built = _builder(_name(name), self.certificate.subject, key.public_key(), days=days)
        built = built.add_extension(x509.SubjectAlternativeName([entry]), critical=False)
        signed = built.sign(self.key, hashes.SHA256())
        path = folder / f"{name}.pem"
        path.write_bytes(_pem(key) + signed.public_bytes(serialization.Encoding.PEM))
        return path

    def file(self, folder: Path) -> Path:
        """Its own certificate."""
        path = folder / "authority.pem"
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return path


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, *, days: tuple[int, int]
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
    )


@dataclass
class Files:
    """What the server gives, and what it was asked."""

    contents: dict[str, bytes] = field(default_factory=dict)
    """By path, without the query."""
    misbehave: Callable[[BaseHTTPRequestHandler], bool] = lambda handler: False
    """Told of each request first; True when it has answered in its own way."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Each path with its query, and the validator that was sent."""
    tokens: list[str] = field(default_factory=list)
    port: int = 0


@contextlib.contextmanager
def https_server(certificate: Path, *, clients: Path | None = None) -> Iterator[Files]:
    """Serve until the block ends; `clients` is the authority of the certificates that clients must show."""
    files = Files()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent = self.headers.get("if-none-match", "")
            files.asked.append((self.path, sent))
            files.tokens.append(self.headers.get("authorization", ""))
            if files.misbehave(self):
                return
            content = files.contents.get(self.path.partition("?")[0])
            if content is None:
                self.send_error(404)
                return
            validator = f'"{hash(content):x}"'
            self.send_response(304 if sent == validator else 200)
            self.send_header("etag", validator)
            self.send_header("content-length", "0" if sent == validator else str(len(content)))
            self.end_headers()
            if sent != validator:
                self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *arguments: object) -> None:
            """A client that ends the conversation is what these tests are about."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    server = Quiet(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    files.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield files
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def cut(handler: BaseHTTPRequestHandler) -> bool:
    """Half of what was announced."""
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b"x" * 500)
    handler.close_connection = True
    return True


def large(handler: BaseHTTPRequestHandler) -> bool:
    """More than anybody asked for."""
    handler.send_response(200)
    handler.send_header("content-length", "100000")
    handler.end_headers()
    with contextlib.suppress(OSError):
        handler.wfile.write(b"x" * 100_000)
    return True


def redirect(handler: BaseHTTPRequestHandler) -> bool:
    """Elsewhere, on the same host."""
    handler.send_response(302)
    handler.send_header("location", "/other")
    handler.send_header("content-length", "0")
    handler.end_headers()
    return True


def slow(handler: BaseHTTPRequestHandler) -> bool:
    """A byte now and then: no single read takes long."""
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    with contextlib.suppress(OSError):
        for _ in range(1000):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)
    return True


def overloaded(handler: BaseHTTPRequestHandler) -> bool:
    """Not now, and not soon: nobody waits so long."""
    handler.send_response(503)
    handler.send_header("retry-after", "600")
    handler.send_header("content-length", "0")
    handler.end_headers()
    return True


def forbidden(handler: BaseHTTPRequestHandler) -> bool:
    """Not you."""
    handler.send_error(403)
    return True
