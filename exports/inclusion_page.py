"""The offline page with which a client checks an inclusion statement in a browser; it shares no code with Python."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.resources import files
from typing import Final

_INLINE: Final = {
    "SCRIPT-HASH": re.compile(r"<script>(.*?)</script>", re.DOTALL),
    "STYLE-HASH": re.compile(r"<style>(.*?)</style>", re.DOTALL),
}


def page_bytes() -> bytes:
    """The page, whose policy allows this one script and style by their digests, and no network at all."""
    page = files("exports").joinpath("inclusion.html").read_text(encoding="utf-8")
    for name, pattern in _INLINE.items():
        (content,) = pattern.findall(page)
        digest = base64.b64encode(hashlib.sha256(content.encode("utf-8")).digest()).decode("ascii")
        page = page.replace(name, f"sha256-{digest}", 1)
    return page.encode("utf-8")
