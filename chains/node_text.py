"""What a node sent, made fit for an error or a log: no URL, no known secret, no control characters, little. No I/O.

A node, or what stands in front of it, may repeat the request's URL or key in its message, and may write anything else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

MESSAGE_CHARACTERS_MAX: Final = 200
"""Most characters of a node's message that are shown."""
BODY_BYTES_MAX: Final = 200
"""Most bytes of an answer's body that are logged."""

_SEARCHED_CHARACTERS_MAX: Final = 1000
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://\S*")


def node_text(text: str, secrets: Sequence[str] = ()) -> str:
    """A node's message: URLs and the given secrets (longest first) replaced, escaped to ASCII, cut to the limit."""
    for secret in secrets:
        text = text.replace(secret, "[hidden]")
    text = ascii(_URL.sub("[url]", text[:_SEARCHED_CHARACTERS_MAX]))[1:-1]
    return text if len(text) <= MESSAGE_CHARACTERS_MAX else text[: MESSAGE_CHARACTERS_MAX - 3] + "..."


def body_excerpt(content: bytes, secrets: Sequence[str] = ()) -> str:
    """The beginning of a body, treated in the same way; a secret that the cut broke is dropped from its end."""
    text = content[:BODY_BYTES_MAX].decode("utf-8", "backslashreplace")
    for secret in secrets:
        text = text.replace(secret, "[hidden]")
    if len(content) > BODY_BYTES_MAX:
        broken = max((_overlap(text, secret) for secret in secrets), default=0)
        text = text[: len(text) - broken]
    return node_text(text)


def _overlap(text: str, secret: str) -> int:
    """Characters at the end of a text that begin a secret."""
    return next((size for size in range(len(secret) - 1, 0, -1) if text.endswith(secret[:size])), 0)
