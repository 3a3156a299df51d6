"""`custody cases`: the findings that people own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli import output
from verifier.cli.context import ActorOption, JsonOption, command, now, opened_store, settings_of
from verifier.cli.typed import PersonOption, person_of, read_file
from verifier.errors import InputError

if TYPE_CHECKING:
    from verifier.store import Store

COVERS_SHOWN = 20
STATE_STYLE = {"open": "bold red", "proposed": "yellow", "closed": "green"}

CaseIdArgument = Annotated[str, typer.Argument(help="Id of the case.")]
VersionOption = Annotated[
    int | None, typer.Option("--version", help="Refuse when anything happened since this version.", metavar="NUMBER")
]
SeenOption = Annotated[
    str | None,
    typer.Option("--seen", help="Digest of what you saw, by `show`; refused when it differs.", metavar="DIGEST"),
]
SAID = {
    "comment": ("comment", "Add a comment to a case.", False),
    "explain": ("explain", "Say what a case is, as its maker. Without one, daily runs mark and escalate it.", False),
    "propose": ("propose", "Propose a resolution (maker). The case waits for another person.", True),
    "approve": ("approve", "Approve the proposed resolution (checker, not the maker) and close the case.", True),
    "return": ("send_back", "Return the proposed resolution to its maker; the case is open again.", True),
}
"""Commands that say something on a case: the method of the store, the help, and whether they are bound to what was
seen."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    cases_app = typer.Typer(
        no_args_is_help=True,
        help="Findings that people own. A case stays open until a second person closes it: a maker proposes a "
        "resolution, a checker approves or returns it.",
    )
    app.add_typer(cases_app, name="cases")
    cases_app.command("list")(list_cases)
    cases_app.command("show")(show)
    cases_app.command("assign")(assign)
    cases_app.command("root-cause")(root_cause)
    cases_app.command("attach")(attach)
    cases_app.command("escalate")(escalate)

    for name, (method, text, binds) in SAID.items():
        example = f'custody cases {name} CASE-000001 --actor PERSON --text "..."'
        cases_app.command(name, help=f"{text}\n\nExample: {example}")(_saying(method, binds=binds))


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


@command
def show(
    ctx: typer.Context,
    case_id: Annotated[str, typer.Argument(help="Id of the case.")],
    as_json: JsonOption = False,
) -> int:
    """Show one case with everything that happened to it.

    Example: custody cases show CASE-000001
    """
    from verifier.case_clock import business_of, clock_of_case
    from verifier.case_view import case_details, standing_json, state_text
    from verifier.rules.statements import figure

    settings = settings_of(ctx)
    with opened_store(settings) as store:
        stands = store.case_standing(case_id)
    case, covers, events = stands.case, stands.covers, stands.events
    clock = clock_of_case(case, business_of(settings))
    if as_json:
        output.emit_json(standing_json(stands, clock))
        return output.EXIT_OK
    output.say(f"[bold]{output.clean(case.case_id)}[/bold]  {_coloured(state_text(case), case.state)}")
    for name, value in case_details(case, clock):
        output.say(f"  {name:<12} {output.clean(value)}")
    output.say(f"  {'version':<12} {case.version}, seen as {stands.seen_digest}")
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


@command
def assign(
    ctx: typer.Context,
    case_id: CaseIdArgument,
    assignee: Annotated[str, typer.Option("--to", help="Who is to work on it.", metavar="PERSON")],
    actor: PersonOption,
    text: Annotated[str, typer.Option("--text", help="What is said with it.")] = "",
    version: VersionOption = None,
    as_json: JsonOption = False,
) -> int:
    """Name who is to work on a case.

    Example: custody cases assign CASE-000001 --to ops.maker --actor desk.head
    """
    return _done(
        ctx,
        case_id,
        lambda store: store.assign(case_id, assignee, text, person_of(actor), now(), expected_version=version),
        as_json=as_json,
    )


