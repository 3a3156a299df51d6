"""`custody reserve export` and `custody report`: what examiners are given."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verifier.cli import output
from verifier.cli.context import ActorOption, JsonOption, command, now, opened_store, settings_of
from verifier.cli.typed import day_of, read_file, write_new
from verifier.errors import InputError

GAPS_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add `custody report`."""
    report_app = typer.Typer(
        no_args_is_help=True, help="The daily segregation report: signed, archived, never changed."
    )
    app.add_typer(report_app, name="report")
    report_app.command("daily")(daily)
    report_app.command("list")(list_reports)
    report_app.command("show")(show)
    report_app.command("verify")(verify)


def register_export(reserve_app: typer.Typer) -> None:
    """Add `custody reserve export`."""

    reserve_app.command("export")(export)


@command
def export(
    ctx: typer.Context,
    computation_id: Annotated[str, typer.Argument(help="Id of a computation on record.", metavar="ID")],
    wanted: Annotated[str, typer.Option("--format", help="csv, json, html or focus.")] = "csv",
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Where to write it; stdout without.", metavar="FILE")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Write a computation as CSV with every row, as its canonical JSON, as a page that prints, or as FOCUS Part II.

    In the FOCUS layout only box numbers that were seen in the form are marked verified. A file that exists is not
    overwritten.

    Example: custody reserve export RC-000001 --format focus --out focus.csv
    """
    import hashlib
    import sys

    from verifier.reserve_export import FORMATS, computation_file

    if wanted not in FORMATS:
        raise InputError(f"--format is one of {', '.join(FORMATS)}")
    if as_json and out_file is None:
        raise InputError("--json tells what was written: name the file with --out")
    settings = settings_of(ctx)
    with opened_store(settings) as store:
        data = computation_file(store, settings, store.reserve_computation(computation_id), wanted, now())
    if out_file is None:
        sys.stdout.write(data.decode("utf-8"))
        return output.EXIT_OK
    write_new(out_file, data)
    digest = hashlib.sha256(data).hexdigest()
    if as_json:
        output.emit_json({"file": str(out_file), "format": wanted, "size_bytes": len(data), "sha256": digest})
    else:
        output.say(f"[green]written[/green] {output.clean(out_file)}: {len(data):,} bytes, SHA-256 {digest}")
    return output.EXIT_OK


@command
def daily(
    ctx: typer.Context,
    as_of: Annotated[str, typer.Option("--as-of", help="The day, which has closed.", metavar="DATE")],
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Make the report of a day: both reserve computations, Note H, possession or control, both rails, exceptions.

    It is signed, journalled and archived. Made again, it is a new version that names the one it replaces. Exit code
    0: nothing is open and nothing unverified. 1: the evidence contradicts the books, or an exception is not
    explained. 2: something is unverified.

    Example: custody report daily --as-of 2026-11-20
    """
    from verifier.daily_report import make_report
    from verifier.report_view import report_json
    from verifier.signing import signers_of

    settings = settings_of(ctx)
    with opened_store(settings) as store:
        made = make_report(store, settings, day_of(as_of), signers_of(settings), actor, now())
    stored, exceptions = made.stored, made.value["exceptions"]
    if as_json:
        output.emit_json(report_json(stored) | {"folder": str(made.place), "report": dict(made.value)})
        return made.exit_code
    output.say(f"[green]made[/green] [bold]{stored.report_id}[/bold], SHA-256 {stored.digest}")
    if stored.replaces:
        output.say(f"  {'replaces':<12} {stored.replaces}")
    output.say(f"  {'folder':<12} {output.clean(made.place)}")
    output.say(f"  {'status':<12} {', '.join(made.value['status']['statuses'])}")
    text = f"{exceptions['listed']} open at the close, {exceptions['unexplained']} of them not explained"
    output.say(f"  {'exceptions':<12} {text}")
    for gap in made.value["not_verified"][:GAPS_SHOWN]:
        output.say(f"  {'unverified':<12} {output.clean(gap)}")
    if (more := len(made.value["not_verified"]) - GAPS_SHOWN) > 0:
        output.say(f"  {'unverified':<12} and {more} more; see the report")
    return made.exit_code


@command
def list_reports(ctx: typer.Context, as_json: JsonOption = False) -> int:
    """List every version of every daily report.

    Example: custody report list
    """
    from verifier.report_view import report_json

    with opened_store(settings_of(ctx)) as store:
        found = store.daily_reports()
    if as_json:
        output.emit_json({"reports": [report_json(each) for each in found]})
    else:
        rows = [
            [
                each.report_id,
                each.as_of.isoformat(),
                f"{each.recorded_at:%Y-%m-%d %H:%M}",
                each.replaces,
                each.digest,
            ]
            for each in found
        ]
        columns = ["report", "as of", "made (UTC)", "replaces", "SHA-256"]
        output.out().print(output.table(output.counted(len(found), "report"), columns, rows, folded=["SHA-256"]))
    return output.EXIT_OK if found else output.EXIT_NOT_CHECKED


@command
def show(
    ctx: typer.Context,
    report_id: Annotated[str, typer.Argument(help="Id of a report on record.", metavar="ID")],
    as_json: JsonOption = False,
) -> int:
    """Show a report as text, or its canonical content.

    Example: custody report show DR-2026-11-20-1
    """
    from exports.daily_report import read_report, report_text

    with opened_store(settings_of(ctx)) as store:
        document = store.daily_report(report_id).document
    if as_json:
        output.emit_json(read_report(document))
    else:
        for line in report_text(document).splitlines():
            output.say(output.clean(line))
    return output.EXIT_OK


@command
def verify(
    file: Annotated[Path, typer.Argument(help="report.dsse.json of the archive.", metavar="FILE")],
    trusted_keys: Annotated[
        Path, typer.Option("--trusted-keys", help="Your own list of keys you trust.", metavar="FILE")
    ],
    as_json: JsonOption = False,
) -> int:
    """Check who signed a daily report. Needs neither the firm's database nor its configuration.

    Exit code 0: signed by enough trusted keys. 1: it is not what was signed. 2: too few trusted keys signed.

    Example: custody report verify report.dsse.json --trusted-keys trusted-keys.json
    """
    import hashlib

    from exports.daily_report import REPORT_TYPE, read_report
    from exports.errors import RecordInvalid, SignatureInvalid
    from exports.keys import load_trusted_keys
    from exports.signed_document import read_signed

    keys = load_trusted_keys(trusted_keys)
    keys.require_current(now())
    data = read_file(file)
    try:
        signed = read_signed(data, REPORT_TYPE, keys, "made_at")
        value = read_report(signed.document)
    except (SignatureInvalid, RecordInvalid) as error:
        output.fail(error.code, str(error), error.advice, as_json=as_json, exit_code=output.EXIT_CONTRADICTED)
    digest = hashlib.sha256(signed.document).hexdigest()
    if as_json:
        output.emit_json(
            {
                "report_id": value["report_id"],
                "as_of": value["as_of"],
                "sha256": digest,
                "signed_by": list(signed.accepted),
                "not_counted": list(signed.not_counted),
                "missing": list(signed.missing),
            }
        )
    else:
        output.say(f"{output.clean(value['report_id'])} of {output.clean(value['firm'])}, SHA-256 {digest}")
        output.say(f"  {'signed by':<12} {output.clean(', '.join(signed.accepted) or 'nobody you trust')}")
        for each in (*signed.not_counted, *signed.missing):
            output.say(f"  [yellow]{'not counted':<12}[/yellow] {output.clean(each)}")
    return output.EXIT_NOT_CHECKED if signed.missing else output.EXIT_OK
