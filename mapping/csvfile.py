"""Strict CSV: limits before parsing, one encoding, one line end, one row per line, and every problem listed.

The file is read once, into a copy that is parsed afterwards: its digest is the digest of exactly what was parsed,
whatever happens to the file meanwhile. Rows are streamed; only one line is held at a time.

Form: UTF-8 (a byte order mark is allowed), lines ended by LF or CRLF throughout, the last one too; fields separated
by commas, quoted with `"` where they hold a comma or a quote (doubled inside). A quoted field stays on its line.
An optional last line `# rows: 123` states the number of rows, so that a cut file is noticed.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Final

from mapping.fields import shown
from mapping.types import Problem

_BOM: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_COPY_BYTES: Final = 1024 * 1024
_MEMORY_BYTES_MAX: Final = 8 * 1024 * 1024
"""A copy larger than this goes to a temporary file."""
_FIELD: Final = re.compile(r'(?:"((?:[^"]|"")*)"|([^",]*))(,|$)')
_ROWS_TRAILER: Final = re.compile(r"# rows: (0|[1-9][0-9]{0,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class CsvLimits:
    """Every limit of reading a file, each with its unit in its name."""

    bytes_max: int = 2 * 1024**3
    """Largest file, checked before and while it is read."""
    rows_max: int = 2_000_000
    """Most rows of one file, the header not counted."""
    line_bytes_max: int = 64 * 1024
    """Longest line."""
    field_characters_max: int = 4096
    """Longest field."""
    problems_max: int = 1000
    """Problems listed of one import; the rest is counted."""


class Problems:
    """Collects problems: the first `problems_max` are kept, all are counted."""

    def __init__(self, problems_max: int) -> None:
        self.problems_max = problems_max
        self.listed: list[Problem] = []
        self.count = 0

    def add(self, file: str, line: int, reason: str, *, column: str = "", value: str = "") -> None:
        """Note one problem; `value` is made safe to show here."""
        self.count += 1
        if len(self.listed) < self.problems_max:
            self.listed.append(Problem(file, line, column, shown(value), reason))

    @property
    def omitted(self) -> int:
        """How many are not in the list."""
        return self.count - len(self.listed)


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row: its line in the file, from 1, and its fields."""

    line: int
    fields: list[str]


class FileCopy:
    """The bytes of a file as they were read, once, with their digest. Close it, or use it in a `with`."""

    def __init__(self, stream: IO[bytes], digest: str, byte_count: int) -> None:
        self.stream = stream
        self.digest = digest
        """SHA-256 in hex."""
        self.byte_count = byte_count

    def __enter__(self) -> FileCopy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stream.close()


def copy_file(path: Path, name: str, limits: CsvLimits, problems: Problems) -> FileCopy | None:
    """Read a file once; None, with a problem, when it cannot be read, is too large, or changed meanwhile."""
    copy = tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES_MAX)  # noqa: SIM115 - the FileCopy closes it
    kept = False
    try:
        kept_copy = _copy(path, name, limits, problems, copy)
        kept = kept_copy is not None
        return kept_copy
    except OSError as error:
        problems.add(name, 0, f"the file cannot be read: {error.strerror or type(error).__name__}")
        return None
    finally:
        if not kept:
            copy.close()


def _copy(path: Path, name: str, limits: CsvLimits, problems: Problems, copy: IO[bytes]) -> FileCopy | None:
    too_large = f"the file is larger than {limits.bytes_max} bytes; nothing of it was read"
    if not path.is_file():
        problems.add(name, 0, "this is not a regular file")
        return None
    digest = hashlib.sha256()
    byte_count = 0
    with path.open("rb") as source:
        before = path.stat()
        if before.st_size > limits.bytes_max:
            problems.add(name, 0, too_large)
            return None
        while chunk := source.read(_COPY_BYTES):
            byte_count += len(chunk)
            if byte_count > limits.bytes_max:
                problems.add(name, 0, too_large)
                return None
            digest.update(chunk)
            copy.write(chunk)
    after = path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or byte_count != after.st_size:
        problems.add(name, 0, "the file changed while it was read; import it again when it is complete")
        return None
    copy.seek(0)
    return FileCopy(copy, digest.hexdigest(), byte_count)


