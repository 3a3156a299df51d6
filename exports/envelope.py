"""Signatures over a manifest: DSSE envelopes, one file for each signer.

DSSE signs the payload type together with the payload (its pre-authentication encoding), so a signature over
something else that happens to have the same bytes does not count. securesystemslib makes and checks single
signatures; the threshold is counted here, over different public keys.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError
from securesystemslib.signer import Signature  # type: ignore[attr-defined]

from exports.canonical import canonical_json, parse_canonical_object
from exports.errors import NotCanonical, SignatureInvalid, SignerUnavailable
from exports.keys import TrustedKeys, signer_key_id
from exports.manifest import PAYLOAD_TYPE

if TYPE_CHECKING:
    from securesystemslib.signer import Signer, SSlibKey  # type: ignore[attr-defined]

ENVELOPE_BYTES_MAX: Final = 6 * 1024 * 1024
"""Largest envelope read: the largest manifest in base64, and its signature."""
SIGNATURES_MAX: Final = 16
"""Most signature members of one bundle; all of them are held in memory."""
_FIELDS: Final = {"payload", "payloadType", "signatures"}


@dataclass(frozen=True, slots=True)
class SignedEnvelopes:
    """The signature members to add to a container."""

    key_ids: tuple[str, ...]
    members: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """Who signed a manifest, as far as the reader's own keys can tell."""

    accepted: tuple[str, ...]
    """Names of trusted keys whose signature counts."""
    not_counted: tuple[str, ...]
    """Signatures that do not count, and why: unknown key, revoked."""
    problems: tuple[str, ...]
    """Why the signatures do not suffice, or contradict; empty when they do suffice."""

    @property
    def compared(self) -> int:
        """How many signatures were looked at."""
        return len(self.accepted) + len(self.not_counted)


def signature_name(key_id: str) -> str:
    """Name of the member that holds the signature of a key."""
    return f"signatures/{key_id}.dsse.json"


def sign_manifest(manifest: bytes, signers: Sequence[Signer]) -> SignedEnvelopes:
    """One envelope from each signer. Raises `SignerUnavailable` when one gives none or none is given."""
    if not signers:
        raise SignerUnavailable("no signer is given; an unsigned bundle is not published")
    members: dict[str, bytes] = {}
    for signer in signers:
        key = signer.public_key
        own_id = signer_key_id(key)
        envelope = Envelope(manifest, PAYLOAD_TYPE, {})
        try:
            signature = envelope.sign(signer)
            key.verify_signature(signature, envelope.pae())  # a signer that signs wrongly is as good as down
        except Exception as error:  # noqa: BLE001 - signers raise errors of their own libraries
            raise SignerUnavailable(f"signer {own_id[:12]}: {type(error).__name__}") from None
        members[signature_name(own_id)] = envelope_bytes(manifest, own_id, bytes.fromhex(signature.signature))
    if len(members) != len(signers):
        raise SignerUnavailable("two signers use the same key")
    return SignedEnvelopes(tuple(sorted(name[11:75] for name in members)), members)


def envelope_bytes(payload: bytes, key_id: str, signature: bytes) -> bytes:
    """The canonical bytes of an envelope with one signature."""
    return canonical_json(
        {
            "payload": base64.b64encode(payload).decode("ascii"),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": key_id, "sig": base64.b64encode(signature).decode("ascii")}],
        }
    )


def parse_envelope(data: bytes) -> tuple[bytes, str, bytes]:
    """Payload, key id and signature of an envelope. Raises `SignatureInvalid`."""
    try:
        value = parse_canonical_object(data)
    except NotCanonical as error:
        raise SignatureInvalid(f"an envelope is not canonical: {error}") from error
    signatures = value.get("signatures")
    if set(value) != _FIELDS or not isinstance(signatures, list) or len(signatures) != 1:
        raise SignatureInvalid("an envelope has payload, payloadType and one signature, nothing else")
    if value["payloadType"] != PAYLOAD_TYPE:
        raise SignatureInvalid(f"the envelope signs a {str(value['payloadType'])[:80]!r}, not a manifest")
    signature = signatures[0]
    if not isinstance(signature, dict) or set(signature) != {"keyid", "sig"}:
        raise SignatureInvalid("a signature has keyid and sig, nothing else")
    key_id = signature["keyid"]
    if not isinstance(key_id, str):
        raise SignatureInvalid("keyid is not a string")
    return _decode(value["payload"]), key_id, _decode(signature["sig"])


def judge_signatures(
    manifest: bytes, envelopes: Mapping[str, bytes], keys: TrustedKeys, *, created_at: datetime
) -> SignatureVerdict:
    """Hold the envelopes (by the key id in their member name) against the reader's keys.

    Every envelope must sign these very bytes. A signature by a trusted key must be right; one by a key the
    reader does not know is named and not counted. Revocation of a key is judged at the bundle's `created_at`.
    """
    accepted: list[str] = []
    not_counted: list[str] = []
    problems: list[str] = []
    roles: set[str] = set()
    known = {key.key_id: key for key in keys.keys}
    for named_id, data in sorted(envelopes.items()):
        try:
            payload, key_id, signature = parse_envelope(data)
            if key_id != named_id:
                raise SignatureInvalid("the key id is not the one in the member's name")
            if payload != manifest:
                raise SignatureInvalid("the envelope signs another manifest")
        except SignatureInvalid as error:
            problems.append(f"signature {named_id[:12]}: {error}")
            continue
        key = known.get(key_id)
        if key is None:
            not_counted.append(f"{key_id[:12]} (not among the trusted keys)")
        elif not _signature_fits(key.verification_key(), manifest, key_id, signature):
            problems.append(f"the signature of {key.name!r} is wrong")
        elif key.revoked_from is not None and created_at >= key.revoked_from:
            not_counted.append(f"{key.name} (revoked from {key.revoked_from.isoformat()})")
        else:
            accepted.append(key.name or key_id[:12])
            roles.update(key.roles)
    if len(accepted) < keys.threshold:
        problems.append(f"{len(accepted)} trusted signatures, {keys.threshold} are needed")
    problems.extend(f"no signature in the role {role!r}" for role in keys.required_roles if role not in roles)
    return SignatureVerdict(tuple(accepted), tuple(not_counted), tuple(problems))


def _signature_fits(key: SSlibKey, payload: bytes, key_id: str, signature: bytes) -> bool:
    try:
        key.verify_signature(Signature(key_id, signature.hex()), Envelope(payload, PAYLOAD_TYPE, {}).pae())
    except (UnverifiedSignatureError, VerificationError):
        return False
    return True


def _decode(text: object) -> bytes:
    if not isinstance(text, str):
        raise SignatureInvalid("base64 text is missing")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureInvalid("not base64") from error
    if base64.b64encode(data).decode("ascii") != text:
        raise SignatureInvalid("not the one base64 spelling of its bytes")
    return data
