"""The FOCUS layout, the CSV and the page of a computation: every figure is the computation's own."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from html import unescape

import pytest

from exports.reserve.computation import ReserveComputation, compute
from exports.reserve.computation_page import ROWS_SHOWN, computation_page
from exports.reserve.focus import VERIFIED_BOXES, FocusLine, OnDeposit, focus_lines
from exports.reserve.frequency import Frequency, Method
from exports.reserve.items import ReserveClass
from exports.reserve.lines import CustomerItems, LineRow
from exports.reserve.money import dollars_grouped
from exports.reserve.sheets import computation_csv, focus_csv
from tests.verifier.reserve.make import inputs, rows

CUSTOMER, PAB = ReserveClass.CUSTOMER, ReserveClass.PAB
NOTHING = OnDeposit(None, None, None)
AMOUNTS = {number: number * 1_000_00 for number in range(1, 10)} | {number: number * 100_00 for number in range(10, 16)}


def made(method: Method = Method.BASIC, frequency: Frequency = Frequency.WEEKLY) -> ReserveComputation:
    return compute(inputs(AMOUNTS, {1: 80_00, 10: 5_00}, method=method, frequency=frequency))


def by_line(lines: tuple[FocusLine, ...]) -> dict[str, FocusLine]:
    return {each.line: each for each in lines if each.line}


@pytest.mark.parametrize("method", list(Method))
def test_the_customer_schedule_adds_up_as_the_form_does(method: Method) -> None:
    computation = made(method)
    lines = by_line(focus_lines(computation, CUSTOMER, NOTHING))
    cents = {int(number): each.cents or 0 for number, each in lines.items()}
    assert [cents[number] for number in range(1, 10)] == [AMOUNTS[number] for number in range(1, 10)]
    assert cents[11] == sum(cents[number] for number in range(1, 11)) == computation.customer.total_credits
    assert cents[18] == sum(cents[number] for number in range(12, 18))
    assert cents[20] == cents[18] - cents[19] == computation.customer.total_debits
    assert cents[22] - cents[21] == cents[11] - cents[20]
    one_percent, three_percent = 10_00, 225_00
    expected = (1_000_00 - one_percent, 0) if method is Method.BASIC else (1_000_00, three_percent)
    assert (cents[12], cents[19]) == expected


def test_only_monthly_has_105_percent() -> None:
    assert by_line(focus_lines(made(), CUSTOMER, NOTHING))["23"].words == "not monthly"
    monthly = made(frequency=Frequency.MONTHLY)
    assert by_line(focus_lines(monthly, CUSTOMER, NOTHING))["23"].cents == monthly.customer.required


def test_what_is_not_known_is_not_zero() -> None:
    lines = by_line(focus_lines(made(), CUSTOMER, NOTHING))
    assert [(lines[number].cents, lines[number].words) for number in ("24", "25", "26")] == [(None, "not stated")] * 3
    known = by_line(focus_lines(made(), CUSTOMER, OnDeposit(100, -30, date(2026, 10, 6))))
    assert [known[number].cents for number in ("24", "25", "26")] == [100, -30, 70]
    assert known["27"].words == "2026-10-06"
    half = by_line(focus_lines(made(), CUSTOMER, OnDeposit(100, None, None)))
    assert (half["24"].cents, half["26"].cents) == (100, None)


@pytest.mark.parametrize("purpose", list(ReserveClass))
def test_a_box_number_is_verified_only_where_it_was_seen(purpose: ReserveClass) -> None:
    lines = focus_lines(made(), purpose, NOTHING)
    assert {each.box for each in lines if each.box_status == "verified"} == (
        VERIFIED_BOXES if purpose is CUSTOMER else set()
    )
    assert {each.box_status for each in lines} <= {"verified", "box not verified", "box not known"}
    boxes = [each.box for each in lines if each.box]
    assert len(boxes) == len(set(boxes))


def test_the_pab_schedule_has_all_lines_and_the_offset() -> None:
    computation = made()
    lines = focus_lines(computation, PAB, NOTHING)
    assert [each.cents for each in lines[:9]] == [computation.inputs.pab.cents(number) for number in range(1, 10)]
    named = {each.box: each.cents for each in lines}
    assert (named["2170"], named["2230"], named["2270"]) == (80_00, 5_00, computation.pab.required)
    assert named["2260"] == computation.pab.customer_excess_debits_used


def test_the_rows_of_the_csv_add_up_to_their_line() -> None:
    two = CustomerItems.of([*rows(AMOUNTS), (1, LineRow("more", 5, '=HYPERLINK("x")'))])
    start = inputs(AMOUNTS, {})
    computation = compute(
        type(start)(
            **{name: getattr(start, name) for name in ("as_of", "occasion", "method", "frequency", "pab_frequency")},
            customer=two,
            pab=start.pab,
            pab_swept=0,
            policies=start.policies,
        )
    )
    table_rows = list(csv.DictReader(io.StringIO(computation_csv(computation).decode())))
    for purpose in ReserveClass:
        for number in range(1, 16):
            of = [each for each in table_rows if (each["computation"], each["item"]) == (purpose, str(number))]
            amounts = {
                what: [cents(each["us_dollars"]) for each in of if each["what"] == what] for what in ("line", "row")
            }
            assert [sum(amounts["row"])] == amounts["line"]
    hostile = next(each for each in table_rows if each["row"] == "more")
    assert hostile["source"] == '\'=HYPERLINK("x")'


def cents(text: str) -> int:
    return int(text.replace(".", ""))


def test_the_schedules_as_csv_say_which_boxes_are_verified() -> None:
    lines = focus_lines(made(), CUSTOMER, NOTHING)
    found = list(csv.DictReader(io.StringIO(focus_csv([(CUSTOMER, lines)]).decode())))
    assert len(found) == len(lines)
    assert {(each["box"], each["box_status"]) for each in found if each["line"] in ("1", "11")} == {
        ("4340", "verified"),
        ("4430", "box not verified"),
    }


def test_a_negative_amount_of_a_form_stays_a_number() -> None:
    data = focus_csv([(CUSTOMER, focus_lines(made(), CUSTOMER, OnDeposit(100_00, -30_00, date(2026, 10, 6))))]).decode()
    moved = next(each for each in csv.DictReader(io.StringIO(data)) if each["line"] == "25")
    assert moved["us_dollars"] == "-30.00"


@pytest.mark.fault("F11")
def test_the_page_escapes_everything_and_loads_nothing() -> None:
    lines = [(CUSTOMER, focus_lines(made(), CUSTOMER, NOTHING))]
    text = computation_page("<script>", [("firm", "A & B <b>LLC</b>")], made(), lines).decode()
    assert "&lt;script&gt;" in text
    assert "A &amp; B &lt;b&gt;LLC&lt;/b&gt;" in text
    assert re.findall(r"<(?:script|link|img|a|iframe)\b", text) == []
    assert "default-src 'none'" in unescape(text)
    assert made().digest in text


def test_a_long_line_is_cut_on_the_page_and_says_so() -> None:
    many = [(1, LineRow(f"r{number:05}", 1, "x")) for number in range(ROWS_SHOWN + 7)]
    start = inputs({}, {})
    items = CustomerItems.of([*many, *[pair for pair in rows({}) if pair[0] != 1]])
    computation = compute(
        type(start)(
            start.as_of,
            start.occasion,
            start.method,
            start.frequency,
            start.pab_frequency,
            items,
            start.pab,
            0,
            start.policies,
        )
    )
    text = computation_page("x", [], computation, []).decode()
    assert "and 7 more rows in the CSV" in text
    assert computation_csv(computation).decode().count("\ncustomer,row,1,") == ROWS_SHOWN + 7


def test_the_page_groups_amounts_and_is_the_same_again() -> None:
    made_of = made()
    once, again = (computation_page("t", [], made_of, []) for _ in range(2))
    assert once == again
    assert f'<td class="number">{dollars_grouped(made_of.customer.required)}</td>'.encode() in once


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (123_456, "1,234.56"), (-123_456, "-1,234.56"), (99_999, "999.99")],
)
def test_amounts_for_people_are_grouped(amount: int, text: str) -> None:
    assert dollars_grouped(amount) == text
