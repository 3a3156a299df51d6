"""`custody cases`: the findings that people own."""

from __future__ import annotations

from typing import Annotated

import typer

from verifier.cli import output
from verifier.cli.context import JsonOption, command, now, opened_store, settings_of
from verifier.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    cases_app = typer.Typer(
        no_args_is_help=True,
        help="Findings that people own. A case stays open until a second person closes it: a maker proposes a "
        "resolution, a checker approves or returns it.",
    )
    app.add_typer(cases_app, name="cases")

    @cases_app.command("list")
    @command
    def list_cases(
        ctx: typer.Context,
        everything: Annotated[bool, typer.Option("--all", help="Closed cases too.")] = False,
        kind: Annotated[str, typer.Option(help="Only this kind, for example shortfall.")] = "",
        as_json: JsonOption = False,
    ) -> int:
        """List cases, the oldest first. Exit code 1 when any is open."""
        with opened_store(settings_of(ctx)) as store:
            found = [case for case in store.cases(open_only=not everything) if not kind or case.kind == kind]
        still_open = sum(case.is_open for case in found)
        moment = now()
        if as_json:
            output.emit_json({"open": still_open, "cases": [case.to_dict() for case in found]})
        else:
            rows = [
                [
                    output.clean(case.case_id),
                    output.styled_status(case.state),
                    output.clean(case.kind.replace("_", " ")),
                    output.clean(case.amount_text),
                    output.clean(case.block_text),
                    output.clean(case.age_text(moment)),
                    output.clean(case.text),
                ]
                for case in found
            ]
            columns = ["case", "state", "kind", "amount", "block", "age", "what was found"]
            output.out().print(output.table(f"{len(found)} cases", columns, rows, right=["amount", "block", "age"]))
        return 1 if still_open else output.EXIT_OK

    @cases_app.command("show")
    @command
    def show(
        ctx: typer.Context,
        case_id: Annotated[str, typer.Argument(help="Id of the case.")],
        as_json: JsonOption = False,
    ) -> int:
        """Show one case with everything that happened to it."""
        with opened_store(settings_of(ctx)) as store:
            case = store.case(case_id)
        if case is None:
            raise InputError(f"there is no case {case_id}")
        if as_json:
            output.emit_json(case.to_dict())
            return output.EXIT_OK
        console = output.out()
        console.print(f"[bold]{output.clean(case.case_id)}[/bold]  {output.styled_status(case.state)}")
        for name, value in case.details():
            console.print(f"  {name:<12} {output.clean(value)}")
        rows = [[output.clean(cell) for cell in event.cells()] for event in case.events]
        console.print(output.table("what happened", ["when", "who", "what", "amount", "text"], rows, right=["amount"]))
        return output.EXIT_OK

    def act(name: str, help_text: str) -> None:
        @cases_app.command(name, help=help_text)
        @command
        def acting(
            ctx: typer.Context,
            case_id: Annotated[str, typer.Argument(help="Id of the case.")],
            text: Annotated[str, typer.Option("--text", help="What is said; written into the journal.")],
            actor: Annotated[
                str, typer.Option("--actor", envvar="CUSTODY_ACTOR", help="Who acts.", metavar="PERSON")
            ],
            as_json: JsonOption = False,
        ) -> int:
            if not text.strip() or not actor.strip():
                raise InputError("say who acts and what is said: --actor PERSON --text TEXT")
            with opened_store(settings_of(ctx)) as store:
                case = store.act_on_case(case_id, name, actor, text, now())
            if as_json:
                output.emit_json(case.to_dict())
            else:
                output.out().print(f"{output.clean(case.case_id)} is now {output.styled_status(case.state)}")
            return output.EXIT_OK

    act("comment", "Add a comment to a case.")
    act("propose", "Propose a resolution (maker). The case waits for another person.")
    act("approve", "Approve the proposed resolution (checker, not the maker) and close the case.")
    act("return", "Return the proposed resolution to its maker; the case is open again.")


