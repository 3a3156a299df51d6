"""All records of a bundle's own file, for its maker; each member is the one the manifest names.

Who signed, and whether the figures compute, is not looked at here: `exports.verify` does that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exports.contents import Contents, ReadLimits, read_member
from exports.errors import ContainerInvalid, RecordInvalid
from exports.manifest import MANIFEST_BYTES_MAX, MANIFEST_NAME, Manifest
from exports.strictzip import StrictZip, ZipLimits


def read_contents(path: Path) -> Contents:
    """The records of a bundle. Raises `BundleError` when the container, the manifest or a member is not right."""
    records: dict[str, tuple[Any, ...]] = {}
    try:
        with path.open("rb") as file:
            container = StrictZip(file, ZipLimits())
            if MANIFEST_NAME not in container.entries:
                raise ContainerInvalid(f"there is no {MANIFEST_NAME}")
            manifest = Manifest.parse(container.read(MANIFEST_NAME, MANIFEST_BYTES_MAX))
            for member in manifest.members:
                if member.name not in container.entries:
                    raise ContainerInvalid(f"{member.name} is missing")
                found, problems = read_member(container, member, ReadLimits())
                if problems:
                    raise RecordInvalid(problems[0])
                records[member.kind] = tuple(found)
    except OSError as error:
        raise ContainerInvalid(f"{path.name}: {error.strerror or 'cannot be read'}") from error
    return Contents(manifest=manifest, **records)
