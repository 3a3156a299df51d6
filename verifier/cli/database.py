"""`custody db`: backups, putting one back, the head known outside, and the schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli import output
from verifier.cli.context import ActorOption, JsonOption, command, now, opened_store, settings_of
from verifier.cli.typed import numbered_digest
from verifier.errors import InputError

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.known_head import AcceptedRestore

ReasonOption = Annotated[str, typer.Option(help="Why an older copy is put back; it is journalled.", metavar="TEXT")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    db = typer.Typer(no_args_is_help=True, help="Backups of the database, putting one back, and its schema.")
    app.add_typer(db, name="db")
    db.command("backup")(backup)
    db.command("check")(check)
    db.command("restore")(restore)
    db.command("record-head")(record_head)
    db.command("accept-restore")(accept)
    db.command("upgrade")(upgrade)


@command
def backup(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to write the copy.", metavar="FILE")],
    as_json: JsonOption = False,
) -> int:
    """Copy a SQLite database while it is in use, check the copy whole, and note its newest journal entry.

    For PostgreSQL run `custody db record-head` and then pg_dump; docs/backup.md has the commands. Keys, the
    liabilities secret and the archive are files of their own and are not in the copy.

    Example: custody db backup backups/custody-2026-03-02.db
    """
    from verifier.backup import back_up
    from verifier.known_head import HeadFile

    settings = settings_of(ctx)
    with opened_store(settings) as store:
        head = store.head()
    with output.progress("checking the copy", head.sequence if head else 0, quiet=as_json) as advance:
        made = back_up(_sqlite(settings), file, HeadFile.of(settings), now(), advance)
    sequence, digest = made.head
    if as_json:
        output.emit_json(
            {
                "file": str(made.path),
                "sha256": made.sha256,
                "size_bytes": made.size_bytes,
                "head": {"sequence": sequence, "entry_digest": digest},
            }
        )
    else:
        output.say(f"[green]written[/green] {output.clean(file)}: {made.size_bytes:,} bytes, checked whole")
        output.say(f"  SHA-256 {made.sha256}")
        output.say(f"  entry {sequence} is {digest}")
    return output.EXIT_OK


@command
def check(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A copy made by `custody db backup`.", metavar="FILE")],
    as_json: JsonOption = False,
) -> int:
    """Check a copy without putting it back: the file, every journal entry, every row, and how new it is.

    Exit code 0: whole, and no older than what is known outside. 1: its journal contradicts itself or what is known.
    2: whole, but older; or no sound database.

    Example: custody db check backups/custody-2026-03-02.db
    """
    from verifier.backup import check_copy
    from verifier.errors import JournalBroken
    from verifier.known_head import HeadFile

    head_file = HeadFile.of(settings_of(ctx))
    known = head_file.read()
    try:
        with output.progress("checking the copy", None, quiet=as_json) as advance:
            report = check_copy(file, head_file, advance)
    except JournalBroken as error:
        output.fail(error.code, str(error), error.advice, as_json=as_json, exit_code=output.EXIT_CONTRADICTED)
    sequence, digest = report.head or (0, "")
    is_older = known is not None and sequence < known.sequence
    if as_json:
        output.emit_json(
            {
                "whole": True,
                "entries": report.entries,
                "rows": report.rows,
                "head": {"sequence": sequence, "entry_digest": digest},
                "known_sequence": known.sequence if known else None,
                "older_than_known": is_older,
            }
        )
    else:
        output.say(f"[green]whole[/green]: {report.entries:,} entries and {report.rows:,} rows")
        output.say(f"  entry {sequence} is {digest}")
        if known is not None and is_older:
            since = f"{known.noted_at:%Y-%m-%d %H:%M:%S} UTC (after {output.clean(known.after)})"
            output.say(f"[yellow]older[/yellow] than entry {known.sequence}, which is known since {since}")
    return output.EXIT_NOT_CHECKED if is_older or not report.entries else output.EXIT_OK


@command
def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A copy made by `custody db backup`.", metavar="FILE")],
    reason: ReasonOption,
    actor: ActorOption = "administrator",
    as_json: JsonOption = False,
) -> int:
    """Put a copy in the place of a SQLite database. What it replaces is kept under another name.

    The copy is checked whole first. Who did it, why, and which entry was known before is journalled in it. Stop
    `custody watch` before: a database that is open is not replaced.

    Example: custody db restore backups/custody-2026-03-02.db --reason "the disk failed"
    """
    from verifier.backup import restore as put_back
    from verifier.known_head import HeadFile

    settings = settings_of(ctx)
    with output.progress("checking the copy", None, quiet=as_json) as advance:
        done = put_back(file, _sqlite(settings), HeadFile.of(settings), reason, actor, now(), advance)
    if as_json:
        kept = str(done.kept) if done.kept else None
        output.emit_json({**_accepted_json(done.accepted), "kept": kept, "schema": done.schema})
    else:
        output.say(f"[green]restored[/green] from {output.clean(file)}")
        if done.kept:
            output.say(f"  what was there is kept as {output.clean(done.kept.name)}")
        _show_accepted(done.accepted)
    return output.EXIT_OK


@command
def record_head(ctx: typer.Context, as_json: JsonOption = False) -> int:
    """Note the newest journal entry outside the database, as `custody db backup` and `custody export` do.

    Run it right before pg_dump: a dump that lacks the entry is refused later.

    Example: custody db record-head
    """
    from verifier.known_head import HeadFile, note_head

    settings = settings_of(ctx)
    with opened_store(settings) as store:
        noted = note_head(store, HeadFile.of(settings), "record-head", now())
    if noted is None:
        raise InputError("the journal is empty: there is nothing to note")
    if as_json:
        output.emit_json({"sequence": noted.sequence, "entry_digest": noted.entry_digest})
    else:
        output.say(f"entry {noted.sequence} is {noted.entry_digest}")
    return output.EXIT_OK


@command
def accept(
    ctx: typer.Context,
    reason: ReasonOption,
    last_bundle: Annotated[
        str,
        typer.Option(help="The newest bundle issued, where the head file is lost too.", metavar="N:SHA256"),
    ] = "",
    actor: ActorOption = "administrator",
    as_json: JsonOption = False,
) -> int:
    """Go on with a database that lacks entries which are known outside. It is journalled with the reason.

    Until then every command that works with the database is refused, `custody watch` too.

    Example: custody db accept-restore --reason "server lost on 2026-03-02, newest dump put back"
    """
    from verifier.journal import require_intact_head
    from verifier.known_head import HeadFile, accept_restore

    settings = settings_of(ctx)
    bundle = numbered_digest(last_bundle)
    with opened_store(settings, check_head=False) as store:
        require_intact_head(store)
        accepted = accept_restore(store, HeadFile.of(settings), reason, actor, now(), last_bundle=bundle)
    if as_json:
        output.emit_json(_accepted_json(accepted))
    else:
        _show_accepted(accepted)
    return output.EXIT_OK


@command
def upgrade(ctx: typer.Context, actor: ActorOption = "administrator", as_json: JsonOption = False) -> int:
    """Bring the database to the schema of this version, in one transaction. Make a backup first.

    With workers.enabled their queue is made too; what waited in one of another version is handed out again.

    Example: custody db upgrade
    """
    from verifier.initialise import prepare_workers
    from verifier.known_head import HeadFile, require_known_head
    from verifier.store import open_store

    settings = settings_of(ctx)
    store = open_store(settings.database.url.get_secret_value())
    try:
        before = store.schema_version()
        if before:
            require_known_head(store, HeadFile.of(settings))
        after = store.migrate(actor, now())
        store.require_current()
    finally:
        store.close()
    prepare_workers(settings)
    if as_json:
        output.emit_json({"from": before, "to": after})
    else:
        what = f"was {before}" if before and before != after else "is up to date" if before else "was made"
        output.say(f"database schema {after} ({what})")
    return output.EXIT_OK


def _sqlite(settings: Settings) -> Path:
    from verifier.store.engine import sqlite_file

    file = sqlite_file(settings.database.url.get_secret_value())
    if file is None:
        raise InputError("this is for SQLite; for PostgreSQL see docs/backup.md: record-head, pg_dump, pg_restore")
    return file


def _accepted_json(accepted: AcceptedRestore) -> dict[str, object]:
    return {
        "head_sequence": accepted.head_sequence,
        "known_sequence": accepted.known.sequence if accepted.known else None,
        "lost_bundle": accepted.lost_bundle[0] if accepted.lost_bundle else None,
    }


def _show_accepted(accepted: AcceptedRestore) -> None:
    known = accepted.known
    if known is not None and known.sequence > accepted.head_sequence:
        gone = f"entries {accepted.head_sequence + 1} to {known.sequence} at least are gone"
    elif known is not None:
        gone = f"the copy has entry {known.sequence}, the newest that was known; what came after it is gone"
    else:
        gone = "nothing was known outside of how long the journal was"
    output.say(f"journalled: the copy ends at entry {accepted.head_sequence}; {gone}")
    if accepted.lost_bundle:
        output.say(f"  bundle {accepted.lost_bundle[0]} is no longer in the database; the next one follows it")
