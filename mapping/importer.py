"""Reading what the firm says: files, a folder, or one posted row. All or nothing; every problem is listed.

Nothing is stored here. The result's records are what a store should record, all of them in one transaction; when
there is any problem there are no records at all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from chains.garbage import rare_collections
from chains.reader import ChainPlugin
from chains.types import ChainId, require_utc
from mapping.books_rows import BULK_FORMS
from mapping.bulk import RowPack
from mapping.checks import Notice, Scope, run_checks
from mapping.columns import RowReader, Table
from mapping.context import RowContext
from mapping.csvfile import CsvLimits, CsvReader, FileCopy, Problems, copy_file
from mapping.errors import UnknownTable
from mapping.expansion import expand_descriptors
from mapping.fields import shown
from mapping.known import KnownBook, MemoryBook, SnapshotState
from mapping.tables import TABLES, table_named
from mapping.types import AssetRecord, Origin, Problem, Record, Sourced

Plugins = Callable[[ChainId], ChainPlugin]
"""Finds the adapter of a chain, or raises `UnknownChain`; normally `chains.registry.plugin_for`."""

POSTED: Final = "posted"
"""Source of a row that was given by itself."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the importer accepts."""

    limits: CsvLimits = field(default_factory=CsvLimits)
    accept_unchecksummed: bool = False
    """Accept all-lower-case EVM addresses, which carry no checksum; each is noted."""
    now: datetime | None = None
    """The moment of the import: statements about later moments are refused. None leaves that unchecked."""


