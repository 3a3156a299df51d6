"""`custody schedule`: what runs by the clock, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli import output
from verifier.cli.context import JsonOption, command, now, opened_store, settings_of
from verifier.errors import InputError

if TYPE_CHECKING:
    from verifier.schedule.records import ScheduledRun

COLOURS = {"done": "green", "late": "yellow", "failed": "bold red", "skipped": "yellow", "missed": "bold red"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    schedule_app = typer.Typer(no_args_is_help=True, help="What `custody watch` runs by the clock.")
    app.add_typer(schedule_app, name="schedule")
    schedule_app.command("list")(list_)
    schedule_app.command("history")(history)


@command
def list_(ctx: typer.Context, as_json: JsonOption = False) -> int:
    """List every configured job with its next run, in civil time and UTC, and what became of the last one.

    Exit code 0: the last run of each was done. 1: one found a contradiction. 2: one failed, was missed or skipped,
    found something unverified, or never ran.

    Example: custody schedule list --json
    """
    from verifier.schedule_view import civil_text, last_runs, next_runs, rung_by, schedule_json

    settings, moment = settings_of(ctx), now()
    with opened_store(settings) as store:
        last, rings = last_runs(store, settings), rung_by(store)
        shown = schedule_json(store, settings, moment)
    zone, following = settings.reserve.bank_zone, next_runs(settings, moment)
    if as_json:
        output.emit_json(shown)
    else:
        rows = [
            [
                name,
                slot.business_date.isoformat(),
                civil_text(slot.due_at, zone),
                f"{slot.due_at:%m-%d %H:%M}",
                _outcome(last[name]),
            ]
            for name, slot in following.items()
        ]
        columns = ["job", "business date", f"next in {zone}", "UTC", "last"]
        output.out().print(output.table(output.counted(len(following), "job"), columns, rows, folded=["last"]))
        output.say(f"rung by {output.clean(rings)}" if rings else "[yellow]no clock runs[/yellow]: custody watch")
    codes = [_code(run) for run in last.values()]
    return 1 if 1 in codes else max(codes, default=output.EXIT_NOT_CHECKED)


@command
def history(
    ctx: typer.Context,
    job: Annotated[str, typer.Option("--job", help="Only this job.")] = "",
    rows: Annotated[int, typer.Option("--rows", help="How many runs, the newest first.", min=1)] = 50,
    as_json: JsonOption = False,
) -> int:
    """List the runs on record, also those that were missed or skipped, and the files of the folder and of sources.

    Exit code 2: nothing ever ran.

    Example: custody schedule history --job reserve_compute
    """
    from verifier.schedule_view import civil_text, file_json, files_seen, run_json

    settings = settings_of(ctx)
    zone = settings.reserve.bank_zone
    with opened_store(settings) as store:
        found = store.scheduled_runs(job, limit=rows)
        files = files_seen(store, job)[:rows]
    if job and not found:
        raise InputError(f"no run of {job} is on record", advice="See `custody schedule list` for the jobs.")
    if as_json:
        shown = [file_json(source, each) for source, each in files]
        output.emit_json({"runs": [run_json(each, zone) for each in found], "files": shown})
    else:
        columns = ["job", "business date", f"due in {zone}", "outcome", "said"]
        cells = [
            [
                output.clean(each.slot.job),
                each.slot.business_date.isoformat(),
                civil_text(each.slot.due_at, zone),
                _outcome(each),
                output.clean(each.text),
            ]
            for each in found
        ]
        output.out().print(output.table(output.counted(len(found), "run"), columns, cells, folded=["said"]))
        for source, each in files:
            word = "[green]imported[/green]" if each.accepted else "[bold red]refused[/bold red]"
            output.say(f"  {word} {output.clean(f'{source} {each.name}'.lstrip())}: {output.clean(each.text)}")
    return output.EXIT_OK if found else output.EXIT_NOT_CHECKED


def _code(run: ScheduledRun | None) -> int:
    """Exit code of a job's last run; 2 for one that is under way or never was."""
    return output.EXIT_NOT_CHECKED if run is None or run.exit_code is None else run.exit_code


def _outcome(run: ScheduledRun | None) -> str:
    if run is None:
        return "[dim]never ran[/dim]"
    if run.outcome is None:
        return "under way, or cut off"
    return f"[{COLOURS[run.outcome.value]}]{run.outcome.value}[/] ({run.exit_code})"
