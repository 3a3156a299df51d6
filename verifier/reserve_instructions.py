"""Money into and out of the reserve accounts: instructed by one person, approved by another, held against the bank.

A withdrawal is permitted only so far as what stays is at least the amount then required, with a record of the
computation relied on: 15c3-3(g). That is checked when it is instructed and again when it is approved, with everything
already approved to leave taken off. Only cash is instructed. Nothing here moves money: the bank does, and its
statement says whether.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from chains.types import LocationId
from exports.reserve.funding import WithdrawalCheck
from exports.reserve.items import ReserveClass
from exports.reserve.money import DOLLAR, dollars, require_cents
from mapping.reserve_types import MovementSide
from verifier.errors import InputError, InstructionConflict, WithdrawalRefused
from verifier.records import Finding, FindingKind, Rail
from verifier.reserve.movements import Instructed, MovementMatches, match_movements
from verifier.reserve_inputs import firm_calendar
from verifier.reserve_rail import position_at, reserve_view, what_if_withdraw
from verifier.store.records import InstructionAct

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store
    from verifier.store.instruction_store import ReliedOn, StoredInstruction

WITHDRAWAL: Final = MovementSide.WITHDRAWAL


class InstructionState(StrEnum):
    """Where an instruction stands."""

    WAITING = "waiting"
    """For a second person."""
    ENDED = "ended"
    """Its last day passed without a decision."""
    REFUSED = "refused"
    APPROVED = "approved"
    """The bank has not shown it yet."""
    EXECUTED = "executed"
    NOT_EXECUTED = "not_executed"
    """A statement covers its last day and shows no sign of it."""


def instruct(
    store: Store,
    settings: Settings,
    direction: MovementSide,
    account_id: str,
    cents: int,
    text: str,
    actor: str,
    now: datetime,
) -> StoredInstruction:
    """Record an instruction that waits for a second person.

    Raises `InputError` for an account that is not known or nothing to move, and `WithdrawalRefused`.
    """
    require_cents(cents, "amount")
    if not cents or not actor.strip():
        raise InputError("an instruction has an amount above zero and a maker: --actor PERSON")
    accounts = {each.account_id: each for each in position_at(store, settings, now).accounts}
    if account_id not in accounts:
        raise InputError(
            f"there is no reserve account {account_id}; there are: {', '.join(sorted(accounts)) or 'none'}"
        )
    from mapping.reserve_types import ReserveClass as Stated

    purpose = Stated(accounts[account_id].purpose.value)
    calendar, _ = firm_calendar(settings)
    valid_until = calendar.add_business_days(civil_day(settings, now), settings.reserve.instruction_days)

    def check() -> ReliedOn | None:
        return _relied_on(store, settings, account_id, cents, now) if direction is WITHDRAWAL else None

    return store.add_instruction(direction, account_id, purpose, cents, valid_until, text.strip(), actor, now, check)


def approve(
    store: Store, settings: Settings, instruction_id: str, text: str, actor: str, now: datetime
) -> StoredInstruction:
    """Approve another person's instruction; a withdrawal is checked again against what is required now.

    Raises `InstructionConflict` for one's own, one that was decided and one that has ended, and `WithdrawalRefused`.
    """

    def check(found: StoredInstruction) -> ReliedOn | None:
        if civil_day(settings, now) > found.valid_until:
            raise InstructionConflict(f"{instruction_id} ended on {found.valid_until.isoformat()}; make a new one")
        if found.direction is not WITHDRAWAL:
            return None
        return _relied_on(store, settings, found.account_id, found.cents, now)

    return store.decide_instruction(instruction_id, InstructionAct.APPROVED, text.strip(), actor, now, check)


def refuse(store: Store, instruction_id: str, text: str, actor: str, now: datetime) -> StoredInstruction:
    """Refuse an instruction that waits; its maker takes it back that way."""
    return store.decide_instruction(
        instruction_id, InstructionAct.REFUSED, text.strip(), actor, now, lambda _found: None
    )


def withdrawal_check(
    store: Store, settings: Settings, account_id: str, cents: int, now: datetime
) -> tuple[WithdrawalCheck, tuple[str, ...]]:
    """What a withdrawal would leave after all that was approved to leave, and why figures are not verified."""
    check = what_if_withdraw(store, settings, account_id, cents, now, leaving(store, settings, now))
    account = next(each for each in position_at(store, settings, now).accounts if each.account_id == account_id)
    return check, reserve_view(store, settings, now).of(account.purpose).gaps


def _relied_on(store: Store, settings: Settings, account_id: str, cents: int, now: datetime) -> ReliedOn:
    from chains.errors import InvalidValue
    from verifier.store.instruction_store import ReliedOn

    try:
        check, gaps = withdrawal_check(store, settings, account_id, cents, now)
    except InvalidValue as error:
        raise WithdrawalRefused(str(error), is_short=False) from None
    if not check.permitted:
        short = f"; short by {dollars(check.short_of_requirement)}" if check.short_of_requirement else ""
        raise WithdrawalRefused(
            f"{dollars(cents)} may not leave {account_id}: {check.reason}{short}", is_short=bool(short)
        )
    if gaps:
        text = f"{dollars(cents)} may not leave {account_id}: the reserve is not verified: {gaps[0]}"
        raise WithdrawalRefused(text, is_short=False)
    relied = next(each for each in store.standing_computations() if each.digest == check.computation_digest)
    return ReliedOn(relied.computation_id, check.remaining)


def civil_day(settings: Settings, moment: datetime) -> date:
    """The banks' civil date of a moment."""
    return moment.astimezone(ZoneInfo(settings.reserve.bank_zone)).date()


