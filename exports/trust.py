"""Whom a reader trusts: the list of keys by role, how one list follows another, and what counts. Rules without I/O.

    TrustedKeys      one version of the list: keys, each in one role; how many of each role must sign; when it ends
    follow           whether a newer list may take the place of the one the reader holds
    count_roles      which of the keys that signed a bundle count, role by role

The rules of succession are those of TUF's root role: the next version is one higher, and signed by enough root keys
of the list before it and by enough of its own; versions in between may have expired, the last must not have. A list
without root keys is a reader's own: nothing can follow it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]

from chains.errors import InvalidValue
from chains.types import require_utc
from exports.canonical import canonical_json, parse_by_hand
from exports.codec import Code, Digest, PlainText, from_object, to_object
from exports.errors import NotCanonical, RecordInvalid, TrustedKeysInvalid
from exports.public_keys import base64_of, parse_public_key, pem_of, signature_fits, strict_base64

TRUSTED_KEYS_FORMAT: Final = "custody-verifier-trusted-keys"
LIST_TYPE: Final = "application/vnd.custody-verifier.trusted-keys+json"
"""DSSE payload type of a list: a signature over a list is none over a bundle."""
ROOT: Final = "root"
"""The role whose keys sign lists of trusted keys, and nothing else."""
AUDITOR: Final = "auditor"
"""The role of counter-signatures: somebody outside the firm verified the bundle."""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """One public key the reader trusts, and for what."""

    key_id: Digest
    name: PlainText
    role: Code
    """For example `operations`, `cco`, `auditor`, `root`. A key has one role; who has two roles has two keys."""
    public_key: PlainText
    """Base64 of the key's SubjectPublicKeyInfo in DER: the middle of its PEM text, on one line."""
    revoked_from: datetime | None
    """From this moment its signatures do not count."""
    compromised: bool
    """Somebody else may have the key: only bundles that a trusted time stamp shows to be older count."""

    def __post_init__(self) -> None:
        if self.compromised and self.revoked_from is None:
            raise InvalidValue("a compromised key has a moment from which it is revoked")

    def verification_key(self) -> SSlibKey:
        """The key itself. Raises `TrustedKeysInvalid` when the id is not its own, or it is spelled in another way.

        A key has several DER forms (a compressed point, an RSA key that names PSS), and PEM forgives spaces: only the
        one form counts whose SHA-256 is the id, so that every verifier reads the same list.
        """
        key = parse_public_key(pem_of(self.public_key))
        if key.keyid != self.key_id:
            raise TrustedKeysInvalid(f"key {self.name!r}: the key id is not the SHA-256 of the key")
        der = strict_base64(self.public_key)
        if der is None or hashlib.sha256(der).hexdigest() != self.key_id:
            raise TrustedKeysInvalid(f"key {self.name!r}: the public key is not in its one spelling")
        return key

    def why_not(self, created_at: datetime, stamped_at: datetime | None) -> str | None:
        """Why its signature on a bundle does not count; None when it does.

        `created_at` is the bundle's own word, which whoever stole a key writes as they like; `stamped_at` is the
        earliest moment that a trusted time stamp shows the bundle to have existed at, None without one.
        """
        if self.revoked_from is None:
            return None
        since = self.revoked_from.isoformat()
        if not self.compromised:
            return None if created_at < self.revoked_from else f"revoked from {since}"
        if stamped_at is None:
            return f"compromised from {since}, and no trusted time stamp shows that the bundle is older"
        return None if stamped_at < self.revoked_from else f"compromised from {since}"


@dataclass(frozen=True, slots=True)
class Role:
    """How many different keys of a role must have signed."""

    name: Code
    threshold: int
    required: bool
    """Whether a bundle without enough signatures of this role is refused; never of `root`, which signs no bundle."""


@dataclass(frozen=True, slots=True)
class ListSignature:
    """The signature of a root key over a list."""

    key_id: Digest
    signature: str
    """Base64 in its one spelling; over DSSE's encoding of the list without its signatures, in canonical JSON."""


