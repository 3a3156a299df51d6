"""The two cookies: who is signed in, and which browser this is. Both are secrets that no script can read."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from verifier.accounts.secrets import digest_of, new_secret

SESSION: Final = "custody-session"
BROWSER: Final = "custody-browser"
"""Of a browser whether or not somebody is signed in: forms are bound to it, and the steps of a sign-in."""
SECRET_LENGTH: Final = 43


def read(request: Request, name: str) -> str:
    """The secret in a cookie; empty when there is none or it was not made here."""
    found = request.cookies.get(full_name(request, name), "")
    return found if len(found) == SECRET_LENGTH and found.isascii() else ""


def full_name(request: Request, name: str) -> str:
    """With TLS the name binds the cookie to this very host, so that no neighbour can set it."""
    return f"__Host-{name}" if request.app.state.settings.web.is_tls else name


def write(response: Response, request: Request, name: str, secret: str) -> None:
    """Set a cookie until the browser closes; the server ends a session earlier."""
    tls = request.app.state.settings.web.is_tls
    # Lax, so that a link in a mail or the way back from an identity provider finds somebody signed in; what changes
    # something is a POST, which brings no Lax cookie from elsewhere.
    response.set_cookie(full_name(request, name), secret, secure=tls, httponly=True, samesite="lax", path="/")


def forget(response: Response, request: Request, name: str) -> None:
    """Have the browser drop a cookie."""
    tls = request.app.state.settings.web.is_tls
    response.delete_cookie(full_name(request, name), secure=tls, httponly=True, samesite="lax", path="/")


def give_browser(request: Request) -> str:
    """The secret of the browser, a new one when it has none; `request.state.new_browser` says that it must be set."""
    known = read(request, BROWSER)
    request.state.new_browser = not known
    request.state.browser = known or new_secret()
    return str(request.state.browser)


def browser_digest(request: Request) -> str:
    """What a ticket is bound to."""
    return digest_of(request.state.browser)


def csrf_token(request: Request) -> str:
    """What forms of this browser and session carry, and nobody else can know (row F6)."""
    bound = f"form:{digest_of(read(request, SESSION))}"
    return hmac.new(request.state.browser.encode(), bound.encode(), sha256).hexdigest()
