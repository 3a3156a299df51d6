"""The firm of the conformance folder: keys that are the same every time, and what its auditor trusts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from securesystemslib.signer import Signature, Signer, SSlibKey  # type: ignore[attr-defined]

from exports.public_keys import parse_public_key
from exports.trust import TrustedKeys, trusted_key, trusted_keys
from tests.exports.sample import CREATED, NOW

S = TypeVar("S", bound="FixedSigner")


class FixedSigner(Signer):
    """A signer with a key of a small number, whose signatures are always the same bytes. For nothing but tests."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> None:
        self._private_key = private_key
        encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        self.pem = private_key.public_key().public_bytes(encoding, form).decode("ascii")

    @property
    def public_key(self) -> SSlibKey:
        return parse_public_key(self.pem)

    @classmethod
    def from_priv_key_uri(cls: type[S], priv_key_uri: str, public_key: Any, secrets_handler: Any = None) -> S:
        raise NotImplementedError("made from a number, never from a URI")

    def sign(self, payload: bytes) -> Signature:
        key = self._private_key
        if isinstance(key, ed25519.Ed25519PrivateKey):
            signature = key.sign(payload)
        else:  # RFC 6979: no random number, so the same file every time
            signature = key.sign(payload, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        return Signature(self.public_key.keyid, signature.hex())


def by_number(number: int) -> FixedSigner:
    """An ECDSA P-256 signer, the default."""
    return FixedSigner(ec.derive_private_key(number, ec.SECP256R1()))


OPERATIONS: Final = by_number(0xC0FFEE)
CCO: Final = FixedSigner(ed25519.Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))
STRANGER: Final = by_number(0xBAD)
AUDITOR: Final = by_number(0xA0D17)
SIGNERS: Final = [OPERATIONS, CCO]
"""Two roles, one with ECDSA P-256 and one with Ed25519."""

TRUSTED: Final = "trusted-keys.json"
EXPIRES: Final = NOW + timedelta(days=90)


def trusting(*signers: tuple[str, FixedSigner], **changes: Any) -> TrustedKeys:
    """A reader's list of these signers, each in the role of its name."""
    keys = tuple(trusted_key(name, signer.pem, name) for name, signer in signers)
    return trusted_keys(keys, **{"expires": EXPIRES, **changes})


def revoked(since: datetime, *, compromised: bool) -> TrustedKeys:
    """The reader's list, in which the key of operations is revoked."""
    keys = trusting(("operations", OPERATIONS), ("cco", CCO))
    changed = tuple(
        replace(key, revoked_from=since, compromised=compromised) if key.role == "operations" else key
        for key in keys.keys
    )
    return replace(keys, keys=changed)


MOMENT: Final = timedelta(microseconds=1)

READERS: Final[dict[str, TrustedKeys]] = {
    TRUSTED: trusting(("operations", OPERATIONS), ("cco", CCO)),
    "trusted-keys-expired.json": trusting(("operations", OPERATIONS), ("cco", CCO), expires=NOW - timedelta(days=1)),
    "trusted-keys-of-another.json": trusting(("stranger", STRANGER)),
    "trusted-keys-auditor.json": trusting(("operations", OPERATIONS), ("cco", CCO), ("auditor", AUDITOR)),
    "trusted-keys-two-of-a-role.json": trusting(
        ("operations", OPERATIONS), ("operations", STRANGER), ("cco", CCO), thresholds={"operations": 2}
    ),
    "trusted-keys-revoked.json": revoked(CREATED, compromised=False),
    "trusted-keys-revoked-later.json": revoked(CREATED + MOMENT, compromised=False),
    "trusted-keys-compromised.json": revoked(CREATED + MOMENT, compromised=True),
}
"""The readers' files of trusted keys."""
