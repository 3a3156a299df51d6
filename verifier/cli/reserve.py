"""`custody reserve`: the reserve computations of 15c3-3(e), and what is held against them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli import output, reports, reserve_instructions
from verifier.cli.context import ActorOption, JsonOption, command, now, opened_store, settings_of
from verifier.cli.typed import day_of, typed
from verifier.errors import InputError

if TYPE_CHECKING:
    from verifier.reserve_lines import OpenedLine
    from verifier.reserve_rail import ReserveView
    from verifier.store.reserve_store import StoredComputation

KINDS = ("customer", "pab", "both")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    reserve_app = typer.Typer(
        no_args_is_help=True,
        help="Rule 15c3-3(e): the customer and PAB reserve computations, and what is on deposit.",
    )
    app.add_typer(reserve_app, name="reserve")
    reserve_app.command("compute")(compute)
    reserve_app.command("recompute")(recompute)
    reserve_app.command("history")(history)
    reserve_app.command("show")(show)
    reserve_app.command("check")(check)
    what_if = typer.Typer(no_args_is_help=True, help="What something would do. Nothing moves and nothing is recorded.")
    reserve_app.add_typer(what_if, name="what-if")
    what_if.command("withdraw")(withdraw)
    reserve_instructions.register(reserve_app)
    reports.register_export(reserve_app)


@command
def compute(
    ctx: typer.Context,
    as_of: Annotated[str, typer.Option("--as-of", help="The business day whose close it is of.", metavar="DATE")],
    kind: Annotated[str, typer.Option("--kind", help="customer, pab or both.")] = "both",
    extra: Annotated[
        bool, typer.Option("--extra", help="As of any other business day, (e)(3)(iv); its deposit binds too.")
    ] = False,
    test_run: Annotated[
        bool, typer.Option("--test-run", help="Keep it on record as a test: it fixes nothing and permits nothing.")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why a computation on record is made again.")] = "",
    monthly: Annotated[
        bool,
        typer.Option("--monthly", help="Compute monthly, where (e)(3) permits it; the deposit is 105 percent."),
    ] = False,
    source: Annotated[
        str, typer.Option("--from", help="stated or books: needed on a day that has both.", metavar="SOURCE")
    ] = "",
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Compute what must be on deposit, from a day's stated lines or its books, and keep it with its inputs.

    Exit code 0: computed, and the accounts hold enough. 1: they do not. 2: not computed, or not verified.

    Example: custody reserve compute --as-of 2026-11-20
    """
    from exports.reserve.computation import Occasion, Scope
    from verifier.after_runs import try_finish_runs
    from verifier.report_view import review_json
    from verifier.reserve_cases import look_after
    from verifier.reserve_inputs import LinesFrom
    from verifier.reserve_rail import compute_and_record
    from verifier.reserve_show import computation_json, view_json

    if kind not in KINDS:
        raise InputError(f"--kind is one of {', '.join(KINDS)}")
    if source and source not in {each.value for each in LinesFrom}:
        raise InputError(f"--from is one of {', '.join(LinesFrom)}")
    if extra and test_run:
        raise InputError("a computation is extra or a test run, not both")
    occasion = Occasion.EXTRA if extra else Occasion.TEST if test_run else Occasion.REGULAR
    settings, moment = settings_of(ctx), now()
    with opened_store(settings, judging_as=actor) as store:
        stored = compute_and_record(
            store,
            settings,
            day_of(as_of),
            Scope(kind),
            occasion,
            actor,
            moment,
            reason,
            LinesFrom(source) if source else None,
            monthly=monthly,
        )
        undone = try_finish_runs(store, settings, actor, moment)
        view, seen = look_after(stored.computation_id, store, settings, actor, moment)
        exceptions = review_json(store, stored.computation_id)
    if as_json:
        cases = [each.case_id for each in seen]
        extras = {"exceptions": exceptions, "warning": undone or None, "cases": cases}
        output.emit_json({"computation": computation_json(stored, moment)} | extras | view_json(view))
    else:
        _show_computation(stored)
        _show_exceptions(exceptions)
        _show_view(view)
    if undone:
        output.err().print(f"[yellow]warning[/yellow] {output.clean(undone)}", soft_wrap=True)
    return _exit_code(view) or (output.EXIT_NOT_CHECKED if undone else output.EXIT_OK)


