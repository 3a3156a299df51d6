"""The stock record brought to one position for each security, and each position's longs allocated to its shorts.

Account longs of one class are one quantity: which customer's they are makes no difference to any item. Every other line
keeps its own identity. All arithmetic is in whole base units; market values are exact ratios, rounded once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from chains.types import AssetId
from mapping.books import Books
from mapping.books_types import HolderClass, Lien, LienKind, StockLine, StockPlace, StockSide
from mapping.types import LegalClass
from verifier.reserve.allocation_order import OWNER_OF, SHORT_OF, Owner, Place

_PLACES: Final = {
    StockPlace.BANK_LOAN: Place.BANK_LOAN,
    StockPlace.STOCK_LOAN: Place.STOCK_LOAN,
    StockPlace.FAIL_TO_RECEIVE: Place.FAIL_TO_RECEIVE,
    StockPlace.CLEARING_MARGIN: Place.CLEARING_MARGIN,
    StockPlace.DIVIDEND_RECEIVABLE: Place.DIVIDEND_RECEIVABLE,
    StockPlace.TRANSFER: Place.TRANSFER,
    StockPlace.SUSPENSE: Place.SUSPENSE,
    StockPlace.COUNT_DIFFERENCE: Place.COUNT_DIFFERENCE,
}
"""Places with a meaning in the formula; every other one is `Place.CONTROL`."""
_OWED: Final = {
    StockPlace.STOCK_BORROW: Owner.STOCK_BORROW,
    StockPlace.FAIL_TO_DELIVER: Owner.FAIL_TO_DELIVER,
    StockPlace.SUSPENSE: Owner.SUSPENSE,
    StockPlace.COUNT_DIFFERENCE: Owner.COUNT_DIFFERENCE,
}


@dataclass(slots=True, eq=False)
class Entry:
    """One line of the stock record, or all account longs of one class, and what of it is not allocated yet."""

    owner: Owner | None
    """Of a long."""
    place: Place | None
    """Of a short."""
    line: StockLine | None
    """None for account longs together, and for what the record does not say."""
    whose: Owner | None
    """The class of accounts it is known to be for; None when the books do not say."""
    left: int

    @property
    def line_id(self) -> str:
        """The line; empty where there is none."""
        return self.line.line_id if self.line is not None else ""

    def sort_key(self) -> tuple[bool, date, str]:
        """Oldest first, then by line: no other order of the rows changes a result."""
        line = self.line
        return (line is None, (line.since or line.as_of) if line else date.min, self.line_id)


@dataclass(slots=True)
class Position:
    """Everything the stock record says of one security."""

    security_id: AssetId
    price: Decimal
    priced_on: date
    cents: int = 0
    """Market value of `per` base units, in cents."""
    per: int = 1
    is_security: bool = True
    """Whether the firm decided that it is a security; a debit of items 11 and 12 is for securities alone."""
    longs: dict[Owner, int] = field(default_factory=dict)
    """Account longs by class."""
    lines: list[Entry] = field(default_factory=list)
    """Every other line."""

    def value_up(self, base_units: int) -> int:
        """Market value in cents, a part of a cent rounded up: for what raises the requirement."""
        return -(-base_units * self.cents // self.per)


@dataclass(frozen=True, slots=True)
class Meeting:
    """Units of one long that stand at one short."""

    long: Entry
    short: Entry
    base_units: int


def positions(books: Books, classes: Mapping[str, HolderClass], problems: list[str]) -> dict[AssetId, Position]:
    """The positions by security; what makes a line unusable is added to the problems."""
    liens = {each.lien_id: each for each in books.liens}
    found: dict[AssetId, Position] = {}
    owners = {account: OWNER_OF[holder] for account, holder in classes.items()}
    account_place, long_side = StockPlace.ACCOUNT, StockSide.LONG
    for line in books.stock:
        position = found.get(line.security_id)
        if position is None:
            position = found[line.security_id] = Position(line.security_id, line.price, line.as_of)
        elif position.price != line.price:
            _reprice(position, line, problems)
        owner = None
        if line.account_id:
            owner = owners.get(line.account_id)
            if owner is None:
                problems.append(f"line {line.line_id}: there is no balance of account {line.account_id}")
                continue
        if line.place is account_place and line.side is long_side and owner is not None:
            position.longs[owner] = position.longs.get(owner, 0) + line.base_units
        else:
            position.lines.append(_entry(line, owner, liens, problems))
    _measure(found, books, problems)
    return found


def _reprice(position: Position, line: StockLine, problems: list[str]) -> None:
    """A later day's row brings a newer price; two prices of one day are none."""
    if line.as_of > position.priced_on:
        position.price, position.priced_on = line.price, line.as_of
    elif line.as_of == position.priced_on:
        problems.append(f"{line.security_id} has two prices on {line.as_of.isoformat()}")


