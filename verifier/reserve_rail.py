"""The reserve computations on what is recorded: computations kept, required against held at any moment.

"As required" is what the computation in force fixed, 15c3-3(e); "projected" is what the newest books or stated lines
would require if they were computed now. The two are never mixed: see decision 0019.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from exports.reserve.accounts import Held, ReserveAccount
from exports.reserve.computation import Occasion, ReserveComputation, ReserveInputs, Scope, compute
from exports.reserve.errors import ReserveError, ScheduleRefused
from exports.reserve.frequency import Frequency
from exports.reserve.funding import (
    DepositDuty,
    Funding,
    Requirement,
    WithdrawalCheck,
    check_withdrawal,
    deposit_duty,
    funding,
    requirement_in_force,
    requirements,
)
from exports.reserve.items import ReserveClass
from exports.reserve.position import ReservePosition
from exports.reserve.rulesets import rule_set_at
from verifier.errors import InputError
from verifier.reserve.calendar import (
    BankCalendar,
    monthly_as_of,
    reserve_times,
    weekly_as_of,
)
from verifier.reserve.driving import driving_text
from verifier.reserve.stated import accounts_on, drivers, frequencies_on
from verifier.reserve_inputs import LinesFrom, firm_calendar, firm_policies, inputs_at, projection_and_rows
from verifier.reserve_movements import leaving
from verifier.reserve_sweeps import after_sweeps, swept_in_time

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store
    from verifier.store.reserve_store import StoredComputation

DAY: Final = timedelta(days=1)
WEEKLY_ADVICE: Final = "Compute weekly, without --monthly; a weekly computation is never later than is permitted."
DAILY: Final = frozenset({Frequency.DAILY_REQUIRED, Frequency.DAILY_VOLUNTARY})


def in_use(store: Store, now: datetime) -> bool:
    """Whether the firm states anything for the reserve: lines or books, of which computations are made, or accounts."""
    known_at = store.book_time(now)
    if store.reserve_item_days(known_at) or store.books_closes(known_at):
        return True
    return bool(store.reserve_statements(known_at).accounts)


def compute_and_record(
    store: Store,
    settings: Settings,
    as_of: date,
    scope: Scope,
    occasion: Occasion,
    actor: str,
    now: datetime,
    reason: str = "",
    source: LinesFrom | None = None,
    *,
    monthly: bool = False,
) -> StoredComputation:
    """Make a computation as of a day's close from what is known now, and keep it with its inputs.

    With `monthly` it is a monthly one, where 15c3-3(e)(3) permits that; its deposit is 105 percent.
    Raises `ScheduleRefused` for a day that has not closed, or a regular computation on a day of which none is due.
    `source` says where the lines come from; None takes what the day has, and refuses both.
    """
    calendar, hours = firm_calendar(settings)
    times = reserve_times(as_of, calendar, hours)
    if now.astimezone(ZoneInfo(hours.zone)).date() <= as_of:
        raise ScheduleRefused(f"{as_of.isoformat()} has not closed yet", advice="Compute on the next business day.")
    known_at = store.book_time(now)
    inputs = inputs_at(store, settings, as_of, known_at, scope, occasion, source)
    if monthly:
        inputs = _monthly(store, settings, inputs, known_at)
    elif occasion is Occasion.REGULAR:
        for each in scope.classes:
            frequency = inputs.frequency if each is ReserveClass.CUSTOMER else inputs.pab_frequency
            if frequency not in DAILY and weekly_as_of(as_of, calendar) != as_of:
                raise ScheduleRefused(
                    f"the {each} computation is {frequency}: none is due as of {as_of.isoformat()}",
                    advice="Choose the last business day of the week, or --extra: an extra computation binds too.",
                )
    return store.add_reserve_computation(compute(inputs), times, known_at, actor, now, reason)


def _monthly(store: Store, settings: Settings, inputs: ReserveInputs, known_at: datetime) -> ReserveInputs:
    """The same inputs as a monthly computation of the purposes in scope, where that is permitted and due."""
    from verifier.reserve_monthly import why_not_monthly

    as_of, calendar = inputs.as_of, firm_calendar(settings)[0]
    for purpose in inputs.scope.classes:
        if why := why_not_monthly(store, settings, purpose, as_of, known_at):
            raise ScheduleRefused(f"a monthly {purpose} computation is not permitted: {why}", advice=WEEKLY_ADVICE)
    if monthly_as_of(as_of, calendar) != as_of and inputs.occasion is Occasion.REGULAR:
        raise ScheduleRefused(
            f"{as_of.isoformat()} is not the last business day of its month",
            advice="Choose the last business day of the month, or --extra: an extra computation binds too.",
        )
    customer, pab = (each in inputs.scope.classes for each in ReserveClass)
    return replace(
        inputs,
        frequency=Frequency.MONTHLY if customer else inputs.frequency,
        pab_frequency=Frequency.MONTHLY if pab else inputs.pab_frequency,
    )


@dataclass(frozen=True, slots=True)
class PurposeView:
    """Where the customer or the PAB reserve stands at a moment. Amounts in US cents."""

    purpose: ReserveClass
    computation: StoredComputation | None
    """The one in force; None when none was made."""
    funding: Funding | None
    """As required by it."""
    deposit: DepositDuty | None
    held: Held
    projected: Requirement | None
    """By the newest books or stated lines; None when they cannot be computed."""
    drivers: tuple[str, ...]
    """The lines that moved most since the computation in force."""
    gaps: tuple[str, ...]
    """Why the figures are not verified: facts that are missing, a computation that was due."""
    projected_by: datetime | None = None
    """When the deposit would be due if the next regular computation fixed what is projected."""
    leaving: int = 0
    """Approved to leave, and not yet seen as gone."""
    swept: int = 0
    """Customers' credits swept in time, by which the required deposit is lower than the computation's figure."""

    @property
    def withdrawable(self) -> int:
        """What may leave at most, 15c3-3(g), less what was approved to leave."""
        return max(0, self.funding.withdrawable - self.leaving) if self.funding is not None else 0

    @property
    def shortfall(self) -> int:
        """Below what the computation in force requires, by what counts; zero while missing facts could still cover it.

        What is not known is no zero: until the facts are there, the reserve is unverified and not short.
        """
        return self._short_of(self.funding.requirement) if self.funding is not None else 0

    @property
    def missed(self) -> bool:
        """Whether the deadline of a deposit passed with a shortfall that is known."""
        return self.deposit is not None and self.deposit.missed and self.shortfall > 0

    @property
    def projected_shortfall(self) -> int:
        """The same for what is projected."""
        return self._short_of(self.projected) if self.projected is not None else 0

    def _short_of(self, requirement: Requirement) -> int:
        most = self.held.most
        return max(0, requirement.cents - self.held.cents) if most is not None and most < requirement.cents else 0


@dataclass(frozen=True, slots=True)
class ReserveView:
    """Both purposes at one moment."""

    at: datetime
    on: date
    """The banks' civil date at that moment."""
    purposes: tuple[PurposeView, ...]

    def of(self, purpose: ReserveClass) -> PurposeView:
        """One purpose."""
        return next(each for each in self.purposes if each.purpose is purpose)


