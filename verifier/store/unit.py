"""One act: the rows it adds, and the journal entry that seals them, in one transaction."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice, repeat
from operator import add
from typing import Any, Final, TypeVar, cast

import sqlalchemy as sa

from chains.types import (
    Address,
    Asset,
    BalanceObservation,
    ChainId,
    account_location,
    require_utc,
    utc_text,
)
from exports.canonical import canonical_json
from verifier.alerts.records import NewAlert
from verifier.alerts.telling import entry_alert
from verifier.store.interning import Interned, Texts
from verifier.store.records import JournalHead
from verifier.store.seal import NO_PREDECESSOR, RowsDigest, SealedRows, entry_digest, rows_digest, rows_json
from verifier.store.tables import (
    AlertRow,
    AssetValueRow,
    InternedTextRow,
    JournalEntryRow,
    JournalSealRow,
    ReadingRow,
    table,
)
from verifier.store.tables.base import StoredRow
from verifier.store.types import Canonical, CanonicalType

CHUNK_ROWS: Final = 10_000
"""Rows bound, digested and sent at a time."""
LOOKUP_KEYS: Final = 900
"""Values per IN list; SQLite's smallest limit of parameters is 999."""
SCAN_SHARE: Final = 4
"""A table of which more than one row in so many is asked for is read whole: that takes less than asking for each."""

V = TypeVar("V", bound=Hashable)


