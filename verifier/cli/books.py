"""`custody import`, `post` and `map`: what the firm says."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chains.types import utc_text
from verifier.cli import output
from verifier.cli.context import ActorOption, JsonOption, command, now, opened_store, settings_of
from verifier.cli.typed import moment_of
from verifier.errors import InputError

if TYPE_CHECKING:
    from mapping.importer import ImportResult

WALLETS_SHOWN = 20

AsOfOption = Annotated[str, typer.Option("--as-of", help="The moment, RFC 3339; default: now.", metavar="TIME")]
KnownAtOption = Annotated[
    str, typer.Option("--known-at", help="As it was known at this moment; default: now.", metavar="TIME")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import")(import_files)
    app.command()(post)
    map_app = typer.Typer(no_args_is_help=True, help="Who owns what where: client, asset, chain, address.")
    app.add_typer(map_app, name="map")
    map_app.command("show")(show)
    map_app.command("search")(search)
    map_app.command("descriptors")(descriptors)
    map_app.command("history")(history)


@command
def import_files(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="CSV files, or folders of them.", metavar="PATH...")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything and store nothing.")] = False,
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Import the sub-ledger's files: all of them or nothing.

    Every problem is listed with file, line, column, value and reason. The same file twice is a no-op.
    `custody template` writes files to start from.

    Exit code 2: nothing was stored; or, with the code stored-not-judged, all was, but the reserve could not be
    judged after it.

    Example: custody import books --dry-run
    """
    from chains.registry import plugin_for
    from mapping.csvfile import CsvLimits
    from mapping.importer import ImportOptions, read_files
    from verifier import posting

    settings = settings_of(ctx)
    if missing := [path for path in paths if not path.exists()]:
        raise InputError(
            f"there is no file or folder {missing[0]}",
            advice="`custody template --out FOLDER` writes files to start from.",
        )
    with opened_store(settings) as store:
        moment = now()
        options = ImportOptions(
            limits=CsvLimits(bytes_max=settings.imports.file_bytes_max, rows_max=settings.imports.file_rows_max),
            accept_unchecksummed=settings.imports.accept_unchecksummed,
            now=moment,
        )
        with output.progress("reading", None, quiet=as_json), store.known() as known:
            result = read_files(paths, known, options, plugin_for)
        if not dry_run:
            posting.apply(store, settings, result, actor, moment, paths)
    return _report(result, dry_run, as_json)


