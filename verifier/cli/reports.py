"""`custody reserve export`, `custody report` and `custody archive`: what examiners are given, and what is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verifier.cli import output
from verifier.cli.context import ActorOption, JsonOption, command, now, opened_store, settings_of
from verifier.errors import InputError


def register(app: typer.Typer) -> None:
    """Add `custody archive`."""
    _register_archive(app)


def register_export(reserve_app: typer.Typer) -> None:
    """Add `custody reserve export`."""

    @reserve_app.command("export")
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
        _write_new(out_file, data)
        digest = hashlib.sha256(data).hexdigest()
        if as_json:
            output.emit_json({"file": str(out_file), "format": wanted, "size_bytes": len(data), "sha256": digest})
        else:
            output.say(f"[green]written[/green] {output.clean(out_file)}: {len(data):,} bytes, SHA-256 {digest}")
        return output.EXIT_OK


def _register_archive(app: typer.Typer) -> None:
    archive_app = typer.Typer(
        no_args_is_help=True, help="Computations and daily reports kept as files for examiners: added, never changed."
    )
    app.add_typer(archive_app, name="archive")

    @archive_app.command("write")
    @command
    def write(ctx: typer.Context, actor: ActorOption = "operator", as_json: JsonOption = False) -> int:
        """Archive whatever is on record and not in the archive yet. Computations and reports do this by themselves.

        Example: custody archive write
        """
        from verifier.after_runs import finish_runs

        settings = settings_of(ctx)
        with opened_store(settings) as store:
            added = finish_runs(store, settings, actor, now())
        if as_json:
            output.emit_json({"added": added})
        else:
            output.say(f"{output.counted(len(added), 'record')} added: {', '.join(added) or 'nothing was missing'}")
        return output.EXIT_OK

    @archive_app.command("list")
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
            output.emit_json(
                {"folder": str(archive_folder(settings)), "records": [archived_json(each) for each in found]}
            )
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

    @archive_app.command("verify")
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


def _write_new(path: Path, data: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise InputError(f"{path.name} exists already; it was not overwritten") from None
    except OSError as error:
        raise InputError(f"{path.name} cannot be written: {error.strerror}") from None
