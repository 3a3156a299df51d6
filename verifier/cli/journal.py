"""`custody journal`: the hash-chained journal of everything that was done, verified, written as a file, shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli import output
from verifier.cli.context import JsonOption, command, opened_store, settings_of
from verifier.cli.typed import numbered_digest
from verifier.errors import InputError, JournalBroken

if TYPE_CHECKING:
    from verifier.journal_file import JournalFileReport


def register(app: typer.Typer) -> None:
    """Add the commands."""
    journal_app = typer.Typer(no_args_is_help=True, help="The hash-chained journal of everything that was done.")
    app.add_typer(journal_app, name="journal")
    journal_app.command("verify")(verify)
    journal_app.command("export")(export)
    journal_app.command("check")(check)
    journal_app.command("show")(show)


@command
def verify(
    ctx: typer.Context,
    head: Annotated[
        list[str] | None,
        typer.Option(help="An entry that was written down elsewhere; can be repeated.", metavar="N:SHA256"),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Recompute every entry and every row it speaks of; find the first broken link.

    That the newest entries are missing altogether cannot be seen from the database alone. Give an entry that
    left the house with --head: every bundle's manifest names one, and this command prints the newest. The one that
    was noted at the last export or backup is always looked for.

    Example: custody journal verify --head 18:029b5b5afdbaf31088bb23189f8abf134bce92a3e68aeefb79022a9ff9a74e6a
    """
    from verifier.journal import verify_journal
    from verifier.known_head import HeadFile

    settings = settings_of(ctx)
    named = dict(known for text in head or () if (known := numbered_digest(text)) is not None)
    with opened_store(settings, check_head=False) as store:
        if noted := HeadFile.of(settings).read_for(store):
            named.setdefault(noted.sequence, noted.entry_digest)
        newest = store.head()
        issued = {bundle.head.sequence: bundle.head.entry_digest for bundle in store.bundles()}
        length = newest.sequence if newest is not None else 0
        with output.progress("verifying the journal", length, quiet=as_json) as advance:
            report = verify_journal(store, known_heads=issued | named, progress=advance)
    if as_json:
        output.emit_json(report.to_dict())
    elif not report.ok:
        output.say(f"[bold red]broken[/bold red] at entry {report.first_broken}: {output.clean(report.reason)}")
    elif report.head is None:
        output.say("[yellow]empty[/yellow]: there is no entry to verify")
    else:
        sequence, digest = report.head
        output.say(f"[green]intact[/green]: {report.entries:,} entries and {report.rows:,} rows")
        output.say(f"  entry {sequence} is {digest}")
    if not report.ok:
        return 1
    return output.EXIT_OK if report.entries else output.EXIT_NOT_CHECKED


@command
def export(
    ctx: typer.Context,
    out_file: Annotated[Path, typer.Option("--out", help="Where to write it: one entry a line.", metavar="FILE")],
    as_json: JsonOption = False,
) -> int:
    """Write the journal as a file of lines (JSONL) that can be checked without the database.

    Example: custody journal export --out journal.jsonl
    """
    from verifier.journal_file import check_file, export_lines

    if not out_file.parent.is_dir() or out_file.exists():
        what = "exists already" if out_file.exists() else "is in no folder that exists"
        raise InputError(f"{out_file.name} {what}", advice="Name a new file in a folder that exists.")
    beside = out_file.with_name(out_file.name + ".part")
    with opened_store(settings_of(ctx)) as store, beside.open("wb") as written:
        for line in export_lines(store):
            written.write(line)
    with beside.open("rb") as again:
        report = check_file(again)
    if not report.ok:
        beside.unlink()
        raise JournalBroken(report.problem)
    beside.replace(out_file)
    return _said_of_file(report, as_json=as_json)


@command
def check(
    file: Annotated[Path, typer.Argument(help="A file that `journal export` wrote.", metavar="FILE")],
    after: Annotated[
        list[str] | None,
        typer.Option("--known", help="A head written elsewhere; may be repeated.", metavar="SEQUENCE:DIGEST"),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Check an exported journal without database or configuration.

    Exit code 0: every digest and link fits. 1: something was changed or left out. 2: there is no entry.

    Example: custody journal check journal.jsonl
    """
    from verifier.journal_file import check_file

    known = dict(found for text in after or [] if (found := numbered_digest(text)) is not None)
    try:
        with file.open("rb") as opened:
            return _said_of_file(check_file(opened, known), as_json=as_json)
    except OSError as error:
        raise InputError(f"{file.name} cannot be read ({error.strerror})") from None


@command
def show(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="Most entries to show, the newest.")] = 30,
    as_json: JsonOption = False,
) -> int:
    """Show the newest entries of the journal.

    Example: custody journal show --limit 5
    """
    from verifier.store.journal_view import newest_entries

    with opened_store(settings_of(ctx)) as store:
        entries = newest_entries(store, limit)
    if as_json:
        output.emit_json({"entries": [entry.to_dict() for entry in entries]})
    else:
        rows = [[output.short(cell) for cell in entry.cells()] for entry in entries]
        columns = ["entry", "when", "who", "from", "what", "rows", "payload"]
        folded = ["who", "from", "what", "rows", "payload"]
        output.out().print(output.table("journal, times in UTC", columns, rows, ["entry"], folded))
    return output.EXIT_OK


def _said_of_file(report: JournalFileReport, *, as_json: bool) -> int:
    """Say what the check of a journal file found; its exit code."""
    if as_json:
        output.emit_json(
            {
                "intact": report.ok,
                "entries": report.entries,
                "head": {"sequence": report.head[0], "entry_digest": report.head[1]} if report.head else None,
                "problem": report.problem or None,
            }
        )
    elif report.problem:
        output.say(f"[bold red]broken[/bold red] {output.clean(report.problem)}")
    elif report.head is None:
        output.say("[yellow]empty[/yellow]: there is no entry")
    else:
        output.say(f"[green]intact[/green]: {report.entries:,} entries; entry {report.head[0]} is {report.head[1]}")
    if report.problem:
        return output.EXIT_CONTRADICTED
    return output.EXIT_OK if report.entries else output.EXIT_NOT_CHECKED
