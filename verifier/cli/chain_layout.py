"""`custody chain layout`: where a token keeps its balances, as a row of token_layouts.csv to be reviewed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli import output
from verifier.cli.context import JsonOption, command, now, opened_store, settings_of
from verifier.errors import InputError

if TYPE_CHECKING:
    from chains.types import BlockRef
    from verifier.token_layouts import LayoutProposal

HOLDERS_TRIED_MAX = 20


def register(chain_app: typer.Typer) -> None:
    """Add the command to the group `chain`."""
    chain_app.command("layout")(layout)


@command
def layout(
    ctx: typer.Context,
    chain: Annotated[str, typer.Argument(help="CAIP-2 id of a configured EVM chain.")],
    asset: Annotated[str, typer.Option(help="CAIP-19 id of an ERC-20 asset of the books.")],
    node: Annotated[str, typer.Option(help="Node to ask; default: the first one.", metavar="NODE_ID")] = "",
    as_json: JsonOption = False,
) -> int:
    """Find where a token keeps its balances, so that state proofs can prove them.

    Asks a node by access list and with changed storage, which changes nothing on the chain, and tries the rule on
    mapped wallets. Prints a row of token_layouts.csv without the names of maker and checker: nothing is stored, and
    nothing counts until two people reviewed the row and it was imported. Exit code 0: a rule was found. 2: the
    token is unprovable (the row says why), or the node could not be asked.

    Example: custody chain layout eip155:1 --asset eip155:1/erc20:0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48
    """
    from verifier.token_layouts import propose_layout

    settings = settings_of(ctx)
    config, moment = settings.chain(chain).resolve(), now()
    with opened_store(settings) as store:
        known_at = store.book_time(moment)
        if asset not in {record.asset.asset_id for record in store.assets(config.chain_id, known_at)}:
            raise InputError(f"{asset} is no asset of the books on {chain}")
        holders = sorted({wallet.address for wallet in store.wallets(config.chain_id, known_at)})
    proposal = propose_layout(config, asset, holders[:HOLDERS_TRIED_MAX], node, moment)
    if as_json:
        output.emit_json(_json(proposal))
    else:
        _show(proposal)
    return output.EXIT_OK if proposal.found.layout.is_provable else output.EXIT_NOT_CHECKED


def _json(proposal: LayoutProposal) -> dict[str, object]:
    return {
        "node_id": proposal.node_id,
        "height": proposal.block.height,
        "block_hash": proposal.block.block_hash,
        "provable": proposal.found.layout.is_provable,
        "row": proposal.row(),
        "notes": list(proposal.found.notes),
    }


def _show(proposal: LayoutProposal) -> None:
    layout, block = proposal.found.layout, proposal.block
    output.say(f"[bold]{output.clean(layout.asset_id)}[/bold] at {_place(block)}, by {output.clean(proposal.node_id)}")
    if layout.is_provable:
        output.say(f"  [green]found[/green]: {layout.order.value}, mapping slot {layout.mapping_slot}")
    else:
        output.say(f"  [yellow]unprovable[/yellow]: {output.clean(layout.reason)}")
    for note in proposal.found.notes:
        output.say(f"  {output.clean(note)}")
    output.say("\nTo be reviewed, and completed by requested_by, approved_by and approved_at:\n")
    row = proposal.row()
    output.say(output.clean(",".join(row)))
    output.say(output.clean(",".join(row.values())))


def _place(block: BlockRef) -> str:
    return f"block {block.height:,}"
