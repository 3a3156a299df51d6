"""Changes of the mapping as proposals: kept byte for byte, read again by the same rules when another person approves.

They count from the moment of the approval, so that a sweep uses what was approved by the time of its book. Rows of the
books, statements and prices are no mapping: they are stored as they come, and judged.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chains.registry import plugin_for
from mapping.csvfile import CsvLimits
from mapping.importer import ImportOptions, ImportResult, post_row, read_files
from mapping.tables import table_named
from verifier.errors import InputError, ProposalConflict, WaitsForApproval
from verifier.store.mapping_store import apply_in
from verifier.store.records import ChangeKind, InstructionAct

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store
    from verifier.store.proposal_store import StoredChange
    from verifier.store.unit import Unit

MAPPING_TABLES: Final = frozenset(
    {
        "clients",
        "assets",
        "wallets",
        "wallet_descriptors",
        "pools",
        "firm_addresses",
        "accepted_control",
        "token_layouts",
        "custodian_accounts",
        "reserve_accounts",
        "control_locations",
    }
)
"""Who owns what where, and who may move it."""
BYTES_MAX: Final = 16 * 1024 * 1024
"""Of all files of one proposal."""


def needs_approval(settings: Settings, result: ImportResult) -> bool:
    """Whether an import waits for another person: it says something new of the mapping, and the firm asks for that."""
    if not settings.approvals.mapping or not result.ok or result.is_noop:
        return False
    return any(file.table in MAPPING_TABLES for file in result.files if not file.already_imported)


def options_of(settings: Settings, now: datetime) -> ImportOptions:
    """How files are read, by the configuration."""
    return ImportOptions(
        limits=CsvLimits(bytes_max=settings.imports.file_bytes_max, rows_max=settings.imports.file_rows_max),
        accept_unchecksummed=settings.imports.accept_unchecksummed,
        now=now,
    )


def propose_row(store: Store, table: str, row: Mapping[str, str], actor: str, now: datetime) -> None:
    """Keep a row as a proposal. Always raises `WaitsForApproval`, which names it."""
    content = {"form": "row", "table": table, "row": dict(sorted(row.items()))}
    stored = store.add_change(ChangeKind.MAPPING, content, {}, f"a row of {table}", actor, now, needs_approval=True)
    raise WaitsForApproval(stored.proposal_id)


def propose_files(store: Store, result: ImportResult, paths: Sequence[Path], actor: str, now: datetime) -> None:
    """Keep the files of an import as a proposal, byte for byte. Always raises `WaitsForApproval`, which names it.

    Raises `InputError` for more than 16 MiB, and when a file is not the one that was read any more.
    """
    found = {child.name: child for path in paths for child in (sorted(path.iterdir()) if path.is_dir() else [path])}
    files, documents, total = [], {}, 0
    for file in result.files:
        if file.already_imported:
            continue
        if file.name not in found:
            raise ProposalConflict(f"{file.name} changes the mapping and can only be proposed as a file")
        given = found[file.name].read_bytes()
        total += len(given)
        if total > BYTES_MAX:
            raise InputError(
                "the files have more than 16 MiB together, too much for one proposal",
                advice="Import the files of the mapping apart from those of the books.",
            )
        if hashlib.sha256(given).hexdigest() != file.digest:
            raise InputError(f"{file.name} was changed while it was read; nothing was stored")
        files.append({"table": file.table, "sha256": file.digest, "rows": file.rows})
        documents[file.digest] = given
    text = ", ".join(f"{each['rows']} rows of {each['table']}" for each in files)
    stored = store.add_change(
        ChangeKind.MAPPING, {"form": "files", "files": files}, documents, text, actor, now, needs_approval=True
    )
    raise WaitsForApproval(stored.proposal_id)


def decide(
    store: Store,
    settings: Settings,
    proposal_id: str,
    act: InstructionAct,
    text: str,
    actor: str,
    now: datetime,
    *,
    seen: str | None = None,
) -> StoredChange:
    """Approve or refuse a change of mapping or policies, bound to its digest. An approved mapping is stored with it.

    Raises `ProposalConflict` also when the rows do not fit the mapping as it is by now: nothing is recorded then.
    """

    def apply(unit: Unit, change: StoredChange) -> None:
        if change.kind is ChangeKind.MAPPING:
            apply_in(unit, _read_again(store, settings, change, now))

    stored = store.decide_change(proposal_id, act, text, actor, now, seen=seen, apply=apply)
    if stored.kind is ChangeKind.MAPPING and stored.in_force:
        _look(store, settings, stored, actor, now)
    return stored


def _read_again(store: Store, settings: Settings, change: StoredChange, now: datetime) -> ImportResult:
    content, options = change.content, options_of(settings, now)
    with store.known() as known:
        if content["form"] == "row":
            result = post_row(content["table"], content["row"], known, options, plugin_for)
        else:
            with tempfile.TemporaryDirectory() as folder:
                for file in content["files"]:
                    _, given = store.attachment(file["sha256"])
                    (Path(folder) / table_named(file["table"]).file_name).write_bytes(given)
                result = read_files([Path(folder)], known, options, plugin_for)
    if not result.ok:
        raise ProposalConflict(
            f"{change.proposal_id} does not fit the mapping any more: {result.problems[0].reason}",
            advice="Return it, correct the rows and propose them anew.",
        )
    return result


def _look(store: Store, settings: Settings, change: StoredChange, actor: str, now: datetime) -> None:
    from verifier.posting import look_at_rails

    tables = (
        {change.content["table"]}
        if change.content["form"] == "row"
        else {each["table"] for each in change.content["files"]}
    )
    look_at_rails(store, settings, tables, actor, now)
