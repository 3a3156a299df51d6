"""The securities rail: the books compared with what depositories, banks and prime brokers state, day by day.

Reads no chain. What is compared, with what and what follows is one document (`exports.securities`), kept with its
digest; its findings and those of commingling and hypothecation are cases of the rail.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from chains.types import AssetId, LocationId, utc_text
from exports.securities.document import digest, document, read_comparison
from mapping.book import AllocationKey
from mapping.books import Books
from mapping.context import OFF_CHAIN_PREFIXES
from mapping.custodian_types import CustodianAccount
from mapping.types import AccountClass
from verifier.case_book import group_findings
from verifier.custodians.assemble import Clock, accounts_in_effect
from verifier.custodians.comparing import (
    NOT_FREE,
    OUTSIDE,
    UNDER_LIEN,
    ClaimsInput,
    LedgerClaim,
    Place,
    PlaceStatement,
    compare,
    counting,
    is_outside,
    not_free_at,
    recorded_at,
)
from verifier.errors import InputError
from verifier.reserve_inputs import firm_calendar
from verifier.rules.custodians import comparison_findings, encumbered_findings
from verifier.rules.hypothecation import books_findings
from verifier.statement_import import statement_clock

if TYPE_CHECKING:
    from exports.securities.comparison import SecuritiesComparison
    from verifier.config import Settings
    from verifier.reserve.calendar import BankCalendar
    from verifier.store import CaseSeen, Store
    from verifier.store.custodian_store import StoredRun

_DAY = timedelta(days=1)
WHOLE_FIRST: Final = 2**40
"""Of one moment, a whole statement counts before rows that were imported by themselves."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """One comparison as it was recorded, with its cases."""

    run: StoredRun
    comparison: SecuritiesComparison
    cases: tuple[CaseSeen, ...]

    @property
    def exit_code(self) -> int:
        """0 all matched and nothing to say; 1 something contradicts; 2 something is unverified, or nothing compared."""
        if self.run.diverged or any(each.contradicts for each in self.cases):
            return 1
        return 2 if self.run.unverified or not self.run.expected or self.cases else 0


@dataclass(frozen=True, slots=True)
class SecuritiesView:
    """Where the rail stands at a moment."""

    run: StoredRun | None
    """Of the latest day compared, the one made last; None when none was made."""
    waiting: tuple[str, ...]
    """Why it does not speak of now: no comparison of a day that is due, statements that are missing."""


def in_use(store: Store, now: datetime) -> bool:
    """Whether the firm keeps anything at a depository, a bank or a prime broker."""
    known_at = store.book_time(now)
    if store.custodian_accounts(known_at) or store.newest_securities_run(known_at) is not None:
        return True
    return store.owns_anything_at(OFF_CHAIN_PREFIXES, known_at, known_at) or store.has_stock_at(OUTSIDE, known_at)


def newest_day(settings: Settings, now: datetime) -> date:
    """The business day whose close passed last, by the banks' calendar."""
    calendar, _ = firm_calendar(settings)
    return calendar.on_or_before(statement_clock(settings).day(now) - _DAY)


def due_times(
    accounts: Iterable[CustodianAccount], as_of: date, calendar: BankCalendar, clock: Clock
) -> dict[LocationId, tuple[str, datetime]]:
    """Custodian and time at which the statement of a business day is due, of every account of which one comes daily."""
    following = calendar.add_business_days(as_of, 1)
    return {
        place: (each.custodian, datetime.combine(following, each.statement_due, clock.zone).astimezone(UTC))
        for place, each in accounts_in_effect(accounts, as_of).items()
        if each.statement_due is not None
    }


def statements_of(store: Store, clock: Clock, as_of: date, known_at: datetime) -> list[PlaceStatement]:
    """What was stated of a civil day about locations outside any chain."""
    since = datetime.combine(as_of, time(), clock.zone).astimezone(UTC)
    until = datetime.combine(as_of + _DAY, time(), clock.zone).astimezone(UTC)
    order: dict[tuple[str, str, LocationId], int] = {}
    moments: dict[tuple[str, str, LocationId], datetime] = {}
    holdings: dict[tuple[str, str, LocationId], dict[AssetId, int]] = {}
    for position in store.outside_positions(since, until, known_at):
        if is_outside(position.location_id):
            key = (position.stated_by, position.statement_id, position.location_id)
            order.setdefault(key, len(order))
            moments[key] = position.as_of
            holdings.setdefault(key, {})[position.asset_id] = position.base_units
    whole = set()
    not_free: dict[tuple[str, str, LocationId], dict[AssetId, int]] = {}
    for number, stored in enumerate(store.custodian_statements(known_at, since, until)):
        statement = stored.statement
        for place in filter(is_outside, statement.locations):
            key = (statement.stated_by, statement.statement_id, place)
            whole.add(key)
            order[key] = WHOLE_FIRST + number
            moments[key] = statement.as_of
            holdings.setdefault(key, {})
            not_free[key] = {
                each.asset_id: units
                for each in statement.holdings
                if each.location_id == place
                and (units := sum(part.base_units for part in each.parts if part.code in NOT_FREE))
            }
    return [
        PlaceStatement(
            place,
            by,
            statement_id,
            moments[by, statement_id, place],
            found,
            key in whole,
            order[key],
            not_free.get(key, {}),
        )
        for key, found in holdings.items()
        for by, statement_id, place in (key,)
    ]


