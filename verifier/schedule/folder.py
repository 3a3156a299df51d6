"""The watched folder: each new file is imported once, as `custody statement import` does. Nothing is moved."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from verifier.errors import InputError
from verifier.schedule.jobs import Result, Work

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store

log = structlog.get_logger(__name__)


def look_into_folder(work: Work) -> Result:
    """Import every file whose content was not looked at under its name; what is refused waits until it changes.

    Raises `InputError` for a folder that cannot be read. Names that begin with a dot are left alone: files on their
    way. A file that is still being written is refused, and looked at again when it is whole.
    """
    folder = work.settings.statements.folder
    assert folder is not None
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as error:
        raise InputError(f"the folder of statements cannot be read ({error.strerror})") from None
    known = {(each.name, each.digest) for each in work.store.folder_files()}
    taken: list[str] = []
    refused: list[str] = []
    for path in paths:
        try:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            refused.append(f"{path.name} cannot be read ({error.strerror})")
            log.error("a statement cannot be read", file=path.name)
            continue
        if (path.name, digest) in known:
            continue
        accepted, text = import_file(work.store, work.settings, path, work.actor, work.now)
        work.store.add_folder_file(path.name, digest, accepted, text, work.actor, work.now)
        (taken if accepted else refused).append(f"{path.name}: {text}")
        if not accepted:
            log.error("a statement was not imported", file=path.name, sha256=digest)
    said = "; ".join([*refused, *taken]) or f"nothing new among {len(paths)} files"
    return Result(2 if refused else 0, said)


def import_file(store: Store, settings: Settings, path: Path, actor: str, now: datetime) -> tuple[bool, str]:
    """Whether the file's statements are on record now, and which; or the first problem."""
    from chains.registry import plugin_for
    from mapping.errors import MappingError
    from verifier.statement_import import import_statements

    try:
        found = import_statements(store, settings, [path], None, None, plugin_for, actor, now)
    except (InputError, MappingError) as error:
        return False, str(error)
    if found.problems:
        more = f", and {len(found.problems) - 1} more problems" if len(found.problems) > 1 else ""
        return False, f"{found.problems[0]}{more}"
    names = [each.statement_id for each in found.statements]
    return True, f"stored {', '.join(names)}" if names else "known already"
