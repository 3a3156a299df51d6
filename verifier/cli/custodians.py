"""`custody statement` and `custody reconcile`: what depositories, banks and prime brokers state."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli import output, statement_pull
from verifier.cli.context import ActorOption, JsonOption, command, now, opened_store, settings_of
from verifier.cli.typed import day_of
from verifier.errors import InputError

if TYPE_CHECKING:
    from exports.securities.comparison import SecuritiesComparison
    from verifier.store import CaseSeen
    from verifier.store.custodian_store import StoredRun

FORMATS = ("auto", "csv", "mt535", "semt002")
LINES_SHOWN = 200
CASES_SHOWN = 50


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("reconcile")(reconcile)
    runs_app = typer.Typer(no_args_is_help=True, help="Comparisons with custodians' statements on record.")
    app.add_typer(runs_app, name="reconciliations")
    runs_app.command("list")(list_runs)
    runs_app.command("show")(show)
    statement_app = typer.Typer(no_args_is_help=True, help="Statements of holdings: CSV, ISO 15022 MT535, ISO 20022.")
    app.add_typer(statement_app, name="statement")
    statement_app.command("import")(import_)
    statement_pull.register(statement_app)
    statement_app.command("list")(list_statements)
    statement_app.command("message")(message)


@command
def import_(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="Files of one format; all pages together.", metavar="FILE...")],
    format_: Annotated[str, typer.Option("--format", help="auto, csv, mt535 or semt002.", metavar="FORMAT")] = "auto",
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
    from verifier.custodian_view import import_json
    from verifier.custodians.message import StatementFormat
    from verifier.statement_import import import_statements

    if format_ not in FORMATS:
        raise InputError(f"--format is one of {', '.join(FORMATS)}")
    if missing := [path for path in files if not path.is_file()]:
        raise InputError(f"there is no file {missing[0]}")
    wanted = None if format_ == "auto" else StatementFormat(format_)
    day = day_of(as_of) if as_of else None
    settings = settings_of(ctx)
    with opened_store(settings) as store:
        found = import_statements(store, settings, files, wanted, day, plugin_for, actor, now(), dry_run=dry_run)
    if as_json:
        output.emit_json(import_json(found, dry_run=dry_run))
    else:
        if found.problems:
            output.show_problems(found.problems)
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


@command
def list_statements(ctx: typer.Context, as_json: JsonOption = False) -> int:
    """List the whole statements on record.

    Example: custody statement list
    """
    from chains.types import utc_text
    from verifier.custodian_view import statement_json

    with opened_store(settings_of(ctx)) as store:
        found = store.custodian_statements(store.book_time(now()))
    if as_json:
        output.emit_json({"statements": [statement_json(each.statement) for each in found]})
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


@command
def message(
    ctx: typer.Context,
    digest: Annotated[str, typer.Argument(help="SHA-256 of the file, as `statement list --json` names it.")],
    as_json: JsonOption = False,
) -> int:
    """Print a message exactly as it came.

    Example: custody statement message 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    """
    import sys

    with opened_store(settings_of(ctx)) as store:
        found = store.custodian_messages([digest]).get(digest)
    if found is None:
        raise InputError("there is no message of this SHA-256")
    if as_json:
        output.emit_json({"sha256": digest, "message": found})
        return output.EXIT_OK
    sys.stdout.buffer.write(found.encode())
    sys.stdout.buffer.flush()
    return output.EXIT_OK


@command
def reconcile(
    ctx: typer.Context,
    as_of: Annotated[
        str,
        typer.Option("--as-of", help="The business day whose close it is of; default: the last.", metavar="DATE"),
    ] = "",
    every: Annotated[bool, typer.Option("--all", help="Show every position, also those that matched.")] = False,
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Compare the books with what depositories, banks and prime brokers state, and open cases. Reads no chain.

    Exit code 0: all matched. 1: something differs, or is commingled. 2: something is not verified.

    Example: custody reconcile --as-of 2026-11-20
    """
    import json

    from verifier.case_view import case_json
    from verifier.securities_rail import newest_day
    from verifier.securities_rail import reconcile as compare_day
    from verifier.securities_show import run_json

    settings, moment = settings_of(ctx), now()
    day = day_of(as_of) if as_of else newest_day(settings, moment)
    with opened_store(settings, judging_as=actor) as store:
        found = compare_day(store, settings, day, actor, moment)
    if as_json:
        output.emit_json(
            run_json(found.run)
            | {
                "exit_code": found.exit_code,
                "comparison": json.loads(found.run.document),
                "cases": [case_json(each.case_id, each.finding) for each in found.cases],
            }
        )
    else:
        _show_run(found.run)
        _show_lines(found.comparison, every=every)
        _show_cases(found.cases)
    return found.exit_code


