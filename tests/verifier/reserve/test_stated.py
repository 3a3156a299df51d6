"""reserve_items.csv: thirty rows, each line once, nil as an explicit zero; every problem is collected."""

from __future__ import annotations

import pytest

from exports.reserve.computation import Occasion, ReserveInputs, compute
from exports.reserve.frequency import Frequency, Method
from tests.verifier.reserve.make import AS_OF, POLICIES
from verifier.reserve.stated import StatedItems, read_stated_items

Row = dict[str, str]


def full() -> list[Row]:
    """A complete file: item n of customers is n dollars, all of PAB is zero."""
    return [
        {
            "computation": computation,
            "item": str(number),
            "side": "credit" if number <= 9 else "debit",
            "amount": f"{number}.00" if computation == "customer" else "0.00",
            "reference": "trial balance",
        }
        for computation in ("customer", "pab")
        for number in range(1, 16)
    ]


def read(rows: list[Row]) -> StatedItems:
    return read_stated_items(enumerate(rows, start=2))


def test_a_complete_file_gives_both_computations() -> None:
    stated = read(full())
    assert stated.problems == ()
    assert stated.customer is not None
    assert stated.pab is not None
    assert [stated.customer.cents(number) for number in (1, 9, 15)] == [1_00, 9_00, 15_00]
    assert stated.customer.lines[9].rows[0].source == "reserve_items.csv line 11: trial balance"
    result = compute(
        ReserveInputs(
            AS_OF,
            Occasion.REGULAR,
            Method.BASIC,
            Frequency.WEEKLY,
            Frequency.WEEKLY,
            stated.customer,
            stated.pab,
            0,
            POLICIES,
        )
    )
    assert (result.customer.excess_debits, result.customer.required) == (75_00 - 10 - 45_00, 0)


def test_the_order_of_the_file_changes_no_amount() -> None:
    forward, backward = read(full()), read(full()[::-1])
    assert forward.customer is not None
    assert backward.customer is not None
    assert [forward.customer.cents(n) for n in range(1, 16)] == [backward.customer.cents(n) for n in range(1, 16)]


@pytest.mark.fault("D6")
@pytest.mark.parametrize("missing", [0, 14, 15, 29])
def test_a_missing_line_is_a_problem_not_a_zero(missing: int) -> None:
    rows = full()
    gone = rows.pop(missing)
    stated = read(rows)
    assert (stated.customer, stated.pab) == (None, None)
    assert [each.reason for each in stated.problems] == [
        f"{gone['computation']} item {gone['item']} is missing; a line of nothing is an explicit 0.00"
    ]


@pytest.mark.fault("D6")
def test_a_line_twice_is_a_problem_that_names_both() -> None:
    stated = read([*full(), full()[0]])
    assert stated.customer is None
    assert [(each.line, each.reason) for each in stated.problems] == [
        (32, "customer item 1 is also in line 2; each line is stated once")
    ]


@pytest.mark.fault("D6")
@pytest.mark.parametrize(
    ("column", "value", "named"),
    [
        ("side", "debit", "side"),
        ("side", "", "side"),
        ("amount", "-1.00", "amount"),
        ("amount", "-0.01", "amount"),
        ("amount", "", "amount"),
        ("amount", "1.005", "amount"),
        ("amount", "1e3", "amount"),
        ("amount", "1,000.00", "amount"),
        ("amount", "$1", "amount"),
        ("amount", "NaN", "amount"),
        ("amount", "+1", "amount"),
        ("reference", " ", "reference"),
        ("computation", "proprietary", "computation"),
        ("computation", "Customer", "computation"),
        ("item", "16", "item"),
        ("item", "01", "item"),
        ("item", "0", "item"),
        ("note", "x", "note"),
    ],
)
def test_a_wrong_field_is_named(column: str, value: str, named: str) -> None:
    rows = full()
    rows[0][column] = value
    stated = read(rows)
    assert (stated.customer, stated.pab) == (None, None)
    assert (stated.problems[0].line, stated.problems[0].column) == (2, named)


def test_all_problems_are_collected() -> None:
    rows = full()
    rows[0]["amount"], rows[3]["side"], rows[20]["reference"] = "x", "debit", ""
    assert [each.line for each in read(rows).problems] == [2, 5, 22]


def test_an_empty_file_states_nothing() -> None:
    assert len(read([]).problems) == 30


def test_control_characters_are_escaped() -> None:
    rows = full()
    rows[0]["amount"] = "\x1b[31m1"
    assert read(rows).problems[0].value == "\\x1b[31m1"
