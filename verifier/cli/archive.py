"""`custody archive`: computations and daily reports kept as files for examiners, added and held against the journal."""

from __future__ import annotations

import typer

from verifier.cli import output
from verifier.cli.context import ActorOption, JsonOption, command, now, opened_store, settings_of


def register(app: typer.Typer) -> None:
    """Add `custody archive`."""
    archive_app = typer.Typer(
        no_args_is_help=True, help="Computations and daily reports kept as files for examiners: added, never changed."
    )
    app.add_typer(archive_app, name="archive")
    archive_app.command("write")(write)
    archive_app.command("list")(list_records)
    archive_app.command("verify")(verify)


@command
def write(ctx: typer.Context, actor: ActorOption = "operator", as_json: JsonOption = False) -> int:
    """Archive whatever is on record and not in the archive yet. Computations and reports do this by themselves.

    Example: custody archive write
    """
    from verifier.after_runs import finish_runs
    from verifier.daily_report import archive_reports
    from verifier.signing import signers_of

    settings = settings_of(ctx)
    with opened_store(settings) as store:
        added = finish_runs(store, settings, actor, now())
        if store.daily_reports():
            added += archive_reports(store, settings, signers_of(settings), actor, now())
    if as_json:
        output.emit_json({"added": added})
    else:
        output.say(f"{output.counted(len(added), 'record')} added: {', '.join(added) or 'nothing was missing'}")
    return output.EXIT_OK


@command
def list_records(ctx: typer.Context, as_json: JsonOption = False) -> int:
    """List what the archive must hold, and until when.

    Example: custody archive list
    """
    from verifier.archive import archive_folder
    from verifier.report_view import archived_json

    settings = settings_of(ctx)
    with opened_store(settings) as store:
        found = store.archived()
    if as_json:
        output.emit_json({"folder": str(archive_folder(settings)), "records": [archived_json(each) for each in found]})
    else:
        rows = [
            [
                each.subject_id,
                each.kind.replace("_", " "),
                f"{each.recorded_at:%Y-%m-%d}",
                each.retain_until.isoformat(),
            ]
            for each in found
        ]
        title = f"{output.counted(len(found), 'record')} in {archive_folder(settings)}"
        columns = ["record", "kind", "archived", "kept until"]
        output.out().print(output.table(output.clean(title), columns, rows))
    return output.EXIT_OK if found else output.EXIT_NOT_CHECKED


@command
def verify(ctx: typer.Context, as_json: JsonOption = False) -> int:
    """Hold every file of the archive against the digests in the journal.

    Exit code 0: all is as it was archived. 1: something was changed, is missing or was added. 2: it is empty.

    Example: custody archive verify
    """
    from verifier.archive import verify_archive

    settings = settings_of(ctx)
    with opened_store(settings) as store:
        report = verify_archive(store, settings)
    if as_json:
        output.emit_json({"records": report.records, "files": report.files, "problems": list(report.problems)})
    else:
        for problem in report.problems:
            output.say(f"[bold red]problem[/bold red] {output.clean(problem)}")
        checked = f"{output.counted(report.records, 'record')}, {output.counted(report.files, 'file')} compared"
        output.say(f"{checked}, {output.counted(len(report.problems), 'problem')}")
    if report.problems:
        return output.EXIT_CONTRADICTED
    return output.EXIT_OK if report.records else output.EXIT_NOT_CHECKED
