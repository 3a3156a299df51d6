"""A chat through Apprise: its URL is a secret, its services a short list, its redirects and files are off."""

from __future__ import annotations

import ipaddress
import logging
import socket
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from chains.node_url import is_link_local, is_public
from verifier.alerts.channel import NotSent
from verifier.errors import ConfigError

if TYPE_CHECKING:
    from apprise import Apprise

    from verifier.settings.alerts import AlertSettings

SERVICES: Final = frozenset({"slack", "msteams", "workflow", "workflows", "gchat", "discord"})
"""Those whose host Apprise itself knows."""
HOSTED: Final = frozenset({"matrixs", "mmosts", "rockets", "jsons"})
"""Those whose URL names a host, over TLS."""
PLAIN: Final = frozenset({"matrix", "mmost", "rocket", "json"})
"""The same without TLS, only to what `inside` allows."""


def checked_url(settings: AlertSettings) -> str:
    """The URL if its service is on the list, and its host on the channel's. Raises `ConfigError`."""
    url = settings.url_text()
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
        _ = parts.port
    except ValueError:
        raise ConfigError(f"alerts {settings.name}: the URL cannot be read") from None
    if scheme in SERVICES:
        return url
    if scheme not in HOSTED and not (scheme in PLAIN and settings.inside):
        known = ", ".join(sorted(SERVICES | HOSTED))
        raise ConfigError(f"alerts {settings.name}: the URL's service is none of {known}")
    if host not in {each.lower() for each in settings.hosts}:
        raise ConfigError(f"alerts {settings.name}: the host of the URL is not in hosts")
    _check_address(settings, host)
    return url


def _check_address(settings: AlertSettings, host: str) -> None:
    """Look at every address of the name; Apprise looks it up again, so a firm inside relies on its resolver."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        raise NotSent("connection") from None
    for *_, place in found:
        address = ipaddress.ip_address(str(place[0]).partition("%")[0])
        if is_link_local(address) or address.is_unspecified or address.is_multicast:
            raise NotSent("address")
        if not settings.inside and not is_public(address):
            raise NotSent("address")


def send(settings: AlertSettings, title: str, lines: Sequence[str]) -> None:
    """Post a message once. Raises `NotSent`, or `ConfigError` for a URL that Apprise cannot use."""
    url = checked_url(settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # what its plugins import is not ours to mend
        sender = _service(settings, url)
    if not sender.notify(title=title, body="\n".join(lines), body_format="text", interpret_escapes=False):
        raise NotSent("refused")


def _service(settings: AlertSettings, url: str) -> Apprise:
    import apprise

    # It logs addresses and answers; no setting of an application may turn that on.
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    asset = apprise.AppriseAsset(http_redirects=False, secure_logging=True, plugin_paths=[], app_id="custody-verifier")
    sender = apprise.Apprise(asset=asset)
    joiner = "&" if "?" in url else "?"
    seconds = f"{settings.seconds_max:g}"
    if not sender.add(f"{url}{joiner}cto={seconds}&rto={seconds}&redirect=no&verify=yes"):
        raise ConfigError(f"alerts {settings.name}: the URL is not as its service needs it")
    return sender
