"""What may be attached to a case: documents of known kinds, of limited size, under a name that is only a name. Pure.

A document is stored under the SHA-256 of its bytes, never under its name. Its media type is what its first bytes say,
not what somebody declared; what is text is UTF-8 without control characters.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Final

from verifier.errors import InputError

BYTES_MAX: Final = 10 * 1024 * 1024
"""Of one document. Whoever takes an upload stops reading there."""
PER_CASE_MAX: Final = 50
NAME_MAX: Final = 120

_BEGINNINGS: Final = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
)
_TEXTS: Final = {".csv": "text/csv", ".txt": "text/plain", ".json": "application/json", ".eml": "message/rfc822"}
"""By the name's ending: text says nothing of itself. All are shown as plain text."""
_UNFIT: Final = re.compile(r'[<>:"|?*`$&;\x00-\x1f\x7f]')


@dataclass(frozen=True, slots=True)
class Document:
    """A document that may be attached."""

    sha256: str
    name: str
    media_type: str
    content: bytes = field(repr=False)


def checked_document(name: str, content: bytes) -> Document:
    """A document with its name cleaned and its kind found. Raises `InputError` for one that may not be attached."""
    if not content:
        raise InputError("the document has no content: it shows nothing")
    if len(content) > BYTES_MAX:
        raise InputError(f"the document has more than {BYTES_MAX // 1024 // 1024} MiB")
    clean = clean_name(name)
    return Document(hashlib.sha256(content).hexdigest(), clean, _media_type(clean, content), content)


def clean_name(name: str) -> str:
    """The last part of a path, without what is no part of a name; `document` when nothing is left of it."""
    last = unicodedata.normalize("NFKC", name).replace("\\", "/").rpartition("/")[2]
    shown = "".join(each for each in _UNFIT.sub("", last) if each.isprintable()).strip(". ")
    if len(shown) > NAME_MAX:
        stem, dot, ending = shown.rpartition(".")
        shown = f"{stem[: NAME_MAX - 9]}{dot}{ending[:8]}" if dot else shown[:NAME_MAX]
    return shown or "document"


def _media_type(name: str, content: bytes) -> str:
    for beginning, media_type in _BEGINNINGS:
        if content.startswith(beginning):
            return media_type
    ending = "." + name.rpartition(".")[2].lower() if "." in name else ""
    if ending in _TEXTS and _is_text(content):
        return _TEXTS[ending]
    raise InputError(
        f"{name} is none of the kinds that can be attached",
        advice="Attach a PDF, PNG or JPEG, or UTF-8 text as .csv, .txt, .json or .eml.",
    )


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(each.isprintable() or each in "\r\n\t" or ord(each) > 0x9F for each in text)
