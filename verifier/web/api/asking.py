"""What may be asked of the API: every field is named, what is not named is refused, and everything has a limit."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import Path
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

LIMIT_MAX: Final = 500
"""Most items on one page of an answer."""


class Asked(BaseModel):
    """Base of everything that is asked: a field that is not declared is refused (row F17 of docs/faults.md)."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Paged(Asked):
    """A page of a list."""

    limit: int = Field(default=100, ge=1, le=LIMIT_MAX, description="Most items to give.")
    cursor: str = Field(default="", max_length=600, description="Where to go on: `next` of the page before.")


def _plain(text: str) -> str:
    """Text as it can be kept: no control characters but line ends and tabs, no halves of characters, in form NFC."""
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cs", "Cf") and character not in "\n\t\u200d":
            raise ValueError("it has a character that cannot be shown")
    return unicodedata.normalize("NFC", text)


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("it says nothing")
    return text


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("it is no time that anything here could be of") from None


PLAIN_ID: Final = r"^[!-.0-~]{1,200}$"
"""Ids in paths: ASCII that can be seen, and no slash."""

Words = Annotated[str, StringConstraints(max_length=4_000), AfterValidator(_plain)]
"""What a person writes; may be empty."""
Sentence = Annotated[
    str, StringConstraints(min_length=1, max_length=4_000), AfterValidator(_plain), AfterValidator(_said)
]
"""What a person writes, and must."""
Filter = Annotated[str, StringConstraints(max_length=200), AfterValidator(_plain)]
"""Part of a name or an id that is looked for; it is compared, never run."""
Id = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[!-~]+$")]
"""The id of something, inside a request."""
PathId = Annotated[str, Path(pattern=PLAIN_ID, description="Its id.")]
"""The id of something, in a path."""
LongId = Annotated[str, Path(pattern=r"^[!-~]{1,200}$", description="Its id; it may have slashes.")]
"""An id at the end of a path that may have slashes: of a sweep, a trade, an asset."""
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 in hex."""
Cents = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,17}$")]
"""US cents as a whole number in text, above zero."""
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A time with its zone, RFC 3339."""


class Said(Asked):
    """An act with what is said about it, for the record."""

    text: Sentence = Field(description="What is said; written into the journal.")


class MaySay(Asked):
    """An act that may be commented."""

    text: Words = Field(default="", description="Why; written into the journal.")
