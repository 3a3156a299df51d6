"""A real time-stamp authority for tests: `openssl ts -reply`, by itself or behind a small HTTP server."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CONFIGURATION = """
[tsa]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
{accuracy}
ess_cert_id_alg = sha256
"""


@dataclass(frozen=True)
class Authority:
    """Its folder holds `root.pem`, `tsa.pem` and what signs."""

    folder: Path

    @property
    def root(self) -> x509.Certificate:
        """The certificate that a reader trusts."""
        return x509.load_pem_x509_certificate((self.folder / "root.pem").read_bytes())

    @property
    def own(self) -> x509.Certificate:
        """The certificate that stamps."""
        return x509.load_pem_x509_certificate((self.folder / "tsa.pem").read_bytes())

    def answer(self, query: bytes) -> bytes:
        """The answer to a request, in DER."""
        asked = self.folder / "query.tsq"
        asked.write_bytes(query)
        command = ["ts", "-reply", "-queryfile", asked, "-config", self.folder / "tsa.cnf", "-section", "tsa"]
        return openssl(*command, "-out", self.folder / "answer.tsr", read=self.folder / "answer.tsr")

    def signed_over(self, stamp: bytes) -> bytes:
        """What another authority stamped, signed by this one's key whatever its certificate allows."""
        folder = self.folder
        (folder / "given.tsr").write_bytes(stamp)
        token, said, mine = folder / "given.der", folder / "said.der", folder / "mine.der"
        openssl("ts", "-reply", "-in", folder / "given.tsr", "-token_out", "-out", token)
        openssl("cms", "-verify", "-noverify", "-nosigs", "-inform", "DER", "-in", token, "-binary", "-out", said)
        signed = ["-signer", folder / "tsa.pem", "-inkey", folder / "tsa.key", "-md", "sha256", "-nosmimecap"]
        kind = ["-econtent_type", "1.2.840.113549.1.9.16.1.4", "-nodetach", "-binary", "-outform", "DER", "-cades"]
        openssl("cms", "-sign", "-in", said, *signed, *kind, "-out", mine)
        granted = b"\x30\x03\x02\x01\x00"
        body = granted + mine.read_bytes()
        return b"\x30\x82" + len(body).to_bytes(2, "big") + body

    def stamp(self, data: bytes, *, algorithm: str = "sha256", certificates: bool = True) -> bytes:
        """A stamp over data, asked for by openssl itself."""
        (self.folder / "data").write_bytes(data)
        query = ["ts", "-query", "-data", self.folder / "data", f"-{algorithm}", *(["-cert"] if certificates else [])]
        return self.answer(openssl(*query, "-out", self.folder / "own.tsq", read=self.folder / "own.tsq"))


def openssl(*arguments: object, read: Path | None = None) -> bytes:
    """Run openssl; what it wrote to a file, or to stdout."""
    program = shutil.which("openssl")
    assert program is not None
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, check=False, timeout=300)
    if done.returncode:
        raise ValueError(done.stderr.decode(errors="replace"))
    return read.read_bytes() if read is not None else done.stdout


def make_authority(
    folder: Path,
    name: str = "Example TSA",
    *,
    days: int = 30,
    may_stamp: bool = True,
    critical: bool = True,
    accuracy: str = "accuracy = secs:1, millisecs:500",
) -> Authority:
    """An authority with a root of its own. Skips the test where what it needs is not installed."""
    pytest.importorskip("rfc3161_client", reason="rfc3161-client is not installed (extra timestamps)")
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    root_key, own_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name, own_name = _name(f"{name} root"), _name(name)
    root = (
        _builder(root_name, root_name, root_key, now, 3650)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    use = ExtendedKeyUsageOID.TIME_STAMPING if may_stamp else ExtendedKeyUsageOID.CODE_SIGNING
    own = (
        _builder(own_name, root_name, own_key, now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([use]), critical=critical)
        .sign(root_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "root.pem").write_bytes(root.public_bytes(pem))
    (folder / "tsa.pem").write_bytes(own.public_bytes(pem))
    plain = serialization.NoEncryption()
    (folder / "tsa.key").write_bytes(own_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    (folder / "serial").write_text("01\n", encoding="ascii")
    (folder / "tsa.cnf").write_text(CONFIGURATION.format(folder=folder, accuracy=accuracy), encoding="utf-8")
    return Authority(folder)


@dataclass
class Served:
    """An authority behind HTTP: what it was asked, and how it misbehaves."""

    authority: Authority
    url: str = ""
    asked: list[tuple[str, bytes]] = field(default_factory=list)
    """Media type and body of each request."""
    status: int = 200
    instead: bytes | None = None
    """Answered in the place of a stamp."""

    def reply(self, media: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        self.asked.append((media, body))
        return self.status, self.authority.answer(body) if self.instead is None else self.instead


@contextmanager
def serve(authority: Authority) -> Iterator[Served]:
    """The authority at a local URL."""
    served = Served(authority)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            status, body = served.reply(self.headers["content-type"], self.rfile.read(length))
            self.send_response(status)
            self.send_header("content-type", "application/timestamp-reply")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        served.url = f"http://127.0.0.1:{server.server_port}/tsr"
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
    )
