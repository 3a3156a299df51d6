"""What the web part answers when it refuses: a page for people, problem details (RFC 9457) for programs."""

from __future__ import annotations

from collections.abc import Mapping

from verifier.accounts.roles import Access
from verifier.errors import VerifierError


class WebError(VerifierError):
    """A request that is refused; `status` is its HTTP status."""

    status = 400
    more: Mapping[str, object] = {}
    """What else a program is told."""


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


class ProblemsFound(WebError):
    """What was sent was read and is not right; nothing of it was stored."""

    advice = "Correct what is listed under problems and send all of it again; nothing was stored."
    status = 422

    def __init__(self, message: str, problems: object) -> None:
        super().__init__(message)
        self.more = {"problems": problems}


class RowRefused(ProblemsFound):
    """A posted row does not fit the rules of its table."""

    code = "row-refused"

    def __init__(self, problems: object) -> None:
        super().__init__("the row does not fit the rules of its table", problems)


class FilesRefused(ProblemsFound):
    """Files that were sent cannot be taken."""

    code = "files-refused"

    def __init__(self, problems: object) -> None:
        super().__init__("the files cannot be taken", problems)


class Busy(WebError):
    """Work of which only one is done at a time is under way."""

    code = "busy"
    advice = "Try again when it is done."
    status = 503
