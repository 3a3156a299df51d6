"""Signatures over a manifest: DSSE envelopes, one file for each signer.

DSSE signs the payload type together with the payload (its pre-authentication encoding), so a signature over
something else that happens to have the same bytes does not count. securesystemslib makes and checks single
signatures; who they count for is decided in `exports.trust`, over different public keys.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from exports.canonical import canonical_json, parse_canonical_object
from exports.errors import NotCanonical, SignatureInvalid, SignerUnavailable
from exports.keys import sign_payload
from exports.manifest import PAYLOAD_TYPE
from exports.public_keys import signature_fits, strict_base64
from exports.trust import ROOT, RoleCount, TrustedKey, TrustedKeys, count_roles

if TYPE_CHECKING:
    from securesystemslib.signer import Signer  # type: ignore[attr-defined]

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
    """Signatures that contradict: wrong, malformed, or over something else."""
    roles: tuple[RoleCount, ...]
    """Role by role, how many different keys signed, and how many must."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Required roles of which too few signed; empty when the signatures suffice."""
        return tuple(f"role {count.text()}" for count in self.roles if count.required and not count.is_met)

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
        own_id, signature = sign_payload(manifest, PAYLOAD_TYPE, signer)
        members[signature_name(own_id)] = envelope_bytes(manifest, own_id, signature)
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
    manifest: bytes,
    envelopes: Mapping[str, bytes],
    keys: TrustedKeys,
    *,
    created_at: datetime,
    stamped_at: datetime | None = None,
    also_required: Collection[str] = (),
) -> SignatureVerdict:
    """Hold the envelopes (by the key id in their member name) against the reader's keys.

    Every envelope must sign these very bytes. A signature by a trusted key must be right; one by a key the
    reader does not know is named and not counted. Revocation is judged at the bundle's `created_at`, of a compromised
    key at `stamped_at`, when a trusted time stamp shows the bundle to have existed. `also_required` are roles
    this reader asks for besides those of the list.
    """
    counted: list[TrustedKey] = []
    not_counted: list[str] = []
    problems: list[str] = []
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
        elif not signature_fits(key.verification_key(), manifest, PAYLOAD_TYPE, signature):
            problems.append(f"the signature of {key.name!r} is wrong")
        elif key.role == ROOT:
            not_counted.append(f"{key.name} (a root key signs lists, no bundle)")
        elif (reason := key.why_not(created_at, stamped_at)) is not None:
            not_counted.append(f"{key.name} ({reason})")
        else:
            counted.append(key)
    names = tuple(key.name or key.key_id[:12] for key in counted)
    roles = count_roles(keys, counted, also_required)
    return SignatureVerdict(names, tuple(not_counted), tuple(problems), roles)


def _decode(text: object) -> bytes:
    if not isinstance(text, str):
        raise SignatureInvalid("base64 text is missing")
    data = strict_base64(text)
    if data is None:
        raise SignatureInvalid("not base64 in the one spelling of its bytes")
    return data
