"""The person behind a name: acts are told apart by account where the firm keeps accounts (row F1 of docs/faults.md)."""

from __future__ import annotations

import sqlalchemy as sa

from verifier.errors import InputError
from verifier.persons import same_person
from verifier.rules.approval import Party
from verifier.store.tables import LoginEndRow, LoginRow, PersonRow, PersonStateRow, table

PERSON, STATE, LOGIN, LOGIN_END = table(PersonRow), table(PersonStateRow), table(LoginRow), table(LoginEndRow)


def party_of(connection: sa.Connection, name: str) -> Party:
    """Who acts under a name: a person's id, a login of theirs, or what they are called.

    A name of no account is told apart by its spelling alone. Raises `InputError` for one that several people have.
    """
    people = dict(connection.execute(sa.select(PERSON.c.record_id, PERSON.c.person_id)).all())
    if not people:
        return Party(name)
    for person_id in people.values():
        if same_person(person_id, name):
            return Party(name, person_id)
    ended = sa.select(LOGIN_END.c.login_key)
    logins = connection.execute(sa.select(LOGIN.c.person_key, LOGIN.c.subject).where(LOGIN.c.record_id.not_in(ended)))
    found = {people[key] for key, subject in logins if same_person(subject, name)}
    if not found:
        states = connection.execute(sa.select(STATE.c.person_key, STATE.c.name).order_by(STATE.c.record_id))
        called = dict(states.all())
        found = {people[key] for key, spelled in called.items() if same_person(spelled, name)}
    if len(found) > 1:
        raise InputError(f"several people are called {name}", advice="Give the person's id.")
    return Party(name, found.pop() if found else "")
