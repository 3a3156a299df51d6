"""Files that are sent: counted while they are read, never named by whoever sends them (row F18 of docs/faults.md)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from verifier.errors import InputError
from verifier.web.errors import WebError

FILES_MAX: Final = 50
FORM_BYTES_MAX: Final = 4_096
"""What a form with one file has besides the file."""
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+", re.ASCII)


class TooLarge(WebError):
    """More was sent than is taken."""

    code = "too-large"
    advice = "Send fewer or smaller files at a time."
    status = 413


class WrongMedia(WebError):
    """What was sent is of another kind than is taken."""

    code = "wrong-media-type"
    advice = "Send the files as multipart/form-data, each in a field named file."
    status = 415


@dataclass(frozen=True, slots=True)
class Upload:
    """One file that was sent."""

    name: str
    """Made of what was sent as its name; without folders, and different for each file of a request."""
    data: bytes


async def one_upload(request: Request, bytes_max: int) -> Upload:
    """The one file of a request; else as `read_uploads`. `bytes_max` is that of the file alone."""
    found = await read_uploads(request, bytes_max + FORM_BYTES_MAX)
    if len(found) != 1:
        raise InputError("send one file at a time")
    if len(found[0].data) > bytes_max:
        raise TooLarge(f"at most {bytes_max} bytes are taken at a time")
    return found[0]


async def read_uploads(request: Request, bytes_max: int) -> list[Upload]:
    """The files of a request, in order. Raises `TooLarge` before or while more than `bytes_max` is read.

    Called from inside a route, so that nothing is read of somebody who may not send anything. Raises `WrongMedia`
    when it is no form with files, and `InputError` for other fields, no file, or a file of nothing.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise WrongMedia("this takes files as multipart/form-data")
    if (length := request.headers.get("content-length", "")).isdigit() and int(length[:20]) > bytes_max:
        raise TooLarge(f"at most {bytes_max} bytes are taken at a time")
    read = 0

    async def counted() -> Any:
        nonlocal read
        async for chunk in request.stream():
            read += len(chunk)
            if read > bytes_max:
                raise TooLarge(f"at most {bytes_max} bytes are taken at a time")
            yield chunk

    parser = MultiPartParser(request.headers, counted(), max_files=FILES_MAX, max_fields=0)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, HTTPException):
        text = f"the form cannot be read; it has at most {FILES_MAX} files, each in a field named file"
        raise InputError(text) from None
    async with _closing(form):
        found: list[Upload] = []
        for name, value in form.multi_items():
            if name != "file" or not isinstance(value, UploadFile):
                raise InputError("the form has a field besides file")
            data = await value.read()
            if not data:
                raise InputError("a file has no content")
            found.append(Upload(safe_name(value.filename or "", data, {each.name for each in found}), data))
    if not found:
        raise InputError("no file was sent")
    return found


class _closing:  # noqa: N801 - reads as a statement
    """Gives the form's temporary files back."""

    def __init__(self, form: Any) -> None:
        self._form = form

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *error: object) -> None:
        await self._form.close()


def safe_name(sent: str, data: bytes, taken: set[str]) -> str:
    """A file name that names no folder and nothing hidden; with a part of the digest where two would be the same."""
    last = PurePosixPath(sent.replace("\\", "/")).name
    name = _UNSAFE.sub("_", last).strip("._")[-80:] or "file"
    if name in taken:
        name = f"{hashlib.sha256(data).hexdigest()[:12]}-{name}"
    while name in taken:
        name = f"again-{name}"
    return name


def upload_body(field: str, most: int = FILES_MAX) -> dict[str, Any]:
    """What the OpenAPI document says of a request with files."""
    files = {"type": "array", "minItems": 1, "maxItems": most, "items": {"type": "string", "format": "binary"}}
    schema = {"type": "object", "properties": {field: files}, "required": [field], "additionalProperties": False}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}
