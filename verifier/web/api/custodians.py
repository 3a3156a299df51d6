"""What depositories, banks and prime brokers state: statements taken whole, and the comparisons made with them."""

from __future__ import annotations

import hashlib
import tempfile
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from chains.registry import plugin_for
from chains.types import utc_text
from verifier.accounts.roles import Access
from verifier.custodian_view import full_run_json, import_json, read_run, statement_json
from verifier.custodians.message import StatementFormat
from verifier.securities_show import run_json
from verifier.statement_import import import_statements
from verifier.store.custodian_store import StoredStatement
from verifier.web.api.answers import Json, Page, page
from verifier.web.api.asking import Asked, Filter, Paged, PathId
from verifier.web.api.found import found
from verifier.web.api.once import OnceOf
from verifier.web.api.uploads import Upload, read_uploads, upload_body
from verifier.web.context import ActingOf, NowOf, StoreOf
from verifier.web.errors import FilesRefused
from verifier.web.routing import GuardedRouter

router = GuardedRouter(prefix="/api/v1", tags=["custodians"], in_schema=True)


class Statements(Paged):
    """Which statements."""

    stated_by: Filter = ""
    sort: Literal["as_of", "-as_of"] = "-as_of"


class Import(Asked):
    """How files of statements are to be read."""

    format: Literal["auto", "csv", "mt535", "semt002"] = "auto"
    as_of: date | None = None
    """The day the statements must be of; others are refused."""
    dry_run: bool = False
    """Check everything and store nothing."""


@router.get("/statements", Access.READ)
def statements(store: StoreOf, now: NowOf, asked: Annotated[Statements, Query()]) -> Page:
    """Whole statements on record, those of the latest moment first unless asked for otherwise."""
    wanted = asked.stated_by.casefold()
    listed = [
        each
        for each in store.custodian_statements(store.book_time(now))
        if wanted in each.statement.stated_by.casefold()
    ]

    def key(each: StoredStatement) -> tuple[str, ...]:
        return (utc_text(each.statement.as_of), each.statement.stated_by, each.statement.statement_id)

    def shown(each: StoredStatement) -> Json:
        return statement_json(each.statement) | {"recorded_at": utc_text(each.recorded_at)}

    return page(listed, asked, shown, key, newest_first=asked.sort == "-as_of")


@router.get("/statements/messages/{digest}", Access.READ)
def message(digest: PathId, store: StoreOf) -> Json:
    """A message exactly as it came, by the SHA-256 of its file."""
    return {"sha256": digest, "message": found(lambda: store.custodian_messages([digest]).get(digest))}


@router.post("/statements", Access.MAKE, openapi_extra=upload_body("file"))
async def upload(request: Request, asked: Annotated[Import, Query()], acting: ActingOf, once: OnceOf) -> Response:
    """Take files of one format, all pages of a statement together: stored whole, or nothing of them.

    Each file is kept under its SHA-256. What is wrong is listed under `problems`, with status 422.
    """
    uploads = await read_uploads(request, acting.settings.web.body_bytes_max)

    def work() -> Json:
        store, settings, actor, now = acting.store, acting.settings, acting.actor, acting.now
        with tempfile.TemporaryDirectory(prefix="custody-upload-") as folder:
            paths = [_written(Path(folder), each) for each in uploads]
            wanted = None if asked.format == "auto" else StatementFormat(asked.format)
            result = import_statements(
                store, settings, paths, wanted, asked.as_of, plugin_for, actor, now, dry_run=asked.dry_run
            )
        shown = import_json(result, dry_run=asked.dry_run)
        if result.problems:
            raise FilesRefused(shown["problems"])
        return shown

    content = {"files": [[each.name, hashlib.sha256(each.data).hexdigest()] for each in uploads]}
    return await run_in_threadpool(once, content, work)


def _written(folder: Path, upload: Upload) -> Path:
    path = folder / upload.name
    path.write_bytes(upload.data)
    return path


@router.get("/reconciliations", Access.READ)
def reconciliations(store: StoreOf, asked: Annotated[Paged, Query()]) -> Page:
    """Every comparison of the books with custodians' statements, the newest first."""
    return page(store.securities_runs(), asked, run_json, lambda each: (each.run_id,), newest_first=True)


@router.get("/reconciliations/{run_id}", Access.READ)
def reconciliation(run_id: PathId, store: StoreOf) -> Json:
    """One comparison with every position, judged again from its figures; `problem` says when the record was changed."""
    run = found(lambda: store.securities_run(run_id))
    _, problem = read_run(run)
    return full_run_json(run, problem)
