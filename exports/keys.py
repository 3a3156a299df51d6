"""Signing keys by URI, key files, and the reader's own file of trusted public keys.

Trusted keys come from the reader's own file and from nowhere else; a bundle holds no key at all. What a list of them
means is decided in `exports.trust`.
"""

from __future__ import annotations

import base64
import logging
import os
import secrets
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from securesystemslib.exceptions import UnsupportedLibraryError
from securesystemslib.signer import CryptoSigner, Signer  # type: ignore[attr-defined]

from exports.errors import BundleError, KeyListNotWritten, KeyRefused, SignerUnavailable, TrustedKeysInvalid
from exports.public_keys import parse_public_key, public_key_pem, signed_bytes, signer_key_id
from exports.trust import LIST_TYPE, ListSignature, TrustedKeys

# Its signers of key services log the service's answers, and the error text, at levels that are shown by default.
logging.getLogger("securesystemslib").setLevel(logging.CRITICAL)

KEY_FILE_BYTES_MAX: Final = 64 * 1024
TRUSTED_KEYS_BYTES_MAX: Final = 1024 * 1024

EXTRAS: Final = {"hsm": "hsm", "awskms": "aws", "gcpkms": "gcp", "azurekms": "azure", "hv": "vault"}
"""The extra of this distribution that brings the library for a kind of signer."""

Passphrase = Callable[[str], str]
"""Asked for a secret by its name; the answer is used once and kept nowhere."""


def load_trusted_keys(path: Path, *, version_min: int = 1, finished: bool = True) -> TrustedKeys:
    """Read a list of trusted keys from a file, as `TrustedKeys.parse` does. Raises `TrustedKeysInvalid`."""
    try:
        with path.open("rb") as file:
            data = file.read(TRUSTED_KEYS_BYTES_MAX + 1)
    except OSError as error:
        raise TrustedKeysInvalid(f"{path.name}: {error.strerror or 'cannot be read'}") from error
    if len(data) > TRUSTED_KEYS_BYTES_MAX:
        raise TrustedKeysInvalid(f"{path.name}: larger than {TRUSTED_KEYS_BYTES_MAX} bytes")
    return TrustedKeys.parse(data, version_min=version_min, finished=finished)


