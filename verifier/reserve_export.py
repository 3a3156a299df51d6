"""A computation on record as the files that people and forms want: document, CSV, page, FOCUS layout."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from chains.types import utc_text
from exports.reserve.computation import ReserveComputation
from exports.reserve.computation_page import computation_page
from exports.reserve.focus import FocusLine, OnDeposit, focus_lines
from exports.reserve.items import ReserveClass
from exports.reserve.position import ReservePosition
from exports.reserve.sheets import computation_csv, focus_csv
from mapping.reserve_types import MovementSide
from verifier.reserve.stated import accounts_on
from verifier.reserve_inputs import firm_policies

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store
    from verifier.store.reserve_store import StoredComputation

FORMATS: Final = ("csv", "json", "html", "focus")


def computation_file(store: Store, settings: Settings, stored: StoredComputation, wanted: str, now: datetime) -> bytes:
    """One of `FORMATS` of a computation; raises `ReserveError` when the record does not compute to itself."""
    if wanted == "json":
        return stored.document
    made = stored.computation()
    if wanted == "csv":
        return computation_csv(made)
    schedules = schedules_of(store, settings, stored, made, now)
    if wanted == "focus":
        return focus_csv(schedules)
    title = f"Reserve computation {stored.computation_id}"
    return computation_page(title, about(settings, stored, now), made, schedules)


def about(settings: Settings, stored: StoredComputation, now: datetime) -> list[tuple[str, str]]:
    """What is said of a computation beside its figures."""
    facts = [
        ("firm", settings.firm.name),
        ("computation", f"{stored.computation_id}: {stored.occasion}, {stored.scope}"),
        ("recorded", f"{utc_text(stored.recorded_at)}, with the books as known at {utc_text(stored.known_at)}"),
        ("deposit by", f"{utc_text(stored.times.deposit_by)} (business day {stored.times.deposit_on.isoformat()})"),
        ("shown as known at", utc_text(now)),
    ]
    if stored.replaces:
        facts.append(("replaces", f"{stored.replaces}: {stored.reason}"))
    return facts


def schedules_of(
    store: Store, settings: Settings, stored: StoredComputation, made: ReserveComputation, now: datetime
) -> list[tuple[ReserveClass, tuple[FocusLine, ...]]]:
    """The FOCUS schedule of each purpose that the computation fixes."""
    return [
        (purpose, focus_lines(made, purpose, on_deposit(store, settings, stored, purpose, now)))
        for purpose in stored.scope.classes
    ]


def on_deposit(
    store: Store, settings: Settings, stored: StoredComputation, purpose: ReserveClass, now: datetime
) -> OnDeposit:
    """What the banks stated of the as-of date, and what moved until the deadline's day; None where it is not known.

    Movements are known once a statement of each account covers the day of the deadline.
    """
    known_at = store.book_time(now)
    statements = store.reserve_statements(known_at)
    policies = firm_policies(settings, stored.as_of)
    accounts, banks = accounts_on(statements, stored.as_of, policies)
    both = ReservePosition(stored.as_of, accounts, banks, policies).holdings()
    held = both.customer if purpose is ReserveClass.CUSTOMER else both.pab
    own = {each.account_id for each in accounts if each.purpose is purpose}
    covered: dict[str, date] = {}
    for line in statements.holdings:
        covered[line.account_id] = max(line.as_of, covered.get(line.account_id, date.min))
    movements = [each for each in store.bank_movements(known_at) if each.account_id in own]
    first, last = stored.as_of, stored.times.deposit_on
    is_known = bool(own) and bool(movements) and all(covered.get(each, date.min) >= last for each in own)
    between = [each for each in movements if first < each.value_on <= last]
    signed = [each.cents if each.direction is MovementSide.DEPOSIT else -each.cents for each in between]
    return OnDeposit(
        None if held.unverified or not own else held.cents,
        sum(signed) if is_known else None,
        max((each.value_on for each in between), default=None) if is_known else None,
    )
