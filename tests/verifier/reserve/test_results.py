"""The results as they are shown: each follows from those above it, and nothing that lowers a figure is left out."""

from __future__ import annotations

import csv
import io

import pytest

from exports.reserve.computation import ReserveComputation, compute
from exports.reserve.computation_page import computation_page
from exports.reserve.focus import OnDeposit, focus_lines
from exports.reserve.frequency import Frequency, Method
from exports.reserve.items import ReserveClass
from exports.reserve.money import dollars_grouped
from exports.reserve.results import result_rows
from exports.reserve.sheets import computation_csv
from tests.verifier.reserve.make import inputs

SWEPT = "credits swept in time, PAB Note 8"


def made(
    customer: dict[int, int], swept: int, method: Method = Method.BASIC, frequency: Frequency = Frequency.WEEKLY
) -> ReserveComputation:
    pab = {1: 400_00}
    return compute(inputs(customer, pab, method=method, frequency=frequency, pab_frequency=frequency, pab_swept=swept))


@pytest.mark.parametrize(
    ("method", "frequency"),
    [
        (Method.BASIC, Frequency.WEEKLY),
        (Method.BASIC, Frequency.MONTHLY),
        (Method.ALTERNATIVE, Frequency.WEEKLY),
    ],
)
@pytest.mark.parametrize("customer", [{1: 1_000_00, 10: 300_00}, {1: 100_00, 10: 300_00}])
@pytest.mark.parametrize("swept", [0, 50_00, 999_00])
def test_the_pab_column_adds_up_to_what_is_required(
    method: Method, frequency: Frequency, customer: dict[int, int], swept: int
) -> None:
    computation = made(customer, swept, method, frequency)
    pab = {name: cents for name, _, cents in result_rows(computation)}
    of = {name: cents for name, cents, _ in result_rows(computation)}
    excess = next((cents for name, cents in pab.items() if "percent" in name and cents is not None), None)
    start = excess if excess is not None else pab["excess credits"]
    used, required = pab["customer excess debits used, (e)(4)"], pab["required on deposit"]
    assert start is not None
    assert used is not None
    assert (excess is not None) == (frequency is Frequency.MONTHLY)
    assert start - used - (pab.get(SWEPT) or 0) == required == computation.pab.required
    assert (SWEPT in pab) == bool(computation.pab.swept)
    debits, reduction, total = (of[each] for each in ("aggregate debit items", "reduction of debits", "total debits"))
    assert total == computation.customer.total_debits
    assert debits in ((total or 0) + (reduction or 0), total)


def test_what_was_swept_is_shown_in_every_form() -> None:
    computation = made({1: 1_000_00}, 400_00)
    assert computation.pab.required == 0
    lines = focus_lines(computation, ReserveClass.PAB, OnDeposit(None, None, None))
    assert [each.cents for each in lines if "swept" in each.wording] == [400_00]
    page = computation_page("t", [], computation, []).decode()
    assert f'{SWEPT}</td><td class="number"></td><td class="number">{dollars_grouped(400_00)}</td>' in page
    rows = csv.DictReader(io.StringIO(computation_csv(computation).decode()))
    assert [(each["computation"], each["us_dollars"]) for each in rows if each["what"] == SWEPT] == [("pab", "400.00")]
    without = made({1: 1_000_00}, 0)
    assert "swept" not in computation_page("t", [], without, []).decode()
    assert b"swept" not in computation_csv(without)
