"""`custody cases`: the findings that people own."""

from __future__ import annotations

from typing import Annotated

import typer

from verifier.cli import output
from verifier.cli.context import JsonOption, command, now, opened_store, settings_of
from verifier.errors import InputError

COVERS_SHOWN = 20


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
        """List cases, the oldest first.

        Exit code 0: none waits for anybody. 1: evidence contradicts the books. 2: something is unverified.

        Example: custody cases list --kind shortfall
        """
        from verifier.case_view import age_text, state_text, stored_case_json
        from verifier.cli.case_list import CaseLine, show_cases
        from verifier.records import CaseState, FindingKind
        from verifier.store.records import UNVERIFIED_KINDS

        if kind and kind not in {known.value for known in FindingKind}:
            raise InputError(f"there is no kind {kind}; there are {', '.join(sorted(FindingKind))}")
        with opened_store(settings_of(ctx)) as store:
            found = [case for case in store.cases(include_closed=everything) if not kind or case.finding.kind == kind]
        waiting = [case.finding.kind for case in found if case.state is not CaseState.CLOSED]
        still_open = len(waiting)
        moment = now()
        if as_json:
            output.emit_json({"open": still_open, "cases": [stored_case_json(case) for case in found]})
        else:
            lines = [
                CaseLine(case.case_id, _coloured(state_text(case), case.state), case.finding, age_text(case, moment))
                for case in found
            ]
            show_cases(f"{output.counted(len(found), 'case')}, {still_open} to act on", lines)
        if any(kind not in UNVERIFIED_KINDS for kind in waiting):
            return output.EXIT_CONTRADICTED
        return output.EXIT_NOT_CHECKED if waiting else output.EXIT_OK

    @cases_app.command("show")
    @command
    def show(
        ctx: typer.Context,
        case_id: Annotated[str, typer.Argument(help="Id of the case.")],
        as_json: JsonOption = False,
    ) -> int:
        """Show one case with everything that happened to it.

        Example: custody cases show CASE-000001
        """
        from verifier.case_view import case_details, event_json, state_text, stored_case_json
        from verifier.rules.statements import figure

        with opened_store(settings_of(ctx)) as store:
            case = store.case(case_id)
            events = store.case_events(case_id)
            covers = store.case_covers(case_id)
        if as_json:
            output.emit_json(stored_case_json(case, covers) | {"events": [event_json(event) for event in events]})
            return output.EXIT_OK
        output.say(f"[bold]{output.clean(case.case_id)}[/bold]  {_coloured(state_text(case), case.state)}")
        for name, value in case_details(case):
            output.say(f"  {name:<12} {output.clean(value)}")
        for location, asset_id in covers[:COVERS_SHOWN]:
            output.say(f"  {'covers':<12} {output.clean(location)} {output.clean(asset_id)}")
        if len(covers) > COVERS_SHOWN:
            output.say(f"  {'covers':<12} and {len(covers) - COVERS_SHOWN} more; see --json")
        output.say("")
        asset = case.finding.asset
        rows = [
            [
                f"{event.recorded_at:%Y-%m-%d %H:%M:%S}",
                output.clean(event.actor),
                output.clean(event.act.replace("_", " ")),
                output.clean(figure(event.base_units, asset)) if asset and event.base_units is not None else "",
                output.short(event.text),
            ]
            for event in events
        ]
        columns = ["when", "who", "what", "amount", "text"]
        output.out().print(output.table("what happened (UTC)", columns, rows, ["amount"], ["who", "amount", "text"]))
        return output.EXIT_OK

    def act(name: str, method: str, help_text: str) -> None:
        example = f'custody cases {name} CASE-000001 --actor PERSON --text "..."'

        @cases_app.command(name, help=f"{help_text}\n\nExample: {example}")
        @command
        def acting(
            ctx: typer.Context,
            case_id: Annotated[str, typer.Argument(help="Id of the case.")],
            text: Annotated[str, typer.Option("--text", help="What is said; written into the journal.")],
            actor: Annotated[str, typer.Option("--actor", envvar="CUSTODY_ACTOR", help="Who acts.", metavar="PERSON")],
            as_json: JsonOption = False,
        ) -> int:
            from verifier.case_view import state_text, stored_case_json

            if not text.strip() or not actor.strip():
                raise InputError("say who acts and what is said: --actor PERSON --text TEXT")
            with opened_store(settings_of(ctx)) as store:
                getattr(store, method)(case_id, text, actor, now())
                case = store.case(case_id)
            if as_json:
                output.emit_json(stored_case_json(case))
            else:
                output.say(f"{output.clean(case.case_id)} is now {output.clean(state_text(case))}")
            return output.EXIT_OK

    act("comment", "comment", "Add a comment to a case.")
    act("explain", "explain", "Say what a case is, as its maker. Without one, daily runs mark and escalate it.")
    act("propose", "propose", "Propose a resolution (maker). The case waits for another person.")
    act("approve", "approve", "Approve the proposed resolution (checker, not the maker) and close the case.")
    act("return", "send_back", "Return the proposed resolution to its maker; the case is open again.")


def _coloured(words: str, state: str) -> str:
    """The state in words, in the colour of the state; the words always stay, so colour is never the only sign."""
    style = output.STATUS_STYLE[state]
    return f"[{style}]{output.clean(words)}[/{style}]"
