"""Documents of a case: sent with a form, counted while they are read; given back to be saved, never to be shown."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import quote

from fastapi import Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.responses import RedirectResponse, Response

from verifier.accounts.roles import Access
from verifier.errors import InputError
from verifier.rules.attachments import BYTES_MAX
from verifier.store.records import CaseAttachment
from verifier.web.api.found import found
from verifier.web.api.uploads import TooLarge, WrongMedia
from verifier.web.context import ActingOf, StoreOf
from verifier.web.csrf import FIELD
from verifier.web.routing import GuardedRouter

router = GuardedRouter()
CaseId = Annotated[str, Path(max_length=40)]
Sha256 = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
FIELDS: Final = frozenset({FIELD, "version", "text", "file"})
TEXT_MAX: Final = 1_000
ENDINGS: Final = {
    "application/pdf": (".pdf",),
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
    "text/plain": (".txt",),
}
"""Kinds that a browser is told, with what their names end in. Everything else is bytes to it."""


@router.post("/cases/{case_id}/attachments", Access.MAKE)
async def attach(case_id: CaseId, request: Request, acting: ActingOf) -> RedirectResponse:
    """Attach one document. How much is read at most is counted before the form is taken apart (`security.Sized`)."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise WrongMedia("this takes a file as multipart/form-data")
    form = await request.form()
    try:
        name, data, text, version = await _read(form)
    finally:
        await form.close()

    def work() -> None:
        found(lambda: acting.store.case(case_id))
        acting.store.attach(case_id, name, data, text, acting.actor, acting.now, expected_version=version)

    await run_in_threadpool(work)
    return RedirectResponse(f"/cases/{quote(case_id, safe='')}", status_code=303)


async def _read(form: FormData) -> tuple[str, bytes, str, int]:
    """Name, bytes, text and version of the form. Raises `InputError` for another form, `TooLarge` for a large file."""
    given = form.multi_items()
    fields = {name: value for name, value in given if isinstance(value, str)}
    files = [value for name, value in given if isinstance(value, UploadFile) and name == "file"]
    if len(files) != 1 or {name for name, _ in given} - FIELDS or len(given) != len(fields) + 1:
        raise InputError("the form has one file, a version and a text, each once", advice="Choose a document.")
    version, text = fields.get("version", ""), fields.get("text", "").strip()
    if not (version.isascii() and version.isdecimal() and len(version) < 10) or len(text) > TEXT_MAX or "\0" in text:
        raise InputError("the form has another version or a longer text than a page of this site sends")
    data = await files[0].read(BYTES_MAX + 1)
    if len(data) > BYTES_MAX:
        raise TooLarge(f"a document has at most {BYTES_MAX} bytes")
    return files[0].filename or "", data, text, int(version)


@router.get("/cases/{case_id}/attachments/{sha256}", Access.READ)
def document(case_id: CaseId, sha256: Sha256, store: StoreOf) -> Response:
    """One document as it came."""
    stands = found(lambda: store.case(case_id))
    named = found(lambda: next((each for each in stands.attachments if each.sha256 == sha256), None))
    _, content = store.attachment(named.sha256)
    media_type = named.media_type if named.media_type in ENDINGS else "application/octet-stream"
    return Response(content, headers={"Content-Disposition": saved_as(named), "Content-Type": media_type})


def saved_as(named: CaseAttachment) -> str:
    """The header that has it saved under its name, with an ending that its bytes deserve (row F18)."""
    name, endings = named.name, ENDINGS.get(named.media_type, ())
    if endings and not name.lower().endswith(endings):
        name += endings[0]
    plain = "".join(each if each.isascii() and each not in '"\\' else "_" for each in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
