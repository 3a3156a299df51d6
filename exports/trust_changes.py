"""The next version of a list of trusted keys: keys added, taken out, revoked; roles changed. Pure functions.

What comes out is unsigned. Enough root keys of the version before and of the new one must sign it before a reader
follows it (`exports.trust.follow`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from chains.errors import InvalidValue
from exports.errors import TrustedKeysInvalid
from exports.trust import ROOT, ListSignature, Role, TrustedKey, TrustedKeys


@dataclass(frozen=True, slots=True)
class Change:
    """What is different in the next version."""

    expires: datetime
    add: Sequence[TrustedKey] = ()
    remove: Sequence[str] = ()
    """Key ids, or beginnings of them that fit one key."""
    thresholds: Mapping[str, int] = field(default_factory=dict)
    required: Sequence[str] = ()
    optional: Sequence[str] = ()


def next_version(held: TrustedKeys, change: Change) -> TrustedKeys:
    """The version after the one held, unsigned. Raises `TrustedKeysInvalid` when it could not be satisfied.

    A role of which the last key is taken out goes with it; a role with its first key is required, unless it is said
    to be optional.
    """
    gone = {find_key(held, text).key_id for text in change.remove}
    keys = [key for key in held.keys if key.key_id not in gone]
    keys += change.add
    names = {key.role for key in keys}
    if unknown := {*change.thresholds, *change.required, *change.optional} - names:
        raise TrustedKeysInvalid(f"there is no key of role {min(unknown)}")
    roles = []
    for name in sorted(names):
        before = held.role(name) or Role(name, 1, required=name != ROOT)
        required = name in change.required or (before.required and name not in change.optional)
        roles.append(Role(name, change.thresholds.get(name, before.threshold), required))
    return _made(held, roles=tuple(roles), keys=tuple(keys), expires=change.expires)


def with_revoked(
    held: TrustedKeys, key: str, revoked_from: datetime, *, compromised: bool, expires: datetime
) -> TrustedKeys:
    """The next version, in which a key is revoked from a moment on. Raises `TrustedKeysInvalid`.

    A root key is not revoked but taken out, with `next_version`.
    """
    found = find_key(held, key)
    if found.role == ROOT:
        raise TrustedKeysInvalid("a root key is not revoked but taken out: make the next version without it")
    revoked = replace(found, revoked_from=revoked_from, compromised=compromised)
    keys = tuple(revoked if each.key_id == found.key_id else each for each in held.keys)
    return _made(held, roles=held.roles, keys=keys, expires=expires)


def find_key(keys: TrustedKeys, text: str) -> TrustedKey:
    """The one key whose id begins with the text (8 characters or more). Raises `TrustedKeysInvalid`."""
    found = [key for key in keys.keys if len(text) >= 8 and key.key_id.startswith(text)]
    if len(found) != 1:
        raise TrustedKeysInvalid(f"{text[:64]!r} is not the beginning of one listed key's id (8 digits or more)")
    return found[0]


def _made(
    held: TrustedKeys, *, roles: tuple[Role, ...], keys: tuple[TrustedKey, ...], expires: datetime
) -> TrustedKeys:
    none: tuple[ListSignature, ...] = ()
    try:
        return replace(held, version=held.version + 1, expires=expires, roles=roles, keys=keys, signatures=none)
    except InvalidValue as error:
        raise TrustedKeysInvalid(str(error)) from error
