"""The rows of a file that has millions of them, packed: a few dozen bytes each instead of an object. Pure."""

from __future__ import annotations

import marshal
import zlib
from collections.abc import Iterator
from typing import Final

from mapping.types import Origin

Plain = tuple[str | int | None, ...]
"""A record as plain values, one for each of its fields in their order: texts, whole numbers, nothing."""

_ROWS_PER_CHUNK: Final = 4_000
_LEVEL: Final = 1
"""Fast rather than small: a day's rows differ in few fields, so even this makes them a tenth."""


class RowPack:
    """Rows of one table from one file or one posted row, in the order they came."""

    def __init__(self, table: str, source: str, digest: str) -> None:
        self.table = table
        self.source = source
        """File name, or `posted`."""
        self.digest = digest
        """SHA-256 in hex of the file or the posted row."""
        self._chunks: list[bytes] = []
        self._open: list[tuple[int, Plain]] = []
        self._count = 0
        self.days: set[str] = set()
        """The first value of all rows: the days they are of."""

    def __len__(self) -> int:
        """Number of rows."""
        return self._count

    def add(self, line: int, row: Plain) -> None:
        """Take one more row, with its line in the file."""
        self._open.append((line, row))
        self.days.add(str(row[0]))
        self._count += 1
        if len(self._open) == _ROWS_PER_CHUNK:
            self._chunks.append(zlib.compress(marshal.dumps(self._open), _LEVEL))
            self._open = []

    def rows(self) -> Iterator[tuple[int, Plain]]:
        """Every row with its line. Can be asked again."""
        for chunk in self._chunks:
            yield from marshal.loads(zlib.decompress(chunk))  # noqa: S302 - our own bytes, never from outside
        yield from self._open

    def origin(self, line: int) -> Origin:
        """Where the row of a line came from."""
        return Origin(self.source, self.digest, line)
