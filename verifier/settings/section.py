"""What the sections of the configuration have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from exports.codec import to_object
from exports.errors import RecordInvalid
from exports.records import FirmRecord


class Section(BaseModel):
    """A section of the file; an unknown key is an error, because a misspelt limit is no limit."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _written_in_bundles(text: str) -> str:
    """Text that a bundle can carry: refused here, and not when the day's bundle is due."""
    try:
        to_object(FirmRecord(text, ""))
    except RecordInvalid as error:
        raise ValueError(f"cannot be written into a bundle: {error}") from None
    return text


BundleText = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_written_in_bundles)]

CivilTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
