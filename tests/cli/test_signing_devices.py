"""Keys that are no files: a PKCS#11 device (a real SoftHSM2), and key services whose clients are stubs.

The stubs answer as the services document it. No service was asked: that a firm's own service works is shown by its
first signature, which is verified before anything is written.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from securesystemslib.signer import _aws_signer, _gcp_signer

from exports.bundle import write_bundle
from exports.errors import SignerUnavailable
from exports.keys import load_signer, sign_payload
from exports.public_keys import parse_public_key, signature_fits
from exports.trust import trusted_key, trusted_keys
from tests.cli.command import Answer, custody
from tests.exports.keyring import EXPIRES, pem, signer
from tests.exports.sample import check, small_bundle, verify
from verifier.config import Settings, load_settings
from verifier.errors import VerifierError
from verifier.signing import signers_of

PIN, WRONG_PIN = "135790", "246801"
LIBRARIES = (
    os.environ.get("SOFTHSM2_LIBRARY", ""),
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)


@dataclass(frozen=True)
class Device:
    """A SoftHSM2 token with one key."""

    uri: str
    pem: str
    folder: Path


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    pkcs11 = pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed (extra hsm)")
    library = next((each for each in LIBRARIES if each and Path(each).is_file()), None)
    util = shutil.which("softhsm2-util")
    if library is None or util is None:
        pytest.skip("SoftHSM2 is not installed (package softhsm2)")
    from pkcs11.util.ec import encode_named_curve_parameters

    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SOFTHSM2_CONF", str(configuration))
        patched.setenv("PYKCS11LIB", library)
        made = [util, "--module", library, "--init-token", "--free", "--label", "custody", "--pin", PIN]
        subprocess.run([*made, "--so-pin", "97531086"], check=True, capture_output=True, timeout=300)
        token = pkcs11.lib(library).get_token(token_label="custody")
        with token.open(user_pin=PIN, rw=True) as session:
            curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
            parameters = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
            parameters.generate_keypair(store=True, id=b"\x02", label="operations")
        shown = custody("keys", "public", "--key", "hsm:2?label=custody")
        assert shown.code == 0, shown.err
        yield Device("hsm:2?label=custody", shown.out, folder)


def firm_of(folder: Path, operations_pem: str) -> Path:
    """A list with a device's key for operations and a file's for the CCO, made by command."""
    (folder / "ops.pub.pem").write_text(operations_pem, encoding="ascii")
    for name in ("root", "cco"):
        assert custody("keys", "new", folder / f"{name}.pem", "--plain", "--json").code == 0
    listed = folder / "trusted-keys.json"
    added = [f"--add={role}={folder / file}" for role, file in
             (("root", "root.pub.pem"), ("operations", "ops.pub.pem"), ("cco", "cco.pub.pem"))]  # fmt: skip
    assert custody("keys", "init", "--out", listed, *added, "--key", folder / "root.pem", "--json").code == 0
    return listed


def sign(bundle: Path, listed: Path, role: str, key: object, *options: object) -> Answer:
    return custody("sign", bundle, "--role", role, "--key", key, "--trusted-keys", listed, *options, "--json")


def test_a_device_signs_by_command_and_the_bundle_verifies(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed, bundle = firm_of(tmp_path, device.pem), tmp_path / "audit.zip"
    write_bundle(small_bundle(), [load_signer(f"file2:{tmp_path / 'cco.pem'}")], bundle)
    monkeypatch.setenv("PIN", PIN)
    signed = sign(bundle, listed, "operations", device.uri, "--passphrase-env", "PIN")
    assert signed.code == 0, signed
    assert signed.json["missing"] == []
    verified = custody("verify", bundle, "--trusted-keys", listed, "--json")
    assert verified.json["bundle"]["roles"] == [
        {"role": "cco", "required": True, "threshold": 1, "signed": 1, "by": ["cco"]},
        {"role": "operations", "required": True, "threshold": 1, "signed": 1, "by": ["operations"]},
    ]


@pytest.mark.fault("E17", "E18")
def test_a_wrong_pin_or_a_token_that_is_gone_signs_nothing(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed, bundle = firm_of(tmp_path, device.pem), tmp_path / "audit.zip"
    write_bundle(small_bundle(), [load_signer(f"file2:{tmp_path / 'cco.pem'}")], bundle)
    before = bundle.read_bytes()
    monkeypatch.setenv("PIN", PIN)
    monkeypatch.setenv("WRONG", WRONG_PIN)
    for uri, variable in ((device.uri, "WRONG"), ("hsm:2?label=elsewhere", "PIN"), ("hsm:7?label=custody", "PIN")):
        answer = sign(bundle, listed, "operations", uri, "--passphrase-env", variable)
        assert (answer.code, answer.error) == (2, "signer-unavailable")
        assert WRONG_PIN not in answer.out + answer.err
        assert PIN not in answer.out + answer.err
    answer = sign(bundle, listed, "operations", device.uri)  # nobody sits at a terminal to be asked
    assert (answer.code, answer.error) == (2, "bad-input")
    assert bundle.read_bytes() == before
    assert sign(bundle, listed, "operations", device.uri, "--passphrase-env", "PIN").code == 0


def test_a_device_signs_every_export_when_it_is_configured(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ops.pub.pem").write_text(device.pem, encoding="ascii")
    entry = {"uri": device.uri, "public_key_file": tmp_path / "ops.pub.pem", "passphrase_env": "PIN"}
    settings = Settings.model_validate({"firm": {"name": "Test firm"}, "bundle": {"signers": [entry]}, "chains": []})
    monkeypatch.setenv("PIN", PIN)
    path = tmp_path / "b.zip"
    write_bundle(small_bundle(), signers_of(settings), path)
    keys = trusted_keys([trusted_key("operations", device.pem, "operations")], expires=EXPIRES)
    assert verify(path, keys).verified
    monkeypatch.setenv("PIN", WRONG_PIN)
    with pytest.raises(SignerUnavailable):
        write_bundle(small_bundle(), signers_of(settings), tmp_path / "none.zip")
    assert not (tmp_path / "none.zip").exists()


# Key services, by stubs -----------------------------------------------------------------------------------------------

PRIVATE = ec.derive_private_key(0x5EED, ec.SECP256R1())


def pem_of_private(private: ec.EllipticCurvePrivateKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


@dataclass
class Service:
    """Signs digests as a key service does; `down` and `other` are what can go wrong."""

    private: ec.EllipticCurvePrivateKey = PRIVATE
    down: bool = False
    asked: list[Any] = field(default_factory=list)

    def signature(self, digest: bytes) -> bytes:
        if self.down:
            raise OSError("https://kms.example/?token=secret-token is not there")
        return self.private.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))

    def client(self, name: str) -> Service:
        """Of boto3."""
        assert name == "kms"
        return self

    def sign(self, **request: Any) -> dict[str, Any]:
        """Of the AWS client."""
        self.asked.append(request)
        assert request["MessageType"] == "DIGEST"
        return {"Signature": self.signature(request["Message"])}

    def asymmetric_sign(self, request: dict[str, Any]) -> SimpleNamespace:
        """Of the Google client."""
        self.asked.append(request)
        return SimpleNamespace(signature=self.signature(request["digest"]["sha256"]))


@pytest.fixture(params=["awskms:alias/bundles", "gcpkms:projects/p/cryptoKeys/k/cryptoKeyVersions/1"])
def service(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Service]:
    stub = Service()
    monkeypatch.setattr(_aws_signer, "AWS_IMPORT_ERROR", None)
    monkeypatch.setattr(_aws_signer, "boto3", stub, raising=False)
    monkeypatch.setattr(_aws_signer, "BotoCoreError", OSError, raising=False)
    monkeypatch.setattr(_aws_signer, "ClientError", OSError, raising=False)
    monkeypatch.setattr(_gcp_signer, "GCP_IMPORT_ERROR", None)
    services = SimpleNamespace(KeyManagementServiceClient=lambda: stub)
    monkeypatch.setattr(_gcp_signer, "kms", services, raising=False)
    known = {"EC_SIGN_P256_SHA256": ("ecdsa", "ecdsa-sha2-nistp256")}
    monkeypatch.setattr(_gcp_signer, "KEYTYPES_AND_SCHEMES", known, raising=False)
    return str(request.param), stub


def test_a_key_service_signs_the_digest_of_what_is_signed(service: tuple[str, Service]) -> None:
    uri, stub = service
    public = pem_of_private(PRIVATE)
    own_id, made = sign_payload(b"payload", "text/plain", load_signer(uri, public_key_pem=public))
    assert own_id == parse_public_key(public).keyid
    assert signature_fits(parse_public_key(public), b"payload", "text/plain", made)
    assert not signature_fits(parse_public_key(public), b"another", "text/plain", made)
    (asked,) = stub.asked
    message = b"DSSEv1 10 text/plain 7 payload"
    assert hashlib.sha256(message).digest() in (asked.get("Message"), asked.get("digest", {}).get("sha256"))


@pytest.mark.fault("E18")
def test_a_key_service_that_is_down_or_has_another_key_signs_nothing(
    service: tuple[str, Service], tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    uri, stub = service
    public, path = pem_of_private(PRIVATE), tmp_path / "b.zip"
    for stub.down, stub.private in ((True, PRIVATE), (False, ec.derive_private_key(0xBAD, ec.SECP256R1()))):
        with pytest.raises(SignerUnavailable) as caught:
            write_bundle(small_bundle(), [signer("cco-1"), load_signer(uri, public_key_pem=public)], path)
        assert "secret-token" not in str(caught.value)
        assert not list(tmp_path.iterdir())
    assert "secret-token" not in caplog.text + "".join(capfd.readouterr())
    stub.private = PRIVATE
    write_bundle(small_bundle(), [signer("cco-1"), load_signer(uri, public_key_pem=public)], path)
    keys = trusted_keys(
        [trusted_key("kms", public, "operations"), trusted_key("cco", pem("cco-1"), "cco")], expires=EXPIRES
    )
    assert check(verify(path, keys), 3).compared == 2
    assert verify(path, keys).verified


def test_a_key_service_and_a_file_sign_every_export_when_they_are_configured(
    service: tuple[str, Service], tmp_path: Path
) -> None:
    uri, _ = service
    assert custody("keys", "new", tmp_path / "cco.pem", "--plain", "--json").code == 0
    (tmp_path / "kms.pub.pem").write_text(pem_of_private(PRIVATE), encoding="ascii")
    configuration = tmp_path / "custody.toml"
    signers = f'[[bundle.signers]]\nuri = "{uri}"\npublic_key_file = "kms.pub.pem"\n'
    configuration.write_text(f'[firm]\nname = "F"\n[bundle]\nkey_file = "cco.pem"\n{signers}', encoding="utf-8")
    path = tmp_path / "b.zip"
    write_bundle(small_bundle(), signers_of(load_settings(configuration)), path)
    entries = [
        trusted_key("kms", pem_of_private(PRIVATE), "operations"),
        trusted_key("cco", (tmp_path / "cco.pub.pem").read_text(encoding="ascii"), "cco"),
    ]
    assert verify(path, trusted_keys(entries, expires=EXPIRES)).verified
    configuration.write_text(f'[firm]\nname = "F"\n{signers.replace("kms.pub.pem", "gone.pem")}', encoding="utf-8")
    with pytest.raises(VerifierError):
        signers_of(load_settings(configuration))


@pytest.mark.parametrize(
    ("uri", "module", "flag", "extra"),
    [("awskms:k", _aws_signer, "AWS_IMPORT_ERROR", "aws"), ("gcpkms:k", _gcp_signer, "GCP_IMPORT_ERROR", "gcp")],
)
def test_a_library_that_is_missing_is_named_with_its_extra(
    uri: str, module: Any, flag: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, flag, "not there")
    with pytest.raises(SignerUnavailable, match=rf"install custody-verifier\[{extra}\]"):
        load_signer(uri, public_key_pem=pem("operations-1"))
