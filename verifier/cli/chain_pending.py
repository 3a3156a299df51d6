"""`custody chain pending`: Bitcoin transactions that are in no block, and what became of those seen before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli import output
from verifier.cli.context import ActorOption, JsonOption, command, now, opened_store, settings_of

if TYPE_CHECKING:
    from verifier.waiting import Pending, PendingTransaction

_STYLE = {"waiting": "cyan", "confirmed": "green", "replaced": "yellow", "gone": "dim"}


def register(chain_app: typer.Typer) -> None:
    """Add the command to the group `chain`."""
    chain_app.command("pending")(pending)


@command
def pending(
    ctx: typer.Context,
    chain: Annotated[str, typer.Argument(help="CAIP-2 id of a configured Bitcoin chain.")],
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Show what waits for a block: spends of the wallets' coins, and payments to them where the pool is small.

    None of it is counted anywhere. Spends are recorded when they are first seen, so that later it can be told
    whether each was confirmed, or replaced by which other transaction. Through the first node. Exit code 0:
    shown. 2: it could not be read.

    Example: custody chain pending bip122:000000000019d6689c085ae165831e93
    """
    from verifier.waiting import review_pending

    settings = settings_of(ctx)
    config, moment = settings.chain(chain).resolve(), now()
    with opened_store(settings) as store:
        known_at = store.book_time(moment)
        addresses = sorted({wallet.address for wallet in store.wallets(config.chain_id, known_at)})
        found = review_pending(store, config, addresses, actor, known_at, moment)
    if as_json:
        output.emit_json(_json(found))
    else:
        _show(found)
    return output.EXIT_OK


def _json(found: Pending) -> dict[str, object]:
    from chains.types import utc_text

    return {
        "chain_id": found.config.chain_id,
        "height": found.height,
        "pool_size": found.pool_size,
        "receipts_looked_for": found.receipts_looked_for,
        "transactions": [
            {
                "tx_id": each.tx_id,
                "state": each.state.value,
                "leaves": str(each.leaves),
                "pays": [{"address": address, "base_units": str(units)} for address, units in each.pays],
                "fee": str(each.fee) if each.fee is not None else None,
                "replaced_by": each.by,
                "height": each.height,
                "seen_before": utc_text(each.seen_at) if each.seen_at is not None else None,
            }
            for each in found.transactions
        ],
    }


def _show(found: Pending) -> None:
    chain, size = output.clean(found.config.chain_id), output.counted(found.pool_size, "transaction")
    output.say(f"[bold]{chain}[/bold] above block {found.height:,}: {size} in the node's pool; none of it is counted")
    if not found.receipts_looked_for:
        output.say("  the pool is too large to look for payments to the wallets; spends of their coins were looked for")
    if not found.transactions:
        output.say("  nothing that concerns the wallets waits")
    for each in found.transactions:
        state = each.state.value
        output.say(f"  [{_STYLE[state]}]{state}[/{_STYLE[state]}] {each.tx_id}: {output.clean(_text(found, each))}")


def _text(found: Pending, each: PendingTransaction) -> str:
    asset = found.config.native_asset
    way = "leaves" if each.leaves >= 0 else "arrives"
    parts = [f"{asset.format_quantity(abs(each.leaves))} {asset.symbol} {way}"]
    if each.fee is not None:
        parts.append(f"fee {asset.format_quantity(each.fee)}")
    parts += [f"{asset.format_quantity(units)} to {address}" for address, units in each.pays]
    if each.by:
        parts.append(f"replaced by {each.by}")
    if each.height is not None:
        parts.append(f"in block {each.height:,}")
    return ", ".join(parts)
