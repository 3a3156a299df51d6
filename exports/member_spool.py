"""Members of a bundle that is being made, kept in a file without a name: a large bundle needs no memory of its size."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator, MutableMapping
from pathlib import Path

MEMORY_BYTES_MAX = 64 * 1024 * 1024
"""Members of a bundle no larger than this together stay in memory."""


class MemberSpool(MutableMapping[str, bytes]):
    """Contents by name, as a dict has them; each is read from the file whenever it is asked for.

    Raises `OSError` when the file cannot be written. The file ends with this object, or with the process.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Larger contents go into a file in the folder; None: where the system keeps temporary files."""
        beside = None if folder is None else str(folder)
        self._file = tempfile.SpooledTemporaryFile(max_size=MEMORY_BYTES_MAX, dir=beside)  # noqa: SIM115 - closed below
        weakref.finalize(self, self._file.close)
        self._places: dict[str, tuple[int, int]] = {}

    def __setitem__(self, name: str, data: bytes) -> None:
        """Keep a content; one of the same name before it is forgotten."""
        offset = self._file.seek(0, 2)
        self._file.write(data)
        self._places[name] = offset, len(data)

    def __getitem__(self, name: str) -> bytes:
        """A content, whole."""
        offset, size_bytes = self._places[name]
        self._file.seek(offset)
        data = self._file.read(size_bytes)
        if len(data) != size_bytes:
            raise OSError(f"{name}: the temporary file lost what was written to it")
        return data

    def __delitem__(self, name: str) -> None:
        """Forget a content; its room in the file stays taken."""
        del self._places[name]

    def __iter__(self) -> Iterator[str]:
        """The names, as they came."""
        return iter(self._places)

    def __len__(self) -> int:
        """How many contents there are."""
        return len(self._places)