@dataclass(frozen=True, slots=True)
class TrustedKeys:
    """One version of a list of trusted keys. A reader's own file holds one."""

    format: str
    version: int
    """Rises by one with every change; a reader never goes back."""
    expires: datetime
    roles: tuple[Role, ...]
    """Ascending by name."""
    keys: tuple[TrustedKey, ...]
    signatures: tuple[ListSignature, ...]
    """Of root keys, ascending by key id. None in a list without root keys."""

    def __post_init__(self) -> None:
        if self.format != TRUSTED_KEYS_FORMAT:
            raise InvalidValue(f"the format is not {TRUSTED_KEYS_FORMAT}")
        if self.version < 1:
            raise InvalidValue("the version counts from 1")
        require_utc(self.expires, "expires")
        for what, names in (
            ("roles", [role.name for role in self.roles]),
            ("signatures", [each.key_id for each in self.signatures]),
        ):
            if names != sorted(set(names)):
                raise InvalidValue(f"the {what} are not ascending, each once")
        if len({key.key_id for key in self.keys}) != len(self.keys):
            raise InvalidValue("a key is listed twice")
        _check_roles(self)
        for key in self.keys:
            key.verification_key()

    @staticmethod
    def parse(data: bytes, *, version_min: int = 1, finished: bool = True) -> TrustedKeys:
        """Read a list: JSON, laid out as people like. Raises `TrustedKeysInvalid`.

        `version_min` is the highest version the reader has used before: an older one is a rollback. With `finished`
        a list with root keys must be signed by enough of them; without, it may be a draft.
        """
        try:
            keys = from_object(TrustedKeys, parse_by_hand(data))
        except NotCanonical as error:
            raise TrustedKeysInvalid(f"trusted keys: {error}") from error
        except RecordInvalid as error:
            raise TrustedKeysInvalid(str(error)) from error
        if keys.version < version_min:
            raise TrustedKeysInvalid(f"version {keys.version} is older than version {version_min}, used before")
        if finished:
            keys.require_signed()
        return keys

    def to_bytes(self) -> bytes:
        """The file's content: indented JSON, for people read it."""
        return json.dumps(to_object(self), ensure_ascii=False, indent=2).encode() + b"\n"

    def payload(self) -> bytes:
        """What root keys sign: the list without its signatures, in canonical JSON."""
        value = to_object(self)
        del value["signatures"]
        return canonical_json(value)

    def of_role(self, name: str) -> tuple[TrustedKey, ...]:
        """The keys of a role."""
        return tuple(key for key in self.keys if key.role == name)

    def role(self, name: str) -> Role | None:
        """A role by its name."""
        return next((role for role in self.roles if role.name == name), None)

    def require_signed(self) -> None:
        """Raise `TrustedKeysInvalid` when a list with root keys is not signed by enough of its own."""
        if self.role(ROOT) is not None:
            _require_root(self, self, "its own")

    def require_current(self, now: datetime) -> None:
        """Raise `TrustedKeysInvalid` when the list has expired at the stated time."""
        if now >= self.expires:
            raise TrustedKeysInvalid(f"the list expired at {self.expires.isoformat()}; get the current one")

    def signed_with(self, signatures: Iterable[ListSignature]) -> TrustedKeys:
        """The list with more signatures; one of the same key is replaced. Raises `TrustedKeysInvalid` for a wrong one.

        Signatures of keys that are not root keys here are kept: they may be root keys of the list before.
        """
        known = {each.key_id: each for each in self.signatures}
        for each in signatures:
            known[each.key_id] = each
        signed = replace(self, signatures=tuple(known[key] for key in sorted(known)))
        _right_signers(signed, self.of_role(ROOT))
        return signed


def follow(held: TrustedKeys, newer: TrustedKeys) -> TrustedKeys:
    """The newer list, when it may take the place of the one held. Raises `TrustedKeysInvalid` when it may not.

    Expiry is not judged here: a reader who was away follows expired versions up to the current one, and
    `TrustedKeys.require_current` judges the last.
    """
    if held.role(ROOT) is None:
        raise TrustedKeysInvalid("the list that is held has no root keys, so nothing can follow it")
    if newer.version <= held.version:
        raise TrustedKeysInvalid(f"version {newer.version} does not follow version {held.version}: lists never go back")
    if newer.version != held.version + 1:
        raise TrustedKeysInvalid(f"version {held.version + 1} lies between and was not given")
    if newer.role(ROOT) is None:
        raise TrustedKeysInvalid(f"version {newer.version} has no root keys")
    _require_root(newer, held, f"version {held.version}'s")
    _require_root(newer, newer, "its own")
    _keep_revocations(held, newer)
    return newer


def follow_all(held: TrustedKeys, newer: Iterable[TrustedKeys], now: datetime) -> TrustedKeys:
    """The last of the lists, each following the one before; the last must not have expired.

    Versions that are held already are passed over when they are not above the held one, so a whole folder can be given;
    the held version itself must then be the very same list. Raises `TrustedKeysInvalid`.
    """
    current = held
    for each in sorted(newer, key=lambda keys: keys.version):
        if each.version == current.version and each.payload() != current.payload():
            raise TrustedKeysInvalid(f"there are two different lists of version {each.version}")
        if each.version > current.version:
            current = follow(current, each)
    current.require_current(now)
    return current


def unreachable(keys: TrustedKeys) -> list[str]:
    """Required roles that too few unrevoked keys are left of, so that no bundle made from now on can verify."""
    return [
        role.name
        for role in keys.roles
        if role.required and sum(key.revoked_from is None for key in keys.of_role(role.name)) < role.threshold
    ]


@dataclass(frozen=True, slots=True)
class RoleCount:
    """How many different keys of a role signed a bundle."""

    role: str
    threshold: int
    required: bool
    signed: tuple[str, ...]
    """Names of the keys whose signature counts."""

    @property
    def is_met(self) -> bool:
        """Whether enough of them did."""
        return len(self.signed) >= self.threshold

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "role": self.role,
            "required": self.required,
            "threshold": self.threshold,
            "signed": len(self.signed),
            "by": list(self.signed),
        }

    def text(self) -> str:
        """In words: `operations 1 of 1 (desk key)`."""
        by = f" ({', '.join(self.signed)})" if self.signed else ""
        rest = "" if self.required else ", not required"
        return f"{self.role} {len(self.signed)} of {self.threshold}{by}{rest}"


