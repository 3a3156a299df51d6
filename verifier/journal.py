"""The journal's check: the chain of entries, and every row of every table against the digests that seal it.

`verify_journal` reads the whole database once, in bounded memory, and names the first bad sequence. What cannot be
noticed from the database alone is that its newest entries are missing with all their rows; give the heads that
were written elsewhere (issued bundles name theirs) as `known_heads`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import sqlalchemy as sa

from verifier.errors import JournalBroken
from verifier.store.engine import Database
from verifier.store.seal import NO_PREDECESSOR, RowsDigest, SealedRows, entry_digest, parse_rows_json, rows_digest
from verifier.store.tables import DATA_TABLES, JournalEntryRow, JournalSealRow, table
from verifier.store.types import Canonical, CanonicalType, driver_canonical

PAGE_ROWS: Final = 5_000
"""Rows read at a time."""

ENTRY, SEAL = table(JournalEntryRow), table(JournalSealRow)

Row = tuple[Canonical, ...]


@dataclass(frozen=True, slots=True)
class JournalReport:
    """What the check of the journal found."""

    entries: int
    """Entries looked at."""
    rows: int
    """Rows whose digests were recomputed."""
    head: tuple[int, str] | None
    """Sequence and digest of the newest entry; None in a new database."""
    first_broken: int | None
    """The lowest sequence at which something does not fit; None when all fits."""
    reason: str = ""
    """What does not fit there, for a person."""

    @property
    def ok(self) -> bool:
        """Whether all fits."""
        return self.first_broken is None


class _Breaks:
    """What was found not to fit, of which the lowest sequence is reported."""

    def __init__(self) -> None:
        self.first: int | None = None
        self.reason = ""

    def add(self, sequence: int, reason: str) -> None:
        if self.first is None or sequence < self.first:
            self.first, self.reason = sequence, reason


class _TableReader:
    """The rows of one table in the order of their keys, read in pages, in canonical form."""

    def __init__(self, connection: sa.Connection, of: sa.Table) -> None:
        self._connection = connection
        self._table = of
        self._names = ", ".join(f'"{column.name}"' for column in of.columns)
        self.sequence_at = [column.name for column in of.columns].index("journal_sequence")
        dialect = connection.dialect.name
        self._convert: list[tuple[int, Callable[[Any], Canonical]]] = []
        for position, column in enumerate(of.columns):
            if (convert := driver_canonical(cast("CanonicalType", column.type), dialect)) is not None:
                self._convert.append((position, convert))
        self._rows: deque[Row] = deque()
        self._after: int | None = None
        self._ended = False

    def take_below(self, end: int) -> Iterator[Row]:
        """The next rows whose key is below `end`."""
        while self._rows or self._fill():
            if cast("int", self._rows[0][0]) >= end:
                return
            yield self._rows.popleft()

    def rest(self) -> Iterator[Row]:
        """All rows that are left."""
        while self._rows or self._fill():
            yield self._rows.popleft()

    def _fill(self) -> bool:
        if self._ended:
            return False
        after = "" if self._after is None else f"WHERE record_id > {self._after} "
        sql = f"SELECT {self._names} FROM {self._table.name} {after}ORDER BY record_id LIMIT {PAGE_ROWS}"  # noqa: S608
        page = self._connection.exec_driver_sql(sql).all()
        self._ended = len(page) < PAGE_ROWS
        if page:
            self._after = page[-1][0]
        self._rows.extend(self._canonical(row) for row in page)
        return bool(page)

    def _canonical(self, row: Sequence[Any]) -> Row:
        if not self._convert:
            return tuple(row)
        values = list(row)
        for position, convert in self._convert:
            values[position] = convert(values[position])
        return tuple(values)


def verify_journal(
    store: Database,
    *,
    known_heads: Mapping[int, str] | None = None,
    progress: Callable[[int], None] | None = None,
) -> JournalReport:
    """Recompute every digest of the journal from the rows themselves.

    `known_heads` are entry digests by sequence that were written outside the database. `progress` is called with
    the number of further entries checked.
    """
    breaks = _Breaks()
    heads = dict(known_heads or {})
    entries = rows = 0
    head: tuple[int, str] | None = None
    with store.read() as connection:
        readers = {each.name: _TableReader(connection, each) for each in DATA_TABLES}
        expected, previous = 1, NO_PREDECESSOR
        for entry in _entries(connection):
            for missing in range(expected, entry.sequence):
                breaks.add(missing, "the entry is missing")
                break
            expected = entry.sequence + 1
            digest, sealed = _check_entry(entry, previous, breaks)
            if entry.sequence in heads and heads.pop(entry.sequence) != digest:
                breaks.add(entry.sequence, "the entry is not the one that was named outside the database")
            previous, head = digest, (entry.sequence, digest)
            rows += _check_rows(entry.sequence, sealed, readers, breaks)
            entries += 1
            if progress is not None:
                progress(1)
        _check_orphan_seals(connection, breaks)
        for name, reader in readers.items():
            for row in reader.rest():
                breaks.add(_sequence_of(row, reader), f"{name} has row {row[0]}, which no entry sealed")
        for sequence in heads:
            breaks.add(sequence, "an entry named outside the database is missing: was an older copy restored?")
    return JournalReport(entries, rows, head, breaks.first, breaks.reason)


def require_intact_head(store: Database) -> None:
    """Check the newest entry with its rows and its link; raises `JournalBroken`. Cheap, for every start."""
    breaks = _Breaks()
    with store.read() as connection:
        newest = connection.execute(sa.select(sa.func.max(ENTRY.c.sequence))).scalar()
        if newest is None:
            return
        found = list(_entries(connection, from_sequence=newest - 1))
        if newest > 1 and found[0].sequence != newest - 1:
            raise JournalBroken(f"journal entry {newest - 1} is missing")
        previous = NO_PREDECESSOR if newest == 1 else str(found[0].entry_digest)
        _, sealed = _check_entry(found[-1], previous, breaks)
        for name, claim in sealed.items():
            _check_range(connection, name, newest, claim, breaks)
    if breaks.first is not None:
        raise JournalBroken(f"journal entry {breaks.first}: {breaks.reason}")


def _entries(connection: sa.Connection, *, from_sequence: int = 0) -> Iterator[Any]:
    after = from_sequence - 1
    while True:
        query = (
            sa.select(ENTRY, SEAL.c.rows, SEAL.c.rows_digest, SEAL.c.entry_digest)
            .join_from(ENTRY, SEAL, ENTRY.c.sequence == SEAL.c.sequence, isouter=True)
            .where(ENTRY.c.sequence > after)
            .order_by(ENTRY.c.sequence)
            .limit(PAGE_ROWS)
        )
        page = connection.execute(query).all()
        yield from page
        if len(page) < PAGE_ROWS:
            return
        after = page[-1].sequence


def _check_entry(entry: Any, previous: str, breaks: _Breaks) -> tuple[str, dict[str, SealedRows]]:
    """The entry's recorded digest and what it sealed; what does not fit is noted."""
    if entry.entry_digest is None:
        breaks.add(entry.sequence, "the entry has no seal")
        return "", {}
    try:
        sealed = parse_rows_json(entry.rows)
    except ValueError as error:
        breaks.add(entry.sequence, str(error))
        return str(entry.entry_digest), {}
    if rows_digest(entry.rows.encode()) != entry.rows_digest:
        breaks.add(entry.sequence, "the list of sealed rows was changed")
    recomputed = entry_digest(
        sequence=entry.sequence,
        kind=entry.kind,
        actor=entry.actor,
        recorded_at=entry.recorded_at,
        clock_at=entry.clock_at,
        payload=entry.payload,
        previous_digest=entry.previous_digest,
        rows_digest=entry.rows_digest,
    )
    if recomputed != entry.entry_digest:
        breaks.add(entry.sequence, "the entry was changed")
    if entry.previous_digest != previous:
        breaks.add(entry.sequence, "the entry does not follow the one before it")
    return str(entry.entry_digest), sealed