@command
def recompute(
    ctx: typer.Context,
    computation_id: Annotated[str, typer.Argument(help="Id of a computation on record.")],
    as_json: JsonOption = False,
) -> int:
    """Compute again from the stored inputs, and compare byte for byte. Nothing is recorded.

    Lines that came from the books are also derived again, from the books as they were known then.

    Exit code 0: the same bytes. 1: another result, or the record was changed.

    Example: custody reserve recompute RC-000001
    """
    import hashlib

    from exports.reserve.computation import read_computation
    from exports.reserve.errors import ReserveError
    from verifier.reserve_inputs import derived_again

    settings = settings_of(ctx)
    problem, digest = "", ""
    with opened_store(settings) as store:
        stored = store.reserve_computation(computation_id)
        try:
            made = read_computation(stored.document)
            digest = made.digest
            if made.inputs.derived_from is not None:
                derived_again(store, settings, stored)
        except (ReserveError, InputError) as error:
            problem = str(error)
    if (not problem and digest != stored.digest) or hashlib.sha256(stored.document).hexdigest() != stored.digest:
        problem = problem or "the digest on record is not that of the document"
    if as_json:
        output.emit_json(
            {
                "computation_id": computation_id,
                "same": not problem,
                "recorded_digest": stored.digest,
                "digest": digest or None,
                "problem": problem or None,
            }
        )
    elif problem:
        output.say(f"[bold red]{output.clean(computation_id)}: {output.clean(problem)}[/bold red]")
    else:
        output.say(f"[green]the same[/green]  {output.clean(computation_id)}  {digest}")
    return output.EXIT_CONTRADICTED if problem else output.EXIT_OK


@command
def history(
    ctx: typer.Context,
    as_json: JsonOption = False,
) -> int:
    """List every computation on record, also those that a later one replaced.

    Example: custody reserve history --json
    """
    from verifier.reserve_show import computation_json

    moment = now()
    with opened_store(settings_of(ctx)) as store:
        found = store.reserve_computations()
    if as_json:
        output.emit_json({"computations": [computation_json(each, moment) for each in found]})
    else:
        output.out().print(_history_table(found))
    return output.EXIT_OK if found else output.EXIT_NOT_CHECKED


@command
def show(
    ctx: typer.Context,
    computation_id: Annotated[str, typer.Argument(help="A computation on record, line by line.")] = "",
    item: Annotated[int, typer.Option("--item", help="Open one line down to its rows.", min=0, max=15)] = 0,
    kind: Annotated[str, typer.Option("--kind", help="Whose line --item is: customer or pab.")] = "customer",
    rows: Annotated[int, typer.Option("--rows", help="With --item: how many rows, the largest first.", min=1)] = 50,
    as_json: JsonOption = False,
) -> int:
    """Show what is required, held and projected now, with the deadline; or one computation with all its lines.

    Exit code 0: enough is held. 1: a deficit, fixed or projected. 2: something is not verified.

    Example: custody reserve show RC-000001 --item 10
    """
    import json

    from verifier.report_view import review_json
    from verifier.reserve_lines import opened_line
    from verifier.reserve_movements import open_instructions
    from verifier.reserve_rail import reserve_view
    from verifier.reserve_show import computation_json, instruction_json, instruction_text, view_json

    if kind not in KINDS[:2] or (item and not computation_id):
        raise InputError("--item needs the id of a computation, and --kind is customer or pab")
    settings, moment = settings_of(ctx), now()
    with opened_store(settings) as store:
        if computation_id and item:
            opened = opened_line(store, settings, computation_id, kind, item, rows)
            _show_line(opened, as_json)
            return output.EXIT_OK
        if computation_id:
            stored = store.reserve_computation(computation_id)
            exceptions = review_json(store, computation_id)
            if as_json:
                shown = {"computation": computation_json(stored, moment), "exceptions": exceptions}
                output.emit_json(shown | {"document": json.loads(stored.document)})
            else:
                _show_computation(stored)
                _show_exceptions(exceptions)
                _show_items(stored)
            return output.EXIT_OK
        view = reserve_view(store, settings, moment)
        open_ones = open_instructions(store, settings, moment)
    if as_json:
        waiting = [instruction_json(each, state) for each, state in open_ones]
        output.emit_json(view_json(view) | {"instructions": waiting})
    else:
        _show_view(view)
        for each, state in open_ones:
            output.say(f"  {'instructed':<12} {output.clean(instruction_text(each, state))}")
    return _exit_code(view)