@dataclass(frozen=True, slots=True)
class FileDigest:
    """One file as it was read."""

    name: str
    table: str
    digest: str
    """SHA-256 in hex of the bytes that were parsed."""
    bytes: int
    rows: int
    """Rows of the file, the header not counted; 0 when it was imported before and not parsed again."""
    already_imported: bool = False
    """Whether a file of this digest was imported before; it is skipped."""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import gave: records, or problems."""

    records: tuple[Sourced[Record], ...]
    """What is new, in the order of `mapping.tables.TABLES`; empty when there is any problem."""
    problems: tuple[Problem, ...]
    problems_omitted: int
    """Problems beyond those listed."""
    notices: tuple[Notice, ...]
    notices_omitted: int
    files: tuple[FileDigest, ...]
    unchanged: int
    """Rows that were recorded before in the same words."""
    packs: tuple[RowPack, ...] = ()
    """What is new in tables of millions of rows, packed: `records` has none of them."""

    @property
    def row_count(self) -> int:
        """Records that are new, packed ones too."""
        return len(self.records) + sum(len(pack) for pack in self.packs)

    @property
    def ok(self) -> bool:
        """Whether the import may be stored."""
        return not self.problems

    @property
    def is_noop(self) -> bool:
        """Whether it is good and says nothing new."""
        return self.ok and not self.row_count


def read_files(paths: Sequence[Path], known: KnownBook, options: ImportOptions, plugins: Plugins) -> ImportResult:
    """Read files, or all files of folders, as one import.

    A folder's files are found by their names; an unknown `.csv` is a problem, any other file a notice. A file of
    which the digest was imported before is skipped. An import of no rows at all is a problem. Raises nothing for
    what files contain.
    """
    reading = _Reading(known, options, plugins)
    with rare_collections():
        for table, path in reading.find(paths):
            reading.read(table, path)
        if not reading.problems.count and not any(file.rows or file.already_imported for file in reading.files):
            reading.problems.add("import", 0, "there is not a single row to import")
        return reading.finish()


def post_row(
    table_name: str, values: Mapping[str, str], known: KnownBook, options: ImportOptions, plugins: Plugins
) -> ImportResult:
    """Check one row given as column name -> text, by the same rules as a row of a file.

    A posted allocation states one client's figure and says nothing of the others. Raises `UnknownTable`.
    """
    table = table_named(table_name)
    reading = _Reading(known, options, plugins, posted=True)
    canonical = json.dumps([table.name, sorted(values.items())], ensure_ascii=True, separators=(",", ":")).encode()
    digest = hashlib.sha256(canonical).hexdigest()
    known_before = known.file_imported(digest)
    reading.files.append(FileDigest(POSTED, table.name, digest, len(canonical), 1, known_before))
    if not known_before:
        reading.post(table, values, digest)
    return reading.finish()


def read_rows(
    table_name: str,
    rows: Sequence[tuple[Origin, Mapping[str, str]]],
    files: Sequence[FileDigest],
    known: KnownBook,
    options: ImportOptions,
    plugins: Plugins,
) -> ImportResult:
    """Check rows that were taken out of files of another form, by the same rules as rows of a file.

    Each row, as column name -> text, has its place in one of the files. Raises `UnknownTable`.
    """
    table = table_named(table_name)
    reading = _Reading(known, options, plugins)
    reading.files += files
    for origin, values in rows:
        reading.row(table, values, origin)
    return reading.finish()


def read_table(table_name: str, path: Path, known: KnownBook, options: ImportOptions, plugins: Plugins) -> ImportResult:
    """Read one file of any name as a file of a table. Raises `UnknownTable`."""
    reading = _Reading(known, options, plugins)
    reading.read(table_named(table_name), path)
    return reading.finish()


class _Reading:
    """One import while it is read."""

    def __init__(self, known: KnownBook, options: ImportOptions, plugins: Plugins, *, posted: bool = False) -> None:
        if options.now is not None:
            require_utc(options.now, "now")
        self._known = known
        self._limits = options.limits
        self._context = RowContext(plugins, known.assets(), accept_unchecksummed=options.accept_unchecksummed)
        self._unreliable: set[str] = set()
        self.problems = Problems(options.limits.problems_max)
        self.files: list[FileDigest] = []
        self._scope = Scope(
            known, {table.name: [] for table in TABLES}, self.problems, posted, self._unreliable, options.now
        )

    def find(self, paths: Sequence[Path]) -> list[tuple[Table[Any], Path]]:
        """The files to read, in the order of import."""
        found: dict[str, tuple[Table[Any], Path]] = {}
        for path in paths:
            if path.is_dir():
                for child in sorted(path.iterdir()):
                    self._take(child, found, in_folder=True)
            else:
                self._take(path, found, in_folder=False)
        return [found[table.name] for table in TABLES if table.name in found]

    def _take(self, path: Path, found: dict[str, tuple[Table[Any], Path]], *, in_folder: bool) -> None:
        name = shown(path.name)
        try:
            if not path.name.endswith(".csv"):
                raise UnknownTable(path.name)
            table = table_named(path.name)
        except UnknownTable:
            if in_folder and path.suffix.lower() != ".csv":
                self._scope.notice(name, 0, "this is not a file of the sub-ledger; it was left alone")
            else:
                names = ", ".join(table.file_name for table in TABLES)
                self.problems.add(name, 0, f"this is not a file of the sub-ledger; the files are {names}")
            return
        if table.name in found:
            self.problems.add(name, 0, "two files of this name were given; import one after the other")
            return
        found[table.name] = (table, path)

    def read(self, table: Table[Any], path: Path) -> None:
        """Read one file."""
        before = self.problems.count
        copy = copy_file(path, table.file_name, self._limits, self.problems)
        if copy is not None:
            with copy:
                self._read_copy(table, copy)
        if self.problems.count > before:
            self._unreliable.add(table.name)

    def _read_copy(self, table: Table[Any], copy: FileCopy) -> None:
        if self._known.file_imported(copy.digest):
            self.files.append(FileDigest(table.file_name, table.name, copy.digest, copy.byte_count, 0, True))
            self._scope.notice(table.file_name, 0, "this very file was imported before; it was skipped")
            return
        reader = CsvReader(
            copy.stream, table.file_name, table.column_names, table.required_columns, self._limits, self.problems
        )
        rows: RowReader[Any] | None = None
        for row in reader.rows():
            if rows is None:  # the header is known with the first row
                rows = table.reader(reader.header)
            self._read_row(table, rows, row.fields, Origin(table.file_name, copy.digest, row.line))
        self.files.append(FileDigest(table.file_name, table.name, copy.digest, copy.byte_count, reader.row_count))
        if reader.header_good and not reader.row_count:
            self._scope.notice(table.file_name, 0, "the file has no rows")

    def post(self, table: Table[Any], values: Mapping[str, str], digest: str) -> None:
        """Read one row given by column names."""
        before = self.problems.count
        for column, text in values.items():
            if column not in table.column_names:
                reason = f"there is no such column; the columns are {', '.join(table.column_names)}"
                self.problems.add(POSTED, 1, reason, column=shown(column), value=text)
            elif len(text) > self._limits.field_characters_max:
                reason = f"the field is longer than {self._limits.field_characters_max} characters"
                self.problems.add(POSTED, 1, reason, column=column, value=text)
        if self.problems.count == before:
            self.row(table, values, Origin(POSTED, digest, 1))

    def row(self, table: Table[Any], values: Mapping[str, str], origin: Origin) -> None:
        """Read one row whose columns are known to be good."""
        self._read_row(table, table.reader(list(values)), list(values.values()), origin)

    def _read_row(self, table: Table[Any], rows: RowReader[Any], fields: Sequence[str], origin: Origin) -> None:
        unchecked = len(self._context.unchecked)
        record = rows.read(fields, self._context)
        if isinstance(record, list):
            for problem in record:
                self.problems.add(
                    origin.source, origin.line, problem.reason, column=problem.column, value=problem.value
                )
            return
        if isinstance(record, AssetRecord):
            self._context.learn_asset(record.asset)
        if (form := BULK_FORMS.get(table.name)) is not None:
            pack = self._scope.packs.get(table.name)
            if pack is None:
                pack = self._scope.packs[table.name] = RowPack(table.name, origin.source, origin.digest)
            pack.add(origin.line, form.plain(record))
        else:
            self._scope.rows[table.name].append(Sourced(record, origin))
        if len(self._context.unchecked) > unchecked:
            for text, canonical in list(self._context.unchecked.items())[unchecked:]:
                notice = f"address {text} carries no checksum; it was recorded unchecked, as {canonical}"
                self._scope.notice(origin.source, origin.line, notice)

    def finish(self) -> ImportResult:
        """Run the checks that join rows, and give the result."""
        scope = self._scope
        expand_descriptors(scope, self._context.descriptor)
        run_checks(scope)
        records: list[Sourced[Record]] = []
        packs: tuple[RowPack, ...] = ()
        if not self.problems.count:
            for table in TABLES:
                records.extend(scope.of(table.name))
            packs = tuple(scope.packs[table.name] for table in TABLES if scope.packs.get(table.name))
        return ImportResult(
            records=tuple(records),
            problems=tuple(self.problems.listed),
            problems_omitted=self.problems.omitted,
            notices=tuple(scope.notices),
            notices_omitted=scope.notice_count - len(scope.notices),
            files=tuple(self.files),
            unchanged=scope.unchanged,
            packs=packs,
        )


__all__ = [
    "FileDigest",
    "ImportOptions",
    "ImportResult",
    "KnownBook",
    "MemoryBook",
    "Notice",
    "SnapshotState",
    "post_row",
    "read_files",
]
