"""`custody authorizations`: every approval, what became of it, and who asked and approved."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from verifier.cli import output
from verifier.cli.context import JsonOption, command, now, opened_store, settings_of
from verifier.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(authorizations)


@command
def authorizations(
    ctx: typer.Context,
    state: Annotated[
        list[str] | None,
        typer.Option(
            help="Only those coming, open, partly_used, used, expired_unused, expired_partly_used or not_known."
        ),
    ] = None,
    chain: Annotated[str, typer.Option(help="Only this chain (CAIP-2 id).")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Most rows to show.")] = 200,
    as_json: JsonOption = False,
) -> int:
    """List the approvals of transfers: what was used of each by which transfers, who asked and who approved.

    The state is as of the newest sweep's block. An approval that ended with something left of it has a case.

    Example: custody authorizations --state expired_unused --state expired_partly_used
    """
    from verifier.approval_view import approval_rows
    from verifier.rules.execution import ApprovalState

    settings = settings_of(ctx)
    if chain:
        settings.chain(chain)
    if unknown := set(state or ()) - {each.value for each in ApprovalState}:
        raise InputError(f"{min(unknown)!r} is no state of an approval: see --help")
    wanted = [ApprovalState(each) for each in state or ()]
    with opened_store(settings) as store:
        rows = approval_rows(store, store.book_time(now()), chain_ids=[chain] if chain else [], states=wanted)
    counts = Counter(row.state.value for row in rows)
    if as_json:
        output.emit_json({"states": dict(sorted(counts.items())), "authorizations": [row.to_dict() for row in rows]})
        return output.EXIT_OK
    cells = [[output.short(cell) for cell in row.cells()] for row in rows[:limit]]
    columns = ["id", "state", "used", "of", "valid until", "asked, approved"]
    title = output.counted(len(rows), "approval") + (
        f" (the first {limit}; --json has all)" if len(rows) > limit else ""
    )
    output.out().print(output.table(title, columns, cells, right=["used", "of"], folded=["asked, approved"]))
    for name, count in sorted(counts.items()):
        output.say(f"  {count} {name.replace('_', ' ')}")
    return output.EXIT_OK
