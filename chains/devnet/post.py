"""One HTTP POST, once: no retry, no redirect followed, no proxy of the environment, no connection left open."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from chains.errors import ChainConfigError


class PostFailed(Exception):
    """No whole reply came; the text names the kind of failure and never the URL."""


def post(url: str, body: bytes, timeout_seconds: float) -> tuple[int, str, bytes]:
    """Status, content type and body of the reply; raise `PostFailed` without a whole one.

    The timeout is for connecting and for each read. Raises `ChainConfigError` for a URL of another scheme.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ChainConfigError("the URL of a node starts with http:// or https:// and names a host")
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = connect(parts.hostname, parts.port, timeout=timeout_seconds)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", target, body, {"Content-Type": "application/json", "Connection": "close"})
        with connection.getresponse() as response:
            return response.status, response.headers.get("Content-Type", ""), response.read()
    except (OSError, HTTPException) as error:
        raise PostFailed(type(error).__name__) from None
    finally:
        connection.close()
