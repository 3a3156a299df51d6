"""The signers of the configuration, and the secret that salts the liabilities tree."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from verifier.config import Settings
from verifier.errors import ConfigError

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer


def signers_of(settings: Settings) -> list[Signer]:
    """The configured signer; its passphrase comes from the environment.

    Raises `ConfigError` when none is configured or its passphrase is missing, `KeyRefused` and `SignerUnavailable`.
    """
    from exports.keys import load_signer

    if settings.bundle.key_file is None:
        raise ConfigError("no signing key is configured: set key_file in [bundle]")

    def passphrase(_: str) -> str:
        name = settings.bundle.passphrase_env
        value = os.environ.get(name, "") if name else ""
        if not value:
            raise ConfigError(
                "the signing key has a passphrase: name its environment variable in bundle.passphrase_env"
            )
        return value

    return [load_signer(f"file2:{settings.bundle.key_file}", passphrase=passphrase)]


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
