"""`custody approvals`: what one person proposed and another decides, besides cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli import output
from verifier.cli.cases import SeenOption
from verifier.cli.context import JsonOption, command, now, opened_store, settings_of
from verifier.cli.typed import PersonOption, person_of

if TYPE_CHECKING:
    from verifier.store.records import InstructionAct

ChangeArgument = Annotated[str, typer.Argument(help="Id of the change, such as CP-000001.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    approvals_app = typer.Typer(
        no_args_is_help=True,
        help="Changes of the mapping and the policies that wait for a second person, and everything else that does.",
    )
    app.add_typer(approvals_app, name="approvals")
    approvals_app.command("list")(list_all)
    approvals_app.command("show")(show)
    approvals_app.command("approve")(approve)
    approvals_app.command("return")(send_back)


@command
def list_all(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Decided changes of mapping and policies too.")] = False,
    as_json: JsonOption = False,
) -> int:
    """List what waits for a second person: cases, changes, instructions, acts on deficits, substitutions.

    Exit code 2 when something waits.

    Example: custody approvals list
    """
    from verifier.waiting_approvals import change_json, waiting_of

    with opened_store(settings_of(ctx)) as store:
        waiting = waiting_of(store)
        changes = store.changes() if everything else []
    if as_json:
        output.emit_json(
            {"waiting": [each.to_dict() for each in waiting], "changes": [change_json(each) for each in changes]}
        )
    else:
        rows = [[output.clean(cell) for cell in each.cells()] for each in waiting]
        columns = ["id", "what", "maker", "since", "says"]
        output.out().print(output.table("waiting for a second person", columns, rows, [], ["what", "says"]))
        if changes:
            rows = [[output.clean(str(cell or "")) for cell in _cells(change_json(each))] for each in changes]
            columns = ["id", "kind", "state", "maker", "checker", "says"]
            output.out().print(output.table("changes", columns, rows, [], ["says"]))
    return output.EXIT_NOT_CHECKED if waiting else output.EXIT_OK


@command
def show(ctx: typer.Context, change_id: ChangeArgument, as_json: JsonOption = False) -> int:
    """Show a change as it was proposed, with the digest that an approval is bound to.

    Example: custody approvals show CP-000001
    """
    from exports.canonical import canonical_json
    from verifier.waiting_approvals import change_json

    with opened_store(settings_of(ctx)) as store:
        change = store.change(change_id)
    if as_json:
        output.emit_json(change_json(change) | {"content": change.content})
    else:
        for name, value in change_json(change).items():
            output.say(f"  {name:<14} {output.clean(str(value if value is not None else ''))}")
        output.say(output.clean(canonical_json(change.content).decode()))
    return output.EXIT_OK


@command
def approve(
    ctx: typer.Context,
    change_id: ChangeArgument,
    actor: PersonOption,
    text: Annotated[str, typer.Option("--text", help="What is said with it.")] = "",
    seen: SeenOption = None,
    as_json: JsonOption = False,
) -> int:
    """Approve another person's change: its rows are stored at this moment, its policies are in force.

    Example: custody approvals approve CP-000001 --actor ops.checker --seen 3f1c9a7e21b4
    """
    from verifier.store.records import InstructionAct

    return _decide(ctx, change_id, InstructionAct.APPROVED, text, actor, seen, as_json=as_json)


@command
def send_back(
    ctx: typer.Context,
    change_id: ChangeArgument,
    actor: PersonOption,
    text: Annotated[str, typer.Option("--text", help="Why.")],
    seen: SeenOption = None,
    as_json: JsonOption = False,
) -> int:
    """Return a change: it never counts. Its maker takes it back that way.

    Example: custody approvals return CP-000001 --actor ops.checker --text "The wallet is not ours"
    """
    from verifier.store.records import InstructionAct

    return _decide(ctx, change_id, InstructionAct.REFUSED, text, actor, seen, as_json=as_json)


def _decide(
    ctx: typer.Context, change_id: str, act: InstructionAct, text: str, actor: str, seen: str | None, *, as_json: bool
) -> int:
    from verifier.mapping_changes import decide
    from verifier.waiting_approvals import change_json

    settings = settings_of(ctx)
    with opened_store(settings) as store:
        change = decide(store, settings, change_id, act, text, person_of(actor), now(), seen=seen)
    if as_json:
        output.emit_json(change_json(change))
    else:
        output.say(f"{output.clean(change.proposal_id)} is {output.clean(str(change_json(change)['state']))}")
    return output.EXIT_OK


def _cells(shown: dict[str, object]) -> list[object]:
    return [shown[name] for name in ("proposal_id", "kind", "state", "maker", "checker", "text")]
