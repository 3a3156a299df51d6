"""Item 1 of both computations from the balances of the accounts, and what PAB Notes 7 and 8 take out.

Every credit balance of every customer account counts, free or not, short accounts marked to the market among them; an
affiliate's or a household member's too, whose debits are out (Note E(4)). Accounts of one owner are not set off against
each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final

from exports.reserve.items import ReserveClass
from mapping.books_types import AccountBalance, HolderClass, PabRelief, PabReliefKind
from verifier.reserve.allocation_rows import DerivedRow, Excluded
from verifier.reserve.calendar import BankCalendar
from verifier.reserve.pab import PabSweep, PreSettlementDeposit, note_7_excluded, note_8_swept

HOLDERS: Final = {HolderClass.CUSTOMER: ReserveClass.CUSTOMER, HolderClass.PAB: ReserveClass.PAB}
"""Whose balances are in a computation; directors, partners and the firm itself are in none, (a)(1)."""
DEPOSIT_BUSINESS_DAYS: Final = 2


def credit_rows(
    accounts: Iterable[AccountBalance],
    reliefs: Sequence[PabRelief],
    as_of: date,
    known_at: datetime,
    calendar: BankCalendar,
) -> tuple[list[DerivedRow], list[Excluded]]:
    """Item 1 by account, less the deposits before settlement of PAB Note 7."""
    moved = note_7_excluded(
        [
            PreSettlementDeposit(each.account_id, each.cents, each.on, each.done_at)
            for each in reliefs
            if each.kind is PabReliefKind.PRE_SETTLEMENT_DEPOSIT
        ],
        as_of,
        known_at,
        calendar,
    )
    rows: list[DerivedRow] = []
    excluded: list[Excluded] = []
    for each in accounts:
        whose = HOLDERS.get(each.holder_class)
        if whose is None or not each.credit_balance:
            continue
        cents = each.credit_balance
        if whose is ReserveClass.PAB and each.account_id in moved:
            out = min(cents, moved[each.account_id])
            excluded.append(Excluded(whose, 1, each.account_id, "PAB Note 7", out))
            cents -= out
            if not cents:
                continue
        kind = each.account_type.value
        source = f"accounts {each.as_of} {each.account_id}: credit balance, {kind} account; item 1"
        rows.append(DerivedRow(whose, 1, f"{kind} accounts", f"account:{each.account_id}", cents, source))
    return rows, excluded


def swept(
    accounts: Iterable[AccountBalance],
    reliefs: Iterable[PabRelief],
    as_of: date,
    known_at: datetime,
    calendar: BankCalendar,
) -> int:
    """PAB Note 8: credits of the day that were swept in time and are known to have been, in cents.

    Never more than the account's credit balance.
    """
    sweeps = [each for each in reliefs if each.kind is PabReliefKind.SWEEP and each.on == as_of]
    if not sweeps:
        return 0
    credit = {each.account_id: each.credit_balance for each in accounts if each.holder_class is HolderClass.PAB}
    by_account: dict[str, list[PabSweep]] = defaultdict(list)
    for each in sweeps:
        if each.done_at is not None and each.done_at <= known_at:
            by_account[each.account_id].append(PabSweep(each.account_id, each.cents, each.done_at, each.free_of_lien))
    deposit_on = calendar.add_business_days(as_of, DEPOSIT_BUSINESS_DAYS)
    return sum(min(credit.get(account, 0), note_8_swept(own, as_of, deposit_on)) for account, own in by_account.items())