class CsvReader:
    """Reads the rows of one file, noting every problem of its form. Iterate once; afterwards ask `row_count`."""

    def __init__(
        self,
        stream: IO[bytes],
        name: str,
        columns: Sequence[str],
        required: Collection[str],
        limits: CsvLimits,
        problems: Problems,
    ) -> None:
        self._stream = stream
        self._name = name
        self._columns = tuple(columns)
        self._required = required
        self._limits = limits
        self._problems = problems
        self._line_end: bytes | None = None
        self._mixed_noted = False
        self._line = 0
        self._offset = 0
        self.header: list[str] = []
        """The file's own order of columns; set before the first row is given."""
        self.header_good = False
        """Whether the header was right; without it rows are checked for their form only, and none is given."""
        self.row_count = 0
        """Rows seen, good or bad."""

    def rows(self) -> Iterator[CsvRow]:
        """Every row whose form is right, in order; all others are noted as problems."""
        lines = self._lines()
        header = next(lines, None)
        if header is None:
            if not self._line:
                self._note(0, f"the file is empty; its first line must be: {','.join(self._columns)}")
            return
        if header[1] is not None:
            self._read_header(header[0], header[1])
        stated: tuple[int, int] | None = None
        for line, text in lines:
            if stated is not None:
                self._note(stated[0], "the line `# rows:` is not the last one")
                stated = None
            if text is not None and text.startswith("# rows:"):
                match = _ROWS_TRAILER.fullmatch(text)
                if match:
                    stated = (line, int(match[1]))
                else:
                    self._note(line, "the last line is written `# rows: 123`", value=text)
                continue
            self.row_count += 1
            if self.row_count > self._limits.rows_max:
                self._note(line, f"the file has more than {self._limits.rows_max} rows; reading stopped here")
                return
            fields = None if text is None else self._split(line, text)
            if fields is None:
                continue
            if self.header and len(fields) != len(self.header):
                self._note(line, f"the row has {len(fields)} fields, the header has {len(self.header)}")
            elif self.header_good:
                yield CsvRow(line, fields)
        if stated is not None and stated[1] != self.row_count:
            self._note(stated[0], f"the file says it has {stated[1]} rows, but has {self.row_count}; it may be cut")

    def _note(self, line: int, reason: str, *, column: str = "", value: str = "") -> None:
        self._problems.add(self._name, line, reason, column=column, value=value)

    def _lines(self) -> Iterator[tuple[int, str | None]]:
        """Each line's number and text, None when its bytes are wrong (which is noted)."""
        limit = self._limits.line_bytes_max
        while raw := self._stream.readline(limit + 2):
            self._line += 1
            start = self._offset
            self._offset += len(raw)
            if self._line == 1:
                if raw.startswith(_UTF16_MARKS):
                    self._note(1, "the file is UTF-16; save it as UTF-8")
                    return
                if raw.startswith(_BOM):
                    raw, start = raw[len(_BOM) :], start + len(_BOM)
            if not raw.endswith(b"\n"):
                if len(raw) > limit:
                    self._note(self._line, f"the line is longer than {limit} bytes")
                    self._skip_line()
                    yield self._line, None
                    continue
                self._note(self._line, "the last line has no line end; the file may be cut")
            yield self._line, self._decode(raw, start)

    def _skip_line(self) -> None:
        while piece := self._stream.readline(_COPY_BYTES):
            self._offset += len(piece)
            if piece.endswith(b"\n"):
                return

    def _decode(self, raw: bytes, start: int) -> str | None:
        end = b"\r\n" if raw.endswith(b"\r\n") else b"\n" if raw.endswith(b"\n") else b""
        body = raw[: len(raw) - len(end)]
        if end and self._line_end is None:
            self._line_end = end
        if (b"\r" in body or (end and end != self._line_end)) and not self._mixed_noted:
            # Noted once: one program wrote the file, and every further line would say the same.
            self._mixed_noted = True
            self._note(self._line, "line ends are mixed; end every line with LF, or every line with CRLF")
        if (nul := body.find(b"\0")) >= 0:
            self._note(self._line, f"byte {start + nul} of the file is NUL; save the file as plain UTF-8 text")
            return None
        if b"\r" in body:
            return None
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError as error:
            where, byte = start + error.start, body[error.start]
            self._note(self._line, f"byte {where} of the file (0x{byte:02x}) is not UTF-8; save the file as UTF-8")
            return None

    def _split(self, line: int, text: str) -> list[str] | None:
        if not text:
            self._note(line, "the line is empty; leave it out")
            return None
        if '"' not in text:
            fields = text.split(",")
        else:
            quoted = _split_quoted(text)
            if isinstance(quoted, str):
                self._note(line, quoted, value=text)
                return None
            fields = quoted
        if len(text) > self._limits.field_characters_max:
            for position, value in enumerate(fields):
                if len(value) > self._limits.field_characters_max:
                    column = self.header[position] if position < len(self.header) else ""
                    reason = f"the field is longer than {self._limits.field_characters_max} characters"
                    self._note(line, reason, column=column, value=value)
                    return None
        return fields

    def _read_header(self, line: int, text: str) -> None:
        fields = self._split(line, text)
        if fields is None:
            return
        self.header = fields
        before = self._problems.count
        seen: set[str] = set()
        for name in fields:
            if name in seen:
                self._note(line, "the column is named twice", column=shown(name))
            elif name not in self._columns:
                near = [column for column in self._columns if column == name.strip().lower()]
                hint = f"write {near[0]}" if near else f"the columns are {', '.join(self._columns)}"
                self._note(line, f"there is no such column; {hint}", column=shown(name), value=name)
            seen.add(name)
        for column in self._columns:
            if column in self._required and column not in seen:
                self._note(line, "the column is missing", column=column)
        self.header_good = self._problems.count == before


def _split_quoted(text: str) -> list[str] | str:
    """The fields of a line with quotes, or what is wrong with it."""
    fields: list[str] = []
    position = 0
    while True:
        match = _FIELD.match(text, position)
        if match is None:
            if text[position] != '"':
                return "a quote stands inside a field that does not start with one; double it and quote the field"
            closed = re.compile(r'"(?:[^"]|"")*"(?!")').match(text, position)
            return "text follows a closing quote" if closed else "a quote is not closed on its line"
        fields.append(match[2] if match[1] is None else match[1].replace('""', '"'))
        position = match.end()
        if not match[3]:
            return fields
