"""`custody disclose`: what a bundle only commits to, for one reader."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verifier.cli import output
from verifier.cli.context import ActorOption, JsonOption, command, now, opened_store, settings_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(disclose)


@command
def disclose(
    ctx: typer.Context,
    kind: Annotated[
        str,
        typer.Option(help="The kind of records to open, such as reserve_computations.", metavar="KIND"),
    ],
    out_file: Annotated[Path, typer.Option("--out", help="Where to write the opening.", metavar="FILE")],
    source: Annotated[
        Path | None,
        typer.Option("--of", help="The full bundle it was made from; else the newest issued.", metavar="FILE"),
    ] = None,
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Open what a pseudonymous bundle commits to: the records of one kind, and the key they were committed with.

    The file is private: it names what the bundle leaves out, of this kind alone. Whoever has both checks it with
    `custody verify --openings FILE`. That it was made is written into the journal. No existing file is overwritten.

    Example: custody disclose --kind reserve_computations --out reserve.opening
    """
    from verifier.disclosing import open_kind
    from verifier.signing import liabilities_secret_of

    settings = settings_of(ctx)
    secret = liabilities_secret_of(settings)
    with opened_store(settings) as store:
        opening, records = open_kind(store, source, kind, out_file, actor, now, secret)
    if as_json:
        told = {"file": str(out_file), "kind": kind, "records": records}
        output.emit_json(told | {"bundle_id": opening.head.bundle_id, "full_digest": opening.head.full_digest})
    else:
        output.say(
            f"[green]written[/green] {output.clean(out_file)}: {output.counted(records, 'record')} of {kind}, "
            f"of the full bundle {opening.head.full_digest}"
        )
        output.say("It is private: give it to the one reader it is for, by a way you both trust.")
    return output.EXIT_OK
