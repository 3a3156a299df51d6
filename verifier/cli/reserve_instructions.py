"""`custody reserve instruct|approve|refuse|instructions`: money into and out of the reserve, by two people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli import output
from verifier.cli.context import JsonOption, command, now, opened_store, settings_of
from verifier.cli.typed import PersonOption, typed
from verifier.errors import InputError, WithdrawalRefused

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store
    from verifier.store.instruction_store import StoredInstruction

IdArgument = Annotated[str, typer.Argument(help="Id of the instruction.", metavar="ID")]
AmountArgument = Annotated[str, typer.Argument(help="US dollars, for example 25000.00.")]
AccountOption = Annotated[str, typer.Option("--account", help="The reserve account.", metavar="ACCOUNT_ID")]
TextOption = Annotated[str, typer.Option("--text", help="Why; written into the journal.")]


def register(reserve_app: typer.Typer) -> None:
    """Add the commands to `custody reserve`."""
    instruct_app = typer.Typer(no_args_is_help=True, help="Instruct a deposit or a withdrawal of cash (maker).")
    reserve_app.add_typer(instruct_app, name="instruct")
    instruct_app.command("deposit")(deposit)
    instruct_app.command("withdraw")(withdraw)
    reserve_app.command("approve")(approve)
    reserve_app.command("refuse")(refuse)
    reserve_app.command("instructions")(instructions)


@command
def deposit(
    ctx: typer.Context,
    amount: AmountArgument,
    account: AccountOption,
    actor: PersonOption,
    text: TextOption = "",
    as_json: JsonOption = False,
) -> int:
    """Instruct a deposit of cash. It waits for another person, and nothing moves.

    Example: custody reserve instruct deposit 62000.00 --account SRA-CUSTOMER --actor ops.maker
    """
    return _instruct(ctx, "deposit", amount, account, actor, text, as_json)


@command
def withdraw(
    ctx: typer.Context,
    amount: AmountArgument,
    account: AccountOption,
    actor: PersonOption,
    text: TextOption = "",
    as_json: JsonOption = False,
) -> int:
    """Instruct a withdrawal of cash, with the computation it relies on: 15c3-3(g). It waits for another person.

    Exit code 0: it waits. 1: what would stay is less than the amount then required. 2: that is not known, or
    bad input.

    Example: custody reserve instruct withdraw 5000.00 --account SRA-CUSTOMER --actor ops.maker
    """
    return _instruct(ctx, "withdrawal", amount, account, actor, text, as_json)


@command
def approve(
    ctx: typer.Context,
    instruction_id: IdArgument,
    actor: PersonOption,
    text: TextOption = "",
    as_json: JsonOption = False,
) -> int:
    """Approve an instruction (checker, not its maker). A withdrawal is checked again against what is required now.

    Example: custody reserve approve RI-000001 --actor ops.checker
    """
    from verifier import reserve_instructions

    settings = settings_of(ctx)
    with opened_store(settings) as store:
        try:
            made = reserve_instructions.approve(store, settings, instruction_id, text, actor, now())
        except WithdrawalRefused as error:
            return _refused(error, as_json)
        return _show(store, settings, made, as_json)


@command
def refuse(
    ctx: typer.Context,
    instruction_id: IdArgument,
    actor: PersonOption,
    text: Annotated[str, typer.Option("--text", help="Why; written into the journal.")],
    as_json: JsonOption = False,
) -> int:
    """Refuse an instruction that waits; its maker takes it back that way.

    Example: custody reserve refuse RI-000001 --actor ops.checker --text "Wrong account"
    """
    from verifier import reserve_instructions

    if not text.strip():
        raise InputError("say why: --text TEXT")
    settings = settings_of(ctx)
    with opened_store(settings) as store:
        return _show(store, settings, reserve_instructions.refuse(store, instruction_id, text, actor, now()), as_json)


@command
def instructions(ctx: typer.Context, as_json: JsonOption = False) -> int:
    """List every instruction with what became of it at the bank.

    Exit code 0: listed. 1: money moved without one, or a statement does not add up. 2: an approved one was not
    executed.

    Example: custody reserve instructions
    """
    from verifier.reserve_movements import (
        InstructionState,
        instruction_states,
        movement_findings,
        movement_matches,
    )
    from verifier.reserve_show import instruction_text, instructions_json

    settings, moment = settings_of(ctx), now()
    with opened_store(settings) as store:
        matches = movement_matches(store, settings, moment)
        found = instruction_states(store, settings, moment, matches)
        findings = movement_findings(store, settings, moment)
    if as_json:
        output.emit_json(instructions_json(found, matches, findings))
    else:
        for each, state in found:
            output.say(output.clean(instruction_text(each, state)))
        for finding in findings:
            output.say(f"[bold red]{finding.kind.replace('_', ' ')}[/bold red]: {output.clean(finding.text)}")
        counted = output.counted(matches.compared, "entry or pair of statements", "entries or pairs of statements")
        output.say(f"{output.counted(len(found), 'instruction')}, {counted} compared")
    if matches.uninstructed or matches.gaps:
        return output.EXIT_CONTRADICTED
    missed = any(state is InstructionState.NOT_EXECUTED for _, state in found)
    return output.EXIT_NOT_CHECKED if missed else output.EXIT_OK


def _instruct(
    ctx: typer.Context, direction: str, amount: str, account: str, actor: str, text: str, as_json: bool
) -> int:
    from exports.reserve.money import DOLLAR
    from mapping.reserve_types import MovementSide
    from verifier.reserve_instructions import instruct

    settings = settings_of(ctx)
    try:
        with typed(), opened_store(settings) as store:
            cents = DOLLAR.parse_quantity(amount)
            made = instruct(store, settings, MovementSide(direction), account, cents, text, actor, now())
            return _show(store, settings, made, as_json)
    except WithdrawalRefused as error:
        return _refused(error, as_json)


def _refused(error: WithdrawalRefused, as_json: bool) -> int:
    """What 15c3-3(g) does not permit is told with exit code 1; what is not known, with 2."""
    code = output.EXIT_CONTRADICTED if error.is_short else output.EXIT_NOT_CHECKED
    output.fail(error.code, str(error), error.advice, as_json=as_json, exit_code=code)


def _show(store: Store, settings: Settings, made: StoredInstruction, as_json: bool) -> int:
    from verifier.reserve_movements import instruction_states
    from verifier.reserve_show import instruction_json, instruction_text, shown

    states = {each.instruction_id: state for each, state in instruction_states(store, settings, now())}
    state = states[made.instruction_id]
    if as_json:
        output.emit_json(instruction_json(made, state))
        return output.EXIT_OK
    output.say(output.clean(instruction_text(made, state)))
    relied = made.decision.relied_on if made.decision is not None and made.decision.relied_on else made.relied_on
    if relied is not None:
        output.say(f"  relies on {relied.computation_id}; {shown(relied.remaining)} would remain, 15c3-3(g)")
    return output.EXIT_OK
