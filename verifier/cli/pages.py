"""`custody inclusion-page` and `verifier-page`: offline pages for people who have a browser and not this command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verifier.cli import output
from verifier.cli.context import JsonOption, command
from verifier.cli.typed import write_new

OutOption = Annotated[Path, typer.Option("--out", "-o", help="Where to write the page.", metavar="FILE")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("inclusion-page")(inclusion_page)
    app.command("verifier-page")(verifier_page)


@command
def inclusion_page(out_file: OutOption, as_json: JsonOption = False) -> int:
    """Write the page with which a client checks a statement in a browser: one file, no server, no network.

    Example: custody inclusion-page --out check-inclusion.html
    """
    from exports.inclusion_page import page_bytes

    return _write(out_file, page_bytes(), as_json=as_json)


@command
def verifier_page(out_file: OutOption, as_json: JsonOption = False) -> int:
    """Write a second verifier of bundles: one page for a browser, no server, no network, no code of this command.

    It makes the checks that need no node and says which it leaves to `custody verify`.

    Example: custody verifier-page --out verify-bundle.html
    """
    from exports.verifier_page import page_bytes

    return _write(out_file, page_bytes(), as_json=as_json)


def _write(out_file: Path, page: bytes, *, as_json: bool) -> int:
    write_new(out_file, page)
    if as_json:
        output.emit_json({"file": str(out_file)})
    else:
        output.say(f"[green]written[/green] {output.clean(out_file)}")
    return output.EXIT_OK
