"""`custody keys`: key pairs, and the list of trusted keys: made, changed, signed by root keys, followed by readers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli import output
from verifier.cli.context import JsonOption, command, now
from verifier.cli.key_options import (
    TRUSTED_KEYS_FILE,
    KeyOption,
    KeysOption,
    PassphraseOption,
    PublicKeyOption,
    root_signers,
)
from verifier.cli.typed import moment_of
from verifier.errors import InputError
from verifier.signing import asked_on_terminal, read_public_key

if TYPE_CHECKING:
    from exports.trust import TrustedKey, TrustedKeys

ListArgument = Annotated[Path, typer.Argument(help="The list of trusted keys.", metavar="FILE")]
OutOption = Annotated[Path, typer.Option("--out", help="Where to write the new list; a new file.", metavar="FILE")]
AddOption = Annotated[
    list[str] | None,
    typer.Option("--add", help="A key: its role, its name if it has one, its public key.", metavar="ROLE[:NAME]=FILE"),
]
ThresholdOption = Annotated[
    list[str] | None,
    typer.Option("--threshold", help="How many keys of a role must sign.", metavar="ROLE=N"),
]
OptionalOption = Annotated[
    list[str] | None, typer.Option("--optional", help="A role that need not sign.", metavar="ROLE")
]
DaysOption = Annotated[int, typer.Option("--days", min=1, max=3650, help="How long the list is valid.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    keys_app = typer.Typer(
        no_args_is_help=True,
        help="Key pairs, and the list of keys that readers trust: see docs/keys.md for the procedures.",
    )
    app.add_typer(keys_app, name="keys")
    keys_app.command("new")(new)
    keys_app.command("public")(public)
    keys_app.command("show")(show)
    keys_app.command("init")(init)
    keys_app.command("rotate")(rotate)
    keys_app.command("revoke")(revoke)
    keys_app.command("sign")(sign)
    keys_app.command("update")(update)


@command
def new(
    file: Annotated[Path, typer.Argument(help="New file for the private key (mode 0600).", metavar="FILE")],
    passphrase_env: PassphraseOption = "",
    plain: Annotated[bool, typer.Option("--plain", help="Write the key without a passphrase.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Make a key pair: the private key for you alone, and beside it the public key to hand out.

    Example: custody keys new cco.pem
    """
    from exports.keys import create_key_pair
    from exports.public_keys import parse_public_key

    public_file = file.with_name(f"{file.stem}.pub.pem")
    if public_file.exists():
        raise InputError(f"{public_file} exists already; it was not overwritten")
    pem = create_key_pair(file, None if plain else _new_passphrase(passphrase_env))
    public_file.write_text(pem, encoding="ascii")
    key_id = parse_public_key(pem).keyid
    if as_json:
        output.emit_json({"private_key": str(file), "public_key": str(public_file), "key_id": key_id})
    else:
        output.say(f"[green]created[/green] {output.clean(file)} and {output.clean(public_file)}")
        output.say(f"key id {key_id}")
        output.say("Tell whoever lists it this id by another way than the file.")
    return output.EXIT_OK


@command
def public(
    key: KeyOption,
    passphrase_env: PassphraseOption = "",
    as_json: JsonOption = False,
) -> int:
    """Print the public key (PEM) of a key file, or of a PKCS#11 device (hsm:ID?label=TOKEN).

    Example: custody keys public --key 'hsm:2?label=custody' > operations.pub.pem
    """
    from exports.keys import device_public_key
    from exports.public_keys import parse_public_key, public_key_pem

    if key.startswith("hsm:"):
        pem = device_public_key(key)
    else:
        pem = public_key_pem(root_signers([key], None, passphrase_env)[0].public_key)
    if as_json:
        output.emit_json({"public_key": pem, "key_id": parse_public_key(pem).keyid})
    else:
        typer.echo(pem, nl=False)
    return output.EXIT_OK


@command
def show(file: ListArgument = TRUSTED_KEYS_FILE, as_json: JsonOption = False) -> int:
    """Show a list: its roles and keys, until when it holds, and which root keys signed it.

    Exit code 2 when it has expired, lacks signatures of its own root keys, or has too few keys that can sign.

    Example: custody keys show trusted-keys.json
    """
    from exports.keys import load_trusted_keys

    return _show(load_trusted_keys(file, finished=False), as_json=as_json)


