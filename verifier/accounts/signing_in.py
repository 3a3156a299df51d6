"""Signing in with a password and a second factor, and what every way of signing in ends with: a session.

Whether the name does not exist, the password is wrong, the second factor is, or the person was shut out: the answer
is one and takes one time (row F8). Each try that failed is journalled, with the name only where somebody has it: what
people type into the wrong field is often a password.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NoReturn

from verifier.accounts import passwords, second_factor
from verifier.accounts.records import By, Credential, CredentialKind, Person
from verifier.accounts.secrets import code_digest, digest_of, new_key, new_secret
from verifier.errors import VerifierError
from verifier.store.people_store import credential_in, end_credentials_in, person_in, raise_counter
from verifier.store.session_store import NewSession, begin_session

if TYPE_CHECKING:
    from verifier.store import Store
    from verifier.store.unit import Unit

AGENT_MAX = 200
NOBODY = "sign-in"
"""Whom the journal names where nobody is known."""


class SignInRefused(VerifierError):
    """What was shown does not sign anybody in; the text never says which part was wrong."""

    code = "sign-in-refused"
    advice = "Try again; an administrator can give you a new code to set up your sign-in."

    def __init__(self) -> None:
        super().__init__("this does not sign anybody in")


@dataclass(frozen=True, slots=True)
class Where:
    """Where a request came from, and how long what it begins may last."""

    address: str
    agent: str
    lasts: timedelta


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody typed."""

    login: str
    password: str = field(repr=False)
    code: str = field(repr=False)
    """Six digits of an authenticator app, or a recovery code."""


def sign_in(store: Store, given: Given, where: Where, now: datetime) -> str:
    """Begin a session for who typed the right password and second factor; returns its secret.

    Raises `SignInRefused`.
    """
    login = store.login("", given.login.strip().lower())
    kinds = (CredentialKind.PASSWORD, CredentialKind.TOTP, CredentialKind.RECOVERY_CODE)
    known = store.credentials(login.person_id if login else "", *kinds)
    password = next(
        (c for c in known if c.kind is CredentialKind.PASSWORD and login and c.login_key == login.key), None
    )
    right = passwords.matches(password.secret if password and is_genuine(password) else "", given.password)
    second = second_factor_of(known, given.code, now)
    if login is None or password is None or not right or second is None:
        refuse(store, "password", login.subject if login else "", where, now)
    used, step = second
    told: dict[str, object] = {"login": login.subject, "second_factor": used.kind.value}

    def use(unit: Unit) -> bool:
        return credential_in(unit.connection, password.key) is not None and use_second_factor(unit, used, step)

    secret = begin(store, login.person_id, "password", told, use, where, now)
    if not secret:
        refuse(store, "password", login.subject, where, now)
    return secret


def begin(
    store: Store,
    person_id: str,
    method: str,
    told: Mapping[str, object],
    use: Callable[[Unit], bool],
    where: Where,
    now: datetime,
) -> str:
    """Begin a session and journal it, if `use` finds within the transaction that what was shown still counts.

    Returns the secret of the session; empty when nothing was begun.
    """
    key = new_key()
    by = By(person_id, where.address)
    payload = by.payload() | {"method": method, "session": key} | dict(told)
    entry = store.record("session.began", person_id, payload, now, payload_is_the_record=True)
    with suppress(_NotBegun), entry as unit:
        person = person_in(unit.connection, person_id)
        if person is None or person.is_disabled or not use(unit):
            raise _NotBegun
        return begin_in(unit, person, key, method, where, now)
    return ""


def begin_in(unit: Unit, person: Person, key: str, method: str, where: Where, now: datetime) -> str:
    """Begin a session within a transaction that journals it; returns its secret."""
    secret = new_secret()
    new = NewSession(digest_of(secret), key, method, where.address, where.agent[:AGENT_MAX], now + where.lasts)
    begin_session(unit.connection, person, new, now)
    return secret


def refuse(store: Store, method: str, login: str, where: Where, now: datetime) -> NoReturn:
    """Journal that a try failed, and raise `SignInRefused`."""
    payload = By("", where.address).payload() | {"method": method, "login": login}
    with store.record("sign_in.refused", NOBODY, payload, now, payload_is_the_record=True):
        pass
    raise SignInRefused


def is_genuine(credential: Credential) -> bool:
    """Whether what a credential is checked with is what was recorded, and not put in its place."""
    return digest_of(credential.secret) == credential.digest


def second_factor_of(known: Iterable[Credential], code: str, now: datetime) -> tuple[Credential, int] | None:
    """The credential that a code is of, with its time step; 0 for a recovery code. None when it is of none."""
    found = None
    digest = code_digest(code)
    for each in known:
        if each.kind is CredentialKind.TOTP and is_genuine(each):
            step = second_factor.step_of(each.secret, code, now)
            found = found if step is None else (each, step)
        elif each.kind is CredentialKind.RECOVERY_CODE and hmac.compare_digest(each.digest, digest):
            found = (each, 0)
    return found


def use_second_factor(unit: Unit, used: Credential, step: int) -> bool:
    """Use six digits or a recovery code up, within a transaction; False when somebody did before."""
    if used.kind is CredentialKind.TOTP:
        return raise_counter(unit.connection, used.key, step)
    if credential_in(unit.connection, used.key) is None:
        return False
    end_credentials_in(unit, [used], "used")
    return True


class _NotBegun(Exception):
    """What was shown counts no more."""
