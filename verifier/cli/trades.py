"""`custody trades`: which trades settled, which fail, and by which leg of a chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from chains.types import utc_text
from verifier.cli import output
from verifier.cli.context import JsonOption, command, now, opened_store, settings_of
from verifier.errors import InputError

if TYPE_CHECKING:
    from verifier.trade_view import TradeLine

STATES = ("pending", "failing", "settled")
COLUMNS = ("trade", "account", "side", "quantity", "US dollars", "due", "rail", "state")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    trades_app = typer.Typer(no_args_is_help=True, help="Trades, and the chain legs that settle them.")
    app.add_typer(trades_app, name="trades")
    trades_app.command("list")(list_trades)
    trades_app.command("show")(show)


@command
def list_trades(
    ctx: typer.Context,
    state: Annotated[str, typer.Option("--state", help="Only these: pending, failing or settled.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Most trades to show.")] = 500,
    as_json: JsonOption = False,
) -> int:
    """List the trades, those due first. A leg in a final block settles its trade at the block's time.

    Exit code 0: nothing is in doubt. 2: there is no trade, or of some it cannot be told whether they settled.

    Example: custody trades list --state failing
    """
    from verifier.trade_view import trade_lines

    if state and state not in STATES:
        raise InputError(f"--state is one of {', '.join(STATES)}")
    settings = settings_of(ctx)
    with opened_store(settings) as store:
        every = trade_lines(store, settings, now())
    lines = [line for line in every if not state or line.state == state]
    if as_json:
        output.emit_json({"trades": [line.to_dict() for line in lines]})
    else:
        more = f" (the first {limit})" if len(lines) > limit else ""
        rows = [[output.short(cell) for cell in line.cells()] for line in lines[:limit]]
        title = output.counted(len(lines), "trade") + more
        output.out().print(output.table(title, COLUMNS, rows, right=["quantity", "US dollars"], folded=["rail"]))
        for line in lines[:limit]:
            if line.doubt:
                output.say(f"[yellow]{output.clean(line.trade.trade_id)}[/yellow]: {output.clean(line.doubt)}")
    return output.EXIT_NOT_CHECKED if not every or any(line.doubt for line in lines) else output.EXIT_OK


@command
def show(
    ctx: typer.Context,
    trade_id: Annotated[str, typer.Argument(help="The firm's id of the trade.")],
    as_json: JsonOption = False,
) -> int:
    """Show one trade with the leg that settled it, and every reversal.

    Exit code 0: it is told how far it is. 2: it cannot be told whether it settled.

    Example: custody trades show T-1
    """
    from verifier.trade_view import trade_line

    settings = settings_of(ctx)
    with opened_store(settings) as store:
        line = trade_line(store, settings, trade_id, now())
    if as_json:
        output.emit_json(line.to_dict())
    else:
        _show(line)
    return output.EXIT_NOT_CHECKED if line.doubt else output.EXIT_OK


def _show(line: TradeLine) -> None:
    cells = dict(zip(COLUMNS, line.cells(), strict=True))
    output.say(f"[bold]{output.clean(cells['trade'])}[/bold]: {output.clean(cells['state'])}")
    output.say(
        f"  {output.clean(cells['account'])}: {cells['side']} {output.clean(cells['quantity'])}"
        f" for {cells['US dollars']} US dollars, due {cells['due']} on {output.clean(cells['rail'])}"
    )
    for each in line.history:
        leg = each.settlement
        output.say(
            f"  {leg.act.value} by transaction {output.short(leg.tx_id)} in block {leg.block.height:,}"
            f" of {utc_text(leg.settled_at)}, recorded {utc_text(each.recorded_at)}"
        )
    if line.doubt:
        output.paragraph(output.clean(line.doubt), 2)
