"""Signers by URI, with their passphrases; the signers of the configuration; the secret of the liabilities tree."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from verifier.config import Settings
from verifier.errors import ConfigError, InputError

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer

KINDS = ("file2", "hsm", "awskms", "gcpkms", "azurekms", "hv")
"""Kinds of signer that a URI may name; anything else is the path of a key file."""


def signer_of(
    key: str, *, public_key_pem: str | None = None, passphrase_env: str = "", ask: Callable[[str], str] | None = None
) -> Signer:
    """The signer that a URI or the path of a key file names.

    Its passphrase or PIN comes from the environment variable that is named, else from `ask`. Raises `InputError` when
    neither gives one, `KeyRefused` and `SignerUnavailable`.
    """
    from exports.keys import load_signer

    def secret(name: str) -> str:
        if passphrase_env:
            if value := os.environ.get(passphrase_env, ""):
                return value
            raise InputError(f"the environment variable {passphrase_env} is not set")
        if ask is None:
            raise InputError(f"the key needs a {name}: name its environment variable with --passphrase-env")
        return ask(name)

    uri = key if key.partition(":")[0] in KINDS and ":" in key else f"file2:{key}"
    if uri.startswith("hsm:"):
        pin = secret("pin")  # asked once, and before the device: a missing PIN is not a device that is down
        return load_signer(uri, public_key_pem=public_key_pem, passphrase=lambda _: pin)
    return load_signer(uri, public_key_pem=public_key_pem, passphrase=secret)


def read_public_key(path: Path) -> str:
    """PEM text of a public key. Raises `InputError` for a file that cannot be read."""
    from exports.keys import KEY_FILE_BYTES_MAX

    try:
        with path.open("rb") as file:
            return file.read(KEY_FILE_BYTES_MAX).decode("ascii", "replace")
    except OSError as error:
        raise InputError(f"{path.name}: {error.strerror or 'cannot be read'}") from None


def asked_on_terminal() -> Callable[[str], str] | None:
    """Asks for a passphrase on the terminal; None where nobody sits at one."""
    if not sys.stdin.isatty():
        return None
    import getpass

    return lambda name: getpass.getpass(f"{name}: ")


def signers_of(settings: Settings) -> list[Signer]:
    """The configured signers; their passphrases and PINs come from the environment.

    Raises `ConfigError` when none is configured or a passphrase is missing, `KeyRefused` and `SignerUnavailable`.
    """
    bundle = settings.bundle
    named: list[tuple[str, Path | None, str | None]] = []
    if bundle.key_file is not None:
        named.append((f"file2:{bundle.key_file}", None, bundle.passphrase_env))
    named += [(each.uri, each.public_key_file, each.passphrase_env) for each in bundle.signers]
    if not named:
        raise ConfigError("no signing key is configured: set key_file or signers in [bundle]")
    signers = []
    for uri, public_key_file, passphrase_env in named:
        pem = read_public_key(public_key_file) if public_key_file is not None else None
        try:
            signers.append(signer_of(uri, public_key_pem=pem, passphrase_env=_set(passphrase_env)))
        except InputError:
            raise ConfigError(
                "the signing key has a passphrase: name its environment variable in bundle.passphrase_env"
            ) from None
    return signers


def _set(passphrase_env: str | None) -> str:
    """The name of the variable, when it has a value."""
    return passphrase_env if passphrase_env and os.environ.get(passphrase_env) else ""


def liabilities_secret_of(settings: Settings) -> bytes:
    """The firm's secret for the liabilities tree.

    Raises `ConfigError` when none is configured or there is no such file, and `KeyRefused` for one that is not private.
    """
    from exports.firm_secret import read_secret

    path = settings.bundle.liabilities_secret_file
    if path is None:
        raise ConfigError("no secret for the liabilities tree: set key_file or liabilities_secret_file in [bundle]")
    if not path.exists():
        raise ConfigError(f"{path.name}, which salts the liabilities tree, is not there: run `custody init` to make it")
    return read_secret(path)
