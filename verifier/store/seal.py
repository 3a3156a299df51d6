"""How the journal seals what was written. Pure: bytes in, digests out.

- The digest of a table's rows in an entry is the SHA-256 of the JSON array of these rows, each row an array of the
  canonical values of all its columns in the table's column order (text, integer or null), in record_id order.
- `rows` is canonical JSON: `{table: [first record_id, number of rows, number of columns, digest]}`; `rows_digest` is
  its SHA-256. A later schema may add columns at a table's end; they stay NULL in rows that were sealed before.
- `entry_digest` is the SHA-256 of the canonical JSON of the entry's fields, the predecessor's entry_digest and
  rows_digest. The predecessor of the first entry is 64 zeros.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from exports.canonical import canonical_json
from verifier.store.types import Canonical

NO_PREDECESSOR: Final = "0" * 64


class RowsDigest:
    """The running digest of one table's rows in one entry."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256(b"[")
        self.count = 0

    def add(self, rows: Sequence[Sequence[Canonical]]) -> None:
        """Take further rows; how they are cut into calls makes no difference."""
        if not rows:
            return
        body = memoryview(orjson.dumps(rows))[1:-1]
        if self.count:
            self._digest.update(b",")
        self._digest.update(body)
        self.count += len(rows)

    def hexdigest(self) -> str:
        """The digest of all rows so far; more can be added afterwards."""
        final = self._digest.copy()
        final.update(b"]")
        return final.hexdigest()


@dataclass(frozen=True, slots=True)
class SealedRows:
    """What an entry says of the rows it wrote into one table."""

    first: int
    count: int
    columns: int
    digest: str


def rows_json(sealed: Mapping[str, SealedRows]) -> bytes:
    """Canonical JSON of what was written, by table."""
    return canonical_json({name: [each.first, each.count, each.columns, each.digest] for name, each in sealed.items()})


def parse_rows_json(text: str) -> dict[str, SealedRows]:
    """The inverse of `rows_json`; raises `ValueError` when the text is anything else."""
    try:
        found = {name: SealedRows(*fields) for name, fields in orjson.loads(text).items()}
        if rows_json(found) == text.encode():
            return found
    except (TypeError, AttributeError, orjson.JSONDecodeError):
        pass
    raise ValueError("the list of sealed rows cannot be read")


def rows_digest(rows: bytes) -> str:
    """Digest of the canonical JSON of what was written."""
    return hashlib.sha256(rows).hexdigest()


def entry_digest(
    *,
    sequence: int,
    kind: str,
    actor: str,
    recorded_at: str,
    clock_at: str | None,
    payload: str,
    origin: str,
    previous_digest: str,
    rows_digest: str,
) -> str:
    """Digest of a whole entry; the next entry names it. Times are given in their one text form."""
    fields = {
        "sequence": sequence,
        "kind": kind,
        "actor": actor,
        "recorded_at": recorded_at,
        "clock_at": clock_at,
        "payload": payload,
        "origin": origin,
        "previous_digest": previous_digest,
        "rows_digest": rows_digest,
    }
    return hashlib.sha256(canonical_json(fields)).hexdigest()
