"""Entries of the banks against instructions: what fits, what moved without one, what statements do not add up to."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import pytest

from mapping.reserve_types import BankMovement, HoldingKind, MovementSide, ReserveHolding
from verifier.reserve.movements import Instructed, MovementMatches, match_movements

IN, OUT = MovementSide.DEPOSIT, MovementSide.WITHDRAWAL
MON, TUE, WED, THU, FRI = (date(2026, 10, day) for day in range(5, 10))


def instructed(number: int = 1, direction: MovementSide = IN, cents: int = 500, account: str = "C") -> Instructed:
    return Instructed(f"RI-{number}", account, direction, cents, MON, WED)


def entry(
    reference: str = "B-1",
    direction: MovementSide = IN,
    cents: int = 500,
    on: date = TUE,
    names: str = "",
    account: str = "C",
) -> BankMovement:
    return BankMovement(account, reference, on, direction, cents, names, "")


def cash(cents: int, on: date, account: str = "C") -> ReserveHolding:
    return ReserveHolding(account, on, "cash", HoldingKind.CASH, cents, None, "ST")


def matched(
    approved: list[Instructed],
    entries: list[BankMovement],
    statements: list[ReserveHolding] | None = None,
    on: date = THU,
) -> MovementMatches:
    begun = {each.account_id: date(2026, 10, 1) for each in approved}
    return match_movements(approved, entries, statements or [], begun, on)


def test_an_entry_executes_the_instruction_it_fits() -> None:
    found = matched([instructed()], [entry()])
    assert (found.executed["RI-1"].value_on, found.executed["RI-1"].bank_reference) == (TUE, "B-1")
    assert (found.uninstructed, found.not_executed, found.compared) == ((), (), 1)


@pytest.mark.parametrize(
    "other",
    [
        entry(cents=501),
        entry(cents=499),
        entry(direction=OUT),
        entry(account="P"),
        entry(on=date(2026, 10, 4)),  # before it was approved
        entry(on=THU),  # after its last day
    ],
)
def test_an_entry_that_fits_no_instruction_is_left(other: BankMovement) -> None:
    found = matched([instructed()], [other])
    assert found.executed == {}
    assert [each.movement for each in found.uninstructed] == [other]


@pytest.mark.parametrize("on", [MON, WED])
def test_the_first_and_the_last_day_are_in_time(on: date) -> None:
    assert set(matched([instructed()], [entry(on=on)]).executed) == {"RI-1"}


def test_an_entry_from_before_the_first_instruction_of_all_is_not_judged_and_kept_apart() -> None:
    older, own = entry("B-0", on=date(2026, 9, 30)), entry("B-1")
    found = matched([instructed()], [older, own])
    assert (found.before, set(found.executed), found.uninstructed, found.compared) == ((older,), {"RI-1"}, (), 1)
    none = match_movements([], [own], [], {}, THU)
    assert (none.before, none.uninstructed, none.compared) == ((own,), (), 0)


def test_an_instruction_is_executed_once() -> None:
    found = matched([instructed()], [entry("B-1"), entry("B-2")])
    assert [each.movement.bank_reference for each in found.uninstructed] == ["B-2"]


def test_what_the_bank_names_leads() -> None:
    two = [instructed(1), instructed(2)]
    found = matched(two, [entry("B-1", on=MON), entry("B-2", on=TUE, names="RI-1")])
    assert {key: each.bank_reference for key, each in found.executed.items()} == {"RI-1": "B-2", "RI-2": "B-1"}


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        (entry(names="RI-9"), "nobody approved"),
        (entry(names="RI-1", cents=501), "another amount"),
        (entry(names="RI-1", account="P"), "another account"),
        (entry(names="RI-1", on=THU), "had ended"),
        (entry(names="RI-1", on=date(2026, 10, 2)), "approved later"),
    ],
)
def test_a_named_instruction_must_fit(named: BankMovement, reason: str) -> None:
    (left,) = matched([instructed()], [named]).uninstructed
    assert reason in left.reason


def test_a_second_entry_for_a_named_instruction_is_left() -> None:
    (left,) = matched([instructed()], [entry("B-1", names="RI-1"), entry("B-2", names="RI-1")]).uninstructed
    assert (left.movement.bank_reference, "executed already" in left.reason) == ("B-2", True)


def test_statements_add_up_with_their_entries() -> None:
    statements = [cash(1000, MON), cash(1500, WED)]
    assert matched([instructed()], [entry()], statements).gaps == ()
    (gap,) = matched([instructed()], [entry()], [cash(1000, MON), cash(1501, WED)]).gaps
    assert (gap.moved, gap.unexplained, gap.opening_on, gap.closing_on) == (500, 1, MON, WED)


def test_a_change_of_statements_stands_for_entries_that_are_not_stated() -> None:
    found = matched([instructed()], [], [cash(1000, MON), cash(1500, WED)])
    assert (found.executed["RI-1"].bank_reference, found.gaps) == ("", ())
    both = [instructed(1, OUT, 300), instructed(2, IN, 100)]
    assert set(matched(both, [], [cash(1000, MON), cash(800, WED)]).executed) == {"RI-1", "RI-2"}
    (gap,) = matched(both, [], [cash(1000, MON), cash(799, WED)]).gaps
    assert gap.unexplained == -201


def test_money_that_left_without_any_instruction_or_entry_is_a_gap_once_the_account_is_watched() -> None:
    statements = [cash(1000, MON), cash(900, WED)]
    assert match_movements([], [], statements, {}, THU).gaps == ()
    (gap,) = match_movements([], [], statements, {"C": MON}, THU).gaps
    assert gap.unexplained == -100


def test_an_instruction_is_not_executed_only_when_a_statement_covers_its_last_day() -> None:
    assert matched([instructed()], [], [cash(1000, TUE)], on=FRI).not_executed == ()
    assert matched([instructed()], [], [cash(1000, WED)], on=WED).not_executed == ()
    assert matched([instructed()], [], [cash(1000, WED)], on=THU).not_executed == ("RI-1",)
    assert matched([instructed()], [entry()], [cash(1000, WED)], on=THU).not_executed == ()


def test_the_order_of_the_rows_makes_no_difference() -> None:
    entries = [entry("B-1"), entry("B-2", names="RI-1"), entry("B-3", OUT, 7)]
    approved = [instructed(1), instructed(2)]
    expected = matched(approved, entries)
    for one in permutations(entries):
        assert matched(approved[::-1], list(one)) == expected
