"""The inputs of a reserve computation from what is recorded: lines that the firm stated, or lines from its books.

A day may have both; then somebody says which. What is projected now prefers the books, where the firm keeps them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING

from chains.garbage import rare_collections
from exports.reserve.computation import Occasion, ReserveInputs, Scope, compute
from exports.reserve.errors import ItemsRefused, ReserveError
from exports.reserve.policies import Policy, PolicySet, policies_at
from exports.reserve.rulesets import rule_set_at
from verifier.errors import InputError
from verifier.projected_once import Projected, projected_once
from verifier.reserve.calendar import BankCalendar, BankHours, bank_calendar, with_closings
from verifier.reserve.driving import driving_rows
from verifier.reserve.stated import capital_on, frequencies_on, method_on, stated_items

if TYPE_CHECKING:
    from mapping.books import Books
    from verifier.config import Settings
    from verifier.reserve.allocation import DerivedItems
    from verifier.store import Store
    from verifier.store.reserve_store import StoredComputation


class LinesFrom(StrEnum):
    """Where the lines of a computation come from."""

    STATED = "stated"
    """`reserve_items.csv`: every line by the firm."""
    BOOKS = "books"
    """`accounts.csv`, `stock_record.csv` and the other files of the firm's books."""


def firm_calendar(settings: Settings) -> tuple[BankCalendar, BankHours]:
    """The banking days and the opening hour that the firm's deadlines follow."""
    section = settings.reserve
    hours = BankHours(time.fromisoformat(section.bank_opens), section.bank_zone)
    return with_closings(bank_calendar(), section.closings), hours


def firm_policies(settings: Settings, as_of: date) -> PolicySet:
    """The policies in effect on a day, the firm's own before the defaults."""
    own = [Policy(p.name, p.value, p.effective_from, p.source, p.reason) for p in settings.reserve.policies]
    return policies_at(as_of, own)


def lines_from(store: Store, as_of: date, known_at: datetime, wanted: LinesFrom | None = None) -> LinesFrom:
    """Where a day's lines come from, unless it is said; raises `ItemsRefused` when the day has both."""
    if wanted is not None:
        return wanted
    if as_of not in store.reserve_item_days(known_at):
        has_books = any(each.as_of == as_of for each in store.books_closes(known_at))
        return LinesFrom.BOOKS if has_books else LinesFrom.STATED
    if as_of in store.closed_days(known_at):
        raise ItemsRefused(
            f"the lines of {as_of.isoformat()} are stated, and its books are closed",
            advice="Say which of the two counts: --from stated or --from books.",
        )
    return LinesFrom.STATED


def inputs_at(
    store: Store,
    settings: Settings,
    as_of: date,
    known_at: datetime,
    scope: Scope,
    occasion: Occasion,
    source: LinesFrom | None = None,
) -> ReserveInputs:
    """The inputs of a computation from what was known at a time; raises `ReserveError` for anything missing.

    Also `InputError`, for books that are not complete.
    """
    if lines_from(store, as_of, known_at, source) is LinesFrom.BOOKS:
        return _from_books(store, settings, store.books(as_of, known_at), known_at, scope, occasion)[0]
    rows = store.reserve_items(as_of, known_at)
    if not rows:
        raise ItemsRefused(
            f"no line is stated for {as_of.isoformat()}, and its books are not closed",
            advice="Import reserve_items.csv with every line, or the files of the books with books_close.csv.",
        )
    customer, pab = stated_items(rows)
    statements = store.reserve_statements(known_at)
    policies = firm_policies(settings, as_of)
    customer_frequency, pab_frequency, _ = frequencies_on(statements, as_of, rule_set_at(as_of), policies)
    method = method_on(statements.capital, as_of)
    return ReserveInputs(as_of, occasion, method, customer_frequency, pab_frequency, customer, pab, 0, policies, scope)


