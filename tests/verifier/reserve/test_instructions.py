"""Deposits and withdrawals by maker and checker, the check of 15c3-3(g) twice, and what the bank then shows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta

import pytest

from chains.errors import InvalidValue
from mapping.reserve_types import BankMovement, MovementSide
from tests.verifier.reserve.firm import FRIDAY, MONDAY_NOON, PAB, SETTINGS, account, cash, open_reserve, say
from tests.verifier.reserve.test_rail import compute
from tests.verifier.store.tamper import run_sql
from verifier.errors import InputError, InstructionConflict, StoreError, WithdrawalRefused
from verifier.journal import verify_journal
from verifier.records import FindingKind
from verifier.reserve_cases import look
from verifier.reserve_instructions import approve, instruct, refuse
from verifier.reserve_movements import InstructionState, instruction_states, leaving
from verifier.store import Store, open_store
from verifier.store.instruction_store import StoredInstruction

IN, OUT = MovementSide.DEPOSIT, MovementSide.WITHDRAWAL
MONDAY, TUESDAY, WEDNESDAY = (date(2026, 10, day) for day in (5, 6, 7))
WEDNESDAY_NOON, THURSDAY_NOON = MONDAY_NOON + timedelta(days=2), MONDAY_NOON + timedelta(days=3)


def make(
    store: Store, direction: MovementSide = OUT, cents: int = 50_00, minutes: int = 1, of: str = "C"
) -> StoredInstruction:
    now = MONDAY_NOON + timedelta(minutes=minutes)
    return instruct(store, SETTINGS, direction, of, cents, "sweep", "ops.maker", now)


def check(store: Store, instruction_id: str, now: datetime | None = None) -> StoredInstruction:
    moment = now or MONDAY_NOON + timedelta(minutes=5)
    return approve(store, SETTINGS, instruction_id, "seen", "ops.checker", moment)


def states(store: Store, now: datetime) -> list[InstructionState]:
    return [state for _, state in instruction_states(store, SETTINGS, now)]


def entry(
    cents: int, direction: MovementSide = OUT, on: date = TUESDAY, names: str = "", ref: str = "B-1"
) -> BankMovement:
    return BankMovement("C", ref, on, direction, cents, names, "")


@pytest.fixture
def funded(store: Store) -> Store:
    """1,000.00 required and 1,200.00 held for customers: at most 200.00 may leave."""
    open_reserve(store, required=1_000_00, held=1_200_00)
    compute(store)
    return store


@pytest.mark.fault("D10")
def test_a_withdrawal_is_made_by_one_and_approved_by_another_on_a_computation(funded: Store) -> None:
    made = make(funded, cents=200_00)
    assert (made.instruction_id, made.valid_until, made.purpose.value) == ("RI-000001", WEDNESDAY, "customer")
    assert made.relied_on is not None
    assert (made.relied_on.computation_id, made.relied_on.remaining) == ("RC-000001", 1_000_00)
    with pytest.raises(InstructionConflict, match="cannot approve"):
        approve(funded, SETTINGS, "RI-000001", "", "ops.maker", MONDAY_NOON + timedelta(minutes=5))
    approved = check(funded, "RI-000001")
    assert approved.decision is not None
    assert approved.decision.relied_on == made.relied_on
    with pytest.raises(InstructionConflict, match=r"was approved by ops\.checker"):
        check(funded, "RI-000001")
    assert verify_journal(funded).ok


def test_another_spelling_of_the_maker_is_no_second_person(funded: Store) -> None:
    make(funded)
    for same in ("ops.maker ", " ops.maker", "OPS.Maker", "ops.\u00a0maker", "\uff4fps.maker"):
        with pytest.raises(InstructionConflict, match="cannot approve"):
            approve(funded, SETTINGS, "RI-000001", "", same, MONDAY_NOON + timedelta(minutes=5))
    assert approve(funded, SETTINGS, "RI-000001", "", "ops.maker2", MONDAY_NOON + timedelta(minutes=5)).is_approved


@pytest.mark.fault("D10")
def test_one_cent_more_than_may_leave_is_refused(funded: Store) -> None:
    with pytest.raises(WithdrawalRefused, match=r"short by 0\.01") as refused:
        make(funded, cents=200_01)
    assert refused.value.is_short
    assert funded.reserve_instructions() == []


def test_what_was_approved_to_leave_is_gone_for_the_next(funded: Store) -> None:
    make(funded, cents=150_00)
    make(funded, cents=100_00, minutes=2)  # nobody approved the first: both fit alone
    check(funded, "RI-000001")
    assert leaving(funded, SETTINGS, MONDAY_NOON + timedelta(minutes=6)) == {"C": 150_00}
    with pytest.raises(WithdrawalRefused, match=r"short by 50\.00"):
        check(funded, "RI-000002", MONDAY_NOON + timedelta(minutes=7))
    make(funded, cents=50_00, minutes=8)


def test_the_check_is_repeated_when_it_is_approved(funded: Store) -> None:
    make(funded, cents=200_00)
    say(funded, MONDAY_NOON + timedelta(minutes=2), [cash("C", 1_199_99)])
    with pytest.raises(WithdrawalRefused, match=r"short by 0\.01"):
        check(funded, "RI-000001")
    assert states(funded, MONDAY_NOON + timedelta(minutes=6)) == [InstructionState.WAITING]


def test_nothing_leaves_without_a_computation_or_on_an_unverified_reserve(store: Store) -> None:
    open_reserve(store, required=1_000_00, held=1_200_00)
    with pytest.raises(InputError, match="no customer computation"):
        make(store)
    compute(store)
    say(store, MONDAY_NOON + timedelta(minutes=1), [account("C2")])  # an account without a statement
    with pytest.raises(WithdrawalRefused) as refused:
        make(store, minutes=2)
    assert not refused.value.is_short
    make(store, IN, minutes=3)  # a deposit is always welcome


def test_more_than_the_account_has_is_refused(funded: Store) -> None:
    with pytest.raises(WithdrawalRefused, match="no stated cash"):
        make(funded, cents=1_200_01)
    for cents in (0, -1):
        with pytest.raises((InputError, InvalidValue), match=r"amount|negative"):
            make(funded, cents=cents)
    with pytest.raises(InputError, match="no reserve account X; there are: C, P"):
        make(funded, of="X")


def test_an_instruction_ends_with_its_last_day(funded: Store) -> None:
    make(funded, IN)
    assert states(funded, WEDNESDAY_NOON) == [InstructionState.WAITING]
    assert states(funded, THURSDAY_NOON) == [InstructionState.ENDED]
    with pytest.raises(InstructionConflict, match="ended on 2026-10-07"):
        check(funded, "RI-000001", THURSDAY_NOON)
    check(funded, "RI-000001", WEDNESDAY_NOON)


def test_a_refused_instruction_is_over(funded: Store) -> None:
    make(funded)
    refuse(funded, "RI-000001", "wrong day", "ops.maker", MONDAY_NOON + timedelta(minutes=2))
    assert states(funded, WEDNESDAY_NOON) == [InstructionState.REFUSED]
    with pytest.raises(InstructionConflict, match="was refused"):
        check(funded, "RI-000001")


def test_the_database_refuses_what_the_code_would(funded: Store, database_url: str) -> None:
    make(funded)
    row = (
        "INSERT INTO reserve_decision (record_id, journal_sequence, recorded_at, instruction_key, act, actor, maker,"
        " text, computation_key, remaining) VALUES (1, 2, '2026-10-05T16:05:00.000000Z', 1, 'approved', '{actor}',"
        " '{maker}', '', {computation}, {remaining})"
    )
    remaining = "'115000'" if database_url.startswith("sqlite") else "115000"

    def decide(actor: str, maker: str, computation: str = "1") -> None:
        values = {"actor": actor, "maker": maker, "computation": computation}
        run_sql(database_url, row.format(**values, remaining=remaining if computation != "NULL" else "NULL"))

    for actor, maker, computation in [
        ("ops.maker", "ops.maker", "1"),  # their own
        ("ops.maker", "somebody", "1"),  # their own, under another's name
        ("ops.checker", "ops.maker", "NULL"),  # a withdrawal on no computation
    ]:
        with pytest.raises(Exception, match=r"maker|instruction"):
            decide(actor, maker, computation)
    decide("ops.checker", "ops.maker")  # the twin that is right
    with pytest.raises(Exception, match=r"(?i)unique"):
        decide("ops.other", "ops.maker")


def test_what_the_bank_shows_ends_it_and_the_money_is_taken_off_once(funded: Store) -> None:
    make(funded, cents=200_00)
    check(funded, "RI-000001")
    say(funded, WEDNESDAY_NOON, [entry(200_00, names="RI-000001")])
    assert states(funded, WEDNESDAY_NOON) == [InstructionState.EXECUTED]
    assert leaving(funded, SETTINGS, WEDNESDAY_NOON) == {"C": 200_00}  # the newest statement is Friday's
    say(funded, THURSDAY_NOON, [cash("C", 1_000_00, TUESDAY)])
    assert leaving(funded, SETTINGS, THURSDAY_NOON) == {}
    _, seen = look(funded, SETTINGS, "clock", THURSDAY_NOON + timedelta(minutes=1))
    assert {each.finding.kind for each in seen} <= {FindingKind.UNVERIFIED}


@pytest.mark.parametrize(
    ("direction", "kind", "cents"),
    [(OUT, FindingKind.UNAUTHORIZED_TRANSFER, -7_00), (IN, FindingKind.COMMINGLING, 7_00)],
)
def test_money_that_moved_without_an_instruction_is_a_case_that_stays(
    funded: Store, direction: MovementSide, kind: FindingKind, cents: int
) -> None:
    make(funded, IN, cents=1)
    say(funded, WEDNESDAY_NOON, [entry(7_00, direction)])
    look(funded, SETTINGS, "clock", WEDNESDAY_NOON)
    (case,) = [each for each in funded.cases() if each.finding.kind is kind]
    assert (case.finding.base_units, case.finding.location_id) == (cents, "bank:reserve-customer")
    assert "entry B-1" in case.finding.text


def test_entries_without_any_instruction_are_unverified(funded: Store) -> None:
    say(funded, WEDNESDAY_NOON, [entry(7_00)])
    look(funded, SETTINGS, "clock", WEDNESDAY_NOON)
    found = [each.finding for each in funded.cases() if each.finding.subject == "movements"]
    assert [(each.kind, each.text.endswith("held against none: 1.")) for each in found] == [
        (FindingKind.UNVERIFIED, True)
    ]
    assert FindingKind.UNAUTHORIZED_TRANSFER not in {each.finding.kind for each in funded.cases()}


def test_an_approval_that_nobody_executed_and_a_change_that_nothing_explains_are_cases(funded: Store) -> None:
    make(funded, cents=200_00)
    check(funded, "RI-000001")
    say(funded, THURSDAY_NOON, [cash("C", 1_150_00, WEDNESDAY)])
    look(funded, SETTINGS, "clock", THURSDAY_NOON)
    found = {each.finding.kind: each.finding for each in funded.cases()}
    assert found[FindingKind.APPROVED_NOT_EXECUTED].subject == "RI-000001"
    assert found[FindingKind.UNEXPLAINED_CHANGE].base_units == -50_00
    assert states(funded, THURSDAY_NOON) == [InstructionState.NOT_EXECUTED]
    assert leaving(funded, SETTINGS, THURSDAY_NOON) == {}


def test_the_statements_alone_show_it_where_no_entries_are_stated(funded: Store) -> None:
    make(funded, cents=200_00)
    check(funded, "RI-000001")
    say(funded, THURSDAY_NOON, [cash("C", 1_000_00, WEDNESDAY)])
    assert states(funded, THURSDAY_NOON) == [InstructionState.EXECUTED]
    look(funded, SETTINGS, "clock", THURSDAY_NOON)
    assert {each.finding.kind for each in funded.cases()} <= {FindingKind.UNVERIFIED}


def test_pab_and_customer_money_are_apart(funded: Store) -> None:
    with pytest.raises(WithdrawalRefused, match="no stated cash"):
        make(funded, cents=1, of="P")
    say(funded, MONDAY_NOON + timedelta(minutes=2), [cash("P", 10_00)])
    made = make(funded, cents=10_00, minutes=3, of="P")
    assert (made.purpose, made.relied_on is not None) == (PAB, True)
    assert made.valid_until > FRIDAY


@pytest.mark.fault("F2")
def test_of_two_checkers_at_once_one_takes_effect(funded: Store, database_url: str) -> None:
    make(funded)
    beside = open_store(database_url)

    def decide(store: Store, actor: str) -> str:
        try:
            approve(store, SETTINGS, "RI-000001", "", actor, MONDAY_NOON + timedelta(minutes=5))
        except InstructionConflict as error:
            return str(error)
        return "approved"

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(decide, (funded, beside), ("ops.one", "ops.two")))
    beside.close()
    assert sorted(each == "approved" for each in answers) == [False, True]
    assert any(each.startswith("RI-000001 was approved by") for each in answers)


@pytest.mark.fault("F2")
def test_of_two_withdrawals_approved_at_once_only_what_may_leave_leaves(funded: Store, database_url: str) -> None:
    make(funded, cents=150_00)
    make(funded, cents=150_00, minutes=2)
    beside = open_store(database_url)

    def decide(store: Store, instruction_id: str) -> str:
        try:
            check(store, instruction_id)
        except WithdrawalRefused as error:
            return str(error)
        return "approved"

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(decide, (funded, beside), ("RI-000001", "RI-000002")))
    beside.close()
    assert sorted(each == "approved" for each in answers) == [False, True]
    assert sum(leaving(funded, SETTINGS, MONDAY_NOON + timedelta(minutes=6)).values()) == 150_00


def test_a_direct_update_is_refused(funded: Store, database_url: str) -> None:
    make(funded)
    with pytest.raises((StoreError, Exception), match="never changed"):
        run_sql(database_url, "UPDATE reserve_instruction SET actor = 'ops.checker'")