@command
def post(
    ctx: typer.Context,
    table: Annotated[str, typer.Argument(help="The file the row belongs to, for example ledger_entries.")],
    values: Annotated[list[str], typer.Argument(help="The row, one COLUMN=VALUE each.", metavar="COLUMN=VALUE...")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the row and store nothing.")] = False,
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Post one row, checked by the same rules as a row of a file; the same row again is a no-op.

    Example: custody post clients client_id=C-1 name="Client 1" opened_on=2026-01-02
    """
    from verifier import posting

    row: dict[str, str] = {}
    for value in values:
        column, equals, text = value.partition("=")
        if not equals or column in row:
            raise InputError(f"{value!r} is not COLUMN=VALUE, or its column is given twice")
        row[column] = text
    settings = settings_of(ctx)
    with opened_store(settings) as store:
        result = posting.post(store, settings, table, row, actor, now(), dry_run=dry_run)
    return _report(result, dry_run, as_json)


@command
def show(
    ctx: typer.Context,
    as_of: AsOfOption = "",
    known_at: KnownAtOption = "",
    limit: Annotated[int, typer.Option(min=1, help="Most rows to show.")] = 500,
    as_json: JsonOption = False,
) -> int:
    """Show who owns what where, as of any moment, as known at any moment.

    Example: custody map show --as-of 2026-03-01T16:00:00Z --known-at 2026-03-02T09:00:00Z
    """
    return _show(ctx, "", as_of, known_at, limit, as_json)


@command
def search(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="Part of a client, asset, symbol, address or location.")],
    as_of: AsOfOption = "",
    known_at: KnownAtOption = "",
    limit: Annotated[int, typer.Option(min=1, help="Most rows to show.")] = 500,
    as_json: JsonOption = False,
) -> int:
    """Show the rows of the mapping in which a text occurs: a client, an asset, an address, a wallet of a pool.

    Example: custody map search 0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC
    """
    if not text.strip():
        raise InputError("give some text to search for")
    return _show(ctx, text, as_of, known_at, limit, as_json)


@command
def descriptors(ctx: typer.Context, known_at: KnownAtOption = "", as_json: JsonOption = False) -> int:
    """Show the wallets that are told by an output descriptor, and how many of their addresses are watched.

    The descriptors themselves are in --json only: whoever has one can tell all its addresses.

    Example: custody map descriptors
    """
    with opened_store(settings_of(ctx)) as store:
        found = store.wallet_descriptors(None, moment_of(known_at, now()))
    if as_json:
        output.emit_json({"descriptors": [dataclasses.asdict(each) for each in found]})
        return output.EXIT_OK if found else output.EXIT_NOT_CHECKED
    columns = ["chain", "address of number 0", "role", "watched", "look-ahead", "birth"]
    rows = [
        [
            output.short(each.chain_id),
            output.short(each.address),
            each.role.value,
            str(each.derived),
            str(each.look_ahead),
            "" if each.birth_height is None else str(each.birth_height),
        ]
        for each in found
    ]
    right = ["watched", "look-ahead", "birth"]
    output.out().print(output.table(output.counted(len(found), "descriptor"), columns, rows, right=right))
    return output.EXIT_OK if found else output.EXIT_NOT_CHECKED


@command
def history(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="A client id, address, location, asset or entry, whole or in part.")],
    as_of: AsOfOption = "",
    known_at: KnownAtOption = "",
    limit: Annotated[int, typer.Option(min=1, help="Most entries to show, the newest.")] = 200,
    as_json: JsonOption = False,
) -> int:
    """Show which client was behind which address from when to when, and the ledger entries that made it so.

    [bold]effective[/bold] is when it holds from, [bold]recorded[/bold] when the firm wrote it down: a
    back-dated correction has the two far apart. With --as-of and --known-at, the entries behind
    `custody map show` of those moments.

    Example: custody map history C-1001 --known-at 2026-03-01T00:00:00Z
    """
    from verifier.mapping_view import entry_history, mapping_periods, period_cells, period_json

    moment = now()
    at, known = moment_of(as_of, moment), moment_of(known_at, moment)
    with opened_store(settings_of(ctx)) as store:
        found = entry_history(store, at, known, text)
        periods = mapping_periods(store, known, text)
    entries = found[-limit:]
    if as_json:
        output.emit_json(
            {
                "as_of": utc_text(at),
                "known_at": utc_text(known),
                "periods": [period_json(row) for row in periods],
                "omitted": len(found) - len(entries),
                "entries": [entry.to_dict() for entry in entries],
            }
        )
    else:
        columns = ["client", "class", "asset", "address", "from", "to"]
        rows = [[output.short(cell) for cell in period_cells(row)] for row in periods[:limit]]
        title = f"{output.counted(len(periods), 'period')} of the mapping, times in UTC"
        output.out().print(output.table(title, columns, rows, folded=["asset", "address"]))
        output.out().print()
        columns = ["effective", "recorded", "client", "kind", "quantity", "location"]
        rows = [[output.short(cell) for cell in entry.cells()] for entry in entries]
        omitted = f" (the newest {limit})" if len(found) > limit else ""
        title = f"{output.counted(len(found), 'ledger entry', 'ledger entries')}{omitted}, times in UTC"
        output.out().print(output.table(title, columns, rows, right=["quantity"], folded=["kind", "location"]))
    return output.EXIT_OK if found else output.EXIT_NOT_CHECKED


def _show(ctx: typer.Context, text: str, as_of: str, known_at: str, limit: int, as_json: bool) -> int:
    from verifier.mapping_view import mapping_view

    moment = now()
    at, known = moment_of(as_of, moment), moment_of(known_at, moment)
    with opened_store(settings_of(ctx)) as store:
        rows = mapping_view(store, at, known, text)
    if as_json:
        output.emit_json(
            {
                "as_of": utc_text(at),
                "known_at": utc_text(known),
                "rows": [row.to_dict() for row in rows],
            }
        )
    else:
        columns = ["client", "class", "quantity", "location", "structure", "since"]
        cells = [[output.short(cell) for cell in row.cells()] for row in rows[:limit]]
        title = output.counted(len(rows), "allocation") + (f" (the first {limit})" if len(rows) > limit else "")
        output.out().print(output.table(title, columns, cells, right=["quantity"], folded=["location", "class"]))
        for pool, wallets in sorted({row.location_id: row.wallets for row in rows[:limit] if row.is_pool}.items()):
            output.say(f"\n[bold]{output.clean(pool)}[/bold] was these {output.counted(len(wallets), 'wallet')} then:")
            for wallet in wallets[:WALLETS_SHOWN]:
                output.say(f"  {output.clean(wallet)}")
            if len(wallets) > WALLETS_SHOWN:
                output.say(f"  and {len(wallets) - WALLETS_SHOWN} more; see --json")
    return output.EXIT_OK if rows else output.EXIT_NOT_CHECKED


def _report(result: ImportResult, dry_run: bool, as_json: bool) -> int:
    from verifier.posting import import_json

    if as_json:
        output.emit_json(import_json(result, dry_run=dry_run))
        return output.EXIT_OK if result.ok else output.EXIT_NOT_CHECKED
    for notice in result.notices[: output.PROBLEMS_SHOWN]:
        output.say(f"[yellow]note[/yellow] {output.clean(notice)}")
    if not result.ok:
        output.show_problems(result.problems, result.problems_omitted)
        return output.EXIT_NOT_CHECKED
    for file in result.files:
        again = ", imported before and skipped" if file.already_imported else ""
        output.say(f"  {output.clean(file.name):<24} {output.counted(file.rows, 'row')}{again}")
    if result.is_noop:
        output.say("Nothing new; nothing was stored.")
    else:
        verb = "would be stored (dry run)" if dry_run else "stored, all in one transaction"
        output.say(f"[green]{output.counted(result.row_count, 'record')}[/green] {verb}.")
    return output.EXIT_OK
