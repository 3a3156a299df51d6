"""From pages to whole statements of locations the firm knows; or every reason why not. Pure.

A statement is whole when all its pages are there, once each. Its accounts are those of custodian_accounts.csv, to the
letter: a statement of another participant is no statement for us.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from chains.errors import InvalidValue
from chains.types import AssetId, LocationId
from mapping.custodian_types import CustodianAccount
from mapping.fields import parse_id, shown
from mapping.types import Problem
from verifier.custodians.message import QuantityType, StatedHolding, StatementFormat, StatementPage


@dataclass(frozen=True, slots=True)
class MessageFile:
    """One file of messages, read."""

    name: str
    digest: str
    """SHA-256 (hex) of its bytes."""
    pages: tuple[StatementPage, ...]


@dataclass(frozen=True, slots=True)
class PlacedHolding:
    """One holding of a statement at a location of ours."""

    location_id: LocationId
    asset_id: AssetId
    stated: StatedHolding
    file: str
    digest: str


@dataclass(frozen=True, slots=True)
class WholeStatement:
    """All pages of one statement. What it does not list at one of its locations is nothing there."""

    stated_by: str
    statement_id: str
    format: StatementFormat
    as_of: datetime
    locations: tuple[LocationId, ...]
    holdings: tuple[PlacedHolding, ...]
    messages: tuple[tuple[str, str, str], ...]
    """File name, SHA-256 of the file, and reference of each page, in the pages' order."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What a custodian's day means: when it closes, and where."""

    closes: time
    """Civil time of the close, for statements that name a day alone."""
    zone: ZoneInfo

    def moment(self, page: StatementPage) -> datetime:
        """The moment a page speaks of, in UTC."""
        if page.stated_at is None:
            return datetime.combine(page.stated_on, self.closes, self.zone).astimezone(UTC)
        if page.stated_at.tzinfo is None:
            return page.stated_at.replace(tzinfo=self.zone).astimezone(UTC)
        return page.stated_at.astimezone(UTC)

    def day(self, moment: datetime) -> date:
        """The civil day of a moment."""
        return moment.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True)
class Assembled:
    """What the files gave: whole statements, or problems; never both."""

    statements: tuple[WholeStatement, ...]
    problems: tuple[Problem, ...]


def accounts_in_effect(accounts: Iterable[CustodianAccount], day: date) -> dict[LocationId, CustodianAccount]:
    """The row of each location that counts on a day, of those that are open then."""
    newest: dict[LocationId, CustodianAccount] = {}
    for each in accounts:
        if each.effective_from <= day:
            before = newest.get(each.location_id)
            if before is None or each.effective_from > before.effective_from:
                newest[each.location_id] = each
    return {place: each for place, each in newest.items() if each.holds_on(day)}


def assemble(
    files: Sequence[MessageFile], accounts: Sequence[CustodianAccount], clock: Clock, only_day: date | None = None
) -> Assembled:
    """Whole statements of all files together; with `only_day`, of that day and no other."""
    groups: dict[tuple[object, ...], list[tuple[MessageFile, StatementPage]]] = defaultdict(list)
    for file in files:
        for page in file.pages:
            groups[page.format, page.account, page.statement_number, page.stated_on].append((file, page))
    statements: list[WholeStatement] = []
    problems: list[Problem] = []
    for group in groups.values():
        found = list(_page_problems(group)) or list(_day_problems(group, clock, only_day))
        if not found:
            statement, found = _whole(group, accounts, clock)
            statements += [statement] if statement is not None else []
        problems += found
    return Assembled((), tuple(problems)) if problems else Assembled(tuple(statements), ())


def _problem(file: MessageFile, line: int, field: str, value: str, reason: str) -> Problem:
    return Problem(file.name, line, field, shown(value), reason)


def _page_problems(group: Sequence[tuple[MessageFile, StatementPage]]) -> Iterator[Problem]:
    """Pages given twice or missing, and pages that speak of another moment."""
    seen: set[int] = set()
    first_file, first = group[0]
    last = [page.page for _, page in group if page.is_last]
    for file, page in group:
        if page.page in seen:
            yield _problem(file, page.line, "page", str(page.page), "this page is given twice")
        seen.add(page.page)
        if page.stated_at != first.stated_at:
            yield _problem(file, page.line, "98a STAT", str(page.stated_at), "the pages speak of different moments")
    if len(last) != 1 or last[0] != max(seen):
        reason = f"of statement {first.statement_number} the last page is missing, or another follows it"
        yield _problem(first_file, first.line, "page", str(max(seen)), reason)
    elif missing := sorted(set(range(1, last[0] + 1)) - seen):
        text = ", ".join(map(str, missing[:5]))
        yield _problem(first_file, first.line, "page", text, f"pages of statement {first.statement_number} are missing")


def _day_problems(
    group: Sequence[tuple[MessageFile, StatementPage]], clock: Clock, only_day: date | None
) -> Iterator[Problem]:
    file, page = group[0]
    day = clock.day(clock.moment(page))
    if only_day is not None and day != only_day:
        reason = f"the statement is of {day.isoformat()}, one of {only_day.isoformat()} is wanted"
        yield _problem(file, page.line, "98a STAT", day.isoformat(), reason)


def _whole(
    group: Sequence[tuple[MessageFile, StatementPage]], accounts: Sequence[CustodianAccount], clock: Clock
) -> tuple[WholeStatement | None, list[Problem]]:
    ordered = sorted(group, key=lambda each: each[1].page)
    first_file, first = ordered[0]
    moment = clock.moment(first)
    places, problems = _places(ordered, accounts_in_effect(accounts, clock.day(moment)).values())
    if problems:
        return None, problems
    account = places[first.account]
    statement_id = f"{account.location_id}:{first.stated_on.isoformat()}:{first.statement_number}"
    try:
        parse_id(statement_id)
    except InvalidValue as error:
        return None, [_problem(first_file, first.line, "13a STAT", first.statement_number, str(error))]
    holdings: list[PlacedHolding] = []
    at: dict[tuple[LocationId, AssetId], int] = {}
    for file, page in ordered:
        for stated in page.holdings:
            holding = PlacedHolding(
                places[stated.account].location_id, AssetId(f"cusip:{stated.cusip}"), stated, file.name, file.digest
            )
            place = (holding.location_id, holding.asset_id)
            if place in at:
                reason = f"this security is stated twice for one account, first in line {at[place]}"
                problems.append(_problem(file, stated.line, "35B", stated.cusip, reason))
            at.setdefault(place, stated.line)
            currency = places[stated.account].currency
            if stated.quantity_type is QuantityType.FACE_AMOUNT and stated.currency not in ("", currency):
                reason = f"a face amount in {stated.currency}; the account is kept in {currency}"
                problems.append(_problem(file, stated.line, "11A DENO", stated.currency, reason))
            holdings.append(holding)
    for name in {name for _, page in ordered for name in page.empty_accounts}:
        if filled := next((h for h in holdings if h.stated.account == name and name != first.account), None):
            reason = f"nothing is stated for account {name} on one page, and holdings on another"
            problems.append(Problem(filled.file, filled.stated.line, "17B ACTI", shown(name), reason))
    statement = WholeStatement(
        account.custodian,
        statement_id,
        first.format,
        moment,
        tuple(sorted({each.location_id for each in places.values()})),
        tuple(sorted(holdings, key=lambda each: (each.location_id, each.asset_id))),
        tuple((file.name, file.digest, page.reference) for file, page in ordered),
    )
    return (None, problems) if problems else (statement, [])


def _places(
    group: Sequence[tuple[MessageFile, StatementPage]], accounts: Iterable[CustodianAccount]
) -> tuple[dict[str, CustodianAccount], list[Problem]]:
    """The account of ours behind each account of the statement; all of one custodian."""
    known: dict[str, list[CustodianAccount]] = defaultdict(list)
    for each in accounts:
        known[each.account].append(each)
    places: dict[str, CustodianAccount] = {}
    problems: list[Problem] = []
    for file, page in group:
        for name in dict.fromkeys((page.account, *page.accounts)):
            if name in places:
                continue
            found = known.get(name, [])
            if name != page.account and page.account in places:
                found = [each for each in found if each.custodian == places[page.account].custodian]
            if len(found) != 1:
                what = "several accounts" if found else "no account"
                reason = f"custodian_accounts.csv has {what} of this number that day; is it another participant's?"
                problems.append(_problem(file, page.line, "97a SAFE", name, reason))
            else:
                places[name] = found[0]
    return places, problems