def position_at(store: Store, settings: Settings, now: datetime) -> ReservePosition:
    """The reserve accounts by the newest statements known, on the banks' civil date of a moment."""
    _, hours = firm_calendar(settings)
    on = now.astimezone(ZoneInfo(hours.zone)).date()
    policies = firm_policies(settings, on)
    accounts, banks = accounts_on(store.reserve_statements(store.book_time(now)), on, policies)
    return ReservePosition(on, accounts, banks, policies)


def reserve_view(store: Store, settings: Settings, now: datetime) -> ReserveView:
    """Required, held and projected as recorded now. Nothing is written."""
    calendar, _ = firm_calendar(settings)
    known_at = store.book_time(now)
    position = position_at(store, settings, now)
    on, held = position.on, position.holdings()
    standing = [each for each in store.standing_computations() if each.occasion is not Occasion.TEST]
    projected, why_not, rows = projection_and_rows(store, settings, on, known_at)
    gone = leaving(store, settings, now)
    views = []
    for purpose in ReserveClass:
        own = held.customer if purpose is ReserveClass.CUSTOMER else held.pab
        named = driving_text(rows, purpose)
        view = _purpose(purpose, own, standing, projected, why_not, settings, store, calendar, now, on, named)
        of_purpose = [gone.get(each.account_id, 0) for each in position.accounts if each.purpose is purpose]
        views.append(replace(view, leaving=sum(of_purpose)))
    return ReserveView(now, on, tuple(views))


