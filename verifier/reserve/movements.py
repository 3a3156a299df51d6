"""What the banks state moved in the reserve accounts, held against the instructions two people agreed on.

Every entry of a statement is matched to one approved instruction of the same account, direction and amount, with its
value date between the approval and the instruction's last day: first by the id the bank names, then the oldest that
fits. What is left is money that moved without an instruction. Where a bank's entries are not stated, the change of cash
between two of its statements stands for them. From the first instruction or entry of an account on, that change is also
held against the entries: what they do not add up to is a gap.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from mapping.reserve_types import BankMovement, MovementSide, ReserveHolding


@dataclass(frozen=True, slots=True)
class Instructed:
    """An approved instruction. `cents` are more than zero."""

    instruction_id: str
    account_id: str
    direction: MovementSide
    cents: int
    approved_on: date
    """The banks' civil date of the approval."""
    valid_until: date

    @property
    def change(self) -> int:
        """What it does to the account's cash, signed."""
        return self.cents if self.direction is MovementSide.DEPOSIT else -self.cents

    def misfit(self, movement: BankMovement) -> str:
        """Why an entry does not execute it; empty when it does."""
        if movement.account_id != self.account_id:
            return "it is for another account"
        if (movement.direction, movement.cents) != (self.direction, self.cents):
            return f"it is a {self.direction} of another amount or direction"
        if movement.value_on < self.approved_on:
            return "it was approved later"
        return "it had ended" if movement.value_on > self.valid_until else ""


@dataclass(frozen=True, slots=True)
class Execution:
    """Where the bank shows that an instruction was executed."""

    instruction_id: str
    value_on: date
    """Of the entry; of the later statement where no entries are stated."""
    bank_reference: str
    """The bank's id of the entry; empty where only the statements show it."""


@dataclass(frozen=True, slots=True)
class Uninstructed:
    """An entry that no approved instruction explains."""

    movement: BankMovement
    reason: str


@dataclass(frozen=True, slots=True)
class StatementGap:
    """Two statements whose cash differs by another amount than the entries between them. US cents."""

    account_id: str
    opening_on: date
    closing_on: date
    opening: int
    moved: int
    """Sum of what is known to have moved, signed."""
    closing: int

    @property
    def unexplained(self) -> int:
        """What the entries do not say, signed."""
        return self.closing - self.opening - self.moved


@dataclass(frozen=True, slots=True)
class MovementMatches:
    """Everything that came of one look."""

    executed: Mapping[str, Execution]
    """By instruction id."""
    uninstructed: tuple[Uninstructed, ...]
    gaps: tuple[StatementGap, ...]
    not_executed: tuple[str, ...]
    """Ids of approved instructions whose last day a statement of the account covers, without a sign of them."""
    before: tuple[BankMovement, ...]
    """Entries from before the firm's first instruction of any account: nothing was there to hold them against."""
    compared: int
    """Entries and pairs of statements that were looked at."""


def match_movements(
    approved: Iterable[Instructed],
    movements: Iterable[BankMovement],
    statements: Iterable[ReserveHolding],
    begun: Mapping[str, date],
    on: date,
) -> MovementMatches:
    """Hold entries and statements against instructions, on a day; the order of the rows makes no difference.

    `begun` is the day of each account's first instruction, approved or not. Entries are judged from the first of them
    on; statements from an account's own first instruction or entry on.
    """
    ordered = sorted(approved, key=lambda each: (each.approved_on, each.instruction_id))
    entries = sorted(movements, key=lambda each: (each.value_on, each.account_id, each.bank_reference))
    first_of_all = min(begun.values(), default=None)
    judged = [each for each in entries if first_of_all is not None and each.value_on >= first_of_all]
    executed, uninstructed = _by_entry(ordered, judged)
    cash: dict[str, dict[date, int]] = defaultdict(dict)
    for line in statements:
        if line.holding == "cash" and line.market_value is not None and line.as_of <= on:
            cash[line.account_id][line.as_of] = line.market_value
    gaps: list[StatementGap] = []
    compared = len(judged)
    for account_id in sorted(cash):
        own = [each for each in entries if each.account_id == account_id]
        first = min([each.value_on for each in own] + [begun.get(account_id, date.max)])
        days = sorted(cash[account_id])
        for opening_on, closing_on in pairwise(days):
            if closing_on < first:
                continue
            compared += 1
            change = cash[account_id][closing_on] - cash[account_id][opening_on]
            between = [each for each in own if opening_on < each.value_on <= closing_on]
            if own:
                moved = sum(each.cents if each.direction is MovementSide.DEPOSIT else -each.cents for each in between)
            else:
                moved = 0
                for each in _by_change(ordered, account_id, change, opening_on, closing_on, executed):
                    executed[each.instruction_id] = Execution(each.instruction_id, closing_on, "")
                    moved += each.change
            if moved != change:
                opening, closing = cash[account_id][opening_on], cash[account_id][closing_on]
                gaps.append(StatementGap(account_id, opening_on, closing_on, opening, moved, closing))
    missed = [
        each.instruction_id
        for each in ordered
        if each.instruction_id not in executed
        and on > each.valid_until
        and max(cash[each.account_id], default=date.min) >= each.valid_until
    ]
    before = tuple(each for each in entries if each not in judged)
    return MovementMatches(executed, tuple(uninstructed), tuple(gaps), tuple(missed), before, compared)


def _by_entry(
    ordered: Sequence[Instructed], entries: Sequence[BankMovement]
) -> tuple[dict[str, Execution], list[Uninstructed]]:
    by_id = {each.instruction_id: each for each in ordered}
    executed: dict[str, Execution] = {}
    left: list[Uninstructed] = []
    for entry in entries:
        if entry.instruction_id:
            named = by_id.get(entry.instruction_id)
            if named is None:
                reason = f"the bank names {entry.instruction_id}, which nobody approved"
            elif entry.instruction_id in executed:
                reason = f"{entry.instruction_id} was executed already by another entry"
            elif misfit := named.misfit(entry):
                reason = f"the bank names {entry.instruction_id}, but {misfit}"
            else:
                executed[entry.instruction_id] = Execution(entry.instruction_id, entry.value_on, entry.bank_reference)
                continue
            left.append(Uninstructed(entry, reason))
    for entry in entries:
        if not entry.instruction_id:
            fits = next((i for i in ordered if i.instruction_id not in executed and not i.misfit(entry)), None)
            if fits is None:
                left.append(Uninstructed(entry, "no approved instruction fits it"))
            else:
                executed[fits.instruction_id] = Execution(fits.instruction_id, entry.value_on, entry.bank_reference)
    left.sort(key=lambda each: (each.movement.value_on, each.movement.account_id, each.movement.bank_reference))
    return executed, left


def _by_change(
    ordered: Sequence[Instructed],
    account_id: str,
    change: int,
    opening_on: date,
    closing_on: date,
    executed: Collection[str],
) -> list[Instructed]:
    """The one waiting instruction that makes up a change of cash, or else all of them together; else none."""
    waiting = [
        each
        for each in ordered
        if each.account_id == account_id
        and each.instruction_id not in executed
        and each.approved_on <= closing_on
        and each.valid_until > opening_on
    ]
    if not change:
        return []
    alone = next((each for each in waiting if each.change == change), None)
    if alone is not None:
        return [alone]
    return waiting if sum(each.change for each in waiting) == change else []