def write_list(path: Path, keys: TrustedKeys, *, replace: bool = False) -> None:
    """Write a list to a new file; with `replace` in the place of the one there, in one step.

    Raises `KeyListNotWritten`.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.partial")
    try:
        if not replace and path.exists():
            raise KeyListNotWritten(f"{path.name} exists already and was not overwritten")
        try:
            with temporary.open("xb") as file:
                file.write(keys.to_bytes())
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise KeyListNotWritten(f"{path.name}: {error.strerror or 'cannot be written'}") from error


def sign_list(keys: TrustedKeys, signers: Sequence[Signer]) -> TrustedKeys:
    """The list with a signature of each signer more. Raises `SignerUnavailable` when one gives none."""
    payload = keys.payload()
    made = []
    for signer in signers:
        own_id, signature = sign_payload(payload, LIST_TYPE, signer)
        made.append(ListSignature(own_id, base64.b64encode(signature).decode("ascii")))
    return keys.signed_with(made)


def sign_payload(payload: bytes, payload_type: str, signer: Signer) -> tuple[str, bytes]:
    """The signer's key id, computed from its public key, and its signature over DSSE's encoding of the payload.

    Raises `SignerUnavailable` when it gives none, or one that its own public key does not verify.
    """
    key = signer.public_key
    own_id = signer_key_id(key)
    message = signed_bytes(payload, payload_type)
    try:
        signature = signer.sign(message)
        key.verify_signature(signature, message)  # a signer that signs wrongly is as good as down
        return own_id, bytes.fromhex(signature.signature)
    except Exception as error:  # noqa: BLE001 - signers raise errors of their own libraries
        raise SignerUnavailable(f"signer {own_id[:12]}: {type(error).__name__}") from None


def create_key_pair(private_path: Path, passphrase: str | None = None) -> str:
    """Make an ECDSA P-256 key; write it to a new file of mode 0600 and return the public key in PEM.

    The file is PKCS#8 PEM, encrypted when a passphrase is given. An existing file is never replaced
    (`KeyRefused`).
    """
    private_key = ec.generate_private_key(ec.SECP256R1())
    encryption = (
        serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    )
    pem = private_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    write_private_file(private_path, pem)
    public_pem = private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return public_pem.decode("ascii")


def load_signer(uri: str, *, public_key_pem: str | None = None, passphrase: Passphrase | None = None) -> Signer:
    """A signer by securesystemslib URI: `file2:PATH` for a PEM file, `hsm:`, `awskms:`, `gcpkms:`, … for others.

    For a key file the public key is computed, and checked against `public_key_pem` when that is given; the
    others need it. `passphrase` is asked only when the key needs one. Raises `KeyRefused` for a key file that is
    a link, not the user's own or open to others, and `SignerUnavailable` when another signer cannot be opened.
    """
    scheme, _, rest = uri.partition(":")
    if scheme == "file2":
        return _file_signer(Path(rest), public_key_pem, passphrase)
    if public_key_pem is None:
        raise SignerUnavailable(f"a signer of kind {scheme[:20]!r} needs its public key")
    public_key = parse_public_key(public_key_pem)
    try:
        return Signer.from_priv_key_uri(uri, public_key, passphrase)
    except UnsupportedLibraryError:
        extra = EXTRAS.get(scheme, "")
        install = f": install custody-verifier[{extra}]" if extra else ""
        raise SignerUnavailable(
            f"signer of kind {scheme[:20]!r} needs a library that is not installed{install}"
        ) from None
    except Exception as error:  # noqa: BLE001 - signers raise errors of their own libraries; none may show the URI
        raise SignerUnavailable(f"signer of kind {scheme[:20]!r}: {type(error).__name__}") from None


def device_public_key(uri: str) -> str:
    """PEM text of the public key that a PKCS#11 device holds: `hsm:ID?label=TOKEN`. Raises `SignerUnavailable`."""
    from urllib.parse import parse_qsl, urlparse

    from securesystemslib.signer import HSMSigner  # type: ignore[attr-defined]

    parts = urlparse(uri)
    try:
        label = dict(parse_qsl(parts.query)).get("label")
        _, key = HSMSigner.import_(int(parts.path) if parts.path else None, label)
    except UnsupportedLibraryError:
        raise SignerUnavailable(
            "signer of kind 'hsm' needs a library that is not installed: install custody-verifier[hsm]"
        ) from None
    except Exception as error:  # noqa: BLE001 - the device's library raises errors of its own
        raise SignerUnavailable(f"signer of kind 'hsm': {type(error).__name__}") from None
    return public_key_pem(key)


def _file_signer(path: Path, public_key_pem: str | None, passphrase: Passphrase | None) -> Signer:
    pem = read_private_file(path)
    try:
        private_key = serialization.load_pem_private_key(pem, None)
    except TypeError:  # the key is encrypted
        if passphrase is None:
            raise KeyRefused(f"{path.name}: the key has a passphrase and none was given") from None
        try:
            private_key = serialization.load_pem_private_key(pem, passphrase("passphrase").encode())
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise KeyRefused(f"{path.name}: wrong passphrase or damaged key") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyRefused(f"{path.name}: not a private key in PEM") from None
    try:
        computed = private_key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        key = parse_public_key(computed.decode("ascii"))
        signer = CryptoSigner(private_key, key)
    except (BundleError, ValueError, AttributeError):
        raise KeyRefused(f"{path.name}: a kind of key that is not accepted") from None
    if public_key_pem is not None and parse_public_key(public_key_pem).keyid != key.keyid:
        raise KeyRefused(f"{path.name}: not the private part of the given public key")
    return signer


def write_private_file(path: Path, data: bytes) -> None:
    """Write a new file of mode 0600 and flush it; an existing file is never replaced (`KeyRefused`)."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise KeyRefused(f"{path.name}: {error.strerror or 'cannot be written'}") from error


def read_private_file(path: Path) -> bytes:
    """The bytes of a file that is the user's alone; what is checked is what is read, because both use one open file.

    Raises `KeyRefused` for a link, a file of somebody else, and one open to others.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise KeyRefused(f"{path.name}: not a regular file")
            if hasattr(os, "getuid"):  # Windows has neither owner nor mode bits that mean this
                if status.st_mode & 0o077:
                    raise KeyRefused(f"{path.name}: open to others (mode {stat.S_IMODE(status.st_mode):04o})")
                if status.st_uid != os.getuid():
                    raise KeyRefused(f"{path.name}: belongs to another user")
            return file.read(KEY_FILE_BYTES_MAX)
    except OSError as error:
        raise KeyRefused(f"{path.name}: {error.strerror or 'cannot be read'}") from None
