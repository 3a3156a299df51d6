"""Public keys: their ids, the kinds that are accepted, and whether a signature fits. Pure functions.

A key id is the SHA-256 of the public key's DER form (SubjectPublicKeyInfo): it is always computed from the key,
so two ids are two keys and one key cannot stand in a list twice.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError
from securesystemslib.signer import Key, Signature, SSlibKey  # type: ignore[attr-defined]

from exports.errors import TrustedKeysInvalid

RSA_BITS_MIN: Final = 2048
SCHEMES: Final = frozenset(
    {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ed25519", "rsassa-pss-sha256"}
)
"""Signature schemes accepted; ECDSA P-256 is the default because every signer has it."""


def key_id(public_key: PublicKeyTypes) -> str:
    """SHA-256 (hex) of the key's SubjectPublicKeyInfo in DER."""
    return hashlib.sha256(_der(public_key)).hexdigest()


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


def public_key_pem(key: Key) -> str:
    """PEM text of a signer's public key. Raises `TrustedKeysInvalid` for a kind that is not accepted."""
    public = getattr(key, "keyval", {}).get("public", "")
    if isinstance(key, SSlibKey) and key.keytype == "ed25519":  # kept as raw hex by securesystemslib
        raw = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        return pem_of(base64.b64encode(_der(raw)).decode("ascii"))
    parse_public_key(public)
    return str(public)


def signer_key_id(key: Key) -> str:
    """The id of a signer's public key, computed from the key and not taken from its word."""
    return parse_public_key(public_key_pem(key)).keyid


def pem_of(base64_der: str) -> str:
    """PEM text of the base64 of a key's DER form."""
    return f"-----BEGIN PUBLIC KEY-----\n{base64_der}\n-----END PUBLIC KEY-----\n"


def base64_of(pem: str) -> str:
    """Base64 of a public key's DER form, on one line. Raises `TrustedKeysInvalid`."""
    parse_public_key(pem)
    return base64.b64encode(_der(serialization.load_pem_public_key(pem.encode("ascii")))).decode("ascii")


def strict_base64(text: str) -> bytes | None:
    """The bytes of standard, padded base64 in its one spelling; None for any other text."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode("ascii") == text else None


def signed_bytes(payload: bytes, payload_type: str) -> bytes:
    """What is signed: DSSE's pre-authentication encoding, which binds the type and the bytes."""
    pae: bytes = Envelope(payload, payload_type, {}).pae()
    return pae


def signature_fits(key: SSlibKey, payload: bytes, payload_type: str, signature: bytes) -> bool:
    """Whether this is a signature of the key over the payload as this type."""
    try:
        key.verify_signature(Signature(key.keyid, signature.hex()), signed_bytes(payload, payload_type))
    except (UnverifiedSignatureError, VerificationError):
        return False
    return True


def _der(public_key: PublicKeyTypes) -> bytes:
    return public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
