"""`custody chain second-source`: balances of a Bitcoin chain asked a second way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli import output
from verifier.cli.context import ActorOption, JsonOption, command, now, opened_store, settings_of

if TYPE_CHECKING:
    from verifier.second_source import SecondSourceReview


def register(chain_app: typer.Typer) -> None:
    """Add the command to the group `chain`."""
    chain_app.command("second-source")(second_source)


@command
def second_source(
    ctx: typer.Context,
    chain: Annotated[str, typer.Argument(help="CAIP-2 id of a configured Bitcoin chain.")],
    dump: Annotated[
        Path | None,
        typer.Option(help="A file that `bitcoin-cli dumptxoutset` wrote, instead of scans.", metavar="FILE"),
    ] = None,
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Hold the sum of all blocks against each node's own set of unspent outputs.

    Scans every node at its tip (scantxoutset), or reads a dump of any block; digests of the whole set are compared
    between nodes that keep them (-coinstatsindex). What contradicts is recorded and opens a case at the next
    sweep. Exit code 0: every node agrees. 1: something contradicts. 2: a node's set was not compared.

    Example: custody chain second-source bip122:000000000019d6689c085ae165831e93
    """
    from verifier.second_source import review_second_source

    settings = settings_of(ctx)
    config, moment = settings.chain(chain).resolve(), now()
    with opened_store(settings) as store:
        known_at = store.book_time(moment)
        addresses = sorted({wallet.address for wallet in store.wallets(config.chain_id, known_at)})
        review = review_second_source(config, addresses, now=moment, dump=dump)
        if found := review.disagreements():
            store.add_disagreements(config.chain_id, found, actor, max(known_at, now()))
    if as_json:
        output.emit_json(_json(review))
    else:
        _show(review)
    return review.exit_code


def _json(review: SecondSourceReview) -> dict[str, object]:
    block = review.digest_block
    return {
        "chain_id": review.config.chain_id,
        "exit_code": review.exit_code,
        "nodes_compared": review.compared,
        "nodes": [
            {
                "node_id": each.node.node_id,
                "failure": each.failure,
                "source": each.opinion.source if each.opinion else None,
                "height": each.opinion.block.height if each.opinion else None,
                "block_hash": each.opinion.block.block_hash if each.opinion else None,
                "addresses": each.opinion.scripts if each.opinion else 0,
                "coins": each.opinion.coins if each.opinion else 0,
                "differences": [
                    {
                        "address": review.addresses[one.script],
                        "by_blocks": str(one.ours),
                        "by_set": str(one.theirs),
                        "only_in_blocks": list(one.only_ours),
                        "only_in_set": list(one.only_theirs),
                    }
                    for one in (each.opinion.differences if each.opinion else ())
                ],
            }
            for each in review.opinions
        ],
        "digests": {
            "height": block.height if block else None,
            "block_hash": block.block_hash if block else None,
            "agree": review.digests_agree,
            "nodes": {name: found.muhash for name, found in review.digests.items()},
            "failures": dict(review.digest_failures),
        },
    }


def _show(review: SecondSourceReview) -> None:
    asset = review.config.native_asset
    compared = f"{review.compared} of {output.counted(len(review.opinions), 'node')} compared"
    output.say(f"[bold]{output.clean(review.config.chain_id)}[/bold]: {compared}")
    for each in review.opinions:
        name = output.clean(each.node.node_id)
        opinion = each.opinion
        if opinion is None:
            output.say(f"  [yellow]{name}: not compared[/yellow] ({output.clean(each.failure)})")
            continue
        what = f"{output.counted(opinion.scripts, 'address', 'addresses')}, {output.counted(opinion.coins, 'coin')}"
        verdict = "[green]agrees[/green]" if opinion.agrees else "[red]contradicts[/red]"
        output.say(f"  {name}: {verdict} ({opinion.source} at block {opinion.block.height}; {what})")
        for one in opinion.differences:
            address = output.clean(review.addresses[one.script])
            ours, theirs = asset.format_quantity(one.ours), asset.format_quantity(one.theirs)
            output.say(f"    {address}: {ours} by its blocks, {theirs} in its set")
    agree = review.digests_agree
    if agree is None:
        output.say(f"  digests of the whole set: not compared ({len(review.digests)} of at least 2 nodes gave one)")
    else:
        verdict = "[green]equal[/green]" if agree else "[red]not equal[/red]"
        output.say(f"  digests of the whole set: {verdict} at {len(review.digests)} nodes")
