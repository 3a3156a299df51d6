"""People, their logins and their credentials: every change is journalled with who made it and from where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa

from exports.canonical import canonical_json
from verifier.accounts.records import By, Credential, CredentialKind, Login, Person, checked_roles
from verifier.accounts.roles import Role
from verifier.errors import InputError
from verifier.store.engine import Database
from verifier.store.tables import (
    AccountSecretRow,
    CredentialEndRow,
    CredentialRow,
    LoginEndRow,
    LoginRow,
    PersonRow,
    PersonStateRow,
    WebSessionRow,
    table,
)
from verifier.store.unit import Unit

PERSON, STATE = table(PersonRow), table(PersonStateRow)
LOGIN, LOGIN_END = table(LoginRow), table(LoginEndRow)
CREDENTIAL, CREDENTIAL_END = table(CredentialRow), table(CredentialEndRow)
SECRET, SESSION = table(AccountSecretRow), table(WebSessionRow)

_OTHER: Final = STATE.alias("other")
_NEWEST: Final = sa.select(sa.func.max(_OTHER.c.record_id)).where(_OTHER.c.person_key == PERSON.c.record_id)
PEOPLE: Final = (
    sa.select(
        PERSON.c.record_id, PERSON.c.person_id, STATE.c.name, STATE.c.roles, STATE.c.is_disabled, STATE.c.recorded_at
    )
    .join_from(PERSON, STATE, STATE.c.person_key == PERSON.c.record_id)
    .where(STATE.c.record_id == _NEWEST.scalar_subquery())
)
"""Every person as of the newest row about them."""
_CREDENTIALS: Final = (
    sa.select(CREDENTIAL, PERSON.c.person_id, SECRET.c.secret, SECRET.c.counter)
    .join_from(CREDENTIAL, PERSON, PERSON.c.record_id == CREDENTIAL.c.person_key, isouter=True)
    .join(SECRET, SECRET.c.credential_key == CREDENTIAL.c.record_id, isouter=True)
    .where(~sa.exists().where(CREDENTIAL_END.c.credential_key == CREDENTIAL.c.record_id))
    .order_by(CREDENTIAL.c.record_id)
)
_LOGINS: Final = (
    sa.select(LOGIN.c.record_id, LOGIN.c.issuer, LOGIN.c.subject, PERSON.c.person_id)
    .join_from(LOGIN, PERSON, PERSON.c.record_id == LOGIN.c.person_key)
    .where(~sa.exists().where(LOGIN_END.c.login_key == LOGIN.c.record_id))
    .order_by(LOGIN.c.record_id)
)


class PeopleStore(Database):
    """Who signs in, and with what."""

    def people(self) -> list[Person]:
        """Everybody, in the order of their ids."""
        with self.read() as connection:
            return [person_of(row) for row in connection.execute(PEOPLE.order_by(PERSON.c.person_id))]

    def person(self, person_id: str) -> Person | None:
        """One person; None when nobody has the id."""
        with self.read() as connection:
            return person_in(connection, person_id)

    def logins(self, person_id: str = "") -> list[Login]:
        """The logins of one person or of all that were not ended."""
        query = _LOGINS.where(PERSON.c.person_id == person_id) if person_id else _LOGINS
        with self.read() as connection:
            return [_login(row) for row in connection.execute(query)]

    def login(self, issuer: str, subject: str) -> Login | None:
        """The login of a name or of a provider's subject; None when nobody signs in under it."""
        with self.read() as connection:
            return login_in(connection, issuer, subject)

    def credentials(self, person_id: str, *kinds: CredentialKind) -> list[Credential]:
        """A person's credentials that were not ended, the oldest first; expired ones are among them."""
        query = _CREDENTIALS.where(PERSON.c.person_id == person_id)
        with self.read() as connection:
            return _credentials(connection, query.where(CREDENTIAL.c.kind.in_(kinds)) if kinds else query)

    def credential_with(self, digest: str, *kinds: CredentialKind) -> Credential | None:
        """The credential of a secret by its digest, unless it was ended; it may have expired."""
        query = _CREDENTIALS.where(CREDENTIAL.c.digest == digest, CREDENTIAL.c.kind.in_(kinds))
        with self.read() as connection:
            return next(iter(_credentials(connection, query)), None)

    def first_codes(self) -> list[Credential]:
        """The codes that make the first administrator and were not used."""
        with self.read() as connection:
            return _credentials(connection, _CREDENTIALS.where(CREDENTIAL.c.kind == CredentialKind.FIRST_CODE))

    def add_person(self, person_id: str, name: str, roles: frozenset[Role], login: str, by: By, now: datetime) -> None:
        """A person with a name to sign in under. Raises `InputError` when either is taken."""
        payload = by.payload() | {"person": person_id, "roles": _words(roles), "login": login}
        with self.record("person.added", by.actor, payload, now) as unit:
            new_person(unit, person_id, name, roles, login)

    def change_person(
        self,
        person_id: str,
        by: By,
        now: datetime,
        *,
        name: str | None = None,
        roles: frozenset[Role] | None = None,
        is_disabled: bool | None = None,
        reason: str = "",
    ) -> Person:
        """Give a person another name or other roles, or shut them out or let them in.

        Whoever is shut out or given other roles is signed out everywhere in the same transaction (row F3). Nobody
        changes their own roles, and one administrator always stays. Raises `InputError`.
        """
        changed = {"name": name, "roles": None if roles is None else _words(roles), "is_disabled": is_disabled}
        told = {key: value for key, value in changed.items() if value is not None}
        payload = by.payload() | {"person": person_id, "reason": reason} | told
        with self.record("person.changed", by.actor, payload, now) as unit:
            before = _require_person(unit.connection, person_id)
            after = replace(
                before,
                name=before.name if name is None else name,
                roles=before.roles if roles is None else checked_roles(roles),
                is_disabled=before.is_disabled if is_disabled is None else is_disabled,
            )
            if (after.name, after.roles, after.is_disabled) == (before.name, before.roles, before.is_disabled):
                return before
            may_change = (after.roles, after.is_disabled) != (before.roles, before.is_disabled)
            if may_change and by.actor == person_id:
                raise InputError("nobody changes their own roles or shuts themselves out; ask another administrator")
            _state(unit, after)
            if may_change:
                _require_administrator(unit.connection, before)
                sign_out_everywhere(unit.connection, before.key)
            return after

    def add_login(self, person_id: str, issuer: str, subject: str, by: By, now: datetime) -> None:
        """Another name for a person to sign in under. Raises `InputError` when somebody has it."""
        payload = by.payload() | {"person": person_id, "issuer": issuer, "subject": subject}
        with self.record("login.added", by.actor, payload, now) as unit:
            person = _require_person(unit.connection, person_id)
            _new_login(unit, person.key, issuer, subject)

    def end_login(self, login_key: int, reason: str, by: By, now: datetime) -> None:
        """End a login with its password, and sign the person out. Raises `InputError` when there is none."""
        with self.record("login.ended", by.actor, by.payload() | {"login": login_key, "reason": reason}, now) as unit:
            found = unit.connection.execute(
                sa.select(LOGIN.c.person_key).where(
                    LOGIN.c.record_id == login_key,
                    ~sa.exists().where(LOGIN_END.c.login_key == LOGIN.c.record_id),
                )
            ).scalar()
            if found is None:
                raise InputError("there is no such login")
            unit.add(LoginEndRow, login_key=login_key, reason=reason)
            query = _CREDENTIALS.where(CREDENTIAL.c.login_key == login_key)
            _end(unit, _credentials(unit.connection, query), reason)
            sign_out_everywhere(unit.connection, found)

    def add_credential(self, new: Credential, by: By, now: datetime) -> int:
        """Record a credential with what it is checked with; its `key` is ignored, the new one is returned."""
        told = {"person": new.person_id, "kind": new.kind.value, "label": new.label}
        with self.record("credential.added", by.actor, by.payload() | told, now) as unit:
            if new.kind is CredentialKind.FIRST_CODE:
                require_no_administrator(unit.connection)
            return new_credential(unit, new)

    def end_credential(self, key: int, person_id: str, reason: str, by: By, now: datetime) -> None:
        """End one credential of a person. Raises `InputError` when there is none, or it is their last second factor."""
        told = {"person": person_id, "credential": key, "reason": reason}
        with self.record("credential.ended", by.actor, by.payload() | told, now) as unit:
            query = _CREDENTIALS.where(CREDENTIAL.c.record_id == key, PERSON.c.person_id == person_id)
            found = _credentials(unit.connection, query)
            if not found:
                raise InputError("there is no such credential")
            _end(unit, found, reason)

    def end_credentials(
        self, person_id: str, kinds: Iterable[CredentialKind], reason: str, by: By, now: datetime
    ) -> int:
        """End all of a person's credentials of some kinds and sign them out; returns how many there were."""
        told = {"person": person_id, "kinds": sorted(kind.value for kind in kinds), "reason": reason}
        with self.record("credential.ended", by.actor, by.payload() | told, now) as unit:
            person = _require_person(unit.connection, person_id)
            ended = credentials_in(unit.connection, person_id, *kinds)
            _end(unit, ended, reason)
            sign_out_everywhere(unit.connection, person.key)
            return len(ended)