def ledger_at(
    store: Store, statements: Iterable[PlaceStatement], close: datetime, known_at: datetime
) -> dict[Place, LedgerClaim]:
    """What the sub-ledger says at outside parties: of each location at the moment of its statement, else the close."""
    moments = {place: max(each.as_of for each in found) for place, found in counting(statements).items()}
    claims: dict[Place, LedgerClaim] = {}
    for moment in sorted({close, *moments.values()}):
        figures = store.allocations(None, moment, known_at)
        found = ledger_claims(figures).items()
        claims |= {place: claim for place, claim in found if moments.get(place[0], close) == moment}
    return claims


def ledger_claims(figures: Mapping[AllocationKey, int]) -> dict[Place, LedgerClaim]:
    """The figures at outside parties, clients' and the firm's apart, and how many are below zero."""
    sums: dict[Place, list[int]] = {}
    for key, units in figures.items():
        if is_outside(key.location_id):
            parts = sums.setdefault((key.location_id, key.asset_id), [0, 0, 0])
            parts[1 if key.account_class is AccountClass.PROPRIETARY else 0] += units
            parts[2] += units < 0
    return {place: LedgerClaim(*parts) for place, parts in sums.items()}


def books_of(store: Store, as_of: date, known_at: datetime) -> tuple[Books | None, str]:
    """The books of a closed day; or None, and why where the firm keeps books by then."""
    if not any(each.as_of <= as_of for each in store.books_closes(known_at)):
        return None, ""
    try:
        return store.books(as_of, known_at), ""
    except InputError as error:
        return None, str(error)


def reconcile(store: Store, settings: Settings, as_of: date, actor: str, now: datetime) -> Reconciled:
    """Compare the books with custodians' statements of a day, and record it with its cases.

    Raises `InputError` for a day that has not closed, and `ReserveError` where the banks' calendar does not know it.
    Of a day before one that was compared, new cases are opened and no other is touched: newer figures were seen.
    """
    calendar, _ = firm_calendar(settings)
    clock = statement_clock(settings)
    if clock.day(now) <= as_of:
        raise InputError(f"{as_of.isoformat()} has not closed yet", advice="Compare it on the next day.")
    if not calendar.is_business_day(as_of):
        raise InputError(f"{as_of.isoformat()} is no banking day", advice="Name the business day before it.")
    known_at = store.book_time(now)
    accounts = store.custodian_accounts(known_at)
    statements = statements_of(store, clock, as_of, known_at)
    close = datetime.combine(as_of, clock.closes, clock.zone).astimezone(UTC)
    books, gap = books_of(store, as_of, known_at)
    assets = {record.asset.asset_id: record.asset for record in store.assets(None, known_at)}
    found = compare(
        ClaimsInput(
            as_of,
            known_at,
            ledger_at(store, statements, close, known_at),
            books.stock if books is not None else None,
            gap,
            statements,
            due_times(accounts, as_of, calendar, clock),
            assets,
        )
    )
    outside = {
        key: units for key, units in store.allocations(None, close, known_at).items() if is_outside(key.location_id)
    }
    covered = comparison_findings(found, now, timedelta(minutes=settings.custodians.warn_minutes))
    liens = recorded_at(books.stock, UNDER_LIEN) if books is not None else {}
    covered += encumbered_findings(not_free_at(statements), liens, assets)
    covered += books_findings(books, outside, accounts_in_effect(accounts, as_of), assets)
    text = document(found)
    run, seen = store.add_securities_run(
        as_of, known_at, found.counts, text, digest(text), group_findings(covered), actor, now
    )
    return Reconciled(run, read_comparison(text), tuple(seen))


def securities_view(store: Store, settings: Settings, now: datetime) -> SecuritiesView:
    """Where the rail stands, as recorded. Nothing is written."""
    known_at = store.book_time(now)
    calendar, _ = firm_calendar(settings)
    clock = statement_clock(settings)
    accounts = store.custodian_accounts(known_at)
    warn = timedelta(minutes=settings.custodians.warn_minutes)
    run = store.newest_securities_run(known_at)
    waiting: list[str] = []
    day = newest_day(settings, now)
    due = due_times(accounts, day, calendar, clock)
    late = {place: each for place, each in due.items() if now >= each[1] - warn}
    if late:
        there = {(each.location_id, each.stated_by) for each in statements_of(store, clock, day, known_at)}
        waiting += [
            f"the statement of {custodian} of {day.isoformat()} for {place} is not there, due at {utc_text(at)}"
            for place, (custodian, at) in sorted(late.items())
            if (place, custodian) not in there
        ]
    wanted = day if late or not due else calendar.on_or_before(day - _DAY)
    if run is None:
        waiting.append("the books were never compared with custodians' statements")
    elif run.as_of < wanted:
        waiting.append(
            f"the books were compared with custodians' statements of {run.as_of.isoformat()} last, those of "
            f"{wanted.isoformat()} are due"
        )
    return SecuritiesView(run, tuple(waiting))
