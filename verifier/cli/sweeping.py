"""`custody sweep`, `status` and `chain`: the comparison with the chains."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from chains.types import parse_chain_id
from verifier.cli import (
    chain_coins,
    chain_layout,
    chain_load,
    chain_pending,
    coverage,
    encumbrances,
    output,
    second_source,
)
from verifier.cli.context import ActorOption, JsonOption, command, now, opened_store, settings_of
from verifier.errors import InputError

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store
    from verifier.sweep import Phase, SweepOutcome

CASES_SHOWN = 50


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(sweep)
    app.command()(status)
    chain_app = typer.Typer(no_args_is_help=True, help="Look after the chains.")
    app.add_typer(chain_app, name="chain")
    encumbrances.register(chain_app)
    coverage.register(chain_app)
    chain_coins.register(chain_app)
    chain_pending.register(chain_app)
    chain_load.register(chain_app)
    chain_layout.register(chain_app)
    second_source.register(chain_app)
    chain_app.command("resume")(resume)
    chain_app.command("probe")(probe)


@command
def sweep(
    ctx: typer.Context,
    chain: Annotated[str, typer.Option(help="Only this chain (CAIP-2 id); all configured without it.")] = "",
    at: Annotated[int | None, typer.Option(min=0, help="At this block instead of the newest final one.")] = None,
    every_block: Annotated[
        bool,
        typer.Option(
            "--every-block",
            help="Read balances at every block since the last sweep: finds changes that "
            "cancel out later. Refused above sweep.change_point_blocks_max blocks.",
        ),
    ] = False,
    workers: Annotated[
        bool | None,
        typer.Option(
            "--workers/--no-workers",
            help="Hand the reading of balances to `custody worker` processes, or not; as configured without it.",
        ),
    ] = None,
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Read every mapped holding at one pinned block, compare it with the books, and open cases.

    Exit code 0: all matched. 1: something diverged. 2: something could not be verified.

    Example: custody sweep --chain eip155:1
    """
    from verifier.case_clock import escalate_cases
    from verifier.overview import unread_native_coins, unread_native_text, unswept_text, unswept_wallets

    settings = settings_of(ctx)
    chain_ids = [chain] if chain else [section.chain_id for section in settings.chains]
    if not chain_ids:
        raise InputError("no chain is configured: add a [[chains]] section to custody.toml")
    if at is not None and len(chain_ids) > 1:
        raise InputError("--at needs --chain: a height belongs to one chain")
    with opened_store(settings, judging_as=actor) as store:
        outcomes = [
            _sweep(store, settings, chain_id, at, every_block, workers, actor, as_json) for chain_id in chain_ids
        ]
        unswept = {} if chain else unswept_wallets(store, settings, now())
        unread = [each for each in unread_native_coins(store, settings, now()) if each in chain_ids]
        escalate_cases(store, settings, actor, now())
        waiting = len(store.cases())
    codes = [outcome.exit_code for outcome in outcomes]
    code = _combined([*codes, output.EXIT_NOT_CHECKED] if unswept or unread else codes)
    if as_json:
        output.emit_json(
            _sweep_json(outcomes, code)
            | {
                "wallets_on_other_chains": unswept,
                "native_coins_not_read": unread,
                "cases_waiting": waiting,
            }
        )
    else:
        for outcome in outcomes:
            _show_outcome(outcome)
        for chain_id, count in unswept.items():
            output.say(f"[yellow]{output.clean(unswept_text(chain_id, count))}[/yellow]")
        for each in unread:
            output.say(f"[yellow]{output.clean(unread_native_text(each))}[/yellow]")
        if waiting:
            output.say(f"{output.counted(waiting, 'case')} in all waiting for somebody: custody cases list")
    return code