@command
def init(
    out: OutOption,
    add: AddOption = None,
    threshold: ThresholdOption = None,
    optional: OptionalOption = None,
    days: DaysOption = 365,
    key: KeysOption = None,
    public_key: PublicKeyOption = None,
    passphrase_env: PassphraseOption = "",
    as_json: JsonOption = False,
) -> int:
    """Make the first version of a list, signed by its root keys. The role auditor need not sign bundles.

    Example: custody keys init --out trusted-keys.json --add root=root.pub.pem --add operations=ops.pub.pem
    --add cco=cco.pub.pem --key root.pem
    """
    from exports.trust import AUDITOR, trusted_keys

    keys = trusted_keys(
        _entries(add),
        expires=_until(days),
        thresholds=_thresholds(threshold),
        optional=(AUDITOR, *(optional or ())),
    )
    return _write(keys, None, out, key, public_key, passphrase_env, as_json=as_json)


@command
def rotate(
    file: ListArgument,
    out: OutOption,
    add: AddOption = None,
    remove: Annotated[
        list[str] | None, typer.Option(help="A key to take out, by its id or the beginning of it.", metavar="ID")
    ] = None,
    threshold: ThresholdOption = None,
    require: Annotated[list[str] | None, typer.Option(help="A role that must sign.", metavar="ROLE")] = None,
    optional: OptionalOption = None,
    days: DaysOption = 365,
    key: KeysOption = None,
    public_key: PublicKeyOption = None,
    passphrase_env: PassphraseOption = "",
    as_json: JsonOption = False,
) -> int:
    """Make the next version of a list: keys added or taken out, or only a later end.

    Root keys of the version before and of the new one must sign it, each up to its threshold; until enough have
    (`custody keys sign`) it is a draft. The role of a new key must sign unless it is said to be optional.

    Example: custody keys rotate trusted-keys.json --out 2.json --add operations:new=new.pub.pem --remove 0123abcd
    --key root.pem
    """
    from exports.trust_changes import Change, next_version

    held = _held(file)
    change = Change(_until(days), _entries(add), remove or (), _thresholds(threshold), require or (), optional or ())
    return _write(next_version(held, change), held, out, key, public_key, passphrase_env, as_json=as_json)


@command
def revoke(
    file: ListArgument,
    key_id: Annotated[str, typer.Argument(help="The key's id, or the beginning of it.", metavar="ID")],
    out: OutOption,
    since: Annotated[
        str, typer.Option("--from", help="From when on; now, if not given.", metavar="2026-01-31T23:59:59Z")
    ] = "",
    compromised: Annotated[
        bool,
        typer.Option("--compromised", help="Somebody else may have it: only bundles stamped before count."),
    ] = False,
    days: DaysOption = 365,
    key: KeysOption = None,
    public_key: PublicKeyOption = None,
    passphrase_env: PassphraseOption = "",
    as_json: JsonOption = False,
) -> int:
    """Make the next version of a list, in which one key is revoked. A root key is taken out instead (rotate).

    Example: custody keys revoke trusted-keys.json 0123abcd --compromised --out 2.json --key root.pem
    """
    from exports.trust_changes import with_revoked

    held = _held(file)
    revoked = with_revoked(
        held, key_id, moment_of(since, now().replace(microsecond=0)), compromised=compromised, expires=_until(days)
    )
    return _write(revoked, held, out, key, public_key, passphrase_env, as_json=as_json)


@command
def sign(
    file: ListArgument,
    key: KeysOption = None,
    public_key: PublicKeyOption = None,
    passphrase_env: PassphraseOption = "",
    as_json: JsonOption = False,
) -> int:
    """Add the signature of a root key to a draft of a list, in its place.

    Look at it first (`custody keys show`): what you sign is what readers will trust.

    Example: custody keys sign 2.json --key root-b.pem
    """
    from exports.keys import load_trusted_keys, sign_list, write_list

    signers = root_signers(key, public_key, passphrase_env)
    if not signers:
        raise InputError("name a root key with --key")
    signed = sign_list(load_trusted_keys(file, finished=False), signers)
    write_list(file, signed, replace=True)
    return _show(signed, as_json=as_json)


