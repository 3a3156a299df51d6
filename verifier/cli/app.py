"""The command tree. Commands import what they need when they run, so that `custody --help` answers at once."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import Abort, TyperException

from verifier.cli import (
    alerts,
    approvals,
    archive,
    authorizations,
    books,
    cases,
    control,
    custodians,
    database,
    disclosing,
    exporting,
    inclusion,
    journal,
    key_proof,
    outside,
    pages,
    reports,
    reserve,
    schedule,
    setting_up,
    signatures,
    sweeping,
    trades,
    trusted_keys,
    users,
    verifying,
    watching,
    web,
    working,
)
from verifier.cli.context import Globals
from verifier.cli.output import EXIT_NOT_CHECKED, emit_json, err, error_object
from verifier.logs import configure_logs

app = typer.Typer(
    name="custody",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=True,
    help=(
        "Proves that a broker-dealer's client assets are where its books say they are.\n\n"
        "Usual order: [bold]init[/bold], [bold]template[/bold], [bold]import[/bold], [bold]sweep[/bold], "
        "[bold]cases[/bold], [bold]export[/bold]; an auditor needs only [bold]verify[/bold].\n\n"
        "Exit codes: 0 all matched or done; 1 the evidence contradicts the books; "
        "2 something could not be checked, nothing was compared, or bad input."
    ),
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"custody-verifier {version('custody-verifier')}")
        raise typer.Exit


@app.callback()
def _globals(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="Configuration file; default: custody.toml here.", metavar="FILE"),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what is done, on stderr.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    ctx.obj = Globals(config=config, verbose=verbose)
    configure_logs(verbose=verbose)


setting_up.register(app)
database.register(app)
books.register(app)
custodians.register(app)
outside.register(app)
sweeping.register(app)
watching.register(app)
working.register(app)
schedule.register(app)
alerts.register(app)
authorizations.register(app)
cases.register(app)
approvals.register(app)
reserve.register(app)
trades.register(app)
control.register(app)
reports.register(app)
archive.register(app)
key_proof.register(app)
exporting.register(app)
verifying.register(app)
journal.register(app)
disclosing.register(app)
signatures.register(app)
trusted_keys.register(app)
inclusion.register(app)
pages.register(app)
web.register(app)
users.register(app)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; never exits the process."""
    as_json = "--json" in arguments
    try:
        result = app(args=list(arguments), prog_name="custody", standalone_mode=False)
    except Abort:
        err().print("aborted")
        return EXIT_NOT_CHECKED
    except TyperException as error:
        if as_json:
            emit_json(error_object("usage", error.format_message(), "See the command's --help."))
        if (show := getattr(error, "show", None)) is not None:
            show()  # wrong usage explains itself, on stderr
        else:
            err().print(str(error), markup=False)
        return EXIT_NOT_CHECKED
    except Exception as error:  # noqa: BLE001 - Python's own exit code would be 1, which says: contradicted
        return _own_fault(error, as_json=as_json, verbose=not {"-v", "--verbose"}.isdisjoint(arguments))
    return int(result or 0)


def _own_fault(error: Exception, *, as_json: bool, verbose: bool) -> int:
    """Report a fault of the program without its values: a message or a local could hold a secret."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    message = f"a fault of this program: {type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"
    advice = "Nothing half-done was kept. Please report it, with what --verbose says."
    if as_json:
        emit_json(error_object("internal", message, advice))
    err().print(f"[bold red]error[/bold red] \\[internal] {message}\n  {advice}", soft_wrap=True)
    if verbose:
        for frame in traceback.extract_tb(error.__traceback__):
            err().print(f"  {frame.filename}:{frame.lineno} {frame.name}", markup=False, soft_wrap=True)
    return EXIT_NOT_CHECKED


def main() -> None:
    """Entry point of the `custody` command."""
    sys.exit(run(sys.argv[1:]))