def person_of(row: Any) -> Person:
    """A person from a row of `PEOPLE`."""
    roles = frozenset(Role(each) for each in orjson.loads(row.roles))
    return Person(row.record_id, row.person_id, row.name, roles, row.is_disabled, row.recorded_at)


def credentials_in(connection: sa.Connection, person_id: str | None, *kinds: CredentialKind) -> list[Credential]:
    """As `PeopleStore.credentials`, within a transaction; of nobody's credentials where the id is None."""
    query = _CREDENTIALS.where(PERSON.c.person_id == person_id, CREDENTIAL.c.kind.in_(kinds))
    return _credentials(connection, query)


def credential_in(connection: sa.Connection, key: int) -> Credential | None:
    """One credential that was not ended, within a transaction."""
    return next(iter(_credentials(connection, _CREDENTIALS.where(CREDENTIAL.c.record_id == key))), None)


def new_person(unit: Unit, person_id: str, name: str, roles: frozenset[Role], login: str) -> tuple[Person, int]:
    """Add the rows of a person; returns them and the key of the login. Raises `InputError` when either is taken."""
    if person_in(unit.connection, person_id) is not None:
        raise InputError(f"there is a person {person_id} already")
    key = unit.add(PersonRow, person_id=person_id)
    made = Person(key, person_id, name, checked_roles(roles), False, unit.recorded_at)
    _state(unit, made)
    return made, _new_login(unit, key, "", login)


