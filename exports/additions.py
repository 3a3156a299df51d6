"""Signatures and time stamps added to a bundle that exists: its manifest, and so its digest, stays as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from exports.bundle import write_whole
from exports.envelope import SIGNATURES_MAX, sign_manifest
from exports.errors import BundleError, ContainerInvalid
from exports.manifest import MANIFEST_BYTES_MAX, MANIFEST_NAME, SIGNATURE_NAME, digest_hex
from exports.strictzip import StrictZip

if TYPE_CHECKING:
    from securesystemslib.signer import Signer  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Added:
    """What was added to a bundle."""

    digest: str
    """Of the bundle: the same before and after."""
    names: tuple[str, ...]
    """Members that are new or were replaced, ascending."""
    size_bytes: int


def add_signatures(path: Path, signers: Sequence[Signer], expected_digest: str) -> Added:
    """Sign the bundle's manifest with each signer and add the envelopes; a signature of the same key is replaced.

    `expected_digest` is that of the bundle that was looked at before: another file in its place is refused. The file
    is replaced whole or not at all. Raises `SignerUnavailable`, `ContainerInvalid` and `BundleNotWritten`.
    """
    manifest = read_manifest(path)
    if digest_hex(manifest) != expected_digest:
        raise ContainerInvalid(f"{path.name}: is another bundle than the one that was verified")
    return add_members(path, sign_manifest(manifest, signers).members, expected_digest)


def add_members(path: Path, added: Mapping[str, bytes], expected_digest: str) -> Added:
    """Add members beside the payload. Raises `ContainerInvalid` for a file that is no bundle or another one."""
    members = _members(path)
    if digest_hex(members.get(MANIFEST_NAME, b"")) != expected_digest:
        raise ContainerInvalid(f"{path.name}: is another bundle than the one that was verified")
    members.update(added)
    if sum(SIGNATURE_NAME.fullmatch(name) is not None for name in members) > SIGNATURES_MAX:
        raise ContainerInvalid(f"{path.name}: a bundle has at most {SIGNATURES_MAX} signatures")
    return Added(expected_digest, tuple(sorted(added)), write_whole(path, members))


def read_manifest(path: Path) -> bytes:
    """The bytes of a bundle's manifest. Raises `ContainerInvalid` for a file that is none."""
    try:
        with path.open("rb") as file:
            container = StrictZip(file)
            if MANIFEST_NAME not in container.entries:
                raise ContainerInvalid(f"{path.name}: there is no {MANIFEST_NAME}")
            return container.read(MANIFEST_NAME, MANIFEST_BYTES_MAX)
    except OSError as error:
        raise ContainerInvalid(f"{path.name}: {error.strerror or 'cannot be read'}") from error


def _members(path: Path) -> dict[str, bytes]:
    try:
        with path.open("rb") as file:
            container = StrictZip(file)
            return {name: container.read(name, entry.size_bytes) for name, entry in container.entries.items()}
    except OSError as error:
        raise ContainerInvalid(f"{path.name}: {error.strerror or 'cannot be read'}") from error
    except BundleError as error:
        raise ContainerInvalid(f"{path.name}: {error}") from error
