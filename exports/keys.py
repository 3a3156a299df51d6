"""Signing keys by URI, and the reader's own file of trusted public keys.

A key id is the SHA-256 of the public key's DER form (SubjectPublicKeyInfo): it is always computed from the key,
so two ids are two keys and one key cannot stand in the list twice. Trusted keys come from the reader's own file
and from nowhere else; a bundle holds no key at all.
"""

from __future__ import annotations

import base64
import json
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from securesystemslib.signer import CryptoSigner, Key, Signer, SSlibKey  # type: ignore[attr-defined]

from chains.errors import InvalidValue
from chains.types import require_utc
from exports.canonical import parse_by_hand
from exports.codec import Code, Digest, PlainText, from_object, to_object
from exports.errors import BundleError, KeyRefused, NotCanonical, RecordInvalid, SignerUnavailable, TrustedKeysInvalid
from exports.manifest import digest_hex

TRUSTED_KEYS_FORMAT: Final = "custody-verifier-trusted-keys"
KEY_FILE_BYTES_MAX: Final = 64 * 1024
TRUSTED_KEYS_BYTES_MAX: Final = 1024 * 1024
RSA_BITS_MIN: Final = 2048
SCHEMES: Final = frozenset(
    {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ed25519", "rsassa-pss-sha256"}
)
"""Signature schemes accepted; ECDSA P-256 is the default because every signer has it."""

Passphrase = Callable[[str], str]
"""Asked for a secret by its name; the answer is used once and kept nowhere."""


def key_id(public_key: PublicKeyTypes) -> str:
    """SHA-256 (hex) of the key's SubjectPublicKeyInfo in DER."""
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return digest_hex(public_key.public_bytes(encoding, form))


def parse_public_key(pem: str) -> SSlibKey:
    """A verification key from its PEM text, its id computed from the key.

    Raises `TrustedKeysInvalid` for anything but ECDSA P-256/384/521, Ed25519 and RSA of at least 2048 bits.
    """
    try:
        public_key = serialization.load_pem_public_key(pem.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise TrustedKeysInvalid("a public key is not PEM text of a known kind") from error
    if isinstance(public_key, rsa.RSAPublicKey) and public_key.key_size < RSA_BITS_MIN:
        raise TrustedKeysInvalid(f"an RSA key has fewer than {RSA_BITS_MIN} bits")
    if not isinstance(public_key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        raise TrustedKeysInvalid("a public key is of a kind that is not accepted")
    try:
        key = SSlibKey.from_crypto(public_key, keyid=key_id(public_key))
    except ValueError as error:
        raise TrustedKeysInvalid("a public key is on a curve that is not accepted") from error
    if key.scheme not in SCHEMES:
        raise TrustedKeysInvalid(f"scheme {key.scheme} is not accepted")
    return key


def signer_key_id(key: Key) -> str:
    """The id of a signer's public key, computed from the key and not taken from its word."""
    public = getattr(key, "keyval", {}).get("public", "")
    if isinstance(key, SSlibKey) and key.keytype == "ed25519":  # kept as raw hex by securesystemslib
        return key_id(ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)))
    return parse_public_key(public).keyid


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """One public key the reader trusts, and for what."""

    key_id: Digest
    name: PlainText
    roles: tuple[Code, ...]
    """For example `operations`, `cco`, `auditor`; ascending."""
    public_key: PlainText
    """Base64 of the key's SubjectPublicKeyInfo in DER: the middle of its PEM text, on one line."""
    revoked_from: datetime | None
    """Signatures on bundles created at or after this moment do not count."""

    def __post_init__(self) -> None:
        if list(self.roles) != sorted(set(self.roles)):
            raise InvalidValue("roles are not ascending")

    def verification_key(self) -> SSlibKey:
        """The key itself. Raises `TrustedKeysInvalid` when the id is not the key's own."""
        key = parse_public_key(f"-----BEGIN PUBLIC KEY-----\n{self.public_key}\n-----END PUBLIC KEY-----\n")
        if key.keyid != self.key_id:
            raise TrustedKeysInvalid(f"key {self.name!r}: the key id is not the SHA-256 of the key")
        return key


@dataclass(frozen=True, slots=True)
class TrustedKeys:
    """The reader's own list of keys, and how many of them must have signed."""

    format: str
    version: int
    """Rises with every change; a reader never goes back."""
    expires: datetime
    threshold: int
    """How many different keys must have signed."""
    required_roles: tuple[Code, ...]
    """Roles of which each must be held by at least one key that signed."""
    keys: tuple[TrustedKey, ...]

    def __post_init__(self) -> None:
        if self.format != TRUSTED_KEYS_FORMAT:
            raise InvalidValue(f"the format is not {TRUSTED_KEYS_FORMAT}")
        if self.version < 1:
            raise InvalidValue("the version counts from 1")
        require_utc(self.expires, "expires")
        if len({key.key_id for key in self.keys}) != len(self.keys):
            raise InvalidValue("a key is listed twice")
        if self.threshold < 1:
            raise InvalidValue("the threshold is at least 1")
        if self.threshold > len(self.keys):
            raise InvalidValue(f"a threshold of {self.threshold} cannot be reached with {len(self.keys)} keys")
        if missing := set(self.required_roles) - {role for key in self.keys for role in key.roles}:
            raise InvalidValue(f"no key has the required role {min(missing)}")
        for key in self.keys:
            key.verification_key()

    @staticmethod
    def parse(data: bytes, *, version_min: int = 1) -> TrustedKeys:
        """Read the file's bytes: JSON, laid out as people like. Raises `TrustedKeysInvalid`.

        `version_min` is the highest version the reader has used before: an older file is a rollback.
        """
        try:
            keys = from_object(TrustedKeys, parse_by_hand(data))
        except NotCanonical as error:
            raise TrustedKeysInvalid(f"trusted keys: {error}") from error
        except RecordInvalid as error:
            raise TrustedKeysInvalid(str(error)) from error
        if keys.version < version_min:
            raise TrustedKeysInvalid(f"version {keys.version} is older than version {version_min}, used before")
        return keys

    @staticmethod
    def load(path: Path, *, version_min: int = 1) -> TrustedKeys:
        """Read the reader's own file."""
        try:
            with path.open("rb") as file:
                data = file.read(TRUSTED_KEYS_BYTES_MAX + 1)
        except OSError as error:
            raise TrustedKeysInvalid(f"{path.name}: {error.strerror or 'cannot be read'}") from error
        if len(data) > TRUSTED_KEYS_BYTES_MAX:
            raise TrustedKeysInvalid(f"{path.name}: larger than {TRUSTED_KEYS_BYTES_MAX} bytes")
        return TrustedKeys.parse(data, version_min=version_min)

    def to_bytes(self) -> bytes:
        """The file's content: indented JSON, for people may read and edit it."""
        return json.dumps(to_object(self), ensure_ascii=False, indent=2).encode() + b"\n"

    def require_current(self, now: datetime) -> None:
        """Raise `TrustedKeysInvalid` when the list has expired at the stated time."""
        if now >= self.expires:
            raise TrustedKeysInvalid(f"the list expired at {self.expires.isoformat()}; get the current one")


def trusted_key(name: str, public_key_pem: str, roles: tuple[str, ...] = ()) -> TrustedKey:
    """An entry for a trusted-keys file from a public key in PEM."""
    key = parse_public_key(public_key_pem)
    der = serialization.load_pem_public_key(public_key_pem.encode("ascii")).public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    text = base64.b64encode(der).decode("ascii")
    return TrustedKey(key.keyid, name, tuple(sorted(set(roles))), text, None)


def trusted_keys(
    keys: tuple[TrustedKey, ...],
    *,
    expires: datetime,
    threshold: int = 1,
    version: int = 1,
    required_roles: tuple[str, ...] = (),
) -> TrustedKeys:
    """A list of trusted keys. Raises `TrustedKeysInvalid` when it cannot be satisfied."""
    try:
        return TrustedKeys(TRUSTED_KEYS_FORMAT, version, expires, threshold, required_roles, keys)
    except InvalidValue as error:
        raise TrustedKeysInvalid(str(error)) from error


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
    except Exception as error:  # noqa: BLE001 - signers raise errors of their own libraries; none may show the URI
        raise SignerUnavailable(f"signer of kind {scheme[:20]!r}: {type(error).__name__}") from None


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
