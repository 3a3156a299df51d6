"""One digest over everything that two runs of the same story must agree on.

A run that was killed and taken up again ends with the same digest as an undisturbed one. Left out are the clock
(recorded_at, known_at, and where a text quotes one), the journal (a restart may cut the same rows into other
transactions) and the store's own short keys (their order follows the transactions); what a key refers to takes its
place.

Rows are hashed one by one and the hashes added modulo 2**256, so the order of the rows does not matter. That is
for comparing honest runs; against tampering there is the journal.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Final, cast

import orjson
import sqlalchemy as sa

from verifier.store.engine import Database
from verifier.store.paging import TableReader
from verifier.store.tables import DATA_TABLES
from verifier.store.types import Canonical

_LEFT_OUT: Final = frozenset({"record_id", "journal_sequence", "recorded_at", "known_at"})
_LEFT_OUT_OF: Final = {
    "bundle_issued": frozenset({"digest", "head_sequence", "head_digest", "path"}),
    "case_event": frozenset({"facts_digest", "seen_digest"}),
    "custody_case": frozenset({"case_id"}),
}
"""A bundle names the journal's head, so its digest follows the cut into transactions too. Cases are numbered as they
are opened, and of two chains that are followed at once now this one is first, now that one: what was found, and how
often, tells a case apart. What a decision is bound to names the case by its number too.
"""
_QUOTED_CLOCK: Final = re.compile(r"(recorded(?: only)? at) \d{4}-\d\d-\d\dT[\d:.]+Z")
"""In the text of what was approved in the books only after it had happened."""
_ONLY_REFERRED_TO: Final = frozenset({"asset_value", "interned_text", "node_answer", "reading", "sweep_answer"})
"""Tables whose rows mean nothing by themselves: an extra one is no difference. Kept answers follow the cut into
requests, which two runs need not share.
"""


def state_digest(store: Database) -> str:
    """64 hex digits over the recorded state, apart from when and in which steps it was recorded."""
    total = 0
    for name, row in recorded_state(store):
        digest = hashlib.sha256(orjson.dumps([name, *row])).digest()
        total = (total + int.from_bytes(digest, "big")) % 2**256
    return f"{total:064x}"


def recorded_state(store: Database) -> Iterator[tuple[str, list[Canonical]]]:
    """What the digest is over, row by row with the name of its table: to find where two runs differ."""
    with store.read() as connection:
        identities = _Identities(connection)
        for each in DATA_TABLES:
            if each.name not in _ONLY_REFERRED_TO:
                for _, row in _rows(connection, each, identities):
                    yield each.name, row


class _Identities:
    """What a short key stands for: a digest of the row it refers to, whose own keys are resolved alike."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._known: dict[str, dict[int, str]] = {}

    def of(self, target: sa.Table, key: int) -> str:
        """The identity of one row."""
        known = self._known.get(target.name)
        if known is None:
            known = self._known[target.name] = {}
            # A table that refers to itself refers to earlier rows, which are known by then.
            for found, row in _rows(self._connection, target, self):
                known[found] = hashlib.sha256(orjson.dumps(row)).hexdigest()
        return known[key]


def _rows(connection: sa.Connection, of: sa.Table, identities: _Identities) -> Iterator[tuple[int, list[Canonical]]]:
    """Each row's key and what counts of it, keys replaced by what they stand for."""
    left_out = _LEFT_OUT | _LEFT_OUT_OF.get(of.name, frozenset())
    kept: list[tuple[int, sa.Table | None]] = []
    for position, column in enumerate(of.columns):
        if column.name not in left_out:
            refers = next(iter(column.foreign_keys), None)
            kept.append((position, refers.column.table if refers else None))
    for row in TableReader(connection, of).rest():
        values: list[Canonical] = []
        for position, target in kept:
            value = row[position]
            if target is not None and value is not None:
                value = identities.of(target, cast("int", value))
            values.append(_QUOTED_CLOCK.sub(r"\1", value) if isinstance(value, str) else value)
        yield cast("int", row[0]), values
