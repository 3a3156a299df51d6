"""The fault catalogue, read from its one source: the tables of docs/faults.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CATALOGUE_PATH: Final = Path(__file__).resolve().parent.parent / "docs" / "faults.md"

ROW_COUNTS: Final = {"A": 50, "B": 20, "C": 20, "D": 12, "E": 21, "F": 24, "G": 19}
"""Rows per section. A row is never renumbered or dropped without saying so here."""

_TABLE_ROW = re.compile(r"\| *(?P<row>[A-G][0-9]+) *\| *(?P<fault>[^|]+?) *\| *(?P<expected>[^|]+?) *\|")


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One fault the system survives, and what it does then."""

    row: str
    """For example `A7`; the letter is the section."""
    fault: str
    expected: str


def parse_catalogue(text: str) -> dict[str, FaultRow]:
    """The rows of a catalogue in Markdown, in their order; raise ValueError for a line or number that is off."""
    rows: dict[str, FaultRow] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not re.match(r"\| *[A-G][0-9]+ *\|", line):
            continue
        match = _TABLE_ROW.fullmatch(line)
        if match is None:
            raise ValueError(f"line {number} is not a catalogue row of three cells: {line[:60]!r}")
        row = match["row"]
        expected_row = row[0] + str(1 + sum(known[0] == row[0] for known in rows))
        if row != expected_row:
            raise ValueError(f"line {number} has row {row} where {expected_row} comes next")
        rows[row] = FaultRow(row, match["fault"], match["expected"])
    return rows


def load_catalogue(path: Path = CATALOGUE_PATH) -> dict[str, FaultRow]:
    """The rows of the project's catalogue."""
    return parse_catalogue(path.read_text(encoding="utf-8"))
