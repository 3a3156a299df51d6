"""The sections `[[alerts]]` of the configuration: who is told what, how, and when not."""

from __future__ import annotations

import os
from datetime import time
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from verifier.alerts.records import AlertEvent, Severity
from verifier.errors import ConfigError

CivilTime = Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9])?$")]


class AlertSettings(BaseModel):
    """One channel."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")
    kind: Literal["webhook", "email", "chat"]
    events: list[AlertEvent] = []
    """Which are told; all when empty."""
    severity: Severity = Severity.WARNING
    """The least that is told. What is asked for by name in `events` is told whatever its severity."""
    details: bool = False
    """Whether the text of findings goes out too, which can name clients, wallets and amounts."""
    quiet_from: CivilTime = ""
    """Begin of the quiet hours in `reserve.bank_zone`: breaches are told nevertheless, the rest when they end."""
    quiet_to: CivilTime = ""
    every_seconds: int = Field(default=60, ge=0, le=86_400)
    """Shortest time between two messages; what comes meanwhile goes together with the next one."""
    attempts_max: int = Field(default=12, ge=1, le=100)
    """Tries of one message before it is given up."""
    seconds_max: float = Field(default=20.0, gt=0, le=300)
    """Longest time for one try."""
    url: SecretStr | None = None
    """Of a webhook (https), or of a chat as Apprise writes it; shown nowhere."""
    url_env: str | None = None
    url_file: Path | None = None
    hosts: list[str] = []
    """Hosts that the URL may name; no other one is asked. Chats whose service has one known host need none."""
    inside: bool = False
    """Whether the host may be this machine, or one of a network inside. Link-local addresses are always refused."""
    ca_file: Path | None = None
    """Certificates (PEM) of the authorities to trust, in the place of the system's: webhook and email."""
    secret_env: str | None = None
    """Name of the environment variable with a webhook's signing secret, `whsec_` and Base64."""
    secret_file: Path | None = None
    smtp_host: str = ""
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    """`none` only to this machine."""
    smtp_user: str = ""
    smtp_password_env: str | None = None
    smtp_password_file: Path | None = None
    sender: str = ""
    recipients: list[str] = []

    @model_validator(mode="after")
    def _of_its_kind(self) -> AlertSettings:
        urls = sum(given is not None for given in (self.url, self.url_env, self.url_file))
        secrets = sum(given is not None for given in (self.secret_env, self.secret_file))
        passwords = sum(given is not None for given in (self.smtp_password_env, self.smtp_password_file))
        if (urls == 1) != (self.kind != "email") or urls > 1:
            raise ValueError("a webhook or chat needs exactly one of url, url_env, url_file; email none of them")
        if (secrets == 1) != (self.kind == "webhook") or secrets > 1:
            raise ValueError("a webhook needs exactly one of secret_env, secret_file; nothing else takes one")
        if self.kind == "webhook" and not self.hosts:
            raise ValueError("a webhook needs hosts: the names its URL may have")
        if (self.kind == "email") != bool(self.smtp_host and self.sender and self.recipients):
            raise ValueError("email needs smtp_host, sender and recipients; nothing else takes them")
        if passwords > 1 or (passwords == 1) != bool(self.smtp_user):
            raise ValueError("smtp_user and one of smtp_password_env, smtp_password_file belong together")
        if self.smtp_security == "none" and self.smtp_host not in ("localhost", "127.0.0.1", "::1", ""):
            raise ValueError("smtp_security none is for this machine alone: mail leaves it encrypted or not at all")
        if bool(self.quiet_from) != bool(self.quiet_to):
            raise ValueError("quiet_from and quiet_to belong together")
        if any(not part.isprintable() or " " in part for part in (self.sender, *self.recipients)):
            raise ValueError("a mail address has no spaces and control characters")
        return self

    def quiet_hours(self) -> tuple[time, time] | None:
        """Begin and end, civil."""
        return (time.fromisoformat(self.quiet_from), time.fromisoformat(self.quiet_to)) if self.quiet_from else None

    def url_text(self) -> str:
        """The URL; raises `ConfigError` when its variable or file is not there."""
        return self._secret("url", self.url.get_secret_value() if self.url else "", self.url_env, self.url_file)

    def secret_text(self) -> str:
        """The signing secret, likewise."""
        return self._secret("secret", "", self.secret_env, self.secret_file)

    def smtp_password(self) -> str:
        """The password, likewise; empty without a user."""
        return self._secret("password", "", self.smtp_password_env, self.smtp_password_file) if self.smtp_user else ""

    def _secret(self, what: str, given: str, variable: str | None, file: Path | None) -> str:
        found = given
        if variable is not None:
            found = os.environ.get(variable, "")
            if not found:
                raise ConfigError(f"alerts {self.name}: environment variable {variable} is not set")
        elif file is not None:
            try:
                found = file.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                raise ConfigError(f"alerts {self.name}: {what}_file cannot be read") from None
        if not found:
            raise ConfigError(f"alerts {self.name}: the {what} is empty")
        return found
