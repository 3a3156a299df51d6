"""`custody evidence`: what others publish about their addresses, taken for what it is worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli import output
from verifier.cli.context import ActorOption, JsonOption, command, now, opened_store, settings_of
from verifier.cli.typed import read_file
from verifier.errors import InputError

if TYPE_CHECKING:
    from exports.outside_evidence import OutsideDocument

LINES_SHOWN = 200


def register(app: typer.Typer) -> None:
    """Add the commands."""
    evidence_app = typer.Typer(no_args_is_help=True, help="Others' evidence: reserve lists, signed messages, BIP-127.")
    app.add_typer(evidence_app, name="evidence")
    evidence_app.command("import")(import_)
    evidence_app.command("list")(list_)
    evidence_app.command("show")(show)


@command
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file as it was published.")],
    source: Annotated[str, typer.Option(help="Whose evidence it is.")],
    kind: Annotated[str, typer.Option(help="list or bip127.")] = "list",
    chain: Annotated[str, typer.Option(help="CAIP-2 id, where the file does not say it.")] = "",
    message: Annotated[str, typer.Option(help="What a proof by BIP-127 commits to.")] = "",
    coins: Annotated[
        Path | None,
        typer.Option(help="What a proof file by BIP-127 spends: transaction, output, satoshis, address."),
    ] = None,
    no_node: Annotated[bool, typer.Option("--no-node", help="Ask no node: every amount is stated.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge everything and store nothing.")] = False,
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Take a file of others: signatures judged, amounts asked of our own node where a chain is configured.

    An amount is `read` where our node said the same at that height, else `stated`. A signature shows that the keys
    signed at some time before, never that they are there now. Nothing of it counts in any balance.

    A proof file by BIP-127 does not say what it spends: signatures over coins that --coins lists are judged, and of
    every other coin it is said that it was not.

    Exit code 0: stored, nothing refused. 1: stored, and a signature was refused or an amount differs. 2: problems,
    each with file, line and field; nothing was stored.

    Example: custody evidence import okx_por.csv --source "OKX snapshot of October 2024"
    """
    from chains.types import parse_chain_id
    from exports.outside_kinds import EvidenceKind
    from verifier.outside_import import import_evidence, open_first_node
    from verifier.outside_view import document_json

    if kind not in tuple(EvidenceKind):
        raise InputError(f"--kind is one of {', '.join(EvidenceKind)}")
    data, spent = read_file(file), read_file(coins) if coins is not None else None
    settings = settings_of(ctx)
    sections = {} if no_node else {section.chain_id: section for section in settings.chains}
    with opened_store(settings) as store:
        found = import_evidence(
            store,
            data,
            EvidenceKind(kind),
            source=source,
            chain_id=parse_chain_id(chain) if chain else None,
            message=message,
            config_of=lambda each: sections[each].resolve() if each in sections else None,
            open_reader=open_first_node,
            actor=actor,
            now=now(),
            dry_run=dry_run,
            coins=spent,
        )
    stored = found.stored.evidence_id if found.stored is not None else None
    if as_json:
        problems = [
            {"file": file.name, "line": e.line, "column": e.column, "value": e.value, "reason": e.reason}
            for e in found.problems
        ]
        output.emit_json(
            {"stored": stored, "problems": problems, **(document_json(found.document) if found.document else {})}
        )
    else:
        for each in found.problems:
            where = f"{file.name}:{each.line}" + (f" [{each.column}]" if each.column else "")
            output.say(
                output.clean(f"{where}: {each.value!r}: {each.reason}" if each.value else f"{where}: {each.reason}")
            )
        if found.document is not None:
            output.say(f"{'stored as ' + stored if stored else 'would be stored (dry run)'}")
            _show(found.document)
    if found.document is None:
        return 2
    return 1 if _contradicted(found.document) else 0


@command
def list_(ctx: typer.Context, as_json: JsonOption = False) -> int:
    """What was imported, oldest first. Exit code 2 when there is nothing.

    Example: custody evidence list
    """
    from exports.outside_evidence import document_of
    from verifier.outside_view import counts, evidence_json

    with opened_store(settings_of(ctx)) as store:
        found = store.imported_evidence()
    if as_json:
        output.emit_json({"evidence": [evidence_json(each, whole=False) for each in found]})
    else:
        for each in found:
            document = document_of(each.document)
            counted = ", ".join(f"{name} {number}" for name, number in counts(document).items())
            output.say(output.clean(f"{each.evidence_id}  {document.source}  {document.kind}: {counted}"))
        if not found:
            output.say("nothing was imported")
    return 0 if found else 2


@command
def show(
    ctx: typer.Context,
    evidence_id: Annotated[str, typer.Argument(help="Such as OE-000001.")],
    as_json: JsonOption = False,
) -> int:
    """One file, line by line: what each is worth, and why.

    Example: custody evidence show OE-000001
    """
    from exports.outside_evidence import document_of
    from verifier.outside_view import evidence_json

    with opened_store(settings_of(ctx)) as store:
        found = next((each for each in store.imported_evidence() if each.evidence_id == evidence_id), None)
    if found is None:
        raise InputError(f"there is no evidence {evidence_id}")
    if as_json:
        output.emit_json(evidence_json(found, whole=True))
    else:
        _show(document_of(found.document))
    return 0


def _contradicted(document: OutsideDocument) -> bool:
    from exports.outside_judging import Control, Holding

    return any(line.control is Control.REFUSED or line.holding is Holding.DIFFERS for line in document.lines)


def _show(document: OutsideDocument) -> None:
    output.say(output.clean(f"{document.source}: {document.kind}, {document.layout}, {len(document.lines)} lines"))
    for line in document.lines[:LINES_SHOWN]:
        amount = f"{line.amount} {line.coin} {line.holding}" if line.amount else "no amount"
        output.say(
            output.clean(f"  {line.line}: {line.address}: {amount}; control {line.control}: {line.control_reason}")
        )
    if len(document.lines) > LINES_SHOWN:
        output.say(f"  and {len(document.lines) - LINES_SHOWN} more; --json shows all")
    output.say("  Others' word but for what is called read or shown; it counts in no balance of ours.")
