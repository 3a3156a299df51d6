"""The section `[bundle]`: whose keys sign, and what salts the liabilities tree."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from verifier.settings.section import Section

SALT_FILE_NAME = "liabilities-secret.hex"
"""Name of the file beside the signing key that salts the liabilities tree."""


class SignerSettings(Section):
    """A key that signs bundles, in a device or a service."""

    uri: str
    """As securesystemslib names it: `hsm:2?label=TOKEN`, `awskms:KEY`, `file2:PATH`."""
    public_key_file: Path | None = None
    """Its public key (PEM); only a key file can do without."""
    passphrase_env: str | None = None
    """Name of the environment variable that holds the PIN or passphrase."""


class BundleSettings(Section):
    """How bundles are signed."""

    key_file: Path | None = None
    """The signing key (PEM, mode 0600)."""
    passphrase_env: str | None = None
    """Name of the environment variable that holds the key's passphrase."""
    signers: list[SignerSettings] = Field(default=[])
    """Keys that sign every export besides, or instead of, `key_file`."""
    liabilities_secret_file: Path | None = None
    """What salts the liabilities tree (64 hex digits, mode 0600); by default beside the signing key."""
