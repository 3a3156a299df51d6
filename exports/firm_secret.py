"""The firm's secret that salts the liabilities tree: a file of its own, which never goes into a bundle.

It is 32 random bytes as 64 hex digits. Who has it can recognise every owner's leaves in any published tree, so it is
kept like the signing key. A new one changes only trees made afterwards.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Final

from exports.errors import KeyRefused
from exports.keys import read_private_file, write_private_file

SECRET_BYTES: Final = 32
_HEX: Final = re.compile(rb"[0-9a-f]{64}\n?")


def create_secret(path: Path) -> None:
    """Write a new secret to a new file of mode 0600. An existing file is never replaced (`KeyRefused`)."""
    write_private_file(path, secrets.token_hex(SECRET_BYTES).encode("ascii") + b"\n")


def read_secret(path: Path) -> bytes:
    """The secret's 32 bytes.

    Raises `KeyRefused` for a link, a file of somebody else or open to others, and anything but 64 hex digits.
    """
    data = read_private_file(path)
    if not _HEX.fullmatch(data):
        raise KeyRefused(f"{path.name}: not a secret of 64 hex digits")
    return bytes.fromhex(data.decode("ascii"))
