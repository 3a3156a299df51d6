"""The section `[web]` of the configuration: where the pages are, how long a session lasts, who signs people in."""

from __future__ import annotations

import os
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from verifier.errors import ConfigError

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:]+", re.ASCII)


def _plain_url(text: str) -> str:
    """An address of a site: https, or http on this machine; nothing behind the host but a path."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("is no URL") from None
    if (
        parts.scheme not in ("https", "http")
        or not _HOST.fullmatch(host)
        or parts.query
        or parts.fragment
        or "@" in text
    ):
        raise ValueError("must be https://HOST")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise ValueError("must be https:// unless it is of this machine")
    return text


def _site(text: str) -> str:
    return _plain_url(text).rstrip("/") if text else ""


def _network(text: str) -> str:
    ip_network(text)
    return text


class OidcSettings(BaseModel):
    """One identity provider that people of the firm sign in with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: Annotated[str, AfterValidator(_plain_url)]
    """As its tokens name it, to the letter."""
    label: str = Field(min_length=1, max_length=60)
    """What the button on the sign-in page says."""
    client_id: str = Field(min_length=1)
    client_secret_env: str | None = None
    """Name of the environment variable that holds the client's secret; none for a public client."""
    scope: str = "openid"
    required_acr: list[str] = []
    """Ways of authentication (`acr`) of which the provider must name one; any without it."""
    public_only: bool = False
    """Refuse a provider whose name resolves to an address inside the firm's network."""

    def secret(self) -> str:
        """The client's secret, empty for a public client. Raises `ConfigError` when its variable is not set."""
        if self.client_secret_env is None:
            return ""
        if not (found := os.environ.get(self.client_secret_env, "")):
            raise ConfigError(
                f"identity provider {self.label}: environment variable {self.client_secret_env} is not set"
            )
        return found


class WebSettings(BaseModel):
    """The pages and the HTTP API; see docs/web.md."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    public_url: Annotated[str, AfterValidator(_site)] = ""
    """Where people reach it, such as https://custody.example.com. With https, cookies are bound to it and to TLS."""
    allowed_hosts: list[str] = []
    """Names under which it answers besides that of `public_url`; of this machine alone when neither is given."""
    trusted_proxies: list[Annotated[str, AfterValidator(_network)]] = []
    """Addresses of proxies whose word on the client's address is believed."""
    session_idle_minutes: int = Field(default=30, ge=1, le=24 * 60)
    """A session that was not used for so long is over."""
    session_hours: int = Field(default=12, ge=1, le=7 * 24)
    """A session is over after so long, however much it is used."""
    token_days_max: int = Field(default=365, ge=1, le=3650)
    """How long an API token may be valid at most."""
    body_bytes_max: int = Field(default=64 * 1024 * 1024, ge=1024)
    """Largest request of somebody who is signed in; of others it is 64 KiB."""
    exports_folder: Path | None = None
    """Where bundles that are asked for are written; `exports` beside custody.toml when not given."""
    trusted_keys_file: Path | None = None
    """The keys that bundles are verified with; `trusted-keys.json` beside custody.toml when not given."""
    oidc: list[OidcSettings] = []

    @model_validator(mode="after")
    def _distinct(self) -> WebSettings:
        issuers = [each.issuer for each in self.oidc]
        if len(set(issuers)) != len(issuers):
            raise ValueError("two [[web.oidc]] have the same issuer")
        if self.oidc and not self.public_url:
            raise ValueError("public_url is needed for [[web.oidc]]: a provider leads people back to it")
        for host in self.allowed_hosts:
            if not _HOST.fullmatch(host):
                raise ValueError(f"{host!r} is no host name; patterns are not allowed")
        return self

    @property
    def is_tls(self) -> bool:
        """Whether people reach it over TLS, which a proxy ends."""
        return self.public_url.startswith("https:")

    @property
    def hosts(self) -> frozenset[str]:
        """The names under which it answers."""
        own = urlsplit(self.public_url).hostname
        named = {*self.allowed_hosts, *([own] if own else [])}
        return frozenset(named or LOOPBACK)
