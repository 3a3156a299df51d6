"""The files of the reserve computations: complete lines, complete statements, accounts that exist, days that came."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Final

from mapping.checks.scope import Scope
from mapping.reserve_types import ITEM_COUNT, ReserveBankAccount, ReserveClass
from mapping.types import Sourced

_DAYS: Final = {
    "reserve_items": "as_of",
    "reserve_holdings": "as_of",
    "firm_capital": "as_of",
    "focus_history": "filed_on",
    "reserve_notices": "given_on",
    "bank_movements": "value_on",
    "reserve_sweeps": "swept_on",
}


def check_reserve(scope: Scope) -> None:
    """Refuse a computation with a line missing, a statement without cash, an unknown account, a day to come."""
    _check_days(scope)
    if not scope.posted and "reserve_items" not in scope.unreliable:
        _check_lines(scope)
    if not scope.posted and "reserve_holdings" not in scope.unreliable:
        _check_cash(scope)
    if "reserve_accounts" not in scope.unreliable:
        _check_accounts(scope)
        _check_banks(scope)


def _check_days(scope: Scope) -> None:
    if scope.now is None:
        return
    today = scope.now.date()
    for table, column in _DAYS.items():
        for row in scope.of(table):
            day: date = getattr(row.record, column)
            if day > today:
                scope.problem(row, column, day.isoformat(), "this day has not come yet")


def _check_lines(scope: Scope) -> None:
    """All thirty lines of a day are stated, in this import or before. A missing line is no zero."""
    first = {row.record.as_of: row for row in reversed(scope.of("reserve_items"))}
    for day, row in sorted(first.items()):
        keys = {(day.isoformat(), kind.value, str(n)) for kind in ReserveClass for n in range(1, ITEM_COUNT + 1)}
        stated = set(scope.known.records("reserve_items", keys))
        stated |= {
            (day.isoformat(), each.record.computation.value, str(each.record.item))
            for each in scope.of("reserve_items")
            if each.record.as_of == day
        }
        for _, kind, number in sorted(keys - stated, key=lambda key: (key[1], int(key[2]))):
            reason = f"{kind} item {number} of {day.isoformat()} is missing; a line of nothing is an explicit 0.00"
            scope.problem(row, "item", "", reason)


def _check_cash(scope: Scope) -> None:
    statements: dict[tuple[str, date], list[Sourced[object]]] = defaultdict(list)
    with_cash = set()
    for row in scope.of("reserve_holdings"):
        key = (row.record.account_id, row.record.as_of)
        statements[key].append(row)
        if row.record.holding == "cash":
            with_cash.add(key)
    missing = {(account, day.isoformat(), "cash") for account, day in statements.keys() - with_cash}
    known = scope.known.records("reserve_holdings", missing) if missing else {}
    for account, day, _ in sorted(missing - set(known)):
        row = statements[account, date.fromisoformat(day)][0]
        scope.problem(row, "holding", "", f"the statement of {account} of {day} has no row for cash; write 0.00")


def _accounts(scope: Scope) -> list[ReserveBankAccount]:
    """Every row about a reserve account as it is after the import."""
    found = {(each.account_id, each.effective_from): each for each in scope.known.reserve_accounts()}
    found |= {(row.record.account_id, row.record.effective_from): row.record for row in scope.of("reserve_accounts")}
    return list(found.values())


def _check_accounts(scope: Scope) -> None:
    if not any(map(scope.of, ("reserve_holdings", "reserve_accounts", "bank_movements"))):
        return
    purposes: dict[str, set[ReserveClass]] = defaultdict(set)
    for each in _accounts(scope):
        purposes[each.account_id].add(each.computation)
    for row in (*scope.of("reserve_holdings"), *scope.of("bank_movements")):
        if row.record.account_id not in purposes:
            reason = "this account is not known: add it to reserve_accounts.csv first"
            scope.problem(row, "account_id", row.record.account_id, reason)
    for row in scope.of("reserve_accounts"):
        if len(purposes[row.record.account_id]) > 1:
            reason = "an account is for customers or for PAB, and stays so; the two are separate, 15c3-3(e)(1)"
            scope.problem(row, "computation", row.record.computation, reason)


def _check_banks(scope: Scope) -> None:
    """One bank has one equity by one Call Report, whichever of its accounts states it."""
    stated: dict[tuple[str, date], set[int | None]] = defaultdict(set)
    if not scope.of("reserve_accounts"):
        return
    for each in _accounts(scope):
        if each.call_report_on is not None:
            stated[each.bank_id, each.call_report_on].add(each.equity_capital)
    for row in scope.of("reserve_accounts"):
        record = row.record
        if record.call_report_on is not None and len(stated[record.bank_id, record.call_report_on]) > 1:
            reason = f"another row states another equity of {record.bank_id} by the same Call Report"
            scope.problem(row, "equity_capital", "", reason)