def _check_rows(
    sequence: int, sealed: Mapping[str, SealedRows], readers: Mapping[str, _TableReader], breaks: _Breaks
) -> int:
    count = 0
    for name, claim in sealed.items():
        reader = readers.get(name)
        if reader is None:
            breaks.add(sequence, f"the entry sealed rows of {name}, a table that is unknown")
            continue
        for row in reader.take_below(claim.first):
            breaks.add(_sequence_of(row, reader), f"{name} has row {row[0]}, which no entry sealed")
        digest = RowsDigest()
        chunk: list[Row] = []
        for row in reader.take_below(claim.first + claim.count):
            chunk.append(row)
            if len(chunk) == PAGE_ROWS:
                digest.add(chunk)
                chunk = []
        digest.add(chunk)
        count += digest.count
        _compare(sequence, name, claim, digest, breaks)
    return count


def _check_range(connection: sa.Connection, name: str, sequence: int, claim: SealedRows, breaks: _Breaks) -> None:
    of = next((each for each in DATA_TABLES if each.name == name), None)
    if of is None:
        breaks.add(sequence, f"the entry sealed rows of {name}, a table that is unknown")
        return
    reader = _TableReader(connection, of)
    reader._after = claim.first - 1  # start at the first sealed row instead of the first row
    digest = RowsDigest()
    digest.add(list(reader.take_below(claim.first + claim.count)))
    _compare(sequence, name, claim, digest, breaks)


def _compare(sequence: int, name: str, claim: SealedRows, digest: RowsDigest, breaks: _Breaks) -> None:
    if digest.count != claim.count:
        breaks.add(sequence, f"{claim.count} rows of {name} were sealed, {digest.count} are there")
    elif digest.hexdigest() != claim.digest:
        breaks.add(sequence, f"a row of {name} was changed")


def _check_orphan_seals(connection: sa.Connection, breaks: _Breaks) -> None:
    query = sa.select(SEAL.c.sequence).where(SEAL.c.sequence.not_in(sa.select(ENTRY.c.sequence)))
    for sequence in connection.execute(query.order_by(SEAL.c.sequence).limit(1)).scalars():
        breaks.add(sequence, "the entry is missing, its seal is there")


def _sequence_of(row: Row, reader: _TableReader) -> int:
    value = row[reader.sequence_at]
    return value if isinstance(value, int) else 0
