"""What is asked of an OpenID Connect provider: its own description, its keys, and a code's tokens."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus, urlencode, urlsplit

import orjson

from chains.errors import ChainError
from chains.reader import NodeConfig, ReadLimits
from verifier.errors import VerifierError

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

    from verifier.settings.web import OidcSettings

KNOWN_FOR: Final = timedelta(hours=1)
"""How long a provider's description and keys are used before they are asked for again."""
_FORM: Final = ("application/x-www-form-urlencoded", "application/json")
_LIMITS: Final = ReadLimits(
    connect_timeout_seconds=5.0,
    read_timeout_seconds=10.0,
    call_deadline_seconds=15.0,
    body_bytes_max=1024 * 1024,
    attempts_max=2,
    retry_wait_seconds_max=1.0,
)
_ONCE: Final = ReadLimits(
    connect_timeout_seconds=5.0,
    read_timeout_seconds=10.0,
    call_deadline_seconds=15.0,
    body_bytes_max=1024 * 1024,
    attempts_max=1,
)


class ProviderFailed(VerifierError):
    """The identity provider cannot be reached, or answered something else than the protocol says."""

    code = "identity-provider"
    advice = "Try again, or sign in another way; the operator of the system finds the cause in the log."


@dataclass(frozen=True, slots=True)
class Described:
    """A provider as it describes itself."""

    authorization_endpoint: str
    token_endpoint: str
    algorithms: tuple[str, ...]
    says_issuer: bool
    """Whether it names itself when it leads people back (RFC 9207)."""
    by_header: bool
    """Whether the client shows its secret in a header, else among the fields."""
    keys: KeySet
    known_at: datetime


ALGORITHMS: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"})
"""Signatures that are accepted: with a key pair, so that a client's secret cannot make one, and never `none`."""


class IdentityProvider:
    """One configured provider. What it says of itself is kept for an hour."""

    def __init__(self, settings: OidcSettings) -> None:
        self.settings = settings
        self._described: Described | None = None

    def described(self, now: datetime, *, fresh: bool = False) -> Described:
        """Its description and keys. Raises `ProviderFailed`."""
        known = self._described
        if known is None or fresh or known.known_at + KNOWN_FOR <= now:
            known = self._described = self._describe(now)
        return known

    def exchange(self, code: str, verifier: str, redirect_uri: str, now: datetime) -> str:
        """The id_token that a code stands for. Raises `ProviderFailed`."""
        described = self.described(now)
        secret = self.settings.secret()
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers: tuple[tuple[str, str], ...] = ()
        if secret and described.by_header:
            pair = f"{quote_plus(self.settings.client_id)}:{quote_plus(secret)}"
            headers = (("authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"),)
        else:
            fields |= {"client_id": self.settings.client_id} | ({"client_secret": secret} if secret else {})
        answer = self._ask(described.token_endpoint, urlencode(fields).encode(), headers)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise self._failed("gave no id_token")
        return token

    def _describe(self, now: datetime) -> Described:
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        found = self._ask(f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self.settings.issuer:
            raise self._failed("describes itself under another name than the configured issuer")
        if "S256" not in found.get("code_challenge_methods_supported", ["S256"]):
            raise self._failed("does not offer PKCE with S256")
        algorithms = sorted(ALGORITHMS & set(found.get("id_token_signing_alg_values_supported", ["RS256"])))
        if not algorithms:
            raise self._failed("signs in no way that is accepted")
        methods = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        try:
            keys = KeySet.import_key_set(self._ask(self._own(found, "jwks_uri")))  # type: ignore[arg-type]
        except (JoseError, ValueError, KeyError, TypeError):
            raise self._failed("has keys that cannot be read") from None
        return Described(
            self._own(found, "authorization_endpoint"),
            self._own(found, "token_endpoint"),
            tuple(algorithms),
            found.get("authorization_response_iss_parameter_supported") is True,
            "client_secret_basic" in methods,
            keys,
            now,
        )

    def _own(self, found: dict[str, Any], name: str) -> str:
        """An address out of the description, as well protected as the issuer's own."""
        url = found.get(name)
        scheme = urlsplit(self.settings.issuer).scheme
        if not isinstance(url, str) or not url.startswith(f"{scheme}://"):
            raise self._failed(f"describes no {name} that begins with {scheme}://")
        return url

    def _ask(self, url: str, body: bytes | None = None, headers: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
        from chains.transport import HttpExchange

        try:
            node = NodeConfig(node_id="identity-provider", operator=self.settings.label, url=url, headers=headers)
            limits = _LIMITS if body is None else _ONCE
            exchange = HttpExchange(node, limits, public_only=self.settings.public_only)
            try:
                answer = exchange.fetch() if body is None else exchange.post(body, _FORM)
            finally:
                exchange.close()
        except ChainError as error:
            raise self._failed(str(error).removeprefix("identity-provider: ")) from None
        if answer.status != 200:
            raise self._failed(f"answered HTTP {answer.status}")
        try:
            found = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise self._failed("answered something else than a JSON object")
        return found

    def _failed(self, what: str) -> ProviderFailed:
        return ProviderFailed(f"the identity provider {self.settings.label} {what}")