def _from_books(
    store: Store,
    settings: Settings,
    books: Books,
    known_at: datetime,
    scope: Scope,
    occasion: Occasion,
    aged_on: date | None = None,
) -> tuple[ReserveInputs, DerivedItems]:
    """The inputs as of the day of the books with every row; ages as on another day if one is given, see `derive`."""
    statements, as_of = store.reserve_statements(known_at), books.as_of
    policies = firm_policies(settings, as_of)
    customer_frequency, pab_frequency, _ = frequencies_on(statements, as_of, rule_set_at(as_of), policies)
    found = _derived(store, settings, books, known_at, policies, aged_on)
    inputs = ReserveInputs(
        as_of,
        occasion,
        method_on(statements.capital, as_of),
        customer_frequency,
        pab_frequency,
        found.customer,
        found.pab,
        found.pab_swept,
        policies,
        scope,
        found.origin(),
    )
    return inputs, found


def _derived(
    store: Store,
    settings: Settings,
    books: Books,
    known_at: datetime,
    policies: PolicySet,
    aged_on: date | None = None,
) -> DerivedItems:
    from verifier.reserve.allocation import derive

    calendar, _ = firm_calendar(settings)
    capital = capital_on(store.reserve_statements(known_at).capital, books.as_of)
    method = method_on([capital], books.as_of)
    with rare_collections():  # a row for each account, none of which is garbage
        net_capital = capital.tentative_net_capital
        return derive(books, method, policies, calendar, known_at, net_capital, aged_on=aged_on)


def derived_again(store: Store, settings: Settings, stored: StoredComputation) -> DerivedItems:
    """The lines of a stored computation derived again from the books as they were known to it, with every row.

    Raises `ItemsRefused` when they were stated, or when the books give others: then what is on record was changed, or
    the calendar in the configuration.
    """
    inputs = stored.computation().inputs
    if inputs.derived_from is None:
        raise ItemsRefused(f"the lines of {stored.computation_id} were stated, not derived")
    books = store.books(stored.as_of, stored.known_at)
    found = _derived(store, settings, books, stored.known_at, inputs.policies)
    again = replace(
        inputs, customer=found.customer, pab=found.pab, pab_swept=found.pab_swept, derived_from=found.origin()
    )
    if again.canonical() != inputs.canonical():
        raise ItemsRefused(
            f"the books on record give other lines than {stored.computation_id} has",
            advice="Verify the journal, and compare [reserve] in the configuration with that of the computation's day.",
        )
    return found


def projection_and_rows(store: Store, settings: Settings, on: date, known_at: datetime) -> Projected:
    """The computation that the newest books or stated lines would give, and what it lacks. It is never recorded.

    `on` is the civil date: rows of the books posted up to then, and trades as they are then, lie over the newest closed
    day, and fails and other positions are as old as they are then. The computation stays one as of the closed day, the
    first that could fix what is projected. The text says why there is none, or which trades it leaves out. The rows
    are those that drive lines which are too long to carry them.
    """
    return projected_once(store, settings, on, known_at, lambda: _projection(store, settings, on, known_at))


def _projection(store: Store, settings: Settings, on: date, known_at: datetime) -> Projected:
    stated = store.reserve_item_days(known_at)
    closed = [day for day in store.closed_days(known_at) if day <= on]
    if not stated and not closed:
        return None, "no lines are stated, and no books are closed", {}
    from_books = bool(closed) and (not stated or closed[-1] >= stated[-1])
    day = closed[-1] if from_books else stated[-1]
    what = f"the {'books' if from_books else 'lines'} of {day.isoformat()}"
    try:
        if not from_books:
            stated_inputs = inputs_at(store, settings, day, known_at, Scope.BOTH, Occasion.TEST, LinesFrom.STATED)
            return compute(stated_inputs), "", {}
        found = store.projected_books(on, known_at, settings.reserve.bank_zone)
        if found is None:  # pragma: no cover - a day is closed
            return None, "no books are closed", {}
        books, notes = found
        left_out = "; ".join(f"trade {note.trade_id} is not projected: {note.text}" for note in notes)
        inputs, derived = _from_books(store, settings, books, known_at, Scope.BOTH, Occasion.TEST, on)
        return compute(inputs), left_out, driving_rows(derived, books)
    except (ReserveError, InputError) as error:
        return None, f"{what} cannot be computed: {error}", {}
