"""The floor: the very requests a side sends, recorded once and then posted again, the replies read and dropped.

What is left is the node, the loopback and a bare HTTP client: nothing is built, decoded, checked or kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx2


@dataclass(slots=True)
class Recording:
    """Requests in their order, and the reply to each."""

    requests: list[bytes] = field(default_factory=list)
    replies: list[bytes] = field(default_factory=list)

    @property
    def summary(self) -> dict[str, int]:
        """How much went over the wire."""
        return {
            "requests": len(self.requests),
            "bytes_sent": sum(map(len, self.requests)),
            "bytes_received": sum(map(len, self.replies)),
        }


class RecordingTransport(httpx2.BaseTransport):
    """An HTTP transport that keeps every exchange."""

    def __init__(self) -> None:
        self.recording = Recording()
        self._inner = httpx2.HTTPTransport(trust_env=False)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Pass the request on and keep both bodies."""
        response = self._inner.handle_request(request)
        try:
            reply = response.read()
        finally:
            response.close()
        self.recording.requests.append(request.read())
        self.recording.replies.append(reply)
        return httpx2.Response(response.status_code, headers=response.headers, content=reply)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


def post_all(url: str, bodies: Sequence[bytes]) -> list[bytes]:
    """Post the bodies one after the other over one connection; the undecoded replies."""
    parts = urlsplit(url)
    headers = {"Content-Type": "application/json"}
    replies = []
    with closing(HTTPConnection(parts.hostname or "", parts.port, timeout=300)) as connection:
        for body in bodies:
            connection.request("POST", parts.path or "/", body, headers)
            replies.append(connection.getresponse().read())
    return replies