class Unit:
    """What the `record` block of a store works with. Made by the store; not used after the block."""

    def __init__(
        self,
        connection: sa.Connection,
        interned: Interned,
        head: JournalHead | None,
        kind: str,
        actor: str,
        payload: Mapping[str, object],
        clock_at: datetime,
        origin: str = "",
    ) -> None:
        self.connection = connection
        """For reading within the transaction."""
        self.interned = Interned()
        """Keys this unit added or looked up."""
        self._known = interned
        self._digests: dict[str, tuple[int, int, RowsDigest]] = {}
        self._next_id: dict[str, int] = {}
        self.sequence = head.sequence + 1 if head else 1
        """Of the journal entry."""
        clock_at = require_utc(clock_at, "recorded_at")
        went_back = head is not None and clock_at < head.recorded_at
        self.recorded_at = clock_at
        """The time of the entry. It always rises, by a microsecond where the clock stands still or went back: the
        book as known at the time of one entry must not change with the next."""
        if head is not None and clock_at <= head.recorded_at:
            self.recorded_at = head.recorded_at + timedelta(microseconds=1)
        self._entry: dict[str, Any] = {
            "sequence": self.sequence,
            "kind": kind,
            "actor": actor,
            "recorded_at": utc_text(self.recorded_at),
            "clock_at": utc_text(clock_at) if went_back else None,
            "payload": canonical_json(payload).decode(),
            "origin": origin,
            "previous_digest": head.entry_digest if head else NO_PREDECESSOR,
        }
        times = {"recorded_at": self.recorded_at, "clock_at": clock_at if went_back else None}
        connection.execute(table(JournalEntryRow).insert(), self._entry | times)
        alert = entry_alert(kind, payload)
        self._told: list[NewAlert] = [alert] if alert is not None else []

    @property
    def is_empty(self) -> bool:
        """Whether no row was added so far."""
        return not self._digests

    def add(self, row_class: type[StoredRow], **values: object) -> int:
        """Add one row of Python values, checked by their column types; returns its record_id."""
        columns = _value_columns(table(row_class))
        if unknown := values.keys() - {each.name for each in columns}:
            raise TypeError(f"{row_class.__name__} has no {', '.join(sorted(unknown))}")
        row: list[Canonical] = []
        for each in columns:
            value = values[each.name]
            if value is None and not each.nullable:
                raise TypeError(f"{row_class.__name__}.{each.name} cannot be None")
            row.append(None if value is None else cast("CanonicalType", each.type).canonical(value))
        return self.add_rows(row_class, [tuple(row)])

    def add_rows(self, row_class: type[StoredRow], rows: Iterable[tuple[Canonical, ...]]) -> int:
        """Add rows given as canonical values, in the order of the table's own columns; returns the first record_id.

        The columns record_id, journal_sequence and recorded_at are filled here. This is the way for many rows:
        nothing is checked but by the database.
        """
        into = table(row_class)
        first = next_id = self._first_id(into)
        prefix = (self.sequence, utc_text(self.recorded_at)) if "recorded_at" in into.columns else (self.sequence,)
        width = len(into.columns)
        chunk: list[tuple[Canonical, ...]] = []
        for values in rows:
            row = (next_id, *prefix, *values)
            if len(row) != width:
                raise TypeError(f"{row_class.__name__} has {width} columns, the row has {len(row)}")
            chunk.append(row)
            next_id += 1
            if len(chunk) == CHUNK_ROWS:
                self._insert(into, chunk)
                chunk = []
        if chunk:
            self._insert(into, chunk)
        self._next_id[into.name] = next_id
        return first

    def add_columns(
        self,
        row_class: type[StoredRow],
        count: int,
        *columns: Iterable[Canonical],
        tails: Iterable[tuple[Canonical, ...]] = (),
    ) -> int:
        """Add `count` rows given by their columns, in the order of the table's own; returns the first record_id.

        As `add_rows`, for the rows that a sweep writes for each of its holdings. What is the same in all of them is
        given by `itertools.repeat`, the others have as many values as there are rows; `tails` are the last columns of
        each row together.
        """
        into = table(row_class)
        if any(isinstance(column, list) and len(column) != count for column in columns):
            raise TypeError(f"{row_class.__name__}: a column has not {count} values")
        first = self._first_id(into)
        times = (repeat(utc_text(self.recorded_at)),) if "recorded_at" in into.columns else ()
        heads = zip(range(first, first + count), repeat(self.sequence), *times, *columns, strict=False)
        rest = iter(tails)
        rows = map(add, heads, rest) if tails else heads
        written, width = 0, len(into.columns)
        while chunk := list(islice(rows, CHUNK_ROWS)):
            if set(map(len, chunk)) != {width}:
                raise TypeError(f"{row_class.__name__} has {width} columns, a row has not")
            self._insert(into, chunk)
            written += len(chunk)
        if written != count or next(rest, None) is not None:
            raise TypeError(f"{row_class.__name__}: columns of different lengths for {count} rows")
        self._next_id[into.name] = first + count
        return first

    def _first_id(self, into: sa.Table) -> int:
        if into.name not in self._next_id:
            newest = self.connection.execute(sa.select(sa.func.max(into.c.record_id))).scalar()
            self._next_id[into.name] = (newest or 0) + 1
        return self._next_id[into.name]

    def _insert(self, into: sa.Table, rows: list[tuple[Canonical, ...]]) -> None:
        begun = (cast("int", rows[0][0]), len(into.columns), RowsDigest())
        _, _, digest = self._digests.setdefault(str(into.name), begun)
        digest.add(rows)
        names = ", ".join(f'"{each.name}"' for each in into.columns)
        if self.connection.dialect.name == "sqlite":
            marks = ", ".join("?" * len(into.columns))
            self.connection.exec_driver_sql(f"INSERT INTO {into.name} ({names}) VALUES ({marks})", rows)  # noqa: S608
            return
        driver = cast("Any", self.connection.connection.driver_connection)
        with driver.cursor() as cursor, cursor.copy(f"COPY {into.name} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def text_keys(self, texts: Iterable[str]) -> dict[str, int]:
        """The keys of texts, added where they are new."""
        return self._keys(InternedTextRow, texts)

    def texts(self) -> Mapping[int, str]:
        """Every interned text by key, as this act sees them."""
        return Texts().read(self.connection, self.interned)

    def text_key(self, text: str) -> int:
        """The key of one text."""
        return self.text_keys([text])[text]

    def asset_keys(self, assets: Iterable[Asset]) -> dict[Asset, int]:
        """The keys of assets exactly as given, added where they are new."""
        values = {asset: (asset.asset_id, asset.symbol, asset.decimals) for asset in assets}
        found = self._keys(AssetValueRow, values.values())
        return {asset: found[value] for asset, value in values.items()}

    def text_column(self, texts: Iterable[str]) -> list[int]:
        """The key of each of many texts."""
        given = list(texts)
        keys = self.text_keys(dict.fromkeys(given))
        return list(map(keys.__getitem__, given))

    def account_column(self, chain_id: ChainId, addresses: Sequence[Address]) -> list[int]:
        """The key of the location of each of many addresses, which come several times each."""
        distinct = list(dict.fromkeys(addresses))
        prefix = account_location(chain_id, Address(""))
        locations = self.text_column([prefix + address for address in distinct])
        return list(map(dict(zip(distinct, locations, strict=True)).__getitem__, addresses))

    def asset_column(self, assets: Iterable[Asset]) -> list[int]:
        """The key of each of many assets, which are the same few objects: they are told apart by identity first."""
        given = list(assets)
        identities = list(map(id, given))
        distinct = dict(zip(identities, given, strict=True))
        keys = self.asset_keys(distinct.values())
        by_identity = {identity: keys[asset] for identity, asset in distinct.items()}
        return list(map(by_identity.__getitem__, identities))

    def reading_key(self, seen: BalanceObservation) -> int:
        """The key of the way an observation was made: method, node, state, anchor."""
        value = (seen.method, seen.node_id, seen.state.value, seen.anchor.value)
        return self._keys(ReadingRow, [value])[value]

    def _keys(self, row_class: type[StoredRow], values: Iterable[V]) -> dict[V, int]:
        """The keys of values, in their order; a value is a row's own columns, or the one column itself."""
        of = table(row_class)
        known, mine = self._known.of(of.name), self.interned.of(of.name)
        found = {value: known.get(value) or mine.get(value, 0) for value in values}
        missing = [value for value, key in found.items() if not key]
        if missing:
            stored = self._stored_keys(of, missing)
            new = [value for value in missing if value not in stored]
            if new:
                first = self.add_rows(row_class, (_row(value) for value in new))
                stored.update((value, first + offset) for offset, value in enumerate(new))
            mine.update(cast("dict[Hashable, int]", stored))
            found.update((value, stored[value]) for value in missing)
        return found

    def _stored_keys(self, of: sa.Table, values: Sequence[V]) -> dict[V, int]:
        """The keys of those values that are stored; of very many the table is read once from end to end."""
        columns = _value_columns(of)
        query = sa.select(of.c.record_id, *columns)
        if len(values) * SCAN_SHARE >= self._first_id(of):
            rows = self.connection.execute(query).all()
        else:
            firsts = [_row(value)[0] for value in values]
            parts = (firsts[start : start + LOOKUP_KEYS] for start in range(0, len(firsts), LOOKUP_KEYS))
            rows = [row for part in parts for row in self.connection.execute(query.where(columns[0].in_(part)))]
        keys: dict[Hashable, int]
        keys = {text: key for key, text in rows} if len(columns) == 1 else {tuple(rest): key for key, *rest in rows}
        return {value: keys[value] for value in values if value in keys}

    def tell(self, alert: NewAlert) -> None:
        """Let people know of this act: the alert is stored with it, or not at all, and sent after that."""
        self._told.append(alert)

    def _store_alerts(self) -> None:
        into = table(AlertRow)
        newest = self.connection.execute(sa.select(sa.func.max(into.c.position))).scalar() or 0
        rows = [
            {
                "position": newest + offset,
                "sequence": self.sequence,
                "recorded_at": self.recorded_at,
                "event": alert.event,
                "severity": alert.severity,
                "title": alert.title,
                "details": alert.details,
                "case_id": alert.case_id,
                "chain_id": alert.chain_id,
            }
            for offset, alert in enumerate(self._told, start=1)
        ]
        self.connection.execute(into.insert(), rows)

    def seal(self) -> None:
        """Write the seal over everything that was added."""
        if self._told:
            self._store_alerts()
        sealed = {
            name: SealedRows(first, digest.count, columns, digest.hexdigest())
            for name, (first, columns, digest) in self._digests.items()
        }
        rows = rows_json(sealed)
        digest = rows_digest(rows)
        self.connection.execute(
            table(JournalSealRow).insert(),
            {
                "sequence": self.sequence,
                "rows": rows.decode(),
                "rows_digest": digest,
                "entry_digest": entry_digest(rows_digest=digest, **self._entry),
            },
        )


def _row(value: Hashable) -> tuple[Canonical, ...]:
    return cast("tuple[Canonical, ...]", value if isinstance(value, tuple) else (value,))


def _value_columns(of: sa.Table) -> list[sa.Column[Any]]:
    own = {"record_id", "journal_sequence", "recorded_at"}
    return [each for each in of.columns if each.name not in own]
