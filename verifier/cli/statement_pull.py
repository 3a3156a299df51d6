"""`custody statement pull`: fetch what is new from the configured sources."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli import output
from verifier.cli.context import ActorOption, JsonOption, command, now, opened_store, settings_of
from verifier.cli.typed import day_of
from verifier.errors import InputError

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.statement_sources.pulling import Pull

COLOURS = {"taken": "green", "refused": "bold red", "failed": "bold red"}
DAYS_MAX = 366


def register(statement_app: typer.Typer) -> None:
    """Add the command to `custody statement`."""
    statement_app.command("pull")(pull_)


@command
def pull_(
    ctx: typer.Context,
    source: Annotated[str, typer.Option("--source", help="Only this one of the configured sources.")] = "",
    since: Annotated[
        str,
        typer.Option("--from", help="Ask for all business dates from this one on.", metavar="DATE"),
    ] = "",
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Fetch what is new from the configured sources, and import it as `custody statement import` does.

    `custody watch` does the same by the clock: see `custody schedule list`.

    Exit code 0: everything that came is stored, or known already. 2: a source gave nothing, or a file was refused.

    Example: custody statement pull --source dtc
    """
    from verifier.statement_sources.pulling import pull

    settings, moment = settings_of(ctx), now()
    wanted = [each for each in settings.statements.sources if source in ("", each.name)]
    if not wanted:
        known = ", ".join(each.name for each in settings.statements.sources) or "none"
        raise InputError(
            f"no source {source} is configured (configured: {known})" if source else "no source is configured",
            advice="Add a section [[statements.sources]] to custody.toml; see docs/configuration.md.",
        )
    dates = _dates(settings, since) if since else None
    with opened_store(settings) as store:
        pulls = [pull(store, settings, each, actor, moment, dates) for each in wanted]
    if as_json:
        output.emit_json({"pulls": [_json(each) for each in pulls]})
    else:
        for each in pulls:
            _show(each)
    return max(each.exit_code for each in pulls)


def _dates(settings: Settings, since: str) -> list[date]:
    from verifier.reserve_inputs import firm_calendar
    from verifier.securities_rail import newest_day

    day = day_of(since)
    calendar, _ = firm_calendar(settings)
    newest = newest_day(settings, now())
    if day > newest:
        raise InputError(f"--from is after {newest.isoformat()}, the business date that closed last")
    if (newest - day).days > DAYS_MAX:
        raise InputError(f"--from is more than {DAYS_MAX} days back")
    span = (day + timedelta(days=number) for number in range((newest - day).days + 1))
    return [each for each in span if calendar.is_business_day(each)] or [newest]


def _json(found: Pull) -> dict[str, object]:
    return {
        "source": found.source,
        "exit_code": found.exit_code,
        "files": [
            {
                "name": each.name,
                "state": each.state,
                "sha256": each.digest or None,
                "code": each.code or None,
                "text": each.text,
            }
            for each in found.files
        ],
    }


def _show(found: Pull) -> None:
    if not found.files:
        output.say(f"[bold red]{output.clean(found.source)}[/bold red]: the source gave no answer")
    for each in found.files:
        colour = COLOURS.get(each.state, "dim")
        code = f" \\[{each.code}]" if each.code else ""
        text = f": {output.clean(each.text)}" if each.text else ""
        name = f"{output.clean(found.source)} {output.clean(each.name)}"
        output.say(f"{name} [{colour}]{each.state}[/{colour}]{code}{text}")
