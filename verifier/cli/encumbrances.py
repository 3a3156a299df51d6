"""`custody chain encumbrances`: who else could move what stands in the wallets of one chain."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli import output
from verifier.cli.context import JsonOption, command, now, opened_store, settings_of
from verifier.errors import InputError

if TYPE_CHECKING:
    from verifier.encumbrances import Earlier, EncumbranceReview

EARLIER_BYTES_MAX = 512 * 1024 * 1024
FINDINGS_SHOWN = 200


def register(chain_app: typer.Typer) -> None:
    """Add the command to the group `chain`."""
    chain_app.command("encumbrances")(encumbrances)


@command
def encumbrances(
    ctx: typer.Context,
    chain: Annotated[str, typer.Argument(help="CAIP-2 id of a configured EVM chain.")],
    from_height: Annotated[
        int | None,
        typer.Option(
            "--from-height",
            min=0,
            help="First block whose approvals are looked for; default: approvals_from_height, as in sweeps.",
        ),
    ] = None,
    since: Annotated[
        Path | None,
        typer.Option(help="What --json printed earlier: changes of control since then are found.", metavar="FILE"),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Ask at one pinned block who else could move what the wallets hold, and who decides over them.

    Allowances, Permit2 grants, delegations (EIP-7702), Safes and their modules, proxies, and what issuers froze.
    Nothing is stored. Exit code 0: nobody but whom the firm accepts. 1: others, or control changed. 2: not
    everything is known.

    Example: custody chain encumbrances eip155:1 --since review.json
    """
    from verifier.encumbrance_view import review_json
    from verifier.encumbrances import review_chain

    settings = settings_of(ctx)
    section = settings.chain(chain)
    config, moment = section.resolve(), now()
    with opened_store(settings) as store:
        known_at = store.book_time(moment)
        wallets = {wallet.address: wallet for wallet in store.wallets(config.chain_id, known_at)}
        decisions = store.accepted_control(config.chain_id, known_at)
        held = {record.asset.asset_id: record.asset for record in store.assets(config.chain_id, known_at)}
    native = config.native_asset
    assets = list(({native.asset_id: native} | held).values())
    first = from_height if from_height is not None else section.encumbrances.approvals_from_height
    with ExitStack() as bars:

        def on_blocks(count: int) -> Callable[[int], None]:
            bars.close()  # one bar at a time
            return bars.enter_context(output.progress("looking through blocks", count, quiet=as_json))

        review = review_chain(
            config,
            wallets,
            assets,
            first_height=first,
            now=moment,
            earlier=_earlier(since),
            decisions=decisions,
            on_blocks=on_blocks,
        )
    if as_json:
        output.emit_json(review_json(review))
    else:
        _show(review)
    return review.exit_code


def _earlier(file: Path | None) -> Earlier | None:
    from verifier.encumbrance_view import parse_earlier

    if file is None:
        return None
    try:
        if file.stat().st_size > EARLIER_BYTES_MAX:
            raise InputError(f"{file.name} is larger than any review that --json writes")
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file.name} cannot be read ({type(error).__name__})") from None
    return parse_earlier(text)


def _show(review: EncumbranceReview) -> None:
    from verifier.case_view import amount_text

    reading = review.reading
    block = reading.block
    output.say(
        f"[bold]{output.clean(block.chain_id)}[/bold] at block {block.height} {block.block_hash} "
        f"({reading.finality}, node {output.clean(reading.node_id)})"
    )
    output.say(
        f"  {output.counted(len(reading.wallets), 'wallet')}, {output.counted(len(reading.assets), 'token')}; "
        f"approvals from block {reading.coverage.first_height} on, "
        f"{output.counted(reading.pairs_asked, 'allowance')} asked for"
    )
    if review.compared_with is not None:
        output.say(
            f"  compared with block {review.compared_with.height}: "
            f"{output.counted(review.accounts_compared, 'account')} known then"
        )
    for each in review.accepted[:FINDINGS_SHOWN]:
        output.say(f"  {output.clean(each.text())}")
    if len(review.accepted) > FINDINGS_SHOWN:
        output.say(f"  and {len(review.accepted) - FINDINGS_SHOWN} more that the firm accepts; --json has all")
    if not review.findings:
        nobody = "nobody else was found who could move what is here" if reading.wallets else "nothing was asked"
        output.say(f"  {nobody}")
        return
    rows = [
        [
            output.clean(finding.kind.replace("_", " ")),
            output.short(finding.location_id),
            output.clean(amount_text(finding)),
            output.short(finding.text),
        ]
        for finding in review.findings[:FINDINGS_SHOWN]
    ]
    more = f" (the first {FINDINGS_SHOWN}; --json has all)" if len(review.findings) > FINDINGS_SHOWN else ""
    columns = ["kind", "where", "amount", "what was found"]
    title = output.counted(len(review.findings), "finding") + more
    output.out().print(output.table(title, columns, rows, right=["amount"], folded=["what was found"]))
