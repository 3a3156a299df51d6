"""How commands speak: tables and colour for people on a terminal, one JSON object for programs.

Data goes to stdout, progress and messages to stderr, so that `custody … --json | jq` always works. Whatever
comes from a chain or a file is shown with its control characters escaped and without markup.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

EXIT_OK = 0
EXIT_CONTRADICTED = 1
EXIT_NOT_CHECKED = 2

STATUS_STYLE = {"matched": "green", "diverged": "bold red", "unverified": "yellow", "passed": "green"} | {
    "failed": "bold red",
    "not_possible": "yellow",
    "not_requested": "dim",
    "open": "bold red",
    "proposed": "yellow",
    "closed": "green",
}


def out() -> Console:
    """The console for data (stdout)."""
    return Console(file=sys.stdout, highlight=False, soft_wrap=False)


def err() -> Console:
    """The console for messages and progress (stderr)."""
    return Console(file=sys.stderr, highlight=False, stderr=True)


def clean(text: object) -> str:
    """Text that cannot move the cursor, colour the terminal or pose as markup: for anything not written by us."""
    shown = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in str(text)
    )
    return escape(shown)


def styled_status(status: str) -> str:
    """A status word in its colour; the word itself always stays, so colour is never the only sign."""
    style = STATUS_STYLE.get(status)
    return f"[{style}]{status}[/{style}]" if style else status


def emit_json(data: Mapping[str, object]) -> None:
    """Write the command's one JSON object to stdout."""
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> Table:
    """A table for people; cells are shown as they are, so pass them through `clean` first."""
    shown = Table(title=title, title_justify="left", title_style="bold", header_style="bold", pad_edge=False)
    for column in columns:
        shown.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*row)
    return shown


@contextmanager
def progress(what: str, total: int | None, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr for long work; silent for programs and when stderr is not a terminal."""
    console = err()
    if quiet or not console.is_terminal:
        yield lambda count: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


def fail(code: str, message: str, advice: str, *, as_json: bool, exit_code: int = EXIT_NOT_CHECKED) -> NoReturn:
    """End the command with an error: what happened, its stable code, and one sentence on what to do."""
    if as_json:
        emit_json({"error": {"code": code, "message": message, "advice": advice}})
    console = err()
    console.print(f"[bold red]error[/bold red] \\[{code}] {clean(message)}")
    if advice:
        console.print(f"  {clean(advice)}")
    raise typer.Exit(exit_code)
