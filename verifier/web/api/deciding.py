"""Who may refuse what waits: whoever checks, and its maker, who takes it back that way."""

from __future__ import annotations

from verifier.accounts.roles import Access
from verifier.persons import same_person
from verifier.web.errors import Forbidden
from verifier.web.visitor import Visitor


def require_refuser(visitor: Visitor, maker: str) -> None:
    """Raise `Forbidden` for somebody who neither made it nor may check."""
    if not visitor.may(Access.CHECK) and not same_person(visitor.person_id, maker):
        raise Forbidden(Access.CHECK)
