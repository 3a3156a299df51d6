"""What changes how somebody signs in, or who may do what, asks for a session that is young."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from fastapi import Request

from verifier.web.context import Acting
from verifier.web.errors import WebError
from verifier.web.sessions import idle_of

RECENT: Final = timedelta(minutes=15)


class SignInAgain(WebError):
    """The session is too old for this; an unattended screen must not be enough."""

    code = "sign-in-again"
    advice = "Sign out and in again, then repeat it."
    status = 403

    def __init__(self) -> None:
        super().__init__(f"this is only done within {RECENT.seconds // 60} minutes of signing in")


def require_recent(request: Request, acting: Acting) -> None:
    """Raise `SignInAgain` unless the session began some minutes ago."""
    mine = acting.store.sessions(acting.actor, acting.now, idle_of(request))
    key, now = acting.visitor.session_key, acting.now
    if not any(each.session_key == key and each.created_at + RECENT > now for each in mine):
        raise SignInAgain
