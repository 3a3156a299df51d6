"""Positions in the books beside what custodians state: what each difference is called, and what is not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from chains.errors import InvalidValue
from chains.types import Asset, LocationId
from exports.records import Status
from exports.securities.comparison import PositionLine, SecuritiesComparison, Stated
from exports.securities.document import digest, document, read_comparison
from exports.securities.errors import ComparisonRefused
from mapping.books_types import StockPlace
from tests.verifier.securities.make import AAPL, ASSETS, AT, BANK, DAY, DTC, DUE, MSFT, given, line, statement
from verifier.custodians.comparing import UNDER_LIEN, LedgerClaim, compare, not_free_at, recorded_at
from verifier.records import FindingKind
from verifier.rules.custodians import comparison_findings, encumbered_findings

WARN = timedelta(hours=2)


def the_line(found: SecuritiesComparison) -> PositionLine:
    (only,) = found.lines
    return only


def kinds(found: SecuritiesComparison) -> list[tuple[FindingKind, int | None]]:
    return [(each.kind, each.base_units) for each, _ in comparison_findings(found, AT, WARN)]


def test_clients_together_are_the_participant_account() -> None:
    found = compare(given(statement({AAPL: 1250}), ledger={(DTC, AAPL): 1250}))
    assert (found.counts, kinds(found)) == ((1, 1, 0, 0), [])


@pytest.mark.parametrize(
    ("stated", "claimed", "kind", "difference"),
    [
        (1249, 1250, FindingKind.SHORTFALL, -1),
        (1251, 1250, FindingKind.EXCESS, 1),
        (0, 1250, FindingKind.SHORTFALL, -1250),
        (5, 0, FindingKind.UNALLOCATED_BALANCE, 5),
    ],
)
def test_one_share_apart_is_a_difference(stated: int, claimed: int, kind: FindingKind, difference: int) -> None:
    ledger = {(DTC, AAPL): claimed} if claimed else {}
    found = compare(given(statement({AAPL: stated} if stated else {}), ledger=ledger))
    assert (found.counts, kinds(found)) == ((1, 0, 1, 0), [(kind, difference)])


def test_what_a_whole_statement_does_not_list_is_nothing_and_rows_alone_say_nothing() -> None:
    claims = {(DTC, AAPL): 10, (DTC, MSFT): 5}
    whole = compare(given(statement({AAPL: 10}), ledger=claims))
    assert [(each.asset, each.status) for each in whole.lines] == [(AAPL, Status.MATCHED), (MSFT, Status.DIVERGED)]
    rows = compare(given(statement({AAPL: 10}, whole=False), ledger=claims))
    assert [each.status for each in rows.lines] == [Status.MATCHED, Status.UNVERIFIED]
    assert "not known to be whole" in rows.lines[1].gaps[0]


@pytest.mark.fault("B18")
def test_without_a_statement_nothing_is_verified() -> None:
    due = {DTC: ("DTC", DUE)}
    found = compare(given(ledger={(DTC, AAPL): 10}, due=due))
    assert found.counts == (2, 0, 0, 2)
    assert "no statement of DTC of 2026-11-20" in the_line(found).gaps[0]
    there = compare(given(statement({AAPL: 10}), ledger={(DTC, AAPL): 10}, due=due))
    assert there.counts == (1, 1, 0, 0)
    other = compare(given(statement({AAPL: 10}, by="Somebody"), ledger={(DTC, AAPL): 10}, due=due))
    assert other.counts == (2, 1, 0, 1)  # another party's word is compared, and the custodian's is missing all the same


@pytest.mark.parametrize(("before", "heard"), [(timedelta(hours=2, seconds=1), False), (timedelta(hours=2), True)])
@pytest.mark.fault("B18")
def test_a_late_statement_is_a_heartbeat_before_its_deadline(before: timedelta, heard: bool) -> None:
    found = compare(given(due={DTC: ("DTC", DUE)}))
    seen = {each.kind: each for each, _ in comparison_findings(found, DUE - before, WARN)}
    assert FindingKind.UNVERIFIED in seen
    assert (FindingKind.STALE_OBSERVATION in seen) == heard
    if heard:
        assert "is due at 2026-11-23T13:00" in seen[FindingKind.STALE_OBSERVATION].text
    passed = {each.kind: each.text for each, _ in comparison_findings(found, DUE, WARN)}
    assert "was due at" in passed[FindingKind.STALE_OBSERVATION]


STOCK = [
    line("A", StockPlace.ACCOUNT, 1250),
    line("D", StockPlace.DEPOSITORY, 1000, location_id=DTC),
    line("P", StockPlace.BANK_LOAN, 250, location_id=DTC, account_id="A-1", reference="LIEN-1"),
]


def test_the_stock_record_is_compared_beside_the_sub_ledger() -> None:
    found = compare(given(statement({AAPL: 1250}), ledger={(DTC, AAPL): 1250}, stock=STOCK))
    assert (the_line(found).recorded, found.counts) == (1250, (1, 1, 0, 0))
    short = compare(given(statement({AAPL: 1249}), ledger={(DTC, AAPL): 1250}, stock=STOCK))
    assert kinds(short) == [(FindingKind.SHORTFALL, -1), (FindingKind.CUSTODIAN_MISMATCH, -1)]
    apart = compare(given(statement({AAPL: 1250}), ledger={(DTC, AAPL): 1250}, stock=STOCK[:2]))
    assert kinds(apart) == [(FindingKind.CUSTODIAN_MISMATCH, 250)]


def test_the_stock_record_alone_is_enough_where_the_sub_ledger_keeps_nothing_there() -> None:
    found = compare(given(statement({AAPL: 1250}), stock=STOCK))
    assert (the_line(found).clients, found.counts) == (None, (1, 1, 0, 0))
    unknown = compare(given(statement({AAPL: 1250, MSFT: 3}), stock=STOCK))
    assert kinds(unknown) == [(FindingKind.CUSTODIAN_MISMATCH, 3)]


@pytest.mark.parametrize("place", [StockPlace.STOCK_LOAN, StockPlace.FAIL_TO_RECEIVE, StockPlace.TRANSFER])
def test_what_lies_elsewhere_is_not_counted_at_a_location(place: StockPlace) -> None:
    elsewhere = line("E", place, 70, location_id=DTC)
    found = compare(given(statement({AAPL: 1250}), stock=[*STOCK, elsewhere]))
    assert found.counts == (1, 1, 0, 0)


def test_outside_lines_without_a_location_are_unverified() -> None:
    homeless = line("H", StockPlace.BANK_CUSTODY, 70)
    found = compare(given(statement({AAPL: 1250}), stock=[*STOCK, homeless]))
    assert found.counts == (2, 1, 0, 1)
    ((finding, _),) = comparison_findings(found, AT, WARN)
    assert (finding.kind, finding.location_id) == (FindingKind.UNVERIFIED, "books:unplaced")
    boxed = line("B", StockPlace.BOX, 70)
    assert compare(given(statement({AAPL: 1250}), stock=[*STOCK, boxed])).counts == (1, 1, 0, 0)


def test_books_that_are_not_closed_leave_positions_unverified() -> None:
    found = compare(given(statement({AAPL: 10}), ledger={(DTC, AAPL): 10}, stock_gap="accounts are not closed"))
    assert (the_line(found).status, the_line(found).gaps) == (Status.UNVERIFIED, ("accounts are not closed",))
    worse = compare(given(statement({AAPL: 9}), ledger={(DTC, AAPL): 10}, stock_gap="accounts are not closed"))
    assert the_line(worse).status is Status.DIVERGED


def test_one_owner_below_zero_is_never_set_off() -> None:
    found = compare(given(statement({AAPL: 10}), ledger={(DTC, AAPL): LedgerClaim(10, 0, 1)}))
    assert kinds(found) == [(FindingKind.NEGATIVE_ALLOCATION, None)]
    assert found.counts == (1, 0, 1, 0)


def test_the_firms_own_counts_at_a_shared_account() -> None:
    found = compare(given(statement({AAPL: 12}), ledger={(DTC, AAPL): LedgerClaim(10, 2)}))
    assert found.counts == (1, 1, 0, 0)
    ((finding, covers),) = comparison_findings(
        compare(given(statement({AAPL: 10}), ledger={(DTC, AAPL): LedgerClaim(10, 2)})), AT, WARN
    )
    assert (finding.base_units, covers) == (-2, ((DTC, AAPL.asset_id),))
    assert "clients 10 AAPL, the firm 2 AAPL" in finding.text


def test_the_newest_statement_of_a_custodian_counts() -> None:
    ledger: dict[tuple[LocationId, Asset], int] = {(DTC, AAPL): 10}
    early = statement({AAPL: 7}, number="1", at=AT - timedelta(hours=3), order=5)
    late = statement({AAPL: 10}, number="2")
    assert compare(given(early, late, ledger=ledger)).counts == (1, 1, 0, 0)
    corrected = statement({AAPL: 9}, number="3", order=1)
    assert kinds(compare(given(early, late, corrected, ledger=ledger))) == [(FindingKind.SHORTFALL, -1)]


def test_two_custodians_of_one_location_are_both_compared() -> None:
    found = compare(given(statement({AAPL: 10}), statement({AAPL: 9}, by="Bank"), ledger={(DTC, AAPL): 10}))
    assert kinds(found) == [(FindingKind.SHORTFALL, -1)]


def test_nothing_anywhere_is_nothing_compared() -> None:
    assert compare(given(statement({AAPL: 0}))).counts == (0, 0, 0, 0)
    assert compare(given()).counts == (0, 0, 0, 0)


@pytest.mark.parametrize(("pledged", "beyond"), [(250, None), (251, 1), (0, None)])
def test_what_a_custodian_calls_pledged_needs_its_lien(pledged: int, beyond: int | None) -> None:
    stated = replace(statement({AAPL: 1250}), not_free={AAPL.asset_id: pledged})
    liens = recorded_at(STOCK, UNDER_LIEN)
    assert liens == {(DTC, AAPL.asset_id): 250}
    found = encumbered_findings(not_free_at([stated]), liens, ASSETS)
    assert [(each.kind, each.base_units) for each, _ in found] == (
        [(FindingKind.ENCUMBRANCE, beyond)] if beyond is not None else []
    )
    without_books = encumbered_findings(not_free_at([stated]), {}, ASSETS)
    assert len(without_books) == (1 if pledged else 0)


def test_locations_are_not_netted() -> None:
    found = compare(
        given(
            statement({AAPL: 9}),
            statement({AAPL: 11}, place=BANK, by="Bank"),
            ledger={(DTC, AAPL): 10, (BANK, AAPL): 10},
        )
    )
    assert sorted(kinds(found)) == [(FindingKind.EXCESS, 1), (FindingKind.SHORTFALL, -1)]


@drawn(
    st.lists(st.tuples(st.sampled_from([DTC, BANK]), st.sampled_from([AAPL, MSFT]), st.integers(0, 50)), max_size=6),
    st.lists(st.integers(0, 50), min_size=2, max_size=2),
)
def test_the_order_of_inputs_changes_nothing_and_the_text_repeats(
    claims: list[tuple[LocationId, Asset, int]], stated: list[int]
) -> None:
    ledger = {(place, asset): units for place, asset, units in claims if units}
    statements = [statement({AAPL: stated[0], MSFT: 3}), statement({MSFT: stated[1]}, place=BANK, by="Bank")]
    lines = [line("D", StockPlace.DEPOSITORY, 5, location_id=DTC), line("E", StockPlace.BANK_CUSTODY, 2, MSFT)]
    first = compare(given(*statements, ledger=ledger, stock=lines))
    turned = compare(given(*statements[::-1], ledger=dict(reversed(ledger.items())), stock=lines[::-1]))
    text = document(first)
    assert document(turned) == text
    again = read_comparison(text)
    assert document(again) == text
    expected, matched, diverged, unverified = again.counts
    assert matched + diverged + unverified == expected


def test_a_changed_document_is_refused() -> None:
    text = document(compare(given(statement({AAPL: 9}), ledger={(DTC, AAPL): 10})))
    assert len(digest(text)) == 64
    assert b'"base_units":"9"' in text
    with pytest.raises(ComparisonRefused):
        read_comparison(text.replace(b'"base_units":"9"', b'"base_units":"8"'))
    with pytest.raises(ComparisonRefused):
        read_comparison(text.replace(b'"status":"diverged"', b'"status":"matched"'))
    with pytest.raises(ComparisonRefused):
        read_comparison(b"{}")


def test_lines_check_themselves() -> None:
    good = the_line(compare(given(statement({AAPL: 9}), ledger={(DTC, AAPL): 10})))
    for change in ({"firm": None}, {"stated": ()}):
        with pytest.raises(InvalidValue):
            replace(good, **change)
    with pytest.raises(InvalidValue):
        Stated("DTC", "1", AT, 5, False)
    with pytest.raises(InvalidValue):
        SecuritiesComparison(DAY, AT, (good, good), (), ())