def movement_matches(store: Store, settings: Settings, now: datetime) -> MovementMatches:
    """Everything the banks stated, held against every approved instruction, as known now."""
    known_at = store.book_time(now)
    approved: list[Instructed] = []
    begun: dict[str, date] = {}
    for each in store.reserve_instructions(known_at):
        begun.setdefault(each.account_id, civil_day(settings, each.recorded_at))
        if each.decision is not None and each.is_approved:
            day = civil_day(settings, each.decision.recorded_at)
            of = Instructed(each.instruction_id, each.account_id, each.direction, each.cents, day, each.valid_until)
            approved.append(of)
    holdings = store.reserve_statements(known_at).holdings
    return match_movements(approved, store.bank_movements(known_at), holdings, begun, civil_day(settings, now))


def instruction_states(
    store: Store, settings: Settings, now: datetime, matches: MovementMatches | None = None
) -> list[tuple[StoredInstruction, InstructionState]]:
    """Every instruction with where it stands, in the order they were made."""
    found = matches if matches is not None else movement_matches(store, settings, now)
    on = civil_day(settings, now)

    def state(each: StoredInstruction) -> InstructionState:
        if each.decision is None:
            return InstructionState.ENDED if on > each.valid_until else InstructionState.WAITING
        if not each.is_approved:
            return InstructionState.REFUSED
        if each.instruction_id in found.executed:
            return InstructionState.EXECUTED
        return InstructionState.NOT_EXECUTED if each.instruction_id in found.not_executed else InstructionState.APPROVED

    return [(each, state(each)) for each in store.reserve_instructions(store.book_time(now))]


def open_instructions(
    store: Store, settings: Settings, now: datetime
) -> list[tuple[StoredInstruction, InstructionState]]:
    """Those that wait for a person or for the bank."""
    open_states = (InstructionState.WAITING, InstructionState.APPROVED)
    return [pair for pair in instruction_states(store, settings, now) if pair[1] in open_states]


def leaving(store: Store, settings: Settings, now: datetime) -> dict[str, int]:
    """Cents by account that were approved to leave and that the newest statement does not show as gone."""
    matches = movement_matches(store, settings, now)
    newest: dict[str, date] = {}
    for line in store.reserve_statements(store.book_time(now)).holdings:
        newest[line.account_id] = max(line.as_of, newest.get(line.account_id, date.min))
    total: dict[str, int] = defaultdict(int)
    for each, state in instruction_states(store, settings, now, matches):
        shown = matches.executed.get(each.instruction_id)
        gone = shown is not None and newest.get(each.account_id, date.min) >= shown.value_on
        if each.direction is WITHDRAWAL and (
            state is InstructionState.APPROVED or (state is InstructionState.EXECUTED and not gone)
        ):
            total[each.account_id] += each.cents
    return dict(total)


def leaving_by_purpose(store: Store, settings: Settings, now: datetime) -> dict[ReserveClass, int]:
    """The same by purpose."""
    purposes = {each.account_id: each.purpose for each in position_at(store, settings, now).accounts}
    total: dict[ReserveClass, int] = defaultdict(int)
    for account_id, cents in leaving(store, settings, now).items():
        if account_id in purposes:
            total[purposes[account_id]] += cents
    return dict(total)


def movement_findings(store: Store, settings: Settings, now: datetime) -> list[Finding]:
    """Money that moved without an instruction, statements that do not add up, and approvals nobody executed."""
    purposes = {row.account_id: row.computation for row in store.reserve_statements(store.book_time(now)).accounts}
    matches = movement_matches(store, settings, now)
    by_id = {each.instruction_id: each for each in store.reserve_instructions(store.book_time(now))}
    return list(_findings(matches, by_id, {key: ReserveClass(value.value) for key, value in purposes.items()}))


def _findings(
    matches: MovementMatches, by_id: dict[str, StoredInstruction], purposes: dict[str, ReserveClass]
) -> Iterator[Finding]:
    def finding(kind: FindingKind, account_id: str, cents: int, subject: str, text: str, entry: str = "") -> Finding:
        place = LocationId(f"bank:reserve-{purposes[account_id]}")
        return Finding(kind, Rail.CASH, place, DOLLAR, cents, subject, text, tx_id=entry)

    for each in matches.uninstructed:
        moved = each.movement
        came = moved.direction is MovementSide.DEPOSIT
        kind = FindingKind.COMMINGLING if came else FindingKind.UNAUTHORIZED_TRANSFER
        text = (
            f"{dollars(moved.cents)} US dollars {'came into' if came else 'left'} {moved.account_id} on "
            f"{moved.value_on.isoformat()} (entry {moved.bank_reference}) without an instruction: {each.reason}."
        )
        cents = moved.cents if came else -moved.cents
        yield finding(
            kind, moved.account_id, cents, f"{moved.account_id} {moved.bank_reference}", text, moved.bank_reference
        )
    for gap in matches.gaps:
        text = (
            f"The cash of {gap.account_id} went from {dollars(gap.opening)} on {gap.opening_on.isoformat()} to "
            f"{dollars(gap.closing)} on {gap.closing_on.isoformat()}; its entries do not make that up."
        )
        subject = f"{gap.account_id} {gap.opening_on.isoformat()} {gap.closing_on.isoformat()}"
        yield finding(FindingKind.UNEXPLAINED_CHANGE, gap.account_id, gap.unexplained, subject, text)
    for instruction_id in matches.not_executed:
        missed = by_id[instruction_id]
        text = (
            f"{instruction_id}, a {missed.direction} of {dollars(missed.cents)} US dollars for {missed.account_id}, "
            f"was approved until {missed.valid_until.isoformat()}, and no statement shows it."
        )
        yield finding(FindingKind.APPROVED_NOT_EXECUTED, missed.account_id, missed.cents, instruction_id, text)
