"""`custody sign`, `countersign` and `timestamp`: what is added to a bundle that exists, beside its digest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli import output
from verifier.cli.context import JsonOption, command, now
from verifier.cli.key_options import (
    TRUSTED_KEYS_FILE,
    KeyOption,
    PassphraseOption,
    PublicKeyOption,
    TrustedOption,
    signer_for_role,
)
from verifier.cli.verifying import TsaOption, node_of, show_report
from verifier.errors import InputError

if TYPE_CHECKING:
    from exports.trust import RoleCount, TrustedKeys
    from exports.verdict import VerificationReport

BundleArgument = Annotated[Path, typer.Argument(help="The bundle; the signature is added to it.", metavar="BUNDLE")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(sign)
    app.command()(countersign)
    app.command()(timestamp)


@command
def sign(
    bundle: BundleArgument,
    role: Annotated[str, typer.Option(help="The role you sign in, for example cco.")],
    key: KeyOption,
    trusted_keys: TrustedOption = TRUSTED_KEYS_FILE,
    public_key: PublicKeyOption = None,
    passphrase_env: PassphraseOption = "",
    as_json: JsonOption = False,
) -> int:
    """Add your signature to a bundle of your firm. Its digest stays the same.

    All checks are made first; only signatures may still be missing. A bundle that contradicts itself is not signed.

    Example: custody sign audit.zip --role cco --key keys/cco.pem
    """
    from exports.trust import AUDITOR

    if role == AUDITOR:
        raise InputError("an auditor signs with `custody countersign`, which asks for everything to be verified")
    keys = _list(trusted_keys)
    signer, entry = signer_for_role(keys, role, key, public_key, passphrase_env)
    report = _verified(bundle, keys, partly_signed=True)
    return _add(bundle, keys, report, signer, entry.name, as_json=as_json)


@command
def countersign(
    bundle: BundleArgument,
    key: KeyOption,
    trusted_keys: TrustedOption = TRUSTED_KEYS_FILE,
    rpc: Annotated[
        list[str] | None,
        typer.Option(help="Ask your own node too, as CHAIN=URL; can be repeated.", metavar="CHAIN=URL"),
    ] = None,
    tsa_certificate: TsaOption = None,
    public_key: PublicKeyOption = None,
    passphrase_env: PassphraseOption = "",
    as_json: JsonOption = False,
) -> int:
    """Add an auditor's counter-signature: it says that the bundle verified, not that what it says is true.

    Everything is verified first, as `custody verify` does, all roles of the firm included.

    Example: custody countersign audit.zip --key auditor.pem --rpc eip155:1=https://my-node.example
    """
    from exports.timestamps import load_certificates
    from exports.trust import AUDITOR

    keys = _list(trusted_keys)
    readers = dict(node_of(text) for text in rpc or ())
    signer, entry = signer_for_role(keys, AUDITOR, key, public_key, passphrase_env)
    certificates = load_certificates(tsa_certificate) if tsa_certificate is not None else []
    report = _verified(bundle, keys, readers=readers, tsa_certificates=certificates)
    return _add(bundle, keys, report, signer, entry.name, as_json=as_json)


@command
def timestamp(
    bundle: Annotated[Path, typer.Argument(help="The bundle; the stamp is added to it.", metavar="BUNDLE")],
    tsa: Annotated[
        str,
        typer.Option(help="The authority. Plain HTTP beyond this machine: http+insecure://…", metavar="URL"),
    ],
    tsa_certificate: Annotated[
        Path,
        typer.Option(help="Root certificate (PEM) of the authority.", metavar="FILE"),
    ],
    as_json: JsonOption = False,
) -> int:
    """Add a time stamp (RFC 3161): an authority says that the bundle existed at a moment. Its digest stays.

    Only the digest is sent. The answer is verified before it is added; readers verify it offline, with
    `custody verify --tsa-certificate`.

    Example: custody timestamp audit.zip --tsa https://tsa.example/tsr --tsa-certificate tsa-root.pem
    """
    from exports.codec import time_text
    from exports.timestamps import load_certificates
    from verifier.time_stamping import stamp_bundle

    stamped = stamp_bundle(bundle, tsa, load_certificates(tsa_certificate), now())
    if as_json:
        output.emit_json(
            {
                "file": str(bundle),
                "digest": stamped.digest,
                "stamped_at": time_text(stamped.moment),
                "member": stamped.member,
            }
        )
    else:
        output.say(f"[green]stamped[/green] {output.clean(bundle)}: it existed at {time_text(stamped.moment)}")
        output.say(f"  SHA-256 of the manifest, as before: {stamped.digest}")
    return output.EXIT_OK


def _list(path: Path) -> TrustedKeys:
    from exports.keys import load_trusted_keys

    keys = load_trusted_keys(path)
    keys.require_current(now())
    return keys


def _verified(bundle: Path, keys: TrustedKeys, **options: object) -> VerificationReport:
    from exports.verify import verify_bundle

    with output.progress("verifying", None, quiet=True):
        return verify_bundle(bundle, keys, now=now(), **options)  # type: ignore[arg-type]


def _add(
    bundle: Path, keys: TrustedKeys, report: VerificationReport, signer: object, name: str, *, as_json: bool
) -> int:
    from exports.additions import add_signatures

    if not report.verified or report.bundle is None:
        if as_json:
            output.emit_json({"signed": False, "report": report.to_dict()})
        else:
            show_report(report)
            output.say("[bold red]not signed[/bold red]")
        return report.exit_code
    added = add_signatures(bundle, [signer], report.bundle.digest)  # type: ignore[list-item]
    after = _verified(bundle, keys, partly_signed=True)
    roles = after.bundle.roles if after.bundle is not None else ()
    missing = [count for count in roles if count.required and not count.is_met]
    if as_json:
        output.emit_json(
            {
                "signed": True,
                "file": str(bundle),
                "digest": added.digest,
                "by": name,
                "members": list(added.names),
                "roles": [count.to_dict() for count in roles],
                "missing": [count.role for count in missing],
            }
        )
    else:
        output.say(f"[green]signed[/green] {output.clean(bundle)} by {output.clean(name)}")
        output.say(f"  SHA-256 of the manifest, as before: {added.digest}")
        for count in roles:
            output.say(f"  {_mark(count)} {output.clean(count.text())}")
    return output.EXIT_OK


def _mark(count: RoleCount) -> str:
    if count.is_met:
        return "[green]signed [/green]"
    return "[yellow]missing[/yellow]" if count.required else "[dim]open   [/dim]"
