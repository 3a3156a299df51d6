"""The journal as a file of lines that can be checked without the database.

Each line is the canonical JSON of one entry with its seal, oldest first; the first line says what the file is. Every
entry names the digest of the one before, so that nothing can be left out or changed without the chain breaking; that
lines are missing at the end is noticed by the head that a bundle or a safe place names. The rows themselves are not in
it: `rows_digest` commits to them, and `custody journal verify` holds the database against that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Final

import orjson

from exports.canonical import canonical_json
from verifier.errors import InputError
from verifier.store.engine import Database
from verifier.store.journal_view import sealed_entries
from verifier.store.seal import NO_PREDECESSOR, entry_digest, rows_digest

FORMAT: Final = "custody-journal/1"
LINE_BYTES_MAX: Final = 64 * 1024 * 1024
_FIELDS: Final = frozenset(
    {
        "sequence",
        "kind",
        "actor",
        "origin",
        "recorded_at",
        "clock_at",
        "payload",
        "previous_digest",
        "rows",
        "rows_digest",
        "entry_digest",
    }
)


def export_lines(store: Database) -> Iterator[bytes]:
    """The lines of the file, each with its end, as the journal stands at one moment."""
    yield canonical_json({"format": FORMAT}) + b"\n"
    for entry in sealed_entries(store):
        yield canonical_json(entry) + b"\n"


@dataclass(frozen=True, slots=True)
class JournalFileReport:
    """What the check of a journal file found."""

    entries: int
    head: tuple[int, str] | None
    """Sequence and digest of the last entry; None of an empty journal."""
    problem: str
    """What does not fit, with its line; empty when all fits."""

    @property
    def ok(self) -> bool:
        """Whether all fits."""
        return not self.problem


def check_file(stream: IO[bytes], known_heads: Mapping[int, str] | None = None) -> JournalFileReport:
    """Recompute every digest of a journal file, offline. Raises `InputError` for a file that is no journal.

    `known_heads` are entry digests by sequence that were written elsewhere: each must be in the file as it is there.
    """
    lines = _lines(stream)
    if next(lines, b"") != canonical_json({"format": FORMAT}):
        raise InputError(f"this is no journal file: its first line does not say {FORMAT}")
    heads, head, previous = dict(known_heads or {}), None, NO_PREDECESSOR
    for count, line in enumerate(lines, 1):
        problem, digest = _judge(line, count, previous)
        if not problem and heads.pop(count, digest) != digest:
            problem = "it is not the one that was named elsewhere"
        if problem:
            return JournalFileReport(count - 1, head, f"entry {count}: {problem}")
        head, previous = (count, digest), digest
    if heads:
        return JournalFileReport(head[0] if head else 0, head, f"entry {min(heads)} was named elsewhere and is missing")
    return JournalFileReport(head[0] if head else 0, head, "")


def _lines(stream: Iterable[bytes]) -> Iterator[bytes]:
    for line in stream:
        if len(line) > LINE_BYTES_MAX:
            raise InputError("a line of the file is too long")
        yield line.removesuffix(b"\n")


def _judge(line: bytes, sequence: int, previous: str) -> tuple[str, str]:
    """What is wrong with one line, and the digest it states."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return "the line is not JSON", ""
    if not isinstance(value, dict) or value.keys() != _FIELDS:
        return "the line has other fields than an entry", ""
    texts = {name: each for name, each in value.items() if name not in ("sequence", "clock_at")}
    if not all(isinstance(each, str) for each in texts.values()):
        return "a field is no text", ""
    if canonical_json(value) != line:
        return "the line is not in its canonical form", ""
    if type(value["sequence"]) is not int or value["sequence"] != sequence:
        return f"it has the number {value['sequence']}", ""
    if value["previous_digest"] != previous:
        return "it does not follow the one before it", ""
    if rows_digest(value["rows"].encode()) != value["rows_digest"]:
        return "the list of its rows was changed", ""
    stated = value.pop("entry_digest")
    del value["rows"]
    return ("", stated) if entry_digest(**value) == stated else ("it was changed", "")
