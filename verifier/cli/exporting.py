"""`custody export`: the signed bundle that outsiders check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verifier.cli import output
from verifier.cli.context import ActorOption, JsonOption, command, now, opened_store, settings_of
from verifier.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)


@command
def export(
    ctx: typer.Context,
    out_file: Annotated[Path, typer.Option("--out", help="Where to write the bundle.", metavar="FILE")],
    since: Annotated[
        str,
        typer.Option(help="Include the movements of a chain from this height on.", metavar="CHAIN=HEIGHT"),
    ] = "",
    profile: Annotated[
        str, typer.Option(help="What to show: full, pseudonymous or client:ID.", metavar="PROFILE")
    ] = "full",
    source: Annotated[
        Path | None,
        typer.Option("--of", help="The full bundle to make it from; else the newest issued.", metavar="FILE"),
    ] = None,
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> int:
    """Write the signed auditor bundle: the newest sweep of every chain, and all that belongs to it.

    Movements are included from the previous bundle on, or from the first covered block. Another file that
    exists is not overwritten.

    With --profile pseudonymous or client:ID a bundle that shows less is made from a full one that was issued: the
    same figures and liabilities root, without who the clients are, or one client's own alone.

    Example: custody export --out audit-2026-03.zip
    """
    from exports.profiles import Profile, disclosure_lines
    from verifier.bundle_view import written_json
    from verifier.bundling import issue_bundle
    from verifier.disclosing import Audience, disclose_bundle
    from verifier.signing import liabilities_secret_of, signers_of

    settings, audience = settings_of(ctx), Audience.parse(profile)
    is_full = audience.profile is Profile.FULL
    if not out_file.parent.is_dir():
        raise InputError(f"there is no folder {out_file.parent}")
    if is_full and source is not None:
        raise InputError("--of goes with --profile pseudonymous or client:ID")
    if since and not is_full:
        raise InputError("--since goes with a full bundle: what shows less is made from one")
    with opened_store(settings) as store:
        signers, secret = signers_of(settings), liabilities_secret_of(settings)
        if is_full:
            written = issue_bundle(store, settings, out_file, _since(since), signers, actor, now, secret)
        else:
            written = disclose_bundle(store, source, audience, out_file, signers, actor, now, secret)
    if as_json:
        output.emit_json({"file": str(written.path)} | written_json(written))
    else:
        manifest = written.manifest
        output.say(
            f"[green]written[/green] {output.clean(written.path)}: bundle {manifest.sequence}, as of "
            f"{manifest.as_of:%Y-%m-%d %H:%M:%S} UTC, {written.size_bytes:,} bytes"
        )
        counts = ", ".join(f"{member.records:,} {member.kind}" for member in manifest.members)
        output.paragraph(f"holds {counts}", indent=2)
        for line in disclosure_lines(manifest.profile, manifest.subject, manifest.disclosure):
            output.say(output.clean(line))
        output.say(f"SHA-256 of the manifest: [bold]{written.digest}[/bold]")
        output.say("Tell the auditor this digest by another way than the file.")
        output.say(f"Liabilities root: {written.liabilities_root}")
        output.say("Publish it to all clients: `custody inclusion` makes what each of them checks against it.")
    return output.EXIT_OK


def _since(text: str) -> dict[str, int]:
    if not text:
        return {}
    chain, _, height = text.rpartition("=")
    if not chain or not (height.isascii() and height.isdigit()):
        raise InputError(f"{text!r} is not CHAIN=HEIGHT")
    return {chain: int(height)}
