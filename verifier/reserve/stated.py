"""From what the firm stated to the inputs of a computation: lines, accounts with their statements, method, frequency.

The statements are rows of the files of `mapping.tables.reserve`, as known at one time. What is missing is an error or
counts nothing; it is never a zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from exports.reserve.accounts import Bank, ReserveAccount, ReserveHolding, SecurityKind
from exports.reserve.errors import ItemsRefused, ScheduleRefused
from exports.reserve.frequency import DailyTest, Frequency, Method, MonthEnd, Notices, daily_test, frequency_at
from exports.reserve.items import ReserveClass, item
from exports.reserve.lines import CustomerItems, LineRow, PabItems
from exports.reserve.money import dollars
from exports.reserve.policies import PolicySet
from exports.reserve.rulesets import RuleSet
from mapping import reserve_types as stated
from mapping.types import Sourced

DIGEST_SHOWN: Final = 12
"""Digits of a file's SHA-256 that a row's source names."""


@dataclass(frozen=True, slots=True)
class ReserveStatements:
    """Everything stated about accounts, capital and filings, as known at a time: the newest row of each key."""

    accounts: Sequence[stated.ReserveBankAccount]
    holdings: Sequence[stated.ReserveHolding]
    capital: Sequence[stated.FirmCapital]
    months: Sequence[stated.FocusMonthEnd]
    notices: Sequence[stated.ReserveNotice]


def stated_items(rows: Iterable[Sourced[stated.ReserveItem]]) -> tuple[CustomerItems, PabItems]:
    """Both computations' lines from the stated rows of one day.

    Raises `ItemsRefused` naming every line that is missing: a line of nothing is an explicit zero.
    """
    found: dict[ReserveClass, list[tuple[int, LineRow]]] = {each: [] for each in ReserveClass}
    for row in rows:
        record, origin = row.record, row.origin
        source = f"{origin.source} line {origin.line} ({origin.digest[:DIGEST_SHOWN]}): {record.reference}"
        line = LineRow(f"stated:{record.computation}:{record.item}", record.cents, source)
        found[ReserveClass(record.computation.value)].append((record.item, line))
    missing = [
        f"{each} {number}"
        for each in ReserveClass
        for number in range(1, stated.ITEM_COUNT + 1)
        if number not in {stated_number for stated_number, _ in found[each]}
    ]
    if missing:
        raise ItemsRefused(f"lines are missing: {', '.join(missing)}")
    return CustomerItems.of(found[ReserveClass.CUSTOMER]), PabItems.of(found[ReserveClass.PAB])


def accounts_on(
    statements: ReserveStatements, on: date, policies: PolicySet
) -> tuple[tuple[ReserveAccount, ...], tuple[Bank, ...]]:
    """The reserve accounts and their banks on a day, each account with its newest statement up to then.

    A statement older than policy `statement_age_days_max` is none. A bank's equity is that of its newest Call Report
    stated by then.
    """
    rows: dict[str, stated.ReserveBankAccount] = {}
    for each in sorted(statements.accounts, key=lambda row: row.effective_from):
        if each.effective_from <= on:
            rows[each.account_id] = each
    accounts = tuple(_account(rows[key], statements.holdings, on, policies) for key in sorted(rows))
    banks: dict[str, Bank] = {}
    for row in sorted(rows.values(), key=lambda row: (row.call_report_on or date.min, row.account_id)):
        known = banks.get(row.bank_id)
        affiliated = row.affiliated or (known is not None and known.affiliated)
        if row.call_report_on is None and known is not None:
            banks[row.bank_id] = Bank(row.bank_id, affiliated, known.equity_capital, known.call_report_on)
        else:
            banks[row.bank_id] = Bank(row.bank_id, affiliated, row.equity_capital, row.call_report_on)
    return accounts, tuple(banks[key] for key in sorted(banks))


def _account(
    row: stated.ReserveBankAccount, holdings: Iterable[stated.ReserveHolding], on: date, policies: PolicySet
) -> ReserveAccount:
    own = [each for each in holdings if each.account_id == row.account_id and each.as_of <= on]
    newest = max((each.as_of for each in own), default=None)
    fresh = newest is not None and (on - newest).days <= policies.integer("statement_age_days_max")
    lines = [each for each in own if fresh and each.as_of == newest]
    cash = next((each.market_value for each in lines if each.kind is stated.HoldingKind.CASH), None)
    securities = tuple(
        ReserveHolding(each.holding, SecurityKind(each.kind.value), each.market_value, each.priced_on)
        for each in sorted(lines, key=lambda line: line.holding)
        if each.kind is not stated.HoldingKind.CASH
    )
    return ReserveAccount(
        row.account_id,
        row.bank_id,
        ReserveClass(row.computation.value),
        row.notified_on,
        row.no_lien_contract_on,
        cash,
        securities,
    )


def capital_on(capital: Iterable[stated.FirmCapital], as_of: date) -> stated.FirmCapital:
    """Method and capital on a day; raises `ScheduleRefused` when they were never stated."""
    known = [each for each in capital if each.as_of <= as_of]
    if not known:
        raise ScheduleRefused(
            f"no method of net capital is stated for {as_of.isoformat()}",
            advice="Import firm_capital.csv with a row of that day or an earlier one.",
        )
    return max(known, key=lambda each: each.as_of)


def method_on(capital: Iterable[stated.FirmCapital], as_of: date) -> Method:
    """The method of net capital on a day; raises `ScheduleRefused` when it was never stated."""
    return Method(capital_on(capital, as_of).method.value)


def frequencies_on(
    statements: ReserveStatements, as_of: date, rule_set: RuleSet, policies: PolicySet
) -> tuple[Frequency, Frequency, DailyTest]:
    """How often the customer and the PAB computation are due on a day, and the test it follows from.

    Voluntary daily computation is for customers, (e)(3)(v). Monthly computation is not offered: weekly is never later.
    Raises `ScheduleRefused` when the newest filing is not known: an absent form is no small one.
    """
    months = [
        MonthEnd(each.month_end, each.customer_credits, each.pab_credits, each.filed_on)
        for each in statements.months
        if each.filed_on <= as_of
    ]
    wanted = _month_end_before(_month_end_before(as_of))
    if not months or max(each.month_end for each in months) < wanted:
        raise ScheduleRefused(
            f"the month-end form of {wanted.isoformat()} is not stated, so daily or weekly cannot be told",
            advice="Import focus_history.csv up to the newest form that was filed.",
        )
    notices = _notices(statements.notices, as_of)
    test = daily_test(months, as_of, notices, rule_set, policies)
    customer = frequency_at(test, as_of, notices, rule_set)
    return customer, Frequency.DAILY_REQUIRED if test.required else Frequency.WEEKLY, test


def _notices(rows: Iterable[stated.ReserveNotice], as_of: date) -> Notices:
    days: dict[stated.NoticeKind, list[date]] = {kind: [] for kind in stated.NoticeKind}
    for each in rows:
        if each.given_on <= as_of:
            days[each.kind].append(each.given_on)
    voluntary = max(days[stated.NoticeKind.VOLUNTARY_DAILY], default=None)
    ended = [day for day in days[stated.NoticeKind.VOLUNTARY_ENDED] if voluntary is not None and day >= voluntary]
    return Notices(tuple(sorted(days[stated.NoticeKind.WEEKLY_AGAIN])), voluntary, min(ended, default=None))


def _month_end_before(day: date) -> date:
    return day.replace(day=1) - timedelta(days=1)


def drivers(
    now: CustomerItems | PabItems,
    before: CustomerItems | PabItems | None,
    most: int = 3,
    rows: Mapping[int, Iterable[str]] | None = None,
) -> list[str]:
    """The lines that moved most since an earlier computation, or the largest ones when there is none, for people.

    With each line the rows that moved it most; where it carries none of its own, the given `rows` of the item.
    """
    moved = [(line.cents - (before.cents(line.number) if before is not None else 0), line.number) for line in now.lines]
    largest = sorted(moved, key=lambda pair: (-abs(pair[0]), pair[1]))[:most]
    signed = before is not None
    return [
        f"item {number} ({item(number).side}) {_moved(cents, signed)}{_driving_rows(now, before, number)}"
        + "".join(f", {row}" for row in (rows or {}).get(number, ()))
        for cents, number in largest
        if cents
    ]


def _moved(cents: int, signed: bool) -> str:
    return f"{'+' if signed and cents > 0 else ''}{dollars(cents)}"


def _driving_rows(
    now: CustomerItems | PabItems, before: CustomerItems | PabItems | None, number: int, most: int = 2
) -> str:
    """The position items that moved a line most: ` by account:A-1 +3.00, account:A-2 -1.00`."""
    rows = {row.row_id: row.cents for row in now.lines[number - 1].rows}
    if all(row_id.startswith("stated:") for row_id in rows):
        return ""
    earlier = {row.row_id: row.cents for row in before.lines[number - 1].rows} if before is not None else {}
    moved = [(rows.get(key, 0) - earlier.get(key, 0), key) for key in rows.keys() | earlier.keys()]
    largest = sorted((pair for pair in moved if pair[0]), key=lambda pair: (-abs(pair[0]), pair[1]))[:most]
    shown = (f"{row_id} {_moved(cents, before is not None)}" for cents, row_id in largest)
    return f" by {', '.join(shown)}" if largest else ""