def new_credential(unit: Unit, new: Credential) -> int:
    """Add the rows of a credential."""
    person = _require_person(unit.connection, new.person_id) if new.person_id else None
    key = unit.add(
        CredentialRow,
        person_key=None if person is None else person.key,
        login_key=new.login_key,
        kind=new.kind,
        label=new.label,
        digest=new.digest,
        content=canonical_json(new.content).decode(),
        expires_at=new.expires_at,
    )
    if new.secret or new.kind is CredentialKind.PASSKEY:
        values = {"credential_key": key, "secret": new.secret, "counter": new.counter}
        unit.connection.execute(SECRET.insert(), values)
    return key


def end_credentials_in(unit: Unit, ended: Sequence[Credential], reason: str) -> None:
    """Add the rows that end credentials, and erase what they were checked with."""
    _end(unit, ended, reason)


def raise_counter(connection: sa.Connection, key: int, counter: int) -> bool:
    """Remember the last step or signature that was used; False when it or a later one was used already."""
    raised = connection.execute(
        SECRET.update().where(SECRET.c.credential_key == key, SECRET.c.counter < counter), {"counter": counter}
    )
    return bool(raised.rowcount)


def sign_out_everywhere(connection: sa.Connection, person_key: int) -> None:
    """Every session of a person is gone with the next request."""
    connection.execute(SESSION.delete().where(SESSION.c.person_key == person_key))


def require_no_administrator(connection: sa.Connection) -> None:
    """Raise `InputError` unless nobody looks after users who could make another administrator."""
    if any(Role.ADMINISTRATOR in each.roles and not each.is_disabled for each in _people(connection)):
        raise InputError("there is an administrator already, who adds people")


def _require_administrator(connection: sa.Connection, before: Person) -> None:
    """Somebody must stay who can let people in."""
    if Role.ADMINISTRATOR not in before.roles or before.is_disabled:
        return
    if not any(Role.ADMINISTRATOR in each.roles and not each.is_disabled for each in _people(connection)):
        raise InputError("this is the last administrator; make another one first")


def _people(connection: sa.Connection) -> list[Person]:
    return [person_of(row) for row in connection.execute(PEOPLE)]


def person_in(connection: sa.Connection, person_id: str) -> Person | None:
    """One person, within a transaction; None when nobody has the id."""
    row = connection.execute(PEOPLE.where(PERSON.c.person_id == person_id)).first()
    return None if row is None else person_of(row)


def _require_person(connection: sa.Connection, person_id: str) -> Person:
    if (found := person_in(connection, person_id)) is None:
        raise InputError(f"there is no person {person_id}")
    return found


def _state(unit: Unit, person: Person) -> None:
    roles = canonical_json(_words(person.roles)).decode()
    unit.add(PersonStateRow, person_key=person.key, name=person.name, roles=roles, is_disabled=person.is_disabled)


def login_in(connection: sa.Connection, issuer: str, subject: str) -> Login | None:
    """As `PeopleStore.login`, within a transaction."""
    row = connection.execute(_LOGINS.where(LOGIN.c.issuer == issuer, LOGIN.c.subject == subject)).first()
    return None if row is None else _login(row)


def _new_login(unit: Unit, person_key: int, issuer: str, subject: str) -> int:
    if login_in(unit.connection, issuer, subject) is not None:
        raise InputError(f"somebody signs in as {subject} already")
    return unit.add(LoginRow, person_key=person_key, issuer=issuer, subject=subject)


def _login(row: Any) -> Login:
    return Login(row.record_id, row.person_id, row.issuer, row.subject)


def _end(unit: Unit, ended: Iterable[Credential], reason: str) -> None:
    for each in ended:
        unit.add(CredentialEndRow, credential_key=each.key, reason=reason)
        unit.connection.execute(SECRET.delete().where(SECRET.c.credential_key == each.key))


def _credentials(connection: sa.Connection, query: sa.Select[Any]) -> list[Credential]:
    return [_credential(row) for row in connection.execute(query)]


def _credential(row: Any) -> Credential:
    content: Mapping[str, Any] = orjson.loads(row.content)
    return Credential(
        key=row.record_id,
        person_id=row.person_id or "",
        login_key=row.login_key,
        kind=row.kind,
        label=row.label,
        digest=row.digest,
        content=dict(content),
        expires_at=row.expires_at,
        made_at=row.recorded_at,
        secret=row.secret or "",
        counter=row.counter or 0,
    )


def _words(roles: frozenset[Role]) -> list[str]:
    return sorted(role.value for role in roles)
