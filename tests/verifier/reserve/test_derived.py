"""The origin of lines from the books: what a computation says of it, what contradicts it, and check 23 on a bundle."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exports.canonical import canonical_json, parse_canonical_object
from exports.reserve.computation import ReserveInputs, compute, read_computation
from exports.reserve.computation_page import computation_page
from exports.reserve.derived import DerivedFrom
from exports.reserve.errors import ItemsRefused
from exports.reserve.lines import CustomerItems, ItemLine, LineRow
from mapping.books_types import AccountRelation, AccountType, StockPlace
from tests.exports import test_reserve_checks as bundled
from tests.exports.sample import check, make_firm, verify, write
from tests.verifier.reserve import make
from tests.verifier.reserve.books import account, at, books, derived, long
from verifier.reserve.stated import drivers

ROWS = [account("1", 100), account("2", 30), account("3", -50, kind=AccountType.MARGIN)]
STOCK = [long("a", "1", 10), at("X", StockPlace.STOCK_LOAN, 10, 90_00)]


def inputs(in_full: int = 10) -> ReserveInputs:
    found = derived(books(ROWS, STOCK), in_full=in_full)
    plain = make.inputs({}, {}, as_of=bundled.FRIDAY)
    return replace(plain, customer=found.customer, pab=found.pab, derived_from=found.origin())


def changed(of: ReserveInputs, number: int, change: Callable[[LineRow], LineRow | None]) -> ReserveInputs:
    """The inputs with the rows of one customer line changed, or taken out."""
    rows = tuple(row for row in map(change, of.customer.lines[number - 1].rows) if row is not None)
    lines = list(of.customer.lines)
    lines[number - 1] = ItemLine(number, rows)
    return replace(of, customer=CustomerItems(tuple(lines)))


def origin(of: ReserveInputs) -> DerivedFrom:
    assert of.derived_from is not None
    return of.derived_from


@pytest.mark.parametrize("in_full", [10, 1])
def test_a_computation_of_the_books_is_read_again_to_the_byte(in_full: int) -> None:
    made = compute(inputs(in_full))
    again = read_computation(made.canonical())
    assert (again, again.digest) == (made, made.digest)
    assert (origin(again.inputs).rows, origin(again.inputs).allocation_count) == (4, 1)
    assert origin(again.inputs).excluded == ()


@pytest.mark.parametrize(
    ("number", "change"),
    [
        (1, lambda row: replace(row, cents=row.cents + 1)),
        (1, lambda row: replace(row, source=row.source + " ")),
        (1, lambda row: row if row.row_id == "account:1" else None),
        (3, lambda row: replace(row, row_id="stock:Y/customer")),
        (2, lambda row: replace(row, cents=1)),
        (2, lambda row: replace(row, row_id="lien:L1/customer")),
    ],
)
def test_rows_that_are_not_those_of_the_books_are_refused(
    number: int, change: Callable[[LineRow], LineRow | None]
) -> None:
    compute(inputs())
    with pytest.raises(ItemsRefused):
        compute(changed(inputs(), number, change))


def test_rows_that_stand_for_many_say_for_how_many() -> None:
    short = inputs(1)
    (row,) = short.customer.lines[0].rows
    assert row.source.startswith("2 rows of the books, SHA-256 ")
    compute(short)
    for text in (row.source.replace("2 rows", "3 rows"), row.source.replace("2 rows", "02 rows"), "two rows"):
        with pytest.raises(ItemsRefused):
            compute(changed(short, 1, lambda each, text=text: replace(each, source=text)))  # type: ignore[misc]


@pytest.mark.parametrize("in_full", [10, 1])
def test_another_count_of_rows_is_refused(in_full: int) -> None:
    of = inputs(in_full)
    for wrong in (replace(origin(of), rows=5), replace(origin(of), rows=3)):
        with pytest.raises(ItemsRefused, match="rows of the books"):
            compute(replace(of, derived_from=wrong))


@pytest.mark.parametrize("in_full", [10, 1])
def test_check_23_computes_lines_of_the_books_again(tmp_path: Path, in_full: int) -> None:
    firm = make_firm(tmp_path)
    made = compute(inputs(in_full))
    record = replace(bundled.record(), document=made.canonical().decode(), digest=made.digest)
    assert check(verify(write(tmp_path, firm, bundled.bundle(record)), firm.trusted), 23).problems == ()
    # Sums, results and digests are as good as before; only the rows are said to be other ones.
    value: dict[str, Any] = dict(parse_canonical_object(made.canonical()))
    said = value["inputs"]["derived_from"]
    said |= {"books_sha256": "0" * 64} if in_full == 10 else {"rows": 9}
    value["inputs_digest"] = hashlib.sha256(canonical_json(value["inputs"])).hexdigest()
    document = canonical_json(value)
    forged = replace(record, document=document.decode(), digest=hashlib.sha256(document).hexdigest())
    report = verify(write(tmp_path, firm, bundled.bundle(forged)), firm.trusted)
    assert [problem for problem in check(report, 23).problems if "no stored reserve" in problem] == []
    assert any("rows" in problem for problem in check(report, 23).problems)


def test_the_rows_that_moved_a_line_most_are_named() -> None:
    before = derived(books(ROWS, STOCK)).customer
    moved = [account("1", 90), account("2", 35), account("4", 1), account("3", -50, kind=AccountType.MARGIN)]
    now = derived(books(moved, STOCK)).customer
    assert drivers(now, before) == ["item 1 (credit) -0.04 by account:1 -0.10, account:2 +0.05"]
    assert drivers(now, now) == []
    largest = "item 3 (credit) 100.00 by stock:X/customer 100.00"
    assert drivers(now, None, 1) == [largest]
    many = derived(books(moved, STOCK), in_full=1).customer
    (line,) = drivers(many, derived(books(ROWS, STOCK), in_full=1).customer)
    assert line == "item 1 (credit) -0.04 by rows:customer:1:cash accounts -0.04"


def test_the_page_says_what_the_books_have_and_no_line_has() -> None:
    unsecured = (AccountRelation("3", make.AS_OF, unsecured_or_doubtful=True),)
    uneven = [*STOCK, long("b", "1", 1)]
    found = derived(books(ROWS, uneven, relations=unsecured))
    of = replace(inputs(), customer=found.customer, pab=found.pab, derived_from=found.origin())
    text = computation_page("RC-000001", [], compute(of), []).decode()
    assert "customer item 10: unsecured or doubtful" in text
    assert "1 base units are long and stand nowhere" in text
    stated = computation_page("RC-000002", [], compute(make.inputs({}, {})), []).decode()
    assert "From the books" in text
    assert "From the books" not in stated
