"""`custody control`: possession or control of customers' securities, what is short, and what people do about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli import output
from verifier.cli.context import ActorOption, JsonOption, command, now, opened_store, settings_of
from verifier.cli.typed import day_of, moment_of, read_file, typed
from verifier.errors import InputError

if TYPE_CHECKING:
    from exports.possession.review import Review
    from verifier.control_rail import PossessionView
    from verifier.store.possession_store import StoredReview

TextOption = Annotated[str, typer.Option("--text", help="Why, for the record.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    control_app = typer.Typer(
        no_args_is_help=True,
        help="Rule 15c3-3(b) to (d): what must be in possession or control, what is, deficits, and their cure.",
    )
    app.add_typer(control_app, name="control")
    control_app.command("review")(review)
    control_app.command("recompute")(recompute)
    control_app.command("check")(check)
    control_app.command("show")(show)
    control_app.command("history")(history)
    control_app.command("act")(act)
    control_app.command("receipt")(receipt)
    control_app.command("substitute")(substitute)
    control_app.command("approve")(approve)
    control_app.command("refuse")(refuse)


@command
def review(
    ctx: typer.Context,
    as_of: Annotated[str, typer.Option("--as-of", help="The business day whose close it is of.", metavar="DATE")],
    reason: Annotated[str, typer.Option("--reason", help="Why a day on record is reviewed again.")] = "",
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Determine possession or control from the books of a day, keep the review with its inputs, open its cases.

    Exit code 0: nothing is short. 1: an issue is. 2: not reviewed, or something is not verified.

    Example: custody control review --as-of 2026-11-20
    """
    from verifier.after_runs import try_finish_runs
    from verifier.control_cases import look_after
    from verifier.control_rail import review_and_record
    from verifier.control_show import stored_json, view_json
    from verifier.report_view import review_json

    settings, moment = settings_of(ctx), now()
    with opened_store(settings, judging_as=actor) as store:
        stored = review_and_record(store, settings, day_of(as_of), actor, moment, reason)
        undone = try_finish_runs(store, settings, actor, moment)
        view, seen = look_after(stored.review_id, store, settings, actor, moment)
        exceptions = review_json(store, stored.review_id)
    if as_json:
        extras = {"exceptions": exceptions, "warning": undone or None, "cases": [each.case_id for each in seen]}
        output.emit_json({"review": stored_json(stored)} | extras | view_json(view))
    else:
        output.say(f"[bold]{stored.review_id}[/bold] as of {stored.as_of}  {stored.digest}")
        _show_view(view)
        if exceptions is not None:
            text = f"{exceptions['listed']} open at its as-of, {exceptions['unexplained']} of them not explained"
            output.say(f"  {'exceptions':<16} {text}")
    if undone:
        output.err().print(f"[yellow]warning[/yellow] {output.clean(undone)}", soft_wrap=True)
    return _exit_code(view) or (output.EXIT_NOT_CHECKED if undone else output.EXIT_OK)


