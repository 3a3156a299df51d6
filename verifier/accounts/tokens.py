"""API tokens: of one person, limited to some kinds of access, for a limited time, shown once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from verifier.accounts.enrolment import made
from verifier.accounts.records import By, CredentialKind, checked_name
from verifier.accounts.roles import Access
from verifier.accounts.secrets import digest_of, new_token
from verifier.errors import InputError

if TYPE_CHECKING:
    from verifier.store import Store

SCOPES: Final = (Access.READ, Access.MAKE, Access.EXPORT)
"""What a program may be given. Approving is for people, and so are users: a token has no second factor."""


def issue(
    store: Store, person_id: str, label: str, scope: frozenset[Access], days: int, days_max: int, by: By, now: datetime
) -> str:
    """A token for a program that acts for a person; returns it, nothing but its digest is kept.

    Raises `InputError` for a scope that the person's roles do not give, or a time that is too long.
    """
    person = store.person(person_id)
    if person is None or person.is_disabled:
        raise InputError(f"there is no person {person_id} who may sign in")
    if not scope or not scope <= frozenset(SCOPES):
        raise InputError(f"a token is for one or more of: {', '.join(each.value for each in SCOPES)}")
    if missing := sorted(each.value for each in scope if not person.roles & each.roles):
        raise InputError(f"the roles of {person_id} do not give: {', '.join(missing)}")
    if not 1 <= days <= days_max:
        raise InputError(f"a token is valid for 1 to {days_max} days")
    token = new_token()
    content = {"scope": sorted(each.value for each in scope)}
    until = now + timedelta(days=days)
    new = made(
        CredentialKind.TOKEN, person_id, checked_name(label), digest_of(token), now, content=content, expires_at=until
    )
    store.add_credential(new, by, now)
    return token
