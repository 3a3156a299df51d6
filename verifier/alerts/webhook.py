"""A webhook, signed as Standard Webhooks 1.0.0 says: HMAC-SHA256 over id, time and body, in three headers.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ssl
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from chains.errors import ChainConfigError, ReadError
from chains.reader import NodeConfig, ReadLimits
from verifier.alerts.channel import NotSent
from verifier.errors import ConfigError

if TYPE_CHECKING:
    from verifier.settings.alerts import AlertSettings

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = range(24, 65)
ANSWER_BYTES_MAX: Final = 65_536


def signature(secret: str, message_id: str, at: datetime, body: bytes) -> str:
    """The header `webhook-signature`. Raises `ConfigError` for a secret that is not 24 to 64 bytes in Base64."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) not in SECRET_BYTES:
        raise ConfigError("a webhook's secret is 24 to 64 bytes in Base64, after whsec_")
    signed = f"{message_id}.{int(at.timestamp())}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode("ascii")


def send(settings: AlertSettings, message_id: str, body: bytes, now: datetime) -> None:
    """Post a message once. Raises `NotSent` for anything but a status 2xx, `ConfigError` for what cannot work."""
    from chains.transport import HttpExchange

    url = checked_url(settings)
    headers = (
        ("webhook-id", message_id),
        ("webhook-timestamp", str(int(now.timestamp()))),
        ("webhook-signature", signature(settings.secret_text(), message_id, now, body)),
    )
    seconds = settings.seconds_max
    limits = ReadLimits(
        connect_timeout_seconds=min(10.0, seconds),
        read_timeout_seconds=seconds,
        call_deadline_seconds=seconds,
        body_bytes_max=ANSWER_BYTES_MAX,
        attempts_max=1,
    )
    node = NodeConfig(settings.name, settings.name, url, headers)
    try:
        exchange = HttpExchange(node, limits, tls=trusted(settings.ca_file), public_only=not settings.inside)
        try:
            status = exchange.post(body).status
        finally:
            exchange.close()
    except ReadError as error:
        raise NotSent(error.fault or "connection") from None
    except ChainConfigError:
        raise NotSent("config") from None
    if not 200 <= status < 300:
        raise NotSent(f"http-{status}")


def checked_url(settings: AlertSettings) -> str:
    """The URL, if it is https (http on this machine where `inside` is said) and its host is on the list."""
    url = settings.url_text()
    try:
        parts = urlsplit(url)
        host, scheme = (parts.hostname or "").lower(), parts.scheme.lower()
    except ValueError:
        raise ConfigError(f"alerts {settings.name}: the URL cannot be read") from None
    if scheme != "https" and not (scheme == "http" and settings.inside):
        raise ConfigError(f"alerts {settings.name}: the URL must begin with https://")
    if host not in {each.lower() for each in settings.hosts}:
        raise ConfigError(f"alerts {settings.name}: the host of the URL is not in hosts")
    return url


def trusted(ca_file: Path | None) -> ssl.SSLContext | None:
    """Whom to trust; None is the system's authorities."""
    if ca_file is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(ca_file)
    except (OSError, ssl.SSLError):
        raise ConfigError("ca_file holds no certificates that can be read") from None
    return context
