"""From the firm's books of a day to the lines of both computations, each figure with the rows it comes from.

Pure: what the books say, the firm's method and policies, the banking days and the time at which it was known are given.
Books that contradict themselves are refused, with everything that is wrong; what is merely not counted is listed.
Balances first (items 1 and 10), then the stock record security by security (items 2 to 9, 11, 12), then margin at
clearing organizations (items 13 to 15) and what stands in no account (Notes A and B, items 5 and 8).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from chains.errors import InvalidValue
from chains.types import AssetId
from exports.reserve.derived import DerivedFrom, rows_digest
from exports.reserve.errors import ItemsRefused
from exports.reserve.frequency import Method
from exports.reserve.items import ReserveClass
from exports.reserve.lines import CustomerItems, PabItems
from exports.reserve.policies import PolicySet
from mapping.books import Books
from mapping.books_types import HolderClass, OtherNature
from verifier.reserve.aging import SuspenseEntry, item_8_suspense
from verifier.reserve.allocation_balances import credit_rows, swept
from verifier.reserve.allocation_debits import debit_rows
from verifier.reserve.allocation_items import StockItems
from verifier.reserve.allocation_margin import margin_rows
from verifier.reserve.allocation_order import Owner, Place, allocation_ranks
from verifier.reserve.allocation_rows import ROWS_IN_FULL, DerivedRow, Excluded, carried
from verifier.reserve.allocation_stock import Meeting, Position, allocate, positions
from verifier.reserve.calendar import BankCalendar
from verifier.rules.wording import some_of

"""Problems that an error names; it counts the rest."""
FINDINGS_CARRIED: Final = 100
"""Findings that a computation carries by name."""
_OTHER_ITEMS: Final = {
    OtherNature.DRAFT: (1, "Note A"),
    OtherNature.BANK_OVERDRAFT: (1, "Note A"),
    OtherNature.OTHER_CREDIT: (1, "Note A"),
    OtherNature.LETTER_OF_CREDIT: (2, "Note B"),
    OtherNature.PRINCIPAL_SALE: (5, "principal sales to customers"),
    OtherNature.SUSPENSE_CREDIT: (8, "suspense account"),
}


@dataclass(frozen=True, slots=True)
class Allocation:
    """Units of one security that an owner holds long and that stand at one place."""

    security_id: AssetId
    owner: Owner
    owner_line: str
    """Line of a borrow, a fail to deliver or a difference; empty for the accounts of a class together."""
    place: Place
    place_line: str
    """Line of the place or of the short position; empty where the record has none."""
    base_units: int
    market_value: int
    """US cents, a part of a cent rounded up."""


@dataclass(frozen=True, slots=True)
class DerivedItems:
    """The lines of both computations, and everything they were derived from."""

    customer: CustomerItems
    pab: PabItems
    pab_swept: int
    """Cents by PAB Note 8."""
    rows: tuple[DerivedRow, ...]
    """Every row in full, by computation, item and id."""
    allocations: tuple[Allocation, ...]
    """By security, place and owner."""
    excluded: tuple[Excluded, ...]
    """What is in the books and in no line, by which note."""
    problems: tuple[str, ...]
    """What should be looked at and did not stop the computation: a stock record that does not balance."""
    tentative_net_capital: int
    """US cents."""

    def origin(self) -> DerivedFrom:
        """Count and digest of everything the lines were derived from, as the computation carries it."""
        sums: Counter[str] = Counter()
        for each in self.excluded:
            sums[f"{each.computation} item {each.item}: {each.note}"] += each.cents
        return DerivedFrom(
            rows_digest(row.own for row in self.rows),
            len(self.rows),
            _allocations_digest(self.allocations),
            len(self.allocations),
            self.tentative_net_capital,
            tuple(sorted(sums.items())),
            _first(self.problems),
        )


def derive(
    books: Books,
    method: Method,
    policies: PolicySet,
    calendar: BankCalendar,
    known_at: datetime,
    tentative_net_capital: int,
    in_full: int = ROWS_IN_FULL,
    aged_on: date | None = None,
) -> DerivedItems:
    """The lines from the books, `tentative_net_capital` in cents. A line of more than `in_full` rows carries digests.

    With `aged_on`, for what is projected, ages and what holds for some days only are as on that day; deposits and
    sweeps of PAB Notes 7 and 8 are matched with the day of the books, whose balances show them.
    Raises `ItemsRefused` for books that contradict themselves or name what is not there.
    """
    try:
        aged = books if aged_on is None else replace(books, as_of=aged_on)
        return _derived(books, aged, method, policies, calendar, known_at, tentative_net_capital, in_full)
    except InvalidValue as error:  # a date or an amount that cannot be: the rows are not usable
        raise ItemsRefused(f"the books cannot be used: {error}") from error


def _derived(
    books: Books,
    aged: Books,
    method: Method,
    policies: PolicySet,
    calendar: BankCalendar,
    known_at: datetime,
    tentative_net_capital: int,
    in_full: int,
) -> DerivedItems:
    problems = list(_twice(books))
    classes: dict[str, HolderClass] = {each.account_id: each.holder_class for each in books.accounts}
    found = positions(books, classes, problems)
    _refuse(problems)
    stock = StockItems(aged.as_of, method, calendar)
    allocations: list[Allocation] = []
    warnings: list[str] = []
    ranks = allocation_ranks(policies.text("allocation_order"))
    for security in sorted(found):
        position = found[security]
        meetings = list(allocate(position, ranks))
        stock.add(position, meetings)
        allocations += _allocations(position, meetings)
        warnings += _unbalanced(position, meetings)
    stock.pledges(books.liens, policies.text("lien_share"))
    rows, excluded = stock.rows, stock.excluded
    more = [credit_rows(books.accounts, books.pab_reliefs, books.as_of, known_at, calendar)]
    more += [debit_rows(aged, each, found, tentative_net_capital, policies, calendar) for each in ReserveClass]
    more.append(margin_rows(aged, policies, calendar, stock.at_agency, problems))
    _refuse(problems)
    for made, out in more:
        rows += made
        excluded += out
    rows += _other_rows(aged, method, calendar)
    rows.sort(key=lambda row: (row.computation, row.item, row.row_id))
    excluded.sort(key=lambda each: (each.computation, each.item, each.note, each.subject))
    allocations.sort(key=lambda each: (each.security_id, each.place, each.place_line, each.owner, each.owner_line))
    return DerivedItems(
        CustomerItems.of(carried(rows, ReserveClass.CUSTOMER, in_full)),
        PabItems.of(carried(rows, ReserveClass.PAB, in_full)),
        swept(books.accounts, books.pab_reliefs, books.as_of, known_at, calendar),
        tuple(rows),
        tuple(allocations),
        tuple(excluded),
        tuple(warnings),
        tentative_net_capital,
    )


def _first(problems: tuple[str, ...]) -> tuple[str, ...]:
    """As many findings as a computation carries, and how many more there are."""
    more = len(problems) - FINDINGS_CARRIED
    return (*problems[:FINDINGS_CARRIED], f"and {more} more") if more > 0 else problems


def _allocations_digest(allocations: Iterable[Allocation]) -> str:
    """SHA-256 (hex) of the allocations in their order, one on each line, the fields between tabs."""
    digest = hashlib.sha256()
    for each in allocations:
        line = (each.security_id, each.owner, each.owner_line, each.place, each.place_line, str(each.base_units))
        digest.update(("\t".join(line) + "\n").encode())
    return digest.hexdigest()


def _refuse(problems: list[str]) -> None:
    if problems:
        problems.sort()
        raise ItemsRefused(
            f"the books contradict themselves: {some_of(problems, between='; ')}",
            advice="Correct the named rows of the books; nothing is computed from half of them.",
        )


def _twice(books: Books) -> Iterator[str]:
    keys: tuple[tuple[str, Iterable[str]], ...] = (
        ("account", (each.account_id for each in books.accounts)),
        ("relation of account", (each.account_id for each in books.relations)),
        ("line", (each.line_id for each in books.stock)),
        ("lien", (each.lien_id for each in books.liens)),
        ("margin", (each.margin_id for each in books.clearing_margin)),
        ("agency", (each.agency for each in books.clearing_agencies)),
        ("amount", (each.amount_id for each in books.other_amounts)),
        ("relief", (each.relief_id for each in books.pab_reliefs)),
    )
    for name, ids in keys:
        listed = list(ids)
        if len(set(listed)) != len(listed):
            yield from (f"{name} {each} is there {count} times" for each, count in Counter(listed).items() if count > 1)


def _allocations(position: Position, meetings: Iterable[Meeting]) -> Iterator[Allocation]:
    together: dict[tuple[Owner, str, Place, str], int] = {}
    for each in meetings:
        assert each.long.owner is not None
        assert each.short.place is not None
        key = (each.long.owner, each.long.line_id, each.short.place, each.short.line_id)
        together[key] = together.get(key, 0) + each.base_units
    for (owner, owner_line, place, place_line), units in together.items():
        value = position.value_up(units)
        yield Allocation(position.security_id, owner, owner_line, place, place_line, units, value)


def _unbalanced(position: Position, meetings: Iterable[Meeting]) -> Iterator[str]:
    over = short = 0
    for each in meetings:
        over += each.base_units if each.short.place is Place.MISSING else 0
        short += each.base_units if each.long.owner is Owner.UNKNOWN else 0
    if over:
        yield f"{position.security_id}: {over} base units are long and stand nowhere; they are in item 7"
    if short:
        yield f"{position.security_id}: {short} base units stand somewhere and nobody is long; read as customers'"


def _other_rows(books: Books, method: Method, calendar: BankCalendar) -> Iterator[DerivedRow]:
    for each in books.other_amounts:
        item, note = _OTHER_ITEMS[each.nature]
        cents = each.cents
        if each.nature is OtherNature.SUSPENSE_CREDIT and each.since is not None:
            entry = SuspenseEntry(each.amount_id, cents, each.since)
            cents = item_8_suspense((entry,), books.as_of, method, calendar)[each.amount_id]
        if cents:
            source = (
                f"other_amounts {each.as_of} {each.amount_id}: {each.nature}, {each.reference}; item {item}, {note}"
            )
            whose = ReserveClass(each.computation.value)
            yield DerivedRow(whose, item, str(each.nature), f"other:{each.amount_id}", cents, source)
