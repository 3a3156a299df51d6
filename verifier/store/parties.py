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
    ended = set(connection.execute(sa.select(LOGIN_END.c.login_key)).scalars())
    logins = connection.execute(sa.select(LOGIN.c.record_id, LOGIN.c.person_key, LOGIN.c.subject)).all()
    named = [(key in ended, person) for key, person, subject in logins if same_person(subject, name)]
    # A login that ended still says whose it was, unless somebody else has the name now.
    found = {people[person] for is_over, person in named if not is_over} or {people[person] for _, person in named}
    if not found:
        states = connection.execute(sa.select(STATE.c.person_key, STATE.c.name).order_by(STATE.c.record_id))
        called = dict(states.all())
        found = {people[key] for key, spelled in called.items() if same_person(spelled, name)}
    if len(found) > 1:
        raise InputError(f"several people are called {name}", advice="Give the person's id.")
    return Party(name, found.pop() if found else "")


def party_who_acted(connection: sa.Connection, name: str, person_id: str) -> Party:
    """Who acted under a name: the person it was recorded of, else whom the name belongs to by now.

    Somebody may have made a proposal before they had an account. Raises `InputError` as `party_of`.
    """
    return Party(name, person_id) if person_id else party_of(connection, name)
