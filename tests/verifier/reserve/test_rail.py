"""Computations kept with their inputs, required against held, cases and status: on both databases."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from exports.reserve.computation import Occasion, Scope
from exports.reserve.computation import compute as computed
from exports.reserve.errors import ItemsRefused, ReserveError, ScheduleRefused
from exports.reserve.items import ReserveClass
from mapping import reserve_types as stated
from tests.verifier.reserve.firm import (
    DEADLINE,
    FRIDAY,
    MONDAY_NOON,
    PAB,
    SETTINGS,
    account,
    bill,
    cash,
    items,
    months,
    open_reserve,
    say,
)
from tests.verifier.store.tamper import run_sql, tamper
from verifier.errors import InputError
from verifier.journal import verify_journal
from verifier.overview import overview
from verifier.records import CaseState, FindingKind
from verifier.reserve.calendar import reserve_times
from verifier.reserve_cases import look, reserve_findings
from verifier.reserve_inputs import firm_calendar, inputs_at
from verifier.reserve_rail import (
    PurposeView,
    compute_and_record,
    in_use,
    reserve_view,
    what_if_withdraw,
)
from verifier.rules.status import FirmStatus
from verifier.store import Store, open_store
from verifier.store.reserve_store import StoredComputation

LATER = MONDAY_NOON + timedelta(minutes=30)


def compute(
    store: Store,
    as_of: date = FRIDAY,
    *,
    scope: Scope = Scope.BOTH,
    occasion: Occasion = Occasion.REGULAR,
    reason: str = "",
    hours: int = 0,
) -> StoredComputation:
    now = MONDAY_NOON + timedelta(hours=hours)
    return compute_and_record(store, SETTINGS, as_of, scope, occasion, "ops.maker", now, reason)


def customer(store: Store, hours: int = 0) -> PurposeView:
    return reserve_view(store, SETTINGS, MONDAY_NOON + timedelta(hours=hours)).of(ReserveClass.CUSTOMER)


def kinds(store: Store) -> dict[FindingKind, bool]:
    """Kinds of the open cases, and whether each was seen last."""
    return {case.finding.kind: case.is_seen for case in store.cases() if case.state is not CaseState.CLOSED}


@pytest.mark.fault("D12")
def test_a_computation_is_kept_with_its_inputs_and_comes_out_the_same(store: Store) -> None:
    open_reserve(store)
    made = compute(store)
    assert (made.computation_id, made.rule_set) == ("RC-000001", "15c3-3 of 2025-03-14")
    assert (made.times.compute_on, made.times.deposit_on) == (date(2026, 10, 5), date(2026, 10, 6))
    assert made.times.deposit_by == DEADLINE
    (again,) = store.reserve_computations()
    assert again == made
    assert again.computation().canonical() == made.document
    assert again.computation().customer.required == 1_000_00
    source = again.computation().inputs.customer.lines[0].rows[0].source
    assert "line 2" in source
    assert source.endswith(": ledger")


def test_the_same_again_is_the_same_and_another_needs_a_reason(store: Store) -> None:
    open_reserve(store)
    first = compute(store)
    head = store.head()
    assert compute(store, hours=1) == first
    assert store.head() == head
    say(store, LATER, [items({1: 2_000_00}, reference="late entry")[0]])
    with pytest.raises(InputError, match="RC-000001 stands"):
        compute(store, hours=1)
    second = compute(store, hours=1, reason="late entry")
    assert (second.computation_id, second.replaces, second.reason) == ("RC-000002", "RC-000001", "late entry")
    assert [each.computation_id for each in store.standing_computations()] == ["RC-000002"]
    assert store.reserve_computation("RC-000001") == first
    with pytest.raises(InputError, match="no reserve computation RC-000009"):
        store.reserve_computation("RC-000009")


def test_a_slow_computation_never_replaces_one_from_newer_books(store: Store) -> None:
    open_reserve(store)
    slow = compute(store)
    say(store, LATER, [items({1: 2_000_00}, reference="late entry")[0]])
    newer = compute(store, hours=1, reason="late entry")
    with pytest.raises(InputError, match="RC-000002 was made from newer books"):
        store.add_reserve_computation(
            slow.computation(), slow.times, slow.known_at, "ops.maker", MONDAY_NOON + timedelta(hours=2), "again"
        )
    assert store.standing_computations() == [newer]


def test_of_two_that_compute_at_once_one_stands_and_the_other_is_told(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_reserve(store)
    real = Store.standing_computations

    def slowly(self: Store, known_at: datetime | None = None) -> list[StoredComputation]:
        found = real(self, known_at)
        time.sleep(0.2)  # long enough for the other one to look, too
        return found

    def made(swept: int) -> str:
        other = open_store(database_url, busy_seconds=120.0)
        try:
            inputs = inputs_at(other, SETTINGS, FRIDAY, MONDAY_NOON, Scope.BOTH, Occasion.REGULAR)
            different = replace(inputs, pab_swept=swept)
            calendar, hours = firm_calendar(SETTINGS)
            times = reserve_times(FRIDAY, calendar, hours)
            return other.add_reserve_computation(
                computed(different), times, MONDAY_NOON, "ops.maker", LATER
            ).computation_id
        except InputError as error:
            return str(error)
        finally:
            other.close()

    monkeypatch.setattr(Store, "standing_computations", slowly)
    with ThreadPoolExecutor(2) as pool:
        told = sorted(pool.map(made, (0, 1)))
    monkeypatch.undo()
    assert told == ["RC-000001", "RC-000001 stands for 2026-10-02 with other inputs"]
    assert len(store.standing_computations()) == 1
    assert verify_journal(store).ok


@pytest.mark.fault("C12")
def test_what_was_known_then_is_still_answered(store: Store) -> None:
    open_reserve(store)
    before = MONDAY_NOON
    say(store, LATER, [items({1: 2_000_00}, reference="late entry")[0], cash("C", 5)])
    then = [row.record.cents for row in store.reserve_items(FRIDAY, before)]
    now = [row.record.cents for row in store.reserve_items(FRIDAY, LATER)]
    assert (sum(then), sum(now), len(now)) == (1_000_00, 2_000_00, 30)
    assert {each.market_value for each in store.reserve_statements(before).holdings} == {900_00, 0}
    assert {each.market_value for each in store.reserve_statements(LATER).holdings} == {5, 0}


@pytest.mark.fault("D6")
def test_without_every_line_nothing_is_computed(store: Store) -> None:
    open_reserve(store)
    thursday = date(2026, 10, 1)
    say(store, LATER, items({}, as_of=thursday)[:29])
    with pytest.raises(ItemsRefused, match=r"pab 15$"):
        compute(store, thursday, occasion=Occasion.EXTRA, hours=1)
    with pytest.raises(ItemsRefused, match="no line is stated for 2026-09-25, and its books are not closed"):
        compute(store, date(2026, 9, 25), hours=1)
    assert store.reserve_computations() == []


def test_only_a_day_that_closed_and_is_due_is_computed(store: Store) -> None:
    open_reserve(store)
    thursday = date(2026, 10, 1)
    say(store, LATER, [*items({1: 1}, as_of=thursday), *items({1: 1}, as_of=date(2026, 10, 5))])
    with pytest.raises(ScheduleRefused, match="has not closed"):
        compute(store, date(2026, 10, 5), occasion=Occasion.EXTRA, hours=1)
    with pytest.raises(ScheduleRefused, match="weekly: none is due as of 2026-10-01"):
        compute(store, thursday, hours=1)
    with pytest.raises(ReserveError, match="no banking day"):
        compute(store, date(2026, 10, 3), occasion=Occasion.EXTRA, hours=1)
    assert compute(store, thursday, occasion=Occasion.EXTRA, hours=1).occasion is Occasion.EXTRA


@pytest.mark.fault("D8")
def test_at_the_threshold_every_day_is_due(store: Store) -> None:
    thursday = date(2026, 10, 1)
    open_reserve(store)
    say(store, LATER, [*items({1: 1}, as_of=thursday), *months(500_000_000_00)])
    with pytest.raises(ScheduleRefused, match="weekly"):  # six months to begin: from 2027-02-28
        compute(store, thursday, hours=1)
    early = [replace(each, filed_on=each.month_end + timedelta(days=21)) for each in _months(500_000_000_00)]
    say(store, LATER + timedelta(minutes=1), early)
    made = compute(store, thursday, hours=1)
    assert made.computation().inputs.frequency.value == "daily_required"


def _months(cents: int) -> list[stated.FocusMonthEnd]:
    """The twelve months of 2025, which began daily computation on 2026-06-30."""
    found = months(cents, last=date(2025, 12, 31))
    return [each for each in found if isinstance(each, stated.FocusMonthEnd)]


@pytest.mark.fault("D7")
def test_the_scope_says_whose_requirement_is_fixed(store: Store) -> None:
    open_reserve(store)
    compute(store, scope=Scope.PAB)
    assert customer(store).funding is None
    assert "no customer computation is on record" in customer(store).gaps
    view = reserve_view(store, SETTINGS, LATER).of(ReserveClass.PAB)
    assert view.funding is not None
    assert (view.funding.requirement.cents, view.gaps) == (0, ())


def test_two_scopes_never_fix_one_purpose_of_a_day(store: Store) -> None:
    open_reserve(store)
    compute(store, scope=Scope.PAB)
    with pytest.raises(InputError, match=r"RC-000001 stands .* with the scope pab"):
        compute(store, scope=Scope.BOTH, reason="again")
    assert compute(store, scope=Scope.CUSTOMER).computation_id == "RC-000002"
    assert compute(store, scope=Scope.BOTH, occasion=Occasion.TEST).computation_id == "RC-000003"
    assert customer(store).shortfall == 100_00


def test_a_computation_on_record_that_does_not_come_out_is_unverified(store: Store, database_url: str) -> None:
    open_reserve(store)
    compute(store)
    tamper(
        database_url,
        """UPDATE reserve_computation SET document = replace(document, '"required":"100000"', '"required":"1"')""",
    )
    view = customer(store)
    assert view.funding is None
    assert "the inputs of this reserve computation give another result" in view.gaps


def test_required_held_and_projected_are_apart(store: Store) -> None:
    open_reserve(store)
    assert (customer(store).funding, customer(store).projected_shortfall) == (None, 100_00)
    compute(store)
    view = customer(store, hours=1)
    assert view.funding is not None
    assert view.projected is not None
    assert (view.shortfall, view.funding.withdrawable, view.projected.cents) == (100_00, 0, 1_000_00)
    say(store, LATER, [items({1: 1_500_00})[0]])
    view = customer(store, hours=1)
    assert (view.shortfall, view.projected_shortfall) == (100_00, 600_00)
    assert view.drivers == ("item 1 (credit) +500.00",)
    say(store, LATER + timedelta(minutes=1), [cash("C", 1_600_00)])
    view = customer(store, hours=1)
    assert view.funding is not None
    assert (view.shortfall, view.projected_shortfall, view.funding.withdrawable) == (0, 0, 600_00)
    assert reserve_findings(reserve_view(store, SETTINGS, LATER + timedelta(minutes=2))) == []


def test_a_projected_deficit_becomes_a_deficit_and_then_a_missed_deposit(store: Store) -> None:
    open_reserve(store)
    look(store, SETTINGS, "ops.maker", MONDAY_NOON)
    assert kinds(store)[FindingKind.PROJECTED_RESERVE_DEFICIT]
    compute(store)
    look(store, SETTINGS, "ops.maker", LATER)
    assert kinds(store) == {
        FindingKind.PROJECTED_RESERVE_DEFICIT: False,
        FindingKind.UNVERIFIED: False,
        FindingKind.RESERVE_DEFICIT: True,
    }
    view, _ = look(store, SETTINGS, "ops.maker", DEADLINE)
    assert not view.of(ReserveClass.CUSTOMER).missed
    view, seen = look(store, SETTINGS, "ops.maker", DEADLINE + timedelta(microseconds=1))
    assert view.of(ReserveClass.CUSTOMER).missed
    (missed,) = (each for each in seen if each.finding.kind is FindingKind.MISSED_RESERVE_DEPOSIT)
    assert (missed.finding.base_units, "15c3-3(i)" in missed.finding.text) == (-100_00, True)
    say(store, DEADLINE + timedelta(hours=1), [cash("C", 1_000_00, as_of=date(2026, 10, 6))])
    say(store, DEADLINE + timedelta(hours=2), [cash("P", 0, as_of=date(2026, 10, 6))])
    look(store, SETTINGS, "ops.maker", DEADLINE + timedelta(hours=3))
    assert kinds(store)[FindingKind.RESERVE_DEFICIT] is False
    assert kinds(store)[FindingKind.MISSED_RESERVE_DEPOSIT] is True  # it happened: nothing heals it


def test_seeing_the_same_again_is_no_news(store: Store) -> None:
    open_reserve(store)
    compute(store)
    _, first = look(store, SETTINGS, "ops.maker", LATER)
    head = store.head()
    _, again = look(store, SETTINGS, "ops.maker", LATER + timedelta(minutes=1))
    assert [each.is_new for each in first] == [True]
    assert [each.is_new for each in again] == [False]
    assert store.head() == head


@pytest.mark.fault("D4")
def test_an_unpriced_security_is_unverified_never_a_deficit_by_itself(store: Store) -> None:
    open_reserve(store)
    compute(store)
    say(store, LATER, [bill("C", None)])
    view = customer(store, hours=1)
    assert (view.shortfall, view.held.cents, view.held.most) == (0, 900_00, None)
    assert view.gaps == ("C T-1: no_price",)
    found = reserve_findings(reserve_view(store, SETTINGS, MONDAY_NOON + timedelta(hours=1)))
    assert [each.kind for each in found] == [FindingKind.UNVERIFIED]
    say(store, LATER + timedelta(minutes=1), [bill("C", 100_00)])
    assert (customer(store, hours=1).shortfall, customer(store, hours=1).gaps) == (0, ())


def test_a_deficit_is_known_where_missing_facts_could_not_cover_it(store: Store) -> None:
    """Cash at a bank of unknown equity counts nothing; even all of it would not be enough."""
    open_reserve(store, required=2_000_00)
    compute(store)
    unknown = account("C2", bank_id="BANK-2", equity_capital=None, call_report_on=None)
    say(store, LATER, [unknown, cash("C2", 50_00)])
    view = customer(store, hours=1)
    assert (view.held.cents, view.held.most, view.shortfall) == (900_00, 950_00, 1_100_00)
    say(store, LATER + timedelta(minutes=1), [cash("C2", 1_100_00)])
    view = customer(store, hours=1)
    assert (view.held.cents, view.held.most, view.shortfall) == (900_00, 2_000_00, 0)
    assert view.gaps == ("C2 cash: bank_equity_unknown",)


def test_an_extra_computation_binds_and_a_test_run_does_not(store: Store) -> None:
    open_reserve(store)
    compute(store)
    monday = date(2026, 10, 5)
    say(store, DEADLINE - timedelta(hours=3), items({1: 3_000_00}, as_of=monday))
    compute(store, monday, occasion=Occasion.TEST, hours=20)
    assert customer(store, hours=21).shortfall == 100_00
    extra = compute(store, monday, occasion=Occasion.EXTRA, hours=20)
    assert extra.replaces == ""
    assert customer(store, hours=21).shortfall == 2_100_00


def test_a_computation_that_was_due_is_missed(store: Store) -> None:
    open_reserve(store)
    compute(store)
    for days, expected in ((3, ()), (8, ()), (9, ("2026-10-09",))):  # Friday's is made on Tuesday, after a holiday
        say(store, MONDAY_NOON + timedelta(days=days, hours=-1), _fresh(FRIDAY + timedelta(days=days)))
        gaps = customer(store, hours=days * 24).gaps
        assert [gap.split(" as of ")[1][:10] for gap in gaps] == list(expected), days


def _fresh(day: date) -> list[stated.ReserveHolding]:
    """New statements, so that nothing but the computation is missing."""
    return [cash("C", 1_000_00, as_of=day), cash("P", 0, as_of=day)]


@pytest.mark.fault("D10")
def test_what_a_withdrawal_would_do_is_shown_first(store: Store) -> None:
    open_reserve(store, held=1_600_00)
    with pytest.raises(InputError, match="nothing may be withdrawn"):
        what_if_withdraw(store, SETTINGS, "C", 1, MONDAY_NOON)
    made = compute(store)
    say(store, LATER, [items({1: 1_300_00})[0]])
    now = LATER + timedelta(minutes=1)
    fine = what_if_withdraw(store, SETTINGS, "C", 300_00, now)
    assert (fine.permitted, fine.short_of_requirement, fine.short_of_projection) == (True, 0, 0)
    deficient_next = what_if_withdraw(store, SETTINGS, "C", 600_00, now)
    assert (deficient_next.permitted, deficient_next.short_of_projection) == (True, 300_00)
    assert deficient_next.computation_digest == made.digest
    refused = what_if_withdraw(store, SETTINGS, "C", 600_01, now)
    assert (refused.permitted, refused.short_of_requirement) == (False, 1)
    with pytest.raises(InputError, match="there are: C, P"):
        what_if_withdraw(store, SETTINGS, "X", 1, now)


def test_the_one_status_says_under_funded(store: Store) -> None:
    assert not in_use(store, MONDAY_NOON - timedelta(hours=2))
    assert overview(store, SETTINGS, MONDAY_NOON - timedelta(hours=2)).rails == ["digital"]
    open_reserve(store)
    found = overview(store, SETTINGS, MONDAY_NOON)  # projected, before any computation and any case
    assert (found.statuses[0], found.exit_code, found.rails) == (FirmStatus.UNDER_FUNDED, 1, ["digital", "cash"])
    assert any("projected short by 100.00" in reason for reason in found.reasons)
    compute(store)
    found = overview(store, SETTINGS, LATER)
    assert any("short by 100.00 of RC-000001; deposit by" in reason for reason in found.reasons)
    assert any("21 h 30 min left" in reason for reason in found.reasons)
    say(store, LATER, [cash("C", 1_000_00)])
    found = overview(store, SETTINGS, LATER + timedelta(minutes=1))
    assert FirmStatus.UNDER_FUNDED not in found.statuses
    assert found.statuses == (FirmStatus.UNVERIFIED,)  # this firm has no chain


@pytest.mark.fault("C9")
def test_the_journal_covers_computations_and_their_inputs(store: Store, database_url: str) -> None:
    open_reserve(store)
    compute(store)
    assert verify_journal(store).ok
    for name in ("reserve_computation", "reserve_item", "reserve_holding"):
        for statement in (f"UPDATE {name} SET record_id = record_id", f"DELETE FROM {name}"):
            with pytest.raises(Exception, match="never changed"):
                run_sql(database_url, statement)
    tamper(database_url, "UPDATE reserve_computation SET deposit_on = '2026-10-30'")
    report = verify_journal(store)
    assert not report.ok
    assert "reserve_computation" in report.reason


def test_a_pab_account_never_funds_customers(store: Store) -> None:
    open_reserve(store)
    compute(store)
    say(store, LATER, [cash("P", 5_000_00)])
    assert customer(store, hours=1).shortfall == 100_00
    say(store, LATER + timedelta(minutes=1), [account("P2", PAB), cash("P2", 1)])
    assert reserve_view(store, SETTINGS, LATER + timedelta(minutes=2)).of(ReserveClass.PAB).held.cents == 5_000_01