@command
def update(
    held: Annotated[Path, typer.Argument(help="The list you hold; replaced by the newest.", metavar="HELD")],
    newer: Annotated[list[Path], typer.Argument(help="Later versions, in any order.", metavar="NEWER...")],
    as_json: JsonOption = False,
) -> int:
    """Take over later versions of the list you hold, each signed by the root keys before it. Never goes back.

    Example: custody keys update trusted-keys.json 2.json 3.json
    """
    from exports.keys import load_trusted_keys, write_list
    from exports.trust import follow_all

    before = load_trusted_keys(held)
    after = follow_all(before, [load_trusted_keys(path) for path in newer], now())
    if after.version != before.version:
        write_list(held, after, replace=True)
    return _show(after, as_json=as_json, before=before.version)


def _write(
    keys: TrustedKeys,
    held: TrustedKeys | None,
    out: Path,
    key: Sequence[str] | None,
    public_key: Path | None,
    passphrase_env: str,
    *,
    as_json: bool,
) -> int:
    """Sign and write a list; show it, and what is still to be signed."""
    from exports.keys import sign_list, write_list

    signed = sign_list(keys, root_signers(list(key or ()), public_key, passphrase_env))
    write_list(out, signed)
    return _show(signed, as_json=as_json, held=held)


def _show(keys: TrustedKeys, *, as_json: bool, held: TrustedKeys | None = None, before: int | None = None) -> int:
    from exports.codec import time_text, to_object
    from exports.errors import TrustedKeysInvalid
    from exports.trust import follow, unreachable

    lacks = []
    try:
        if held is None:
            keys.require_signed()
        else:
            follow(held, keys)
    except TrustedKeysInvalid as error:
        lacks.append(f"draft: {error}")
    lacks += [
        f"role {name}: too few unrevoked keys are left to sign a bundle from now on" for name in unreachable(keys)
    ]
    try:
        keys.require_current(now())
    except TrustedKeysInvalid as error:
        lacks.append(str(error))
    if as_json:
        output.emit_json({"list": to_object(keys), "lacks": lacks, "version_before": before})
    else:
        output.say(f"version {keys.version}, valid until {time_text(keys.expires)}")
        signers = {each.key_id for each in keys.signatures}
        roles = {role.name: role for role in keys.roles}
        rows = []
        for each in sorted(keys.keys, key=lambda key: (key.role, key.name)):
            role = roles[each.role]
            notes = ["signed this list"] if each.key_id in signers else []
            if each.revoked_from is not None:
                word = "compromised" if each.compromised else "revoked"
                notes.append(f"{word} from {time_text(each.revoked_from)}")
            usable = sum(key.revoked_from is None for key in keys.of_role(each.role))
            of = f"{role.threshold} of {usable}" + (", must sign" if role.required else "")
            rows.append([output.clean(each.role), of, output.clean(each.name), each.key_id[:16], "; ".join(notes)])
        output.out().print(output.table("keys", ["role", "threshold", "name", "key id", ""], rows))
        for text in lacks:
            output.say(f"[yellow]{output.clean(text)}[/yellow]")
    return output.EXIT_NOT_CHECKED if lacks else output.EXIT_OK


def _held(path: Path) -> TrustedKeys:
    from exports.keys import load_trusted_keys

    return load_trusted_keys(path)


def _entries(texts: Sequence[str] | None) -> list[TrustedKey]:
    from exports.trust import trusted_key

    entries = []
    for text in texts or ():
        named, _, file = text.partition("=")
        role, _, name = named.partition(":")
        if not role or not file:
            raise InputError(f"{text!r} is not ROLE=FILE or ROLE:NAME=FILE")
        entries.append(trusted_key(name or role, read_public_key(Path(file)), role))
    return entries


def _thresholds(texts: Sequence[str] | None) -> dict[str, int]:
    found = {}
    for text in texts or ():
        role, _, number = text.partition("=")
        if not role or not (number.isascii() and number.isdigit()):
            raise InputError(f"{text!r} is not ROLE=N")
        found[role] = int(number)
    return found


def _until(days: int) -> datetime:
    return now().replace(microsecond=0) + timedelta(days=days)


def _new_passphrase(passphrase_env: str) -> str:
    import os

    if passphrase_env:
        if value := os.environ.get(passphrase_env, ""):
            return value
        raise InputError(f"the environment variable {passphrase_env} is not set")
    ask = asked_on_terminal()
    if ask is None:
        raise InputError("give a passphrase by --passphrase-env, or say --plain to do without one")
    first = ask("passphrase")
    if not first or first != ask("the same again"):
        raise InputError("the passphrases are empty or differ; nothing was written")
    return first
