"""What a form may bring: the fields of its model and no others (row F17), and the token that every form carries."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, model_validator


class PageForm(BaseModel):
    """Base of the models of forms; used as `Annotated[MyForm, Form()]`."""

    model_config = ConfigDict(extra="forbid", str_max_length=10_000, frozen=True, hide_input_in_errors=True)

    csrf_token: str = ""
    """Looked at before the route runs."""

    @model_validator(mode="before")
    @classmethod
    def _keepable(cls, given: Any) -> Any:
        """No field has a zero character, which one of the databases cannot keep and the other would."""
        if isinstance(given, dict) and any("\0" in part for part in given.values() if isinstance(part, str)):
            raise ValueError("it has a character that cannot be kept")
        return given


def local_path(text: str, otherwise: str = "/") -> str:
    """Where to go next, if it is a page of this site; else `otherwise` (row F16)."""
    if not text.startswith("/") or text[1:2] in ("/", "\\") or "\\" in text or not text.isprintable():
        return otherwise
    parts = urlsplit(text)
    return otherwise if parts.scheme or parts.netloc else text
