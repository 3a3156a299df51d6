"""Keys and lists of trusted keys for tests: made once, named by number."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from securesystemslib.signer import CryptoSigner, Signer  # type: ignore[attr-defined]

from exports.keys import sign_list
from exports.public_keys import parse_public_key
from exports.trust import ROOT, TrustedKey, TrustedKeys, trusted_key, trusted_keys
from tests.exports.sample import NOW

EXPIRES = NOW + timedelta(days=90)


@cache
def _pair(name: str) -> tuple[Signer, str]:
    private = ec.generate_private_key(ec.SECP256R1())
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    pem = private.public_key().public_bytes(encoding, form).decode("ascii")
    return CryptoSigner(private, parse_public_key(pem)), pem


def signer(name: str) -> Signer:
    """The signer of this name: the same one every time."""
    return _pair(name)[0]


def pem(name: str) -> str:
    """Its public key."""
    return _pair(name)[1]


def entry(name: str, role: str | None = None) -> TrustedKey:
    """Its entry in a list; `root-1` has the role `root`, `cco-2` the role `cco`."""
    return trusted_key(name, pem(name), role or name.partition("-")[0])


def draft(*names: str, root: int = 1, version: int = 1, **changes: Any) -> TrustedKeys:
    """An unsigned list of these keys, with a threshold of root keys."""
    thresholds = {ROOT: root, **changes.pop("thresholds", {})}
    settings = {"expires": EXPIRES, "thresholds": thresholds, "version": version, **changes}
    return trusted_keys([entry(name) for name in names], **settings)


def signed(keys: TrustedKeys, *names: str) -> TrustedKeys:
    """The list signed by these keys."""
    return sign_list(keys, [signer(name) for name in names])
