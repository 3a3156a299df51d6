"""What the script of the passkeys asks for: challenges, and what it does with them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from verifier.accounts import passkeys
from verifier.accounts.roles import Access
from verifier.web.context import ActingOf, NowOf, StoreOf
from verifier.web.cookies import SESSION, browser_digest, write
from verifier.web.forms import local_path
from verifier.web.pages.recent import require_recent
from verifier.web.routing import GuardedRouter
from verifier.web.sessions import address_of, home_of, where_of

router = GuardedRouter()


class Made(BaseModel):
    """A passkey that the browser made."""

    model_config = ConfigDict(extra="forbid")

    ticket: str = Field(max_length=100)
    label: str = Field(max_length=100)
    credential: dict[str, Any]


class Signed(BaseModel):
    """A challenge that the browser signed."""

    model_config = ConfigDict(extra="forbid")

    ticket: str = Field(max_length=100)
    next: str = Field(default="/", max_length=2_000)
    credential: dict[str, Any]


@router.post("/sign-in/passkey/options", Access.PUBLIC)
def to_sign_in(request: Request, store: StoreOf, now: NowOf) -> Response:
    """A challenge for a passkey, whoever it may be of."""
    request.app.state.attempts.count(address_of(request))
    return JSONResponse(passkeys.options_to_sign_in(store, site_of(request), browser_digest(request), now))


@router.post("/sign-in/passkey", Access.PUBLIC)
def sign_in(request: Request, signed: Signed, store: StoreOf, now: NowOf) -> Response:
    """A session for who signed it."""
    site, browser = site_of(request), browser_digest(request)
    secret = passkeys.sign_in(store, signed.ticket, signed.credential, site, browser, where_of(request), now)
    answer = JSONResponse({"next": home_of(request, secret, local_path(signed.next))})
    write(answer, request, SESSION, secret)
    return answer


@router.post("/account/passkeys/options", Access.SIGNED_IN)
def to_add(request: Request, acting: ActingOf) -> Response:
    """What a new passkey is made with."""
    require_recent(request, acting)
    site, browser = site_of(request), browser_digest(request)
    return JSONResponse(passkeys.options_to_add(acting.store, acting.actor, site, browser, acting.now))


@router.post("/account/passkeys", Access.SIGNED_IN)
def add(request: Request, made: Made, acting: ActingOf) -> Response:
    """Record it."""
    require_recent(request, acting)
    where = (site_of(request), browser_digest(request))
    passkeys.add(acting.store, acting.actor, made.ticket, made.credential, made.label, *where, acting.by, acting.now)
    return JSONResponse({"next": "/account"})


def site_of(request: Request) -> passkeys.Site:
    """What the browser takes this site for: as configured, else by the host that was asked, which is a known one."""
    settings = request.app.state.settings
    origin = settings.web.public_url or f"http://{request.headers['host']}"
    parts = urlsplit(origin)
    return passkeys.Site(parts.hostname or "", f"{parts.scheme}://{parts.netloc}", settings.firm.name)
