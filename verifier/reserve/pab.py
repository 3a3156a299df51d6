"""Notes to the PAB computation that change amounts: Note 7 (deposits before settlement) and Note 8 (sweeps).

Notes 2 to 4 are kept by `lines.credits_used_twice`, `note_e.item_10(pab=True)` and `formula.pab_result`. Which balances
are PAB at all (Notes 5, 6 and 10), and which part of a clearing deposit (Note 9), is classification of the books.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from chains.types import require_utc
from exports.reserve.money import require_cents
from verifier.reserve.calendar import BankCalendar

NOTE_7_SINGLE_CENTS: Final = 5_000_000_00
NOTE_7_AGGREGATE_CENTS: Final = 10_000_000_00
EASTERN: Final = "America/New_York"
NOTE_7_BY: Final = time(12)
"""12 p.m. Eastern on the next business day."""
NOTE_8_BY: Final = time(10)
"""10 a.m. Eastern on the date the deposit is due."""


@dataclass(frozen=True, slots=True)
class PreSettlementDeposit:
    """Cash that one PAB account holder deposited before settlement of its transactions. Cents."""

    account_id: str
    cents: int
    received_on: date
    in_separate_account_at: datetime | None
    """When it reached the separate PAB bank account; None while it has not."""

    def __post_init__(self) -> None:
        require_cents(self.cents, f"deposit of {self.account_id}")
        if self.in_separate_account_at is not None:
            require_utc(self.in_separate_account_at, "in_separate_account_at")


def note_7_excluded(
    deposits: Iterable[PreSettlementDeposit], as_of: date, known_at: datetime, calendar: BankCalendar
) -> dict[str, int]:
    """Cents by account that are no PAB credit on a date: large deposits put into the separate account in time.

    Large is $5 million of one account or $10 million of all together, each limit included. What was not moved by noon
    Eastern on the business day after receipt, or is not known to have been at `known_at`, stays a credit.
    """
    received = [each for each in deposits if each.received_on == as_of]
    by_account: dict[str, int] = {}
    for each in received:
        by_account[each.account_id] = by_account.get(each.account_id, 0) + each.cents
    all_large = sum(by_account.values()) >= NOTE_7_AGGREGATE_CENTS
    excluded: dict[str, int] = {}
    for each in sorted(received, key=lambda deposit: deposit.account_id):
        large = all_large or by_account[each.account_id] >= NOTE_7_SINGLE_CENTS
        deadline = _eastern(calendar.add_business_days(each.received_on, 1), NOTE_7_BY)
        moved = each.in_separate_account_at
        if large and moved is not None and moved <= deadline and moved <= require_utc(known_at, "known_at"):
            excluded[each.account_id] = excluded.get(each.account_id, 0) + each.cents
    return excluded


@dataclass(frozen=True, slots=True)
class PabSweep:
    """A PAB credit swept to a money market fund in the account holder's name, free of lien. Cents."""

    account_id: str
    cents: int
    swept_at: datetime
    free_of_lien: bool

    def __post_init__(self) -> None:
        require_cents(self.cents, f"sweep of {self.account_id}")
        require_utc(self.swept_at, "swept_at")


def note_8_swept(sweeps: Iterable[PabSweep], as_of: date, deposit_on: date) -> int:
    """Cents by which sweeps reduce the requirement: after the as-of date, by 10 a.m. Eastern on the deposit date.

    They lower what must be deposited; they never permit a withdrawal.
    """
    deadline = _eastern(deposit_on, NOTE_8_BY)
    return sum(
        each.cents
        for each in sweeps
        if each.free_of_lien
        and each.swept_at <= deadline
        and each.swept_at.astimezone(ZoneInfo(EASTERN)).date() > as_of
    )


def _eastern(day: date, at: time) -> datetime:
    return datetime.combine(day, at, ZoneInfo(EASTERN))
