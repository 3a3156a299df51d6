"""What a configured node URL may be, and which parts of a node's configuration are secret. No I/O.

    https://HOST/...            any host; the certificate is checked
    http://HOST/...             loopback only: `localhost`, 127.0.0.0/8, ::1
    http+insecure://HOST/...    any host, unencrypted: an explicit opt-in, for the service names of a container network

Whoever can answer in a node's place decides what a sweep sees, and keys travel in URLs and headers: so plain HTTP
beyond the machine is never a silent default. The rule is checked here on the text, and again by `chains.network` on
the address that the name resolved to.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from chains.errors import ChainConfigError
from chains.reader import NodeConfig

SECRET_CHARACTERS_MIN = 6
"""A shorter part of a URL, such as `v3` or `eth`, is no secret; hiding it would garble a node's messages."""

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_OWN_HEADERS = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "content-type", "transfer-encoding", "te", "upgrade"}
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NO_PUBLIC_FORMS = (ipaddress.IPv6Network("::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
"""IPv4 written as IPv6 in a way that no public server has."""
_SCHEMES = {"https": "https", "http": "http", "http+insecure": "http"}


@dataclass(frozen=True, slots=True)
class NodeUrl:
    """A checked node URL. Never shown."""

    url: str = field(repr=False)
    """With the scheme `http` or `https`."""
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    """The configured headers, and the URL's user and password as Basic authentication."""
    loopback_only: bool
    """Whether the resolved address must be of this machine."""
    secrets: tuple[str, ...] = field(repr=False)
    """Every text of URL and headers that must not appear in an error or log, longest first."""


def parse_node_url(node: NodeConfig) -> NodeUrl:
    """Check a node's URL; raise `ChainConfigError`, which names the node and not the URL."""

    def refuse(reason: str) -> ChainConfigError:
        return ChainConfigError(f"node {node.node_id}: the URL {reason}")

    try:
        parts = urlsplit(node.url)
        port = parts.port
    except ValueError:
        raise refuse("cannot be read") from None
    if parts.scheme not in _SCHEMES:
        raise refuse("must begin with https://, http:// (this machine only) or http+insecure://")
    if not parts.hostname or port == 0:
        raise refuse("names no host and port to connect to")
    if not node.url.isascii() or any(character <= " " or character in '\\"<>' for character in node.url):
        raise refuse("holds characters that must be percent-encoded")
    if parts.fragment:
        raise refuse("has a fragment, which no server would see")
    if parts.scheme == "http" and not is_loopback_name(parts.hostname):
        raise refuse("is unencrypted and leaves this machine; use https://, or http+insecure:// to accept that")
    scheme = _SCHEMES[parts.scheme]
    return NodeUrl(
        url=parts._replace(scheme=scheme, netloc=parts.netloc.rpartition("@")[2]).geturl(),
        headers=_headers(node, refuse),
        loopback_only=parts.scheme == "http",
        secrets=_secrets(node),
    )


def _headers(node: NodeConfig, refuse: Callable[[str], ChainConfigError]) -> tuple[tuple[str, str], ...]:
    headers = list(node.headers)
    user_password = urlsplit(node.url).netloc.rpartition("@")[0]
    if user_password:
        if any(name.lower() == "authorization" for name, _ in headers):
            raise refuse("has a user while an Authorization header is configured too")
        token = base64.b64encode(unquote(user_password).encode()).decode("ascii")
        headers.append(("authorization", f"Basic {token}"))
    for name, value in headers:
        if _HEADER_NAME.fullmatch(name) is None or not value.isascii() or not value.isprintable():
            raise ChainConfigError(f"node {node.node_id}: a header is not one of printable ASCII")
        if name.lower() in _OWN_HEADERS:
            raise ChainConfigError(f"node {node.node_id}: the header {name.lower()} is set by the transport itself")
    return tuple(headers)


def is_loopback_name(host: str) -> bool:
    """Whether a host as written in a URL is this machine by its form alone."""
    if host.lower() == "localhost":
        return True
    try:
        return is_loopback(ipaddress.ip_address(host))
    except ValueError:
        return False


def is_loopback(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is of this machine, also when IPv4 is written as `::ffff:127.0.0.1`."""
    return _unmapped(address).is_loopback


def is_link_local(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is link-local, where clouds serve machine credentials and no node lives."""
    return _unmapped(address).is_link_local


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is one of the public Internet, also behind the IPv6 forms that lead to an IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if any(address in network for network in _NO_PUBLIC_FORMS):
            return False
    return address.is_global and not address.is_multicast


def _unmapped(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _secrets(node: NodeConfig) -> tuple[str, ...]:
    parts = urlsplit(node.url)
    found = {node.url, parts.netloc, parts.hostname or "", parts.path, parts.query}
    found |= {parts.username or "", parts.password or ""}
    found |= set(parts.path.split("/"))
    found |= {piece for pair in parts.query.split("&") for piece in pair.split("=", 1)[-1:]}
    for _, value in node.headers:
        found |= {value, *value.split()}
    found |= {unquote(secret) for secret in found}
    user_password = unquote(parts.netloc.rpartition("@")[0])
    found |= {user_password, base64.b64encode(user_password.encode()).decode("ascii")}
    if parts.hostname and is_loopback_name(parts.hostname):
        found.discard(parts.hostname)
    return tuple(sorted((text for text in found if len(text) >= SECRET_CHARACTERS_MIN), key=len, reverse=True))
