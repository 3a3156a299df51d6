"""A computation as CSV: every row behind every line, or the lines of the FOCUS schedule.

Amounts are US dollars with two decimals. A cell that a spreadsheet would run as a formula is given as text.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

from exports.reserve.computation import ReserveComputation
from exports.reserve.focus import FocusLine
from exports.reserve.items import ReserveClass, item
from exports.reserve.money import dollars
from exports.reserve.results import result_rows

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_AMOUNT: Final = re.compile(r"-?[0-9]+\.[0-9]{2}", re.ASCII)


def computation_csv(computation: ReserveComputation) -> bytes:
    """One line for each row of each item, then totals and results: the rows of an item add up to its line."""
    inputs = computation.inputs
    rows: list[Sequence[str]] = [("computation", "what", "item", "side", "citation", "row", "us_dollars", "source")]
    for purpose, items in ((ReserveClass.CUSTOMER, inputs.customer), (ReserveClass.PAB, inputs.pab)):
        for line in items.lines:
            of = item(line.number)
            fixed = (str(line.number), of.side.value, of.citation)
            rows.append((purpose, "line", *fixed, "", dollars(line.cents), of.wording))
            rows += [(purpose, "row", *fixed, each.row_id, dollars(each.cents), each.source) for each in line.rows]
    for name, *figures in result_rows(computation):
        for purpose, cents in zip(ReserveClass, figures, strict=True):
            if cents is not None:
                rows.append((purpose, name, "", "", "", "", dollars(cents), computation.rule_set_id))
    return _text(rows)


def focus_csv(schedules: Iterable[tuple[ReserveClass, Sequence[FocusLine]]]) -> bytes:
    """The lines of the schedules; the column `box_status` says which box numbers are verified."""
    rows: list[Sequence[str]] = [("schedule", "line", "wording", "box", "box_status", "us_dollars", "words")]
    for purpose, lines in schedules:
        for each in lines:
            amount = dollars(each.cents) if each.cents is not None else ""
            rows.append((purpose, each.line, each.wording, each.box, each.box_status, amount, each.words))
    return _text(rows)


def _text(rows: Iterable[Sequence[str]]) -> bytes:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    for row in rows:
        writer.writerow([cell if _AMOUNT.fullmatch(cell) else _as_text(cell) for cell in row])
    return written.getvalue().encode("utf-8")


def _as_text(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
