"""People, their logins and credentials, and sessions, as values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from verifier.accounts.roles import Role
from verifier.errors import InputError

PERSON_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}", re.ASCII)
LOGIN_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}", re.ASCII)
NAME_MAX: Final = 100


class CredentialKind(StrEnum):
    """What somebody shows to sign in."""

    PASSWORD = "password"  # noqa: S105 - the word, not one
    TOTP = "totp"
    """Six digits every thirty seconds, by RFC 6238."""
    PASSKEY = "passkey"
    RECOVERY_CODE = "recovery code"
    """In the place of the six digits, once."""
    TOKEN = "token"  # noqa: S105
    """Of a program, for the API."""
    INVITATION = "invitation"
    """A one-time code to choose a password and a second factor with."""
    FIRST_CODE = "first code"
    """The one-time code that makes the first administrator."""


SECOND_FACTORS: Final = (CredentialKind.TOTP, CredentialKind.PASSKEY)


@dataclass(frozen=True, slots=True)
class By:
    """Who does something, and from where; both are written into the journal."""

    actor: str
    """A person_id, or the name given at the command line."""
    address: str = ""
    """Where the request came from; empty at the command line."""

    def payload(self) -> dict[str, object]:
        """For a journal entry."""
        return {"from": self.address or "command line"}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, as of now."""

    key: int
    person_id: str
    name: str
    roles: frozenset[Role]
    is_disabled: bool
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Login:
    """A name that a person signs in under, that was not ended."""

    key: int
    person_id: str
    issuer: str
    """Empty for a name with a password here."""
    subject: str


@dataclass(frozen=True, slots=True)
class Credential:
    """One that was not ended; it may have expired."""

    key: int
    person_id: str
    """Empty for the code that makes the first administrator."""
    login_key: int | None
    kind: CredentialKind
    label: str
    digest: str
    content: dict[str, Any]
    expires_at: datetime | None
    made_at: datetime
    secret: str = field(default="", repr=False)
    counter: int = 0

    def is_expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in."""

    session_key: str
    person: Person
    method: str
    address: str
    agent: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime


def checked_person_id(text: str) -> str:
    """A person_id as it is written into the journal. Raises `InputError`."""
    if not PERSON_ID.fullmatch(text):
        raise InputError(f"{text[:60]!r} is no person id: small letters, digits and . _ -, at most 40, as in ops.maker")
    return text


def checked_login(text: str) -> str:
    """The name of a login in small letters. Raises `InputError`."""
    folded = text.strip().lower()
    if not LOGIN_NAME.fullmatch(folded):
        raise InputError(f"{text[:60]!r} is no login: letters, digits and . _ @ + -, at most 100")
    return folded


def checked_name(text: str) -> str:
    """What a person is called. Raises `InputError`."""
    name = " ".join(text.split())
    if not name or len(name) > NAME_MAX or not name.isprintable():
        raise InputError(f"a name has 1 to {NAME_MAX} printable characters")
    return name


def checked_roles(roles: frozenset[Role]) -> frozenset[Role]:
    """Roles that one person may have together. Raises `InputError`: who looks after users sees no finding (row F20)."""
    if Role.ADMINISTRATOR in roles and len(roles) > 1:
        raise InputError("an administrator looks after users and has no other role; make another person")
    if Role.AUDITOR in roles and len(roles) > 1:
        raise InputError("an auditor changes nothing and has no other role")
    return roles