def count_roles(
    keys: TrustedKeys, signed: Collection[TrustedKey], also_required: Collection[str] = ()
) -> tuple[RoleCount, ...]:
    """Role by role, the different keys among those whose signature counts. `root` signs no bundle.

    `also_required` are roles that this reader asks for besides those the list requires; one that the list does not
    have, or that signs no bundle, is counted as missing.
    """
    wanted = [role for role in keys.roles if role.name != ROOT]
    asked = {role.name for role in wanted}
    wanted += [Role(name, 1, required=True) for name in sorted(set(also_required) - asked)]
    counts = []
    for role in wanted:
        counts_here = role.name != ROOT
        found = {key.key_id: key.name or key.key_id[:12] for key in signed if counts_here and key.role == role.name}
        names = tuple(found[each] for each in sorted(found, key=lambda each: (found[each], each)))
        counts.append(RoleCount(role.name, role.threshold, role.required or role.name in also_required, names))
    return tuple(counts)


def trusted_key(name: str, public_key_pem: str, role: str) -> TrustedKey:
    """An entry for a list from a public key in PEM."""
    return TrustedKey(parse_public_key(public_key_pem).keyid, name, role, base64_of(public_key_pem), None, False)


def trusted_keys(
    keys: Sequence[TrustedKey],
    *,
    expires: datetime,
    thresholds: dict[str, int] | None = None,
    optional: Collection[str] = (AUDITOR,),
    version: int = 1,
) -> TrustedKeys:
    """An unsigned list of these keys, one signature required of each role, `thresholds` and `optional` apart.

    Raises `TrustedKeysInvalid` when it cannot be satisfied.
    """
    wanted = {key.role: 1 for key in keys} | (thresholds or {})
    roles = tuple(
        Role(name, threshold, required=name not in {ROOT, *optional}) for name, threshold in sorted(wanted.items())
    )
    try:
        return TrustedKeys(TRUSTED_KEYS_FORMAT, version, expires, roles, tuple(keys), ())
    except InvalidValue as error:
        raise TrustedKeysInvalid(str(error)) from error


def _check_roles(keys: TrustedKeys) -> None:
    names = {role.name for role in keys.roles}
    if unknown := {key.role for key in keys.keys} - names:
        raise InvalidValue(f"a key has the role {min(unknown)}, which is not among the roles")
    for role in keys.roles:
        if role.threshold < 1:
            raise InvalidValue(f"role {role.name}: the threshold is at least 1")
        if role.threshold > (count := len(keys.of_role(role.name))):
            raise InvalidValue(f"role {role.name}: a threshold of {role.threshold} cannot be reached with {count} keys")
    if not any(role.required for role in keys.roles):
        raise InvalidValue("no role is required, so nothing would have to be signed")
    root = keys.role(ROOT)
    if root is None and keys.signatures:
        raise InvalidValue("the list is signed and has no root keys")
    if root is not None and root.required:
        raise InvalidValue("root keys sign lists and no bundle, so the role cannot be required")
    if any(key.revoked_from is not None for key in keys.of_role(ROOT)):
        raise InvalidValue("a root key is taken out of the list, not revoked in it")


def _require_root(signed: TrustedKeys, judge: TrustedKeys, whose: str) -> None:
    """Raise unless enough root keys of `judge` signed the list `signed`."""
    root = judge.role(ROOT)
    assert root is not None
    found = _right_signers(signed, judge.of_role(ROOT))
    if len(found) < root.threshold:
        raise TrustedKeysInvalid(
            f"version {signed.version} is signed by {len(found)} of {whose} root keys; {root.threshold} are needed"
        )


def _right_signers(signed: TrustedKeys, keys: Iterable[TrustedKey]) -> set[str]:
    """Ids of the keys that signed the list. Raises for a wrong signature; one of another key is passed over."""
    given = {each.key_id: each.signature for each in signed.signatures}
    payload = signed.payload()
    found = set()
    for key in keys:
        if (text := given.get(key.key_id)) is None:
            continue
        signature = strict_base64(text)
        if signature is None or not signature_fits(key.verification_key(), payload, LIST_TYPE, signature):
            raise TrustedKeysInvalid(f"version {signed.version}: the signature of root key {key.name!r} is wrong")
        found.add(key.key_id)
    return found


def _keep_revocations(held: TrustedKeys, newer: TrustedKeys) -> None:
    """A revocation is never taken back: the key may be left out, or stays revoked at least as strictly."""
    now = {key.key_id: key for key in newer.keys}
    for before in held.keys:
        after = now.get(before.key_id)
        if before.revoked_from is None or after is None:
            continue
        weaker = before.compromised and not after.compromised
        if after.revoked_from is None or after.revoked_from > before.revoked_from or weaker:
            raise TrustedKeysInvalid(f"version {newer.version} takes back that key {before.name!r} was revoked")
