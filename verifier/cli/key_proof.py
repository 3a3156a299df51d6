"""`custody key-proof`: asking the keys of wallets to sign, taking their answers, and what is proven so far."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chains.key_schemes import schemes_of
from chains.types import ChainId, parse_chain_id
from verifier.cli import output
from verifier.cli.context import JsonOption, command, now, opened_store, settings_of
from verifier.cli.typed import PersonOption, person_of, read_file
from verifier.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from verifier.config import Settings
    from verifier.key_overview import ChainKeys
    from verifier.key_proving import AnswerResult
    from verifier.rules.key_judgement import ChainWitness

ROWS_SHOWN = 20
OUTCOME_STYLE = {"accepted": "green", "refused": "bold red", "unverified": "yellow"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    key_app = typer.Typer(
        no_args_is_help=True,
        help="Proof of control: the keys of wallets sign a fresh challenge. It shows that somebody could sign then; "
        "not who owns what is there, nor that nobody else can sign.",
    )
    app.add_typer(key_app, name="key-proof")
    key_app.command("challenge")(challenge)
    key_app.command("answer")(answer)
    key_app.command("show")(show)


@command
def challenge(
    ctx: typer.Context,
    chain: Annotated[str, typer.Argument(help="CAIP-2 id of a configured EVM or Bitcoin chain.")],
    actor: PersonOption,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="New file for the signers: what each address signs.", metavar="FILE"),
    ] = None,
    address: Annotated[
        list[str] | None, typer.Option("--address", help="Only this wallet; may be repeated.", metavar="ADDRESS")
    ] = None,
    asked_by: Annotated[
        str, typer.Option("--asked-by", help="Who asks, as signers shall read it; default: the actor.")
    ] = "",
    valid_hours: Annotated[int, typer.Option(min=1, help="How long it can be answered.")] = 72,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            "--accept",
            help="A scheme that counts only when asked for: legacy-segwit. May be repeated.",
            metavar="SCHEME",
        ),
    ] = None,
    transfer_to: Annotated[
        str,
        typer.Option(
            "--transfer-to",
            help="Bitcoin: a wallet may answer by sending a small amount, told for each, to this address.",
            metavar="ADDRESS",
        ),
    ] = "",
    as_json: JsonOption = False,
) -> int:
    """Make a fresh challenge to the keys of a chain's wallets and write what they are to sign.

    Example: custody key-proof challenge eip155:1 --out to-sign.json --actor cco

    On Bitcoin the file names for each wallet the schemes that can speak for its kind of address.
    """
    import secrets

    from verifier.key_proof import request_document
    from verifier.key_proving import challenge_wallets

    if out is None and not as_json:
        raise InputError("say where the words to sign shall be written: --out FILE (or --json)")
    if out is not None and out.exists():
        raise InputError(f"{out.name} is there already; give the name of a new file")
    settings, person, moment = settings_of(ctx), person_of(actor), now()
    settings.chain(chain)
    with opened_store(settings) as store:
        made, addresses = challenge_wallets(
            store,
            firm=settings.firm.name,
            asked_by=asked_by or person,
            chain_id=parse_chain_id(chain),
            only=address or [],
            nonce=secrets.token_bytes(32),
            valid=timedelta(hours=valid_hours),
            open_witness=_witness_opener(settings, moment),
            actor=person,
            now=moment,
            accept=accept or [],
            transfer_to=transfer_to,
        )
    document = request_document(made, addresses)
    if out is not None:
        _write_new(out, document)
    if as_json:
        output.emit_json(document)
    else:
        assert out is not None
        output.say(f"challenge [bold]{made.nonce}[/bold] to {output.counted(made.address_count, 'wallet')}")
        output.say(f"  bound to block {made.height}, to be answered before {made.expires_at:%Y-%m-%d %H:%M} UTC")
        output.say(f"  what each address signs is in {output.clean(out)}")
    return output.EXIT_OK


@command
def answer(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSON file with the signatures; docs/key-proofs.md has its form.")],
    actor: PersonOption,
    as_json: JsonOption = False,
) -> int:
    """Judge the signatures of an answer and record each with its outcome. Exit code 1 when one is refused.

    Example: custody key-proof answer signed.json --actor cco
    """
    from verifier.key_proving import take_answer

    settings, person, moment = settings_of(ctx), person_of(actor), now()
    data = _read(file)
    with opened_store(settings) as store:
        result = take_answer(store, data, open_witness=_witness_opener(settings, moment), actor=person, now=moment)
    if as_json:
        output.emit_json(_result_json(result))
    else:
        _show_result(result)
    return result.exit_code


@command
def show(
    ctx: typer.Context,
    chain: Annotated[str, typer.Option("--chain", help="Only this chain.", metavar="CHAIN")] = "",
    as_json: JsonOption = False,
) -> int:
    """Show how much of each asset stands at proven addresses, how old the proofs are, and the challenges.

    Example: custody key-proof show --chain eip155:1
    """
    from verifier.key_overview import key_overview
    from verifier.key_proof import MEANING
    from verifier.key_proving import require_proofs

    settings = settings_of(ctx)
    if chain:
        chain_ids = [ChainId(settings.chain(chain).chain_id)]
        require_proofs(chain_ids[0])
    else:
        configured = [ChainId(section.chain_id) for section in settings.chains]
        chain_ids = [each for each in configured if schemes_of(each)]
    with opened_store(settings) as store:
        view = key_overview(store, chain_ids, now())
    if as_json:
        output.emit_json(view.to_dict())
    else:
        for each in view.chains:
            _show_chain(each, view.moment)
        if not view.chains:
            output.say("no EVM or Bitcoin chain is configured")
        output.paragraph(MEANING, 0)
    return view.exit_code


def _witness_opener(settings: Settings, moment: datetime) -> Callable[[ChainId], AbstractContextManager[ChainWitness]]:
    @contextmanager
    def opened(chain_id: ChainId) -> Iterator[ChainWitness]:
        from verifier.key_proving import first_witness

        with first_witness(settings.chain(chain_id).resolve(), moment) as witness:
            yield witness

    return opened


def _read(file: Path) -> bytes:
    from verifier.key_proof import ANSWER_BYTES_MAX

    data = read_file(file, ANSWER_BYTES_MAX)
    if len(data) > ANSWER_BYTES_MAX:
        raise InputError(f"{file.name} is larger than {ANSWER_BYTES_MAX} bytes")
    return data


def _write_new(target: Path, document: dict[str, object]) -> None:
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise InputError(
            f"{target.name}: {error.strerror or 'cannot be written'}; the challenge stands, but make a new one"
        ) from None


def _result_json(result: AnswerResult) -> dict[str, object]:
    from verifier.key_proof import MEANING, ProofOutcome

    return {
        "exit_code": result.exit_code,
        "nonce": result.challenge.nonce,
        **{str(outcome): result.count(outcome) for outcome in ProofOutcome},
        "addresses": result.challenge.address_count,
        "addresses_left": result.addresses_left,
        "signatures": [
            {
                "address": each.given.address,
                "scheme": each.given.scheme.value,
                "outcome": each.outcome.value,
                "code": each.code or None,
                "reason": each.reason or None,
                "account_kind": each.account_kind or None,
                "height": each.block.height if each.block is not None else None,
                "block_hash": each.block.block_hash if each.block is not None else None,
                "node_id": each.node_id or None,
                "coins": len(each.coins),
                "coins_base_units": str(sum(coin.value for coin in each.coins)),
            }
            for each in result.judged
        ],
        "meaning": MEANING,
    }


def _show_result(result: AnswerResult) -> None:
    from verifier.key_proof import MEANING, ProofOutcome

    # What needs work comes first.
    order = [ProofOutcome.REFUSED, ProofOutcome.UNVERIFIED, ProofOutcome.ACCEPTED]
    judged = sorted(result.judged, key=lambda each: order.index(each.outcome))
    rows = [
        [
            output.clean(each.given.address),
            each.given.scheme.value,
            f"[{OUTCOME_STYLE[each.outcome]}]{each.outcome}[/{OUTCOME_STYLE[each.outcome]}]",
            output.clean(each.reason),
        ]
        for each in judged[:ROWS_SHOWN]
    ]
    more = f" (the first {ROWS_SHOWN})" if len(judged) > ROWS_SHOWN else ""
    title = output.counted(len(judged), "signature") + more
    output.out().print(output.table(title, ["address", "scheme", "", "why"], rows, folded=["why"]))
    accepted = result.count(ProofOutcome.ACCEPTED)
    left = result.addresses_left
    output.say(f"{accepted} accepted; {left} of {result.challenge.address_count} addresses still to be answered")
    output.paragraph(MEANING, 0)


def _show_chain(chain: ChainKeys, moment: datetime) -> None:
    from verifier.rules.key_coverage import AGE_DAYS
    from verifier.rules.statements import figure

    at = f"at block {chain.sweep.block.height:,}" if chain.sweep is not None else "was never swept to the end"
    output.say(f"[bold]{output.clean(chain.chain_id)}[/bold] {at}")
    rows = [
        [
            output.clean(figure(asset.total, asset.asset)) + (f" + {asset.unread} unread" if asset.unread else ""),
            output.clean(figure(asset.proven, asset.asset)),
            _percent(asset.share_basis_points),
            *(_percent(asset.basis_points(amount)) for amount in asset.proven_within_days),
            f"{asset.oldest_days} d" if asset.oldest_days is not None else "",
        ]
        for asset in chain.assets
    ]
    columns = ["held", "proven", "share", *(f"within {days} d" for days in AGE_DAYS), "oldest"]
    if rows:
        output.out().print(output.table("control proven, by value and age", columns, rows, right=columns))
    for address in chain.unproven[:ROWS_SHOWN]:
        output.say(f"  not proven: {output.clean(address)}")
    if len(chain.unproven) > ROWS_SHOWN:
        output.say(f"  not proven: {len(chain.unproven) - ROWS_SHOWN} more; see --json")
    for each in chain.challenges[-ROWS_SHOWN:]:
        challenge = each.asked.challenge
        output.say(
            f"  challenge {challenge.nonce[:12]}… of {challenge.issued_at:%Y-%m-%d} by "
            f"{output.clean(challenge.asked_by)}: {each.state(moment)}, "
            f"{each.accepted} of {challenge.address_count} answered, {each.refused} refused"
        )


def _percent(basis_points: int | None) -> str:
    return "not known" if basis_points is None else f"{basis_points // 100}.{basis_points % 100:02d} %"
