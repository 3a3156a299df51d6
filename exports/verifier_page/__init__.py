"""A second verifier of bundles: one offline page for a browser, which shares no code with the one in Python.

Its parts lie beside this file; `page_bytes` puts them into one.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import Final

PARTS: Final = (
    "hashes", "container", "json", "forms", "profiles", "schema", "signatures", "figures", "evidence", "control",
    "liabilities", "reserve", "possession", "securities", "keys", "proofs", "transactions", "outputs", "imported",
    "tables", "answers", "checks", "view",
)  # fmt: skip
"""The script's files, in order."""


def script() -> str:
    """The whole script of the page."""
    return '\n"use strict";\n\n' + "\n".join(_read(f"{part}.js") for part in PARTS)


def page_bytes() -> bytes:
    """The page, whose policy allows this one script and style by their digests, and no network at all."""
    page = _read("page.html")
    for name, content in (("STYLE", _read("page.css")), ("SCRIPT", script())):
        digest = base64.b64encode(hashlib.sha256(content.encode("utf-8")).digest()).decode("ascii")
        page = page.replace(f"{name}-HASH", f"sha256-{digest}", 1).replace(f">{name}<", f">{content}<", 1)
    return page.encode("utf-8")


def _read(name: str) -> str:
    return files("exports.verifier_page").joinpath(name).read_text(encoding="utf-8")
