"""How somebody comes to have a password and a second factor: by a one-time code, in two steps.

There is no account that anybody has by default (row F9). The first administrator comes by a code that the command line
prints while there is no administrator; everybody else by a code that an administrator hands over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from verifier.accounts import passwords, second_factor
from verifier.accounts.records import (
    By,
    Credential,
    CredentialKind,
    checked_login,
    checked_name,
    checked_person_id,
)
from verifier.accounts.roles import Role
from verifier.accounts.secrets import code_digest, digest_of, new_code, new_key, new_recovery_code, new_secret
from verifier.accounts.signing_in import SignInRefused, Where, begin_in
from verifier.errors import InputError
from verifier.store.people_store import (
    credential_in,
    credentials_in,
    end_credentials_in,
    new_credential,
    new_person,
    person_in,
    require_no_administrator,
    sign_out_everywhere,
)

if TYPE_CHECKING:
    from verifier.store import Store
    from verifier.store.unit import Unit

FIRST_CODE_LASTS: Final = timedelta(days=1)
INVITATION_LASTS: Final = timedelta(days=3)
STEP_LASTS: Final = timedelta(minutes=15)
RECOVERY_CODES: Final = 10
PURPOSE: Final = "enrolment"
_ONE_TIME = (CredentialKind.FIRST_CODE, CredentialKind.INVITATION)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody with a one-time code typed; name and ids only count for the first administrator."""

    code: str = field(repr=False)
    password: str = field(repr=False)
    login: str = ""
    person_id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Begun:
    """The second step: an authenticator app is to show six digits of this secret."""

    ticket: str = field(repr=False)
    login: str
    totp_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Somebody can sign in, and is signed in."""

    session_secret: str = field(repr=False)
    recovery_codes: tuple[str, ...] = field(repr=False)


def first_code(store: Store, by: By, now: datetime) -> str:
    """A code that makes the first administrator; earlier ones do not work any more.

    Raises `InputError` when there is an administrator.
    """
    code = new_code()
    with store.record(
        "credential.added", by.actor, by.payload() | {"kind": CredentialKind.FIRST_CODE.value}, now
    ) as unit:
        require_no_administrator(unit.connection)
        end_credentials_in(unit, credentials_in(unit.connection, None, CredentialKind.FIRST_CODE), "replaced")
        new_credential(unit, _one_time(CredentialKind.FIRST_CODE, "", None, code, now + FIRST_CODE_LASTS, now))
    return code


def invite(store: Store, person_id: str, login: str, by: By, now: datetime) -> str:
    """A code with which a person chooses a password for a login, and a second factor. Earlier ones work no more.

    Raises `InputError` when it is no login of the person with a password here.
    """
    code = new_code()
    found = store.login("", login)
    if found is None or found.person_id != person_id:
        raise InputError(f"{login} is no login of {person_id}")
    told = {"kind": CredentialKind.INVITATION.value, "person": person_id, "login": login}
    with store.record("credential.added", by.actor, by.payload() | told, now) as unit:
        end_credentials_in(unit, credentials_in(unit.connection, person_id, CredentialKind.INVITATION), "replaced")
        until = now + INVITATION_LASTS
        new_credential(unit, _one_time(CredentialKind.INVITATION, person_id, found.key, code, until, now))
    return code


def reset(store: Store, person_id: str, login: str, by: By, now: datetime) -> str:
    """Take everything from a person that they sign in with, sign them out, and return a code to begin anew with."""
    code = invite(store, person_id, login, by, now)
    kinds = set(CredentialKind) - {CredentialKind.INVITATION, CredentialKind.FIRST_CODE}
    store.end_credentials(person_id, kinds, "reset", by, now)
    return code


def begin(store: Store, chosen: Chosen, browser: str, now: datetime) -> Begun:
    """The first step. Nothing is changed but that it is remembered for some minutes.

    Raises `SignInRefused` for a code that is none, and `InputError` for a password or name that is not accepted.
    """
    credential = _valid(store.credential_with(code_digest(chosen.code), *_ONE_TIME), now)
    if credential.kind is CredentialKind.FIRST_CODE:
        login, person_id = checked_login(chosen.login), checked_person_id(chosen.person_id.strip().lower())
        name = checked_name(chosen.name)
    else:
        person = store.person(credential.person_id)
        logins = {each.key: each.subject for each in store.logins(credential.person_id)}
        if person is None or person.is_disabled or credential.login_key not in logins:
            raise SignInRefused
        login, person_id, name = logins[credential.login_key], person.person_id, person.name
    passwords.require_good(chosen.password, (login, person_id, name))
    ticket, secret = new_secret(), second_factor.new_secret()
    content = {
        "credential": credential.key,
        "login": login,
        "person_id": person_id,
        "name": name,
        "password": passwords.hashed(chosen.password),
        "totp": secret,
    }
    store.add_ticket(digest_of(ticket), PURPOSE, browser, content, now, now + STEP_LASTS)
    return Begun(ticket, login, secret)


def again(store: Store, ticket: str, browser: str, now: datetime) -> Begun:
    """The second step once more, after digits that were wrong. Raises `SignInRefused` when it is too late."""
    content = store.ticket(digest_of(ticket), PURPOSE, browser, now)
    if content is None:
        raise SignInRefused
    return Begun(ticket, content["login"], content["totp"])


def finish(store: Store, ticket: str, digits: str, browser: str, where: Where, now: datetime) -> Enrolled:
    """The second step: the app shows the right digits, so everything is recorded and the person is signed in.

    Raises `InputError` for wrong digits, and `SignInRefused` when it is too late or the code was used meanwhile.
    """
    content = store.ticket(digest_of(ticket), PURPOSE, browser, now)
    if content is None:
        raise SignInRefused
    step = second_factor.step_of(content["totp"], digits, now)
    if step is None:
        raise InputError("these are not the six digits that the app shows now")
    if store.take_ticket(digest_of(ticket), PURPOSE, browser, now) is None:
        raise SignInRefused
    codes = tuple(new_recovery_code() for _ in range(RECOVERY_CODES))
    key = new_key()
    by = By(content["person_id"], where.address)
    told = {"person": by.actor, "login": content["login"], "session": key}
    with store.record("person.enrolled", by.actor, by.payload() | told, now) as unit:
        secret = _enrol(unit, content, codes, step, key, where, now)
    return Enrolled(secret, codes)


def _enrol(
    unit: Unit, content: dict[str, Any], codes: tuple[str, ...], step: int, key: str, where: Where, now: datetime
) -> str:
    used = _valid(credential_in(unit.connection, content["credential"]), now)
    login_key = used.login_key
    if used.kind is CredentialKind.FIRST_CODE:
        require_no_administrator(unit.connection)
        roles = frozenset({Role.ADMINISTRATOR})
        person, login_key = new_person(unit, content["person_id"], content["name"], roles, content["login"])
    else:
        found = person_in(unit.connection, used.person_id)
        if found is None or found.is_disabled:
            raise SignInRefused
        person = found
    old = credentials_in(unit.connection, person.person_id, CredentialKind.PASSWORD, CredentialKind.RECOVERY_CODE)
    gone = [each for each in old if each.kind is CredentialKind.RECOVERY_CODE or each.login_key == login_key]
    end_credentials_in(unit, [used], "used")
    end_credentials_in(unit, gone, "replaced")
    sign_out_everywhere(unit.connection, person.key)
    for kind, label, secret, counter, of in (
        (CredentialKind.PASSWORD, content["login"], content["password"], 0, login_key),
        (CredentialKind.TOTP, "authenticator app", content["totp"], step, None),
    ):
        new_credential(unit, made(kind, person.person_id, label, digest_of(secret), now, of, secret, counter))
    add_recovery_codes(unit, person.person_id, codes, now)
    return begin_in(unit, person, key, "enrolment", where, now)


def add_recovery_codes(unit: Unit, person_id: str, codes: tuple[str, ...], now: datetime) -> None:
    """Record the digests of codes that stand in for a second factor, once each."""
    for number, code in enumerate(codes, start=1):
        new_credential(unit, made(CredentialKind.RECOVERY_CODE, person_id, f"code {number}", code_digest(code), now))


def made(
    kind: CredentialKind,
    person_id: str,
    label: str,
    digest: str,
    now: datetime,
    login_key: int | None = None,
    secret: str = "",
    counter: int = 0,
    *,
    content: dict[str, Any] | None = None,
    expires_at: datetime | None = None,
) -> Credential:
    """A credential that is not stored yet."""
    return Credential(
        0, person_id, login_key, kind, label, digest, content or {}, expires_at, now, secret=secret, counter=counter
    )


def _one_time(
    kind: CredentialKind, person_id: str, login_key: int | None, code: str, until: datetime, now: datetime
) -> Credential:
    return made(kind, person_id, "one-time code", code_digest(code), now, login_key, expires_at=until)


def _valid(credential: Credential | None, now: datetime) -> Credential:
    if credential is None or credential.is_expired(now):
        raise SignInRefused
    return credential
