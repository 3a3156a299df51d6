"""What the web part answers when it refuses: a page for people, problem details (RFC 9457) for programs."""

from __future__ import annotations

from verifier.accounts.roles import Access
from verifier.errors import VerifierError


class WebError(VerifierError):
    """A request that is refused; `status` is its HTTP status."""

    status = 400


class NotSignedIn(WebError):
    """Nobody is signed in, or the session or token is not valid any more."""

    code = "not-signed-in"
    advice = "Sign in, or send a token that is valid."
    status = 401

    def __init__(self) -> None:
        super().__init__("this needs somebody who is signed in")


class Forbidden(WebError):
    """The person's roles, or the scope of the token, do not give this access."""

    code = "forbidden"
    advice = "Ask an administrator for the role, or somebody who has it to do this."
    status = 403

    def __init__(self, access: Access) -> None:
        super().__init__(f"this needs a person or token with the access to {access.value}")


class NotFound(WebError):
    """What was asked for does not exist, or is not for who asks."""

    code = "not-found"
    advice = "Look it up in its list."
    status = 404
