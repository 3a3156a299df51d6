"""What the firm says, stored and looked at: files that are imported, and rows that are posted as things happen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from chains.registry import plugin_for
from mapping.importer import ImportOptions, ImportResult, post_row
from verifier.mapping_changes import needs_approval, propose_files, propose_row

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store


def post(
    store: Store,
    settings: Settings,
    table: str,
    row: Mapping[str, str],
    actor: str,
    now: datetime,
    *,
    dry_run: bool = False,
) -> ImportResult:
    """Check one row by the rules of its file, and store it unless it is a dry run; the same row again is a no-op.

    Raises `UnknownTable`, and `StoredNotJudged` when it is stored and the reserve could not be judged after it. What
    is wrong with the row is in the result's problems; nothing is stored then.
    """
    options = ImportOptions(accept_unchecksummed=settings.imports.accept_unchecksummed, now=now)
    with store.known() as known:
        result = post_row(table, row, known, options, plugin_for)
    if not dry_run:
        if needs_approval(settings, result):
            propose_row(store, table, row, actor, now)
        apply(store, settings, result, actor, now)
    return result


def apply(
    store: Store, settings: Settings, result: ImportResult, actor: str, now: datetime, paths: Sequence[Path] = ()
) -> None:
    """Store an import that has no problem and says something new, and look at what follows from it.

    Raises `WaitsForApproval` when it changes the mapping and the firm asks for a second person: then it is kept as a
    proposal, made of the files at `paths`.
    """
    if needs_approval(settings, result):
        propose_files(store, result, paths, actor, now)
    if result.ok and not result.is_noop:
        store.apply_import(result, actor, now)
        look_at_rails(store, settings, {file.table for file in result.files}, actor, now)


def look_at_rails(store: Store, settings: Settings, imported: set[str], actor: str, now: datetime) -> None:
    """What was stated about the reserve or the books may have made a deficit: its case is opened at once.

    Raises `StoredNotJudged` when that cannot be told; the import stays.
    """
    from mapping.tables import BOOKS_TABLES
    from mapping.tables.reserve import RESERVE_TABLES
    from verifier import control_cases, control_rail, reserve_cases, reserve_rail

    keeps_books = bool(imported & {table.name for table in BOOKS_TABLES})
    if imported & {table.name for table in RESERVE_TABLES} or (keeps_books and reserve_rail.in_use(store, now)):
        reserve_cases.look_after("the import", store, settings, actor, now)
    if keeps_books and control_rail.in_use(store, now):
        control_cases.look_after("the import", store, settings, actor, now)


def import_json(result: ImportResult, *, dry_run: bool) -> dict[str, object]:
    """What an import or a posted row gave, for programs."""
    return {
        "stored": result.ok and not dry_run and not result.is_noop,
        "dry_run": dry_run,
        "records": result.row_count,
        "unchanged": result.unchanged,
        "files": [
            {
                "name": file.name,
                "table": file.table,
                "sha256": file.digest,
                "rows": file.rows,
                "already_imported": file.already_imported,
            }
            for file in result.files
        ],
        "problems": [
            {
                "file": problem.file,
                "line": problem.line,
                "column": problem.column,
                "value": problem.value,
                "reason": problem.reason,
            }
            for problem in result.problems
        ],
        "problems_omitted": result.problems_omitted,
        "notices": [str(notice) for notice in result.notices],
    }
