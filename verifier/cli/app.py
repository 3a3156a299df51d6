"""The command tree. Commands import what they need when they run, so that `custody --help` answers at once."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import structlog
import typer
from typer.exceptions import Abort, TyperException

from verifier.cli import audit, books, cases, setting_up, sweeping
from verifier.cli.context import Globals
from verifier.cli.output import EXIT_NOT_CHECKED, err

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


@app.callback()
def _globals(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="Configuration file; default: custody.toml here.", metavar="FILE"),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what is done, on stderr.")] = False,
) -> None:
    ctx.obj = Globals(config=config)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )


setting_up.register(app)
books.register(app)
sweeping.register(app)
cases.register(app)
audit.register(app)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; never exits the process."""
    try:
        result = app(args=list(arguments), prog_name="custody", standalone_mode=False)
    except Abort:
        err().print("aborted")
        return EXIT_NOT_CHECKED
    except TyperException as error:
        show = getattr(error, "show", None)  # wrong usage explains itself
        if show is not None:
            show()
        else:
            err().print(str(error), markup=False)
        return EXIT_NOT_CHECKED
    return int(result or 0)


def main() -> None:
    """Entry point of the `custody` command."""
    sys.exit(run(sys.argv[1:]))
