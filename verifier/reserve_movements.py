"""Where instructions about the reserve stand, by what the banks stated: executed, waiting, or money that moved without.

Read only. What people do about instructions is in `reserve_instructions`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from chains.types import LocationId
from exports.reserve.items import ReserveClass
from exports.reserve.money import DOLLAR, dollars
from mapping.reserve_types import MovementSide
from verifier.records import Finding, FindingKind, Rail
from verifier.reserve.movements import Instructed, MovementMatches, match_movements

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store
    from verifier.store.instruction_store import StoredInstruction

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
    before = Counter(purposes[each.account_id] for each in matches.before)
    for purpose, count in sorted(before.items()):
        text = (
            f"Entries of the bank's statements of the {purpose} reserve from before the first instruction, "
            f"held against none: {count}."
        )
        place = LocationId(f"bank:reserve-{purpose}")
        yield Finding(FindingKind.UNVERIFIED, Rail.CASH, place, None, None, "movements", text)
    for instruction_id in matches.not_executed:
        missed = by_id[instruction_id]
        text = (
            f"{instruction_id}, a {missed.direction} of {dollars(missed.cents)} US dollars for {missed.account_id}, "
            f"was approved until {missed.valid_until.isoformat()}, and no statement shows it."
        )
        yield finding(FindingKind.APPROVED_NOT_EXECUTED, missed.account_id, missed.cents, instruction_id, text)
