"""Who asks: the person behind a request, however they showed who they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request

from verifier.accounts.roles import Access, Role


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person who signed in, or a token of theirs."""

    person_id: str
    """Whom maker and checker are told apart by; one person with two logins is one."""
    name: str
    """What the journal and the pages call them."""
    roles: frozenset[Role]
    accesses: frozenset[Access] | None = None
    """What a token is limited to; None for a session, which may all that the roles may."""
    session_key: str = ""
    """Names the session or token in journal and limits; never the secret itself."""
    address: str = ""
    """Where the request came from, for the journal."""

    def may(self, access: Access) -> bool:
        """Whether the roles, and the token's scope where there is one, give this access."""
        if access is Access.PUBLIC:
            return True
        limited = self.accesses is not None and access not in self.accesses and access is not Access.SIGNED_IN
        return not limited and bool(self.roles & access.roles)


Resolve = Callable[[Request], Visitor | None]
"""Finds out who asks; None for nobody. It raises nothing: what cannot be read is nobody."""


def visitor_of(request: Request) -> Visitor:
    """Who asks, on a route that is not public: its guard has made sure that there is somebody."""
    visitor = request.state.visitor
    if not isinstance(visitor, Visitor):
        raise TypeError("a public route has no visitor")
    return visitor
