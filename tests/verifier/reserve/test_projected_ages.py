"""What is projected from the books of a closed day is as old as on the day of looking, and no computation is."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from exports.reserve.computation import Occasion, Scope
from exports.reserve.frequency import Method
from mapping.books_types import OtherAmount, OtherNature, PabRelief, PabReliefKind, StockPlace
from mapping.importer import ImportOptions, read_files
from mapping.reserve_types import ReserveClass as Stated
from tests.mapping.desk import AAPL, csv_text, plugins
from tests.verifier.reserve.books import KNOWN_AT, PAB, RICH, account, at, books, long
from tests.verifier.reserve.firm import FRIDAY, SETTINGS, capital, months, say
from tests.verifier.reserve.make import AS_OF, CALENDAR, POLICIES
from verifier.reserve.allocation import DerivedItems, derive
from verifier.reserve_inputs import inputs_at, projection_and_rows
from verifier.store import Store

NEXT_DAY = AS_OF + timedelta(days=1)


def aged(days: int, place: StockPlace) -> tuple[DerivedItems, DerivedItems]:
    """Books with one line of an age at the close: as of the close, and as looked at the day after."""
    own = long("a", "1", 10)
    line = at("X", place, 10, 90_00, age=days, account_id="1" if place is StockPlace.FAIL_TO_DELIVER else "")
    beside = [at("D", StockPlace.DEPOSITORY, 20)] if place is StockPlace.FAIL_TO_DELIVER else []
    of = books([account("1", 100)], [own, line, *beside])
    at_close, next_day = (
        derive(of, Method.BASIC, POLICIES, CALENDAR, KNOWN_AT, RICH, aged_on=day) for day in (None, NEXT_DAY)
    )
    return at_close, next_day


def cents(found: DerivedItems, item: int) -> int:
    return found.customer.lines[item - 1].cents


@pytest.mark.parametrize(
    ("place", "item", "days", "young", "old"),
    [
        (StockPlace.FAIL_TO_RECEIVE, 4, 30, 90_00, 100_00),
        (StockPlace.FAIL_TO_DELIVER, 12, 30, 90_00, 0),
        (StockPlace.DIVIDEND_RECEIVABLE, 6, 30, 0, 100_00),
        (StockPlace.TRANSFER, 9, 40, 0, 100_00),
    ],
)
def test_a_day_later_a_line_is_a_day_older(place: StockPlace, item: int, days: int, young: int, old: int) -> None:
    at_close, next_day = aged(days, place)
    assert (cents(at_close, item), cents(next_day, item)) == (young, old)
    at_close, next_day = aged(days - 1, place)
    assert (cents(at_close, item), cents(next_day, item)) == (young, young)


def test_suspense_ages_and_sweeps_of_the_closed_day_still_count() -> None:
    suspense = OtherAmount(AS_OF, "S", Stated.CUSTOMER, OtherNature.SUSPENSE_CREDIT, 7, "s", AS_OF - timedelta(days=30))
    done = datetime.combine(NEXT_DAY, time(12), UTC)
    sweep = PabRelief("R", PabReliefKind.SWEEP, "p", 40, AS_OF, done, free_of_lien=True)
    of = books([account("p", 100, PAB)], other_amounts=(suspense,), pab_reliefs=(sweep,))
    for day, item_8 in ((None, 0), (NEXT_DAY, 7)):
        found = derive(of, Method.BASIC, POLICIES, CALENDAR, KNOWN_AT, RICH, aged_on=day)
        assert (cents(found, 8), found.pab_swept, found.pab.lines[0].cents) == (item_8, 40, 100)


@pytest.fixture
def known_at(store: Store, tmp_path: Path) -> datetime:
    """A firm whose books of Friday have a fail to receive of 30 days; the moment as of which they are known."""
    day, line = FRIDAY.isoformat(), {"as_of": FRIDAY.isoformat(), "security_id": AAPL, "price": "20", "quantity": "10"}
    fail = {
        "line_id": "F",
        "place": "fail_to_receive",
        "side": "short",
        "account_id": "",
        "since": (FRIDAY - timedelta(days=30)).isoformat(),
        "contract_value": "100.00",
    }
    empty = [{"as_of": day, "file": file, "rows": "0", "total": "0"} for file in ("clearing_margin", "liens")]
    tables: dict[str, list[dict[str, str]]] = {
        "clients": [{}],
        "assets": [{"asset_id": AAPL, "symbol": "AAPL", "decimals": "0", "legal_class": "security", "dust_limit": ""}],
        "accounts": [{"as_of": day, "credit_balance": "1000.00"}],
        "stock_record": [{**line, "account_id": "A-1"}, {**line, **fail}],
        "books_close": [
            {"as_of": day, "file": "accounts", "rows": "1", "total": "1000"},
            {"as_of": day, "file": "stock_record", "rows": "2", "total": "20"},
            *empty,
            {"as_of": day, "file": "other_amounts", "rows": "0", "total": "0"},
        ],
    }
    paths = []
    for name, rows in tables.items():
        paths.append(tmp_path / f"{name}.csv")
        paths[-1].write_text(csv_text(name, tuple(rows)))
    now = datetime.combine(FRIDAY, time(23), UTC)
    with store.known() as known:
        result = read_files(paths, known, ImportOptions(now=now), plugins)
    assert result.ok, [str(problem) for problem in result.problems]
    store.apply_import(result, "ops.maker", now)
    say(store, now, [capital(), *months()])
    return store.book_time(now)


def item_4(store: Store, on: date, known_at: datetime) -> int:
    found, why_not, _ = projection_and_rows(store, SETTINGS, on, known_at)
    assert found is not None, why_not
    assert found.inputs.as_of == FRIDAY
    return found.inputs.customer.lines[3].cents


def test_a_fail_of_30_days_at_the_close_is_of_31_the_day_after(store: Store, known_at: datetime) -> None:
    assert item_4(store, FRIDAY, known_at) == 100_00
    assert item_4(store, FRIDAY + timedelta(days=1), known_at) == 200_00
    computed = inputs_at(store, SETTINGS, FRIDAY, known_at, Scope.BOTH, Occasion.REGULAR)
    assert computed.customer.lines[3].cents == 100_00
