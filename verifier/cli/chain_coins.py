"""`custody chain coins`: what of each Bitcoin balance cannot be spent yet, and what is not final yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli import output
from verifier.cli.context import JsonOption, command, now, opened_store, settings_of
from verifier.errors import InputError

if TYPE_CHECKING:
    from chains.bitcoin.ledger_views import Balance
    from chains.reader import ChainConfig, Pin
    from chains.types import Address


def register(chain_app: typer.Typer) -> None:
    """Add the command to the group `chain`."""
    chain_app.command("coins")(coins)


@command
def coins(
    ctx: typer.Context,
    chain: Annotated[str, typer.Argument(help="CAIP-2 id of a configured Bitcoin chain.")],
    as_json: JsonOption = False,
) -> int:
    """Show each wallet's balance at the newest final block, and apart from it what does not count or move yet.

    Immature: coins of the balance that a coinbase made and that cannot be spent before 100 blocks. Newer: what
    blocks without enough confirmations paid and spent; it is not in the balance. What waits for a block is in
    neither. Through the first node. Exit code 0: shown. 2: it could not be read.

    Example: custody chain coins bip122:000000000019d6689c085ae165831e93
    """
    from chains.types import chain_namespace

    settings = settings_of(ctx)
    config, moment = settings.chain(chain).resolve(), now()
    if chain_namespace(config.chain_id) != "bip122":
        raise InputError(f"{config.chain_id} is no Bitcoin chain: its balances are not made of coins")
    with opened_store(settings) as store:
        known_at = store.book_time(moment)
        addresses = sorted({wallet.address for wallet in store.wallets(config.chain_id, known_at)})
    if not addresses:
        raise InputError(f"no wallet is mapped on {config.chain_id}: there is nothing to show")
    pin, balances = _read(config, addresses)
    if as_json:
        output.emit_json(_json(config, pin, balances))
    else:
        _show(config, pin, balances)
    return output.EXIT_OK


def _read(config: ChainConfig, addresses: list[Address]) -> tuple[Pin, dict[Address, Balance]]:
    from chains.bitcoin.reader import BitcoinReader
    from chains.registry import plugin_for

    reader = plugin_for(config.chain_id).open(config, config.nodes[0])
    assert isinstance(reader, BitcoinReader), "the adapter of bip122 is the project's own"
    try:
        reader.identify()
        pin = reader.pin(now=now())
        return pin, reader.balances_apart(pin, addresses)
    finally:
        reader.close()


def _json(config: ChainConfig, pin: Pin, balances: dict[Address, Balance]) -> dict[str, object]:
    return {
        "chain_id": config.chain_id,
        "height": pin.block.height,
        "block_hash": pin.block.block_hash,
        "finality": str(pin.finality),
        "addresses": [
            {
                "address": address,
                "base_units": str(balance.base_units),
                "immature": str(balance.immature),
                "newer_received": str(balance.received_later),
                "newer_spent": str(balance.spent_later),
            }
            for address, balance in balances.items()
        ],
    }


def _show(config: ChainConfig, pin: Pin, balances: dict[Address, Balance]) -> None:
    quantity = config.native_asset.format_quantity
    rows = [
        [
            output.clean(address),
            quantity(balance.base_units),
            quantity(balance.immature),
            quantity(balance.received_later),
            quantity(balance.spent_later),
        ]
        for address, balance in balances.items()
    ]
    columns = ["address", "balance", "of it immature", "newer: received", "newer: spent"]
    title = f"{output.clean(config.chain_id)} at block {pin.block.height} ({pin.finality})"
    output.out().print(output.table(title, columns, rows, columns[1:], ["address"]))
