"""The journal's check: the chain of entries, and every row of every table against the digests that seal it.

`verify_journal` reads the whole database once, in bounded memory, and names the first bad sequence. What cannot be
noticed from the database alone is that its newest entries are missing with all their rows; give the heads that
were written elsewhere (issued bundles name theirs) as `known_heads`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa

from verifier.errors import JournalBroken
from verifier.store.engine import Database
from verifier.store.paging import PAGE_ROWS, Row, TableReader
from verifier.store.seal import NO_PREDECESSOR, RowsDigest, SealedRows, entry_digest, parse_rows_json, rows_digest
from verifier.store.tables import DATA_TABLES, JournalEntryRow, JournalSealRow, table
from verifier.store.types import CanonicalType, driver_canonical

ENTRY, SEAL = table(JournalEntryRow), table(JournalSealRow)


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

    def to_dict(self) -> dict[str, object]:
        """For programs."""
        return {
            "intact": self.ok,
            "entries": self.entries,
            "rows": self.rows,
            "head": {"sequence": self.head[0], "entry_digest": self.head[1]} if self.head else None,
            "first_broken": self.first_broken,
            "reason": self.reason,
        }


class _Breaks:
    """What was found not to fit, of which the lowest sequence is reported."""

    def __init__(self) -> None:
        self.first: int | None = None
        self.reason = ""

    def add(self, sequence: int, reason: str) -> None:
        if self.first is None or sequence < self.first:
            self.first, self.reason = sequence, reason


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
        readers = {each.name: TableReader(connection, each) for each in DATA_TABLES}
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
                breaks.add(_sequence_of(row), f"{name} has row {row[0]}, which no entry sealed")
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


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry with its seal, as stored; a damaged one must not stop the check."""

    sequence: int
    kind: str
    actor: str
    recorded_at: str
    clock_at: str | None
    payload: str
    origin: str
    previous_digest: str
    rows: str
    rows_digest: str
    entry_digest: str | None
    """None when there is no seal."""


def _entries(connection: sa.Connection, *, from_sequence: int = 0) -> Iterator[_Entry]:
    columns = (*ENTRY.columns, SEAL.c.rows, SEAL.c.rows_digest, SEAL.c.entry_digest)
    names = ", ".join(f'{column.table.name}."{column.name}"' for column in columns)
    convert = [driver_canonical(cast("CanonicalType", column.type), connection.dialect.name) for column in columns]
    after = from_sequence - 1
    while True:
        page = connection.exec_driver_sql(
            f"SELECT {names} FROM journal_entry LEFT JOIN journal_seal "  # noqa: S608
            "ON journal_seal.sequence = journal_entry.sequence "
            f"WHERE journal_entry.sequence > {after} ORDER BY journal_entry.sequence LIMIT {PAGE_ROWS}"
        ).all()
        for row in page:
            values = [value if to is None else to(value) for to, value in zip(convert, row, strict=True)]
            yield _Entry(*cast("list[Any]", values))
        if len(page) < PAGE_ROWS:
            return
        after = page[-1][0]


def _check_entry(entry: _Entry, previous: str, breaks: _Breaks) -> tuple[str, dict[str, SealedRows]]:
    """The entry's recorded digest and what it sealed; what does not fit is noted."""
    if entry.entry_digest is None:
        breaks.add(entry.sequence, "the entry has no seal")
        return "", {}
    try:
        sealed = parse_rows_json(entry.rows)
    except ValueError as error:
        breaks.add(entry.sequence, str(error))
        return entry.entry_digest, {}
    if rows_digest(entry.rows.encode()) != entry.rows_digest:
        breaks.add(entry.sequence, "the list of sealed rows was changed")
    recomputed = entry_digest(
        sequence=entry.sequence,
        kind=entry.kind,
        actor=entry.actor,
        recorded_at=entry.recorded_at,
        clock_at=entry.clock_at,
        payload=entry.payload,
        origin=entry.origin,
        previous_digest=entry.previous_digest,
        rows_digest=entry.rows_digest,
    )
    if recomputed != entry.entry_digest:
        breaks.add(entry.sequence, "the entry was changed")
    if entry.previous_digest != previous:
        breaks.add(entry.sequence, "the entry does not follow the one before it")
    return entry.entry_digest, sealed


def _check_rows(
    sequence: int, sealed: Mapping[str, SealedRows], readers: Mapping[str, TableReader], breaks: _Breaks
) -> int:
    count = 0
    for name, claim in sealed.items():
        reader = readers.get(name)
        if reader is None:
            breaks.add(sequence, f"the entry sealed rows of {name}, a table that is unknown")
            continue
        for row in reader.take_below(claim.first):
            breaks.add(_sequence_of(row), f"{name} has row {row[0]}, which no entry sealed")
        count += _compare(sequence, name, claim, reader, breaks)
    return count


def _check_range(connection: sa.Connection, name: str, sequence: int, claim: SealedRows, breaks: _Breaks) -> None:
    of = next((each for each in DATA_TABLES if each.name == name), None)
    if of is None:
        breaks.add(sequence, f"the entry sealed rows of {name}, a table that is unknown")
        return
    reader = TableReader(connection, of, after=claim.first - 1)
    _compare(sequence, name, claim, reader, breaks)


def _compare(sequence: int, name: str, claim: SealedRows, reader: TableReader, breaks: _Breaks) -> int:
    """Hold the rows of a sealed range against their seal; returns how many there are."""
    digest = RowsDigest()
    added_later_empty = True
    chunk: list[Row] = []
    for row in reader.take_below(claim.first + claim.count):
        added_later_empty &= all(value is None for value in row[claim.columns :])
        chunk.append(row[: claim.columns])
        if len(chunk) == PAGE_ROWS:
            digest.add(chunk)
            chunk = []
    digest.add(chunk)
    if digest.count != claim.count:
        breaks.add(sequence, f"{claim.count} rows of {name} were sealed, {digest.count} are there")
    elif digest.hexdigest() != claim.digest or not added_later_empty:
        breaks.add(sequence, f"a row of {name} was changed")
    return digest.count


def _check_orphan_seals(connection: sa.Connection, breaks: _Breaks) -> None:
    query = sa.select(SEAL.c.sequence).where(SEAL.c.sequence.not_in(sa.select(ENTRY.c.sequence)))
    for sequence in connection.execute(query.order_by(SEAL.c.sequence).limit(1)).scalars():
        breaks.add(sequence, "the entry is missing, its seal is there")


def _sequence_of(row: Row) -> int:
    """The sequence a row claims: its second column in every table."""
    return row[1] if isinstance(row[1], int) else 0
