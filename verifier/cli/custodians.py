"""`custody statement` and `custody reconcile`: what depositories, banks and prime brokers state."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli import output
from verifier.cli.context import ActorOption, JsonOption, command, now, opened_store, settings_of
from verifier.errors import InputError

if TYPE_CHECKING:
    from mapping.types import Problem
    from verifier.custodians.document import Statement

FORMATS = ("auto", "csv", "mt535", "semt002")
PROBLEMS_SHOWN = 200


def register(app: typer.Typer) -> None:
    """Add the commands."""
    statement_app = typer.Typer(no_args_is_help=True, help="Statements of holdings: CSV, ISO 15022 MT535, ISO 20022.")
    app.add_typer(statement_app, name="statement")

    @statement_app.command("import")
    @command
    def import_(
        ctx: typer.Context,
        files: Annotated[
            list[Path], typer.Argument(help="Files of one format; all pages together.", metavar="FILE...")
        ],
        format_: Annotated[
            str, typer.Option("--format", help="auto, csv, mt535 or semt002.", metavar="FORMAT")
        ] = "auto",
        as_of: Annotated[
            str, typer.Option("--as-of", help="The day the statements must be of; others are refused.", metavar="DATE")
        ] = "",
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything and store nothing.")] = False,
        actor: ActorOption = "operator",
        as_json: JsonOption = False,
    ) -> int:
        """Store statements of custodians: whole, of accounts in custodian_accounts.csv, or nothing of them.

        A statement has all its pages, complete and settled balances, and nothing short; the message is kept as it
        came. Of a location that a statement speaks of, what it does not list is nothing.

        Exit code 0: stored, or known already. 2: problems, each with file, line and field; nothing was stored.

        Example: custody statement import DTC-20261120.fin --as-of 2026-11-20
        """
        from chains.registry import plugin_for
        from verifier.custodians.message import StatementFormat
        from verifier.statement_import import import_statements

        if format_ not in FORMATS:
            raise InputError(f"--format is one of {', '.join(FORMATS)}")
        if missing := [path for path in files if not path.is_file()]:
            raise InputError(f"there is no file {missing[0]}")
        wanted = None if format_ == "auto" else StatementFormat(format_)
        day = _day(as_of) if as_of else None
        settings = settings_of(ctx)
        with opened_store(settings) as store:
            found = import_statements(store, settings, files, wanted, day, plugin_for, actor, now(), dry_run=dry_run)
        if as_json:
            output.emit_json(
                {
                    "stored": bool(found.statements) and not dry_run,
                    "dry_run": dry_run,
                    "statements": [_statement_json(each) for each in found.statements],
                    "known": list(found.known),
                    "problems": [_problem_json(each) for each in found.problems],
                }
            )
        else:
            _show_problems(found.problems)
            for name in found.known:
                output.say(f"[yellow]note[/yellow] {output.clean(name)} is known already; it was skipped")
            for each in found.statements:
                verb = "would be stored (dry run)" if dry_run else "stored"
                places = ", ".join(each.locations)
                output.say(
                    f"[green]{output.clean(each.statement_id)}[/green] of {output.clean(each.stated_by)}: "
                    f"{output.counted(len(each.holdings), 'holding')} at {output.clean(places)}, {verb}"
                )
        return output.EXIT_NOT_CHECKED if found.problems else output.EXIT_OK

    @statement_app.command("list")
    @command
    def list_(ctx: typer.Context, as_json: JsonOption = False) -> int:
        """List the whole statements on record.

        Example: custody statement list
        """
        from chains.types import utc_text

        with opened_store(settings_of(ctx)) as store:
            found = store.custodian_statements(store.book_time(now()))
        if as_json:
            output.emit_json({"statements": [_statement_json(each.statement) for each in found]})
        else:
            columns = ["statement", "stated by", "as of", "locations", "holdings", "form"]
            rows = [
                [
                    output.clean(each.statement.statement_id),
                    output.clean(each.statement.stated_by),
                    utc_text(each.statement.as_of),
                    output.clean(", ".join(each.statement.locations)),
                    str(len(each.statement.holdings)),
                    each.statement.format.value,
                ]
                for each in found
            ]
            output.out().print(output.table(output.counted(len(found), "statement"), columns, rows, right=["holdings"]))
        return output.EXIT_OK if found else output.EXIT_NOT_CHECKED

    @statement_app.command("message")
    @command
    def message(
        ctx: typer.Context,
        digest: Annotated[str, typer.Argument(help="SHA-256 of the file, as `statement list --json` names it.")],
    ) -> int:
        """Print a message exactly as it came.

        Example: custody statement message 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
        """
        import sys

        with opened_store(settings_of(ctx)) as store:
            found = store.custodian_messages([digest]).get(digest)
        if found is None:
            raise InputError("there is no message of this SHA-256")
        sys.stdout.buffer.write(found.encode())
        sys.stdout.buffer.flush()
        return output.EXIT_OK


def _day(text: str) -> date:
    from chains.errors import InvalidValue
    from mapping.fields import parse_date

    try:
        return parse_date(text)
    except InvalidValue as error:
        raise InputError(str(error)) from None


def _statement_json(each: Statement) -> dict[str, object]:
    from chains.types import utc_text

    return {
        "statement_id": each.statement_id,
        "stated_by": each.stated_by,
        "format": each.format.value,
        "as_of": utc_text(each.as_of),
        "locations": list(each.locations),
        "holdings": len(each.holdings),
        "sha256": each.digest,
        "messages": [
            {"name": name, "sha256": digest, "reference": reference} for name, digest, reference in each.messages
        ],
    }


def _problem_json(each: Problem) -> dict[str, object]:
    return {
        "file": each.file,
        "line": each.line,
        "field": each.column,
        "value": each.value,
        "reason": each.reason,
    }


def _show_problems(problems: tuple[Problem, ...]) -> None:
    for problem in problems[:PROBLEMS_SHOWN]:
        output.say(f"[bold red]problem[/bold red] {output.clean(problem)}")
    if problems:
        hidden = max(0, len(problems) - PROBLEMS_SHOWN)
        shown = f", {hidden} of them not shown" if hidden else ""
        output.say(f"{output.counted(len(problems), 'problem')}{shown}; nothing was stored.")