def _entry(line: StockLine, owner: Owner | None, liens: Mapping[str, Lien], problems: list[str]) -> Entry:
    if line.place is StockPlace.ACCOUNT:
        assert owner is not None  # a position of an account names it
        return Entry(None, SHORT_OF[owner], line, owner, line.base_units)
    if line.side is StockSide.LONG:
        return Entry(_OWED[line.place], None, line, owner, line.base_units)
    if line.place is StockPlace.BANK_LOAN:
        lien = liens.get(line.reference)
        if lien is None:
            problems.append(f"line {line.line_id}: there is no lien {line.reference or 'named'}")
        elif owner is None:
            owner = Owner.CUSTOMER if lien.kind is LienKind.CUSTOMERS else Owner.FIRM
    return Entry(None, _PLACES.get(line.place, Place.CONTROL), line, owner, line.base_units)


def _measure(found: Mapping[AssetId, Position], books: Books, problems: list[str]) -> None:
    assets = {each.asset.asset_id: each for each in books.assets}
    for security, position in found.items():
        asset = assets.get(security)
        if asset is None:
            problems.append(f"{security} is not in the asset table, so its decimals are not known")
            continue
        numerator, denominator = position.price.as_integer_ratio()
        position.cents, position.per = numerator * 100, denominator * 10**asset.asset.decimals
        position.is_security = asset.legal_class is LegalClass.SECURITY


def allocate(position: Position, ranks: Mapping[tuple[Owner, Place], int]) -> Iterator[Meeting]:
    """Each unit of the longs with one unit of the shorts; what is left over meets nobody, or stands nowhere.

    First what the books say of a line, then by the ranks, within a pair the oldest line first.
    """
    longs: dict[Owner, list[Entry]] = {}
    shorts: dict[Place, list[Entry]] = {}
    told = False
    for owner, base_units in position.longs.items():
        longs[owner] = [Entry(owner, None, None, None, base_units)]
    for entry in position.lines:
        entry.left = entry.line.base_units if entry.line else entry.left
        if entry.owner is not None:
            longs.setdefault(entry.owner, []).append(entry)
        elif entry.place is not None:
            shorts.setdefault(entry.place, []).append(entry)
        told = told or entry.whose is not None
    for entries in (*longs.values(), *shorts.values()):
        if len(entries) > 1:
            entries.sort(key=Entry.sort_key)
    pairs = sorted(((owner, place) for owner in longs for place in shorts), key=ranks.__getitem__)
    if told:
        for owner, place in pairs:
            yield from _identified(owner, place, longs[owner], shorts[place])
    for owner, place in pairs:
        yield from _meet(longs[owner], shorts[place])
    nowhere = Entry(None, Place.MISSING, None, None, 0)
    for entries in longs.values():
        yield from (Meeting(entry, nowhere, entry.left) for entry in entries if entry.left)
    nobody = Entry(Owner.UNKNOWN, None, None, None, 0)
    for entries in shorts.values():
        yield from (Meeting(nobody, entry, entry.left) for entry in entries if entry.left)


def _identified(owner: Owner, place: Place, longs: list[Entry], shorts: list[Entry]) -> Iterator[Meeting]:
    """Lines that are known to be for a class with that class: a place with its longs, what is owed with its shorts."""
    if owner in SHORT_OF and place not in _SHORTS:
        yield from _meet(longs, [each for each in shorts if each.whose is owner])
    elif owner not in SHORT_OF and place in _SHORTS:
        yield from _meet([each for each in longs if each.whose and SHORT_OF[each.whose] is place], shorts)


_SHORTS: Final = frozenset(SHORT_OF.values())


def _meet(longs: Iterable[Entry], shorts: Iterable[Entry]) -> Iterator[Meeting]:
    waiting = iter(shorts)
    short = next(waiting, None)
    for long in longs:
        while long.left and short is not None:
            units = min(long.left, short.left)
            if units:
                long.left -= units
                short.left -= units
                yield Meeting(long, short, units)
            if not short.left:
                short = next(waiting, None)
