"""What is held against what is required: deposits, permitted withdrawals, and what a withdrawal would leave.

15c3-3(e)(1) and (g): money may leave only so far as what stays is at least the amount then required, with a record that
day of the computation relied on. The amount then required is that of the latest computation whose as-of date has come,
extra computations of (e)(3)(iv) included; test runs permit nothing. Customer and PAB accounts are judged apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from chains.errors import InvalidValue
from chains.types import require_utc
from exports.reserve.accounts import Bank, Held, ReserveAccount, reserve_holdings
from exports.reserve.computation import Occasion, ReserveComputation
from exports.reserve.errors import ItemsRefused
from exports.reserve.items import ReserveClass
from exports.reserve.money import require_cents
from exports.reserve.policies import PolicySet


@dataclass(frozen=True, slots=True)
class Requirement:
    """What one computation requires for one purpose. Amounts in US cents."""

    purpose: ReserveClass
    as_of: date
    cents: int
    """What must be on deposit."""
    cents_for_withdrawal: int
    """What must stay behind: sweeps of PAB Note 8 lower a deposit, never this."""
    computation_digest: str


def requirements(computation: ReserveComputation) -> tuple[Requirement, ...]:
    """What a computation requires for each purpose that it was made for."""
    customer, pab, digest = computation.customer, computation.pab, computation.digest
    as_of = computation.inputs.as_of
    both = (
        Requirement(ReserveClass.CUSTOMER, as_of, customer.required, customer.required, digest),
        Requirement(ReserveClass.PAB, as_of, pab.required, pab.required + pab.swept, digest),
    )
    return tuple(each for each in both if each.purpose in computation.inputs.scope.classes)


def requirement_in_force(
    computations: Iterable[ReserveComputation], purpose: ReserveClass, on: date
) -> Requirement | None:
    """The requirement of the latest as-of date, regular or extra; None when there is no such computation.

    Raises `ItemsRefused` for two computations of one as-of date that require different amounts: the later one must
    replace the first by a correction before anything relies on either.
    """
    found = [
        each
        for computation in computations
        if computation.inputs.occasion is not Occasion.TEST and computation.inputs.as_of <= on
        for each in requirements(computation)
        if each.purpose is purpose
    ]
    if not found:
        return None
    latest = max(each.as_of for each in found)
    of_latest = {each for each in found if each.as_of == latest}
    if len({(each.cents, each.cents_for_withdrawal) for each in of_latest}) > 1:
        raise ItemsRefused(f"two computations as of {latest.isoformat()} require different {purpose} amounts")
    return min(of_latest, key=lambda each: each.computation_digest)


@dataclass(frozen=True, slots=True)
class Funding:
    """One purpose's accounts against its requirement. Amounts in US cents."""

    requirement: Requirement
    held: int
    unverified: bool
    """A fact about the accounts was missing: `held` is a lower bound."""
    shortfall: int
    excess: int
    withdrawable: int
    """Above what must stay; zero while anything is unverified."""


def funding(requirement: Requirement, held: Held) -> Funding:
    """Shortfall, excess and what may leave; raises `InvalidValue` for the other purpose's accounts."""
    if requirement.purpose is not held.purpose:
        raise InvalidValue(f"{held.purpose} accounts never fund a {requirement.purpose} requirement")
    above = max(0, held.cents - requirement.cents_for_withdrawal)
    return Funding(
        requirement,
        held.cents,
        held.unverified,
        max(0, requirement.cents - held.cents),
        max(0, held.cents - requirement.cents),
        0 if held.unverified else above,
    )


@dataclass(frozen=True, slots=True)
class WithdrawalCheck:
    """What a withdrawal would leave, shown before it is approved. Amounts in US cents."""

    permitted: bool
    reason: str
    remaining: int
    """What would count after it."""
    short_of_requirement: int
    """Below the amount then required; zero when it is kept."""
    short_of_projection: int
    """Below what is projected now: the next computation would be deficient. A warning, not part of the rule."""
    computation_digest: str
    """The computation relied on, to be recorded the same day, (g)."""


def check_withdrawal(
    requirement: Requirement,
    projected: int,
    accounts: Iterable[ReserveAccount],
    banks: Iterable[Bank],
    account_id: str,
    cents: int,
    as_of: date,
    policies: PolicySet,
) -> WithdrawalCheck:
    """What a cash withdrawal from one account would leave, with bank cap and eligibility computed anew.

    `projected` is the requirement as it stands now, in cents. Cash that does not count, above a bank's cap for example,
    can leave without lowering what is held.
    """
    before = tuple(accounts)
    source = next((each for each in before if each.account_id == account_id), None)
    if source is None or source.purpose is not requirement.purpose:
        raise InvalidValue(f"{account_id} is no {requirement.purpose} reserve account")
    if source.cash is None or require_cents(cents, "withdrawal") > source.cash or cents == 0:
        raise InvalidValue(f"{account_id} has no stated cash for that withdrawal")
    after = [replace(each, cash=source.cash - cents) if each is source else each for each in before]
    both = reserve_holdings(after, banks, as_of, policies)
    held = both.customer if requirement.purpose is ReserveClass.CUSTOMER else both.pab
    short = max(0, requirement.cents_for_withdrawal - held.cents)
    reason = "what stays is at least the amount then required, 15c3-3(g)"
    if short:
        reason = "what stays would be less than the amount then required, 15c3-3(g)"
    elif held.unverified:
        reason = "a fact about the accounts is missing; nothing leaves on an unverified figure"
    return WithdrawalCheck(
        not short and not held.unverified,
        reason,
        held.cents,
        short,
        max(0, projected - held.cents),
        requirement.computation_digest,
    )


@dataclass(frozen=True, slots=True)
class DepositDuty:
    """Where a required deposit stands at a moment."""

    shortfall: int
    deposit_by: datetime
    missed: bool
    """The deadline passed with a shortfall: the Commission and the examining authority are notified immediately, and
    in writing after that, 15c3-3(i). There is no cure period, and this is not 17a-11."""


def deposit_duty(position: Funding, deposit_by: datetime, now: datetime) -> DepositDuty:
    """Whether a deposit is due or was missed. At the very moment of the deadline it is still in time."""
    due, at = require_utc(deposit_by, "deposit_by"), require_utc(now, "now")
    return DepositDuty(position.shortfall, due, position.shortfall > 0 and at > due)
