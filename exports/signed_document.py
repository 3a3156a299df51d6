"""One document, signed: a DSSE envelope that carries it, with a signature of each signer over its type and bytes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from exports.canonical import canonical_json, parse_canonical_object
from exports.errors import NotCanonical, SignatureInvalid, SignerUnavailable
from exports.keys import sign_payload
from exports.public_keys import signature_fits
from exports.trust import ROOT, TrustedKey, TrustedKeys, count_roles

if TYPE_CHECKING:
    from securesystemslib.signer import Signer  # type: ignore[attr-defined]

DOCUMENT_BYTES_MAX: Final = 64 * 1024 * 1024
SIGNATURES_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """A document whose signatures were looked at with the reader's own keys."""

    document: bytes
    accepted: tuple[str, ...]
    """Names of trusted keys whose signature counts."""
    not_counted: tuple[str, ...]
    """Signatures that do not count, and why."""
    missing: tuple[str, ...]
    """Required roles of which too few signed; empty when the signatures suffice."""


def sign_document(document: bytes, payload_type: str, signers: Sequence[Signer]) -> bytes:
    """The envelope. Raises `SignerUnavailable` when no signer is given, one gives nothing or two use one key."""
    if not signers:
        raise SignerUnavailable("no signer is given; an unsigned report is not published")
    signed = dict(sign_payload(document, payload_type, each) for each in signers)
    if len(signed) != len(signers):
        raise SignerUnavailable("two signers use the same key")
    return canonical_json(
        {
            "payload": base64.b64encode(document).decode("ascii"),
            "payloadType": payload_type,
            "signatures": [
                {"keyid": key_id, "sig": base64.b64encode(signed[key_id]).decode("ascii")} for key_id in sorted(signed)
            ],
        }
    )


def read_signed(envelope: bytes, payload_type: str, keys: TrustedKeys, created_at: str) -> SignedDocument:
    """The document of an envelope and who signed it, judged by the reader's keys.

    `created_at` names the field of the document with the moment at which revocation of keys is judged. Raises
    `SignatureInvalid` for anything but an envelope of this type, and for a wrong signature of a trusted key.
    """
    document, signatures = _parse(envelope, payload_type)
    moment = _moment(document, created_at)
    known = {key.key_id: key for key in keys.keys}
    counted: list[TrustedKey] = []
    not_counted: list[str] = []
    for key_id, signature in signatures:
        key = known.get(key_id)
        if key is None:
            not_counted.append(f"{key_id[:12]} (not among the trusted keys)")
        elif not signature_fits(key.verification_key(), document, payload_type, signature):
            raise SignatureInvalid(f"the signature of {key.name!r} is wrong")
        elif key.role == ROOT:
            not_counted.append(f"{key.name} (a root key signs lists alone)")
        elif (reason := key.why_not(moment, None)) is not None:
            not_counted.append(f"{key.name} ({reason})")
        else:
            counted.append(key)
    roles = count_roles(keys, counted)
    missing = [f"role {each.text()}" for each in roles if each.required and not each.is_met]
    if not counted and not missing:
        missing.append("no trusted key signed")
    names = tuple(key.name or key.key_id[:12] for key in counted)
    return SignedDocument(document, names, tuple(not_counted), tuple(missing))


def _parse(envelope: bytes, payload_type: str) -> tuple[bytes, list[tuple[str, bytes]]]:
    if len(envelope) > DOCUMENT_BYTES_MAX:
        raise SignatureInvalid(f"larger than {DOCUMENT_BYTES_MAX} bytes")
    try:
        value: dict[str, Any] = parse_canonical_object(envelope)
    except NotCanonical as error:
        raise SignatureInvalid(f"the envelope is not canonical: {error}") from error
    found = value.get("signatures")
    if set(value) != {"payload", "payloadType", "signatures"} or not isinstance(found, list):
        raise SignatureInvalid("an envelope has payload, payloadType and signatures, nothing else")
    if value["payloadType"] != payload_type:
        raise SignatureInvalid(f"the envelope signs a {str(value['payloadType'])[:80]!r}, not a {payload_type}")
    if not 0 < len(found) <= SIGNATURES_MAX:
        raise SignatureInvalid(f"an envelope has 1 to {SIGNATURES_MAX} signatures")
    signatures = []
    for each in found:
        if not isinstance(each, dict) or set(each) != {"keyid", "sig"} or not isinstance(each["keyid"], str):
            raise SignatureInvalid("a signature has keyid and sig, nothing else")
        signatures.append((each["keyid"], _decoded(each["sig"])))
    if len({key_id for key_id, _ in signatures}) != len(signatures):
        raise SignatureInvalid("a key signed twice")
    return _decoded(value["payload"]), signatures


def _moment(document: bytes, name: str) -> datetime:
    try:
        return datetime.fromisoformat(str(parse_canonical_object(document)[name]))
    except (NotCanonical, KeyError, ValueError) as error:
        raise SignatureInvalid(f"the document does not say when it was made ({name})") from error


def _decoded(text: object) -> bytes:
    try:
        data = base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureInvalid("not base64") from error
    if base64.b64encode(data).decode("ascii") != text:
        raise SignatureInvalid("not the one base64 spelling of its bytes")
    return data
