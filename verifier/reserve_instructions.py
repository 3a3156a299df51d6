"""Money into and out of the reserve accounts: instructed by one person, approved by another, held against the bank.

A withdrawal is permitted only so far as what stays is at least the amount then required, with a record of the
computation relied on: 15c3-3(g). That is checked when it is instructed and again when it is approved, with everything
already approved to leave taken off. Only cash is instructed. Nothing here moves money: the bank does, and its
statement says whether.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from exports.reserve.funding import WithdrawalCheck
from exports.reserve.money import dollars, require_cents
from mapping.reserve_types import MovementSide
from verifier.errors import InputError, InstructionConflict, WithdrawalRefused
from verifier.reserve_inputs import firm_calendar
from verifier.reserve_movements import WITHDRAWAL, civil_day
from verifier.reserve_rail import position_at, reserve_view, what_if_withdraw
from verifier.store.records import InstructionAct

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store
    from verifier.store.instruction_store import ReliedOn, StoredInstruction


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
    check = what_if_withdraw(store, settings, account_id, cents, now)
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
