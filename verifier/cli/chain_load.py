"""`custody chain load`: the past of a Bitcoin chain's wallets."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Final

import typer

from verifier.cli import output
from verifier.cli.context import JsonOption, command, now, opened_store, settings_of
from verifier.errors import InputError

WORKERS: Final = min(4, os.cpu_count() or 1)


def register(chain_app: typer.Typer) -> None:
    """Add the command to the group `chain`."""
    chain_app.command("load")(load)


@command
def load(
    ctx: typer.Context,
    chain: Annotated[str, typer.Argument(help="CAIP-2 id of a configured Bitcoin chain.")],
    coins: Annotated[
        str,
        typer.Option(
            help="`scan`: begin wallets that are not followed yet with the coins that each node has for them now.",
            metavar="scan",
        ),
    ] = "",
    dump: Annotated[
        Path | None,
        typer.Option(help="Begin them with the coins of a file that `bitcoin-cli dumptxoutset` wrote.", metavar="FILE"),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=8, help="Processes that read blocks; default: one per core, 4 at most.")
    ] = WORKERS,
    as_json: JsonOption = False,
) -> int:
    """Read the blocks that the ledgers of a Bitcoin chain miss, from history_from_height on, for all wallets.

    Sweeps read up to catch_up_blocks_max past blocks by themselves; this reads them all, node by node, and goes on
    where it was stopped. With --coins or --dump new wallets begin with their coins at a block instead, without
    their past; wallets whose past lacks a coin begin anew. Exit code 0: every node's ledger is complete. 2: not.

    Example: custody chain load bip122:000000000019d6689c085ae165831e93 --coins scan
    """
    from verifier.chain_load import load_chain

    if coins not in ("", "scan"):
        raise InputError(f"--coins {output.clean(coins)[:40]} is not known: write --coins scan, or --dump FILE")
    if coins and dump is not None:
        raise InputError("--coins and --dump are two ways to the same coins: give one of them")

    settings = settings_of(ctx)
    config, moment = settings.chain(chain).resolve(), now()
    with opened_store(settings) as store:
        known_at = store.book_time(moment)
        addresses = sorted({wallet.address for wallet in store.wallets(config.chain_id, known_at)})
        births = store.wallet_descriptors(config.chain_id, known_at) if not (coins or dump) else []
    for born in births:
        if born.birth_height is not None and born.birth_height < (config.history_from_height or 0):
            raise InputError(
                f"history_from_height {config.history_from_height} is above block {born.birth_height}, the birth "
                f"of the wallet that begins with {born.address}: coins from before would be missing",
                advice="Lower history_from_height, or begin the wallets with their coins: --coins scan.",
            )
    with ExitStack() as bars:

        def on_blocks(node_id: str, count: int) -> Callable[[int], None]:
            bars.close()  # one bar at a time
            return bars.enter_context(output.progress(f"loading through {node_id}", count, quiet=as_json))

        loads = load_chain(
            config,
            addresses,
            now=moment,
            on_blocks=on_blocks,
            workers=workers,
            from_coins=bool(coins),
            dump=dump,
        )
    is_complete = all(each.block and not each.not_covered for each in loads)
    code = output.EXIT_OK if is_complete else output.EXIT_NOT_CHECKED
    if as_json:
        output.emit_json(
            {
                "chain_id": config.chain_id,
                "exit_code": code,
                "addresses": len(addresses),
                "nodes": [
                    {
                        "node_id": each.node.node_id,
                        "blocks_read": each.blocks_read,
                        "height": each.block.height if each.block else None,
                        "block_hash": each.block.block_hash if each.block else None,
                        "coins_at": each.coins_at.height if each.coins_at else None,
                        "addresses_begun": each.begun,
                        "addresses_begun_anew": each.begun_anew,
                        "addresses_not_covered": each.not_covered,
                        "failure": each.failure,
                    }
                    for each in loads
                ],
            }
        )
        return code
    for each in loads:
        name, read = output.clean(each.node.node_id), output.counted(each.blocks_read, "block")
        if each.block is None:
            output.say(f"[yellow]{name}: not complete[/yellow], {read} read ({output.clean(each.failure)})")
        else:
            output.say(f"{name}: complete up to block {each.block.height}, {read} read")
            if each.not_covered:
                late = output.counted(each.not_covered, "address", "addresses")
                output.say(f"  [yellow]{late} not known there yet[/yellow]: begun with the coins of a later block")
            if each.coins_at is not None:
                begun = output.counted(each.begun, "address", "addresses")
                anew = f", {each.begun_anew} of them anew" if each.begun_anew else ""
                output.say(f"  {begun} began with their coins at block {each.coins_at.height}{anew}; no past before")
    return code