@command
def status(ctx: typer.Context, as_json: JsonOption = False) -> int:
    """Show the one signal over all rails that the firm uses, the last sweep of each chain, and what is open.

    Example: custody status
    """
    from verifier.overview import overview

    settings = settings_of(ctx)
    with opened_store(settings) as store:
        view = overview(store, settings, now())
    if as_json:
        output.emit_json(view.to_dict())
    else:
        colour = {"compliant": "bold green", "unverified": "bold yellow"}.get(view.statuses[0], "bold red")
        words = ", ".join(view.statuses).replace("_", " ")
        output.paragraph(f"[{colour}]{words}[/{colour}]  ({_rails_text(view.rails)})", indent=0)
        for reason in view.reasons:
            output.say(f"  {output.clean(reason)}")
        rows = [[output.clean(cell) for cell in chain.cells()] for chain in view.chains]
        columns = ["chain", "block", "age", "expected", "matched", "diverged", "unverified", "covered"]
        output.out().print()
        output.out().print(output.table("last sweep of each chain", columns, rows, columns[1:7], ["chain", "age"]))
        for line in (line for chain in view.chains for line in chain.information()):
            output.paragraph(output.clean(line), 2)
    return view.exit_code


@command
def resume(
    ctx: typer.Context,
    chain: Annotated[str, typer.Argument(help="CAIP-2 id of the halted chain.")],
    reason: Annotated[str, typer.Option(help="What was found out; written into the journal.")],
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Sweep a chain again that was halted because a final block was reversed.

    Example: custody chain resume eip155:1 --reason "the node's operator confirmed the incident"
    """
    settings = settings_of(ctx)
    settings.chain(chain)
    if not reason.strip():
        raise InputError("say what was found out: --reason TEXT")
    with opened_store(settings) as store:
        if not store.halt(parse_chain_id(chain)):
            raise InputError(f"{chain} is not halted")
        store.resume_chain(parse_chain_id(chain), reason, actor, now())
    if as_json:
        output.emit_json({"chain_id": chain, "resumed": True})
    else:
        output.say(f"{output.clean(chain)} is swept again from the next sweep on; the case stays open.")
    return output.EXIT_OK


@command
def probe(
    ctx: typer.Context,
    chain: Annotated[str, typer.Argument(help="CAIP-2 id of a configured chain.")],
    as_json: JsonOption = False,
) -> int:
    """Ask each node of a chain what it can do: the exact methods a sweep needs.

    Example: custody chain probe eip155:1
    """
    from verifier.readers import probe_nodes

    settings = settings_of(ctx)
    results = probe_nodes(settings.chain(chain).resolve(), now())
    if as_json:
        output.emit_json({"chain_id": chain, "nodes": results})
    else:
        for node_id, found in results.items():
            rows = [[output.clean(name), output.clean(value)] for name, value in found.items()]
            output.out().print(output.table(f"node {node_id}", ["capability", "answer"], rows))
    return output.EXIT_NOT_CHECKED if any("error" in found for found in results.values()) else output.EXIT_OK


def _sweep(
    store: Store,
    settings: Settings,
    chain_id: str,
    at: int | None,
    every_block: bool,
    workers: bool | None,
    actor: str,
    as_json: bool,
) -> SweepOutcome:
    from contextlib import ExitStack

    from verifier.readers import chain_sweep

    with ExitStack() as bars:

        def on_phase(phase: Phase) -> Callable[[int], None]:
            bars.close()  # one bar at a time
            return bars.enter_context(output.progress(phase.name, phase.total, quiet=as_json))

        sweep = chain_sweep(store, settings, chain_id, clock=now, actor=actor, on_phase=on_phase, with_workers=workers)
        return sweep.run(at, every_block=every_block)


def _combined(codes: list[int]) -> int:
    """1 leads over 2, 2 over 0."""
    return 1 if 1 in codes else max(codes, default=2)


def _sweep_json(outcomes: list[SweepOutcome], code: int) -> dict[str, object]:
    summaries = [outcome.summary for outcome in outcomes if outcome.summary is not None]
    failed = [outcome for outcome in outcomes if outcome.summary is None]
    return {
        "exit_code": code,
        "expected": sum(outcome.expected for outcome in outcomes),
        "matched": sum(summary.matched for summary in summaries),
        "diverged": sum(summary.diverged for summary in summaries),
        "unverified": sum(summary.unverified for summary in summaries) + sum(outcome.expected for outcome in failed),
        "cases_opened": sum(seen.is_new for outcome in outcomes for seen in outcome.cases),
        "sweeps": [outcome.to_dict() for outcome in outcomes],
    }


def _show_outcome(outcome: SweepOutcome) -> None:
    from verifier.cli.case_list import CaseLine, show_cases

    if outcome.summary is None:
        output.say(
            f"[yellow]{outcome.chain_id}: not swept[/yellow] \\[{outcome.failure_code}] {output.clean(outcome.failure)}"
        )
        output.say(f"  {output.counted(outcome.expected, 'holding')}: all unverified; this is recorded too")
    else:
        summary = outcome.summary
        block = summary.block
        output.say(
            f"[bold]{summary.chain_id}[/bold] at block {block.height:,} {output.short(block.block_hash)} "
            f"of {block.timestamp:%Y-%m-%d %H:%M:%S} UTC"
        )
        output.say(f"  {summary.finality}, read from node {output.clean(summary.node_id)}")
        unverified = f"[yellow]{summary.unverified} unverified[/yellow]" if summary.unverified else "0 unverified"
        diverged = f"[bold red]{summary.diverged} diverged[/bold red]" if summary.diverged else "0 diverged"
        output.say(
            f"  {output.counted(summary.expected, 'holding')}: [green]{summary.matched} matched[/green], "
            f"{diverged}, {unverified}"
        )
        output.say(
            f"  {output.counted(summary.transfers_scanned, 'movement')} read, {summary.transfers_outgoing} outgoing, "
            f"{summary.transfers_not_matched} without a fitting approval"
            + (f", {summary.transfers_change} change" if summary.transfers_change else "")
        )
    if outcome.changes is not None:
        output.say(f"  {output.clean(outcome.changes.text())}")
    if trades := outcome.trades.text():
        output.say(f"  {trades}")
        for doubt in outcome.trades.doubts:
            output.say(f"    [yellow]{output.clean(doubt.trade_id)}[/yellow]: {output.clean(doubt.reason)}")
    for number, line in enumerate(outcome.proofs.lines() if outcome.proofs is not None else []):
        output.say(f"  {'  ' if number else ''}{output.clean(line)}")
    if outcome.immature is not None and (immature := outcome.immature.text()):
        output.say(f"  {output.clean(immature)}")
    if outcome.control is not None:
        output.say(f"  {output.clean(outcome.control.text())}")
        for line in outcome.control.accepted_lines():
            output.say(f"    {output.clean(line)}")
    for match in outcome.for_review:
        output.say(
            f"  [yellow]for review[/yellow]: transaction {match.transfer.tx_id[:10]}…: {output.clean(match.reason)}"
        )
    if outcome.cases:
        more = f" (the first {CASES_SHOWN}; all with --json)" if len(outcome.cases) > CASES_SHOWN else ""
        lines = [
            CaseLine(
                seen.case_id,
                "[bold red]new[/bold red]" if seen.is_new else "[dim]seen again[/dim]",
                seen.finding,
            )
            for seen in outcome.cases[:CASES_SHOWN]
        ]
        show_cases(f"{output.counted(len(outcome.cases), 'case')}{more}", lines)


def _rails_text(rails: list[str]) -> str:
    """Which rails the signal speaks of, and which it does not."""
    words = {
        "digital": ("digital rail", ""),
        "securities": ("securities at custodians", "nothing at custodians"),
        "cash": ("reserve", "no reserve stated"),
        "control": ("possession or control", "no books kept for possession or control"),
    }
    spoken = [there for rail, (there, _) in words.items() if rail in rails]
    silent = [absent for rail, (_, absent) in words.items() if rail not in rails]
    return "; ".join([", ".join(spoken), *silent])