@command
def root_cause(
    ctx: typer.Context,
    case_id: CaseIdArgument,
    cause: Annotated[str, typer.Option("--cause", help="One of the known causes; --help of cases lists them.")],
    text: Annotated[str, typer.Option("--text", help="What happened.")],
    actor: PersonOption,
    version: VersionOption = None,
    as_json: JsonOption = False,
) -> int:
    """Say why it did not fit: one of the known causes, and what happened.

    Example: custody cases root-cause CASE-000001 --cause booked_late --text "Booked a day late" --actor ops.maker
    """
    from verifier.store.records import RootCause

    if cause not in {each.value for each in RootCause}:
        raise InputError(f"there is no cause {cause}; there are {', '.join(sorted(RootCause))}")
    if not text.strip():
        raise InputError("say what happened: --text TEXT")
    return _done(
        ctx,
        case_id,
        lambda store: store.name_cause(
            case_id, RootCause(cause), text, person_of(actor), now(), expected_version=version
        ),
        as_json=as_json,
    )


@command
def attach(
    ctx: typer.Context,
    case_id: CaseIdArgument,
    file: Annotated[Path, typer.Argument(help="The document: PDF, PNG, JPEG, or UTF-8 text.", metavar="FILE")],
    actor: PersonOption,
    text: Annotated[str, typer.Option("--text", help="What it shows.")] = "",
    version: VersionOption = None,
    as_json: JsonOption = False,
) -> int:
    """Attach a document by its SHA-256; its bytes are stored once.

    Example: custody cases attach CASE-000001 statement.pdf --text "The custodian's answer" --actor ops.maker
    """
    from verifier.rules.attachments import BYTES_MAX

    content = read_file(file, BYTES_MAX)
    return _done(
        ctx,
        case_id,
        lambda store: store.attach(
            case_id, file.name, content, text, person_of(actor), now(), expected_version=version
        ),
        as_json=as_json,
    )


@command
def escalate(
    ctx: typer.Context,
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Put what is unresolved past its settlement session into the trade-break queue, and list the queue.

    Sweeps and the clock of `custody watch` do the same. Exit code 1 when the queue is not empty.

    Example: custody cases escalate
    """
    from verifier.case_clock import escalate_cases, trade_breaks
    from verifier.case_view import age_text, state_text, stored_case_json
    from verifier.cli.case_list import CaseLine, show_cases

    settings, moment = settings_of(ctx), now()
    with opened_store(settings) as store:
        moved = escalate_cases(store, settings, actor, moment)
        queue = trade_breaks(store.cases())
    if as_json:
        output.emit_json({"moved": moved, "trade_breaks": [stored_case_json(each) for each in queue]})
    else:
        lines = [
            CaseLine(case.case_id, _coloured(state_text(case), case.state), case.finding, age_text(case, moment))
            for case in queue
        ]
        show_cases(f"{output.counted(len(queue), 'trade break')}, {len(moved)} of them new", lines)
    return output.EXIT_CONTRADICTED if queue else output.EXIT_OK


def _saying(method: str, *, binds: bool) -> Callable[..., None]:
    """A command that says something on a case by a method of the store; `binds`: to the digest of what was seen."""

    @command
    def say(
        ctx: typer.Context,
        case_id: CaseIdArgument,
        text: Annotated[str, typer.Option("--text", help="What is said; written into the journal.")],
        actor: PersonOption,
        seen: SeenOption = None,
        version: VersionOption = None,
        as_json: JsonOption = False,
    ) -> int:
        if not text.strip():
            raise InputError("say what is said: --text TEXT")
        if seen is not None and not binds:
            raise InputError("--seen goes with propose, approve and return")
        bound = {"seen": seen} if binds else {}

        def act(store: Store) -> None:
            getattr(store, method)(case_id, text, person_of(actor), now(), expected_version=version, **bound)

        return _done(ctx, case_id, act, as_json=as_json)

    return say


def _done(ctx: typer.Context, case_id: str, act: Callable[[Store], object], *, as_json: bool) -> int:
    """Act on a case and show where it stands."""
    from verifier.case_view import state_text, stored_case_json

    with opened_store(settings_of(ctx)) as store:
        act(store)
        case = store.case(case_id)
    if as_json:
        output.emit_json(stored_case_json(case))
    else:
        output.say(f"{output.clean(case.case_id)} is now {output.clean(state_text(case))}")
    return output.EXIT_OK


def _coloured(words: str, state: str) -> str:
    """The state in words, in the colour of the state; the words always stay, so colour is never the only sign."""
    style = STATE_STYLE[state]
    return f"[{style}]{output.clean(words)}[/{style}]"