def _purpose(
    purpose: ReserveClass,
    held: Held,
    standing: Iterable[StoredComputation],
    projection: ReserveComputation | None,
    why_not: str,
    settings: Settings,
    store: Store,
    calendar: BankCalendar,
    now: datetime,
    on: date,
    rows: Mapping[int, Iterable[str]],
) -> PurposeView:
    own = [each for each in standing if purpose in each.scope.classes]
    newest = max((each.as_of for each in own if each.as_of <= on), default=None)
    computed: dict[str, tuple[StoredComputation, ReserveComputation]] = {}
    gaps: list[str] = []
    requirement = None
    try:
        computed = {each.digest: (each, each.computation()) for each in own if each.as_of == newest}
        requirement = requirement_in_force((made for _, made in computed.values()), purpose, on)
    except ReserveError as error:
        gaps.append(str(error))
    swept = 0
    if requirement is not None and purpose is ReserveClass.CUSTOMER:
        swept = swept_in_time(store, settings, requirement.as_of, store.book_time(now))
        requirement = after_sweeps(requirement, swept)
    stored = computed[requirement.computation_digest][0] if requirement is not None else None
    position = funding(requirement, held) if requirement is not None else None
    duty = deposit_duty(position, stored.times.deposit_by, now) if position is not None and stored is not None else None
    gaps += [f"{each.account_id} {each.subject}: {each.cause}" for each in held.not_counted if each.is_unknown]
    if not own:
        gaps.append(f"no {purpose} computation is on record")
    elif overdue := _overdue(purpose, own, settings, store, calendar, on, now):
        gaps.append(overdue)
    projected = projected_by = None
    moved: list[str] = []
    if projection is not None and (requirement is None or projection.inputs.as_of >= requirement.as_of):
        projected = next(each for each in requirements(projection) if each.purpose is purpose)
        also_swept = swept_in_time(store, settings, projected.as_of, store.book_time(now))
        projected = after_sweeps(projected, also_swept)
        before = computed[requirement.computation_digest][1] if requirement is not None else None
        moved = _drivers(purpose, projection, before, rows)
        try:
            projected_by = _fixed_by(purpose, projection, settings)
        except ReserveError as error:  # a year whose bank holidays are not known
            gaps.append(str(error))
    if why_not:
        gaps.append(why_not)
    facts = (tuple(moved), tuple(gaps), projected_by, 0, swept)
    return PurposeView(purpose, stored, position, duty, held, projected, *facts)


def _fixed_by(purpose: ReserveClass, projection: ReserveComputation, settings: Settings) -> datetime:
    """When the deposit is due of the next regular computation that can fix a projection: of its day or a later one."""
    calendar, hours = firm_calendar(settings)
    inputs, day = projection.inputs, projection.inputs.as_of
    if (inputs.frequency if purpose is ReserveClass.CUSTOMER else inputs.pab_frequency) in DAILY:
        as_of = day if calendar.is_business_day(day) else calendar.add_business_days(day, 1)
    else:
        as_of = weekly_as_of(day, calendar)
        if as_of < day:  # a Saturday, or a Friday that is a holiday
            as_of = weekly_as_of(day + timedelta(days=7), calendar)
    return reserve_times(as_of, calendar, hours).deposit_by


def _drivers(
    purpose: ReserveClass,
    now: ReserveComputation,
    before: ReserveComputation | None,
    rows: Mapping[int, Iterable[str]],
) -> list[str]:
    if purpose is ReserveClass.CUSTOMER:
        return drivers(now.inputs.customer, before.inputs.customer if before is not None else None, rows=rows)
    return drivers(now.inputs.pab, before.inputs.pab if before is not None else None, rows=rows)