@command
def list_runs(ctx: typer.Context, as_json: JsonOption = False) -> int:
    """List every comparison on record.

    Example: custody reconciliations list
    """
    from verifier.securities_show import run_json

    with opened_store(settings_of(ctx)) as store:
        found = store.securities_runs()
    if as_json:
        output.emit_json({"runs": [run_json(each) for each in found]})
    else:
        columns = ["run", "as of", "expected", "matched", "diverged", "unverified"]
        rows = [
            [each.run_id, each.as_of.isoformat()]
            + [str(count) for count in (each.expected, each.matched, each.diverged, each.unverified)]
            for each in found
        ]
        title = output.counted(len(found), "comparison")
        output.out().print(output.table(title, columns, rows, right=columns[2:]))
    return output.EXIT_OK if found else output.EXIT_NOT_CHECKED


@command
def show(
    ctx: typer.Context,
    run_id: Annotated[str, typer.Argument(help="Id of a comparison on record.")],
    as_json: JsonOption = False,
) -> int:
    """Show one comparison with every position, judged again from its figures.

    Exit code 1: the record was changed.

    Example: custody reconciliations show SR-000001
    """
    from verifier.custodian_view import full_run_json, read_run

    with opened_store(settings_of(ctx)) as store:
        run = store.securities_run(run_id)
    found, problem = read_run(run)
    if as_json:
        output.emit_json(full_run_json(run, problem))
    else:
        _show_run(run)
        if found is not None:
            _show_lines(found, every=True)
        if problem:
            output.say(f"[bold red]{output.clean(problem)}[/bold red]")
    return output.EXIT_CONTRADICTED if problem else output.EXIT_OK


def _show_run(run: StoredRun) -> None:
    unverified = f"[yellow]{run.unverified} unverified[/yellow]" if run.unverified else "0 unverified"
    diverged = f"[bold red]{run.diverged} diverged[/bold red]" if run.diverged else "0 diverged"
    output.say(f"[bold]{run.run_id}[/bold]  positions at custodians as of {run.as_of.isoformat()}")
    output.say(
        f"  {output.counted(run.expected, 'position')}: [green]{run.matched} matched[/green], {diverged}, {unverified}"
    )


def _show_lines(found: SecuritiesComparison, *, every: bool) -> None:
    from verifier.securities_show import line_cells, lines_shown

    lines = lines_shown(found, LINES_SHOWN, every=every)
    if lines:
        columns = ["location", "security", "sub-ledger", "stock record", "stated", "status"]
        rows = [[output.clean(cell) for cell in line_cells(line)] for line in lines]
        output.out().print(output.table("", columns, rows, columns[2:4], ["stated"]))


def _show_cases(cases: tuple[CaseSeen, ...]) -> None:
    from verifier.cli.case_list import CaseLine, show_cases

    if cases:
        lines = [
            CaseLine(each.case_id, "[bold red]new[/bold red]" if each.is_new else "[dim]seen again[/dim]", each.finding)
            for each in cases[:CASES_SHOWN]
        ]
        show_cases(output.counted(len(cases), "case"), lines)
