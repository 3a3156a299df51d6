"""How commands speak: tables and colour for people on a terminal, one JSON object for programs.

Data goes to stdout, progress and messages to stderr, so that `custody … --json | jq` always works. Whatever
comes from a chain or a file is shown with its control characters escaped and without markup.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NoReturn, TextIO

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

EXIT_OK = 0
EXIT_CONTRADICTED = 1
EXIT_NOT_CHECKED = 2

PIPE_COLUMNS = 100
"""Width of what is written to a file or a pipe, unless COLUMNS says otherwise: a report is read later, by people."""

PROBLEMS_SHOWN = 200

_LONG_NAMES = (
    re.compile(r"\b(0x[0-9a-fA-F]{6})[0-9a-fA-F]{28,}([0-9a-fA-F]{6})\b"),
    re.compile(r"(?<!\w)([0-9a-f]{6})[0-9a-f]{52}([0-9a-f]{6})(?!\w)"),
    re.compile(r"\b((?:bc|tb|bcrt)1[02-9ac-hj-np-z]{5})[02-9ac-hj-np-z]{26,}([02-9ac-hj-np-z]{6})\b"),
)
"""EVM addresses and hashes; hashes of Bitcoin; its segregated-witness addresses."""


def out() -> Console:
    """The console for data (stdout)."""
    return _console(sys.stdout)


def err() -> Console:
    """The console for messages and progress (stderr)."""
    return _console(sys.stderr)


def _console(file: TextIO) -> Console:
    is_sized = file.isatty() or "COLUMNS" in os.environ
    return Console(file=file, highlight=False, width=None if is_sized else PIPE_COLUMNS)


def clean(text: object) -> str:
    """Text that cannot move the cursor, colour the terminal or pose as markup: for anything not written by us."""
    shown = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in str(text)
    )
    return escape(shown)


def short(text: object) -> str:
    """`clean`, with addresses and hashes as `0x123456…abcdef`: for lists. A page about one thing shows them whole."""
    shown = str(text)
    for name in _LONG_NAMES:
        shown = name.sub(r"\1…\2", shown)
    return clean(shown)


def counted(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun: `1 case`, `2 cases`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def say(text: str) -> None:
    """One message on stdout, never folded: it can be copied and searched whole. The text may hold markup."""
    out().print(text, soft_wrap=True)


def paragraph(text: str, indent: int) -> None:
    """Text on stdout, folded between words and indented. The text may hold markup."""
    out().print(Padding(text, (0, 0, 0, indent)))


def emit_json(data: Mapping[str, object], *, as_line: bool = False) -> None:
    """Write the command's one JSON object to stdout, or one of a command that writes a line for each."""
    sys.stdout.write(json.dumps(data, indent=None if as_line else 2, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Sequence[str] = (),
    folded: Sequence[str] = (),
) -> Table:
    """A table for people; cells are shown as they are, so pass them through `clean` or `short` first.

    Columns named in `folded` give way when the terminal is narrow; without any, all do.
    """
    shown = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
    )
    for column in columns:
        gives_way = not folded or column in folded
        shown.add_column(column, justify="right" if column in right else "left", overflow="fold", no_wrap=not gives_way)
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


def show_problems(problems: Sequence[object], omitted: int = 0) -> None:
    """What was wrong with files that were given, some of it, and how much there is; `omitted` were not even kept."""
    for problem in problems[:PROBLEMS_SHOWN]:
        say(f"[bold red]problem[/bold red] {clean(problem)}")
    hidden = omitted + max(0, len(problems) - PROBLEMS_SHOWN)
    shown = f", {hidden} of them not shown" if hidden else ""
    say(f"{counted(len(problems) + omitted, 'problem')}{shown}; nothing was stored.")


def error_object(code: str, message: str, advice: str) -> dict[str, object]:
    """What a program gets instead of an answer."""
    return {"error": {"code": code, "message": message, "advice": advice}}


def fail(
    code: str, message: str, advice: str, *, as_json: bool, exit_code: int = EXIT_NOT_CHECKED, lines: bool = False
) -> NoReturn:
    """End the command with an error: what happened, its stable code, and one sentence on what to do."""
    if as_json:
        emit_json(error_object(code, message, advice), as_line=lines)
    console = err()
    console.print(f"[bold red]error[/bold red] \\[{code}] {clean(message)}", soft_wrap=True)
    if advice:
        console.print(f"  {clean(advice)}", soft_wrap=True)
    raise typer.Exit(exit_code)
