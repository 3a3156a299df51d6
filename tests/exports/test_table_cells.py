"""A computation's table for spreadsheets runs nothing; the canonical text beside it keeps what was said."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from exports.reserve.computation import compute, read_computation
from exports.reserve.lines import CustomerItems, LineRow
from exports.reserve.sheets import computation_csv
from tests.verifier.reserve.make import inputs, rows

RUN = ("=HYPERLINK(A1)", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "=cmd|' /C calc'!A0")
PLAIN = ("ledger", "a=b", "1-1", "'quoted", "\u00fcbertrag")


def sourced(source: str) -> CustomerItems:
    """The lines with one row whose source somebody else wrote."""
    first = LineRow("row-1", 100_000, source)
    return CustomerItems.of([(1, first), *rows({})[1:]])


@pytest.mark.fault("E14")
@pytest.mark.parametrize("source", [*RUN, *PLAIN])
def test_a_cell_that_a_spreadsheet_would_run_is_text_and_the_truth_is_kept(source: str) -> None:
    made = compute(replace(inputs({1: 100_000}, {}), customer=sourced(source)))
    table = list(csv.DictReader(io.StringIO(computation_csv(made).decode("utf-8"))))
    (cell,) = [row["source"] for row in table if row["row"] == "row-1"]
    assert cell == (f"'{source}" if source in RUN else source)
    assert not [value for row in table for value in row.values() if value.startswith(("=", "+", "@", "\t"))]
    again = read_computation(made.canonical())
    assert again.digest == made.digest
    assert again.inputs.customer.lines[0].rows[0].source == source
