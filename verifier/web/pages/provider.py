"""Leaving for an identity provider and coming back from it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Query, Request
from pydantic import Field
from starlette.responses import Response

from verifier.accounts import oidc
from verifier.accounts.identity_provider import IdentityProvider
from verifier.accounts.roles import Access
from verifier.web.context import NowOf, StoreOf
from verifier.web.cookies import browser_digest
from verifier.web.errors import NotFound
from verifier.web.forms import PageForm, local_path
from verifier.web.pages.sign_in import signed_in
from verifier.web.routing import GuardedRouter
from verifier.web.sessions import address_of, where_of
from verifier.web.templating import page

router = GuardedRouter(prefix="/sign-in/oidc")

Parameter = Annotated[str, Query(max_length=2_000)]


class LeaveForm(PageForm):
    """Which provider, and where to go afterwards."""

    provider: int = Field(ge=0)
    next: str = Field(default="/", max_length=2_000)


@router.post("", Access.PUBLIC)
def leave(request: Request, form: Annotated[LeaveForm, Form()], store: StoreOf, now: NowOf) -> Response:
    """A page that leads on to the provider: the policy lets no form go to another site."""
    request.app.state.attempts.count(address_of(request))
    known = list(providers_of(request).values())
    if form.provider >= len(known):
        raise NotFound("there is no such identity provider")
    provider = known[form.provider]
    onward = local_path(form.next)
    url = oidc.leave(store, provider, redirect_uri(request), onward, browser_digest(request), now)
    return page(request, "leaving.html", url=url, label=provider.settings.label)


@router.get("/callback", Access.PUBLIC)
def come_back(
    request: Request,
    store: StoreOf,
    now: NowOf,
    state: Parameter = "",
    code: Parameter = "",
    iss: Parameter = "",
) -> Response:
    """A session for whom the provider names. The one GET that begins something: the protocol comes back by it, and
    `state` shows that this very browser left."""
    request.app.state.attempts.count(address_of(request))
    secret, onward = oidc.come_back(
        store,
        providers_of(request),
        oidc.Returned(state, code, iss),
        redirect_uri(request),
        browser_digest(request),
        where_of(request),
        now,
    )
    return signed_in(request, secret, local_path(onward))


def providers_of(request: Request) -> dict[str, IdentityProvider]:
    """The configured providers by issuer, in their order."""
    found: dict[str, IdentityProvider] = request.app.state.providers
    return found


def redirect_uri(request: Request) -> str:
    """Where the provider leads people back to; it must be registered there."""
    return f"{request.app.state.settings.web.public_url}/sign-in/oidc/callback"
