"""Options that commands about keys share, and the signers they name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verifier.errors import InputError
from verifier.signing import asked_on_terminal, read_public_key, signer_of

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer

    from exports.trust import TrustedKey, TrustedKeys

KeyOption = Annotated[
    str, typer.Option("--key", help="Key file, or URI of a signer such as hsm:2?label=TOKEN.", metavar="KEY")
]
KeysOption = Annotated[
    list[str] | None,
    typer.Option("--key", help="Root key that signs: key file or URI; can be repeated.", metavar="KEY"),
]
PublicKeyOption = Annotated[
    Path | None,
    typer.Option("--public-key", help="Public key (PEM) of a signer that is no file.", metavar="FILE"),
]
PassphraseOption = Annotated[
    str,
    typer.Option(
        "--passphrase-env", help="Environment variable with passphrase or PIN; else it is asked for.", metavar="NAME"
    ),
]
TrustedOption = Annotated[
    Path, typer.Option("--trusted-keys", help="Your list of keys you trust.", metavar="FILE", show_default=True)
]
TRUSTED_KEYS_FILE = Path("trusted-keys.json")


def signer_for_role(
    keys: TrustedKeys, role: str, key: str, public_key: Path | None, passphrase_env: str
) -> tuple[Signer, TrustedKey]:
    """The signer and its entry in the list, which must be of that role and not revoked. Raises `InputError`."""
    from exports.public_keys import pem_of, signer_key_id

    listed = keys.of_role(role)
    if not listed:
        names = ", ".join(each.name for each in keys.roles)
        raise InputError(f"the list of trusted keys has no key of role {role!r}; it has {names}")
    pem = read_public_key(public_key) if public_key is not None else None
    if pem is None and len(listed) == 1:
        pem = pem_of(listed[0].public_key)  # the only one it can be; a key file is held against it too
    signer = signer_of(key, public_key_pem=pem, passphrase_env=passphrase_env, ask=asked_on_terminal())
    own_id = signer_key_id(signer.public_key)
    entry = next((each for each in listed if each.key_id == own_id), None)
    if entry is None:
        raise InputError(f"key {own_id[:16]}… is not listed in the role {role!r}; its signature would not count")
    if entry.revoked_from is not None:
        raise InputError(f"key {entry.name!r} is revoked from {entry.revoked_from.isoformat()}")
    return signer, entry


def root_signers(keys: list[str] | None, public_key: Path | None, passphrase_env: str) -> list[Signer]:
    """The signers named for a list of trusted keys; none when none is named."""
    pem = read_public_key(public_key) if public_key is not None else None
    if pem is not None and len(keys or ()) != 1:
        raise InputError("--public-key belongs to exactly one --key")
    ask = asked_on_terminal()
    return [signer_of(key, public_key_pem=pem, passphrase_env=passphrase_env, ask=ask) for key in keys or ()]
