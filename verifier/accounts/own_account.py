"""What people change of their own sign-in. Each asks for what shows that it is still them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from verifier.accounts import passwords
from verifier.accounts.enrolment import RECOVERY_CODES, add_recovery_codes, made
from verifier.accounts.records import SECOND_FACTORS, By, CredentialKind, Login
from verifier.accounts.secrets import digest_of, new_recovery_code
from verifier.accounts.signing_in import SignInRefused, is_genuine
from verifier.errors import InputError
from verifier.store.people_store import credential_in, credentials_in, end_credentials_in, new_credential

if TYPE_CHECKING:
    from verifier.store import Store


def change_password(store: Store, person_id: str, login: Login, current: str, new: str, by: By, now: datetime) -> None:
    """Exchange a password for another one. Raises `SignInRefused` for a wrong one, `InputError` for a weak one."""
    person = store.person(person_id)
    own = [c for c in store.credentials(person_id, CredentialKind.PASSWORD) if c.login_key == login.key]
    right = passwords.matches(own[-1].secret if own and is_genuine(own[-1]) else "", current)
    if person is None or not right:
        raise SignInRefused
    passwords.require_good(new, (login.subject, person_id, person.name))
    stored = passwords.hashed(new)
    with store.record("password.changed", by.actor, by.payload() | {"login": login.subject}, now) as unit:
        if credential_in(unit.connection, own[-1].key) is None:
            raise SignInRefused
        end_credentials_in(unit, own, "changed")
        kind = CredentialKind.PASSWORD
        new_credential(unit, made(kind, person_id, login.subject, digest_of(stored), now, login.key, stored))


def new_recovery_codes(store: Store, person_id: str, by: By, now: datetime) -> tuple[str, ...]:
    """Codes in the place of those there were; shown once."""
    codes = tuple(new_recovery_code() for _ in range(RECOVERY_CODES))
    with store.record("recovery.renewed", by.actor, by.payload() | {"person": person_id}, now) as unit:
        old = credentials_in(unit.connection, person_id, CredentialKind.RECOVERY_CODE)
        end_credentials_in(unit, old, "replaced")
        add_recovery_codes(unit, person_id, codes, now)
    return codes


def remove(store: Store, person_id: str, key: int, by: By, now: datetime) -> None:
    """End a token or a second factor, but not the last one. Raises `InputError`."""
    told = {"person": person_id, "credential": key, "reason": "removed"}
    with store.record("credential.ended", by.actor, by.payload() | told, now) as unit:
        factors = credentials_in(unit.connection, person_id, *SECOND_FACTORS)
        found = credentials_in(unit.connection, person_id, *SECOND_FACTORS, CredentialKind.TOKEN)
        gone = [each for each in found if each.key == key]
        if not gone:
            raise InputError("there is no such second factor or token")
        if factors == gone:
            raise InputError("this is your last second factor; add another one first")
        end_credentials_in(unit, gone, "removed")
