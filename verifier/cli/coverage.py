"""`custody chain coverage`: which blocks were read, by which node, in which mode, and what was not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli import output
from verifier.cli.context import JsonOption, command, now, opened_store, settings_of
from verifier.errors import InputError
from verifier.rules.wording import some_of

if TYPE_CHECKING:
    from verifier.coverage import ChainCoverage

RUNS_SHOWN = 50
ITEMS_SHOWN = 3


def register(chain_app: typer.Typer) -> None:
    """Add the command to the group `chain`."""
    chain_app.command("coverage")(coverage)


@command
def coverage(
    ctx: typer.Context,
    chain: Annotated[str, typer.Argument(help="Only this chain (CAIP-2 id); all configured without it.")] = "",
    as_json: JsonOption = False,
) -> int:
    """Show the record of blocks whose movements were read: contiguous runs, their node and mode, and every gap.

    Exit code 0: no gap. 2: blocks were not read, or not for everything, or the last observation is too old.

    Example: custody chain coverage eip155:1
    """
    from verifier.coverage import coverage as covered

    settings = settings_of(ctx)
    chain_ids = [chain] if chain else [section.chain_id for section in settings.chains]
    if not chain_ids:
        raise InputError("no chain is configured: add a [[chains]] section to custody.toml")
    with opened_store(settings) as store:
        found = covered(store, settings, chain_ids, now())
    code = max(each.exit_code for each in found)
    if as_json:
        output.emit_json({"exit_code": code, "chains": [each.to_dict() for each in found]})
    else:
        for each in found:
            _show(each)
    return code


def _show(found: ChainCoverage) -> None:
    beat = found.heartbeat
    if not found.runs:
        output.say(f"[yellow]{output.clean(found.chain_id)}: no block was covered yet[/yellow]")
    else:
        rows = [
            [
                str(run.first_height),
                str(run.last_height),
                str(run.last_height - run.first_height + 1),
                output.clean(run.node_id),
                output.clean(run.mode),
                f"{run.ended_at:%Y-%m-%d %H:%M:%S}",
            ]
            for run in found.runs[-RUNS_SHOWN:]
        ]
        title = f"{found.chain_id}: blocks covered"
        if len(found.runs) > RUNS_SHOWN:
            title += f" (the newest {RUNS_SHOWN} of {len(found.runs)} runs; all with --json)"
        columns = ["from", "to", "blocks", "node", "mode", "up to (UTC)"]
        output.out().print(output.table(output.clean(title), columns, rows, columns[:3], ["node"]))
    for first, last in found.gaps:
        output.say(f"[bold red]gap[/bold red]: nobody read blocks {first} to {last}")
    for scan in found.weaker:
        output.say(
            f"[yellow]weaker than configured[/yellow]: blocks {scan.first_height} to {scan.last_height} in mode "
            f"{output.clean(scan.mode)}: {output.clean(scan.reason)}"
        )
    for each in found.backfills:
        names = some_of([output.short(item) for item in sorted(each.items)], ITEMS_SHOWN)
        state = "read afterwards" if each.is_complete else f"[yellow]not read from block {each.next_height} on[/yellow]"
        failure = f" ({output.clean(each.failure)})" if each.failure else ""
        output.say(f"known late: {names}: blocks {each.first_height} to {each.last_height}: {state}{failure}")
    output.say(f"[yellow]{output.clean(beat.text)}[/yellow]" if beat.is_stale else output.clean(beat.text))