@command
def check(
    ctx: typer.Context,
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Judge the reserve accounts as recorded now, and open or see again their cases.

    Imports and computations do this by themselves; run it by the clock, for deadlines that pass.

    Example: custody reserve check
    """
    from verifier.case_view import case_json
    from verifier.reserve_cases import look
    from verifier.reserve_show import view_json

    settings, moment = settings_of(ctx), now()
    with opened_store(settings) as store:
        view, seen = look(store, settings, actor, moment)
    if as_json:
        output.emit_json(view_json(view) | {"cases": [case_json(each.case_id, each.finding) for each in seen]})
    else:
        _show_view(view)
        for each in seen:
            kind = each.finding.kind.replace("_", " ")
            output.say(f"  {output.clean(each.case_id)}  {kind}: {output.clean(each.finding.text)}")
    return _exit_code(view)


@command
def withdraw(
    ctx: typer.Context,
    amount: Annotated[str, typer.Argument(help="US dollars, for example 25000.00.")],
    account: Annotated[str, typer.Option("--account", help="The reserve account.", metavar="ACCOUNT_ID")],
    as_json: JsonOption = False,
) -> int:
    """Show what a withdrawal of cash would leave: against what is required, and what is projected.

    Exit code 0: permitted by 15c3-3(g). 1: it is not. 2: something is not verified.

    Example: custody reserve what-if withdraw 25000.00 --account SRA-CUSTOMER
    """
    from exports.reserve.money import DOLLAR, dollars
    from verifier.reserve_rail import what_if_withdraw
    from verifier.reserve_show import withdrawal_json

    settings, moment = settings_of(ctx), now()
    with typed(), opened_store(settings) as store:
        cents = DOLLAR.parse_quantity(amount)
        found = what_if_withdraw(store, settings, account, cents, moment)
    if as_json:
        output.emit_json(withdrawal_json(found, account, cents))
    else:
        word = "[green]permitted[/green]" if found.permitted else "[bold red]not permitted[/bold red]"
        output.say(f"{word}: {output.clean(found.reason)}")
        output.say(f"  {'would remain':<14} {dollars(found.remaining)}")
        output.say(f"  {'relies on':<14} {found.computation_digest}")
        if found.short_of_requirement:
            output.say(f"  {'short':<14} {dollars(found.short_of_requirement)} of what is required now")
        if found.short_of_projection:
            short = dollars(found.short_of_projection)
            output.say(f"  [yellow]{'warning':<14}[/yellow] the next computation would be short by {short}")
    if found.permitted:
        return output.EXIT_OK
    return output.EXIT_CONTRADICTED if found.short_of_requirement else output.EXIT_NOT_CHECKED


def _exit_code(view: ReserveView) -> int:
    if any(each.shortfall or each.projected_shortfall for each in view.purposes):
        return output.EXIT_CONTRADICTED
    return output.EXIT_NOT_CHECKED if any(each.gaps for each in view.purposes) else output.EXIT_OK


def _show_view(view: ReserveView) -> None:
    from verifier.reserve_show import purpose_lines

    for each in view.purposes:
        output.say(f"[bold]{each.purpose.value}[/bold] reserve, US dollars")
        for name, value in purpose_lines(each, view.at):
            output.say(f"  {name:<12} {output.clean(value)}")


def _show_computation(stored: StoredComputation) -> None:
    from chains.types import utc_text
    from verifier.reserve_show import remaining_text, result_lines

    made = stored.computation()
    output.say(
        f"[bold]{stored.computation_id}[/bold]  {stored.occasion} {stored.scope} computation as of {stored.as_of}, "
        f"{made.inputs.method} method, {made.inputs.frequency.replace('_', ' ')}"
    )
    output.say(f"  {'rules':<12} {output.clean(stored.rule_set)}")
    output.say(f"  {'digest':<12} {stored.digest}")
    derived = made.inputs.derived_from
    if derived is not None:
        allocated = output.counted(derived.allocation_count, "allocation")
        output.say(f"  {'from':<12} the books: {output.counted(derived.rows, 'row')}, {allocated}")
        for finding in derived.findings:
            output.say(f"  [yellow]{'look at':<12}[/yellow] {output.clean(finding)}")
    if stored.replaces:
        output.say(f"  {'replaces':<12} {stored.replaces}: {output.clean(stored.reason)}")
    deposit_by = stored.times.deposit_by
    output.say(f"  {'deposit by':<12} {utc_text(deposit_by)}, {remaining_text(deposit_by, now())}")
    columns = ["US dollars", "customer", "PAB"]
    rows = [list(line) for line in result_lines(made)]
    output.out().print(output.table("", columns, rows, right=["customer", "PAB"]))


def _show_exceptions(exceptions: dict[str, object] | None) -> None:
    if exceptions is None:
        return
    text = f"{exceptions['listed']} open at its as-of, {exceptions['unexplained']} of them not explained"
    output.say(f"  {'exceptions':<12} {text}")
    if exceptions["exceptions_unexplained"]:
        output.say(
            f"  [bold red]{'marked':<12}[/bold red] exceptions_unexplained: {output.clean(exceptions['goes_to'])}"
        )


def _show_items(stored: StoredComputation) -> None:
    from verifier.reserve_show import item_rows

    inputs = stored.computation().inputs
    columns = ["item", "side", "wording", "amount", "from"]
    for name, items in (("customer", inputs.customer), ("PAB", inputs.pab)):
        rows = [[output.clean(cell) for cell in row] for row in item_rows(items)]
        output.out().print(output.table(f"{name} lines", columns, rows, ["item", "amount"], ["wording", "from"]))
    rows = [
        [each.name, output.clean(each.value), each.effective_from.isoformat(), output.clean(each.source)]
        for each in inputs.policies.policies
    ]
    output.out().print(output.table("policies", ["policy", "value", "from", "source"], rows, folded=["source"]))


def _show_line(line: OpenedLine, as_json: bool) -> None:
    from exports.reserve.items import item
    from verifier.reserve_lines import line_json
    from verifier.reserve_show import shown

    if as_json:
        output.emit_json(line_json(line))
        return
    output.say(f"[bold]{line.computation_id}[/bold]  {line.kind} item {line.item}: {shown(line.cents)} US dollars")
    output.say(f"  {output.clean(item(line.item).wording)} ({item(line.item).citation})")
    rows = [[output.clean(each.row_id), shown(each.cents), output.clean(each.source)] for each in line.rows]
    title = f"{len(line.rows)} of {output.counted(line.row_count, 'row')}"
    output.out().print(output.table(title, ["row", "amount", "from"], rows, ["amount"], ["row", "from"]))
    if line.allocations:
        columns = ["place", "owner", "security", "base units", "market value"]
        cells = [
            [
                output.clean(f"{each.place} {each.place_line}".strip()),
                output.clean(f"{each.owner} {each.owner_line}".strip()),
                output.clean(each.security_id),
                str(each.base_units),
                shown(each.market_value),
            ]
            for each in line.allocations
        ]
        output.out().print(output.table("allocated", columns, cells, ["base units", "market value"], ["security"]))
    for each in line.excluded:
        output.say(
            f"  {'not counted':<12} {shown(each.cents)} of {output.clean(each.subject)}: {output.clean(each.note)}"
        )


def _history_table(found: list[StoredComputation]) -> object:
    from exports.reserve.money import dollars

    replaced = {each.replaces: each.computation_id for each in found if each.replaces}
    rows = []
    for each in found:
        made = each.computation()
        later = replaced.get(each.computation_id, "")
        amounts = [dollars(made.customer.required), dollars(made.pab.required)]
        rows.append(
            [each.computation_id, each.as_of.isoformat(), each.scope.value, each.occasion.value, *amounts, later]
        )
    columns = ["computation", "as of", "scope", "occasion", "customer", "PAB", "replaced by"]
    return output.table(output.counted(len(found), "computation"), columns, rows, ["customer", "PAB"])