def _overdue(
    purpose: ReserveClass,
    own: Iterable[StoredComputation],
    settings: Settings,
    store: Store,
    calendar: BankCalendar,
    on: date,
    now: datetime,
) -> str:
    """The newest regular computation whose day to be made has passed, when it is not on record; empty otherwise.

    Also why that cannot be told, where it cannot.
    """
    own = list(own)
    try:
        as_of, _ = due_as_of(purpose, own, settings, store, calendar, on, now)
    except ReserveError as error:  # also of a year whose bank holidays are not known: then nothing is known to be made
        return str(error)
    made = {each.as_of for each in own}
    if as_of in made or as_of < min(made):  # what was due before the first computation on record is not judged
        return ""
    return f"the {purpose} computation as of {as_of.isoformat()} was due and is not on record"


def due_as_of(
    purpose: ReserveClass,
    own: Iterable[StoredComputation],
    settings: Settings,
    store: Store,
    calendar: BankCalendar,
    on: date,
    now: datetime,
) -> tuple[date, bool]:
    """As-of date of the newest regular computation whose day to be made lies before a date; whether it is monthly.

    `own` are the computations of the purpose that stand. Raises `ReserveError` where that cannot be told.
    """
    day = calendar.on_or_before(on - timedelta(days=1))
    statements = store.reserve_statements(store.book_time(now))
    policies = firm_policies(settings, day)
    customer, pab, _ = frequencies_on(statements, day, rule_set_at(day), policies)
    weekly = (customer if purpose is ReserveClass.CUSTOMER else pab) not in DAILY
    if weekly and _is_monthly(purpose, own, settings, store, day, now):
        as_of = _due(day, on, calendar, lambda at: monthly_as_of(at, calendar), lambda at: at.replace(day=1) - DAY)
        return as_of, True
    if weekly:
        return _due(day, on, calendar, lambda at: weekly_as_of(at, calendar), lambda at: at - 7 * DAY), False
    return _due(day, on, calendar, calendar.on_or_before, lambda at: at - DAY), False


def _due(
    day: date, on: date, calendar: BankCalendar, period: Callable[[date], date], before: Callable[[date], date]
) -> date:
    """The newest as-of date of a period whose day to be computed lies before a date."""
    as_of = period(day)
    while calendar.add_business_days(as_of, 1) >= on:
        as_of = period(before(as_of))
    return as_of


def _is_monthly(
    purpose: ReserveClass, own: Iterable[StoredComputation], settings: Settings, store: Store, day: date, now: datetime
) -> bool:
    """Whether the firm computes monthly: its newest regular computation was, and it is still permitted."""
    from verifier.reserve_monthly import why_not_monthly

    regular = [each for each in own if each.occasion is Occasion.REGULAR]
    if not regular:
        return False
    inputs = max(regular, key=lambda each: each.as_of).computation().inputs
    frequency = inputs.frequency if purpose is ReserveClass.CUSTOMER else inputs.pab_frequency
    is_monthly = frequency is Frequency.MONTHLY
    return is_monthly and not why_not_monthly(store, settings, purpose, day, store.book_time(now))


def what_if_withdraw(store: Store, settings: Settings, account_id: str, cents: int, now: datetime) -> WithdrawalCheck:
    """What a withdrawal of cash from a reserve account would leave; nothing is recorded, and nothing moves.

    What was approved to leave and is not seen as gone yet is taken off first.
    """
    view = reserve_view(store, settings, now)
    position = position_at(store, settings, now)
    accounts, banks, policies = position.accounts, position.banks, position.policies
    gone = leaving(store, settings, now)
    accounts = tuple(_without(each, gone.get(each.account_id, 0)) for each in accounts)
    source = next((each for each in accounts if each.account_id == account_id), None)
    if source is None:
        known = ", ".join(each.account_id for each in accounts) or "none"
        raise InputError(f"there is no reserve account {account_id}; there are: {known}")
    own = view.of(source.purpose)
    if own.funding is None:
        raise InputError(
            f"no {source.purpose} computation is on record, so nothing may be withdrawn",
            advice="Make one first: `custody reserve compute --as-of DATE`.",
        )
    needed = own.funding.requirement
    projected = own.projected.cents_for_withdrawal if own.projected is not None else needed.cents_for_withdrawal
    return check_withdrawal(needed, projected, accounts, banks, account_id, cents, view.on, policies)


def _without(account: ReserveAccount, cents: int) -> ReserveAccount:
    return account if account.cash is None else replace(account, cash=max(0, account.cash - cents))
