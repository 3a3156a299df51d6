"""Signing in at an identity provider: OpenID Connect's code flow with PKCE, nonce and state.

Who comes back is whom the provider names by its claim `sub`, and only if an administrator bound that to a person: an
e-mail address is never looked at, because a provider may let people choose theirs.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from verifier.accounts.identity_provider import IdentityProvider, ProviderFailed
from verifier.accounts.secrets import digest_of, new_secret
from verifier.accounts.signing_in import SignInRefused, Where, begin, refuse
from verifier.errors import VerifierError
from verifier.store.people_store import login_in

if TYPE_CHECKING:
    from verifier.store import Store
    from verifier.store.unit import Unit

LASTS: Final = timedelta(minutes=10)
PURPOSE: Final = "identity provider"
LEEWAY_SECONDS: Final = 60
"""How far the provider's clock may be off."""
TOKEN_SECONDS_MAX: Final = 600
"""How old a token may be that was made for this very sign-in."""


class NotBound(VerifierError):
    """The provider knows who this is, and nobody here does."""

    code = "not-bound"

    def __init__(self, issuer: str, subject: str) -> None:
        shown = subject[:255]
        super().__init__(
            "nobody here signs in under this identity",
            advice=f"Ask an administrator to bind the subject {shown} of {issuer} to your person id.",
        )


@dataclass(frozen=True, slots=True)
class Returned:
    """What the browser brought back from the provider."""

    state: str = field(repr=False)
    code: str = field(repr=False)
    issuer: str
    """Who says so, by RFC 9207; empty where the provider does not say."""


def leave(store: Store, provider: IdentityProvider, redirect_uri: str, onward: str, browser: str, now: datetime) -> str:
    """Where to send somebody who wants to sign in there. Raises `ProviderFailed`."""
    described = provider.described(now)
    state, nonce, verifier = new_secret(), new_secret(), new_secret()
    content = {"issuer": provider.settings.issuer, "nonce": nonce, "verifier": verifier, "next": onward}
    store.add_ticket(digest_of(state), PURPOSE, browser, content, now, now + LASTS)
    asked = {
        "response_type": "code",
        "client_id": provider.settings.client_id,
        "redirect_uri": redirect_uri,
        "scope": provider.settings.scope,
        "state": state,
        "nonce": nonce,
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",
    }
    if provider.settings.required_acr:
        asked["acr_values"] = " ".join(provider.settings.required_acr)
    joint = "&" if "?" in described.authorization_endpoint else "?"
    return f"{described.authorization_endpoint}{joint}{urlencode(asked)}"


def come_back(
    store: Store,
    providers: dict[str, IdentityProvider],
    returned: Returned,
    redirect_uri: str,
    browser: str,
    where: Where,
    now: datetime,
) -> tuple[str, str]:
    """Begin a session for whom the provider names; returns its secret and where to go next.

    Raises `SignInRefused`, `NotBound` or `ProviderFailed`.
    """
    asked = store.take_ticket(digest_of(returned.state), PURPOSE, browser, now)
    provider = providers.get(asked["issuer"]) if asked else None
    if asked is None or provider is None or not returned.code:
        refuse(store, "identity provider", "", where, now)
    issuer = provider.settings.issuer
    described = provider.described(now)
    if (returned.issuer or described.says_issuer) and returned.issuer != issuer:
        refuse(store, "identity provider", "", where, now)
    token = provider.exchange(returned.code, asked["verifier"], redirect_uri, now)
    subject = subject_of(provider, token, asked["nonce"], now)
    login = store.login(issuer, subject)
    if login is None:
        try:
            refuse(store, "identity provider", "", where, now)
        except SignInRefused:
            raise NotBound(issuer, subject) from None

    def use(unit: Unit) -> bool:
        return login_in(unit.connection, issuer, subject) == login

    secret = begin(store, login.person_id, "identity provider", {"issuer": issuer}, use, where, now)
    if not secret:
        refuse(store, "identity provider", login.person_id, where, now)
    return secret, asked["next"]


def subject_of(provider: IdentityProvider, token: str, nonce: str, now: datetime) -> str:
    """Whom an id_token names, when it is one for us, of now, and of this sign-in. Raises `ProviderFailed`."""
    from joserfc.errors import JoseError

    try:
        claims = _claims(provider, token, nonce, now, fresh=False)
    except (JoseError, ValueError, TypeError):
        try:  # its keys may have changed since they were asked for
            claims = _claims(provider, token, nonce, now, fresh=True)
        except (JoseError, ValueError, TypeError):
            raise _refused(provider) from None
    subject, audience = claims["sub"], claims["aud"]
    several = isinstance(audience, list) and len(audience) > 1
    if (several or "azp" in claims) and claims.get("azp") != provider.settings.client_id:
        raise _refused(provider)
    issued = claims["iat"]
    if not isinstance(issued, int) or abs(now.timestamp() - issued) > TOKEN_SECONDS_MAX:
        raise _refused(provider)
    wanted = provider.settings.required_acr
    if wanted and claims.get("acr") not in wanted:
        raise _refused(provider)
    if not isinstance(subject, str) or not subject:
        raise _refused(provider)
    return subject


def _claims(provider: IdentityProvider, token: str, nonce: str, now: datetime, *, fresh: bool) -> dict[str, Any]:
    from joserfc import jwt

    described = provider.described(now, fresh=fresh)
    decoded = jwt.decode(token, described.keys, algorithms=list(described.algorithms))
    jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": provider.settings.issuer},
        aud={"essential": True, "value": provider.settings.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    ).validate(decoded.claims)
    return dict(decoded.claims)


def _challenge(verifier: str) -> str:
    """What the provider holds the verifier against (RFC 7636, S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _refused(provider: IdentityProvider) -> ProviderFailed:
    return ProviderFailed(f"what the identity provider {provider.settings.label} said of who signed in is not accepted")