@command
def recompute(
    ctx: typer.Context,
    review_id: Annotated[str, typer.Argument(help="Id of a review on record.")],
    from_books: Annotated[
        bool, typer.Option("--from-books", help="Also from the books as known then, row by row.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Review again from the stored inputs, and compare byte for byte. Nothing is recorded.

    Exit code 0: the same bytes. 1: another result, or the record or the books were changed.

    Example: custody control recompute PR-000001 --from-books
    """
    import hashlib

    from exports.reserve.errors import ReserveError
    from verifier.control_rail import rebuilt

    problem = ""
    with opened_store(settings_of(ctx)) as store:
        stored = store.possession_review(review_id)
        try:
            stored.review()
            if from_books and rebuilt(store, stored) != stored.document:
                problem = "the books as known then give another review"
        except (ReserveError, InputError) as error:
            problem = str(error)
    if not problem and hashlib.sha256(stored.document).hexdigest() != stored.digest:
        problem = "the digest on record is not that of the document"
    if as_json:
        output.emit_json(
            {
                "review_id": review_id,
                "same": not problem,
                "from_books": from_books,
                "recorded_digest": stored.digest,
                "problem": problem or None,
            }
        )
    elif problem:
        output.say(f"[bold red]{output.clean(review_id)}: {output.clean(problem)}[/bold red]")
    else:
        output.say(f"[green]the same[/green]  {output.clean(review_id)}  {stored.digest}")
    return output.EXIT_CONTRADICTED if problem else output.EXIT_OK


@command
def check(ctx: typer.Context, actor: ActorOption = "operator", as_json: JsonOption = False) -> int:
    """Judge possession or control as recorded now, and open or see again its cases; for the clock.

    Example: custody control check
    """
    from verifier.case_view import case_json
    from verifier.control_cases import look
    from verifier.control_show import view_json

    settings, moment = settings_of(ctx), now()
    with opened_store(settings) as store:
        view, seen = look(store, settings, actor, moment)
    if as_json:
        output.emit_json(view_json(view) | {"cases": [case_json(each.case_id, each.finding) for each in seen]})
    else:
        _show_view(view)
        for each in seen:
            output.say(f"  {output.clean(each.case_id)}  {output.clean(each.finding.text)}")
    return _exit_code(view)


@command
def show(
    ctx: typer.Context,
    review_id: Annotated[str, typer.Argument(help="A review on record; without it, where things stand now.")] = "",
    issue: Annotated[str, typer.Option("--issue", help="One security, line by line.", metavar="ASSET_ID")] = "",
    as_json: JsonOption = False,
) -> int:
    """Show the last review, what is projected now, acts and clocks; or one review, or one issue of it.

    Exit code 0: nothing is short. 1: an issue is. 2: something is not verified.

    Example: custody control show --issue cusip:037833100
    """
    from verifier.control_acts import issue_of
    from verifier.control_rail import possession_view
    from verifier.control_show import issue_json, stored_json, view_json

    settings, moment = settings_of(ctx), now()
    with opened_store(settings) as store:
        if review_id or issue:
            stored = store.possession_review(review_id) if review_id else _last(store.last_review())
            found = stored.review()
            issues = [issue_of(found, issue)] if issue else list(found.issues)
            if as_json:
                shown = [issue_json(each) for each in issues]
                output.emit_json({"review": stored_json(stored), "issues": shown})
            else:
                output.say(f"[bold]{stored.review_id}[/bold] as of {stored.as_of}  {stored.digest}")
                _show_issues(found, issue)
            return output.EXIT_OK
        view = possession_view(store, settings, moment)
    if as_json:
        output.emit_json(view_json(view))
    else:
        _show_view(view)
    return _exit_code(view)


@command
def history(ctx: typer.Context, as_json: JsonOption = False) -> int:
    """List every review, act and substitution on record, also reviews that a later one replaced.

    Example: custody control history --json
    """
    from verifier.control_history import every_act
    from verifier.control_show import history_json

    settings = settings_of(ctx)
    with opened_store(settings) as store:
        found, acts = store.possession_reviews(), every_act(store, settings)
        substitutions = store.substitutions()
        shown = history_json(store, settings)
    if as_json:
        output.emit_json(dict(shown))
        return output.EXIT_OK if found else output.EXIT_NOT_CHECKED
    replaced = {each.replaces: each.review_id for each in found if each.replaces}
    rows = []
    for each in found:
        review = each.review()
        figures = (str(len(review.issues)), str(len(review.deficits)))
        days = (each.as_of.isoformat(), each.determined_on.isoformat(), each.act_by.isoformat())
        rows.append([each.review_id, *days, *figures, replaced.get(each.review_id, "")])
    columns = ["review", "as of", "determined", "act by", "issues", "short", "replaced by"]
    output.out().print(output.table(output.counted(len(found), "review"), columns, rows, ["issues", "short"]))
    for each_act in acts:
        act = each_act.act
        output.say(f"{act.act_id}  {act.kind.replace('_', ' ')} of {output.clean(act.security_id)}: {each_act.state}")
    for each_move in substitutions:
        move = each_move.move
        pair = f"{output.clean(move.from_id)} by {output.clean(move.to_id)}"
        output.say(f"{each_move.substitution_id}  {pair}: {each_move.state}")
    return output.EXIT_OK if found else output.EXIT_NOT_CHECKED


@command
def act(
    ctx: typer.Context,
    security: Annotated[str, typer.Argument(help="The issue that is short.", metavar="ASSET_ID")],
    kind: Annotated[
        str,
        typer.Option(
            "--kind",
            help="recall, bank_loan_release, buy_in, market_purchase, borrow, nscc_receipt or custodian_transfer.",
        ),
    ],
    quantity: Annotated[str, typer.Option("--quantity", help="Whole units, for example 100.")],
    line: Annotated[str, typer.Option("--line", help="Line of the stock record it gets back from.")] = "",
    instructed_at: Annotated[
        str, typer.Option("--instructed-at", help="When it was instructed, UTC; default now.", metavar="TIME")
    ] = "",
    text: TextOption = "",
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Record what is done about a deficit. It counts once another person approved it, and cures nothing by itself.

    Example: custody control act cusip:037833100 --kind recall --quantity 100 --line L-7 --actor ops.maker
    """
    from verifier.control_acts import record_act
    from verifier.possession.cures import CureKind

    if kind not in {each.value for each in CureKind}:
        raise InputError(f"--kind is one of {', '.join(CureKind)}")
    settings, moment = settings_of(ctx), now()
    at = moment_of(instructed_at, moment)
    with typed(), opened_store(settings) as store:
        made = record_act(store, settings, security, CureKind(kind), quantity, line, at, text, actor, moment)
    if as_json:
        output.emit_json({"act_id": made.act_id, "review_id": made.review_id, "state": "proposed"})
    else:
        output.say(f"{made.act_id} recorded by {output.clean(actor)}; another person approves it:")
        output.say(f"  custody control approve {made.act_id} --actor PERSON")
    return output.EXIT_OK


@command
def receipt(
    ctx: typer.Context,
    act_id: Annotated[str, typer.Argument(help="An approved act, CA-…")],
    file: Annotated[Path, typer.Option("--file", help="The statement or transaction record that shows it.")],
    received_on: Annotated[str, typer.Option("--received-on", help="The day it arrived.", metavar="DATE")],
    statement: Annotated[str, typer.Option("--statement", help="Id of the statement.")] = "",
    transaction: Annotated[str, typer.Option("--tx", help="Id of the transaction.")] = "",
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Record a proof of receipt with the digest of its document. Only a later review can see possession.

    Example: custody control receipt CA-000001 --statement ST-9 --file st9.pdf --received-on 2026-11-24
    """
    from verifier.control_acts import record_receipt
    from verifier.possession.cures import ProofKind

    if bool(statement) == bool(transaction):
        raise InputError("a receipt names a statement or a transaction: --statement ID or --tx ID")
    document = read_file(file)
    kind = ProofKind.STATEMENT if statement else ProofKind.TRANSACTION
    settings, day, moment = settings_of(ctx), day_of(received_on), now()
    with opened_store(settings) as store:
        made = record_receipt(store, settings, act_id, kind, statement or transaction, document, day, actor, moment)
    digest = made.receipts[-1].digest
    if as_json:
        output.emit_json({"act_id": made.act_id, "receipts": len(made.receipts), "digest": digest})
    else:
        output.say(f"{made.act_id}: receipt recorded, {digest}; the next review shows whether it is in possession")
    return output.EXIT_OK


@command
def substitute(
    ctx: typer.Context,
    release: Annotated[str, typer.Option("--from", help="The security that is short.", metavar="ASSET_ID")],
    lock: Annotated[
        str, typer.Option("--to", help="What is locked up in its place; default: the best.", metavar="ASSET_ID")
    ] = "",
    quantity: Annotated[str, typer.Option("--quantity", help="At most so much; default: the deficit.")] = "",
    owner: Annotated[str, typer.Option("--owner", help="Only of customer:ID or pab:ID; default: any.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge it and record nothing.")] = False,
    text: TextOption = "",
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Propose other excess margin securities to be locked up. Every issue is computed again before it is accepted.

    Exit code 0: it lowers the deficit and makes nothing else short. 1: refused, and nothing is recorded.

    Example: custody control substitute --from cusip:037833100 --actor ops.maker
    """
    from verifier.control_acts import judge_substitution, propose_substitution
    from verifier.control_show import substitution_json, verdict_json

    settings, moment = settings_of(ctx), now()
    with typed(), opened_store(settings) as store:
        verdict = judge_substitution(store, settings, release, lock, quantity, owner, moment)
        keep = verdict.accepted and not dry_run
        made = propose_substitution(store, verdict, text, actor, moment) if keep else None
    if as_json:
        output.emit_json(
            verdict_json(verdict) | {"substitution": substitution_json(made) if made is not None else None}
        )
    else:
        pair = f"{output.clean(verdict.move.from_id)} by {output.clean(verdict.move.to_id)}"
        units = f"{verdict.released} base units released, {verdict.added} locked up"
        verdict_text = "[green]accepted[/green]" if verdict.accepted else "[bold red]refused[/bold red]"
        output.say(f"{verdict_text}  {pair}: {units}")
        if verdict.refusal:
            output.say(f"  {output.clean(verdict.refusal)}")
        if made is not None:
            output.say(f"{made.substitution_id} recorded by {output.clean(actor)}; another person approves it:")
            output.say(f"  custody control approve {made.substitution_id} --actor PERSON")
    return output.EXIT_OK if verdict.accepted else output.EXIT_CONTRADICTED


@command
def approve(
    ctx: typer.Context,
    decided_id: Annotated[str, typer.Argument(help="An act CA-… or a substitution CS-…")],
    text: TextOption = "",
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Approve an act or a substitution that another person recorded. A substitution is judged again.

    Example: custody control approve CA-000001 --actor ops.checker
    """
    return _decide(ctx, decided_id, "approved", text, actor, as_json)


@command
def refuse(
    ctx: typer.Context,
    decided_id: Annotated[str, typer.Argument(help="An act CA-… or a substitution CS-…")],
    text: TextOption = "",
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Refuse an act or a substitution, or take back one's own, before it is approved.

    Example: custody control refuse CS-000001 --actor ops.checker
    """
    return _decide(ctx, decided_id, "refused", text, actor, as_json)


def _decide(ctx: typer.Context, decided_id: str, act: str, text: str, actor: str, as_json: bool) -> int:
    from verifier.control_acts import decide
    from verifier.store.records import InstructionAct

    settings, moment = settings_of(ctx), now()
    with opened_store(settings) as store:
        decide(store, settings, decided_id, InstructionAct(act), text, actor, moment)
    if as_json:
        output.emit_json({"id": decided_id, "decision": act, "actor": actor})
    else:
        output.say(f"{output.clean(decided_id)} {act} by {output.clean(actor)}")
    return output.EXIT_OK


def _last(found: StoredReview | None) -> StoredReview:
    if found is None:
        raise InputError("there is no review", advice="Make one: `custody control review --as-of DATE`.")
    return found


def _show_view(view: PossessionView) -> None:
    from verifier.control_show import view_lines

    for name, value in view_lines(view):
        output.say(f"  {output.clean(name):<16} {output.clean(value)}")


def _show_issues(review: Review, issue: str) -> None:
    from exports.possession.sources import TERMS
    from verifier.control_cases import quantity

    rows = [
        [
            output.clean(each.issue.security_id),
            *(quantity(each, units) for units in (each.need.fully_paid, each.need.excess_margin, each.control)),
            quantity(each, each.deficit) if each.deficit else "",
            output.clean(each.unverified),
        ]
        for each in review.issues
        if issue in ("", each.issue.security_id)
    ]
    columns = ["issue", "fully paid", "excess margin", "in control", "short", "not verified"]
    output.out().print(output.table("issues", columns, rows, columns[1:5], ["not verified"]))
    found = review.of(issue) if issue else None
    if found is None:
        return
    due = {each.line_id: quantity(found, each.attributed) for each in found.sources if each.attributed}
    cited = {each.line_id: TERMS[each.kind].citation for each in found.sources}
    rows = [
        [
            output.clean(each.line.line_id),
            each.line.place.replace("_", " "),
            quantity(found, each.line.base_units),
            quantity(found, each.base_units),
            each.cause.replace("_", " ") if each.cause is not None else "",
            due.get(each.line.line_id, ""),
            cited.get(each.line.line_id, each.citation),
        ]
        for each in found.counted
    ]
    columns = ["line", "place", "quantity", "counts", "why not", "to give back", "by"]
    output.out().print(output.table("lines", columns, rows, ["quantity", "counts", "to give back"], ["why not"]))
    for each in found.close_outs:
        output.say(f"  {output.clean(each.line_id)}: {output.clean(each.text)} ({each.citation})")


def _exit_code(view: PossessionView) -> int:
    if view.in_deficit:
        return output.EXIT_CONTRADICTED
    return output.EXIT_NOT_CHECKED if view.gaps else output.EXIT_OK
